"""Who moved between two exports, beside a count in pandas."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from core.periods.migration import AFTER, BEFORE, migration
from core.periods.placed_users import Pairs, in_both
from core.profiles.differences import Diff
from core.profiles.profile_columns import Col
from core.profiles.two_shares import Z_95
from tests.core.periods.two_exports import two_exports
from tests.random_cases import cases

NOBODY = Pairs(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros((0, 2), dtype=np.int64))


def pairs(rng: np.random.Generator, n: int, k: int, stays: float = 0.0) -> Pairs:
    before = rng.integers(0, k + 1, n)
    after = np.where(rng.random(n) < stays, before, rng.integers(0, k + 1, n))
    return Pairs(before, after, rng.integers(1, 100, (n, 2)))


def wilson(users: float, n: float) -> tuple[float, float]:
    """By the book, one number at a time."""
    p, z = users / n, Z_95
    middle, half = p + z * z / (2 * n), z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def bin_of(views: list[int]) -> tuple[int, int]:
    first, second = (min(6, one.bit_length() - 1) for one in views)
    return first, second


def nearest_bin(own: tuple[int, int], bins: list[tuple[int, int]]) -> tuple[int, int]:
    return min(bins, key=lambda b: (abs(b[0] - own[0]) + abs(b[1] - own[1]), sum(b), b))


@pytest.mark.parametrize("seed", cases(100))
def test_moves_and_what_is_expected_are_those_of_pandas(seed: int) -> None:
    rng = np.random.default_rng(seed)
    k = int(rng.integers(2, 6))
    mine = pairs(rng, int(rng.integers(1, 200)), k, 0.5)
    base = pairs(rng, int(rng.integers(200, 400)), k, 0.6)
    found = migration(mine, base, k)

    users = pd.DataFrame({"b": mine.before, "a": mine.after, "bin": [bin_of(v) for v in mine.views.tolist()]})
    halves = pd.DataFrame(
        {"b": base.before, "a": base.after, "bin": [bin_of(v) for v in base.views.tolist()]}
    )
    bins = sorted(halves["bin"].unique())
    counts_for = users["bin"].map(lambda own: nearest_bin(own, bins))
    weight = counts_for.value_counts(normalize=True) / halves["bin"].value_counts(normalize=True)
    halves["w"] = halves["bin"].map(weight.fillna(0))
    assert len(found.table) == (k + 1) ** 2
    stayed = expected = told = 0.0
    for row in found.table.to_dict("records"):
        there = users[users["b"] == row[BEFORE]]
        moved = int((there["a"] == row[AFTER]).sum())
        assert (row[Col.USERS], row[Col.N]) == (moved, len(there))
        mates = halves[halves["b"] == row[BEFORE]]
        if not mates["w"].sum():  # no half can tell
            assert row[Col.REST_N] == 0
            assert not row[Diff.DIFFERS]
            continue
        share = mates.loc[mates["a"] == row[AFTER], "w"].sum() / mates["w"].sum()
        n = mates["w"].sum() ** 2 / (mates["w"] ** 2).sum()
        assert row[Col.REST_SHARE] == pytest.approx(share)
        assert row[Col.REST_N] == pytest.approx(n)
        if len(there) and row[BEFORE] == row[AFTER]:
            stayed, expected, told = stayed + moved, expected + len(there) * share, told + len(there)
        if len(there):
            p, apart = moved / len(there), moved / len(there) - share
            (low, high), (rest_low, rest_high) = wilson(moved, len(there)), wilson(share * n, n)
            assert row[Diff.DIFFERENCE_LOW] == pytest.approx(apart - np.hypot(p - low, rest_high - share))
            assert row[Diff.DIFFERENCE_HIGH] == pytest.approx(apart + np.hypot(high - p, share - rest_low))
            assert row[Diff.DIFFERS] == (row[Diff.DIFFERENCE_LOW] > 0 or row[Diff.DIFFERENCE_HIGH] < 0)
    assert found.told == told
    if not told:
        assert np.isnan(found.expected)
        return
    assert found.stayed == pytest.approx(stayed / told)
    assert found.expected == pytest.approx(expected / told)


@pytest.mark.parametrize("seed", range(10))
def test_users_in_both_are_those_of_the_same_id(seed: int) -> None:
    before, after, _ = two_exports(seed)
    first, second = in_both(before.user_id, after.user_id)
    mine = [before.user_id[int(user)].as_py() for user in first]
    assert mine == [after.user_id[int(user)].as_py() for user in second]
    assert sorted(mine) == sorted(set(before.user_id.to_pylist()) & set(after.user_id.to_pylist()))
    assert len(mine) == 30


def test_of_other_ids_nobody_is_in_both_and_nothing_is_expected() -> None:
    first, second = in_both(pa.array(["a", "b"]), pa.array(["xa", "xb"]))
    assert len(first) == len(second) == 0
    found = migration(NOBODY, pairs(np.random.default_rng(0), 50, 2), 2)
    assert (found.users, found.halves) == (0, 50)
    assert np.isnan(found.stayed)
    assert not found.table[Diff.DIFFERS].any()


def test_without_halves_no_move_is_called_more_than_expected() -> None:
    found = migration(pairs(np.random.default_rng(0), 50, 2), NOBODY, 2)
    assert found.table[Diff.DIFFERS].sum() == 0
    assert np.isnan(found.expected)


def test_moves_like_those_of_the_halves_differ_no_more_often_than_said() -> None:
    rng = np.random.default_rng(5)
    differs = [
        migration(pairs(rng, 400, 3, 0.7), pairs(rng, 400, 3, 0.7), 3).table[Diff.DIFFERS].mean()
        for _ in range(50)
    ]
    assert np.mean(differs) < 0.08
    stays_less = migration(pairs(rng, 400, 3, 0.3), pairs(rng, 400, 3, 0.7), 3)
    same = stays_less.table[stays_less.table[BEFORE] == stays_less.table[AFTER]]
    assert same[Diff.DIFFERS].all()
    assert stays_less.stayed < stays_less.expected


def test_halves_count_by_the_page_views_that_users_have() -> None:
    """Few views move everybody, many move nobody: users with many are held against halves with many."""
    n = 100
    few, many = np.zeros(n, dtype=np.int64), np.full(n, 40)
    views = np.concatenate([few + 2, many])
    base = Pairs(np.zeros(2 * n, dtype=np.int64), np.repeat([1, 0], n), np.column_stack([views, views]))
    mine = Pairs(few, few, np.column_stack([many, many]))
    assert migration(mine, base, 2).expected == pytest.approx(1)
    assert migration(replace(mine, views=np.full((n, 2), 2)), base, 2).expected == pytest.approx(0)


def test_a_place_that_no_halves_tell_of_is_left_out_and_said() -> None:
    many = np.full((10, 2), 40)
    base = Pairs(np.zeros(10, dtype=np.int64), np.repeat([0, 1], 5), many)
    mine = Pairs(np.repeat([0, 1], [8, 2]), np.repeat([0, 1], 5), many)
    found = migration(mine, base, 2)
    assert (found.users, found.told) == (10, 8)
    assert found.stayed == pytest.approx(5 / 8)
    assert found.expected == pytest.approx(0.5)


def visitors(rng: np.random.Generator, views: np.ndarray, changing: float = 0.0) -> list[np.ndarray]:
    """Users of two kinds, seen so and so often; of who is seen rarely the place is often mistaken."""
    kind = rng.random(len(views)) < 0.4
    kinds = [kind, kind ^ (rng.random(len(kind)) < changing)]
    seen = [rng.binomial(n, np.where(one, 0.65, 0.35)) for n, one in zip(views.T, kinds, strict=True)]
    return [(2 * count > n).astype(np.int64) for n, count in zip(views.T, seen, strict=True)]


def test_many_views_then_and_few_now_are_held_against_parts_as_unequal() -> None:
    """41 page views then and 5 to 17 now: users who did not change stay as often as is expected."""
    rng = np.random.default_rng(7)
    views = np.column_stack([np.full(4000, 41), rng.integers(5, 18, 4000)])
    sessions = rng.integers(30, 60, 4000)  # of one page view each, of the training period
    first = np.clip(np.floor(sessions * rng.choice(views[:, 0] / views.sum(axis=1), 4000)), 1, None)
    dealt = np.column_stack([first, sessions - first]).astype(np.int64)
    same = Pairs(*visitors(rng, views), views)
    found = migration(same, Pairs(*visitors(rng, dealt), dealt), 2)
    assert found.stayed == pytest.approx(found.expected, abs=0.02)
    assert found.table[Diff.DIFFERS].sum() == 0
    less = migration(Pairs(*visitors(rng, views, 0.2), views), Pairs(*visitors(rng, dealt), dealt), 2)
    assert less.stayed < less.expected - 0.05
