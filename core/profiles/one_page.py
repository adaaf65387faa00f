"""One page's figures for every row, whether or not it is among the listed ones."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from core.profiles.columns import ROW, Col
from core.profiles.data import ProfileData
from core.profiles.rows import Rows

COLUMNS: Final = (*ROW, Col.PAGE, Col.USERS, Col.N, Col.REST_USERS, Col.REST_N, Col.VIEWS)


def one_page(data: ProfileData, rows: Rows, page: int) -> pd.DataFrame:
    """Who saw a page, counted as in ``core/profiles/top_pages.py``.

    Args:
        data: The users and what they saw.
        rows: Who belongs where.
        page: Its index, below ``len(data.page_location)``.

    Returns:
        One row a row, columns :data:`COLUMNS`; the rest is absent for all users.
    """
    pairs = np.flatnonzero(data.seen.page == page)
    user, sizes = data.seen.user[pairs], rows.count()
    users, views = rows.count(user), rows.count(user, data.seen.views[pairs])
    counted: dict[str, np.ndarray] = {
        Col.PAGE: np.full(rows.n_rows + 1, page),
        Col.USERS: rows.with_all(users),
        Col.N: rows.with_all(sizes),
        Col.REST_USERS: np.append(rows.rest(users), np.nan),
        Col.REST_N: np.append(rows.rest(sizes), np.nan),
        Col.VIEWS: rows.with_all(views),
    }
    return rows.head.assign(**counted)[list(COLUMNS)]
