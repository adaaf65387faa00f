"""What differs most, as the table of differences ranks it, for sentences."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import pandas as pd

from core.differences.table import Diff, leading
from core.differences.user_items import Family
from core.facts.answer import Contrast, Fact
from core.facts.context import ALL, Context
from core.facts.fact_maker import Figures
from core.facts.items import ItemMetric
from core.profiles.profile_columns import Col, MetricRole

TOLD: Final = 3
"""Differences of a row that are told."""


def differing(figures: Figures, key: str, count: int = TOLD) -> tuple[Contrast, ...]:
    """What sets a row apart from the other clustered users; nothing of a total.

    Args:
        figures: Where facts come from.
        key: The row.
        count: Differences at most.
    """
    return _contrasts(figures, leading(figures.context.tables.differences, key, count), key, ALL)


def pair_differing(figures: Figures, first: str, second: str, count: int = TOLD) -> tuple[Contrast, ...]:
    """What sets a row apart from another one, neither of them all users."""
    pair = figures.context.tables.pair(first, second)
    return _contrasts(figures, leading(pair, first, count), first, second)


def q_values(context: Context, table: pd.DataFrame, key: str) -> dict[tuple[str, str], float]:
    """Measure and item → q, of what was tested of a row."""
    own = table[(table[Col.KEY] == key) & table[Diff.Q_VALUE].notna()]
    return dict(zip(addresses(context, own), own[Diff.Q_VALUE].tolist(), strict=True))


def addresses(context: Context, table: pd.DataFrame) -> Iterable[tuple[str, str]]:
    """Measure and item of the fact that each row of the table is; the main outcome's is a measure."""
    main = next(iter(context.tables.outcomes), "")
    for family, item in zip(table[Diff.FAMILY], table[Diff.ITEM], strict=True):
        if family == Family.MEASURE:
            yield item, ""
        elif (family, item) == (Family.OUTCOME, main):
            yield Col.OUTCOME_RATE, ""
        else:
            yield f"{ItemMetric.SHARE}:{family}", item


def _contrasts(figures: Figures, rows: pd.DataFrame, key: str, other: str) -> tuple[Contrast, ...]:
    q_value = rows[Diff.Q_VALUE].where(rows[Diff.ROLE] == MetricRole.HELD_OUT)  # of the rest none decides
    found = zip(addresses(figures.context, rows), q_value.tolist(), strict=True)
    return tuple(
        figures.contrast(fact, other, None if np.isnan(q) else q)
        for (measure, item), q in found
        if (fact := _fact(figures, key, measure, item))
    )


def _fact(figures: Figures, key: str, measure: str, item: str) -> Fact | None:
    if not item:
        return figures.measure(key, measure)
    metric, _, family = measure.partition(":")
    return figures.item(key, Family(family), item, ItemMetric(metric))
