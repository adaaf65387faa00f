"""How often each number occurs: the same figures as of the numbers written out, in whatever parts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.profiles.rows import Numbers, Rows, medians, merge_numbers

VALUES = st.lists(st.one_of(st.integers(-3, 9).map(float), st.just(float("nan"))), min_size=1, max_size=40)


def test_numbers_by_eye() -> None:
    numbers = Numbers.of(np.array([0, 1, 0, 1, 1]), np.array([3.0, 1.0, 3.0, np.nan, 2.0]))
    assert numbers.value.tolist() == [1, 2, 3, 3]
    together = merge_numbers([numbers, numbers])
    assert (together.row.tolist(), together.value.tolist()) == ([1, 1, 0], [1, 2, 3])
    assert together.users.tolist() == [2, 2, 4]
    assert together.known(3).tolist() == [4, 4, 0]
    assert together.sums(3).tolist() == [12, 6, 0]
    assert together.median == 2.5
    assert (numbers.at(0), numbers.at(3)) == (1, 3)


def test_of_nobody_nothing_is_known() -> None:
    nobody = merge_numbers([Numbers.of(np.zeros(0, int), np.zeros(0))] * 2)
    assert np.isnan(nobody.median)
    assert nobody.spread == 0
    assert nobody.sums(2).tolist() == [0, 0]


@settings(deadline=None, max_examples=200)
@given(VALUES, st.integers(1, 4), st.sampled_from([0.5, 0.9, 0.99]))
def test_figures_are_those_of_numpy_and_parts_make_no_difference(
    values: list[float], n_parts: int, share: float
) -> None:
    value, row = np.array(values), np.arange(len(values)) % 3
    part = np.arange(len(values)) * 7 % n_parts
    whole = Numbers.of(row, value)
    parts = merge_numbers([Numbers.of(row[part == one], value[part == one]) for one in range(n_parts)])
    alone = merge_numbers([whole])
    for name in ("row", "value", "users", "weight"):
        assert getattr(parts, name).tobytes() == getattr(alone, name).tobytes()
    known = value[~np.isnan(value)]
    for numbers in (whole, parts):
        if len(known):
            assert numbers.median == np.median(known)
            assert numbers.above(share) == np.quantile(known, share, method="higher")
            assert numbers.spread == pytest.approx(known.std())
        assert numbers.sums(3).tolist() == [np.nansum(value[row == one]) for one in range(3)]


@pytest.mark.parametrize("row", [3, 40_000, 70_000])
def test_of_however_many_rows_each_is_itself(row: int) -> None:
    many = Numbers(np.array([row, 1, row]), np.array([1.0, 2.0, 2.0]), np.ones(3), np.ones(3))
    found = merge_numbers([many, many])
    assert [*zip(found.row.tolist(), found.value.tolist(), strict=True)] == [(row, 1), (1, 2), (row, 2)]
    rows = Rows(np.zeros(0, np.intp), tuple(range(row + 1)), ())
    assert medians(rows, many)[[1, row]].tolist() == [2, 1.5]
