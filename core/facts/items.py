"""What users of a row look at, do and come with: pages, themes, words, devices, sources and the like.

Every share and lift is made by the functions of the table of differences, so that both say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd

from core.base.attributes import attribute_words
from core.base.errors import InputError
from core.base.schema import View
from core.facts.answer import Unit
from core.facts.context import Basis, Context
from core.profiles.differences import Diff, is_apart, share_columns
from core.profiles.means import moments_of, ratio_interval
from core.profiles.profile_columns import ROW, Col
from core.profiles.rows import Rows
from core.profiles.two_shares import Z_95, wilson
from core.profiles.user_items import Family

Row: TypeAlias = Mapping[str, Any]
"""Figures of one row: column → value."""


class ItemMetric(StrEnum):
    """By what items are listed."""

    SHARE = "share"
    LIFT = "lift"


class ItemCol:
    """Columns of the figures of items that the segments table lacks; the others are those of ``Col``."""

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


LABELLED: Final = (Family.THEME, Family.TYPE)
_PLURAL: Final[Mapping[str, str]] = {
    Family.PAGE: "pages", Family.THEME: "themes", Family.TYPE: "page types",
    Family.FOLDER: "folders", Family.WORD: "words", Family.TEMPLATE: "templates", Family.ENTRY: "first pages",
    Family.EXIT: "last pages", Family.HOUR: "hours", Family.WEEKDAY: "days of the week",
    Family.OUTCOME: "outcomes", Family.INTEREST: "interests", Family.STAGE: "stages",
    Family.RHYTHM: "rhythms", Family.LEVEL: "facets",
}  # fmt: skip


def plural_of(family: str) -> str:
    """Several items of a family or attribute: ``pages``, ``devices``."""
    return _PLURAL.get(family) or attribute_words(family).plural


def table_of(family: str) -> str:
    """Name of the table of a family in a query: ``pages``, ``page_types``."""
    return plural_of(family).replace(" ", "_").replace("-", "_")


@dataclass(frozen=True)
class ItemMeasure:
    """Label and unit of a metric of items, and the columns of its interval's ends."""

    label: str
    unit: Unit
    low: str
    high: str


ITEM_MEASURES: Final = {
    ItemMetric.SHARE: ItemMeasure("share of users", Unit.SHARE, ItemCol.SHARE_LOW, ItemCol.SHARE_HIGH),
    ItemMetric.LIFT: ItemMeasure(
        "times the others' share of users", Unit.RATIO, ItemCol.LIFT_LOW, ItemCol.LIFT_HIGH
    ),
}  # fmt: skip


def item_rows(context: Context, kind: str, value: str) -> Mapping[str, Row]:
    """Figures of one item for every row: row key → column (``Col``, ``ItemCol``) → value.

    Raises:
        InputError: If the data has no such item.
    """
    tables = context.tables
    if (kind, value) not in tables.items:
        times, known = _times(context, kind, value)
        made = _of_users(tables.rows, times > 0, known)
        if kind in (Family.PAGE, *LABELLED):
            made |= _of_views(tables.rows, times, tables.basis.data.page_views.astype(np.float64))
        rows = zip(*(figures.tolist() for figures in made.values()), strict=True)
        found = {
            key: dict(zip(made, row, strict=True)) for key, row in zip(tables.records, rows, strict=True)
        }
        tables.items[kind, value] = found
    return tables.items[kind, value]


def _times(context: Context, kind: str, value: str) -> tuple[np.ndarray, np.ndarray]:
    """How often each user has an item, and who counts: float64 and bool of shape (n_users,).

    Raises:
        InputError: If the data has no such item.
    """
    basis = context.tables.basis
    size, everybody = basis.data.n_users, np.ones(basis.data.n_users, dtype=bool)
    if kind == Family.PAGE:
        seen, page = basis.data.seen, _page(basis, value)
        own = seen.page == page
        return np.bincount(seen.user[own], seen.views[own], size), everybody
    if kind == Family.OUTCOME:
        return np.bincount(context.tables.outcomes[value].user, minlength=size).astype(np.float64), everybody
    made = basis.data.attributes.get(kind)
    if value not in (made.values if made else values(context, kind)):
        raise InputError(
            f"No {kind} is called {value!r}", allowed=f"one that is listed among the {plural_of(kind)}"
        )
    if made:
        return (made.codes == made.values.index(value)).astype(np.float64), made.codes >= 0
    if kind in LABELLED and basis.labels:
        return basis.labels.times(View(kind), value), everybody
    family = basis.items.families[kind]
    place = family.names.index(value)
    return family.has[:, [place]].toarray()[:, 0].astype(np.float64), family.known


def _page(basis: Basis, value: str) -> int:
    if value not in basis.pages:
        raise InputError(f"There is no page {value!r}", allowed="an address of this data set")
    page = basis.pages.index(value)
    if page >= len(basis.data.page_location):
        raise InputError(f"The page {value!r} is too rare to be counted")
    return page


