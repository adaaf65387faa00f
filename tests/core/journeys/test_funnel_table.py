"""Tables of a funnel on eight users that can be counted by eye, and beside plain loops on many."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.base.schema import Pages
from core.journeys.funnel import Funnel
from core.journeys.funnel_table import (
    FunnelWalk,
    ShareOf,
    alternatives,
    count_takers,
    side_by_side,
    steps_table,
    walk,
    with_times,
)
from core.journeys.moves import END, Level, Places
from core.journeys.patterns import FunnelSite
from core.profiles.rows import make_rows
from core.profiles.two_shares import wilson
from core.storage.dataset import TimedEvents
from core.storage.sequences import UserSequences
from tests.core.profiles.toy import LABELS, many, toy, toy_tables

_, PAGES, _, SEQUENCES = toy_tables()
SITE = FunnelSite({Level.PAGE: tuple(PAGES[Pages.PAGE_LOCATION])}, ("purchase",))
FUNNEL = Funnel.checked(
    steps=tuple({"kind": "page", "any_of": pages} for pages in (("/", "/sale"), ("/sale",), ("/cart",)))
)
PLACES = Places.from_names(Level.PAGE, SITE.names[Level.PAGE], SEQUENCES)
FIRST = np.array([True, True, True, False, False, False, False, False])
OTHERS = np.array([False, False, False, True, True, False, False, False])
EVERYBODY = np.ones(8, dtype=bool)


def followed(funnel: Funnel = FUNNEL) -> FunnelWalk:
    return walk(funnel, SITE.marks_of(funnel), SEQUENCES, TimedEvents.none())


def test_users_of_each_step_are_those_that_can_be_counted() -> None:
    found = followed()
    assert found.depth.tolist() == [3, 1, 2, 1, 0, 1, 0, 3]
    assert count_takers(found, FIRST).tolist() == [3, 3, 2, 1]
    assert count_takers(found, OTHERS).tolist() == [2, 1, 0, 0]


@pytest.mark.parametrize(
    ("of", "n", "shares"),
    [
        (ShareOf.ALL, [3, 3, 3], [1, 2 / 3, 1 / 3]),
        (ShareOf.FIRST, [3, 3, 3], [1, 2 / 3, 1 / 3]),
        (ShareOf.BEFORE, [3, 3, 2], [1, 2 / 3, 1 / 2]),
    ],
)
def test_shares_are_of_all_of_the_first_step_or_of_the_one_before(
    of: ShareOf, n: list[int], shares: list[float]
) -> None:
    table = steps_table(FUNNEL, np.array([3, 3, 2, 1]), np.array([2, 1, 0, 0]), of)
    assert table["users"].tolist() == [3, 2, 1]
    assert table["n"].tolist() == n
    assert table["share"].tolist() == shares
    assert table["name"].tolist() == ["/ or /sale", "/sale", "/cart"]
    assert table["dropped"].tolist() == [1, 1, 0]
    low, high = wilson(table["users"].to_numpy(), table["n"].to_numpy())
    assert (table["low"] == low).all()
    assert (table["high"] == high).all()
    first_of_others = {ShareOf.ALL: 2, ShareOf.FIRST: 1, ShareOf.BEFORE: 2}[of]
    assert table["rest_n"].iloc[0] == first_of_others


def test_a_difference_is_one_where_its_interval_leaves_out_0() -> None:
    table = steps_table(FUNNEL, np.array([1000, 500, 300, 10]), np.array([1000, 500, 100, 9]), ShareOf.ALL)
    assert table["differs"].tolist() == [False, True, False]
    assert table["difference"].tolist() == pytest.approx([0, 0.2, 0.001])
    none = steps_table(FUNNEL, np.array([10, 5, 3, 1]), np.zeros(4, dtype=int), ShareOf.ALL)
    assert not none["differs"].any()
    assert none["rest_share"].isna().all()


def test_nobody_in_a_row_is_no_share() -> None:
    table = steps_table(FUNNEL, np.zeros(4, dtype=int), np.zeros(4, dtype=int), ShareOf.BEFORE)
    assert table[["share", "low", "high"]].isna().all().all()
    assert table["users"].tolist() == [0, 0, 0]


def test_times_are_between_the_steps_of_those_who_took_both() -> None:
    found = followed()
    table = steps_table(FUNNEL, count_takers(found, EVERYBODY), count_takers(found, ~EVERYBODY), ShareOf.ALL)
    timed = with_times(table, found, EVERYBODY, OTHERS)
    assert np.isnan(timed["seconds_median"].iloc[0])
    assert timed["seconds_median"].iloc[1] == np.median([1437 * 60 + 60, 60, 60])
    assert timed["rest_seconds_median"].isna().all()


def test_all_rows_are_side_by_side_against_the_other_clustered_users() -> None:
    found = followed()
    rows = make_rows(toy(), LABELS)
    table = side_by_side(FUNNEL, found, rows, ShareOf.ALL)
    first = table[table["key"] == "segment:0"]
    assert first["users"].tolist() == [3, 2, 1]
    assert first["rest_n"].tolist() == [2, 2, 2]
    assert first["rest_users"].tolist() == [1, 0, 0]
    everybody = table[table["key"] == "all"]
    assert everybody["users"].tolist() == count_takers(found, EVERYBODY)[1:].tolist()
    assert everybody["rest_n"].tolist() == [0, 0, 0]
    assert len(table) == 3 * len(rows.head)


def test_what_they_did_instead_is_the_next_place_or_the_end() -> None:
    table = alternatives(FUNNEL, followed(), EVERYBODY, PLACES, SEQUENCES, most=5)
    found = [tuple(row) for row in table[["step", "instead", "users", "n"]].itertuples(index=False)]
    assert sorted(found) == [
        (1, END, 1, 3), (1, "shop.example/blog", 1, 3), (1, "shop.example/cart", 1, 3),
        (2, END, 1, 1),  # by way of the sale again
    ]  # fmt: skip
    assert table["rank"].tolist() == [1, 2, 3, 1]
    assert alternatives(FUNNEL, followed(), EVERYBODY, PLACES, SEQUENCES, most=1)["step"].tolist() == [1, 2]


def test_nobody_dropped_is_an_empty_table() -> None:
    assert len(alternatives(FUNNEL, followed(), ~EVERYBODY, PLACES, SEQUENCES, most=5)) == 0
    one_step = Funnel(steps=FUNNEL.steps[:1])
    assert len(alternatives(one_step, followed(one_step), EVERYBODY, PLACES, SEQUENCES, most=5)) == 0


@pytest.mark.parametrize("seed", range(40))
def test_tables_are_what_loops_over_users_give(seed: int) -> None:
    data, labels, _ = many(seed)
    sequences = data.outcomes.sequences
    site = FunnelSite({Level.PAGE: data.page_location})
    steps = tuple({"kind": "page", "any_of": (page,)} for page in data.page_location[:3])
    funnel = Funnel.checked(steps=steps, within="session")
    found = walk(funnel, site.marks_of(funnel), sequences, TimedEvents.none())
    rows = make_rows(data, labels)
    table = side_by_side(funnel, found, rows, ShareOf.BEFORE).set_index(["key", "step"])
    for row, key in enumerate(rows.head["key"]):
        members = rows.members(row)
        before = int(members.sum())
        for step in (1, 2, 3):
            users = sum(bool(members[user]) and found.depth[user] >= step for user in range(len(members)))
            assert table.loc[(key, step), "users"] == users
            assert table.loc[(key, step), "n"] == before
            before = users
    everybody = np.ones(len(labels), dtype=bool)
    places = Places.from_names(Level.PAGE, data.page_location, sequences)
    assert counted(alternatives(funnel, found, everybody, places, sequences, 99)) == by_loop(
        found, places, sequences
    )


def counted(table: pd.DataFrame) -> dict[tuple[int, str], int]:
    columns = zip(table["step"], table["instead"], table["users"], strict=True)
    return {(step, place): users for step, place, users in columns}


def by_loop(found: FunnelWalk, places: Places, sequences: UserSequences) -> dict[tuple[int, str], int]:
    made: dict[tuple[int, str], int] = {}
    for user, depth in enumerate(found.depth.tolist()):
        if depth in (1, 2):
            view = int(found.following[user])
            place = END if view < 0 else places.names[places.of_page[sequences.page[view]]]
            made[depth, place] = made.get((depth, place), 0) + 1
    return made
