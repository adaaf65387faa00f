"""Flows of a few sessions, forwards and backwards, and of random ones against a walk through them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from core.base.errors import SettingsError
from core.journeys.flow import flow
from core.journeys.moves import END, OTHER_PLACES, START, Moves
from tests.core.journeys.walks import Walks, laid_out, random_walks, some_of
from tests.random_cases import cases

TOY: Walks = [["ab", "abc"], ["b"], ["ca"]]
EVERYBODY = np.ones(3, dtype=bool)


def links(found: pd.DataFrame, value: str = "sessions") -> dict[tuple[int, str, str], int]:
    return dict(zip(zip(found["column"], found["from"], found["to"], strict=True), found[value], strict=True))


def test_sessions_are_followed_from_their_start_to_their_end() -> None:
    found = flow(Moves.of(*laid_out(TOY)), EVERYBODY, 3)
    assert links(found.links) == {
        (1, "a", "b"): 2, (1, "b", END): 1, (1, "c", "a"): 1,
        (2, "b", END): 1, (2, "b", "c"): 1, (2, "a", END): 1,
    }  # fmt: skip
    assert links(found.links, "users")[1, "a", "b"] == 1
    assert (found.n_sessions, found.n_users, found.folded) == (4, 3, (0, 0, 0))


def test_backwards_they_come_from_their_start_to_their_last_place() -> None:
    found = flow(Moves.of(*laid_out(TOY)), EVERYBODY, 3, backwards=True)
    assert links(found.links) == {
        (1, START, "a"): 1, (1, START, "c"): 1, (1, "a", "b"): 1,
        (2, "a", "b"): 1, (2, START, "b"): 1, (2, "c", "a"): 1, (2, "b", "c"): 1,
    }  # fmt: skip


def test_from_or_to_a_place_only_sessions_with_it_count_at_its_first_view() -> None:
    sequences, places = laid_out([["abab"], ["cb"], ["c"]])
    b = places.names.index("b")
    moves = Moves.of(sequences, places)
    after = flow(moves, EVERYBODY, 3, at=b)
    assert links(after.links) == {(1, "b", "a"): 1, (1, "b", END): 1, (2, "a", "b"): 1}
    before = flow(moves, EVERYBODY, 2, at=b, backwards=True)
    assert links(before.links) == {(1, "a", "b"): 1, (1, "c", "b"): 1}
    assert after.n_sessions == before.n_sessions == 2


def test_small_flows_are_folded_with_their_sum_and_one_place_is_not_called_others() -> None:
    walks = [["a"]] * 5 + [["b"], ["c"], ["d"]]
    found = flow(Moves.of(*laid_out(walks)), np.ones(8, dtype=bool), 2, shown=1)
    assert links(found.links) == {(1, "a", END): 5, (1, OTHER_PLACES, END): 3}
    assert found.folded == (3, 0)
    assert OTHER_PLACES not in set(
        flow(Moves.of(*laid_out(walks)), np.ones(8, dtype=bool), 2, shown=3).links["from"]
    )


@pytest.mark.parametrize("columns", [1, 9])
def test_too_few_or_too_many_steps_are_refused_in_words(columns: int) -> None:
    with pytest.raises(SettingsError, match="2 to 8"):
        flow(Moves.of(*laid_out(TOY)), EVERYBODY, columns)


def test_nobody_flows_nowhere() -> None:
    found = flow(Moves.of(*laid_out(TOY)), ~EVERYBODY, 3)
    assert found.links.empty
    assert (found.n_sessions, found.n_users) == (0, 0)


@pytest.mark.parametrize("seed", cases(250))
def test_flows_of_random_sessions_are_those_of_a_walk_through_them(seed: int) -> None:
    walks, columns, backwards = random_walks(seed), 2 + seed % 5, seed % 2 == 1
    users = some_of(walks, seed)
    walked: Counter[tuple[int, str, str]] = Counter()
    doing: dict[tuple[int, str, str], set[int]] = {}
    for user in np.flatnonzero(users).tolist():
        for walk in walks[user]:
            gone = START if backwards else END
            padded = [*walk[-columns:]] if backwards else [*walk[:columns]]
            missing = [gone] * (columns - len(padded))
            padded = [*missing, *padded] if backwards else [*padded, *missing]
            for column in range(columns - 1):
                link = (column + 1, padded[column], padded[column + 1])
                if set(link[1:]) != {gone}:
                    walked[link] += 1
                    doing.setdefault(link, set()).add(user)
    found = flow(Moves.of(*laid_out(walks)), users, columns, backwards=backwards).links
    assert links(found) == walked
    assert links(found, "users") == {link: len(who) for link, who in doing.items()}
