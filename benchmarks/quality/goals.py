"""The goals of the model beside what was reached: each a ratio or a level, from the means of one run."""

from __future__ import annotations

import math
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
        method: Method whose figure it is; None for the variant of ours that is asked about.
    """

    text: str
    figure: str
    firm: float
    stretch: float | None = None
    against: str | None = None
    at_most: bool = False
    method: str | None = None


VIEWS = "views"
"""Stands for a method whose figures are :func:`view_figures`."""
TFIDF, W2V, HAND, FUSED = "TF-IDF + SVD", "word2vec mean", "w2v + Markov + tempo", "fused encoder (truth)"
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
    Goal("next page hit@10 / bigram + own history", "next", 1.0, None, "bigram + history"),
    Goal("the same, both with own history", "next + history", 1.0, None, "bigram + history"),
    Goal("training users/s / original", "train_users_per_s", 30, 100, "original recipe"),
    Goal("embedding users/s", "embed_users_per_s", 25_000, 60_000),
    Goal("CPU-s of training (50k users: 150 / 60)", "train_cpu", 150, 60, at_most=True),
    Goal("peak MB (270k users: 2,000 / 1,200)", "peak_mb", 2000, 1200, at_most=True),
    Goal("MRR random cut / fused encoder", "MRR random", 0.95, None, FUSED),
    Goal("MRR cross-session / fused encoder", "MRR cross-session", 0.95, None, FUSED),
    Goal("held-out ARI / fused encoder", "ARI", 0.95, None, FUSED),
    Goal("CPU-s of training / fused encoder", "train_cpu", 2.5, None, FUSED, at_most=True),
    Goal("theme vector when pages are swapped within themes: unchanged", "pure theme", 1.0, method=VIEWS),
    Goal("type vector when pages are swapped within types: unchanged", "pure type", 1.0, method=VIEWS),
    Goal("order twin AUC, theme alone", "order twin theme", 0.60, at_most=True, method=VIEWS),
    Goal("order twin AUC, type alone", "order twin type", 0.86, method=VIEWS),
    Goal("AMI with dominant theme, theme alone less type alone", "AMI apart", 0.15, method=VIEWS),
    Goal("MRR, URL alone / hand-made", "MRR url / hand", 1.1, method=VIEWS),
    Goal("MRR, theme alone / hand-made", "MRR theme / hand", 1.1, method=VIEWS),
    Goal("MRR, type alone / hand-made", "MRR type / hand", 1.1, method=VIEWS),
    Goal("MRR at random weights / hand-made, the worst", "MRR random weights", 1.3, method=VIEWS),
    Goal("ARI at random weights / hand-made, the worst", "ARI random weights", 1.1, method=VIEWS),
    Goal("users moved by URL alone / by another K-Means seed", "moved url", 1.0, method=VIEWS),
    Goal("users moved by theme alone / by another K-Means seed", "moved theme", 1.0, method=VIEWS),
    Goal("users moved by type alone / by another K-Means seed", "moved type", 1.0, method=VIEWS),
)


def view_figures(views: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """What the goals ask of the views.

    Args:
        views: Setting of the weights → figure → value, see :func:`benchmarks.quality.views.judge_views`.
    """
    found: dict[str, float] = {}
    alone = {name: views[name] for name in ("url", "theme", "type") if name in views}
    for name, row in alone.items():
        found[f"order twin {name}"] = row.get("order twin", math.nan)
        found[f"pure {name}"] = row.get("pure", math.nan)
        found[f"moved {name}"] = row["moved"] / max(views["default"]["moved"], 1e-9)
        found[f"MRR {name} / hand"] = _over_hand(row, "MRR random")
    if {"theme", "type"} <= alone.keys():
        found["AMI apart"] = alone["theme"]["AMI theme"] - alone["type"]["AMI theme"]
    mixes = [row for name, row in views.items() if name.startswith("random")]
    for name, figure in (("MRR random weights", "MRR random"), ("ARI random weights", "ARI")):
        found[name] = min((_over_hand(row, figure) for row in mixes), default=math.nan)
    return {name: value for name, value in found.items() if not math.isnan(value)}


def _over_hand(row: Mapping[str, float], figure: str) -> float:
    """A figure as a multiple of the hand-made views' at the same weights."""
    hand = row.get(f"hand {figure}", 0.0)
    return row[figure] / hand if hand and figure in row else math.nan


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
