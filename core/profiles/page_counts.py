"""Every page's figures for every row, whether or not it is among the listed ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from core.profiles.data import ProfileData
from core.profiles.label_shares import LabelCol
from core.profiles.lifts import user_lift_interval
from core.profiles.profile_columns import Col
from core.profiles.rows import Rows
from core.profiles.wilson import wilson


@dataclass(frozen=True, eq=False)
class PageCounts:
    """Who saw which page how often, counted as in ``core/profiles/top_pages.py``.

    Args:
        rows: Who belongs where.
        users: float64 of shape (n_rows, n_pages).
        views: float64 of shape (n_rows, n_pages).
    """

    rows: Rows
    users: np.ndarray
    views: np.ndarray

    @classmethod
    def of(cls, data: ProfileData, rows: Rows) -> PageCounts:
        """Count once a partition."""
        seen, n_pages = data.seen, len(data.page_location)
        return cls(
            rows,
            rows.table(seen.user, seen.page, n_pages),
            rows.table(seen.user, seen.page, n_pages, seen.views),
        )

    @cached_property
    def columns(self) -> Mapping[str, np.ndarray]:
        """Column → figure of every row, totals last, and page: float64 of (n_rows + n_totals, n_pages).

        Counts of users and of the rest, which is absent for all users, page views, and what
        :func:`with_intervals` makes of them.
        """
        rows, sizes = self.rows, self.rows.count()[:, None]
        counted = {
            Col.USERS: rows.with_all(self.users),
            Col.N: rows.with_all(sizes),
            Col.REST_USERS: rows.rest(self.users),
            Col.REST_N: rows.rest(sizes),
            Col.VIEWS: rows.with_all(self.views),
        }
        made = counted | with_intervals(counted)
        return {name: np.broadcast_to(figures, counted[Col.USERS].shape) for name, figures in made.items()}


def with_intervals(counts: Mapping[str, np.ndarray] | pd.DataFrame) -> dict[str, np.ndarray]:
    """Share, lift and their intervals of counts of users, of any shape."""
    users, n, rest, rest_n = (
        np.asarray(counts[column], dtype=np.float64)
        for column in (Col.USERS, Col.N, Col.REST_USERS, Col.REST_N)
    )
    low, high = wilson(users, n)
    lift_low, lift_high = user_lift_interval(users, n, rest, rest_n)
    with np.errstate(divide="ignore", invalid="ignore"):
        share, rest_share = users / n, rest / rest_n
        lift = np.where(rest_share > 0, share / rest_share, np.nan)
    return {
        Col.SHARE: share, LabelCol.SHARE_LOW: low, LabelCol.SHARE_HIGH: high, Col.REST_SHARE: rest_share,
        Col.LIFT: lift, LabelCol.LIFT_LOW: lift_low, LabelCol.LIFT_HIGH: lift_high,
    }  # fmt: skip
