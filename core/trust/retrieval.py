"""Is a user found again? One part of the visits asks, the other part is looked for among many."""

from __future__ import annotations

from typing import Final

import numpy as np

from core.model.inputs import Spans
from core.model.triplets import random_cut
from core.model.validation import TIE
from core.trust.case import NOTHING_HELD_OUT, SEED, Case
from core.trust.intervals import mean_comparisons, mean_figures, resample
from core.trust.result import Method, Question, Topic

MIN_VIEWS: Final = 6
CANDIDATES: Final = 1_000
FEWEST_QUERIES: Final = 50
MATTERS: Final = 0.2
"""A mean reciprocal rank that differs by less than this share would not change anybody's mind."""
INTERVAL: Final = "95 % interval over the users who ask (bootstrap, paired)"


def measure(case: Case) -> Question:
    """Cut users in two at random and find the second part by the first."""
    if not case.held_out.any():
        return Question(topic=Topic.RETRIEVAL, absent=NOTHING_HELD_OUT)
    users, n_queries = _chosen(case)
    if n_queries < FEWEST_QUERIES:
        reason = (
            f"Only {n_queries} users that the model never saw have {MIN_VIEWS} page views or more, and "
            f"{FEWEST_QUERIES} are needed."
        )
        return Question(topic=Topic.RETRIEVAL, absent=reason)
    asked, answers = _parts(case, users, n_queries)
    scores = _scores(case, asked, answers)
    drawn = resample(n_queries, SEED)
    return Question(
        topic=Topic.RETRIEVAL, n=n_queries, interval=INTERVAL, facts={"candidates": len(answers)},
        figures=mean_figures(scores, drawn), comparisons=mean_comparisons(scores, drawn, MATTERS),
    )  # fmt: skip


def reciprocal_ranks(query: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """1 / rank of each query's own answer among all answers by cosine; ties at their mean rank.

    Args:
        query: float of shape (n, d), unit vectors.
        answer: float of shape (m, d), m ≥ n, row i being the own answer of query i.

    Returns:
        float64 of shape (n,).
    """
    similarity = query @ answer.T  # (n, m)
    own = similarity[np.arange(len(query)), np.arange(len(query))][:, None]
    better = (similarity > own + TIE).sum(axis=1)
    ties = (np.abs(similarity - own) <= TIE).sum(axis=1) - 1
    found: np.ndarray = 1 / (1 + better + ties / 2)
    return found


def _chosen(case: Case) -> tuple[np.ndarray, int]:
    """Held-out users first, then others as candidates only; and how many are held out."""
    rng = np.random.default_rng(SEED)
    able = case.inside & (case.sequences.lengths >= MIN_VIEWS)
    asking = rng.permutation(np.flatnonzero(able & case.held_out))[:CANDIDATES]
    others = rng.permutation(np.flatnonzero(able & ~case.held_out))[: CANDIDATES - len(asking)]
    return np.concatenate([asking, others]), len(asking)


def _parts(case: Case, users: np.ndarray, n_queries: int) -> tuple[Spans, Spans]:
    """The last page views before a random cut, of those who ask; the first ones after it, of all."""
    whole = Spans(case.sequences.offsets[users], case.sequences.lengths[users])
    before, after = random_cut(whole, np.random.default_rng(SEED))
    kept = np.minimum(before.length, case.learned.max_length)
    asked = Spans(before.begin + before.length - kept, kept)[slice(n_queries)]
    return asked, Spans(after.begin, np.minimum(after.length, case.learned.max_length))


def _scores(case: Case, asked: Spans, answers: Spans) -> dict[Method, np.ndarray]:
    """Reciprocal ranks of each way, in the order of :class:`Method`."""
    both = Spans(np.concatenate([asked.begin, answers.begin]), np.concatenate([asked.length, answers.length]))
    vectors = case.embed(both) | {Method.SHUFFLED: case.learned.embed_shuffled(both, SEED)}
    n = len(asked)
    return {
        method: reciprocal_ranks(vectors[method][:n], vectors[method][n:])
        for method in Method
        if method in vectors
    }
