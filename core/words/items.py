"""What users of a row look at and come with: pages, themes, types, browsers, devices, countries, sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
import pandas as pd

from core.errors import InputError
from core.labels.settings import RESERVED, UNKNOWN
from core.profiles.columns import Col, Ranking
from core.profiles.intervals import wilson
from core.profiles.labels import LabelCol
from core.profiles.lifts import user_lift_interval
from core.profiles.paths import FROM, TO
from core.schema import View
from core.words.context import Context
from core.words.contract import Unit


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
    """How a figure about an item is said: label, unit, and the columns of value, interval, whole, users."""

    label: str
    unit: Unit
    low: str = ""
    high: str = ""
    n: str = Col.N
    comparison: bool = False


ITEM_MEASURES: Final = {
    ItemMetric.USERS: ItemMeasure("users", Unit.COUNT),
    ItemMetric.SHARE: ItemMeasure("share of users", Unit.SHARE, LabelCol.SHARE_LOW, LabelCol.SHARE_HIGH),
    ItemMetric.LIFT: ItemMeasure(
        "times the others' share of users", Unit.RATIO, LabelCol.LIFT_LOW, LabelCol.LIFT_HIGH, comparison=True
    ),
    ItemMetric.VIEWS: ItemMeasure("page views", Unit.COUNT, n=LabelCol.VIEWS_N),
    ItemMetric.VIEW_SHARE: ItemMeasure(
        "share of page views", Unit.SHARE, LabelCol.VIEW_SHARE_LOW, LabelCol.VIEW_SHARE_HIGH, LabelCol.VIEWS_N
    ),
    ItemMetric.VIEW_LIFT: ItemMeasure(
        "times the others' share of page views", Unit.RATIO, LabelCol.VIEW_LIFT_LOW, LabelCol.VIEW_LIFT_HIGH,
        LabelCol.VIEWS_N, comparison=True,
    ),
}  # fmt: skip


def item_rows(context: Context, dimension: Dimension, value: str) -> Mapping[str, Mapping[str, Any]]:
    """Every row's figures for one item: key → column → value.

    Raises:
        InputError: If the data has no such item.
    """
    known = context.tables.items
    if (dimension, value) not in known:
        count = _page_table if dimension is Dimension.PAGE else _value_table
        table = count(context, dimension, value)
        known[dimension, value] = {str(row[Col.KEY]): _plain(row) for row in table.to_dict("records")}
    return known[dimension, value]


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in row.items()}


def _value_table(context: Context, dimension: Dimension, value: str) -> pd.DataFrame:
    tables = context.tables
    whole = tables.labels if dimension in LABELLED else tables.profiles.shares
    found = whole[(whole[Col.ATTRIBUTE] == dimension.value) & (whole[Col.VALUE] == value)]
    if found.empty:
        raise InputError(
            f"No {dimension} is called {value!r}", allowed=f"one that is listed among the {PLURAL[dimension]}"
        )
    return found if dimension in LABELLED else with_intervals(found)


def _page_table(context: Context, dimension: Dimension, value: str) -> pd.DataFrame:
    basis = context.tables.basis
    try:
        page = basis.pages.index(value)
    except ValueError:
        raise InputError(f"There is no page {value!r}", allowed="an address of this data set") from None
    if page >= len(basis.data.page_location):
        raise InputError(f"The page {value!r} is too rare to be counted")
    table = context.tables.page_counts.page(page)
    views = context.tables.profiles.segments[Col.PAGE_VIEWS].to_numpy(dtype=np.float64)
    return with_intervals(table).assign(**{LabelCol.VIEWS_N: views})


def with_intervals(table: pd.DataFrame) -> pd.DataFrame:
    """Add share, lift and their intervals to counts of users."""
    users, n, rest, rest_n = (
        table[column].to_numpy(dtype=np.float64) for column in (Col.USERS, Col.N, Col.REST_USERS, Col.REST_N)
    )
    low, high = wilson(users, n)
    lift_low, lift_high = user_lift_interval(users, n, rest, rest_n)
    with np.errstate(divide="ignore", invalid="ignore"):
        share, rest_share = users / n, rest / rest_n
        lift = np.where(rest_share > 0, share / rest_share, np.nan)
    return table.assign(
        **{
            Col.SHARE: share, LabelCol.SHARE_LOW: low, LabelCol.SHARE_HIGH: high, Col.REST_SHARE: rest_share,
            Col.LIFT: lift, LabelCol.LIFT_LOW: lift_low, LabelCol.LIFT_HIGH: lift_high,
        }
    )  # fmt: skip


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
    whole = context.tables.labels if dimension in LABELLED else context.tables.profiles.shares
    table = whole[(whole[Col.ATTRIBUTE] == dimension.value) & (whole[Col.KEY] == key)]
    if dimension in ATTRIBUTES:
        table = with_intervals(table[~table[Col.IS_OTHER].astype(bool)])
    if metric.value not in table:
        raise InputError(f"{PLURAL[dimension].capitalize()} are not counted by {metric.value}")
    if low := {ItemMetric.LIFT: LabelCol.LIFT_LOW, ItemMetric.VIEW_LIFT: LabelCol.VIEW_LIFT_LOW}.get(metric):
        table = table[(table[low] > 1) & ~table[Col.VALUE].isin(RESERVED)]
    best = table[table[metric.value] > 0].sort_values(metric.value, ascending=False, kind="stable")
    return best[Col.VALUE].head(n).tolist()


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


_PAGE_RANKINGS: Final[Mapping[ItemMetric, Ranking]] = {
    ItemMetric.LIFT: Ranking.OVER, ItemMetric.VIEWS: Ranking.MOST_VIEWED,
}  # fmt: skip


def _top_pages(context: Context, key: str, metric: ItemMetric, n: int) -> list[str]:
    if metric not in _PAGE_RANKINGS:
        raise InputError(f"Pages are not listed by {metric.value}", allowed="views or lift")
    table = context.tables.pages(n)
    own = table[(table[Col.KEY] == key) & (table[Col.RANKING] == _PAGE_RANKINGS[metric])]
    return [context.tables.basis.pages[page] for page in own[Col.PAGE].head(n).tolist()]


def cell(row: Mapping[str, Any], column: str) -> float:
    """A figure of a row; NaN where the table has none."""
    return float(row.get(column, np.nan))
