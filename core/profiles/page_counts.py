"""Every page's figures for every row, whether or not it is among the listed ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from core.profiles.columns import ROW, Col
from core.profiles.data import ProfileData
from core.profiles.rows import Rows

COLUMNS: Final = (*ROW, Col.PAGE, Col.USERS, Col.N, Col.REST_USERS, Col.REST_N, Col.VIEWS)


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

    def page(self, page: int) -> pd.DataFrame:
        """One page, below the number of pages that are counted.

        Returns:
            One row a row, columns :data:`COLUMNS`; the rest is absent for all users.
        """
        rows, users, sizes = self.rows, self.users[:, page], self.rows.count()
        counted: dict[str, np.ndarray] = {
            Col.PAGE: np.full(rows.n_rows + 1, page),
            Col.USERS: rows.with_all(users),
            Col.N: rows.with_all(sizes),
            Col.REST_USERS: np.append(rows.rest(users), np.nan),
            Col.REST_N: np.append(rows.rest(sizes), np.nan),
            Col.VIEWS: rows.with_all(self.views[:, page]),
        }
        return rows.head.assign(**counted)[list(COLUMNS)]