def _of_users(rows: Rows, has: np.ndarray, known: np.ndarray) -> dict[str, np.ndarray]:
    counted = [rows.count(weights=side.astype(np.float64)) for side in (has, known)]
    users, n = map(rows.with_all, counted)
    made = share_columns(users, n, *map(rows.rest, counted))
    low, high = wilson(users, n)
    return {
        Col.USERS: users, Col.N: n, Col.SHARE: made[Col.VALUE], ItemCol.SHARE_LOW: low,
        ItemCol.SHARE_HIGH: high, Col.REST_USERS: made[Col.REST_USERS], Col.REST_N: made[Col.REST_N],
        Col.REST_SHARE: made[Diff.REST_VALUE], Col.LIFT: made[Diff.RATIO],
        ItemCol.LIFT_LOW: made[Diff.RATIO_LOW], ItemCol.LIFT_HIGH: made[Diff.RATIO_HIGH],
    }  # fmt: skip


def _of_views(rows: Rows, times: np.ndarray, whole: np.ndarray) -> dict[str, np.ndarray]:
    """Shares of page views, with a ratio estimator's intervals: views of one user are not independent."""
    terms = (np.ones_like(whole), times, whole, times**2, times * whole, whole**2)
    sums = [rows.count(weights=term) for term in terms]
    sides = (moments_of(*map(rows.with_all, sums)), moments_of(*map(rows.rest, sums)))
    with np.errstate(divide="ignore", invalid="ignore"):
        (share, error), (rest, rest_error) = ((mean, np.sqrt(spread / n)) for n, mean, spread in sides)
        lift = share / rest
    low, high = ratio_interval(share, error, rest, rest_error)
    return {
        Col.VIEWS: rows.with_all(sums[1]), ItemCol.VIEWS_N: rows.with_all(sums[2]), ItemCol.VIEW_SHARE: share,
        ItemCol.VIEW_SHARE_LOW: np.clip(share - Z_95 * error, 0, 1),
        ItemCol.VIEW_SHARE_HIGH: np.clip(share + Z_95 * error, 0, 1), ItemCol.REST_VIEW_SHARE: rest,
        ItemCol.VIEW_LIFT: lift, ItemCol.VIEW_LIFT_LOW: low, ItemCol.VIEW_LIFT_HIGH: high,
    }  # fmt: skip


def label_table(context: Context) -> pd.DataFrame:
    """Themes and types of the pages that each row looks at.

    Returns:
        One row a row, view (``attribute``) and label (``value``); the other columns are those of
        :func:`item_rows`. Empty where pages are not labelled.
    """
    head = context.tables.rows.head
    parts = [
        head.assign(**{Col.ATTRIBUTE: str(kind), Col.VALUE: value}).merge(
            pd.DataFrame.from_dict(dict(item_rows(context, kind, value)), orient="index"),
            left_on=Col.KEY, right_index=True,
        )
        for kind in LABELLED for value in values(context, kind)
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(ROW))


def values(context: Context, kind: str) -> tuple[str, ...]:
    """Names of the items of a kind that occur, most frequent first; empty for pages, which are too many."""
    basis = context.tables.basis
    if kind == Family.PAGE:
        return ()
    if kind in LABELLED:
        view = View(kind)
        return basis.labels.views[view].values if basis.labels and view in basis.labels.views else ()
    if kind in basis.data.attributes:
        return context.tables.attributes.get(kind, ())
    family = basis.items.families.get(kind)
    return family.names if family else ()


def top(context: Context, key: str, dimension: str, metric: ItemMetric, n: int) -> list[str]:
    """The ``n`` top items of a row by a metric, highest first; by lift only those shown to be higher.

    By share no pages are listed, which are too many.

    Raises:
        InputError: If the data has no items of the dimension, or by lift the row is a total.
    """
    if dimension != Family.PAGE and not values(context, dimension):
        raise InputError(f"This data has no {plural_of(dimension)}", remedy=_remedy(dimension))
    if metric is ItemMetric.LIFT:
        return _more_often(context, key, dimension)[:n]
    rows = {value: item_rows(context, dimension, value)[key] for value in values(context, dimension)}
    found = [value for value, row in rows.items() if row[Col.SHARE] > 0]
    return sorted(found, key=lambda value: -rows[value][Col.SHARE])[:n]


def _more_often(context: Context, key: str, dimension: str) -> list[str]:
    """Items shown to be more frequent in a row than among the others, surest first.

    Raises:
        InputError: If the row is a total, which is compared with nobody.
    """
    table = context.tables.differences
    own = table[(table[Col.KEY] == key) & is_apart(table) & (table[Diff.RATIO] > 1)]
    if key not in set(table[Col.KEY]):
        raise InputError(f"{context.title(key)} are held against nobody", remedy="Ask about one segment")
    own = own[own[Diff.FAMILY] == dimension]
    items: list[str] = own.sort_values(Diff.EFFECT_LOW, ascending=False, kind="stable")[Diff.ITEM].tolist()
    return items


def _remedy(dimension: str) -> str:
    return "Label the pages first" if dimension in LABELLED else ""


def cell(row: Mapping[str, Any], column: str) -> float:
    """The value of a column in a row; NaN where it is absent."""
    return float(row.get(column, np.nan))
