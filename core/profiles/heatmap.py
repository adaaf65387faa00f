"""Segments × metrics: how far each row is from the other clustered users.

``z`` is the difference of the written figures in standard deviations of a user. Behaviour has a long tail,
and one robot with 5,000 page views would make every difference look small; so each user's value counts up to
three times the 99th percentile of the values above 0, for ``z`` only. That is far beyond what people do:
without a robot ``z`` goes up and down with the ``value`` beside it, the number of the segments table.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import pandas as pd

from core.profiles.data import ProfileData
from core.profiles.outcomes import Happened
from core.profiles.profile_columns import HEAT_MAP, ROW, Col, Field
from core.profiles.rows import Rows

CLIP: Final = 1.5
"""Colours end here; 0.8 is already called a large difference (Cohen 1988)."""
CAP, CAP_TIMES = 0.99, 3
"""Quantile of the values above 0, and how many times it a user counts at most."""


def heat_map(
    data: ProfileData,
    rows: Rows,
    segments: pd.DataFrame,
    happened: Happened | None,
    fields: Iterable[Field],
) -> pd.DataFrame:
    """Compare each row with the other clustered users.

    Args:
        data: The users.
        rows: Who belongs where.
        segments: The segments table.
        happened: The outcome; None where the data has none.
        fields: What each column of the segments table is.

    Returns:
        One row a row and metric: the columns that say what a row is, ``metric``, ``value``, ``z`` (−1.5 to
        1.5), ``n`` and ``evidence``. A metric that is absent for everybody is left out.
    """
    described = {field.field: field for field in fields}
    parts = []
    for metric, user_values in _user_values(data, happened).items():
        weights = data.sessions if metric == Col.PAGES_PER_SESSION else np.ones(data.n_users)
        if segments[metric].notna().any():
            found = {
                Col.METRIC: np.repeat(metric, len(segments)),
                Col.VALUE: segments[metric].to_numpy(dtype=np.float64),
                Col.Z: _z(rows, user_values, weights.astype(np.float64)),
                Col.N: segments[described[metric].n].to_numpy(),
                Col.EVIDENCE: np.repeat(described[metric].evidence.value, len(segments)),
            }
            parts.append(segments[[*ROW]].assign(**found))
    return pd.concat(parts, ignore_index=True)


def _user_values(data: ProfileData, happened: Happened | None) -> dict[str, np.ndarray]:
    """What each metric is of one user; NaN where the user does not count."""
    values = {
        Col.PAGE_VIEWS_MEAN: data.page_views,
        Col.SESSIONS_MEAN: data.sessions,
        Col.PAGES_PER_SESSION: data.page_views / np.maximum(data.sessions, 1),
        Col.DIFFERENT_PAGES_MEAN: data.different_pages,
        Col.ENGAGEMENT_MEAN: data.engagement_s,
    }
    if happened is not None:
        money = np.nan_to_num(happened.revenue)
        values[Col.OUTCOME_RATE] = np.bincount(happened.user, minlength=data.n_users) > 0
        values[Col.REVENUE_PER_USER] = np.bincount(happened.user, money, minlength=data.n_users)
    return {metric: values[metric].astype(np.float64) for metric in HEAT_MAP if metric in values}


def _z(rows: Rows, user_values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Of each row; NaN where nobody has a value, and of all users, who have no others.

    A figure a session is a mean over sessions: its users count as often as they have some.
    """
    has = ~np.isnan(user_values)
    clustered = has & (rows.place < rows.n_segments)
    above = user_values[clustered & (user_values > 0)]
    capped = np.minimum(
        user_values, CAP_TIMES * np.quantile(above, CAP, method="higher") if len(above) else 0
    )
    known = rows.count(weights=has * weights)
    sums = rows.count(weights=np.where(has, capped * weights, 0))
    apart = _means(rows.with_all(sums), rows.with_all(known)) - _means(rows.rest(sums), rows.rest(known))
    spread = capped[clustered].std() if clustered.any() else 0
    z: np.ndarray = np.clip(apart / spread if spread > 0 else apart * 0, -CLIP, CLIP)
    return z


def _means(sums: np.ndarray, known: np.ndarray) -> np.ndarray:
    means: np.ndarray = np.divide(sums, known, out=np.full(len(sums), np.nan), where=known > 0)
    return means
