"""The whole scorecard on a small shop with a model of one epoch, and who may be judged by an outcome."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.base.errors import Cancelled
from core.base.progress import silent
from core.base.settings import IngestSettings, Preset, TrainSettings, ViewWeights
from core.model.network import item_vectors
from core.model.trust import measure
from core.model.trust.case import Case, open_case
from core.model.trust.measure import measure_scorecard
from core.model.trust.result import Method, Scorecard, Topic
from core.model.trust.verdict import sentences, verdict
from core.profiles.outcomes import OutcomeIndex, OutcomeRecord
from core.runs import artifacts, pipeline
from core.runs.stages import SCORECARD, ScorecardRequest
from core.runs.tasks import run
from core.storage.store import Store
from tests.pages.fixtures_segments import FinishedRun, write_run

PER_KIND = 600
SMALL = TrainSettings(epochs=1, hidden_dim=16, heads=2, feedforward_dim=16, embedding_dim=16)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    """As in the app: a data set, a trained model and its vectors."""
    root = tmp_path_factory.mktemp("shop")
    store, made = Store(root), write_run(root, per_kind=PER_KIND)
    dataset = artifacts.open_dataset(store, made.dataset)
    model = pipeline.train(store, dataset, None, SMALL, silent)
    embeddings = pipeline.embed(store, dataset, None, model, silent)
    return replace(made, model=model.key, embeddings=embeddings.artifact.key)


@pytest.fixture
def case(shop: FinishedRun) -> Case:
    store = Store(shop.root)
    dataset = artifacts.open_dataset(store, shop.dataset)
    views = artifacts.open_embeddings(store, dataset, shop.embeddings).views
    return open_case(dataset, None, artifacts.open_model(store, shop.model).path, views, ViewWeights())


@pytest.fixture(scope="module")
def card(shop: FinishedRun) -> Scorecard:
    request = {
        "dataset": shop.dataset, "labels": "", "model": shop.model, "embeddings": shop.embeddings,
        "weights": ViewWeights(), "outcomes": ("purchase",),
    }  # fmt: skip
    run("scorecard", shop.root, request, silent)
    found = SCORECARD.find(Store(shop.root), ScorecardRequest(**request))
    assert found is not None
    return found


def test_every_question_has_figures_with_their_users_or_a_reason(card: Scorecard) -> None:
    assert [question.topic for question in card.questions] == list(Topic)
    assert all(question.absent or (question.n and question.interval) for question in card.questions)
    assert card.of(Topic.RETRIEVAL).facts["candidates"] > card.of(Topic.RETRIEVAL).n >= 50
    assert card.users == 3 * PER_KIND + 1
    assert card.users / 2 < card.learned_from < card.users
    assert card.steps_between == "groups"


def test_each_interval_holds_its_figure(card: Scorecard) -> None:
    figures = [figure for question in card.questions for figure in question.figures]
    assert len(figures) >= 11
    assert all(figure.low - 1e-6 <= figure.value <= figure.high + 1e-6 for figure in figures)


def test_whoever_bought_with_the_first_page_cannot_be_told_in_advance(card: Scorecard) -> None:
    assert "0 of the " in card.of(Topic.OUTCOME).absent  # buyers of the toy buy at once


def test_the_same_again_gives_the_very_same_figures(card: Scorecard, shop: FinishedRun) -> None:
    store = Store(shop.root)
    dataset = artifacts.open_dataset(store, shop.dataset)
    again = measure_scorecard(
        dataset, None, artifacts.open_model(store, shop.model).path,
        artifacts.open_embeddings(store, dataset, shop.embeddings).views,
        ViewWeights(), ("purchase",), silent,
    )  # fmt: skip
    assert again == card


def test_segments_of_a_bag_of_pages_are_judged_too(shop: FinishedRun) -> None:
    store = Store(shop.root)
    dataset = artifacts.open_dataset(store, shop.dataset)
    model = pipeline.train(store, dataset, None, TrainSettings.preset(Preset.BAG), silent)
    views = pipeline.embed(store, dataset, None, model, silent).views
    found = measure_scorecard(dataset, None, model.path, views, ViewWeights(), ("purchase",), silent)
    assert found.own is Method.BAG
    assert "no trained model" in found.of(Topic.RETRIEVAL).absent
    assert found.of(Topic.LENGTH).figures


def test_it_can_be_cancelled(shop: FinishedRun) -> None:
    def stop(stage: str, fraction: float, message: str = "", **figures: float) -> None:
        raise Cancelled

    store = Store(shop.root)
    dataset = artifacts.open_dataset(store, shop.dataset)
    with pytest.raises(Cancelled):
        measure_scorecard(
            dataset, None, artifacts.open_model(store, shop.model).path,
            artifacts.open_embeddings(store, dataset, shop.embeddings).views, ViewWeights(), (), stop,
        )  # fmt: skip


def test_the_simple_ways_do_not_learn_from_users_held_out(case: Case) -> None:
    seen = case.sample[~case.held_out[case.sample]]
    users_with = np.zeros(len(case.bag.idf))
    for user in seen:
        items = case.items[case.sequences.offsets[user] : case.sequences.offsets[user + 1]]
        users_with[np.unique(items)] += 1
    assert np.allclose(case.bag.idf, np.log((1 + len(seen)) / (1 + users_with)) + 1)


def _converted(user: list[int] | np.ndarray, first_ts: list[int] | np.ndarray) -> OutcomeRecord:
    """Who converted, and when."""
    users = np.array(user, dtype=np.int64)
    return OutcomeRecord(users, np.ones(len(users)), np.array(first_ts, dtype=np.int64), {})


def _of_nobody(case: Case) -> np.ndarray:
    """No page gives anything away."""
    return np.zeros(len(case.dataset.pages), dtype=bool)


@pytest.mark.parametrize(
    ("view", "later", "allowed"), [(0, 0, False), (2, 0, False), (2, 1, False), (3, 0, True), (5, 0, True)]
)
def test_whoever_converted_on_the_first_pages_is_left_out(
    case: Case, view: int, later: int, allowed: bool
) -> None:
    user = int(np.flatnonzero(case.inside & (case.sequences.lengths >= 6))[0])
    when = int(case.sequences.timestamp[case.sequences.offsets[user] + view]) + later
    users, positive = measure.eligible(case, _converted([user], [when]), _of_nobody(case))
    assert (user in users) is allowed
    assert positive.sum() == allowed


def test_nobody_with_fewer_page_views_than_the_prefix_and_one_more(case: Case) -> None:
    users, _ = measure.eligible(case, _converted([], []), _of_nobody(case))
    assert case.sequences.lengths[users].min() > measure.PREFIX
    assert case.inside[users].all()


def test_pages_that_give_the_outcome_away_exclude_who_saw_them_first(case: Case) -> None:
    gives_away = _of_nobody(case)
    gives_away[0] = True
    users, _ = measure.eligible(case, _converted([], []), gives_away)
    first = case.sequences.page[case.sequences.offsets[users][:, None] + np.arange(measure.PREFIX)]
    assert len(users) > 0
    assert not (first == 0).any()


def test_nothing_is_told_where_no_outcome_is_chosen(case: Case) -> None:
    index = OutcomeIndex.of(case.dataset, None)
    assert "No outcome is chosen" in measure.measure_outcome(case, index, ()).absent


def test_an_outcome_that_the_first_pages_tell_is_told(case: Case) -> None:
    sequences = case.sequences
    users = np.flatnonzero(case.inside & (sequences.lengths > measure.PREFIX))
    own = sequences.page[sequences.offsets[users]] == 0  # who begins at the first page converts at the end
    last = sequences.timestamp[sequences.offsets[users[own] + 1] - 1]
    index = OutcomeIndex.of(case.dataset, None)
    later = last + 60_000_000  # a minute after the last page, so that none is seen at the outcome
    index = replace(index, events={"stayed": _converted(users[own], later)})
    found = measure.measure_outcome(case, index, ("stayed",))
    bag = found.of(Method.BAG)
    assert bag is not None
    assert bag.value == 1.0
    judged = case.held_out[users]
    assert found.facts["converted"] == (own & judged).sum()
    assert (found.n, found.facts["learned on"]) == (judged.sum(), (~judged).sum())
    assert [figure.method for figure in found.figures] == list(Method)
    compared = {(one.method, one.other) for one in found.comparisons}
    assert compared == {(Method.LEARNED, other) for other in list(Method)[1:-1]} | {
        (Method.ADDED, Method.NGRAMS)
    }
    added, alone = found.of(Method.ADDED), found.of(Method.NGRAMS)
    assert added is not None
    assert alone is not None
    assert added.value > 0.99  # the pages tell it, and what is added takes nothing away
    assert alone.value == 1.0


def test_the_untrained_network_is_as_its_training_began(case: Case) -> None:
    seen = ~case.held_out[case.sequences.user]
    tables = [one.model.network.item.weight.detach().numpy() for one in (case.untrained, case.learned)]
    start = item_vectors(case.items[seen], case.sequences.user[seen], *tables[0].shape)
    assert np.array_equal(tables[0], start)
    assert not np.array_equal(tables[1], start)


POOR: dict[str, list[list[int]]] = {
    "ten users": [[number % 2, 2 + number % 2] for number in range(10)],
    "all identical": [[0, 1, 2, 0, 1, 2]] * 700,
    "two kinds of identical users": [[0, 1, 2] * 2 if number % 2 else [3, 4, 5] * 2 for number in range(700)],
    "one page": [[0] * 30 + [number % 7] for number in range(700)],
}


@pytest.mark.parametrize("preset", [None, Preset.BAG])
@pytest.mark.parametrize("pages", POOR.values(), ids=POOR.keys())
def test_poor_data_are_judged_in_words_and_finite_numbers(
    pages: list[list[int]], preset: Preset | None, tmp_path: Path
) -> None:
    rows = [
        f"u{user:04d},page_view,{10**15 + user * 10**9 + step * 10**7},https://a.test/{page}"
        for user, seen in enumerate(pages)
        for step, page in enumerate(seen)
    ]
    path, store = tmp_path / "export.csv", Store(tmp_path / "store")
    path.write_text("\n".join(["user_pseudo_id,event_name,event_timestamp,page_location", *rows]))
    dataset = pipeline.preprocess(store, [path], IngestSettings(), silent)
    settings = TrainSettings.preset(preset) if preset else SMALL
    model = pipeline.train(store, dataset, None, settings.model_copy(update={"min_count": 1}), silent)
    views = pipeline.embed(store, dataset, None, model, silent).views
    found = measure_scorecard(dataset, None, model.path, views, ViewWeights(), (), silent)
    told = [sentence for one in found.questions for sentence in sentences(one, found.steps_between)]
    assert all(sentence.endswith((".", ")")) for sentence in told)
    assert verdict(found, 2).todo


def test_the_store_is_not_asked_to_measure_twice(shop: FinishedRun, card: Scorecard, tmp_path: Path) -> None:
    request = {
        "dataset": "none", "labels": "", "model": "none",  # nothing to measure from
        "embeddings": shop.embeddings, "weights": ViewWeights(), "outcomes": ("purchase",),
    }  # fmt: skip
    key = run("scorecard", shop.root, request, silent)["scorecard"]
    assert key == SCORECARD.key(ScorecardRequest(**request))
    assert SCORECARD.find(Store(shop.root), ScorecardRequest(**request)) == card
