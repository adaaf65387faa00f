"""The weights: where only one source knows, it gets them; where the blend is no better, it is not used."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.people.next_page_candidates import (
    MIN_JUDGED,
    SOURCES,
    STATED,
    KnownMoments,
    PageCandidates,
    Reach,
    Source,
    fit_head,
)

N_PAGES = 30


def asked(
    knows: dict[Source, float], n_users: int = 200, reach: Reach = Reach.NEW, seed: int = 0
) -> KnownMoments:
    """Two moments a user; each source gives the right page this share of its mass on average, else noise."""
    rng = np.random.default_rng(seed)
    n = 2 * n_users
    target = rng.integers(0, N_PAGES, n)
    given = np.empty((n, N_PAGES, len(SOURCES[reach])))
    for number, source in enumerate(SOURCES[reach]):
        noise = rng.dirichlet(np.full(N_PAGES, 0.3), n)
        right = np.eye(N_PAGES)[target] * (rng.random((n, 1)) < knows.get(source, 0))
        given[:, :, number] = np.where(right.any(axis=1, keepdims=True), 0.5 * noise + 0.5 * right, noise)
    found = PageCandidates(
        np.arange(n + 1) * N_PAGES, np.tile(np.arange(N_PAGES), n),
        given.reshape(-1, len(SOURCES[reach])).astype(np.float32), SOURCES[reach],
    )  # fmt: skip
    return KnownMoments(found, target, np.repeat(np.arange(n_users), 2))


def test_the_source_that_knows_gets_the_weight_and_the_gain() -> None:
    head = fit_head(asked({Source.NEIGHBOURS: 0.8}), Reach.NEW)
    assert head.blended
    assert head.judged is not None
    assert sum(head.weights.values()) == pytest.approx(1)
    assert head.weights[Source.NEIGHBOURS] > 0.6
    parts = {part.source: part for part in head.judged.parts}
    assert parts[Source.NEIGHBOURS].gain.low > 0.3
    assert parts[Source.LAG].gain.low < 0.05
    assert head.judged.gain.low > 0
    for part in parts.values():
        assert part.weight.low <= part.weight.value <= part.weight.high


def test_weights_are_the_most_likely_ones() -> None:
    many = asked({Source.BIGRAM: 0.5, Source.NEIGHBOURS: 0.4})
    head = fit_head(many, Reach.NEW)
    rng = np.random.default_rng(1)
    weights = np.array([head.weights[source] for source in SOURCES[Reach.NEW]])

    def likelihood(one: np.ndarray) -> float:
        return float(np.log(many.given @ one).sum())

    others = 0.9 * weights + 0.1 * rng.dirichlet(np.ones(len(weights)), 300)
    assert likelihood(weights) >= max(likelihood(one) for one in others)


def test_a_blend_that_finds_less_falls_back_to_the_plain_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the sources beside the plain ones mislead: likely on the half that fits, wrong on the other."""
    many = asked({Source.BIGRAM: 0.7}, n_users=60, reach=Reach.ANY)
    hits = KnownMoments.hits
    misled = {Source.LAG, Source.NEIGHBOURS}
    monkeypatch.setattr(
        KnownMoments,
        "hits",
        lambda self, weights: hits(self, weights) * (0.0 if misled & set(weights) else 1.0),
    )
    head = fit_head(many, Reach.ANY)
    assert not head.blended
    assert set(head.weights) == set(STATED)
    assert head.judged is not None
    assert head.judged.gain.value < 0


def test_the_plain_way_is_stated_where_few_can_be_asked() -> None:
    head = fit_head(asked({Source.BIGRAM: 1}, n_users=MIN_JUDGED - 1), Reach.ANY)
    assert head.judged is None
    assert head.weights == STATED
    unseen = fit_head(asked({}, n_users=3), Reach.NEW)
    assert unseen.weights == pytest.approx({Source.BIGRAM: 2 / 3, Source.POPULARITY: 1 / 3})


def test_users_count_the_same_however_many_moments_they_have() -> None:
    one = asked({Source.BIGRAM: 0.6, Source.LAG: 0.5}, n_users=100)
    thrice = PageCandidates(
        np.arange(len(one.target) * 3 + 1) * N_PAGES, np.tile(one.found.column, 3),
        np.tile(one.found.given, (3, 1)), one.found.sources,
    )  # fmt: skip
    repeated = KnownMoments(thrice, np.tile(one.target, 3), np.tile(one.user, 3))
    head, again = (fit_head(moments, Reach.NEW) for moments in (one, repeated))
    assert head.weights == pytest.approx(again.weights, abs=1e-4)
    assert head.judged is not None
    assert again.judged is not None
    assert head.judged.hits.value == pytest.approx(again.judged.hits.value)


def test_sources_that_say_nothing_of_any_page_that_came_count_the_same() -> None:
    """On a site of pages seen about once, popularity alone has heard of the next one."""
    many = asked({Source.POPULARITY: 0.5})
    popular = [source is Source.POPULARITY for source in many.found.sources]
    silent = replace(many.found, given=many.found.given * np.array(popular, np.float32))
    head = fit_head(replace(many, found=silent), Reach.NEW)
    assert head.weights[Source.POPULARITY] == 1
    assert head.judged is not None
    parts = {part.source: part for part in head.judged.parts}
    assert parts[Source.POPULARITY].gain.low > 0
    assert sum(part.weight.value for part in parts.values()) == pytest.approx(1)
