"""Make facts about the rows of a context: every figure comes from the tables that draw the profiles.

``Finding`` is what a tool returns, ``Figures`` makes facts from the tables, ``make_fact`` and the functions
below it make facts from plain values.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from core.base import wording
from core.base.attributes import attribute_words
from core.base.errors import InputError
from core.base.schema import Users
from core.facts.answer import (
    ARROW,
    BY_KEY,
    N_OF,
    Answer,
    Block,
    Contrast,
    Fact,
    Note,
    Ranking,
    Unit,
    Verdict,
    facts_of,
    format_value,
)
from core.facts.context import ALL, OTHERS, Context
from core.facts.contrasting import decide, rest_figure
from core.facts.items import ITEM_MEASURES, ItemMetric, cell, item_rows
from core.facts.verbs import DO
from core.journeys.moves import FROM, TO
from core.profiles.other_sessions import OTHER_SESSIONS
from core.profiles.profile_columns import DIGITS, Col, digits
from core.profiles.two_shares import wilson
from core.profiles.user_items import Family
from core.rules.beam_search import MeasuredShare
from core.segments.geometry import squared_distances
from core.storage.receipt import NO_CURRENCY


@dataclass(frozen=True)
class Finding:
    """The result of a tool.

    Args:
        blocks: Figures and notes that answer.
        query: What was read from the data, as SQL.
    """

    blocks: tuple[Block, ...]
    query: str = ""

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Every fact of the blocks, each once."""
        return facts_of(self.blocks)


def require_row(context: Context, key: str) -> str:
    """Return the key of a row after checking that the row exists.

    Raises:
        InputError: If there is none.
    """
    if key not in context.keys:
        raise InputError(f"There is no row {key!r}", allowed=", ".join(context.keys))
    return key


def require_segment(context: Context, key: str) -> str:
    """Return the key of a row after checking that it is a segment's.

    Raises:
        InputError: If it is not.
    """
    if require_row(context, key) not in context.segment_keys:
        raise InputError(f"{context.title(key)} is no segment", allowed=", ".join(context.segment_keys))
    return key


def notes(*texts: str) -> tuple[Note, ...]:
    """Notes of some texts; empty texts are left out."""
    return tuple(Note(text=text) for text in texts if text)


def with_bases(blocks: Iterable[Block], context: Context) -> tuple[Block, ...]:
    """The blocks, and a note on how users' traffic sources were found if a figure is about a source."""
    said, told = tuple(blocks), context.tables.basis.data.source_basis
    of_source = any(f":{Users.SOURCE}" in fact.measure for fact in facts_of(said))
    return (*said, *notes(told)) if of_source else said


def answer_of(blocks: Sequence[Block], context: Context, **more: Any) -> Answer:  # noqa: ANN401 - of Answer
    """Answer of some blocks, with titles, population and notes on sources; ``more``: its other fields."""
    facts = facts_of(blocks)
    rows = dict.fromkeys(row for fact in facts for row in fact.segments)
    titles, population = context.titles(rows) if rows else {}, context.population_of(facts)
    return Answer(with_bases(blocks, context), titles, population=population, **more)


def without_none(facts: Iterable[Fact | None]) -> tuple[Fact, ...]:
    """The facts without those that are None."""
    return tuple(fact for fact in facts if fact is not None)


_OF_CONVERTED: Final = (
    Col.OUTCOME_USERS, Col.OUTCOME_RATE, Col.OUTCOME_SESSIONS, Col.SESSION_RATE, Col.REVENUE,
    Col.NET_REVENUE, Col.REVENUE_PER_USER,
)  # fmt: skip
"""Columns about converted users: if only one user converted, they disclose that user's revenue."""
_OF_ENGAGED: Final = (Col.ENGAGEMENT_USERS, Col.ENGAGEMENT_MEAN, Col.ENGAGEMENT_MEDIAN)
_ITEM_LABELS: Final[Mapping[str, str]] = {
    **{family: f"who {does}" for family, does in DO.items()}, Family.PAGE: "who saw the page",
    Family.OUTCOME: "with the outcome",
}  # fmt: skip

_TIMES: Final = 2.0
"""Ratio from which two shares are compared as ``2.0×`` instead of in percentage points."""


