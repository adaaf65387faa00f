"""What lies behind each mean: how a measure is spread over the users of every row."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from core.differences.means import user_values
from core.differences.table import MEASURES
from core.profiles.data import ProfileData
from core.profiles.outcomes import Happened
from core.profiles.profile_columns import ROW, Col
from core.profiles.rows import Rows

QUANTILES: Final = {"p05": 0.05, "p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95}
"""Column → share of the users that have no more."""
MEAN: Final = "mean"


def distributions(data: ProfileData, rows: Rows, happened: Happened | None) -> pd.DataFrame:
    """Quantiles of each measure over the users of each row that count in it.

    Args:
        data: The users.
        rows: Who belongs where.
        happened: Who converted; None where there is no outcome.

    Returns:
        One row a row and measure: the columns that say what a row is, ``metric``, ``n``, ``mean`` and
        :data:`QUANTILES`. The mean is that of the segments table, for a ratio that of the sums.
    """
    parts = []
    for measure in MEASURES:
        values = user_values(data, happened, measure)
        if values is None or values.is_share or not values.whole.any():
            continue
        counted = values.whole > 0
        each = values.part[counted] / values.whole[counted]
        groups = [each[rows.members(row)[counted]] for row in range(len(rows.head))]
        part, whole = (rows.with_all(rows.count(weights=side)) for side in (values.part, values.whole))
        mean = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
        parts.append(rows.head.assign(**_spread(groups), **{MEAN: mean, Col.METRIC: measure}))
    made = pd.concat(parts, ignore_index=True)
    return made[made[Col.N] > 0][[*ROW, Col.METRIC, Col.N, MEAN, *QUANTILES]].reset_index(drop=True)


def _spread(groups: list[np.ndarray]) -> dict[str, np.ndarray]:
    levels = list(QUANTILES.values())
    found = np.array(
        [np.quantile(own, levels) if len(own) else np.full(len(levels), np.nan) for own in groups]
    )
    return {Col.N: np.array([len(own) for own in groups]), **dict(zip(QUANTILES, found.T, strict=True))}
