"""Scores over K against scikit-learn's silhouette, and the suggestion."""

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from core.base.errors import Cancelled, InputError
from core.base.progress import silent
from core.segments import choosing
from core.segments.choosing import KScore, Suggestion, scan, silhouettes, suggest
from tests.core.segments.blobs import blobs


def everybody(vectors: np.ndarray) -> np.ndarray:
    return np.ones(len(vectors), dtype=bool)


def test_the_planted_number_of_groups_has_the_best_silhouette() -> None:
    vectors, _ = blobs((60, 50, 40, 30), noise=0.12)
    scores = scan(vectors, everybody(vectors), range(2, 9), 0, silent)
    assert [score.k for score in scores] == list(range(2, 9))
    assert max(scores, key=lambda score: score.silhouette).k == 4
    assert suggest(scores).k == 4


def test_inertia_is_the_mean_squared_distance_and_falls() -> None:
    vectors, truth = blobs((60, 50, 40, 30), noise=0.12)
    scores = scan(vectors, everybody(vectors), [2, 3, 4], 0, silent)
    inertia = [score.inertia for score in scores]
    assert inertia == sorted(inertia, reverse=True)
    means = np.stack([vectors[truth == group].mean(axis=0) for group in range(4)])
    assert inertia[-1] == pytest.approx(((vectors - means[truth]) ** 2).sum(axis=1).mean(), rel=1e-4)


@pytest.mark.parametrize("block", [7, 1000])
def test_silhouettes_are_those_of_scikit_learn(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "BLOCK", block)
    rows = np.random.default_rng(0).normal(size=(80, 6)).astype(np.float32)
    labels = np.random.default_rng(1).integers(0, [2, 3, 5], size=(80, 3))
    found = silhouettes(rows, labels, silent)
    assert found == pytest.approx([silhouette_score(rows, column) for column in labels.T], abs=1e-4)


def test_a_segment_of_one_user_and_an_empty_one_count_as_scikit_learn_counts_them() -> None:
    rows = np.array([[0, 0], [0, 1], [5, 5], [9, 9]], dtype=np.float32)
    labels = np.array([[0], [0], [1], [3]])  # segment 2 is empty
    expected = silhouette_score(rows, labels[:, 0])
    assert silhouettes(rows, labels, silent) == pytest.approx([expected], abs=1e-5)


def test_users_outside_do_not_count() -> None:
    vectors, _ = blobs(noise=0.3)
    inside = np.arange(len(vectors)) % 3 != 0
    assert scan(vectors, inside, [2, 3], 0, silent) == scan(
        vectors[inside], inside[inside], [2, 3], 0, silent
    )


def test_the_same_seed_gives_the_same_scores_on_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "MEASURED", 40)
    vectors, _ = blobs(noise=0.3)
    one, same, other = (scan(vectors, everybody(vectors), [3], seed, silent) for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_numbers_that_are_too_large_are_left_out() -> None:
    different, _ = blobs((1, 1, 1, 1))
    vectors = np.repeat(different, 5, axis=0)
    assert [score.k for score in scan(vectors, everybody(vectors), range(2, 10), 0, silent)] == [2, 3]


def test_too_few_different_users_are_bad_input() -> None:
    vectors = np.tile(blobs((1, 1))[0], (5, 1))
    with pytest.raises(InputError, match="2 different users"):
        scan(vectors, everybody(vectors), range(2, 5), 0, silent)


def test_progress_rises_and_may_stop_the_scan() -> None:
    vectors, _ = blobs()
    told: list[float] = []

    def stop_at(limit: float) -> Callable[..., None]:
        def progress(stage: str, fraction: float, message: str = "", **figures: float) -> None:
            told.append(fraction)
            if fraction >= limit:
                raise Cancelled

        return progress

    scan(vectors, everybody(vectors), range(2, 6), 0, stop_at(2.0))
    assert told == sorted(told)
    assert told[-1] == 1.0
    with pytest.raises(Cancelled):
        scan(vectors, everybody(vectors), range(2, 6), 0, stop_at(0.3))


@pytest.mark.parametrize(
    ("silhouette", "expected"),
    [
        ([0.2, 0.5, 0.4], Suggestion(3, (3,))),
        ([0.2, 0.49, 0.5], Suggestion(3, (3, 4))),
        ([0.5, 0.5, 0.5], Suggestion(2, (2, 3, 4))),
        ([-0.2, -0.1, -0.101], Suggestion(3, (3, 4))),
    ],
)
def test_near_ties_go_to_fewer_segments(silhouette: list[float], expected: Suggestion) -> None:
    scores = [KScore(k, value, 1.0) for k, value in enumerate(silhouette, start=2)]
    assert suggest(scores) == expected


def test_nothing_to_choose_from_is_bad_input() -> None:
    with pytest.raises(InputError, match="No number"):
        suggest([])
