"""The frame around the pages, and the state that follows the analyst through them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import streamlit as st

from core.storage.dataset import RECEIPT
from core.storage.receipt import Receipt
from core.storage.store import MANIFEST, Store, open_artifact
from pages.ui.shell.links import PAGES as NAVIGATION
from pages.ui.shell.text import md_text
from tests.pages.conftest import ROOT, OpenApp
from tests.pages.fake_jobs import FakeJobs, texts
from tests.pages.fixtures_segments import FinishedRun, write_run

PAGES = [screen.file for screens in NAVIGATION.values() for screen in screens]


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_with_nothing_there(open_app: OpenApp, page: str) -> None:
    app = open_app(page)
    assert not app.exception
    assert "No data set yet" in [caption.value for caption in app.sidebar.caption]


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_with_a_finished_run(
    open_app: OpenApp, page: str, finished_run: FinishedRun
) -> None:
    app = open_app(page, data=finished_run.dataset)
    assert not app.exception
    (status,) = [one.value for one in app.sidebar.caption if "87 users" in one.value]
    assert status.endswith("Model of 4 epochs")


def test_the_link_follows_through_the_pages(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(PAGES[0], data=finished_run.dataset)
    app.query_params.clear()  # as the navigation does
    app.switch_page(PAGES[1]).run()
    assert finished_run.dataset in app.query_params["data"]


def test_another_data_set_brings_its_own_model(
    open_app: OpenApp, finished_run: FinishedRun, tmp_path: Path
) -> None:
    other = write_run(finished_run.root, per_kind=3)
    app = open_app(PAGES[0], data=finished_run.dataset, model=finished_run.model)
    app.button(key=f"open-{other.dataset}").click().run()
    assert other.model in app.query_params["model"]
    assert not app.exception


def test_a_model_of_other_data_is_not_shown(open_app: OpenApp, finished_run: FinishedRun) -> None:
    other = write_run(finished_run.root, per_kind=3)
    app = open_app(PAGES[1], data=finished_run.dataset, model=other.model)
    assert not app.exception
    assert any(caption.value.endswith("No model yet") for caption in app.sidebar.caption)


def test_running_jobs_are_in_the_sidebar(open_app: OpenApp, fake_jobs: FakeJobs, tmp_path: Path) -> None:
    fake_jobs.start(tmp_path, "preprocess", {}, "events.csv", None)
    app = open_app(PAGES[2])
    assert not app.exception
    assert "No data yet" in texts(app)


def test_a_job_says_which_files_or_which_other_data_it_works_on(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    fake_jobs.start(finished_run.root, "preprocess", {"paths": ["/in/a.csv", "/in/b.csv"]}, "a", None)
    fake_jobs.start(finished_run.root, "train", {"dataset": finished_run.dataset}, finished_run.dataset, None)
    captions = [caption.value for caption in open_app(PAGES[3]).sidebar.caption]
    assert md_text("a.csv, b.csv") in captions
    assert md_text("toy.csv") in captions
    captions = [caption.value for caption in open_app(PAGES[3], data=finished_run.dataset).sidebar.caption]
    assert md_text("toy.csv") not in captions  # it is on screen, and named above


FIRST_PAGES = """
import sys
from streamlit.testing.v1 import AppTest

for page in {pages!r}:
    for name in [name for name in sys.modules if name.partition(".")[0] in ("core", "pages")]:
        del sys.modules[name]
    app = AppTest.from_file("app.py", default_timeout=60)
    app.switch_page(page)
    app.run()
    print(page, len(app.title), [fault.message for fault in app.exception])
print([name for name in ("torch", "transformers") if name in sys.modules])
"""


def test_any_page_may_be_the_first_and_the_server_process_never_loads_torch() -> None:
    """What a page loads must not rest on what another one has loaded before it."""
    code = FIRST_PAGES.format(pages=PAGES)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [*(f"{page} 1 []" for page in PAGES), "[]"], done.stderr


def test_a_run_is_not_followed_by_a_full_garbage_collection() -> None:
    """A tenth of a second of CPU each, and as much for each poll: half of what a company's server did."""
    assert st.config.get_option("runner.postScriptGC") is False


@pytest.mark.usefixtures("nothing_kept")
@pytest.mark.parametrize("page", PAGES)
def test_every_page_says_where_only_a_part_is_counted(
    open_app: OpenApp, page: str, finished_run: FinishedRun
) -> None:
    file = finished_run.root / "preprocess" / finished_run.dataset / RECEIPT
    receipt = Receipt.model_validate_json(file.read_bytes())
    told = receipt.model_copy(update={"narrowed": "a sample of 87 of 350 users"})
    store = Store(finished_run.root)
    made = open_artifact(file.parent)
    with store.write("preprocess", made.key, made.settings, made.inputs) as folder:
        for other in file.parent.iterdir():
            if other.name != MANIFEST:
                shutil.copy(other, folder)
        (folder / RECEIPT).write_text(told.model_dump_json())
    app = open_app(page, data=finished_run.dataset)
    assert "**a sample of 87 of 350 users**" in app.main.caption[0].value
