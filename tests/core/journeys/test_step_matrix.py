"""The step matrix of a few sessions, and of random ones against a walk through them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.journeys.moves import OTHER_PLACES, Moves
from core.journeys.step_table import ENDED, step_matrix
from tests.core.journeys.walks import Walks, laid_out, random_walks, some_of
from tests.random_cases import cases

TOY: Walks = [["ab", "abc"], ["b"]]
EVERYBODY = np.ones(2, dtype=bool)


def cells(found: pd.DataFrame, column: str) -> dict[str, list[float]]:
    return {place: part[column].tolist() for place, part in found.groupby("place", sort=False)}


def test_a_column_holds_every_session_where_it_is_or_as_ended() -> None:
    found = step_matrix(Moves.of(*laid_out(TOY)), EVERYBODY, positions=3)
    assert cells(found, "sessions") == {"b": [1, 2, 0], "a": [2, 0, 0], "c": [0, 0, 1], ENDED: [0, 1, 2]}
    assert cells(found, "users") == {"b": [1, 1, 0], "a": [1, 0, 0], "c": [0, 0, 1], ENDED: [0, 1, 2]}
    assert found.groupby("position")["session_share"].sum().tolist() == pytest.approx([1, 1, 1])


def test_places_beyond_those_shown_are_one_row() -> None:
    found = step_matrix(Moves.of(*laid_out(TOY)), EVERYBODY, positions=3, shown=1)
    assert cells(found, "sessions") == {"b": [1, 2, 0], OTHER_PLACES: [2, 0, 1], ENDED: [0, 1, 2]}


def test_two_groups_are_held_against_each_other_at_each_step() -> None:
    walks = [["ab"]] * 40 + [["ac"]] * 40
    found = step_matrix(Moves.of(*laid_out(walks)), np.arange(80) < 40, np.arange(80) >= 40, positions=3)
    assert cells(found, "differs") == {
        "a": [False] * 3, "b": [False, True, False], "c": [False, True, False], ENDED: [False] * 3,
    }  # fmt: skip
    assert cells(found, "difference")["c"] == [0, -1, 0]
    assert cells(found, "rest_session_share")["c"] == [0, 1, 0]


def test_nobody_has_no_sessions_and_differs_from_nobody() -> None:
    found = step_matrix(Moves.of(*laid_out(TOY)), ~EVERYBODY, EVERYBODY, positions=2)
    assert found["session_share"].isna().all()
    assert not found["differs"].any()


@pytest.mark.parametrize("seed", cases(250))
def test_random_sessions_are_where_a_walk_through_them_finds_them(seed: int) -> None:
    walks, positions = random_walks(seed), 1 + seed % 6
    users = some_of(walks, seed)
    walked = [
        (user, position, walk[position - 1] if position <= len(walk) else ENDED)
        for user, sessions in enumerate(walks)
        for walk in sessions
        for position in range(1, positions + 1)
        if users[user]
    ]
    frame = pd.DataFrame(walked, columns=["user", "position", "place"])
    expected = frame.groupby(["place", "position"]).agg(sessions=("user", "size"), users=("user", "nunique"))
    found = step_matrix(Moves.of(*laid_out(walks)), users, positions=positions)
    counted = found[found["sessions"] > 0].set_index(["place", "position"])[["sessions", "users"]]
    assert counted.to_dict("index") == expected.to_dict("index")
