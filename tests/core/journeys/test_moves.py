"""Steps of a few users, and of random ones against a walk through them in pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.journeys.moves import END, START, Moves
from core.journeys.step_table import (
    MoveCol,
    dead_ends,
    differing_step_table,
    return_table,
    step_table,
)
from core.profiles.profile_columns import Col
from tests.core.journeys.walks import Walks, laid_out, random_walks, some_of
from tests.random_cases import cases

TOY: Walks = [["ab", "aab"], ["b"], ["aba"]]
EVERYBODY = np.ones(3, dtype=bool)


def table(walks: Walks, users: np.ndarray, others: np.ndarray | None = None) -> pd.DataFrame:
    moves = Moves.of(*laid_out(walks))
    return step_table(moves, moves.taken(users), None if others is None else moves.taken(others))


def by_step(found: pd.DataFrame, *columns: str) -> dict[tuple[str, str], list[float]]:
    values = found[list(columns)].to_numpy().tolist()
    return dict(zip(zip(found["from"], found["to"], strict=True), values, strict=True))


def test_starts_ends_and_repeated_places_are_steps() -> None:
    found = by_step(table(TOY, EVERYBODY), "steps", "sessions", "users", "n")
    assert found == {
        (START, "a"): [3, 3, 2, 3], (START, "b"): [1, 1, 1, 3],
        ("a", "b"): [3, 3, 2, 2], ("a", "a"): [1, 1, 1, 2], ("a", END): [1, 1, 1, 2],
        ("b", END): [3, 3, 2, 3], ("b", "a"): [1, 1, 1, 3],
    }  # fmt: skip


def test_what_leaves_a_place_adds_up_to_its_views_and_what_leaves_the_start_to_the_sessions() -> None:
    found = table(TOY, EVERYBODY)
    assert found.groupby("from")["steps"].sum().to_dict() == {START: 4, "a": 5, "b": 4}
    assert found.groupby("from")[MoveCol.STEP_SHARE].sum().to_list() == pytest.approx([1, 1, 1])


def test_only_the_steps_that_are_asked_for_are_listed() -> None:
    moves = Moves.of(*laid_out(TOY))
    here = moves.taken(EVERYBODY)
    assert step_table(moves, here, which=moves.left == moves.start)["to"].tolist() == ["a", "b"]
    assert step_table(moves, here, which=moves.reached == moves.end)["from"].tolist() == ["b", "a"]
    assert len(step_table(moves, here, most=2)) == 2


def test_two_groups_differ_where_the_interval_leaves_out_0() -> None:
    walks = [["ab"]] * 40 + [["ac"]] * 40
    found = table(walks, np.arange(80) < 40, np.arange(80) >= 40)
    told = by_step(found, "share", "rest_share", "difference_low", "differs")
    assert told["a", "b"] == pytest.approx([1, 0, 0.876, True], abs=1e-3)
    assert told[START, "a"] == pytest.approx([1, 1, -0.0876, False], abs=1e-3)
    assert told["a", "c"][:2] == [0, 1]  # a step of the others alone is in the table, too


def test_who_comes_back_more_often_does_not_step_another_way() -> None:
    often = [["ab", "ac", "ab", "ac", "ac", "ac"]] * 60  # one in three goes to b; each user has, once
    once = [["ab"]] * 20 + [["ac"]] * 40
    found = by_step(
        table(often + once, np.arange(120) < 60, np.arange(120) >= 60), "difference_low", "differs"
    )
    low, differs = found["a", "b"]
    assert low > 0
    assert not differs


def test_a_difference_of_less_than_a_hundredth_of_the_users_is_not_told() -> None:
    walks = [["ab"]] * 1000 + [["ac"]] * 50 + [["ab"]] * 1050
    moves = Moves.of(*laid_out(walks))
    here, there = moves.taken(np.arange(2100) < 1050), moves.taken(np.arange(2100) >= 1050)
    steps = by_step(step_table(moves, here, there), "differs", "at_least")
    assert steps["a", "c"] == [True, pytest.approx(37.5, abs=0.05)]
    assert {"c", "b"} <= set(differing_step_table(step_table(moves, here, there), here)["to"])
    rare = [["ab"]] * 1035 + [["ac"]] * 15 + [["ab"]] * 1050
    moves = Moves.of(*laid_out(rare))
    here, there = moves.taken(np.arange(2100) < 1050), moves.taken(np.arange(2100) >= 1050)
    found = step_table(moves, here, there)
    assert found["differs"].any()
    assert differing_step_table(found, here).empty


def test_a_difference_of_a_handful_of_users_is_not_told() -> None:
    for n, told in ((4, False), (5, True)):
        moves = Moves.of(*laid_out([["ab"]] * n + [["cd"]] * 40))
        here, there = moves.taken(np.arange(n + 40) < n), moves.taken(np.arange(n + 40) >= n)
        steps = step_table(moves, here, there)
        assert steps["differs"].any()
        assert differing_step_table(steps, here).empty is not told
        assert differing_step_table(step_table(moves, there, here), there).empty is not told


def test_one_user_has_a_wide_interval_and_nobody_has_no_steps() -> None:
    alone = table(TOY, np.array([False, True, False]))
    assert alone[["users", "n"]].to_numpy().tolist() == [[1, 1], [1, 1]]
    assert alone[Col.LOW].tolist() == pytest.approx([0.2065, 0.2065], abs=1e-4)
    assert table(TOY, ~EVERYBODY).empty
    beside = table(TOY, EVERYBODY, ~EVERYBODY)
    assert not beside["differs"].any()
    assert beside["rest_share"].isna().all()


def test_turning_back_is_of_those_who_took_the_step() -> None:
    moves = Moves.of(*laid_out([["aba", "ab"], ["abab"], ["ab"]]))
    found = by_step(return_table(moves, moves.taken(EVERYBODY)), "steps", "step_share", "users", "n")
    assert found == {("a", "b"): [2, pytest.approx(2 / 5), 2, 3], ("b", "a"): [1, pytest.approx(1 / 2), 1, 2]}


def test_a_dead_end_is_where_sessions_end_far_more_often_than_elsewhere() -> None:
    walks = [["aabcd"], ["abce"], ["bace"], ["x"]] * 20 + [["af"]] * 600 + [["fd"]] * 400  # 60 % end at f
    moves = Moves.of(*laid_out(walks))
    found = dead_ends(moves, moves.taken(np.ones(1080, dtype=bool)))
    assert found["place"].tolist() == ["d", "e", "x"]
    assert found[["sessions", "n"]].to_numpy().tolist() == [[420, 420], [40, 40], [20, 20]]
    assert found["mean"].iloc[0] == pytest.approx(1080 / 2260)  # of the sessions at each place


def reference(walks: Walks, users: np.ndarray) -> pd.DataFrame:
    """Each step, walked."""
    rows = [
        (user, f"{user}-{number}", left, reached)
        for user, sessions in enumerate(walks)
        for number, walk in enumerate(sessions)
        if users[user]
        for left, reached in zip([START, *walk], [*walk, END], strict=True)
    ]
    steps = pd.DataFrame(rows, columns=["user", "session", "from", "to"])
    there = steps.groupby("from").agg(of=("user", "size"), n=("user", "nunique"))
    made = steps.groupby(["from", "to"]).agg(
        steps=("user", "size"), users=("user", "nunique"), sessions=("session", "nunique")
    )
    made = made.reset_index().join(there, on="from")
    return made.assign(step_share=made["steps"] / made["of"], share=made["users"] / made["n"])


@pytest.mark.parametrize("seed", cases(250))
def test_steps_of_random_users_are_those_of_a_walk_through_them(seed: int) -> None:
    walks = random_walks(seed)
    users, columns = some_of(walks, seed), ["steps", "step_share", "sessions", "users", "n", "share"]
    assert by_step(table(walks, users), *columns) == by_step(reference(walks, users), *columns)


@pytest.mark.parametrize("seed", cases(250))
def test_returns_of_random_users_are_those_of_a_walk_through_them(seed: int) -> None:
    walks = random_walks(seed)
    users = some_of(walks, seed)
    walked = [
        (user, walk[at], walk[at + 1])
        for user, sessions in enumerate(walks)
        for walk in sessions
        for at in range(len(walk) - 2)
        if users[user] and walk[at] == walk[at + 2] != walk[at + 1]
    ]
    frame = pd.DataFrame(walked, columns=["user", "from", "to"])
    expected = frame.groupby(["from", "to"]).agg(steps=("user", "size"), users=("user", "nunique"))
    moves = Moves.of(*laid_out(walks))
    found = return_table(moves, moves.taken(users)).set_index(["from", "to"])[["steps", "users"]]
    assert found.to_dict("index") == expected.to_dict("index")
