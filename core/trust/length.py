"""How much of a vector is mere length: read the logarithm of page views from it by a straight line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from sklearn.linear_model import Ridge

from core.segments.geometry import repeatable
from core.trust.case import SEED
from core.trust.intervals import r2_interval, resample
from core.trust.result import Figure, Method, Question, Topic

FEWEST: Final = 200
INTERVAL: Final = "95 % interval over the users judged on (bootstrap)"


def measure(vectors: Mapping[Method, np.ndarray], lengths: np.ndarray, judged: np.ndarray) -> Question:
    """Learn to read the length from some users and judge on others.

    Args:
        vectors: float32 of shape (n, d) a way.
        lengths: int of shape (n,), page views.
        judged: bool of shape (n,), users held out; where there are too few, a random third.
    """
    if len(lengths) < FEWEST:
        reason = f"{len(lengths):,} users are too few: {FEWEST} are needed."
        return Question(topic=Topic.LENGTH, absent=reason)
    if judged.sum() < FEWEST // 4:
        judged = np.random.default_rng(SEED).permutation(len(lengths)) < len(lengths) // 3
    if np.ptp(lengths[judged]) == 0:
        return Question(topic=Topic.LENGTH, absent="All users have the same number of page views.")
    log = np.log(lengths)
    drawn = resample(int(judged.sum()), SEED, times=500)
    figures = []
    for method, rows in vectors.items():
        with repeatable():
            read = Ridge(alpha=1.0).fit(rows[~judged], log[~judged]).predict(rows[judged])
        value, low, high = r2_interval(log[judged], read, drawn)
        figures.append(Figure(method=method, value=value, low=low, high=high))
    return Question(
        topic=Topic.LENGTH, n=int(judged.sum()), interval=INTERVAL,
        facts={"learned on": int((~judged).sum())}, figures=tuple(figures),
    )  # fmt: skip
