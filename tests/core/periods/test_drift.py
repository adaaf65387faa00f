"""Drift against the training period, beside figures of pandas and by chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from benchmarks.drift import alarms, changed, pair
from core.periods import training_period as module
from core.periods.drift import AFTER_VALUE, ALPHA, BEFORE_VALUE, ERRORS, FIGURE, ITEM, UNTESTED, Drift
from core.periods.drift import drift as held
from core.periods.placed_users import PlacedUsers, seen_pages
from core.periods.training_period import DriftFigure, TrainingPeriod
from core.profiles.differences import Diff
from core.profiles.profile_columns import Col
from core.segments.clustering import assign
from core.storage.sequences import UserSequences
from tests.core.periods.two_exports import KNOWN, NAMES, partition, two_exports
from tests.random_cases import cases


def drift(before: PlacedUsers, after: PlacedUsers, k: int, seed: int = 0, permutations: int = 999) -> Drift:
    return held(TrainingPeriod.of(before, k, seed), after, seed, permutations)


def plain(side: PlacedUsers, limit: float, k: int, pages: tuple[str, ...]) -> pd.DataFrame:
    """A row a user, a column a figure, made user by user."""
    numbers = [side.pages.names.index(page) for page in pages]
    rows, seen_by = [], side.pages.seen.toarray()
    for user, views in enumerate(seen_by):
        far = np.nan if np.isnan(side.distance[user]) else float(side.distance[user] > limit)
        row = {(DriftFigure.SEGMENT, s): float(side.place[user] == s) for s in range(k)}
        row |= {(DriftFigure.NONE, 0): float(side.place[user] == k), (DriftFigure.FAR, 0): far}
        row |= {(DriftFigure.DISTANCE, 0): float(side.distance[user])}
        row |= {(DriftFigure.UNKNOWN, 0): side.unknown[user] / views.sum()}
        row |= {(DriftFigure.VIEWS, 0): np.log2(views.sum())}
        row |= {(DriftFigure.PAGE, rank): float(views[page] > 0) for rank, page in enumerate(numbers)}
        rows.append(row)
    return pd.DataFrame(rows)


@pytest.mark.parametrize("seed", cases(100))
def test_every_figure_is_that_of_pandas(seed: int) -> None:
    before, after, _ = two_exports(seed)
    found = drift(before, after, 3, permutations=1)
    both = [plain(side, found.limit, 3, found.pages) for side in (before, after)]
    table = found.table[found.table[FIGURE] != DriftFigure.DIRECTION]
    assert sorted(zip(table[FIGURE], table[ITEM], strict=True)) == sorted(both[0].columns)
    for row in table.to_dict("records"):
        early, late = (side[(row[FIGURE], row[ITEM])] for side in both)
        assert row[BEFORE_VALUE] == pytest.approx(early.mean())
        assert row[AFTER_VALUE] == pytest.approx(late.mean())
        assert (row[Col.REST_N], row[Col.N]) == (early.count(), late.count())
        assert row[Col.DIFFERENCE] == pytest.approx(late.mean() - early.mean(), abs=1e-6)
        if row[FIGURE] in UNTESTED:
            assert np.isnan([row[ERRORS], row[Diff.P_VALUE], row[Diff.DIFFERENCE_LOW]]).all()
            assert not row[Diff.DIFFERS]
            continue
        pooled = pd.concat([early, late])
        filled = [side.fillna(pooled.mean()).to_numpy() for side in (early, late)]
        assert row[ERRORS] == pytest.approx(errors_by_the_book(*filled, n_both=30), abs=1e-4)


def errors_by_the_book(early: np.ndarray, late: np.ndarray, n_both: int) -> float:
    """Of two exports whose last and first users are the same people, with the moments of each by itself."""
    pairs = zip(early[len(early) - n_both :], late[:n_both], strict=True)
    halves = [(after - before) / 2 for before, after in pairs]
    gone, new = early[: len(early) - n_both], late[n_both:]
    rest = np.concatenate([gone, new])
    mean, variance = len(new) * rest.mean(), len(gone) * len(new) / len(rest) * rest.var(ddof=1)
    spread = np.sqrt(sum(half**2 for half in halves) + variance)
    return float((sum(halves) + new.sum() - mean) / spread) if spread > 1e-9 else 0.0


def same_users(before: PlacedUsers, after: PlacedUsers, rng: np.random.Generator) -> PlacedUsers:
    """The later export with every user of the first one, who does nearly as before: one in ten anew."""
    kept = rng.random(len(before.place)) < 0.9
    place = np.where(kept, before.place, after.place)
    vectors = np.where(kept[:, None], before.vectors, after.vectors)
    return replace(before, place=place, vectors=vectors, distance=np.where(kept, before.distance, 1.0))


def test_who_is_in_both_is_no_two_users() -> None:
    """Where all are in both, a small step in one direction is seen: nobody else hides it."""
    rng = np.random.default_rng(0)
    raised, least = [], []
    for seed in range(30):
        before, other, _ = two_exports(seed, n=300, k=2)
        after = same_users(before, other, rng)
        joined = np.flatnonzero(after.place == 1)[:25]
        place = after.place.copy()
        place[joined] = 0
        found = [drift(before, replace(after, place=p), 2, seed, 99) for p in (after.place, place)]
        raised.append([one.alarm for one in found])
        least.append(found[0].least_seen(0.3))
    apart = drift(*two_exports(1, n=300, k=2)[:2], 2, permutations=99)
    assert max(least) < 0.6 * apart.least_seen(0.3)
    false, true = np.sum(raised, axis=0)
    assert false <= 5  # 1.5 expected; more than 5 in 1 of 200 such tests
    assert true >= 27


def test_p_is_the_share_of_permutations_that_look_as_different() -> None:
    before, after, _ = two_exports(3, shift=0.4)
    table = drift(before, after, 3, permutations=399).table
    table = table[table[ERRORS].notna()]
    assert ((table[Diff.P_VALUE] * 400).round(6) % 1 == 0).all()
    assert table[Diff.P_VALUE].is_monotonic_increasing
    told = table[table[FIGURE] != DriftFigure.UNKNOWN]  # of which less is no change
    assert told[ERRORS].abs().is_monotonic_decreasing  # as p rises


def test_users_who_moved_raise_the_alarm_and_are_told() -> None:
    before, after, _ = two_exports(1, n=400, shift=1.0)
    found = drift(before, after, 3)
    assert found.alarm
    top = found.reasons.iloc[0]
    assert top[FIGURE] in (DriftFigure.SEGMENT, DriftFigure.DIRECTION)
    first = found.table[(found.table[FIGURE] == DriftFigure.SEGMENT) & (found.table[ITEM] == 0)].iloc[0]
    assert first[Diff.DIFFERENCE_LOW] > 0


def test_the_rate_of_false_alarms_is_the_stated_one() -> None:
    alarms = [drift(*two_exports(seed, n=80)[:2], 3, seed, permutations=99).alarm for seed in range(60)]
    assert sum(alarms) <= 8  # 3 expected; more than 8 in 1 of 250 such tests


def test_random_halves_are_silent_and_a_planted_change_is_not() -> None:
    before, later = pair(5000, seed=4)
    same, planted = alarms(before, [later, changed(later, 0.05, "known", seed=4)], 4, permutations=199)
    assert same > ALPHA
    assert planted <= ALPHA


def test_of_many_users_some_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_USERS", 20)
    found = drift(*two_exports(1)[:2], 3)
    assert found.users == (20, 20)
    assert found.table[Col.N].max() == 20


def test_the_same_export_again_never_raises_it() -> None:
    before, _, _ = two_exports(1)
    assert drift(before, before, 3).p_value > 0.5


def test_fewer_unknown_pages_are_no_change_and_more_are() -> None:
    """What is known of the training's own visits is known because of them."""
    before, after, _ = two_exports(2, n=400)
    views = after.pages.views
    less, more = (replace(after, unknown=np.full(400, n)) for n in (0, views))
    unknown = [
        held.table[held.table[FIGURE] == DriftFigure.UNKNOWN].iloc[0]
        for held in (drift(before, side, 3, permutations=99) for side in (replace(less), replace(more)))
    ]
    assert unknown[0][ERRORS] < -5
    assert unknown[0][Diff.P_VALUE] > 0.5
    assert unknown[1][Diff.P_VALUE] == 0.01


