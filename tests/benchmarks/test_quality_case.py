"""What every method of the quality benchmark gets, on sequences that one can check by eye."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from benchmarks.quality.case import MAX_LENGTH, chosen_users, next_pages, random_cuts, session_borders
from benchmarks.quality.floor import FLOORS, broken
from benchmarks.quality.next_page import best_mix, shares
from benchmarks.quality.original import halves
from benchmarks.quality.site_truth import true_names
from benchmarks.quality.views import swap
from core.base.schema import NO_THEME, UNKNOWN, View
from core.ingest.sample.site import HOST
from core.model.feature_blocks import bag
from core.model.inputs import Spans
from core.storage.sequences import UserSequences


def sequences(users: list[list[int]], sessions: list[list[int]] | None = None) -> UserSequences:
    lengths = [len(pages) for pages in users]
    return UserSequences(
        user_id=pa.array([str(number) for number in range(len(users))]),
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        page=np.concatenate(users).astype(np.int32),
        timestamp=np.concatenate([np.arange(length) * 2_000_000 for length in lengths]),
        session=np.concatenate(sessions or [[0] * length for length in lengths]).astype(np.int32),
    )


class TestCuts:
    def test_held_out_users_ask_and_others_fill_up(self) -> None:
        able = np.ones(80, dtype=bool)
        held_out = np.arange(80) < 60

        users, n_queries = chosen_users(able, held_out, np.random.default_rng(0)) or (np.array([]), 0)

        assert n_queries == 60
        assert sorted(users[:60].tolist()) == list(range(60))
        assert sorted(users[60:].tolist()) == list(range(60, 80))

    def test_too_few_users_cannot_ask(self) -> None:
        assert chosen_users(np.ones(80, bool), np.arange(80) < 49, np.random.default_rng(0)) is None

    def test_a_cut_lies_between_sessions_with_two_views_on_each_side(self) -> None:
        made = sequences(
            [[0, 1, 2, 3], [0, 1, 2, 3], [0, 1, 2, 3, 4]], [[0, 0, 1, 1], [0, 1, 1, 1], [0, 0, 0, 0, 1]]
        )

        assert session_borders(made, np.random.default_rng(0)).tolist() == [2, 0, 0]

    def test_a_random_cut_has_two_views_or_more_on_each_side_and_nothing_twice(self) -> None:
        made = sequences([list(range(length)) for length in range(6, 306)])
        users = np.arange(300)

        cut = random_cuts(made, np.ones(300, bool), users < 200, np.random.default_rng(0))

        assert cut is not None
        assert len(cut.query) == 200
        assert len(cut.answer) == 300
        own = cut.answer[slice(200)]
        assert (made.user[cut.query.begin] == made.user[own.begin]).all()
        assert (cut.query.begin + cut.query.length == own.begin).all()  # one ends where the other begins
        assert cut.query.length.min() >= 2
        assert own.length.min() >= 2
        assert max(cut.query.length.max(), own.length.max()) <= MAX_LENGTH

    def test_lengths_of_the_two_parts_are_not_related(self) -> None:
        made = sequences([list(range(20))] * 400)

        cut = random_cuts(made, np.ones(400, bool), np.ones(400, bool), np.random.default_rng(0))

        assert cut is not None
        assert set(cut.query.length.tolist()) == set(range(2, 19))

    def test_the_next_page_is_the_one_after_the_prefix(self) -> None:
        made = sequences([list(range(10))] * 20)
        asked = next_pages(made, np.ones(20, bool), np.arange(20) < 10)

        assert (asked.target == asked.prefix.length).all()  # page n comes after n pages
        assert (asked.current == asked.prefix.length - 1).all()
        assert asked.tuning.sum() == 1
        assert asked.counted.sum() == 9

    def test_halves_of_the_original(self) -> None:
        first, second = halves(Spans(np.array([4]), np.array([5])))

        assert (first.begin.tolist(), first.length.tolist()) == ([4], [2])
        assert (second.begin.tolist(), second.length.tolist()) == ([6], [3])


class TestNextPage:
    def test_rows_of_shares_sum_to_one_or_are_empty(self) -> None:
        counts = bag(np.array([0, 1, 1]), 2, Spans(np.array([0]), np.array([3])))

        assert shares(counts).toarray()[0].tolist() == pytest.approx([1 / 3, 2 / 3])

    def test_a_mix_that_does_not_help_those_set_aside_is_not_made(self) -> None:
        base = np.eye(20, dtype=np.float32)
        misleading = np.ones((20, 20), dtype=np.float32) - base

        mixed = best_mix(base, {"bad": misleading}, np.arange(20), np.ones(20, bool))

        assert mixed.tolist() == base.tolist()


def test_swapped_pages_keep_their_names() -> None:
    names = np.array(["a", "b", "a", "b", "c"])
    page = np.array([0, 1, 2, 3, 4, 0, 1] * 10)

    swapped = swap(page, names.tolist())

    assert names[swapped].tolist() == names[page].tolist()
    assert (swapped != page).any()
    assert swapped[4] == 4


def test_true_names_of_the_demo_shop() -> None:
    host = HOST.lower()
    urls = [
        f"{host}/shop/tents/tarps/fell-tarp", f"{host}/compare/tarps", f"{host}/cart",
        f"{host}/search?q=rain%20jacket", "https://elsewhere.example/",
    ]  # fmt: skip

    names = true_names(urls)

    assert names[View.TYPE] == ["PRODUCT", UNKNOWN, "CART", "SEARCH", UNKNOWN]
    assert names[View.THEME][0] == "tents"
    assert names[View.THEME][2:] == [NO_THEME, NO_THEME, NO_THEME]


def test_the_floor_names_what_is_broken() -> None:
    assert broken(dict(FLOORS)) == []
    assert broken(dict.fromkeys(FLOORS, 0.0))[0].startswith("MRR random: 0.00 ×")