@dataclass(frozen=True, eq=False)
class Figures:
    """Makes facts from the tables of a context."""

    context: Context

    def measure(self, key: str, name: str, currency: str = "") -> Fact | None:
        """Fact of a cell of the segments table; None where it is empty, as money in several currencies is.

        Args:
            key: Key of the row.
            name: The column, a key of :data:`core.facts.answer.BY_KEY`.
            currency: Currency of money; empty for the only one.
        """
        row, measure = self.context.row(key), BY_KEY[name]
        value = float(row[name])
        if measure.unit is Unit.MONEY and len(self.currencies) > 1 and currency:
            per_user = name == Col.REVENUE_PER_USER
            paid = self.context.tables.money[Col.REVENUE if per_user else name, key, currency]
            value = paid / (row[Col.USERS] if per_user else 1)
        if math.isnan(value):
            return None
        is_rate = name == Col.OUTCOME_RATE
        return make_fact(
            name, measure.label, (key,), value, measure.unit, digits=digits(name, value),
            interval=(row[Col.OUTCOME_LOW], row[Col.OUTCOME_HIGH]) if is_rate else None,
            n=self._n(row, name), users=_behind(row, name),
            currency=currency or (self._currency if measure.unit is Unit.MONEY else ""),
        )  # fmt: skip

    def _n(self, row: Mapping[str, Any], name: str) -> float:
        """The base of a value: of a share of users it is all users, not those of the row."""
        profiles = self.context.tables.profiles
        of = {Col.SHARE: profiles.n_users, Col.SHARE_CLUSTERED: profiles.n_clustered}
        return float(of.get(name, row[N_OF[name]]))

    @property
    def currencies(self) -> tuple[str, ...]:
        """Currencies of the revenue; each is counted apart."""
        conversions = self.context.tables.profiles.conversions
        return tuple(conversions.money) if conversions else ()

    @property
    def _currency(self) -> str:
        """The currency of all revenue; empty where none was sent, or there are several."""
        money = self.currencies
        return money[0] if len(money) == 1 and money[0] != NO_CURRENCY else ""

    def each(self, key: str, name: str) -> tuple[Fact, ...]:
        """Facts of a cell of the segments table: one, or one for each currency of money in several.

        Raises:
            InputError: If the cell is empty.
        """
        apart = self.currencies if BY_KEY[name].unit is Unit.MONEY and len(self.currencies) > 1 else ()
        return without_none(self.measure(key, name, currency) for currency in apart) or (
            self.needed(key, name),
        )

    def needed(self, key: str, name: str) -> Fact:
        """Fact of a cell of the segments table that must not be empty.

        Raises:
            InputError: If it is.
        """
        fact = self.measure(key, name)
        if fact is None:
            of = f"The {BY_KEY[name].label} of {self.context.title(key)}"
            raise InputError(f"{of} {_why_absent(name, self.currencies)}")
        return fact

    def item(self, key: str, dimension: str, value: str, metric: ItemMetric) -> Fact | None:
        """A metric of an item (a page, theme, device, …) for a row; None where it is not counted.

        Raises:
            InputError: If the data has no such item.
        """
        row = item_rows(self.context, dimension, value)[key]
        amount = cell(row, metric.value)
        if math.isnan(amount):
            return None
        measure = ITEM_MEASURES[metric]
        having = _ITEM_LABELS.get(dimension) or attribute_words(dimension).having
        return make_fact(
            f"{metric}:{dimension}", f"{measure.label} {having}", (key,), amount,
            measure.unit, item=value, interval=(cell(row, measure.low), cell(row, measure.high)),
            n=cell(row, Col.N), users=cell(row, Col.USERS),
        )  # fmt: skip

    def session_end(self, key: str, row: Mapping[Any, Any], kind: str) -> Fact:
        """The share of a row's sessions that begin (``entry``) or end (``exit``) with a page.

        Args:
            key: Key of the row of the segments table.
            row: A row of :func:`core.facts.steps.session_ends`.
            kind: ``entry`` or ``exit``.
        """
        verb, page = {"entry": ("begin", TO), "exit": ("end", FROM)}[kind]
        return make_fact(
            f"{kind}:page", f"share of sessions that {verb} with the page", (key,), float(row[Col.SHARE]),
            Unit.SHARE, item=str(row[page]), n=row[Col.N], users=row[Col.USERS],
        )  # fmt: skip

    def step(self, key: str, row: Mapping[Any, Any], by: str) -> Fact:
        """The share that a step has of all steps.

        Args:
            key: Key of the row of the segments table.
            row: A row of :func:`core.facts.steps.most_steps`.
            by: Between what: ``page``, ``theme`` or ``type``.
        """
        return make_fact(
            f"step:{by}", "share of steps", (key,), float(row[Col.SHARE]), Unit.SHARE,
            item=f"{row[FROM]}{ARROW}{row[TO]}", n=row[Col.N], users=row[Col.USERS],
        )  # fmt: skip

    def nearest(self, key: str, n: int) -> list[Fact]:
        """The ``n`` segments with the nearest centroids, nearest first, by distance of unit vectors (0 to 2).

        Empty for a row that is no segment of the model.
        """
        partition = self.context.tables.partition
        ids = partition.ids.tolist()
        if key not in [f"segment:{segment}" for segment in ids]:
            return []
        centroid = partition.centroids[[ids.index(int(self.context.row(key)[Col.SEGMENT]))]]
        apart = squared_distances(centroid, partition.centroids)[0].clip(min=0) ** 0.5
        order = [place for place in apart.argsort(kind="stable").tolist() if f"segment:{ids[place]}" != key]
        return [
            make_fact(
                "distance", "distance of the centroids", (key, f"segment:{ids[place]}"), float(apart[place]),
                Unit.NUMBER, digits=2, n=self.context.row(key)[Col.USERS],
            )
            for place in order[:n]
        ]  # fmt: skip

    def same(self, fact: Fact, key: str) -> Fact | None:
        """The fact with another one's measure and item, for the row ``key``; None where there is none."""
        metric, _, dimension = fact.measure.partition(":")
        if metric not in (set(ItemMetric) if fact.item else BY_KEY):
            return None
        if fact.item:
            return self.item(key, dimension, fact.item, ItemMetric(metric))
        return self.measure(key, metric, fact.currency)

    def contrast(self, first: Fact, key: str, q_value: float | None = None) -> Contrast:
        """Compare a figure with that of another row; all users are replaced by the other clustered users.

        Args:
            first: The figure that the comparison is about.
            key: The other row.
            q_value: Takes the place of the test's p where many differences are looked at.

        Raises:
            InputError: If there is no such row, it is the fact's own, it has no such figure, or they cannot
                be compared.
        """
        second = self.same(first, require_row(self.context, key))
        if second is None:
            raise InputError(f"There is no {first.label} of {self.context.title(key)}")
        if second.row == ALL:
            second = self._others(first) or second
        elif first.row == ALL:
            first = self._others(second) or first
        verdict, outcome = decide(self.context, first, second, q_value)
        sure = verdict.is_sure
        # a difference that was seen and is no less than the least that "would have been seen" contradicts it
        is_detectable = (
            outcome is not None and not sure and abs(first.value - second.value) < outcome.detectable
        )
        test, p_value = (outcome.test, outcome.p_value) if outcome else ("", None)
        if (again := self._again(first, second)) is not None:
            test, (p_value, q_value) = OTHER_SESSIONS, again
        return Contrast(
            first=first, second=second, verdict=verdict, relation=relation(first, second) if sure else None,
            test=test, p_value=p_value, q_value=q_value,
            detectable=_detectable(first, outcome.detectable) if outcome and is_detectable else None,
        )  # fmt: skip

    def _again(self, first: Fact, second: Fact) -> tuple[float, float] | None:
        """The p and q of a segment's share of users in other sessions; None where that was not tested."""
        (metric, _, family), rows = first.measure.partition(":"), {first.row, second.row}
        if OTHERS not in rows or metric != ItemMetric.SHARE:
            return None
        (key,) = rows - {OTHERS}
        return self.context.tables.tested_again.get((key, family, first.item))

    def _others(self, first: Fact) -> Fact | None:
        """The figure of the other clustered users; None of a plain count: all users' is compared."""
        counted = rest_figure(self.context, first) if first.row != ALL else None
        if counted is None:
            return None
        value = counted.value
        low, high = wilson(np.array(value * counted.n), np.array(counted.n))
        most = 1 if first.item else digits(first.measure, value)
        return make_fact(
            first.measure, first.label, (OTHERS,), value, first.unit, item=first.item,
            digits=wording.share_digits(counted.written_n, most) if first.unit is Unit.SHARE else most,
            interval=(float(low), float(high)) if first.low is not None else None,
            n=counted.n, users=counted.users, currency=first.currency,
        )  # fmt: skip

    def ranking(self, facts: Iterable[Fact], *, most: bool = True) -> Ranking:
        """Sort facts of one measure by value; equal ones keep their order.

        Raises:
            InputError: If there are fewer than two.
        """
        found = list(facts)
        if len(found) < 2:
            raise InputError("There are not two rows to rank")
        values = np.array([fact.value for fact in found])
        order = np.argsort(-values if most else values, kind="stable").tolist()
        ranked = tuple(found[place] for place in order)
        verdict, _ = decide(self.context, ranked[0], ranked[1])
        return Ranking(facts=ranked, most=most, sure=verdict is not Verdict.UNSURE)


