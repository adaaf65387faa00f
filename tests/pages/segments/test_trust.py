"""The Trust page: without data, measuring, measured, failed, and for vectors that nobody learned."""

from __future__ import annotations

import pandas as pd
import pytest

from core.base.progress import silent
from core.base.settings import ClusterSettings, Preset, TrainSettings, ViewWeights
from core.model.trust.result import Call, Scorecard, Topic
from core.runs import artifacts, pipeline
from core.runs.artifacts import TrainedRequest
from core.runs.jobs import State
from core.runs.stages import SCORECARD, SECOND_TRAINING, ScorecardRequest
from core.segments.levels import SegmentLevels
from core.segments.partition import Partition
from core.storage.dataset import Dataset
from core.storage.store import Store
from pages.ui.segments import certificates
from tests.core.model.trust import toy
from tests.core.segments.made_levels import TOO_FEW, supported
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import FakeJobs, texts
from tests.pages.fixtures_segments import FinishedRun, keep_certificates, keep_levels

PAGE = "pages/segments/trust.py"
FULL = (toy.retrieval(), toy.outcome(), toy.length())


def keep(run: FinishedRun, card: Scorecard) -> str:
    """Put a scorecard where the job would have put it."""
    with SCORECARD.writing(Store(run.root), asked(run)) as folder:
        (folder / "scorecard.json").write_text(card.to_json())
    return SCORECARD.key(asked(run))


def asked(run: FinishedRun) -> ScorecardRequest:
    return ScorecardRequest(
        dataset=run.dataset, labels="", model=run.model, embeddings=run.embeddings, weights=ViewWeights(),
        outcomes=("purchase",),
    )  # fmt: skip


def into_three(run: FinishedRun) -> tuple[Store, Dataset, Partition]:
    """The store, the data set and the three segments that the app clusters its users into."""
    store = Store(run.root)
    dataset = artifacts.open_dataset(store, run.dataset)
    vectors = artifacts.open_embeddings(store, dataset, run.embeddings)
    combined = pipeline.combine(vectors, ViewWeights())
    return store, dataset, pipeline.cluster(combined, vectors.inside, ClusterSettings(n_clusters=3))


def test_without_data_it_says_where_to_go(open_app: OpenApp) -> None:
    app = open_app(PAGE)
    assert not app.exception
    assert "This page needs a data set" in texts(app)


