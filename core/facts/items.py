"""What users of a row look at and come with: pages, themes, types, browsers, devices, countries, sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd

from core.base.errors import InputError
from core.base.schema import View
from core.facts.answer import Unit
from core.facts.context import Context
from core.labels.label_settings import RESERVED, UNKNOWN
from core.profiles.label_shares import LabelCol
from core.profiles.page_counts import with_intervals
from core.profiles.paths import FROM, TO
from core.profiles.profile_columns import Col, PageRanking

Row: TypeAlias = Mapping[str, Any]
"""Column → figure."""


class Dimension(StrEnum):
    """What can be listed of a row."""

    PAGE = "page"
    THEME = "theme"
    TYPE = "type"
    BROWSER = "browser"
    DEVICE = "device"
    COUNTRY = "country"
    SOURCE = "source"


class ItemMetric(StrEnum):
    """By what items are listed."""

    USERS = "users"
    SHARE = "share"
    LIFT = "lift"
    VIEWS = "views"
    VIEW_SHARE = "view_share"
    VIEW_LIFT = "view_lift"


LABELLED: Final = (Dimension.THEME, Dimension.TYPE)
ATTRIBUTES: Final = (Dimension.BROWSER, Dimension.DEVICE, Dimension.COUNTRY, Dimension.SOURCE)
LIFTS: Final = (ItemMetric.LIFT, ItemMetric.VIEW_LIFT)
PLURAL: Final = {
    Dimension.PAGE: "pages", Dimension.THEME: "themes", Dimension.TYPE: "page types",
    Dimension.BROWSER: "browsers", Dimension.DEVICE: "devices", Dimension.COUNTRY: "countries",
    Dimension.SOURCE: "first-touch sources",
}  # fmt: skip


def table_of(dimension: Dimension) -> str:
    """What its table is called in a query."""
    return PLURAL[dimension].replace(" ", "_").replace("-", "_")


@dataclass(frozen=True)
class ItemMeasure:
    """How a figure about an item is said: label, unit, and the columns of its interval and whole."""

    label: str
    unit: Unit
    low: str = ""
    high: str = ""
    n: str = Col.N


ITEM_MEASURES: Final = {
    ItemMetric.USERS: ItemMeasure("users", Unit.COUNT),
    ItemMetric.SHARE: ItemMeasure("share of users", Unit.SHARE, LabelCol.SHARE_LOW, LabelCol.SHARE_HIGH),
    ItemMetric.LIFT: ItemMeasure(
        "times the others' share of users", Unit.RATIO, LabelCol.LIFT_LOW, LabelCol.LIFT_HIGH
    ),
    ItemMetric.VIEWS: ItemMeasure("page views", Unit.COUNT, n=LabelCol.VIEWS_N),
    ItemMetric.VIEW_SHARE: ItemMeasure(
        "share of page views", Unit.SHARE, LabelCol.VIEW_SHARE_LOW, LabelCol.VIEW_SHARE_HIGH, LabelCol.VIEWS_N
    ),
    ItemMetric.VIEW_LIFT: ItemMeasure(
        "times the others' share of page views", Unit.RATIO, LabelCol.VIEW_LIFT_LOW, LabelCol.VIEW_LIFT_HIGH,
        LabelCol.VIEWS_N,
    ),
}  # fmt: skip


def item_rows(context: Context, dimension: Dimension, value: str) -> Mapping[str, Row]:
    """Every row's figures for one item: key → column → value.

    Raises:
        InputError: If the data has no such item.
    """
    known = context.tables.items
    if (dimension, value) not in known:
        count = _page_rows if dimension is Dimension.PAGE else _value_rows
        known[dimension, value] = count(context, dimension, value)
    return known[dimension, value]


def _value_rows(context: Context, dimension: Dimension, value: str) -> dict[str, Row]:
    listed = _listed(context, dimension)
    found = {key: row for key, rows in listed.items() for row in rows if row[Col.VALUE] == value}
    if not found:
        raise InputError(
            f"No {dimension} is called {value!r}", allowed=f"one that is listed among the {PLURAL[dimension]}"
        )
    return found


def _listed(context: Context, dimension: Dimension) -> Mapping[str, Sequence[Row]]:
    """Key → figures of every label, or value of an attribute, in the order of their table; laid out once."""
    tables = context.tables
    if dimension.value not in tables.listed:
        whole = tables.labels if dimension in LABELLED else tables.profiles.shares
        table = whole[whole[Col.ATTRIBUTE] == dimension.value]
        if dimension in ATTRIBUTES:
            table = table.assign(**with_intervals(table))
        by_key: dict[str, list[Row]] = {}
        for row in table.to_dict("records"):
            figures = {str(name): figure for name, figure in row.items()}
            by_key.setdefault(figures[Col.KEY], []).append(figures)
        tables.listed[dimension.value] = by_key
    return tables.listed[dimension.value]


def _page_rows(context: Context, _: Dimension, value: str) -> dict[str, Row]:
    tables = context.tables
    try:
        page = tables.basis.pages.index(value)
    except ValueError:
        raise InputError(f"There is no page {value!r}", allowed="an address of this data set") from None
    if page >= len(tables.basis.data.page_location):
        raise InputError(f"The page {value!r} is too rare to be counted")
    counted = tables.page_counts.columns
    figures = {name: counted[name][:, page].tolist() for name in counted}
    views = tables.profiles.segments[Col.PAGE_VIEWS].tolist()
    rows = zip(*figures.values(), strict=True)
    return {
        key: dict(zip(figures, row, strict=True)) | {LabelCol.VIEWS_N: float(whole)}
        for key, row, whole in zip(tables.records, rows, views, strict=True)
    }


def values(context: Context, dimension: Dimension) -> tuple[str, ...]:
    """Items that can be asked for, most frequent first; pages are too many and known by their address."""
    if dimension is Dimension.PAGE:
        return ()
    if dimension in LABELLED:
        labels = context.tables.basis.labels
        view = View(dimension.value)
        return labels.views[view].values if labels and view in labels.views else ()
    return context.tables.attributes.get(dimension.value, ())


def top(context: Context, key: str, dimension: Dimension, metric: ItemMetric, n: int) -> list[str]:
    """Items of a row, those with most first.

    Pages by lift are those of the profile, which ranks by how surely they are seen more often; other items
    by lift are those whose whole interval lies above 1.

    Raises:
        InputError: If the data has nothing of that kind, or it is not counted that way.
    """
    if dimension is Dimension.PAGE:
        return _top_pages(context, key, metric, n)
    if not values(context, dimension):
        raise InputError(f"This data has no {PLURAL[dimension]}", remedy=_remedy(dimension))
    rows = [row for row in _listed(context, dimension)[key] if not row.get(Col.IS_OTHER)]
    if any(metric.value not in row for row in rows):
        raise InputError(f"{PLURAL[dimension].capitalize()} are not counted by {metric.value}")
    if low := {ItemMetric.LIFT: LabelCol.LIFT_LOW, ItemMetric.VIEW_LIFT: LabelCol.VIEW_LIFT_LOW}.get(metric):
        rows = [row for row in rows if row[low] > 1 and row[Col.VALUE] not in RESERVED]
    best = sorted(
        (row for row in rows if row[metric.value] > 0), key=lambda row: row[metric.value], reverse=True
    )
    return [str(row[Col.VALUE]) for row in best[:n]]


def step_view(context: Context) -> View:
    """What steps are told between: page types, or pages where no page has a type."""
    steps = context.tables.basis.paths.steps.get(View.TYPE)
    return View.TYPE if steps and set(steps.values) - {UNKNOWN} else View.URL


def top_steps(
    context: Context, key: str, view: View, n: int, origin: int | None = None, target: int | None = None
) -> pd.DataFrame:
    """The most frequent steps of a row; one between two pages without a label says nothing and is left out.

    Args:
        context: What it is about.
        key: Row.
        view: Between what.
        n: At most.
        origin: See :meth:`core.profiles.paths.StepCounts.most`, as ``target``.
        target: The same.
    """
    table = context.tables.steps(view).most(context.place(key), n + 1, origin, target)
    unlabelled = (table[FROM] == UNKNOWN) & (table[TO] == UNKNOWN)
    return table[~unlabelled].head(n).reset_index(drop=True)


def _remedy(dimension: Dimension) -> str:
    return "Label the pages first" if dimension in LABELLED else ""


_PAGE_RANKINGS: Final[Mapping[ItemMetric, PageRanking]] = {
    ItemMetric.LIFT: PageRanking.OVER, ItemMetric.VIEWS: PageRanking.MOST_VIEWED,
}  # fmt: skip


def _top_pages(context: Context, key: str, metric: ItemMetric, n: int) -> list[str]:
    if metric not in _PAGE_RANKINGS:
        raise InputError(f"Pages are not listed by {metric.value}", allowed="views or lift")
    ranked = context.tables.ranked_pages(n).get((key, _PAGE_RANKINGS[metric].value), ())
    return [context.tables.basis.pages[page] for page in ranked[:n]]


def cell(row: Mapping[str, Any], column: str) -> float:
    """A figure of a row; NaN where the table has none."""
    return float(row.get(column, np.nan))
