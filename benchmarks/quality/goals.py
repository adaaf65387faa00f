"""The goals of the model beside what was reached: each a ratio or a level, from the means of one run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Means = Mapping[str, Mapping[str, float]]
"""Method → figure → mean."""


@dataclass(frozen=True)
class Goal:
    """One line.

    Args:
        text: What is asked.
        figure: Of our method.
        firm: Level to reach.
        stretch: Level wished for; None where there is none.
        against: Method whose figure it is divided by; None for a plain level.
        at_most: Whether less is better.
    """

    text: str
    figure: str
    firm: float
    stretch: float | None = None
    against: str | None = None
    at_most: bool = False


TFIDF, W2V, HAND = "TF-IDF + SVD", "word2vec mean", "w2v + Markov + tempo"
GOALS = (
    Goal("held-out ARI / TF-IDF", "ARI", 1.35, None, TFIDF),
    Goal("held-out ARI / word2vec", "ARI", 1.08, None, W2V),
    Goal("held-out ARI / w2v + Markov + tempo", "ARI", 1.0, 1.15, HAND),
    Goal("MRR random cut / TF-IDF", "MRR random", 1.8, None, TFIDF),
    Goal("MRR random cut / word2vec", "MRR random", 1.0, 1.1, W2V),
    Goal("MRR cross-session / TF-IDF", "MRR cross-session", 1.8, None, TFIDF),
    Goal("MRR cross-session / word2vec", "MRR cross-session", 1.0, 1.1, W2V),
    Goal("order twin AUC", "order twin", 0.85, 0.90),
    Goal("tempo twin AUC", "tempo twin", 0.98, 0.99),
    Goal("R² of log-length", "length R2", 0.5, 0.3, at_most=True),
    Goal("stability across training seeds (ARI)", "stability", 0.75, 0.86),
    Goal("next page hit@10 / bigram", "next", 1.0, None, "bigram"),
    Goal("next page hit@10 with history / bigram + history", "next + history", 1.0, None, "bigram + history"),
    Goal("training users/s / original", "train_users_per_s", 30, 100, "original recipe"),
    Goal("embedding users/s", "embed_users_per_s", 25_000, 60_000),
    Goal("CPU seconds of training (50k users: 150 / 60)", "train_cpu", 150, 60, at_most=True),
)


def reached(goal: Goal, means: Means, method: str) -> tuple[float, str] | None:
    """The value, and "firm", "stretch" or "not reached"; None where the run does not say."""
    value = means.get(method, {}).get(goal.figure)
    base = means.get(goal.against, {}).get(goal.figure) if goal.against else 1.0
    if value is None or not base:
        return None
    got = value / base
    sign = -1 if goal.at_most else 1
    if goal.stretch is not None and sign * got >= sign * goal.stretch:
        return got, "stretch"
    return got, "firm" if sign * got >= sign * goal.firm else "**not reached**"
