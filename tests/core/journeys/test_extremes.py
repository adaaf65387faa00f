"""Sites and rows with much or little to draw: 40,000 pages, one with nearly all steps, one user, nobody."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from core.journeys.flow import flow
from core.journeys.moves import END, OTHER_PLACES, START, Level, Moves, Places
from core.journeys.step_table import (
    MAX_ROWS,
    dead_ends,
    return_table,
    step_table,
)
from core.storage.sequences import UserSequences

N_PAGES = 40_000


def moves_of(page: np.ndarray, lengths: np.ndarray, n_pages: int) -> Moves:
    """Users with one session each."""
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    sequences = UserSequences(
        pa.array([f"{user:06d}" for user in range(len(lengths))]), offsets, page.astype(np.int32),
        np.arange(len(page), dtype=np.int64), np.zeros(len(page), dtype=np.int32),
    )  # fmt: skip
    return Moves.of(sequences, Places.from_names(Level.PAGE, [f"/{n}" for n in range(n_pages)], sequences))


@pytest.fixture(scope="module")
def wide() -> Moves:
    """Every page is seen by two users, after one that all begin with."""
    page = np.stack([np.zeros(2 * N_PAGES, dtype=np.int64), np.arange(2 * N_PAGES) % N_PAGES], axis=1).ravel()
    return moves_of(page, np.full(2 * N_PAGES, 2), N_PAGES)


def test_of_40000_pages_the_strongest_steps_are_listed_and_a_few_drawn(wide: Moves) -> None:
    everybody = np.ones(2 * N_PAGES, dtype=bool)
    here = wide.taken(everybody)
    steps = step_table(wide, here)
    assert len(steps) == MAX_ROWS
    assert here.n_steps == 6 * N_PAGES == int(here.steps.times.sum())
    assert (steps["from"].iloc[0], steps["to"].iloc[0], steps["steps"].iloc[0]) == (START, "/0", 2 * N_PAGES)


def test_of_40000_pages_all_but_a_few_are_one_place(wide: Moves) -> None:
    everybody = np.ones(2 * N_PAGES, dtype=bool)
    found = flow(wide, everybody, 2)
    assert found.folded == (0, N_PAGES - 6)
    assert found.links["sessions"].sum() == 2 * N_PAGES
    assert OTHER_PLACES in set(found.links["to"])


def test_a_page_with_99_percent_of_all_steps_repeats_and_the_rest_is_still_told() -> None:
    page = np.zeros(10_000, dtype=np.int64)
    page[50::100] = 1
    moves = moves_of(page, np.full(100, 100), 2)
    here = moves.taken(np.ones(100, dtype=bool))
    steps = step_table(moves, here).set_index(["from", "to"])["steps"].to_dict()
    assert steps == {
        ("/0", "/0"): 9_700, ("/0", "/1"): 100, ("/1", "/0"): 100, ("/0", END): 100, (START, "/0"): 100,
    }  # fmt: skip
    assert return_table(moves, here)["steps"].tolist() == [100]


def test_a_row_of_one_user_and_a_row_of_nobody_are_counted_like_any_other(wide: Moves) -> None:
    one = np.zeros(2 * N_PAGES, dtype=bool)
    one[7] = True
    alone, nobody = wide.taken(one), wide.taken(~one & False)
    beside = step_table(wide, alone, wide.taken(~one), wide.left == wide.start)
    assert beside[["users", "n", "rest_users", "rest_n"]].to_numpy().tolist() == [[1, 1, 79_999, 79_999]]
    assert not beside["differs"].any()
    assert dead_ends(wide, nobody).empty
    assert flow(wide, ~one & False).n_sessions == 0
