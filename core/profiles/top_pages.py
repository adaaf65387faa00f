"""Rank the pages that set a segment, or a hand-picked set of users, apart from the rest.

For each row and page: the share of the row's users who saw the page against that of the rest. Pages rank as
in the table of differences (``core/profiles/differences.py``), by the low end of Cohen's h where the interval
of the difference leaves out 0: so neither a page with three visitors nor one that everybody sees can win.
For pages seen less often it is negative. The model saw the pages, so these are descriptions without a test.

:func:`describe_selection` describes hand-picked users: from which segments they are, and which pages set them
apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from core.base.errors import InputError
from core.base.wording import pluralise
from core.profiles import two_shares
from core.profiles.counts import NamedCounts, count_pages
from core.profiles.data import ProfileData
from core.profiles.profile_columns import ROW, Col, MetricRole, PageRanking, RowKind
from core.profiles.rows import Rows, make_rows
from core.profiles.two_shares import Z_95
from core.segments.levels import SmallKind

COLUMNS: Final = (
    *ROW, Col.RANKING, Col.RANK, Col.PAGE, Col.PAGE_LOCATION, Col.PAGE_TITLE, Col.USERS, Col.N, Col.SHARE,
    Col.REST_USERS, Col.REST_N, Col.REST_SHARE, Col.LIFT, Col.DIFFERENCE, Col.SCORE, Col.VIEWS, Col.EVIDENCE,
)  # fmt: skip


def top_pages(pages: NamedCounts, rows: Rows, sizes: np.ndarray, count: int) -> pd.DataFrame:
    """Rank the pages of each row: surely over- or under-represented ones, and the most viewed.

    Args:
        pages: Users of each row who saw each page.
        rows: The rows.
        sizes: Users of each row, float64 of shape (n_rows,).
        count: Most pages of a ranking.

    Returns:
        A row for each listed page, columns :data:`COLUMNS`; all users have the most viewed pages only.
    """
    users, rest = rows.with_all(pages.users), rows.rest(pages.users)  # (n_rows + n_totals, n_pages)
    n, rest_n = rows.with_all(sizes), rows.rest(sizes)
    effects = sure_effects(users, n[:, None], rest, rest_n[:, None])
    facts = {
        Col.USERS: users,
        Col.REST_USERS: rest,
        Col.SCORE: np.where(np.isnan(rest), np.nan, effects),
        Col.VIEWS: rows.with_all(pages.times),
    }
    chosen = [
        *_chosen(PageRanking.OVER, effects, count),
        *_chosen(PageRanking.UNDER, -effects, count),
        *_chosen(PageRanking.MOST_VIEWED, facts[Col.VIEWS], count),
    ]
    return _table(pages, rows, chosen, facts, (n, rest_n))


def sure_effects(users: np.ndarray, n: np.ndarray, rest: np.ndarray, rest_n: np.ndarray) -> np.ndarray:
    """Low end of Cohen's h of shares against the rest: above 0 if surely larger, below 0 if smaller.

    Args:
        users: Users of the row who saw the page, of any shape.
        n: Users of the row.
        rest: Users of the rest who saw it.
        rest_n: Users of the rest.

    Returns:
        Standard deviations; 0 where the interval of the difference holds 0 or there are no users to compare.
    """
    four = np.broadcast_arrays(users, n, rest, rest_n)
    low, high = two_shares.difference_interval(*four)
    effect, error = two_shares.effect_size(*four)
    size = np.maximum(np.abs(effect) - Z_95 * error, 0)
    sure: np.ndarray = np.where((low > 0) | (high < 0), np.sign(effect) * size, 0)
    return sure


def _chosen(ranking: PageRanking, scores: np.ndarray, count: int) -> list[tuple[PageRanking, int, int, int]]:
    """Ranking, row, rank and page of the best pages of each row that score above 0."""
    order = np.argsort(-scores, axis=1, kind="stable")[:, :count]  # equal scores: the more viewed page
    return [
        (ranking, row, rank, int(page))
        for row, best in enumerate(order)
        for rank, page in enumerate(best, start=1)
        if scores[row, page] > 0
    ]


def _table(
    pages: NamedCounts,
    rows: Rows,
    chosen: list[tuple[PageRanking, int, int, int]],
    facts: dict[str, np.ndarray],
    totals: tuple[np.ndarray, np.ndarray],
) -> pd.DataFrame:
    ranking, row, rank, page = (np.array(part) for part in zip(*chosen, strict=True))
    values = {name: fact[row, page] for name, fact in facts.items()}
    n, rest_n = totals[0][row], totals[1][row]
    with np.errstate(divide="ignore", invalid="ignore"):
        share, rest_share = values[Col.USERS] / n, values[Col.REST_USERS] / rest_n
        lift = share / rest_share
    columns = {
        Col.RANKING: [PageRanking(name).value for name in ranking],
        Col.RANK: rank,
        Col.PAGE: page,
        Col.PAGE_LOCATION: [pages.names[place] for place in page],
        Col.PAGE_TITLE: pd.array([pages.titles[place] for place in page], dtype="str"),
        Col.USERS: values[Col.USERS].astype(np.int64),
        Col.N: n.astype(np.int64),
        Col.SHARE: share,
        Col.REST_USERS: values[Col.REST_USERS],
        Col.REST_N: rest_n,
        Col.REST_SHARE: rest_share,
        Col.LIFT: lift,
        Col.DIFFERENCE: share - rest_share,
        Col.SCORE: values[Col.SCORE],
        Col.VIEWS: values[Col.VIEWS].astype(np.int64),
        Col.EVIDENCE: MetricRole.INPUT.value,
    }
    table = rows.frame(columns, COLUMNS, row)
    return table.sort_values([Col.RANKING], kind="stable").reset_index(drop=True)


@dataclass(frozen=True, eq=False)
class Selection:
    """Description of hand-picked users, such as those drawn around on a map.

    Args:
        users: Indices of the users.
        mix: A row for each segment or group that they come from, most first: the columns that say what a row
            is, ``users`` of them, their ``share`` of the selection, and ``rest_share``, the same of all
            other users.
        pages: Pages over-represented among them against all other users, best first; then, where there is
            none, the most viewed ones. Columns of ``core/profiles/top_pages.py``.
    """

    users: np.ndarray
    mix: pd.DataFrame
    pages: pd.DataFrame


def describe_selection(data: ProfileData, rows: Rows, users: np.ndarray, count: int = 10) -> Selection:
    """Describe hand-picked users: their segments, and the pages that set them apart.

    Args:
        data: All users.
        rows: The row of each user.
        users: int of shape (m,), user indices, each once.
        count: Most pages to list.

    Raises:
        InputError: If no user is selected.
    """
    if not len(users):
        raise InputError("No user is selected", remedy="Draw around at least one user")
    return Selection(users, _mix(rows, users), _pages(data, users, count))


def small_kind_sentence(data: ProfileData, kind: SmallKind) -> str:
    """Describe a small kind in words: its users, the page that sets them apart, and its stability.

    ``A small kind beside these: 61 users (2.0%), 72% of whom view /careers; two halves of the …``
    """
    page = _pages(data, np.array(kind.users), 1).iloc[0]
    return (
        f"A small kind beside these: {pluralise(len(kind.users), 'user')} ({kind.share:.1%}), "
        f"{page[Col.SHARE]:.0%} of whom view {page[Col.PAGE_LOCATION]}; two halves of the users lead to them "
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
