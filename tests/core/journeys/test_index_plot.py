"""The index plot: strips of small walks by hand, and random ones against a loop."""

from __future__ import annotations

from itertools import chain, groupby

import numpy as np
import pytest

from core.journeys.index_plot import EMPTY, END, IndexPlot, Strip, StripOrder, index_plot
from core.journeys.moves import END as SESSION_ENDS
from core.storage.sequences import UserSequences
from tests.core.journeys.toy import pages_of, random_walks, walks
from tests.random_cases import cases

A, B, C = 0, 1, 2


def drawn(sequences: UserSequences, strip: Strip = Strip.USER, **changes: object) -> IndexPlot:
    asked = {"most": 99, "width": 8, "colours": 10, "seed": 0, "order": StripOrder.FIRST} | changes
    users = np.ones(sequences.n_users, dtype=bool)
    return index_plot(sequences, pages_of(sequences), users, strip, **asked)  # type: ignore[arg-type]


def test_a_strip_holds_every_view_and_every_end_of_a_session() -> None:
    made = drawn(walks([[[A, A, B], [A]]]))
    assert made.cells.tolist() == [[0, 0, 1, END, 0, END, EMPTY, EMPTY]]


def test_sessions_are_strips_of_their_own_and_those_that_begin_alike_lie_together() -> None:
    made = drawn(walks([[[A, B], [B]], [[A, A], [A, B]]]), Strip.SESSION)
    assert [row[row > EMPTY].tolist() for row in made.cells] == [
        [0, 0, END], [0, 1, END], [0, 1, END], [1, END],
    ]  # fmt: skip
    assert (made.of, made.cut) == (4, 0)


def test_the_longest_come_first_by_length_and_what_is_cut_is_counted() -> None:
    made = drawn(walks([[[A]], [[B, A] * 1_000], [[A, B]]]), order=StripOrder.LENGTH, width=3)
    assert made.cells.tolist() == [[1, 0, 1], [0, 1, END], [0, END, EMPTY]]
    assert made.cut == 1


def test_a_strip_that_only_loses_the_mark_of_its_end_is_not_cut() -> None:
    made = drawn(walks([[[A, B, A]]]), width=3)
    assert made.cells.tolist() == [[0, 1, 0]]
    assert made.cut == 0


def test_the_draw_says_of_how_many_and_repeats_by_its_seed() -> None:
    sequences = walks([[[user % 3]] for user in range(60)])
    first, again, other = (drawn(sequences, most=5, seed=seed) for seed in (1, 1, 2))
    assert (len(first.cells), first.of) == (5, 60)
    assert first.user.tolist() == again.user.tolist() != other.user.tolist()


def test_colours_go_to_the_places_that_these_users_see_most() -> None:
    sequences = walks([[[A, A, A, A]], [[C, C, B]]])
    made = index_plot(
        sequences, pages_of(sequences), np.array([False, True]), Strip.USER, StripOrder.FIRST,
        most=9, width=5, colours=10, seed=0,
    )  # fmt: skip
    assert [made.places.names[place] for place in made.frequent] == ["C", "B"]


def test_nobody_makes_an_empty_plot() -> None:
    sequences = walks([[[A]]])
    made = index_plot(
        sequences, pages_of(sequences), np.array([False]), Strip.USER, StripOrder.LENGTH, most=9, width=5,
        colours=10, seed=0,
    )  # fmt: skip
    assert (len(made.cells), made.of, len(made.frequent)) == (0, 0, 0)
    assert len(made.runs(sequences)) == 0


@pytest.mark.parametrize("case", cases(200))
def test_random_walks_are_laid_out_as_by_a_loop(case: int) -> None:
    random = np.random.default_rng(case)
    sequences, width = random_walks(random), int(random.integers(1, 12))
    places, strip = pages_of(sequences), list(Strip)[case % 2]
    made = index_plot(
        sequences, places, np.ones(sequences.n_users, bool), strip, StripOrder.FIRST, most=999, width=width,
        colours=2, seed=case,
    )  # fmt: skip
    expected = []
    for user in range(sequences.n_users):
        own = range(sequences.offsets[user], sequences.offsets[user + 1])
        visits = [
            [places.names[places.of_page[sequences.page[view]]] for view in views] + [SESSION_ENDS]
            for _, views in groupby(own, key=lambda view: sequences.session[view])
        ]
        strips = visits if strip is Strip.SESSION else [list(chain(*visits))]
        expected += [(f"user {user}", one[:width]) for one in strips]
    found: dict[int, tuple[str, list[str]]] = {}
    for number, user_id, begin, stop, place in made.runs(sequences).itertuples(index=False):
        cells = found.setdefault(number, (user_id, []))[1]
        assert len(cells) == begin
        cells.extend([place] * (stop - begin))
    assert sorted(found.values()) == sorted(expected)
