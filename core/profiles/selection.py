"""What a hand-picked set of users is like: how it mixes the segments, and which pages set it apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.base.errors import InputError
from core.base.wording import counted
from core.profiles.counts import count_pages
from core.profiles.data import ProfileData
from core.profiles.profile_columns import ROW, Col, PageRanking, RowKind
from core.profiles.rows import Rows, make_rows
from core.profiles.top_pages import top_pages
from core.segments.levels import SmallKind


@dataclass(frozen=True, eq=False)
class Selection:
    """Users that somebody drew a line around.

    Args:
        users: Their indices, ascending.
        mix: One row a segment or group that they come from, most first: the columns that say what a row
            is, ``users`` of them, their ``share`` of the selection, and ``rest_share``, the same of all
            other users.
        pages: Pages over-represented among them against all other users, best first; then, where there is
            none, the most viewed ones. Columns of ``core/profiles/top_pages.py``.
    """

    users: np.ndarray
    mix: pd.DataFrame
    pages: pd.DataFrame


def select(data: ProfileData, rows: Rows, users: np.ndarray, count: int = 10) -> Selection:
    """Describe some users.

    Args:
        data: All users.
        rows: Where they belong.
        users: int of shape (m,), user indices, each once.
        count: Pages to list.

    Raises:
        InputError: If no user is selected.
    """
    if not len(users):
        raise InputError("No user is selected", remedy="Draw around at least one user")
    return Selection(users, _mix(rows, users), _pages(data, users, count))


def small_kind_sentence(data: ProfileData, kind: SmallKind) -> str:
    """How many users a small kind has, the page that sets them apart most, and how sure it is.

    ``A small kind beside these: 61 users (2.0%), 72% of whom view /careers, would come again (Jaccard 0.78)``
    """
    page = _pages(data, np.array(kind.users), 1).iloc[0]
    return (
        f"A small kind beside these: {counted(len(kind.users), 'user')} ({kind.share:.1%}), "
        f"{page[Col.SHARE]:.0%} of whom view {page[Col.PAGE_LOCATION]}, would come again "
        f"(Jaccard {kind.agreement:.2f})"
    )


def _mix(rows: Rows, users: np.ndarray) -> pd.DataFrame:
    here = rows.count(users)
    others = rows.count() - here
    rest_share = others / others.sum() if others.any() else np.full(rows.n_rows, np.nan)
    table = rows.head.iloc[: rows.n_rows].assign(
        **{Col.USERS: here.astype(np.int64), Col.SHARE: here / here.sum(), Col.REST_SHARE: rest_share}
    )
    mine = table[table[Col.USERS] > 0]
    return mine.sort_values(Col.USERS, ascending=False, kind="stable").reset_index(drop=True)[
        [*ROW, Col.USERS, Col.SHARE, Col.REST_SHARE]
    ]


def _pages(data: ProfileData, users: np.ndarray, count: int) -> pd.DataFrame:
    selected = np.ones(data.n_users, dtype=np.int32)
    selected[users] = 0
    rows = make_rows(data, selected)
    table = top_pages(count_pages(data, rows), rows, rows.count(), count)
    own = table[(table[Col.SEGMENT] == 0) & (table[Col.KIND] == RowKind.SEGMENT)]
    over = own[own[Col.RANKING] == PageRanking.OVER]
    found = over if len(over) else own[own[Col.RANKING] == PageRanking.MOST_VIEWED]
    return found.reset_index(drop=True)
