"""Two figures held against each other: who is higher, and whether that is sure."""

from __future__ import annotations

from typing import Final

import numpy as np

from core.base.errors import InputError
from core.base.schema import View
from core.facts.answer import Fact, Verdict
from core.facts.context import Context
from core.facts.items import ITEM_MEASURES, LABELLED, Dimension, ItemMetric
from core.facts.measures import BY_KEY
from core.profiles.contrasts import SURE, Tested, UserValues, compare_shares, compare_users, user_values

COUNTED: Final = frozenset({ItemMetric.USERS, ItemMetric.VIEWS, "not_users"})
"""Figures about items that are what was counted."""


def decide(context: Context, first: Fact, second: Fact) -> tuple[Verdict, Tested | None]:
    """Who is higher, by a test where the figures are no plain counts.

    All users hold the row that they are held against: then the test is against everybody else.

    Args:
        context: The segments.
        first: The figure spoken of.
        second: The same measure and item of another row.

    Raises:
        InputError: If there is no test for such figures, or both are of one row.
    """
    if first.row == second.row:
        raise InputError(f"{context.title(first.row)} cannot be held against itself", allowed="two rows")
    tested = _test(context, first, second)
    if first.text == second.text:  # as it is written: nobody could see a difference
        return (Verdict.UNSURE if tested else Verdict.SAME), tested
    if tested and not tested.p_value < SURE:
        return Verdict.UNSURE, tested
    return (Verdict.HIGHER if first.value > second.value else Verdict.LOWER), tested


def _test(context: Context, first: Fact, second: Fact) -> Tested | None:
    if not first.item and first.measure in BY_KEY:
        tables = context.tables
        values = user_values(tables.basis.data, tables.profiles.happened, first.measure)
        return compare_users(values, *_groups(context, first.row, second.row)) if values else None
    metric, _, dimension = first.measure.partition(":")
    if metric in COUNTED:
        return None
    if metric in (ItemMetric.SHARE, "not_share"):
        return _shares(context, first, second)
    if metric == ItemMetric.VIEW_SHARE and dimension in LABELLED:
        values = _views_of(context, Dimension(dimension), first.item)
        return compare_users(values, *_groups(context, first.row, second.row))
    label = ITEM_MEASURES[ItemMetric(metric)].label if metric in set(ItemMetric) else first.label
    raise InputError(f"The {label} of two rows cannot be held against each other")


def _groups(context: Context, first: str, second: str) -> tuple[np.ndarray, np.ndarray]:
    """Who belongs to each; of a row that holds the other one, only its other users."""
    one, other = (context.tables.rows.members(context.place(key)) for key in (first, second))
    if context.holds(first, second):
        return one & ~other, other
    return one, other & ~one


def _shares(context: Context, first: Fact, second: Fact) -> Tested:
    (users, n), (other, other_n) = ((round(fact.value * fact.n), fact.n) for fact in (first, second))
    if context.holds(second.row, first.row):
        other, other_n = other - users, other_n - n
    elif context.holds(first.row, second.row):
        users, n = users - other, n - other_n
    return compare_shares(users, n, other, other_n)


def _views_of(context: Context, dimension: Dimension, item: str) -> UserValues:
    """Page views of a theme or type, and all page views, a user."""
    labels = context.tables.basis.labels
    assert labels is not None  # an item of this kind was found in them
    tally = labels.views[View(dimension.value)]
    own = tally.code == tally.values.index(item)
    views = np.bincount(tally.user[own], tally.times[own], minlength=len(labels.page_views))
    return UserValues(views, labels.page_views.astype(np.float64))
