"""The page Runs: save what is on screen, open it again, compare two."""

from __future__ import annotations

import shutil

from streamlit.testing.v1 import AppTest

from core.saved import saved_runs, saved_work
from core.saved.controls import Controls
from core.storage.store import Store
from pages.ui.shell import state
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import texts
from tests.pages.fixtures_segments import FinishedRun

PAGE = "pages/use/runs.py"


def store() -> Store:
    return state.store()


def save(app: AppTest, name: str, note: str = "") -> str:
    app.text_input(key="run-name").set_value(name)
    app.text_area(key="run-note").set_value(note)
    next(button for button in app.button if button.label == "Save").click().run()
    assert not app.exception
    return next(iter(saved_runs.saved_runs(store())))


def test_without_data_it_says_what_a_saved_run_is(open_app: OpenApp) -> None:
    app = open_app(PAGE)
    assert not app.exception
    assert "Nothing is saved yet" in texts(app)


def test_what_is_saved_is_opened_again_with_names_and_settings(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    model = next(iter(state_of(app)))
    saved_work.rename(store(), model, {1: "Gift hunters"})
    state_of(app)[model]["controls"] = Controls(n_clusters=3, user=5)
    key = save(app, "Three of them", "Before the sale")
    run = saved_runs.saved_runs(store())[key]
    assert run.controls.n_clusters == 3
    assert run.own_names == {1: "Gift hunters"}
    assert run.controls.user is None
    assert any("prepared" in line for line in run.log)
    assert "are saved as “Three of them”." in texts(app)
    saved_work.rename(store(), model, {1: "Others"})
    app = open_app("pages/segments/explore.py", data=finished_run.dataset, k="2", run=key)
    assert not app.exception
    assert saved_work.names(store(), model) == {1: "Gift hunters"}
    assert app.query_params["k"] == "3"
    assert "run" not in app.query_params
    kept = saved_runs.saved_runs(store())
    assert {1: "Others"} in [run.own_names for run in kept.values()], "what was there is saved first"
    open_app("pages/segments/explore.py", data=finished_run.dataset, run=key)
    assert len(saved_runs.saved_runs(store())) == len(kept), "and once"


def state_of(app: AppTest) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = app.session_state[state.OF_MODEL]
    return found


def test_opening_one_saves_what_is_nowhere_else(open_app: OpenApp, finished_run: FinishedRun) -> None:
    key = save(open_app(PAGE, data=finished_run.dataset, k="3"), "Three")
    app = open_app(PAGE, data=finished_run.dataset, k="2")
    app.button(key=f"open-{key}").click().run()
    assert not app.exception
    kept = saved_runs.saved_runs(store())
    assert [len(run.sizes) for run in kept.values() if run.name != "Three"] == [2]


def test_two_are_compared_and_one_is_found_and_let_go(open_app: OpenApp, finished_run: FinishedRun) -> None:
    three = save(open_app(PAGE, data=finished_run.dataset, k="3"), "Three")
    app = open_app(PAGE, data=finished_run.dataset, k="2")
    two = save(app, "Two")
    app.selectbox(key="runs-first").set_value(three)
    app.selectbox(key="runs-second").set_value(two).run()
    assert not app.exception
    assert "in a segment of both" in texts(app)
    settings = next(table.value for table in app.dataframe if "setting" in table.value)
    assert settings.set_index("setting").loc["Number of segments"].tolist() == ["3", "2"]
    app.text_input(key="runs-search").set_value("THREE").run()
    assert [button.key for button in app.button if str(button.key).startswith("open-")] == [f"open-{three}"]
    app.button(key=f"delete-now-{three}").click().run()
    assert list(saved_runs.saved_runs(store())) == [two]


def test_a_run_whose_data_set_is_gone_says_so(open_app: OpenApp, finished_run: FinishedRun) -> None:
    key = save(open_app(PAGE, data=finished_run.dataset, k="3"), "Three")
    shutil.rmtree(store().root / "preprocess")
    app = open_app(PAGE)
    assert not app.exception
    assert "no longer here: its data set." in texts(app)
    assert f"open-{key}" not in [button.key for button in app.button]
    app = open_app(PAGE, run=key)
    assert not app.exception
    assert "cannot be opened" in texts(app)
