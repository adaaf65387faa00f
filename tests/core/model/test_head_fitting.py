from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.base.schema import View
from core.base.settings import TrainSettings
from core.base.workers import sequential
from core.model import embedding, head_fitting
from core.model.feature_blocks import BLOCKS, FeatureBlock, normalised
from core.model.head_fitting import DEFAULT_SHARE, NETWORK_SHARES, HeadFitting, surest_share
from core.model.inputs import Spans, build_vocabularies, view_streams
from core.model.network import UserBehaviorTransformer
from core.model.population import choose_users
from core.storage.sequences import UserSequences
from tests.core.model.toys import SHOP_URLS, TINY, sequences_of, shop


@pytest.fixture(scope="module")
def untrained() -> HeadFitting:
    """A shop large enough to hold users out, and a network that knows nothing yet."""
    return fitting(shop(900, shortest=6, longest=20))


def fitting(sequences: UserSequences, **labels: list[str]) -> HeadFitting:
    names = {View.URL: SHOP_URLS} | {View(view): names for view, names in labels.items()}
    vocabularies = build_vocabularies(sequences, names, min_count=1)
    pages, streams = vocabularies[View.URL], view_streams(sequences, names, vocabularies)
    torch.manual_seed(0)
    network = UserBehaviorTransformer(TINY, pages.n_items, pages.n_transitions).eval()
    return HeadFitting(
        network, streams, vocabularies, sequences, choose_users(sequences), TrainSettings(), sequential
    )


def test_the_two_kinds_of_users_are_the_first_direction(untrained: HeadFitting) -> None:
    heads, report = untrained.fit()
    runs = Spans(untrained.sequences.offsets[:-1], untrained.sequences.lengths)
    learned = embedding.embed_spans(untrained.network, untrained.streams[View.URL], runs, sequential)
    first = heads[View.URL].vectors(learned, untrained.streams[View.URL], runs)[:, 0] > 0
    assert first[::2].all() != first[1::2].all()
    assert first[::2].all() or not first[::2].any()
    assert report.beyond_chance["pages"][0] >= 1
    assert "tempo" not in report.beyond_chance  # all page views are ten seconds apart


def test_heads_are_the_same_every_time(untrained: HeadFitting) -> None:
    one, other = (untrained.fit()[0][View.URL] for _ in range(2))
    for block, onto in one.projections.items():
        np.testing.assert_array_equal(onto, other.projections[block])


def test_a_block_that_says_nothing_is_left_out(untrained: HeadFitting) -> None:
    """With a single group of pages every place is balanced by another one. Page views ten seconds apart have
    no tempo, though a part with a single one has no gap at all.
    """
    streams = untrained.streams[View.URL]
    one = replace(streams, groups=np.zeros_like(streams.groups))
    _, report = replace(untrained, streams={View.URL: one}).fit()
    assert set(report.blocks[View.URL]) == set(BLOCKS[View.URL]) - {FeatureBlock.PLACE, FeatureBlock.TEMPO}


