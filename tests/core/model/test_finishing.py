from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.base.schema import View
from core.base.workers import alone
from core.model import finishing
from core.model.finishing import Finished, chosen
from core.model.inputs import token_streams
from core.model.network import UserBehaviorTransformer, ViewConfig
from core.model.population import choose_users
from core.model.vocabulary import build_vocabulary
from tests.core.model.toys import SHOP_URLS, TINY, shop


@pytest.fixture(scope="module")
def untrained() -> Finished:
    """A shop large enough to hold users out, and a network that knows nothing yet."""
    sequences = shop(900, shortest=6, longest=20)
    vocabulary = build_vocabulary(SHOP_URLS, sequences.page, sequences.offsets[:-1], min_count=1)
    torch.manual_seed(0)
    network = UserBehaviorTransformer(
        {View.URL: ViewConfig.of(TINY, vocabulary.n_items, vocabulary.n_transitions)}
    ).eval()
    streams = {View.URL: token_streams(sequences, SHOP_URLS, vocabulary)}
    return Finished(network, streams, sequences, choose_users(sequences), {View.URL: 1.0}, 64, alone)


def test_steady_pages_are_taken_where_they_find_users_again(untrained: Finished) -> None:
    finish, report = untrained.fit()
    assert report is not None
    assert report.steady_share == finish.share > 0
    assert report.mrr[finish.share] == max(report.mrr.values()) > report.mrr[0.0]
    again, _ = untrained.fit()
    assert finish.pages is not None and again.pages is not None
    np.testing.assert_array_equal(finish.pages.pages, again.pages.pages)


def test_they_are_left_out_where_they_do_not_help(
    untrained: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)

    class Noise(finishing.SteadyPages):
        def embed(self, items: np.ndarray, runs: finishing.Spans) -> np.ndarray:
            return rng.normal(size=(len(runs), 4)).astype(np.float32)

    monkeypatch.setattr(finishing, "SteadyPages", Noise)
    finish, report = untrained.fit()
    assert finish.pages is None
    assert report is not None and report.steady_share == 0


def test_a_share_is_chosen_by_its_surest_gain() -> None:
    none, rng = np.full(100, 0.1), np.random.default_rng(0)
    chance, little, much = none * np.exp(rng.normal(0, 5, 100)), none + 0.01, none + 0.02
    assert chosen({0.0: none, 0.2: little, 0.35: much, 0.5: 2 * chance}, 0.0) == 0.35
    assert chosen({0.0: none, 0.2: none - 0.01, 0.35: chance}, 0.0) == 0
    assert chosen({0.0: none, 0.2: none}, 0.0) == 0


def test_the_usual_share_stays_unless_a_gain_is_sure() -> None:
    usual = np.full(100, 0.1)
    assert chosen({1.0: usual, 0.5: usual + 0.01, 0.25: usual}, 1.0) == 0.5
    assert chosen({1.0: usual, 0.5: usual, 0.25: usual - 0.01}, 1.0) == 1
    assert chosen({}, 1.0) == 1


@pytest.mark.parametrize(("tells", "share"), [(True, 1.0), (False, min(finishing.LABEL_SHARES))])
def test_labels_count_less_where_users_are_found_better_so(
    untrained: Finished, monkeypatch: pytest.MonkeyPatch, tells: bool, share: float
) -> None:
    """Of a user's label vector, either all says who it is, or nothing does."""
    rng, users = np.random.default_rng(0), untrained.sequences.user
    own = finishing.normalised(rng.normal(size=(900, 8)))

    def embedded(
        network: object, view: View, streams: object, spans: finishing.Spans, threads: object
    ) -> np.ndarray:
        who = own[users[spans.begin]]
        known = who if view is View.URL or tells else rng.normal(size=who.shape)
        return finishing.normalised(known + rng.normal(size=who.shape) * (0.6 if view is View.URL else 0.1))

    monkeypatch.setattr(finishing, "embed_spans", embedded)
    streams = {View.URL: untrained.streams[View.URL], View.THEME: untrained.streams[View.URL]}
    both = replace(untrained, streams=streams, weights={View.URL: 0.5, View.THEME: 0.3})
    _, report = both.fit()
    assert report is not None
    assert report.label_share == share
    assert set(report.label_mrr) == set(finishing.LABEL_SHARES)


@pytest.mark.parametrize("readable", [-9.0, 9.0])
def test_the_length_is_taken_out_where_it_can_be_read(
    untrained: Finished, monkeypatch: pytest.MonkeyPatch, readable: float
) -> None:
    monkeypatch.setattr(finishing, "READABLE", readable)
    finish, report = untrained.fit()
    assert report is not None
    assert len(report.length_r2) == (2 if readable < 0 else 1)
    assert report.length_erased == tuple(finish.erasers) == ((View.URL,) if readable < 0 else ())


def test_what_does_not_take_the_length_out_is_not_done(
    untrained: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finishing, "READABLE", -9.0)
    monkeypatch.setattr(finishing.LengthEraser, "erase", lambda eraser, vectors: vectors)
    finish, report = untrained.fit()
    assert report is not None
    assert (len(report.length_r2), finish.erasers) == (1, {})


def test_without_users_held_out_nothing_is_done(untrained: Finished) -> None:
    nobody = replace(untrained.population, held_out=np.zeros(900, dtype=bool))
    finish, report = replace(untrained, population=nobody).fit()
    assert report is None
    assert finish.pages is None
    assert not finish.erasers
