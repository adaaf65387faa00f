"""Facts about the rows of one context: every figure comes from the tables that draw the profiles."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from core.base.errors import InputError
from core.facts.answer import Fact, Unit
from core.facts.context import Context
from core.facts.fact_book import FactBook
from core.facts.items import ITEM_MEASURES, LIFTS, Dimension, ItemMetric, cell, item_rows, table_of
from core.facts.measures import BY_KEY, N_OF, clean
from core.profiles.formats import digits
from core.profiles.paths import FROM, SESSIONS_N, TO
from core.profiles.profile_columns import Col
from core.segments.geometry import squared_distances

_OF_CONVERTED: Final = (
    Col.OUTCOME_USERS, Col.OUTCOME_RATE, Col.OUTCOME_SESSIONS, Col.SESSION_RATE, Col.REVENUE,
    Col.REVENUE_PER_USER,
)  # fmt: skip
"""Figures that tell what the converted users did: with one of them, the revenue is that user's."""
_OF_ENGAGED: Final = (Col.ENGAGEMENT_USERS, Col.ENGAGEMENT_MEAN, Col.ENGAGEMENT_MEDIAN)
_ITEM_LABELS: Final = {
    Dimension.PAGE: "who saw the page", Dimension.THEME: "who saw the theme",
    Dimension.TYPE: "who saw the page type",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Figures:
    """Makes facts.

    Args:
        context: Where they come from.
        book: Where they are entered.
    """

    context: Context
    book: FactBook

    def measure(self, key: str, name: str) -> Fact | None:
        """A figure of the segments table; None where it is absent."""
        row, measure = self.context.row(key), BY_KEY[name]
        value = float(row[name])
        if math.isnan(value):
            return None
        is_rate = name == Col.OUTCOME_RATE
        return self.book.add(
            name, measure.label, (key,), value, measure.unit,
            digits=digits(name, value),
            interval=(row[Col.OUTCOME_LOW], row[Col.OUTCOME_HIGH]) if is_rate else None,
            n=row[N_OF[name]],
            users=_behind(row, name),
            query=select(name, "segments", key=key),
        )  # fmt: skip

    def needed(self, key: str, name: str) -> Fact:
        """The same.

        Raises:
            InputError: If it is absent.
        """
        fact = self.measure(key, name)
        if fact is None:
            raise InputError(f"The {BY_KEY[name].label} of {self.context.title(key)} {_why_absent(name)}")
        return fact

    def gap(self, first: str, second: str, name: str) -> Fact:
        """How much more the first has: percentage points for shares, else in the measure's unit."""
        one, other = self.needed(first, name), self.needed(second, name)
        measure = BY_KEY[name]
        unit = Unit.POINTS if measure.unit is Unit.SHARE else measure.unit
        after_point = max(1, measure.digits) if unit is Unit.POINTS else measure.digits
        return self.book.add(
            f"difference:{name}", f"difference in {measure.label}", (first, second),
            float(one.value) - float(other.value), unit, digits=after_point, n=min(one.n, other.n),
            users=min(self.book.users(one), self.book.users(other)),
            comparison=True, query=select(f"difference({name})", "segments", key=f"{first}, {second}"),
        )  # fmt: skip

    def times(self, first: str, second: str, name: str) -> Fact | None:
        """How many times the second's; None where that is 0."""
        one, other = self.needed(first, name), self.needed(second, name)
        if not float(other.value):
            return None
        return self.book.add(
            f"ratio:{name}", f"ratio of {BY_KEY[name].label}", (first, second),
            float(one.value) / float(other.value), Unit.RATIO, n=min(one.n, other.n),
            users=min(self.book.users(one), self.book.users(other)), comparison=True,
            query=select(f"ratio({name})", "segments", key=f"{first}, {second}"),
        )  # fmt: skip

    def item(self, key: str, dimension: Dimension, value: str, metric: ItemMetric) -> Fact | None:
        """A figure about a page, theme, type, browser, device, country or source; None where it is absent.

        Raises:
            InputError: If the data has no such item.
        """
        row = item_rows(self.context, dimension, value)[key]
        amount = cell(row, metric.value)
        if metric in LIFTS and not cell(row, Col.REST_USERS) and cell(row, Col.USERS):
            amount = math.inf  # nobody else does it
        if math.isnan(amount):
            return None
        measure = ITEM_MEASURES[metric]
        label = f"{measure.label} {_ITEM_LABELS.get(dimension, f'with this {dimension}')}"
        return self.book.add(
            f"{metric}:{dimension}", measure.label if "views" in measure.label else label, (key,), amount,
            measure.unit, item=clean(value), interval=(cell(row, measure.low), cell(row, measure.high)),
            n=cell(row, measure.n), users=cell(row, Col.USERS) or cell(row, Col.N),
            comparison=measure.comparison,
            query=select(metric.value, table_of(dimension), key=key, value=value),
        )  # fmt: skip

    def session_end(self, key: str, row: Mapping[str, Any], kind: str) -> Fact:
        """Share of sessions that begin (``entry``) or end (``exit``) with a page."""
        verb = {"entry": "begin", "exit": "end"}[kind]
        return self.book.add(
            f"{kind}:page", f"share of sessions that {verb} there", (key,), float(row[Col.SHARE]), Unit.SHARE,
            item=clean(row[Col.VALUE]), n=row[SESSIONS_N], users=row[Col.USERS],
            query=select(Col.SHARE, kind, key=key, value=row[Col.VALUE]),
        )  # fmt: skip

    def step(self, key: str, row: Mapping[str, Any], by: str, of: str) -> Fact:
        """Share of steps; ``of`` says of which: all of them, those from a place, those to it."""
        taken = f"{row[FROM]} → {row[TO]}"
        return self.book.add(
            f"step:{by}{of and f':{of}'}", f"share of steps{of and f' {of} there'}", (key,),
            float(row[Col.SHARE]), Unit.SHARE, item=f"{clean(row[FROM])} → {clean(row[TO])}", n=row[Col.N],
            users=row[Col.USERS], query=select(Col.SHARE, f"steps_{by}", key=key, step=taken),
        )  # fmt: skip

    def name(self, metric: str, label: str, key: str, **more: Any) -> Fact:  # noqa: ANN401 - as FactBook.add
        """A row's title as a fact, such as the one that has most."""
        return self.book.add(
            metric, label, (key,), self.context.title(key), Unit.TEXT,
            n=self.context.row(key)[Col.USERS], comparison=True, **more,
        )  # fmt: skip

    def nearest(self, key: str, n: int) -> list[Fact]:
        """The segments whose centroids are nearest, with the distance of unit vectors (0 to 2)."""
        partition = self.context.tables.partition
        ids = partition.ids.tolist()
        own = partition.centroids[[ids.index(int(self.context.row(key)[Col.SEGMENT]))]]
        apart = squared_distances(own, partition.centroids)[0].clip(min=0) ** 0.5
        order = [place for place in apart.argsort(kind="stable").tolist() if f"segment:{ids[place]}" != key]
        return [
            self.book.add(
                "distance", "distance of the centroids", (key, f"segment:{ids[place]}"), float(apart[place]),
                Unit.NUMBER, digits=2, n=self.context.row(key)[Col.USERS], comparison=True,
                query=select("distance", "centroids", key=f"{key}, segment:{ids[place]}"),
            )
            for place in order[:n]
        ]  # fmt: skip


def select(what: str, table: str, **where: str) -> str:
    """What is asked of the data, as SQL over the tables of the profile."""
    conditions = " AND ".join(
        f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in where.items()
    )
    return f"SELECT {what} FROM {table}" + (f" WHERE {conditions}" if conditions else "")


def _behind(row: Mapping[str, Any], name: str) -> float:
    """Users whose doing a figure shows; where nobody does it, all of the row."""
    doing = (
        Col.OUTCOME_USERS
        if name in _OF_CONVERTED
        else Col.ENGAGEMENT_USERS
        if name in _OF_ENGAGED
        else Col.USERS
    )
    return float(row[doing] or row[Col.USERS])


def _why_absent(name: str) -> str:
    if name.startswith(("outcome", "revenue", "session_rate")):
        return "is absent: the data has no such outcome event or value"
    if name.startswith("engagement"):
        return "is absent: the file has no engagement time"
    return "is absent"
