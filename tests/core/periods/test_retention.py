"""Who comes again: by eye, what cannot be known, and against pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.periods.calendar import PeriodUnit, calendar_of
from core.periods.over_time import Activity, curve, known, left_out, triangle
from core.profiles.profile_columns import Col
from core.profiles.two_shares import difference_interval, wilson
from tests.core.periods.visits import CASES, MONDAY, frame, random_case, rows_of, visits

WEEKS = 7.0


def laid_out(
    *users: list[float],
    unit: PeriodUnit = PeriodUnit.DAY,
    within: tuple[int | None, int | None] = (None, None),
) -> Activity:
    """Each user's first page view twice, so that the first period alone puts them into a segment."""
    return activity_of([[days[0], *days] for days in users], unit, within)


def activity_of(
    users: list[list[float]], unit: PeriodUnit, within: tuple[int | None, int | None] = (None, None)
) -> Activity:
    sequences = visits(users)
    whole = np.ones(len(users), dtype=bool)
    return Activity.of(sequences, calendar_of(sequences.timestamp, unit, within=within), whole)


def cells(table: pd.DataFrame, segment: int = 0) -> dict[tuple[str, int], tuple[float, float]]:
    own = table[table[Col.SEGMENT] == segment]
    return {(f"{row.began:%d}", int(row.age)): (row.part, row.n) for row in own.itertuples()}


def test_by_eye() -> None:
    found = laid_out([0.1, 1.2, 2.5], [0.3, 2.1], [1.1], [0.2, 1.3])
    assert cells(triangle(found, rows_of([0, 0, 0, 1]))) == {
        ("29", 1): (1, 2), ("29", 2): (2, 2), ("01", 1): (0, 1),
    }  # fmt: skip
    assert cells(triangle(found, rows_of([0, 0, 0, 1])), segment=1) == {("29", 1): (1, 1), ("29", 2): (0, 1)}


def test_a_period_that_is_not_over_is_blank_and_not_zero() -> None:
    weeks = laid_out([0.1, 7.5, 15.5], [0.2], [8.1], unit=PeriodUnit.WEEK)  # the third week ends on a Tuesday
    assert known(weeks).tolist() == [[True, True, False], [True, False, False], [True, False, False]]
    assert cells(triangle(weeks, rows_of([0, 0, 0]))) == {("29", 1): (1, 2)}


def test_all_first_periods_together_count_whom_is_known_so_long() -> None:
    found = laid_out([0.1, 1.2, 2.5], [0.3, 2.1], [1.1], [2.2])
    table = curve(found, rows_of([0, 0, 0, 0]))
    assert table[["age", "part", "n"]].to_numpy().tolist() == [[1, 1, 3], [2, 2, 2]]
    assert table["low"].iloc[0] == wilson(np.array(1), np.array(3))[0]


def test_the_others_are_beside_it_by_the_one_rule() -> None:
    users = [[0.1, 1.1]] * 20 + [[0.2]] * 20
    table = triangle(laid_out(*users), rows_of([0] * 20 + [1] * 20)).set_index(Col.SEGMENT)
    assert table["rest_value"].tolist() == [0, 1]
    assert table["differs"].all()
    low, _ = difference_interval(*(np.array([n]) for n in (1, 2, 0, 2)))
    few = triangle(laid_out([0.1, 1.1], [0.1], [0.2], [0.2]), rows_of([0, 0, 1, 1]))
    assert few["differs"].tolist() == [bool(low > 0)] * 2 == [False, False]


def test_one_day_has_nothing_to_come_back_in() -> None:
    found = laid_out([0.1, 0.2], [0.3])
    assert triangle(found, rows_of([0, 1])).empty and curve(found, rows_of([0, 1])).empty


def test_who_is_in_a_segment_only_by_coming_again_is_left_out_and_counted() -> None:
    users = [[0.1, 1.1], [0.1, 0.2], [0.1, 0.2, 1.3], [1.1, 2.1]]  # the first and the last: one view at first
    found = activity_of(users, PeriodUnit.DAY)
    assert cells(triangle(found, rows_of([0, 0, 0, 0]))) == {("29", 1): (1, 2), ("29", 2): (0, 2)}
    assert left_out(found, rows_of([0, 0, 0, 1])).tolist() == [1, 1]


def test_equal_returns_make_no_rise_by_being_clustered() -> None:
    random = np.random.default_rng(5)
    users = []
    for _ in range(20_000):
        began = int(random.integers(0, 10))
        come = [day for day in range(began + 1, 10) if random.random() < 0.1]
        first = [began + 0.1] * int(random.integers(1, 3))
        users.append([*first, *(day + 0.1 for day in come)])
    clustered = [own for own in users if len(own) > 1]
    table = triangle(activity_of(clustered, PeriodUnit.DAY), rows_of([0] * len(clustered)))
    began = table.groupby("began")[["part", "n"]].sum()
    assert np.abs(began["part"] / began["n"] - 0.1).max() < 0.02


def test_who_came_before_the_filter_is_not_new() -> None:
    users = ([0.1, 1.1, 2.1], [1.1, 2.1], [1.2])
    found = laid_out(*users, within=(MONDAY + 1, None))
    assert cells(triangle(found, rows_of([0, 0, 0]))) == {("01", 1): (1, 2)}


@pytest.mark.parametrize("seed", range(CASES))
def test_every_cell_is_that_of_pandas(seed: int) -> None:
    sequences, labels, clock = random_case(np.random.default_rng(seed))
    table = frame(sequences, labels, clock)
    for unit, code in ((PeriodUnit.DAY, "D"), (PeriodUnit.WEEK, "W-SUN")):
        calendar = calendar_of(sequences.timestamp, unit, clock)
        activity = Activity.of(sequences, calendar, np.ones(sequences.n_users, dtype=bool))
        rows = rows_of(labels.tolist())
        table["period"] = table["local"].dt.to_period(code)
        first = table.groupby("user")["period"].min()
        at_first = (table["period"] == table["user"].map(first)).groupby(table["user"]).sum()
        first = first[at_first > 1]
        came = set(zip(table["user"], table["period"], strict=True))
        end, parts = table["period"].max(), dict(zip(calendar.dates, calendar.is_part, strict=True))
        expected, together = {}, {}
        for user, began in first.items():
            segment = labels[user]
            for age in range(1, calendar.n_periods):
                later = began + age
                if segment < 0 or later > end or parts[later.start_time.date()]:
                    continue
                hit = (user, later) in came
                for cell, sums in (((segment, began.start_time, age), expected), ((segment, age), together)):
                    part, n = sums.get(cell, (0, 0))
                    sums[cell] = (part + hit, n + 1)
        made = triangle(activity, rows)
        keys = zip(made[Col.SEGMENT], made["began"], made["age"], strict=True)
        assert dict(zip(keys, zip(made["part"], made["n"], strict=True), strict=True)) == expected
        pooled = curve(activity, rows)
        keys = zip(pooled[Col.SEGMENT], pooled["age"], strict=True)
        assert dict(zip(keys, zip(pooled["part"], pooled["n"], strict=True), strict=True)) == together
