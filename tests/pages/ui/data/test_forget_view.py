"""Forget users on the page Data: a list, what would go, a confirmation, a certificate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.base.progress import silent
from core.runs import tasks
from core.runs.forgetting import id_files
from core.runs.jobs import State
from core.storage.store import Store
from pages.ui.shell import state
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import FakeJobs, texts
from tests.pages.fixtures_segments import FinishedRun

PAGE = "pages/prepare/data.py"


def user_of(run: FinishedRun) -> str:
    import pyarrow.parquet as pq

    one: str = pq.read_table(run.root / "preprocess" / run.dataset / "users.parquet")["user_id"][0].as_py()
    return one


def do(fake: FakeJobs) -> dict[str, Any]:
    """What the job that was asked for last does."""
    [request] = [asked for task, asked, _ in fake.started if task == "forget"][-1:]
    result = tasks.run("forget", state.store().root, request, silent)
    fake.end("forget", State.DONE, result=json.loads(json.dumps(result)))
    return result


def ask(app: AppTest, text: str) -> AppTest:
    app.text_area(key="forget_ids").set_value(text)
    return app.button(key="forget-preview").click().run()


def test_without_data_there_is_nobody_to_forget(open_app: OpenApp) -> None:
    app = open_app(PAGE)
    assert not app.exception
    assert not [one for one in app.text_area if one.key == "forget_ids"]


def test_what_would_go_is_shown_first_and_then_it_is_gone(
    open_app: OpenApp, finished_run: FinishedRun, fake_jobs: FakeJobs
) -> None:
    one = user_of(finished_run)
    app = ask(open_app(PAGE, data=finished_run.dataset), one)
    assert not app.exception
    assert "preview" in do(fake_jobs)
    app.run()
    assert "1 of 1 id" in texts(app)
    [table] = [frame.value for frame in app.dataframe if "What becomes of it" in frame.value]
    assert {"Prepared data", "Trained model", "Vectors of users"} <= set(table["What"])
    of_data = table[table["What"].isin({"Prepared data", "Trained model", "Vectors of users"})]
    assert of_data["Name"].nunique() == 1
    assert of_data["Name"].iloc[0]
    assert (finished_run.root / "preprocess" / finished_run.dataset).is_dir(), "nothing is gone yet"
    app.button(key="forget-now").click().run()
    assert do(fake_jobs)["clean"]
    app.run().run()
    assert not app.exception
    [said] = [one.value for one in app.success]
    assert "0 places left of 1 id" in said
    assert "Files in the input folder were not searched" in said
    assert not (finished_run.root / "preprocess" / finished_run.dataset).exists()
    [certificate] = id_files.certificates(Store(finished_run.root))
    assert json.loads(certificate.read_bytes())["left"] == []


def test_the_ids_are_in_no_file_once_the_job_has_them(
    open_app: OpenApp, finished_run: FinishedRun, fake_jobs: FakeJobs
) -> None:
    one = "1111111111.2222222222"
    ask(open_app(PAGE, data=finished_run.dataset), one)
    [waiting] = (finished_run.root / id_files.FOLDER).glob("*")
    assert waiting.stat().st_mode & 0o077 == 0
    do(fake_jobs)
    held = [
        path for path in finished_run.root.rglob("*") if path.is_file() and one.encode() in path.read_bytes()
    ]
    assert held == []


def test_a_cancelled_job_leaves_no_list(
    open_app: OpenApp, finished_run: FinishedRun, fake_jobs: FakeJobs
) -> None:
    app = ask(open_app(PAGE, data=finished_run.dataset), "1111111111.2222222222")
    fake_jobs.end("forget", State.CANCELLED)
    app.run()
    assert not app.exception
    assert list((finished_run.root / id_files.FOLDER).glob("*")) == []


def test_a_list_without_ids_is_refused(
    open_app: OpenApp, finished_run: FinishedRun, fake_jobs: FakeJobs
) -> None:
    app = ask(open_app(PAGE, data=finished_run.dataset), " \n")
    assert not app.exception
    assert "There is no id in the list" in texts(app)
    assert fake_jobs.started == []


def test_another_list_asks_for_another_preview(
    open_app: OpenApp, finished_run: FinishedRun, fake_jobs: FakeJobs
) -> None:
    app = ask(open_app(PAGE, data=finished_run.dataset), user_of(finished_run))
    do(fake_jobs)
    app.run()
    app.text_area(key="forget_ids").set_value("1111111111.2222222222").run()
    assert not [one for one in app.button if one.key == "forget-now"]


def test_the_preview_says_how_many_records_of_each_file_go(
    open_app: OpenApp, finished_run: FinishedRun, fake_jobs: FakeJobs
) -> None:
    one, folder = user_of(finished_run), Path(state.input_dir())
    folder.mkdir(exist_ok=True)
    for name, n in (("march", 2), ("april", 0)):
        (folder / f"{name}.csv").write_text("user_id,x\n" + f"{one},1\n" * n + f"somebody,of {one}\n")
    app = open_app(PAGE, data=finished_run.dataset)
    app.checkbox(key="forget_files").set_value(True)
    ask(app, one)
    do(fake_jobs)
    app.run()
    [table] = [frame.value for frame in app.dataframe if "What becomes of it" in frame.value]
    of_files = table[table["What"] == "Input file"].set_index("Name")["What becomes of it"]
    assert of_files["march.csv"].startswith("2 records go")
    assert of_files["april.csv"].startswith("0 records go")


@pytest.mark.parametrize("too", [True, False])
def test_files_in_the_input_folder_only_where_that_is_ticked(
    open_app: OpenApp, finished_run: FinishedRun, fake_jobs: FakeJobs, too: bool
) -> None:
    folder = Path(state.input_dir())
    folder.mkdir(exist_ok=True)
    app = open_app(PAGE, data=finished_run.dataset)
    app.checkbox(key="forget_files").set_value(too)
    ask(app, "1111111111.2222222222")
    [(_, request, _)] = fake_jobs.started
    assert request["input_dir"] == (str(folder.resolve()) if too else None)
