"""The page Watch and the switch on Data: nothing there, one that lives or died, what it took and refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.base.progress import silent
from core.base.settings import PRESETS, ClusterSettings, Preset, TrainSettings
from core.ingest.sample import write_sample
from core.labels.label_settings import LabelMode, LabelSettings
from core.runs import app_watches
from core.runs.app_watches import LIVE, REPORTED, TASK, WatchOrder, WatchRequest, place_of
from core.runs.frozen import FrozenModel
from core.runs.job_view import State
from core.runs.model_folder import MODEL
from core.runs.pipeline import RunSettings
from core.runs.run import run
from core.runs.taken_files import RECORD, RefusedFile, TakenFile, TakenFiles, WatchedDrift
from core.runs.watch import LOOKED, STAGE, TROUBLE
from pages.ui.shell import state
from pages.ui.watch import switch
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import FakeJobs, texts
from tests.pages.fixtures_segments import FinishedRun

PAGE = "pages/use/watch.py"
FIRST, SECOND = "2026-01-01T06:10:00+00:00", "2026-01-02T06:10:00+00:00"
CALM = WatchedDrift(
    SECOND, 130, False, 0.4, "Segment 1: 50.0% before, 52.0% now", 0.6, 3.2, 0.012, 0.01, 2, 1, False,
    ("No sign that what users do has changed", "- a *figure*", "No need to train again"),
)  # fmt: skip
TAKEN = TakenFiles(
    "x",
    (
        TakenFile("mon.csv", "1", FIRST, {}, 500, 100, 400, {0: 60, 1: 20}),
        TakenFile("tue_*b*.csv", "2", SECOND, {}, 90, 130, 500, {0: 60, 1: 40}),
    ),
    (RefusedFile("notes.csv", "3", SECOND, "notes.csv has no column for the user."),),
    "m",
    CALM,
)


@pytest.fixture
def incoming(tmp_path: Path) -> Path:
    folder = tmp_path / "input" / "incoming"
    folder.mkdir(parents=True)
    return folder


def watched(folder: Path, fake: FakeJobs, taken: TakenFiles | None = TAKEN) -> Path:
    """A watch as the app leaves it, with a job that lives."""
    store = state.store()
    place = place_of(store, folder)
    (place / LIVE).mkdir(parents=True)
    names = {0: "1 · Buyers", 1: "2 · Readers"}
    order = WatchOrder(
        folder=folder,
        dataset="d",
        model="m",
        title="shop.csv",
        names=names,
        at=FIRST,
        sizes={0: 30, 1: 10},
        frozen="m",
    )
    (place / "order.json").write_text(order.model_dump_json())
    fake.start(store.root, TASK, WatchRequest(folder=folder), place.name)
    (place / LIVE / LOOKED).touch()
    if taken is not None:
        (place / LIVE / RECORD).write_bytes(taken.to_json())
        (place / LIVE / "users.parquet").write_bytes(b"users")
    return place


def badges(app: AppTest) -> str:
    return " ".join(element.value for element in app.markdown)


def test_without_segments_it_says_what_to_do_first(open_app: OpenApp) -> None:
    app = open_app(PAGE)
    assert not app.exception
    assert "No folder is watched" in texts(app) and "train a model first" in texts(app)


@pytest.mark.parametrize("name", ["../out", "a/b", ".hidden", ""])
def test_a_folder_is_made_by_its_name_alone(
    open_app: OpenApp, trained: Path, tmp_path: Path, name: str
) -> None:
    shutil.copytree(trained / "stages", tmp_path / "cache")
    keys = json.loads((trained / "run.json").read_text())["keys"]
    app = open_app(PAGE, data=keys["preprocess"], model=keys["train"], k="4")
    app.text_input(key="new-folder").set_value(name).run()
    app.button(key="make-folder").click().run()
    assert [one.value for one in app.error] and not [*(tmp_path / "input").glob("*")]
    app.text_input(key="new-folder").set_value("nightly").run()
    app.button(key="make-folder").click().run()
    assert (tmp_path / "input" / "nightly").is_dir() and not app.error
    assert app.selectbox(key="watch-folder").options == ["nightly"]


def test_without_segments_it_says_so(open_app: OpenApp, incoming: Path) -> None:
    app = open_app(PAGE)
    assert not app.exception
    assert "train a model first" in texts(app)


def test_only_folders_below_the_input_folder_are_offered(incoming: Path) -> None:
    root = incoming.parent
    (root / "year" / "month" / "day" / "hour").mkdir(parents=True)
    (root / ".hidden").mkdir()
    (root / "out").symlink_to(root.parent)
    assert switch.folders(root) == ["incoming", "year", "year/month", "year/month/day"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of a small real run, a bag of pages."""
    folder = tmp_path_factory.mktemp("trained")
    write_sample(folder / "shop.csv", 200, 1, silent)
    settings = RunSettings(
        label=LabelSettings(mode=LabelMode.OFF),
        train=TrainSettings.checked(**PRESETS[Preset.BAG]),
        cluster=ClusterSettings(n_clusters=3, auto=False),
    )
    run(folder / "out", [folder / "shop.csv"], settings, silent)
    return folder / "out"


