"""Segments × metrics: how far each row is from the other clustered users.

``z`` is the difference of the written figures in standard deviations of a user. Behaviour has a long tail,
and one robot with 5,000 page views would make every difference look small; so each user's value counts up to
three times the 99th percentile of the values above 0, for ``z`` only. That is far beyond what people do:
without a robot ``z`` goes up and down with the ``value`` beside it, the number of the segments table.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from core.profiles.counts import Counts, HappenedCounts
from core.profiles.numbers import Numbers, put_together
from core.profiles.profile_columns import ROW, Col, Field
from core.profiles.rows import Rows

CLIP: Final = 1.5
"""Colours end here; 0.8 is already called a large difference (Cohen 1988)."""
CAP, CAP_TIMES = 0.99, 3
"""Quantile of the values above 0, and how many times it a user counts at most."""


def heat_map(
    counts: Counts, happened: HappenedCounts | None, segments: pd.DataFrame, fields: Iterable[Field]
) -> pd.DataFrame:
    """Compare each row with the other clustered users.

    Args:
        counts: What was counted of the users.
        happened: Who has the outcome; None where the data has none.
        segments: The segments table.
        fields: What each column of the segments table is.

    Returns:
        One row a row and metric: the columns that say what a row is, ``metric``, ``value``, ``z`` (−1.5 to
        1.5), ``n`` and ``evidence``. A metric that is absent for everybody is left out.
    """
    described = {field.field: field for field in fields}
    parts = []
    for metric, numbers in {**counts.numbers, **_of_outcome(counts.sizes, happened)}.items():
        if segments[metric].notna().any():
            found = {
                Col.METRIC: np.repeat(metric, len(segments)),
                Col.VALUE: segments[metric].to_numpy(dtype=np.float64),
                Col.Z: _z(counts.rows, numbers),
                Col.N: segments[described[metric].n].to_numpy(),
                Col.EVIDENCE: np.repeat(described[metric].evidence.value, len(segments)),
            }
            parts.append(segments[[*ROW]].assign(**found))
    return pd.concat(parts, ignore_index=True)


def _of_outcome(sizes: np.ndarray, happened: HappenedCounts | None) -> dict[str, Numbers]:
    """Whether each user has the outcome, as 0 and 1, and what they paid in the one currency."""
    if happened is None:
        return {}
    did, row = happened.users[:-1], np.arange(len(sizes))
    found = {Col.OUTCOME_RATE: _with_zeros(Numbers(row, np.ones(len(row)), did, did), sizes)}
    if len(happened.paid) == 1:
        (paid,) = happened.paid.values()
        found[Col.REVENUE_PER_USER] = _with_zeros(paid.only(paid.row < len(sizes)), sizes)
    return found


def _with_zeros(numbers: Numbers, sizes: np.ndarray) -> Numbers:
    """With the users of each row who have none."""
    row, without = np.arange(len(sizes)), sizes - numbers.known(len(sizes))
    made = put_together([numbers, Numbers(row, np.zeros(len(sizes)), without, without)])
    return made.only(made.users > 0)


def _z(rows: Rows, numbers: Numbers) -> np.ndarray:
    """Of each row; NaN where nobody has a value, and of all users, who have no others.

    A figure a session is a mean over sessions: its users count as often as they have some.
    """
    clustered = numbers.only(numbers.row < rows.n_segments)
    above = clustered.only(slice(np.searchsorted(clustered.value, 0, side="right"), None))
    cap = CAP_TIMES * above.above(CAP) if len(above.value) else 0
    capped, inside = (replace(one, value=np.minimum(one.value, cap)) for one in (numbers, clustered))
    known, sums = numbers.known(rows.n_rows), capped.sums(rows.n_rows)
    apart = _means(rows.with_all(sums), rows.with_all(known)) - _means(rows.rest(sums), rows.rest(known))
    spread = inside.spread
    z: np.ndarray = np.clip(apart / spread if spread > 0 else apart * 0, -CLIP, CLIP)
    return z


def _means(sums: np.ndarray, known: np.ndarray) -> np.ndarray:
    means: np.ndarray = np.divide(sums, known, out=np.full(len(sums), np.nan), where=known > 0)
    return means
