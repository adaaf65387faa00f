"""The Training page: without data, with the form, while it trains, stopped, and done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import streamlit as st

from core.base.errors import InputError
from core.base.schema import View
from core.base.settings import PRESETS, Encoder, Preset, TrainSettings
from core.labels.label_settings import LabelMode, LabelSettings
from core.model.feature_blocks import BLOCKS, FeatureBlock
from core.runs import pipeline
from core.runs.jobs import State
from core.runs.tasks import TrainRequest
from core.saved import label_decisions
from pages.ui.shell import state
from pages.ui.training import curves, train_form
from pages.ui.training.train_form import KNOBS, limits
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import FakeJobs, texts
from tests.pages.fixtures_segments import HEADS, FinishedRun

PAGE = "pages/prepare/training.py"


def test_without_data_it_says_where_to_go(open_app: OpenApp) -> None:
    app = open_app(PAGE)
    assert not app.exception
    assert "This page needs a data set" in texts(app)
    assert app.button(key="go-data").label == "Go to Data"


def test_the_latest_data_set_is_offered(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(PAGE)
    app.button(key="open_latest").click().run()
    assert "The current model" in texts(app)


def test_train_asks_for_what_the_form_shows(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    assert not app.exception
    app.segmented_control[1].select(Preset.FAST).run()
    app.slider(key="layers-fast").set_value(1).run()
    app.number_input(key="seed-fast").set_value(3).run()
    app.button(key="start-training").click().run()
    ((task, request, subject),) = fake_jobs.started
    assert (task, subject, request["dataset"]) == ("train", finished_run.dataset, finished_run.dataset)
    expected = TrainSettings.preset(Preset.FAST, layers=1, seed=3)
    assert TrainSettings.checked(**request["settings"]) == expected


def test_the_fast_mode_has_nothing_to_set(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    app.segmented_control[1].select(Preset.BAG).run()
    assert "nothing is trained" in texts(app)
    assert [slider.key for slider in app.slider if str(slider.key).startswith("epochs")] == []
    app.button(key="start-training").click().run()
    ((_, request, _),) = fake_jobs.started
    assert TrainSettings.checked(**request["settings"]).encoder is Encoder.BAG


def test_values_that_do_not_go_together_are_said_in_words(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    app.select_slider(key="hidden_dim-balanced").set_value(16)
    app.select_slider(key="heads-balanced").set_value(16).run()
    assert "must be an even multiple of" in app.error[0].value
    assert "start-training" not in {button.key for button in app.button}
    assert not app.exception


@pytest.mark.parametrize(("times", "said"), [(1.0, "on two CPU cores"), (8.0, "keep this machine busy")])
def test_the_expected_time_is_of_the_machine_as_it_is_now(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch, times: float, said: str
) -> None:
    monkeypatch.setattr(train_form, "_slowdown", lambda: times)
    app = open_app(PAGE, data=finished_run.dataset)
    app.segmented_control[1].select(Preset.BAG).run()  # a start and nothing else: ten seconds
    expected = {1.0: "10 to 20 seconds", 8.0: "20 to 70 seconds"}[times]
    assert said in texts(app)
    assert f"**{expected}**" in texts(app)
    assert f"Bag of pages: {expected} · Fast: " in texts(app)
    compared = "then a minute to compare numbers of segments"
    assert compared not in texts(app)  # a bag is there for those who want segments at once
    assert compared in texts(app.segmented_control[1].select(Preset.FAST).run())


def test_a_choice_outlasts_another_expected_time(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_form, "_slowdown", lambda: 1.0)
    app = open_app(PAGE, data=finished_run.dataset)
    app.segmented_control[1].select(Preset.FAST).run()
    monkeypatch.setattr(train_form, "_slowdown", lambda: 8.0)
    assert app.run().segmented_control[1].value == Preset.FAST


def test_too_little_data_is_said_before_anything_starts(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_little(_sequences: object) -> None:
        raise InputError("There is too little to train on", remedy="Take a longer period")

    monkeypatch.setattr(train_form, "choose_users", too_little)
    app = open_app(PAGE, data=finished_run.dataset)
    assert "too little to train on" in app.error[0].value
    assert "start-training" not in {button.key for button in app.button}


def test_while_it_trains_the_curves_are_drawn(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun, tmp_path: Path
) -> None:
    fake_jobs.rows = [
        {"stage": "train", "step": step, "loss": 1 / step, "valid_mrr": step / 4} for step in (1, 2, 3)
    ]
    fake_jobs.start(tmp_path, "train", {}, finished_run.dataset, None)
    app = open_app(PAGE, data=finished_run.dataset)
    assert not app.exception
    assert "**Training**" in texts(app)
    assert [tab.label for tab in app.tabs] == ["Curves", "Table"]
    assert "start-training" not in {button.key for button in app.button}


def test_a_training_of_other_data_does_not_stand_in_the_way(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun, tmp_path: Path
) -> None:
    fake_jobs.start(tmp_path, "train", {}, "another data set", None)
    app = open_app(PAGE, data=finished_run.dataset)
    assert "start-training" in {button.key for button in app.button}


@pytest.mark.parametrize("state", [State.CANCELLED, State.FAILED])
def test_a_training_that_ended_early_can_go_on(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun, state: State
) -> None:
    request = TrainRequest(
        dataset=finished_run.dataset, label=LabelSettings(), settings=TrainSettings(epochs=9)
    )
    fake_jobs.start(finished_run.root, "train", request, finished_run.dataset, None)
    fake_jobs.end("train", state, fraction=0.4, error="It was killed.")
    app = open_app(PAGE, data=finished_run.dataset)
    assert ("stopped at 40%" in texts(app)) == (state is State.CANCELLED)
    app.button(key="go-on").click().run()
    assert fake_jobs.started[-1] == ("train", request.model_dump(mode="json"), finished_run.dataset)
    assert "**Training**" in texts(app)


def test_a_finished_training_becomes_the_current_model(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    app.button(key="start-training").click().run()
    result = {"dataset": finished_run.dataset, "model": finished_run.model}
    fake_jobs.end("train", result=result | {"embeddings": finished_run.embeddings})
    app.run()
    assert "The current model" in texts(app)
    assert finished_run.model in app.query_params["model"]


def test_what_the_vectors_are_made_of_is_said_in_short_lines(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    assert [caption.value for caption in app.caption if "The transformer counts" in caption.value] == [
        "The transformer counts 1.25 times as much as a count of pages: users held out are found again with "
        "a mean reciprocal rank of 0.403 with it, 0.383 without.  \n"
        "Patterns that repeat within the same user: pages 29 of 128, order 12 of 51, themes 2 of 4. "
        f"{curves.WHAT_REPEATED}  \n"
        "The same for all users here, and left out: tempo.  \n"
        "How well the vectors tell how many pages a user saw: R² 0.62, from 0 (not at all) to 1 (exactly). "
        "If high, segments differ in the length of visits, too."
    ]


@pytest.mark.parametrize(
    ("report", "said"),
    [
        ({"network_share": 0.0}, "left out: users held out are found again with a mean reciprocal rank of"),
        ({"mrr": {}}, "the default: too few users are held out to test it"),
        ({"mrr": {"0.0": 0.41, "1.25": 0.4}}, "0.400 with it, 0.410 without. So little may be chance."),
        ({"blocks": {"url": ["pages"]}}, "left out: it makes the same of all users"),
    ],
)
def test_that_the_transformer_counts_nothing_or_untested_is_said(
    report: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    monkeypatch.setattr(st, "caption", lines.append)
    curves.summary(TrainSettings(), {"epochs": 1, "heads": HEADS | report}, "made")
    assert said in lines[1].splitlines()[0]


def test_a_model_of_before_heads_is_shown_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    monkeypatch.setattr(st, "caption", lines.append)
    old = {"steady_share": 0.3, "mrr": {"0.0": 0.2, "0.3": 0.3}, "length_r2": [0.2]}
    curves.summary(TrainSettings(), {"epochs": 1, "finish": old}, "made")
    assert not any("transformer counts" in line for line in lines)


def test_every_block_of_every_view_has_a_name() -> None:
    named = {view: {*words} for view, words in curves.BLOCKS.items()}
    named[View.URL].add(FeatureBlock.NETWORK)
    assert named == {view: {*map(str, of)} for view, of in BLOCKS.items()}


def test_a_training_of_other_data_that_ends_leaves_the_screen_as_it_is(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun, tmp_path: Path
) -> None:
    fake_jobs.start(tmp_path, "train", {}, "0ther", None)
    fake_jobs.end("train", result={"dataset": "0ther", "model": "new", "embeddings": "vectors"})
    app = open_app(PAGE, data=finished_run.dataset, job="job-train")
    assert not app.exception
    assert finished_run.dataset in app.query_params["data"]
    assert "The current model" in texts(app)
    assert app.session_state[state.MODELS]["0ther"] == "new"  # what is shown when it is opened
    assert "job" not in app.query_params


def test_why_a_training_of_other_data_failed_is_not_said_here(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun, tmp_path: Path
) -> None:
    fake_jobs.start(tmp_path, "train", {}, "0ther", None)
    fake_jobs.end("train", State.FAILED, error="It was killed.")
    app = open_app(PAGE, data=finished_run.dataset, job="job-train")
    assert not app.error


def test_the_screen_never_offers_what_core_refuses() -> None:
    for knob in KNOBS:
        low, high = limits(knob.name)
        assert low < high, knob.name
    for preset in Preset:
        assert TrainSettings.checked(**PRESETS[preset])
    assert limits("epochs") == (1, 200)
    assert limits("margin") == (0, 2)


def test_training_asks_no_language_model_that_nobody_has_agreed_to(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEHA2VEC_MODEL", "own")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    label_decisions.change(state.store(), mode=LabelMode.LLM)
    app = open_app(PAGE, data=finished_run.dataset)
    app.button(key="start-training").click().run()
    ((_, request, _),) = fake_jobs.started
    assert (request["label"]["mode"], request["asked"]) == (LabelMode.AUTO, "")


def test_labels_that_a_model_has_already_given_are_trained_on_without_asking_again(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEHA2VEC_MODEL", "own")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    monkeypatch.setattr(pipeline, "find_labels", lambda *_: object())
    label_decisions.change(state.store(), mode=LabelMode.LLM)
    app = open_app(PAGE, data=finished_run.dataset)
    app.button(key="start-training").click().run()
    ((_, request, _),) = fake_jobs.started
    assert (request["label"]["mode"], request["asked"]) == (LabelMode.LLM, "own @ http://127.0.0.1:1/v1")
