"""The baselines compute what their names say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.preprocessing import normalize

from benchmarks.quality.baselines import hand_views, markov_svd, tfidf_svd, types_or_groups, word2vec_cpu
from benchmarks.quality.features import bag
from benchmarks.quality.next_page import nearest_pages, simple_hits, tables
from core.base.schema import View
from core.model.inputs import Spans
from tests.benchmarks.quality_toys import toy_case
from tests.core.model.toys import sequences_of, shop


class TestTfidf:
    @pytest.mark.parametrize("sublinear", [False, True])
    def test_is_that_of_scikit_learn(self, tmp_path: Path, sublinear: bool) -> None:
        case = toy_case(tmp_path)
        counts = bag(case.sequences.page, 16, case.users)
        weighted = TfidfTransformer(sublinear_tf=sublinear).fit(counts[~case.held_out]).transform(counts)
        svd = TruncatedSVD(5, random_state=0).fit(weighted[~case.held_out])

        made = tfidf_svd(case, 0, rank=5, sublinear=sublinear)(case.users)

        assert made == pytest.approx(normalize(svd.transform(weighted)), abs=1e-3)

    def test_learns_nothing_from_users_held_out(self, tmp_path: Path) -> None:
        case = toy_case(tmp_path)
        page = case.sequences.page.copy()
        page[case.held_out[case.sequences.user]] = 0
        other = toy_case(tmp_path, type(case.sequences)(**{**vars(case.sequences), "page": page}))
        learning = case.users[np.flatnonzero(~case.held_out)]

        one, two = (tfidf_svd(made, 0, rank=4)(learning) for made in (case, other))

        assert one == pytest.approx(two, abs=1e-5)


def test_markov_sees_order_where_the_bag_does_not(tmp_path: Path) -> None:
    users = {f"u{n:02d}": [0, 1, 0, 1, 0, 1] if n % 2 else [1, 0, 1, 0, 1, 0] for n in range(40)}
    users["u40"] = [0, 0, 1, 1]
    case = toy_case(tmp_path, sequences_of(users))
    pair = Spans(case.sequences.offsets[:2], np.array([4, 4]))

    steps, bags = markov_svd(case, 0, rank=2)(pair), tfidf_svd(case, 0, rank=2)(pair)

    assert steps[0] @ steps[1] < 0.99
    assert bags[0] @ bags[1] == pytest.approx(1)


def test_steps_lead_between_groups_of_pages_where_types_say_little(tmp_path: Path) -> None:
    case = toy_case(tmp_path)  # has two types only

    _, count = types_or_groups(case)

    assert count > 2


def test_views_made_by_hand_are_centred(tmp_path: Path) -> None:
    case = toy_case(tmp_path)
    pytest.importorskip("gensim")

    made = hand_views(case, 0)[View.THEME](case.users)

    assert made[0] @ made[1] == pytest.approx(-1, abs=0.1)  # shoes and books


def test_the_cost_of_shared_vectors_is_remembered(tmp_path: Path) -> None:
    assert word2vec_cpu(toy_case(tmp_path), 0) == 0.0
    np.savez(tmp_path / "word2vec-0-8-5-1.npz", table=np.zeros((1, 8)), cpu=np.array(2.5))
    assert word2vec_cpu(toy_case(tmp_path), 0) == 2.5
    assert word2vec_cpu(toy_case(tmp_path), 1) == 0.0


class TestNextPageTables:
    """Everybody goes 0, 1, 2, 3 and round again, so the bigram knows what the popular pages do not."""

    def test_the_bigram_is_counted_by_hand(self, tmp_path: Path) -> None:
        case = toy_case(tmp_path, sequences_of({f"u{n:02d}": [0, 1, 2, 3] * 3 for n in range(50)}))

        made = tables(case)

        best = made.bigram.argmax(axis=1)
        assert best.tolist() == ((case.next_page.current + 1) % 4).tolist()
        assert best.tolist() == case.next_page.target.tolist()
        after_0 = made.bigram[case.next_page.current == 0][0]
        assert after_0[1] == pytest.approx(1 + 0.001 / 4)  # all of its steps, and a thousandth of popularity

    def test_own_history_is_the_share_of_each_page_so_far(self, tmp_path: Path) -> None:
        case = toy_case(tmp_path)
        made, asked = tables(case), case.next_page
        begin, length = int(asked.prefix.begin[0]), int(asked.prefix.length[0])
        expected = np.bincount(case.sequences.page[begin : begin + length], minlength=16) / length

        assert made.history[0] == pytest.approx(expected)

    def test_own_history_helps_who_goes_back_to_favourites(self, tmp_path: Path) -> None:
        rng = np.random.default_rng(0)
        users = {f"u{n:03d}": rng.choice([n % 16, (n + 5) % 16], 12).tolist() for n in range(200)}
        case = toy_case(tmp_path, sequences_of(users))

        hits = simple_hits(case, tables(case))

        assert hits["bigram + history"] >= hits["bigram"] > hits["popularity"] - 0.1
        assert hits["bigram + history"] == pytest.approx(1.0)

    def test_neighbours_tell_their_pages(self, tmp_path: Path) -> None:
        case = toy_case(tmp_path, shop(400))
        side = np.eye(2, dtype=np.float32)
        users = side[np.arange(400) % 2]
        asked = side[case.sequences.user[case.next_page.prefix.begin] % 2]

        near = nearest_pages(case, users, asked)

        shoes = near[asked[:, 0] == 1]
        assert shoes.sum(axis=1) == pytest.approx(1, abs=1e-5)
        assert shoes[:, 8:].sum() == 0