def test_the_first_visit_starts_measuring_once(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    app.run()
    ((task, request, subject),) = fake_jobs.started
    assert (task, subject) == ("scorecard", SCORECARD.key(asked(finished_run)))
    assert request["model"] == finished_run.model
    assert "Comparing the model with simple ways" in texts(app)
    assert [button.label for button in app.button if str(button.key).startswith("cancel-")] == ["Cancel"]


def test_activity_is_no_part_of_what_is_measured(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    keep(finished_run, toy.scorecard(*FULL))
    for activity, said in (("0", False), ("30", True)):
        app = open_app(PAGE, data=finished_run.dataset, k="3", url="70", activity=activity)
        assert not app.exception
        assert ("Activity is counted, not learned" in texts(app)) is said
    assert fake_jobs.started == []


def test_what_was_measured_is_shown_without_a_job(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    keep(finished_run, toy.scorecard(*FULL))
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    assert not app.exception
    assert fake_jobs.started == []
    shown = texts(app)
    assert "the order of pages is a part of it" in shown
    assert "2\\.0 times as well as a bag of pages" in shown
    assert "Training helped to find users again" in shown
    assert "add to it" in shown
    assert len(app.get("vega_lite_chart")) == len(Topic)
    app.slider(key="k").set_value(4).run()
    assert "the order of pages is a part of it" in texts(app)  # whatever the number of segments


@pytest.mark.parametrize(
    ("levels", "todo"),
    [
        (supported(2, 3), "Keep these 3 segments"),
        (supported(2), "Use 2 segments instead"),
        (supported(), "Read these segments as a description"),
        (TOO_FEW, "Too few users to say"),
        (None, "Find out first whether there are segments"),
    ],
)
def test_the_verdict_ends_in_one_button_or_link_that_does_it(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun, levels: SegmentLevels | None, todo: str
) -> None:
    keep(finished_run, toy.scorecard(*FULL))
    if levels is not None:
        keep_levels(finished_run, levels)
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    assert todo in texts(app)
    buttons = [str(one.key) for one in app.main.button if str(one.key) in ("use-number", "compare_k")]
    assert len([*buttons, *app.main.get("page_link")]) == 1
    numbers = bool(levels and levels.gains)  # drawn too
    assert len(app.get("vega_lite_chart")) == len(Topic) + numbers


def test_a_number_that_the_users_support_is_one_click_away(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    keep(finished_run, toy.scorecard(*FULL))
    keep_levels(finished_run, supported(2))
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    app.button(key="use-number").click().run()
    assert app.slider(key="k").value == 2


def test_a_number_whose_segments_are_mostly_doubtful_gives_way_to_a_coarser_one_that_holds(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    keep(finished_run, toy.scorecard(*FULL))
    keep_levels(finished_run, supported(2, 3))
    keep_certificates(finished_run, into_three(finished_run)[2], {0: 0.9, 1: 0.4, 2: 0.5})
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    shown = texts(app)
    assert "Use 2 segments instead" in shown
    assert shown.index("2 of these 3 segments are doubtful") < shown.index("These users support 3 segments")
    app.button(key="use-number").click().run()
    assert app.slider(key="k").value == 2 and "Keep these 2 segments" in texts(app)


def test_numbers_are_compared_from_here_and_watched(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    keep(finished_run, toy.scorecard(*FULL))
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    app.button(key="compare_k").click().run()
    ((task, request, subject),) = fake_jobs.started
    assert (task, request["dataset"], subject) == ("choose_k", finished_run.dataset, finished_run.dataset)
    assert "Comparing numbers of segments" in texts(app)
    assert "compare_k" not in [one.key for one in app.button]


def test_another_outcome_is_measured_when_asked(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    keep(finished_run, toy.scorecard(*FULL))
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    app.multiselect(key="outcome").set_value([]).run()
    fake_jobs.end("scorecard", State.CANCELLED)  # the first visit with these vectors measures by itself
    app.run()
    assert "Not measured yet for these weights" in texts(app)
    app.button(key="measure").click().run()
    assert [request["outcomes"] for _, request, _ in fake_jobs.started] == [[], []]


def test_a_bag_that_is_as_good_is_offered_as_the_fast_mode(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    keep(finished_run, toy.scorecard(toy.retrieval(Call.EQUAL), toy.outcome(Call.EQUAL)))
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    assert "On these data a bag of pages is as good" in texts(app)
    assert "Use a bag of pages here" in texts(app)
    assert "in seconds and without a training" in texts(app)
    assert [link.label for link in app.main.get("page_link")] == ["Make segments with a bag of pages"]
    assert "Not compared yet." in texts(app)  # also where something else comes first


def test_a_failure_is_said_and_can_be_tried_again(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    fake_jobs.end("scorecard", State.FAILED, error="The model is damaged.")
    app.run()
    assert "The model is damaged" in app.error[0].value
    assert app.button(key="measure").label == "Try again"


@pytest.mark.parametrize("topic", list(Topic))
def test_every_question_can_be_missing(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun, topic: Topic
) -> None:
    keep(finished_run, toy.scorecard(*(one for one in FULL if one.topic is not topic)))
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    assert not app.exception
    assert texts(app).count("Not measured. Too few users") == 1


def test_vectors_that_nobody_learned_are_judged_by_their_segments(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    store = Store(finished_run.root)
    dataset = artifacts.open_dataset(store, finished_run.dataset)
    model = pipeline.train(store, dataset, None, TrainSettings.preset(Preset.BAG), silent)
    pipeline.embed(store, dataset, None, model, silent)
    app = open_app(PAGE, data=finished_run.dataset, model=model.key, k="3")
    assert not app.exception
    assert "Comparing the model with simple ways" in texts(app)
    assert any(caption.value.endswith("A bag of pages, no model") for caption in app.sidebar.caption)
    ((task, request, _),) = fake_jobs.started
    assert (task, request["model"]) == ("scorecard", model.key)
    for page in ("segments/profiles", "use/export", "use/users", "prepare/training"):
        assert not app.switch_page(f"pages/{page}.py").run().exception, page
    assert "Users counted" in [metric.label for metric in app.metric]  # beside "nothing was trained"
    assert not app.switch_page("pages/segments/explore.py").run().exception
    assert app.slider(key="w_url").help.startswith("How much it counts WHICH pages a user looked at.")


def test_each_segment_says_how_sure_it_is_and_after_another_training_too(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    files: list[pd.DataFrame] = []
    monkeypatch.setattr(certificates, "download_csv", lambda table, _: files.append(table))
    keep(finished_run, toy.scorecard(*FULL))
    store, dataset, segments = into_three(finished_run)
    keep_certificates(finished_run, segments, {0: 0.9, 1: 0.8, 2: 0.5}, pair=(1, 2))
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    (table,) = (frame.value for frame in app.table if "Stability" in frame.value)
    assert table["So"].tolist() == ["highly stable", "stable", "doubtful"]
    assert "Another training" not in table
    assert files[-1]["condition"].unique().tolist() == ["given these vectors"]
    assert table["Together"].dropna().tolist() == [0.93, 0.93]
    assert app.button(key="merge-1-2").label == "Merge"
    app.button(key="train_again").click().run()
    assert [task for task, *_ in fake_jobs.started] == ["second_training"]
    fake_jobs.end("second_training", State.CANCELLED)  # made here in its place
    model = artifacts.open_model(store, finished_run.model)
    SECOND_TRAINING.run(store, TrainedRequest(dataset=dataset.key, labels="", model=model.key), silent)
    app.run()
    (table,) = (frame.value for frame in app.table if "Stability" in frame.value)
    assert table["Another training"].astype(float).between(0, 1).all()
    assert "train_again" not in [one.key for one in app.button]