def test_the_switch_publishes_what_is_on_screen_and_begins(
    open_app: OpenApp, trained: Path, incoming: Path, fake_jobs: FakeJobs, tmp_path: Path
) -> None:
    shutil.copytree(trained / "stages", tmp_path / "cache")
    keys = json.loads((trained / "run.json").read_text())["keys"]
    app = open_app(data=keys["preprocess"], model=keys["train"], k="4")
    assert not app.exception
    assert app.selectbox(key="watch-folder").options == ["incoming"]
    app.button(key="watch-start").click().run()
    assert not app.exception
    [request] = [request for task, request, _ in fake_jobs.started if task == TASK]
    assert request == {"folder": str(incoming)}
    [watch] = app_watches.watches(state.store())
    frozen = FrozenModel.read(watch.place / MODEL)
    assert len(frozen.partition.ids) == len(watch.order.names) == 4
    assert frozen.training is not None
    assert not app.selectbox, "the only folder is watched"
    assert app.button(key="make-folder")


def test_a_folder_that_went_away_meanwhile_is_told(
    open_app: OpenApp, finished_run: FinishedRun, incoming: Path, fake_jobs: FakeJobs
) -> None:
    app = open_app(data=finished_run.dataset)
    incoming.rmdir()
    app.button(key="watch-start").click().run()
    assert not app.exception
    assert not [one for one in fake_jobs.started if one[0] == TASK]


def test_a_watch_that_lives_shows_what_it_took_and_refused(
    open_app: OpenApp, incoming: Path, fake_jobs: FakeJobs
) -> None:
    place = watched(incoming, fake_jobs)
    (place / REPORTED).write_text(json.dumps({"at": FIRST, "line": "mon.csv is taken"}) + "\nhalf a li")
    fake_jobs.end(TASK, State.RUNNING, stage=STAGE, message="2 files taken")
    app = open_app(PAGE)
    assert not app.exception
    told = {one.label: one.value for one in app.metric}
    assert (told["Files"], told["Users so far"], told["Refused"]) == ("2", "130", "1")
    assert "Watching" in badges(app)
    assert "No sign that what users do has changed" in texts(app)
    assert "the alarm begins at 3.2" in texts(app)
    assert "a \\*figure\\*" in texts(app), "never Markdown of a file's"
    tables = [table.value for table in app.dataframe]
    assert [list(table["name"]) for table in tables if "name" in table] == [["tue_*b*.csv", "mon.csv"]]
    [shares] = [table for table in tables if "training_share" in table]
    assert shares["training_share"].tolist() == [0.75, 0.25] * 2
    assert "dashed line: share in the training" in texts(app)
    assert "has no column for the user" in texts(app)
    assert [code.value[-16:] for code in app.code if "mon.csv" in code.value] == ["mon.csv is taken"]
    app.button(key="watch-stop").click().run()
    assert (state.store().root / "jobs" / f"job-{TASK}" / "cancel").exists()
    assert not app.exception


