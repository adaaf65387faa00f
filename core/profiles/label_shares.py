"""Themes and types of the pages that each row looks at.

Two shares of each: of users, who saw at least one such page, and of page views. Page views of one user go
together, so the error of the second is that of a ratio estimator over users (Cochran 1977, § 2.11), not of
independent views. The model may have seen the labels: these are descriptions and carry no test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from core.base.schema import View
from core.data.sequences import UserSequences
from core.profiles.data import coded
from core.profiles.lifts import ratio, user_lift_interval, views_lift_interval
from core.profiles.profile_columns import ROW, Col
from core.profiles.rows import Rows
from core.profiles.tally import Tally, tally
from core.profiles.wilson import Z_95, wilson


class LabelCol:
    """Columns that only this table has; the others: :class:`core.profiles.profile_columns.Col`."""

    SHARE_LOW: Final = "share_low"
    SHARE_HIGH: Final = "share_high"
    LIFT_LOW: Final = "lift_low"
    LIFT_HIGH: Final = "lift_high"
    VIEWS_N: Final = "views_n"  # page views of the row
    VIEW_SHARE: Final = "view_share"
    VIEW_SHARE_LOW: Final = "view_share_low"
    VIEW_SHARE_HIGH: Final = "view_share_high"
    REST_VIEW_SHARE: Final = "rest_view_share"
    VIEW_LIFT: Final = "view_lift"
    VIEW_LIFT_LOW: Final = "view_lift_low"
    VIEW_LIFT_HIGH: Final = "view_lift_high"


COLUMNS: Final = (
    *ROW, Col.ATTRIBUTE, Col.VALUE, Col.USERS, Col.N, Col.SHARE, LabelCol.SHARE_LOW, LabelCol.SHARE_HIGH,
    Col.REST_USERS, Col.REST_N, Col.REST_SHARE, Col.LIFT, LabelCol.LIFT_LOW, LabelCol.LIFT_HIGH, Col.VIEWS,
    LabelCol.VIEWS_N, LabelCol.VIEW_SHARE, LabelCol.VIEW_SHARE_LOW, LabelCol.VIEW_SHARE_HIGH,
    LabelCol.REST_VIEW_SHARE, LabelCol.VIEW_LIFT, LabelCol.VIEW_LIFT_LOW, LabelCol.VIEW_LIFT_HIGH,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class LabelData:
    """Page views by label.

    Args:
        views: Theme and type → who looked at which how often; values most viewed first.
        page_of: Theme and type → place of each page's label in the tally's values, int32 of (n_pages,).
        page_views: float64 of shape (n_users,).
    """

    views: Mapping[View, Tally]
    page_of: Mapping[View, np.ndarray]
    page_views: np.ndarray

    @classmethod
    def from_names(cls, sequences: UserSequences, names: Mapping[str, Sequence[str]]) -> LabelData:
        """Lay out what was looked at.

        Args:
            sequences: Page views of all users.
            names: Theme and type → what each page is, by page index; others are left out.
        """
        tallies, places = {}, {}
        for view in (View.THEME, View.TYPE):
            if view in names:
                labels = coded(pd.Series(list(names[view]), dtype="str").iloc[sequences.page])
                place = {value: number for number, value in enumerate(labels.values)}
                places[view] = np.array([place.get(name, -1) for name in names[view]], dtype=np.int32)
                tallies[view] = tally(sequences.user, labels.codes, labels.values, sequences.n_users)
        views = sequences.lengths.astype(np.float64)
        return cls(MappingProxyType(tallies), MappingProxyType(places), views)


def label_shares(labels: LabelData, rows: Rows) -> pd.DataFrame:
    """What each row looks at.

    Args:
        labels: The page views.
        rows: Who belongs where.

    Returns:
        One row a row, view (``attribute``) and label (``value``), columns :data:`COLUMNS`. Lifts and the
        columns of the rest are absent for all users.
    """
    parts = [_one_view(view, made, labels.page_views, rows) for view, made in labels.views.items()]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))


def _one_view(view: View, made: Tally, page_views: np.ndarray, rows: Rows) -> pd.DataFrame:
    shape = (rows.n_rows + rows.n_totals, len(made.values))
    columns = _of_users(made, rows) | _of_views(made, page_views, rows)
    flat = {name: np.broadcast_to(values, shape).ravel() for name, values in columns.items()}
    place = np.repeat(np.arange(shape[0]), shape[1])
    named = {
        Col.ATTRIBUTE: np.repeat(view.value, len(place)),
        Col.VALUE: pd.array(np.tile(np.array(made.values, dtype=object), shape[0]), dtype="str"),
    }
    return rows.frame(named | flat, COLUMNS, place)


def _of_users(made: Tally, rows: Rows) -> dict[str, np.ndarray]:
    counts, sizes = made.users(rows), rows.count()[:, None]
    users, n = rows.with_all(counts), rows.with_all(sizes)
    rest, rest_n = rows.rest(counts), rows.rest(sizes)
    low, high = wilson(users, n)
    lift_low, lift_high = user_lift_interval(users, n, rest, rest_n)
    share, rest_share = (
        ratio(users, np.broadcast_to(n, users.shape)),
        rest / np.where(rest_n > 0, rest_n, np.nan),
    )
    return {
        Col.USERS: users, Col.N: n, Col.SHARE: share, LabelCol.SHARE_LOW: low, LabelCol.SHARE_HIGH: high,
        Col.REST_USERS: rest, Col.REST_N: rest_n, Col.REST_SHARE: rest_share,
        Col.LIFT: ratio(share, rest_share), LabelCol.LIFT_LOW: lift_low, LabelCol.LIFT_HIGH: lift_high,
    }  # fmt: skip


def _of_views(made: Tally, page_views: np.ndarray, rows: Rows) -> dict[str, np.ndarray]:
    times, n_values = made.times.astype(np.float64), len(made.values)
    parts = (
        made.sums(rows),
        rows.table(made.user, made.code, n_values, times**2),
        rows.table(made.user, made.code, n_values, times * page_views[made.user]),
        rows.count(weights=page_views)[:, None],
        rows.count(weights=page_views**2)[:, None],
    )
    share, error = _share_and_error(*(rows.with_all(part) for part in parts))
    rest_share, rest_error = _share_and_error(*(rows.rest(part) for part in parts))
    low, high = views_lift_interval(share, error, rest_share, rest_error)
    return {
        Col.VIEWS: rows.with_all(parts[0]), LabelCol.VIEWS_N: rows.with_all(parts[3]),
        LabelCol.VIEW_SHARE: share,
        LabelCol.VIEW_SHARE_LOW: np.clip(share - Z_95 * error, 0, 1),
        LabelCol.VIEW_SHARE_HIGH: np.clip(share + Z_95 * error, 0, 1),
        LabelCol.REST_VIEW_SHARE: rest_share, LabelCol.VIEW_LIFT: ratio(share, rest_share),
        LabelCol.VIEW_LIFT_LOW: low, LabelCol.VIEW_LIFT_HIGH: high,
    }  # fmt: skip


def _share_and_error(
    views: np.ndarray, squares: np.ndarray, products: np.ndarray, whole: np.ndarray, whole_squares: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Share of page views, and its error from each user's residual ``views of label − share · views``."""
    whole = np.where(whole > 0, whole, np.nan)
    share = views / whole
    residuals = squares - 2 * share * products + share**2 * whole_squares
    return share, np.sqrt(np.maximum(residuals, 0)) / whole