def make_fact(
    measure: str,
    label: str,
    segments: tuple[str, ...],
    value: float,
    unit: Unit,
    *,
    item: str = "",
    digits: int = 1,
    interval: tuple[float, float] | None = None,
    n: float = 0,
    users: float | None = None,
    currency: str = "",
) -> Fact:
    """Make a fact, its value written with so many ``digits`` after the point; see :class:`Fact`.

    A share has no more of them than its ``n`` allows. An ``interval`` with an absent end is none, and
    ``users`` are all of ``n`` where None.
    """
    if unit in (Unit.SHARE, Unit.POINTS) and n:
        digits = wording.share_digits(n, digits)
    low, high = interval if interval and not any(map(math.isnan, interval)) else (None, None)
    return Fact(
        measure=measure, label=label, segments=segments, value=value, unit=unit,
        text=format_value(value, unit, digits, currency), item=item, low=low, high=high, n=int(n),
        users=int(n if users is None else users), currency=currency,
    )  # fmt: skip


def share_fact(
    measure: str, label: str, row: str, part: float, n: float, item: str, users: float | None = None
) -> Fact:
    """Make the fact of a share, ``part`` of ``n`` users, with its interval; ``users`` default to ``part``."""
    share = MeasuredShare(int(part), int(n))
    return make_fact(
        measure, label, (row,), share.share, Unit.SHARE, item=item, interval=share.interval, n=n,
        users=part if users is None else users,
    )  # fmt: skip