def test_after_one_look_shares_are_a_table(open_app: OpenApp, incoming: Path, fake_jobs: FakeJobs) -> None:
    watched(incoming, fake_jobs, replace(TAKEN, files=TAKEN.files[:1]))
    app = open_app(PAGE)
    assert not app.exception
    [shares] = [table.value for table in app.dataframe if "training_share" in table.value]
    assert shares[["share", "training_share"]].to_numpy().tolist() == [[0.75, 0.75], [0.25, 0.25]]
    assert "dashed line" not in texts(app)


def test_while_the_first_file_is_taken_it_is_named(
    open_app: OpenApp, incoming: Path, fake_jobs: FakeJobs
) -> None:
    watched(incoming, fake_jobs, None)
    fake_jobs.end(TASK, State.RUNNING, stage="label", fraction=0.5, message="Taking mon.csv. Types")
    app = open_app(PAGE)
    assert not app.exception
    assert "No file was taken yet" not in texts(app)
    fake_jobs.end(TASK, State.RUNNING, stage=STAGE, message="0 files taken")
    assert "No file was taken yet. One is taken once" in texts(open_app(PAGE))


def test_trouble_alarm_and_what_cannot_be_said(
    open_app: OpenApp, incoming: Path, fake_jobs: FakeJobs
) -> None:
    alarm = replace(CALM, alarm=True, p_value=0.001, lines=("What users do has changed", "- more"))
    place = watched(incoming, fake_jobs, replace(TAKEN, drift=alarm))
    fake_jobs.end(TASK, State.RUNNING, stage=TROUBLE, message="incoming cannot be read: gone.")
    app = open_app(PAGE)
    assert not app.exception
    assert "incoming cannot be read" in texts(app)
    assert "What users do has changed" in texts(app)
    other = replace(TAKEN, drift=WatchedDrift(SECOND, 130, why_not="An earlier release wrote it."))
    (place / LIVE / RECORD).write_bytes(other.to_json())
    assert "An earlier release wrote it" in texts(open_app(PAGE))


def test_one_that_died_says_why_goes_on_or_is_deleted(
    open_app: OpenApp, incoming: Path, fake_jobs: FakeJobs
) -> None:
    watched(incoming, fake_jobs, None)
    fake_jobs.end(TASK, State.FAILED, error="The process ended without a result; it was killed.")
    app = open_app(PAGE)
    assert not app.exception
    assert "Ended by itself" in badges(app)
    assert "it was killed" in texts(app)
    assert "No file was taken yet" in texts(app)
    assert "has not changed for 5 seconds" not in texts(app), "none is taken now"
    app.button(key="watch-again").click().run()
    assert [task for task, _, _ in fake_jobs.started] == [TASK, TASK]
    fake_jobs.end(TASK, State.CANCELLED)
    app = open_app(PAGE)
    assert "Stopped" in badges(app)
    app.button(key="watch-delete-now").click().run()
    assert not app.exception
    assert "No folder is watched" in texts(app)
    assert incoming.is_dir()


def test_a_damaged_record_is_told_and_the_watch_can_be_deleted(
    open_app: OpenApp, incoming: Path, fake_jobs: FakeJobs
) -> None:
    place = watched(incoming, fake_jobs)
    fake_jobs.end(TASK, State.CANCELLED)
    (place / LIVE / RECORD).write_text("{")
    app = open_app(PAGE)
    assert not app.exception
    assert [error.value.count("is damaged") for error in app.error] == [1]
    app.button(key="watch-delete-now").click().run()
    assert "No folder is watched" in texts(app)


def test_figures_of_the_segments_before_are_not_shown(
    open_app: OpenApp, incoming: Path, fake_jobs: FakeJobs
) -> None:
    watched(incoming, fake_jobs, replace(TAKEN, model="before"))
    app = open_app(PAGE)
    assert not app.exception
    assert "not in the segments of this watch yet" in texts(app)
    assert "Segments since the beginning" not in texts(app)
    assert "No sign that what users do has changed" not in texts(app)
    assert "Files taken" in texts(app)


def test_the_files_are_prepared_as_a_data_set(open_app: OpenApp, incoming: Path, fake_jobs: FakeJobs) -> None:
    watched(incoming, fake_jobs)
    fake_jobs.end(TASK, State.CANCELLED)
    app = open_app(PAGE)
    app.button(key="watch-prepare").click().run()
    assert not app.exception
    assert app.session_state["chosen_files"] == ("incoming",)
