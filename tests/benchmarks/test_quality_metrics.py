"""The measures of the quality benchmark, checked by hand on toys."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression

from benchmarks.quality.metrics import (
    agreement,
    clusters,
    halves_agree,
    hit_rate,
    length_r2,
    mean_rank,
    moved,
    pairwise_ari,
    purity,
    retrieval,
    separation,
)


class TestMeanRank:
    def test_counts_what_is_better(self) -> None:
        scores = np.array([[0.9, 0.5, 0.1], [0.9, 0.5, 0.1]])

        assert mean_rank(scores, np.array([0, 2])).tolist() == [1.0, 3.0]

    def test_ties_stand_at_their_mean(self) -> None:
        assert mean_rank(np.array([[0.5, 0.5, 0.5, 0.1]]), np.array([1])).tolist() == [2.0]  # of 1, 2, 3

    def test_a_method_that_cannot_tell_users_apart_is_no_better_than_chance(self) -> None:
        same = np.tile([[1.0, 0.0]], (101, 1))

        assert retrieval(same, same) == pytest.approx(1 / 51)


class TestRetrieval:
    def test_more_candidates_than_queries(self) -> None:
        query = np.array([[1.0, 0.0]])
        answer = np.array([[0.6, 0.8], [1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])

        assert retrieval(query, answer) == pytest.approx(1 / 3)

    def test_mean_of_reciprocal_ranks(self) -> None:
        query = np.array([[1.0, 0.0], [1.0, 0.0]])
        answer = np.array([[1.0, 0.0], [0.0, 1.0]])

        assert retrieval(query, answer) == pytest.approx((1 + 1 / 2) / 2)


def test_hit_rate_counts_a_tie_across_the_border_by_its_mean_rank() -> None:
    scores = np.array([[3.0, 2.0, 1.0], [1.0, 1.0, 1.0]])

    assert hit_rate(scores, np.array([1, 0]), within=2) == 1.0  # ranks 2 and (1 + 2 + 3) / 3
    assert hit_rate(scores, np.array([1, 0]), within=1) == 0.0


def test_clusters_find_two_heaps_and_repeat() -> None:
    vectors = np.array([[1, 0], [1, 0.01], [0, 1], [0.01, 1]], dtype=np.float32)

    labels = clusters(vectors, 2, 0)

    assert labels[0] == labels[1] != labels[2] == labels[3]
    assert clusters(vectors, 2, 0).tolist() == labels.tolist()


def test_halves_of_two_heaps_agree_and_those_of_noise_do_not() -> None:
    rng = np.random.default_rng(0)
    heaps = np.repeat(np.eye(2, 8), 50, axis=0) + 0.01 * rng.normal(size=(100, 8))
    noise = rng.normal(size=(100, 8))
    unit = [(one / np.linalg.norm(one, axis=1, keepdims=True)).astype(np.float32) for one in (heaps, noise)]
    assert halves_agree(unit[0], 2) == 1
    assert halves_agree(unit[1], 5) < 0.5


class TestAgreement:
    def test_names_of_clusters_do_not_matter(self) -> None:
        assert agreement(np.array(["a", "a", "b"]), np.array([1, 1, 0])) == (1.0, 1.0)

    def test_adjusted_rand_index_by_hand(self) -> None:
        # pairs together in both: 2; in truth 6; in labels 4; of 15: expected 1.6, at most 5
        truth, labels = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 1, 2, 2])

        assert agreement(truth, labels)[0] == pytest.approx((2 - 6 * 3 / 15) / ((6 + 3) / 2 - 6 * 3 / 15))

    def test_every_pair_of_seeds(self) -> None:
        one, other = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])

        assert pairwise_ari([one, one, other]) == pytest.approx([1.0, -0.5, -0.5])


def test_moved_ignores_renamed_segments() -> None:
    before, after = np.array([0, 0, 0, 1, 1]), np.array([1, 1, 0, 0, 0])

    assert moved(before, after) == pytest.approx(0.2)
    assert moved(before, 1 - before) == 0.0


def test_moved_when_a_segment_is_new() -> None:
    assert moved(np.array([0, 0, 0, 0]), np.array([0, 0, 2, 2])) == pytest.approx(0.5)


def test_purity_is_exact() -> None:
    plain = np.array([[1.0, 0.0], [0.0, 1.0]], dtype=np.float32)
    replaced = np.array([[1.0, 0.0], [0.0, np.nextafter(np.float32(1), np.float32(2))]], dtype=np.float32)

    assert purity(plain, plain) == 1.0
    assert purity(plain, replaced) == 0.5


class TestReadOuts:
    def test_a_number_that_tells_is_found(self) -> None:
        vectors = np.linspace(-1, 1, 20)[:, None]
        learns = np.arange(20) % 2 == 0

        assert separation(vectors, vectors[:, 0] > 0, learns) == 1.0

    def test_length_that_is_written_into_the_vectors_is_found(self) -> None:
        lengths = np.arange(1, 41)
        learns = np.arange(40) % 2 == 0

        assert length_r2(np.log(lengths)[:, None], lengths, learns) == pytest.approx(1.0)
        assert length_r2(np.ones((40, 1)), lengths, learns) < 0.1


class TestAgainstIndependentReferences:
    """Compute each figure by another way, on numbers drawn at random."""

    def test_mean_reciprocal_rank(self) -> None:
        rng = np.random.default_rng(0)
        query, answer = (np.eye(3, dtype=np.float32)[rng.integers(0, 3, size)] for size in (40, 60))
        expected = np.mean(
            [1 / rankdata(-query[row] @ answer.T, method="average")[row] for row in range(len(query))]
        )

        assert retrieval(query, answer) == pytest.approx(expected)

    def test_hit_rate(self) -> None:
        rng = np.random.default_rng(1)
        scores, target = rng.integers(0, 6, (50, 30)).astype(float), rng.integers(0, 30, 50)
        hits = [rankdata(-row, method="average")[own] <= 10 for row, own in zip(scores, target, strict=True)]

        assert hit_rate(scores, target) == pytest.approx(np.mean(hits))

    def test_adjusted_rand_index(self) -> None:
        rng = np.random.default_rng(2)
        truth, labels = rng.integers(0, 4, 60), rng.integers(0, 3, 60)
        pairs = list(combinations(range(60), 2))
        one = np.array([truth[a] == truth[b] for a, b in pairs])
        other = np.array([labels[a] == labels[b] for a, b in pairs])
        chance = one.sum() * other.sum() / len(pairs)
        expected = ((one & other).sum() - chance) / ((one.sum() + other.sum()) / 2 - chance)

        assert agreement(truth, labels)[0] == pytest.approx(expected)

    def test_area_under_the_curve(self) -> None:
        rng = np.random.default_rng(3)
        vectors = rng.normal(size=(80, 2))
        is_first = vectors[:, 0] + rng.normal(size=80) > 0
        learns = np.arange(80) < 50
        read = LogisticRegression(C=10, max_iter=500).fit(vectors[learns], is_first[learns])
        scores, asked = vectors[~learns] @ read.coef_[0], is_first[~learns]
        wins = (scores[asked][:, None] > scores[~asked]).mean()

        assert separation(vectors, is_first, learns) == pytest.approx(wins)

    def test_length_leak(self) -> None:
        rng = np.random.default_rng(4)
        vectors, lengths = rng.normal(size=(90, 3)), rng.integers(3, 50, 90)
        vectors[:, 0] += np.log(lengths)
        learns = np.arange(90) < 60
        with_one = np.column_stack([vectors, np.ones(90)])
        weights = np.linalg.lstsq(with_one[learns], np.log(lengths[learns]), rcond=None)[0]
        asked = np.log(lengths[~learns])
        error = np.square(asked - with_one[~learns] @ weights).sum()

        expected = 1 - error / np.square(asked - asked.mean()).sum()
        assert length_r2(vectors, lengths, learns) == pytest.approx(expected)