def test_many_small_segments_raise_no_alarm_without_change() -> None:
    """Segments lie nearer to the users they were fitted to; 18 of 30 such pairs were alarms by distance."""
    p = [alarms(*_alone(seed), seed, permutations=99, k=12)[0] for seed in range(20)]
    assert sum(one <= ALPHA for one in p) <= 4  # 1 expected; more than 4 in 1 of 400 such tests


def _alone(seed: int) -> tuple[UserSequences, list[UserSequences]]:
    before, later = pair(500, seed)
    return before, [later]


@pytest.mark.parametrize(("days", "held_against"), [(26, False), (27, True), (33, True), (34, False)])
def test_exports_of_other_lengths_are_told_and_not_tested(days: int, held_against: bool) -> None:
    before, after, _ = two_exports(1, n=400, shift=1.0)
    period = TrainingPeriod.of(replace(before, days=30), 3)
    found = held(period, replace(after, days=days), permutations=99)
    assert (found.comparable, found.alarm, found.tested > 0) == (held_against,) * 3
    assert len(found.reasons) == 0 or held_against
    assert found.of(DriftFigure.VIEWS)[1] > 0


def test_a_week_of_the_same_users_raises_no_alarm() -> None:
    """Everybody comes every day for 30 days, and the later export has 7 of them."""
    rng = np.random.default_rng(0)
    sides = [daily(rng, days) for days in (30, 7)]
    found = drift(*sides, 3)
    assert found.days == (30, 7)
    before, now = found.of(DriftFigure.VIEWS)
    assert before - now > 1
    assert not found.alarm
    assert drift(sides[0], daily(rng, 30), 3, permutations=99).tested


def daily(rng: np.random.Generator, days: int, n: int = 300) -> PlacedUsers:
    """A page view a day of each user, from noon on."""
    page = rng.integers(0, len(NAMES), n * days).astype(np.int32)
    at = np.tile(np.arange(days) * 86_400_000_000, n)
    ids = pa.array([f"d{days} {user} {rng.random()}" for user in range(n)])
    offsets = np.arange(n + 1) * days
    made = UserSequences(ids, offsets, page, at, np.tile(np.arange(days, dtype=np.int32), n))
    (pages,) = seen_pages([(made, NAMES)], KNOWN)
    rows = rng.normal(size=(n, 4)).astype(np.float32)
    return PlacedUsers.of(made, rows, assign(rows, partition(n)), partition(n), pages)
