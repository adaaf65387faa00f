"""Compare two figures: which of the two is higher, and whether that is shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.base.errors import InputError
from core.facts.answer import BY_KEY, Fact, Verdict
from core.facts.context import OTHERS, Context
from core.facts.items import ITEM_MEASURES, ItemMetric, item_rows
from core.profiles.means import (
    SIGNIFICANCE,
    ComparedGroups,
    SingleDifference,
    UserValues,
    decide_shares,
    decide_values,
    user_values,
)
from core.profiles.profile_columns import Col, MetricRole
from core.profiles.user_items import Family


@dataclass(frozen=True)
class Baseline:
    """A figure of the other clustered users, whom a row is compared with.

    Args:
        value: The figure.
        n: Number of users, sessions or page views that it is of.
        users: Users behind the figure.
        written_n: The number that sets its digits: no larger than ``n`` of the figure it is compared with.
    """

    value: float
    n: int
    users: int
    written_n: int


def decide(
    context: Context, first: Fact, second: Fact, q_value: float | None = None
) -> tuple[Verdict, SingleDifference | None]:
    """Decide which of two figures is higher: plain counts by value, others by a test or interval.

    Args:
        context: The segments and what was counted of them.
        first: The figure that the comparison is about.
        second: The same measure and item of another row, or of the other clustered users.
        q_value: Takes the place of the test's p where many differences are looked at.

    Returns:
        The verdict, and the tested difference; None for plain counts.

    Raises:
        InputError: If there is no rule for such figures, or both are of one row.
    """
    if first.row == second.row:
        raise InputError(f"{context.title(first.row)} cannot be held against itself", allowed="two rows")
    decided = _decision(context, first, second)
    if first.text == second.text:  # as it is written: nobody could see a difference
        return (Verdict.UNSURE if decided else Verdict.SAME), decided
    if decided and not (decided.differs and (q_value is None or q_value < SIGNIFICANCE)):
        return Verdict.UNSURE, decided
    return (Verdict.HIGHER if first.value > second.value else Verdict.LOWER), decided


def rest_figure(context: Context, first: Fact) -> Baseline | None:
    """The figure of the other clustered users, for a row's fact; None for a plain count, or of nobody."""
    metric, _, dimension = first.measure.partition(":")
    if first.item and metric == ItemMetric.SHARE:
        row = item_rows(context, dimension, first.item)[first.row]
        rest, rest_n = int(row[Col.REST_USERS]), int(row[Col.REST_N])
        return Baseline(rest / rest_n, rest_n, rest, min(rest_n, first.n)) if rest_n else None
    values = _values(context, first) if first.measure in BY_KEY else None
    if values is None:
        return None
    others = ComparedGroups.of_one(context.tables.rows, context.place(first.row)).others_of_first
    part, whole = values.part[others], values.whole[others]
    if not whole.any():
        return None
    value = np.median(part[whole > 0]) if values.is_median else part.sum() / whole.sum()
    n = int(whole.sum())
    return Baseline(float(value), n, int((part > 0).sum()), min(n, first.n))


def _values(context: Context, first: Fact) -> UserValues | None:
    tables, conversions = context.tables, context.tables.profiles.conversions
    if conversions and first.currency in conversions.money:
        conversions = conversions.paid_in(first.currency)
    return user_values(tables.basis.data, conversions, first.measure)


def _decision(context: Context, first: Fact, second: Fact) -> SingleDifference | None:
    if not first.item and first.measure in BY_KEY:
        values = _values(context, first)
        fields = context.tables.profiles.fields.set_index(Col.FIELD)[Col.EVIDENCE]
        role = MetricRole(fields[first.measure])  # of these data: a page may be the outcome
        role = role if role is MetricRole.INPUT else context.tables.rows.role_of(role)
        return decide_values(values, _sides(context, first, second), role) if values else None
    metric, _, dimension = first.measure.partition(":")
    if metric == ItemMetric.SHARE:
        return decide_shares(*_counts(context, first, second), _role(context, first.item, dimension))
    label = ITEM_MEASURES[ItemMetric(metric)].label if metric in set(ItemMetric) else first.label
    raise InputError(f"The {label} of two rows cannot be held against each other")


def _counts(context: Context, first: Fact, second: Fact) -> tuple[int, int, int, int]:
    """Users and base of both figures; of a row that contains the other one, only its other users."""
    (users, n), (rest, rest_n) = ((round(fact.value * fact.n), fact.n) for fact in (first, second))
    if context.holds(second.row, first.row):
        rest, rest_n = rest - users, rest_n - n
    elif context.holds(first.row, second.row):
        users, n = users - rest, n - rest_n
    return users, n, rest, rest_n


def _sides(context: Context, first: Fact, second: Fact) -> ComparedGroups:
    """The users on each side of the comparison."""
    places = [context.place(fact.row) for fact in (first, second) if fact.row != OTHERS]
    made = ComparedGroups.of_one if len(places) == 1 else ComparedGroups.of_pair
    return made(context.tables.rows, *places)


def _role(context: Context, item: str, family: str) -> MetricRole:
    """How an item relates to what made the rows; an outcome may be read by the model, or have made them."""
    if family != Family.OUTCOME:
        return context.tables.basis.items.role_of(family, context.tables.rows)
    tables, index = context.tables, context.tables.basis.data.outcomes
    parts = (item,) if item in index.events or index.pages_of(item) else tables.profiles.chosen
    is_made = tables.rows.by_outcome or index.is_read(parts)
    return MetricRole.INPUT if is_made else MetricRole.HELD_OUT
