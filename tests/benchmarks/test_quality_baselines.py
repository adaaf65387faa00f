"""The baselines compute what their names say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.quality.baselines import codes, hand_views, markov_svd, tempo, tfidf_svd, types_or_groups
from benchmarks.quality.next_page import nearest_pages, simple_hits, tables
from core.model.inputs import Spans
from tests.benchmarks.quality_toys import toy_case
from tests.core.model.toys import sequences_of, shop


def test_the_bag_learns_nothing_from_users_held_out() -> None:
    case = toy_case()
    page = case.sequences.page.copy()
    page[case.held_out[case.sequences.user]] = 0
    other = toy_case(replace(case.sequences, page=page))
    learning = case.users[np.flatnonzero(~case.held_out)]

    one, two = (tfidf_svd(made, 0, rank=4)(learning) for made in (case, other))

    assert one == pytest.approx(two, abs=1e-5)


class TestFeatures:
    def test_tempo_of_a_single_view_is_nothing(self) -> None:
        made = tempo(sequences_of({"a": [0, 1, 2]}), Spans(np.array([0, 1]), np.array([3, 1])))

        assert np.square(made).sum(axis=1).tolist() == pytest.approx([1.0, 0.0])

    def test_equal_names_have_one_number(self) -> None:
        assert codes(["b", "a", "b"]).tolist() == [1, 0, 1]


def test_markov_sees_order_where_the_bag_does_not() -> None:
    users = {f"u{n:02d}": [0, 1, 0, 1, 0, 1] if n % 2 else [1, 0, 1, 0, 1, 0] for n in range(40)}
    users["u40"] = [0, 0, 1, 1]
    case = toy_case(sequences_of(users))
    pair = Spans(case.sequences.offsets[:2], np.array([4, 4]))

    steps, bags = markov_svd(case, 0, rank=2)(pair), tfidf_svd(case, 0, rank=2)(pair)

    assert steps[0] @ steps[1] < 0.99
    assert bags[0] @ bags[1] == pytest.approx(1)


def test_steps_lead_between_groups_of_pages_where_types_say_little() -> None:
    case = toy_case()  # has two types only

    _, count = types_or_groups(case)

    assert count > 2


def test_views_made_by_hand_are_centred() -> None:
    case = toy_case()
    pytest.importorskip("gensim")

    made = hand_views(case, 0)["theme"](case.users)

    assert made[0] @ made[1] == pytest.approx(-1, abs=0.1)  # shoes and books


class TestNextPageTables:
    """Everybody goes 0, 1, 2, 3 and round again, so the bigram knows what the popular pages do not."""

    def test_the_bigram_is_counted_by_hand(self) -> None:
        case = toy_case(sequences_of({f"u{n:02d}": [0, 1, 2, 3] * 3 for n in range(50)}))

        made = tables(case)

        best = made.bigram.argmax(axis=1)
        assert best.tolist() == ((case.next_page.current + 1) % 4).tolist()
        assert best.tolist() == case.next_page.target.tolist()
        after_0 = made.bigram[case.next_page.current == 0][0]
        assert after_0[1] == pytest.approx(1 + 0.001 / 4)  # all of its steps, and a thousandth of popularity

    def test_own_history_is_the_share_of_each_page_so_far(self) -> None:
        case = toy_case()
        made, asked = tables(case), case.next_page
        begin, length = int(asked.prefix.begin[0]), int(asked.prefix.length[0])
        expected = np.bincount(case.sequences.page[begin : begin + length], minlength=16) / length

        assert made.history[0] == pytest.approx(expected)

    def test_own_history_helps_who_goes_back_to_favourites(self) -> None:
        rng = np.random.default_rng(0)
        users = {f"u{n:03d}": rng.choice([n % 16, (n + 5) % 16], 12).tolist() for n in range(200)}
        case = toy_case(sequences_of(users))

        hits = simple_hits(case, tables(case))

        assert hits["bigram + history"] >= hits["bigram"] > hits["popularity"] - 0.1
        assert hits["bigram + history"] == pytest.approx(1.0)

    def test_neighbours_tell_their_pages(self) -> None:
        case = toy_case(shop(400))
        side = np.eye(2, dtype=np.float32)
        users = side[np.arange(400) % 2]
        asked = side[case.sequences.user[case.next_page.prefix.begin] % 2]

        near = nearest_pages(case, users, asked)

        shoes = near[asked[:, 0] == 1]
        assert shoes.sum(axis=1) == pytest.approx(1, abs=1e-5)
        assert shoes[:, 8:].sum() == 0