def contrast_of_shares(first: Fact, second: Fact, differs: bool) -> Contrast:
    """Contrast of two shares of which a table already says whether they differ; it has no test."""
    if not differs:
        return Contrast(first=first, second=second, verdict=Verdict.UNSURE)
    verdict = Verdict.HIGHER if first.value > second.value else Verdict.LOWER
    return Contrast(first=first, second=second, verdict=verdict, relation=relation(first, second))


def relation(first: Fact, second: Fact) -> Fact | None:
    """Ratio of the first figure to the second; of shares the difference, if below :data:`_TIMES` or by 0.

    None where the ratio of other figures would be 0 or by 0.
    """
    rows, kind = (first.row, second.row), first.measure
    n, users = min(first.n, second.n), min(first.users, second.users)
    ratio = first.value / second.value if second.value else math.inf
    if first.unit is Unit.SHARE and not _TIMES <= ratio < math.inf:
        label = f"difference in {first.label}"
        return make_fact(
            f"difference:{kind}", label, rows, first.value - second.value, Unit.POINTS, item=first.item,
            digits=DIGITS.get(kind, 1), n=n, users=users,
        )  # fmt: skip
    if not 0 < ratio < math.inf:
        return None
    return make_fact(
        f"ratio:{kind}", f"ratio of {first.label}", rows, ratio, Unit.RATIO, item=first.item, n=n, users=users
    )


def _detectable(fact: Fact, value: float) -> Fact | None:
    """The fact of the least detectable difference ``value`` of a figure; None where it is not finite."""
    if not math.isfinite(value):
        return None
    unit = Unit.POINTS if fact.unit is Unit.SHARE else fact.unit
    text_digits = max(1, DIGITS.get(fact.measure, 1))
    difference = make_fact(
        f"detectable:{fact.measure}", f"least difference in {fact.label} that would have been seen",
        fact.segments, value, unit, item=fact.item, digits=text_digits, n=fact.n, users=fact.users,
        currency=fact.currency,
    )  # fmt: skip
    return difference.model_copy(update={"text": difference.text.removeprefix("+")})


def select(what: str, table: str, **where: str) -> str:
    """SQL that stands for a finding: ``SELECT what FROM table``, each ``where`` column equal to its value."""
    conditions = " AND ".join(
        f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in where.items()
    )
    return f"SELECT {what} FROM {table}" + (f" WHERE {conditions}" if conditions else "")


def _behind(row: Mapping[str, Any], name: str) -> float:
    """Number of users whose behaviour a figure discloses; where there are none, all of the row."""
    doing = (
        Col.OUTCOME_USERS
        if name in _OF_CONVERTED
        else Col.ENGAGEMENT_USERS
        if name in _OF_ENGAGED
        else Col.USERS
    )
    return float(row[doing] or row[Col.USERS])


def _why_absent(name: str, currencies: Sequence[str]) -> str:
    if BY_KEY[name].unit is Unit.MONEY and len(currencies) > 1:
        return f"is in {' and '.join(currencies)}, which are not added up: ask for the revenue by segment"
    if name.startswith("outcome") or name in _OF_CONVERTED:
        return "is absent: the data has no such outcome event or value"
    if name.startswith("engagement"):
        return "is absent: the file has no engagement time"
    return "is absent"