def test_the_network_counts_more_where_it_finds_users_held_out(
    untrained: HeadFitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = untrained.sequences.user
    own = normalised(np.random.default_rng(0).normal(size=(900, 8)))

    def embedded(network: object, streams: object, spans: Spans, *rest: object) -> np.ndarray:
        knows: np.ndarray = own[users[spans.begin]]
        return knows

    for module in (embedding, head_fitting):
        monkeypatch.setattr(module, "embed_spans", embedded)
    heads, report = untrained.fit()
    assert report.network_share == max(NETWORK_SHARES)
    assert report.mrr[max(NETWORK_SHARES)] > 2 * report.mrr[0.0]
    assert FeatureBlock.NETWORK in heads[View.URL].projections


def test_a_network_that_counts_nothing_is_no_part_of_the_head(
    untrained: HeadFitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(head_fitting, "surest_share", lambda ranks, default: min(ranks))
    heads, report = untrained.fit()
    assert report.network_share == 0
    assert FeatureBlock.NETWORK not in heads[View.URL].projections
    assert "network" not in report.blocks[View.URL]


def test_a_share_is_surest_share_by_its_surest_gain() -> None:
    none, rng = np.full(100, 0.1), np.random.default_rng(0)
    chance, little, much = none * np.exp(rng.normal(0, 5, 100)), none + 0.01, none + 0.02
    assert surest_share({0.0: none, 0.2: little, 0.35: much, 0.5: 2 * chance}, 0.0) == 0.35
    assert surest_share({0.0: none, 0.2: none - 0.01, 0.35: chance}, 0.0) == 0
    assert surest_share({}, 1.0) == 1


def test_without_users_held_out_the_network_counts_as_usual(untrained: HeadFitting) -> None:
    nobody = replace(untrained.population, held_out=np.zeros(900, dtype=bool))
    heads, report = replace(untrained, population=nobody).fit()
    assert (report.network_share, report.mrr, report.length_r2) == (DEFAULT_SHARE, {}, None)
    assert heads.keys() == {View.URL}


@pytest.mark.parametrize(
    "users",
    [
        {"a": [0, 1, 0, 1], "b": [0, 1, 0, 1]},
        {"a": [0, 8, 0, 1], "b": [9, 1, 0, 1]},
        {f"u{number}": [3] * 6 + [4] for number in range(30)},
    ],
)
def test_few_users_and_users_alike_have_vectors(users: dict[str, list[int]]) -> None:
    few = fitting(sequences_of(users))
    heads, _ = few.fit()
    runs = Spans(few.sequences.offsets[:-1], few.sequences.lengths)
    learned = embedding.embed_spans(few.network, few.streams[View.URL], runs, sequential)
    found = heads[View.URL].vectors(learned, few.streams[View.URL], runs)
    assert np.isfinite(found).all()


def test_a_view_with_a_label_in_some_draws_only_has_no_directions_to_count() -> None:
    """Books 0 and 1 have a theme, one user read them, and the first cut leaves one part without."""
    pages = {f"u{number:02}": [0, 1, 2, 0, 1, 2] for number in range(40)}
    rarely = fitting(
        sequences_of(pages | {"z": [8, 1, 1, 1, 9, 9, 1, 1]}),
        theme=[*["Unknown"] * 8, "a", "b", *["Unknown"] * 6],
    )
    known = [len(rarely._known(View.THEME, pair)[0]) for pair in rarely._pairs()]
    assert known[0] == 0
    assert sum(known) > 1
    assert "themes" not in rarely.fit()[1].beyond_chance


def test_many_labels_are_reduced_to_components(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(head_fitting.RANKS, FeatureBlock.SHARES, 3)
    many = fitting(shop(60), theme=[f"theme {page}" for page in range(16)])
    assert many.fit()[1].beyond_chance["themes"][1] == 3


def test_labels_that_only_views_too_old_to_be_read_have_are_no_block() -> None:
    """The latest 64 views of everybody are of page 0, which has no type."""
    rng = np.random.default_rng(0)
    pages = {f"u{number}": [*rng.integers(1, 16, 90).tolist(), *[0] * 64] for number in range(6)}
    old = fitting(sequences_of(pages), type=["Unknown", *[f"type {page}" for page in range(1, 16)]])
    assert old.fit()[1].blocks[View.TYPE] == ()


def test_on_request_the_length_cannot_be_read_from_the_vectors() -> None:
    draw = np.random.default_rng(0).integers
    lengths, low = draw(6, 12, 900), np.arange(900) % 2 * 5
    lengths[1::2] += 12  # who sees the other pages sees more of them
    users = {f"u{n}": draw(low[n], low[n] + 5, length).tolist() for n, length in enumerate(lengths)}
    plain = fitting(sequences_of(users))
    ignoring = replace(plain, settings=TrainSettings(ignore_length=True))
    before, after = (one.fit()[1].length_r2 for one in (plain, ignoring))
    assert before is not None and after is not None
    assert before > 0.5 > 0.1 > after
