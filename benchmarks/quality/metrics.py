"""The measures, each a pure function of arrays.

Letters: n users, d numbers a vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score, confusion_matrix, roc_auc_score

from core.base.settings import ClusterSettings
from core.segments.clustering import assign, fit

TIE = 1e-6
HALVINGS = 4


def mean_rank(scores: np.ndarray, own: np.ndarray, tie: float = TIE) -> np.ndarray:
    """Rank of each row's own score among the row, 1 the best; ties at their mean rank.

    Args:
        scores: (n, m).
        own: int of shape (n,), the column of the own one.
        tie: Scores closer than this are equal.
    """
    mine = scores[np.arange(len(scores)), own][:, None]
    better = (scores > mine + tie).sum(axis=1)
    ties = (np.abs(scores - mine) <= tie).sum(axis=1) - 1
    ranks: np.ndarray = 1 + better + ties / 2
    return ranks


def retrieval(query: np.ndarray, answer: np.ndarray) -> float:
    """Mean of 1 / rank of each query's own answer by cosine.

    Args:
        query: (n, d) unit vectors.
        answer: (m, d) unit vectors, m >= n, row i the own answer of query i.
    """
    return float(np.mean(1 / mean_rank(query @ answer.T, np.arange(len(query)))))


def hit_rate(scores: np.ndarray, target: np.ndarray, within: float = 10) -> float:
    """Share of rows whose target is among the best ``within`` scores; ties at their mean rank."""
    return float(np.mean(mean_rank(scores, target, tie=0.0) <= within))


def clusters(vectors: np.ndarray, k: int, seed: int) -> np.ndarray:
    """Labels of unit vectors by the K-Means of the app, the same for every method."""
    everybody = np.ones(len(vectors), dtype=bool)
    return fit(vectors, everybody, ClusterSettings(n_clusters=k, seed=seed)).labels


def halves_agree(vectors: np.ndarray, k: int, draws: int = HALVINGS) -> float:
    """Mean adjusted Rand index of two clusterings of everybody, each fitted on one half of the users."""
    found = []
    for seed in range(draws):
        half = np.zeros(len(vectors), dtype=bool)
        half[np.random.default_rng(seed).permutation(len(vectors))[::2]] = True
        settings = ClusterSettings(n_clusters=k, seed=seed)
        cuts = [assign(vectors, fit(vectors, users, settings)) for users in (half, ~half)]
        found.append(adjusted_rand_score(*cuts))
    return float(np.mean(found))


def agreement(truth: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Adjusted Rand index and adjusted mutual information."""
    return float(adjusted_rand_score(truth, labels)), float(adjusted_mutual_info_score(truth, labels))


def pairwise_ari(labels: Sequence[np.ndarray]) -> list[float]:
    """Adjusted Rand index of every pair of clusterings."""
    return [float(adjusted_rand_score(one, other)) for one, other in combinations(labels, 2)]


def separation(vectors: np.ndarray, is_first: np.ndarray, learns: np.ndarray) -> float:
    """AUC of a logistic regression that tells two groups apart, fitted where ``learns``, judged elsewhere."""
    read = LogisticRegression(max_iter=500, C=10).fit(vectors[learns], is_first[learns])
    return float(roc_auc_score(is_first[~learns], read.decision_function(vectors[~learns])))


def length_r2(vectors: np.ndarray, lengths: np.ndarray, learns: np.ndarray) -> float:
    """R² of a linear regression of log ``lengths`` on vectors, fitted where ``learns``, judged elsewhere."""
    log = np.log(lengths)
    return float(LinearRegression().fit(vectors[learns], log[learns]).score(vectors[~learns], log[~learns]))


def moved(before: np.ndarray, after: np.ndarray) -> float:
    """Share of users in another segment, after the segments were matched as well as can be."""
    n = int(max(before.max(), after.max())) + 1
    table = confusion_matrix(before, after, labels=np.arange(n))
    rows, columns = linear_sum_assignment(-table)
    return float(1 - table[rows, columns].sum() / len(before))


def purity(plain: np.ndarray, replaced: np.ndarray) -> float:
    """Share of users whose vector is exactly what it was."""
    return float(np.mean(np.all(plain == replaced, axis=1)))
