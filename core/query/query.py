"""The query: a measure of the users whom a condition describes, by a dimension, in a period, as data.

People fill it by words and clicks, programs and language models as JSON (``Query.model_json_schema()``); all
of them are answered by :func:`core.query.execute.execute`. Conditions compose with ``all``, ``any`` and
``not``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Annotated, Final, Literal, Self, TypeAlias

import numpy as np
from pydantic import BaseModel, Field, field_validator, model_validator

from core.base.attributes import ATTRIBUTES
from core.base.errors import SettingsError
from core.base.settings import Settings, checked
from core.journeys.funnel import USER, Funnel, FunnelStep, StepKind, StepOrder

MAX_STEPS: Final = 8
MAX_PARTS: Final = 12
"""Conditions that ``all`` or ``any`` joins, at most."""
MAX_DEPTH: Final = 5
"""Conditions within conditions, at most."""
MAX_ROWS: Final = 100
USUAL_ROWS: Final = 10
"""Rows of an answer by pages, events and the like, where the query does not say how many."""


class Quantity(StrEnum):
    """What is counted, or computed from counts."""

    USERS = "users"
    """By page, folder or label with ``of``: in the rows of its pages alone."""
    SHARE = "share"
    """Share of the users for whom ``of`` holds; without ``of``, of ``where`` among all, or of a row among
    ``where``. By time, single steps of ``of`` are taken in the row: on that day, in that hour."""
    LIFT = "lift"
    """Share of the users for whom ``of`` holds over that of all other users."""
    SESSIONS = "sessions"
    """By time, where they begin; by page, all in which it was seen; with ``of``, those with it."""
    SESSIONS_PER_USER = "sessions_per_user"
    SESSION_RATE = "session_rate"
    """Share of the sessions in which ``of`` was seen or done."""
    BOUNCE_RATE = "bounce_rate"
    """Share of the sessions with a single page view."""
    VIEWS = "views"
    """Page views; with ``of``, of its pages."""
    VIEWS_PER_USER = "views_per_user"
    VIEWS_PER_SESSION = "views_per_session"
    PAGES_PER_USER = "pages_per_user"
    """Different pages a user; of a row, within it."""
    EVENTS = "events"
    """How often ``of`` was done, also when no page was viewed."""
    EVENTS_PER_USER = "events_per_user"
    ENGAGEMENT = "engagement"
    """Engagement time a user in seconds, of users of whom it was sent."""
    REVENUE = "revenue"
    NET_REVENUE = "net_revenue"
    REFUNDS = "refunds"
    """Amount refunded of purchases."""
    REFUND_SHARE = "refund_share"
    """Amount refunded over gross revenue."""
    REVENUE_PER_USER = "revenue_per_user"
    NET_REVENUE_PER_USER = "net_revenue_per_user"
    ORDER_VALUE = "order_value"
    """Gross revenue over purchases, also those without revenue."""
    NET_ORDER_VALUE = "net_order_value"
    ITEMS = "items"
    """Items bought, as purchases say how many."""
    ITEMS_PER_PURCHASE = "items_per_purchase"
    TIME_TO = "time_to"
    """Median time in seconds from a user's first page view to the first ``of``, both in the period."""
    FUNNEL = "funnel"
    """Users who reach each step of ``of``."""
    RETENTION = "retention"
    """Share of the users who come again in each later week (day, if ``by`` is day) after their first."""


class By(StrEnum):
    """What an answer has a row for each of, beside the attributes of users."""

    SEGMENT = "segment"
    VISITOR = "visitor"
    """``came once`` (one session) or ``came again``."""
    N_SESSIONS = "n_sessions"
    PAGE = "page"
    FOLDER = "folder"
    """First part of a page's path."""
    TEMPLATE = "template"
    THEME = "theme"
    TYPE = "type"
    ENTRY = "entry"
    """First page of a session."""
    EXIT = "exit"
    """Last page of a session."""
    NEXT = "next"
    """Page view that follows one of ``of`` in its session."""
    PREVIOUS = "previous"
    EVENT = "event"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    WEEKDAY = "weekday"
    HOUR = "hour"
    SESSION_CHANNEL = "session_channel"
    """Channel of a session; the attribute ``channel`` is that of most sessions of a user."""


_CHOSEN: Final = f"{', '.join(ATTRIBUTES)}, or a dimension that the analyst chose"
Dimension: TypeAlias = Annotated[
    By | Annotated[str, Field(min_length=1, max_length=200)],
    Field(union_mode="left_to_right", description=f"also {_CHOSEN}"),
]
"""What an answer has a row for each of: a :class:`By`, or an attribute of users by its column."""
_OF_USERS: Final = (By.SEGMENT, By.VISITOR, By.N_SESSIONS)
OF_USERS: Final = f"{', '.join(_OF_USERS)}, {_CHOSEN}"
"""The dimensions of which each user has a single value, in words."""
OF_PAGES: Final = (By.PAGE, By.FOLDER, By.TEMPLATE, By.THEME, By.TYPE)
OF_TIME: Final = (By.DAY, By.WEEK, By.MONTH, By.WEEKDAY, By.HOUR)
OF_MOMENTS: Final = (*OF_TIME, By.SESSION_CHANNEL)
"""The dimensions in which events have a value as page views have."""
OF_SESSIONS: Final = (By.ENTRY, By.EXIT)
OF_STEPS: Final = (By.NEXT, By.PREVIOUS)


_NAMED: Final = {by.value: by for by in By}


def dimension_of(name: str) -> Dimension:
    """The dimension of a name."""
    return _NAMED.get(name, name)


def is_attribute(by: Dimension | None) -> bool:
    """Whether a dimension is an attribute of users, such as their device or one that the analyst chose."""
    return by is not None and not isinstance(by, By)


def is_of_users(by: Dimension | None) -> bool:
    """Whether each user has a single value in a dimension."""
    return is_attribute(by) or by in _OF_USERS


MONEY: Final = (
    Quantity.REVENUE,
    Quantity.NET_REVENUE,
    Quantity.REFUNDS,
    Quantity.REFUND_SHARE,
    Quantity.REVENUE_PER_USER,
    Quantity.NET_REVENUE_PER_USER,
    Quantity.ORDER_VALUE,
    Quantity.NET_ORDER_VALUE,
)
WITH_REFUNDS: Final = (
    Quantity.REFUNDS, Quantity.REFUND_SHARE, Quantity.NET_REVENUE, Quantity.NET_REVENUE_PER_USER,
    Quantity.NET_ORDER_VALUE,
)  # fmt: skip
OF_ORDERS: Final = (Quantity.ORDER_VALUE, Quantity.NET_ORDER_VALUE)
OF_ITEMS: Final = (Quantity.ITEMS, Quantity.ITEMS_PER_PURCHASE)
SESSION_MEANS: Final = (Quantity.SESSION_RATE, Quantity.BOUNCE_RATE, Quantity.VIEWS_PER_SESSION)
IN_SESSIONS: Final = (
    Quantity.SESSIONS, *SESSION_MEANS, Quantity.VIEWS, Quantity.EVENTS, Quantity.REVENUE,
    Quantity.ORDER_VALUE, *OF_ITEMS,
)  # fmt: skip
"""Measures of what happens in a session: “by channel” asks for that of the session, as GA4's reports do."""
TOTALS: Final = (
    Quantity.USERS, Quantity.SESSIONS, Quantity.VIEWS, Quantity.EVENTS, Quantity.REVENUE,
    Quantity.NET_REVENUE, Quantity.REFUNDS, Quantity.ITEMS,
)  # fmt: skip
"""Measures that add up; all others are shares, means and medians."""
NEEDS_STEP: Final = (
    Quantity.SESSION_RATE, Quantity.EVENTS, Quantity.EVENTS_PER_USER, Quantity.TIME_TO, Quantity.FUNNEL,
)  # fmt: skip
"""Measures of one page or event (a funnel: of several), which ``of`` names."""
OF_WHOLE_TIME: Final = (Quantity.ENGAGEMENT, *WITH_REFUNDS)
"""Measures that the data set holds by user and not by day: a refund is of a purchase, whenever it came."""


class Data(BaseModel):
    """Base of a query and its parts: frozen, no unknown keys, compared and hashed by value.

    It has not the serializer of :class:`Settings`, with which pydantic cannot write a tagged union of models
    that hold each other.
    """

    model_config = Settings.model_config

    @classmethod
    def checked(cls, /, **values: object) -> Self:
        """Build it, with a readable error.

        Raises:
            SettingsError: If a value is not possible; the message names the first such value.
        """
        return checked(cls, values)


class Range(Data):
    """Limits of a number; ``above`` and ``below`` leave the limit itself out."""

    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        low = [one for one in (self.above, self.at_least) if one is not None]
        high = [one for one in (self.below, self.at_most) if one is not None]
        if not low and not high:
            raise ValueError("a range needs above, at_least, below or at_most")
        if low and high and (max(low) > min(high) or max(low) == min(high) in (self.above, self.below)):
            raise ValueError(f"no number is {self.in_words}")
        return self

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Which values are within the limits: bool of the shape of ``values``; NaN is not."""
        inside = ~np.isnan(np.asarray(values, dtype=np.float64))
        for limit, keeps in (
            (self.above, np.greater), (self.at_least, np.greater_equal), (self.below, np.less),
            (self.at_most, np.less_equal),
        ):  # fmt: skip
            if limit is not None:
                inside &= keeps(values, limit)
        return inside

    @property
    def in_words(self) -> str:
        """The limits in words: ``more than 20``, ``at least 2 and at most 5``, ``exactly 3``."""
        if self.at_least is not None and self.at_least == self.at_most:
            return f"exactly {self.at_least:g}"
        named = (
            ("more than", self.above), ("at least", self.at_least), ("fewer than", self.below),
            ("at most", self.at_most),
        )  # fmt: skip
        return " and ".join(f"{words} {limit:,g}" for words, limit in named if limit is not None)


class Period(Data):
    """Days, weekdays and hours that count, by the clock of the data; days are inclusive."""

    first_day: date | None = None
    last_day: date | None = None
    weekdays: Annotated[tuple[Annotated[int, Field(ge=1, le=7)], ...], Field(max_length=7)] = ()
    """1 is Monday, 7 is Sunday."""
    hours: Annotated[tuple[Annotated[int, Field(ge=0, le=23)], ...], Field(max_length=24)] = ()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.first_day and self.last_day and self.last_day < self.first_day:
            raise ValueError(f"the last day ({self.last_day}) comes before the first ({self.first_day})")
        if self == Period.model_construct():
            raise ValueError("a period needs a day, a weekday or an hour")
        return self


class Did(Data):
    """Users who saw a page or did an event; with several steps, one after the other."""

    kind: Literal["did"] = "did"
    steps: Annotated[tuple[FunnelStep, ...], Field(min_length=1, max_length=MAX_STEPS)]
    """Each step is ``{"kind": "event" | "page" | "template" | "theme" | "type", "any_of": [names]}``."""
    order: StepOrder = StepOrder.LOOSE
    """``strict``: the next step is the next page view."""
    within: str = USER
    """``session``, ``user`` (any time), or a time such as ``30 minutes``, ``7 days``."""
    times: Range | None = None
    """How often; only with one step."""
    at: Literal["any", "entry", "exit"] = "any"
    """``entry`` counts pages only as the first of a session, ``exit`` as the last; only with one step."""

    @field_validator("within")
    @classmethod
    def _is_a_limit(cls, value: str) -> str:
        return Funnel(steps=(FunnelStep(kind=StepKind.EVENT, any_of=("x",)),), within=value).within

    @model_validator(mode="after")
    def _of_one_step(self) -> Self:
        if (self.times or self.at != "any") and len(self.steps) > 1:
            raise ValueError("how often, and where in a session, is counted of a single step")
        if self.at != "any" and self.steps[0].kind is StepKind.EVENT:
            raise ValueError("sessions begin and end with pages, not with events")
        return self

    @property
    def funnel(self) -> Funnel:
        """The steps as a funnel."""
        return Funnel(steps=self.steps, order=self.order, within=self.within)


class Is(Data):
    """Users by an attribute, or by their segment."""

    kind: Literal["is"] = "is"
    dimension: Dimension
    any_of: Annotated[tuple[str, ...], Field(min_length=1, max_length=200)]
    """Values, in which ``*`` stands for any text; of segments their keys, such as ``segment:0``."""

    @field_validator("dimension")
    @classmethod
    def _is_of_users(cls, value: Dimension) -> Dimension:
        if not is_of_users(value):
            raise ValueError(f"users have no {value}; they have {OF_USERS}")
        return value


class Has(Data):
    """Users by how much they did."""

    kind: Literal["has"] = "has"
    count: Literal["views", "sessions", "days", "pages", "engagement"]
    """``days`` on which they came; different ``pages``; ``engagement`` in seconds, of the whole time."""
    range: Range


class Came(Data):
    """Users with a page view in a period."""

    kind: Literal["came"] = "came"
    period: Period


class All(Data):
    """Users for whom all conditions hold."""

    kind: Literal["all"] = "all"
    of: Annotated[tuple[Condition, ...], Field(min_length=1, max_length=MAX_PARTS)]

    @model_validator(mode="after")
    def _agree(self) -> Self:
        denied = {part.of for part in self.of if isinstance(part, Not)}
        if denied & {*self.of}:
            raise ValueError("a condition and its opposite cannot both hold: nobody is left")
        return self


class Any(Data):
    """Users for whom any of the conditions holds."""

    kind: Literal["any"] = "any"
    of: Annotated[tuple[Condition, ...], Field(min_length=1, max_length=MAX_PARTS)]


class Not(Data):
    """Users for whom a condition does not hold."""

    kind: Literal["not"] = "not"
    of: Condition


class Others(Data):
    """All users who are not in ``where``; written ``"others"`` for short."""

    kind: Literal["others"] = "others"


Condition: TypeAlias = Annotated[Did | Is | Has | Came | All | Any | Not, Field(discriminator="kind")]
for _model in (All, Any, Not):
    _model.model_rebuild()


def condition_of(text: str) -> Condition:
    """Read a condition from JSON.

    Raises:
        SettingsError: If it is none.
    """
    try:
        found = Query.checked(where=json.loads(text)).where
    except ValueError as error:
        raise SettingsError(f"A condition is not valid JSON: {error}") from error
    if found is None:
        raise SettingsError("A condition is empty")
    return found


def parts_of(condition: Condition) -> Iterator[Condition]:
    """A condition, and every condition within it."""
    yield condition
    inner = condition.of if isinstance(condition, All | Any) else ()
    for part in (condition.of,) if isinstance(condition, Not) else inner:
        yield from parts_of(part)


def _depth(condition: Condition) -> int:
    if isinstance(condition, All | Any):
        return 1 + max(map(_depth, condition.of))
    return 1 + _depth(condition.of) if isinstance(condition, Not) else 1


def both(first: Condition | None, second: Condition | None) -> Condition | None:
    """The condition that two conditions hold together; None where both are None."""
    flat = [
        part
        for one in (first, second) if one is not None
        for part in (one.of if isinstance(one, All) else (one,))
    ]  # fmt: skip
    different = tuple(dict.fromkeys(flat))
    return All(of=different) if len(different) > 1 else different[0] if different else None


def denied(condition: Condition) -> Condition:
    """The opposite of a condition."""
    return condition.of if isinstance(condition, Not) else Not(of=condition)


class Query(Data):
    """What is asked: a measure, of whom, by what, in which period."""

    measure: Quantity = Quantity.USERS
    of: Condition | None = None
    """What share, lift, session_rate, events, time_to and funnel are about; of views, the pages."""
    where: Condition | None = None
    """Users who count; all users where it is absent."""
    by: Dimension | None = None
    period: Period | None = None
    """Page views and events that count; only users who came in it do."""
    compare: (
        Annotated[Did | Is | Has | Came | All | Any | Not | Others, Field(discriminator="kind")] | None
    ) = None
    """Second users to compare with; ``others`` are all who are not in ``where``."""
    keep: Range | None = None
    """Rows whose figure is not within are left out; shares are from 0 to 1."""
    order: Literal["most", "least"] | None = None
    """Rows of time stay in their order where it is absent; others are ordered by ``most``."""
    limit: Annotated[int, Field(ge=1, le=MAX_ROWS)] | None = None

    @field_validator("compare", mode="before")
    @classmethod
    def _for_short(cls, value: object) -> object:
        return Others() if value == "others" else value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        problems = (*self._of_measure(), *self._of_conditions(), *self._of_rows())
        if problems:
            raise ValueError(problems[0])
        return self

    def _of_measure(self) -> Iterator[str]:
        of_pages = (Quantity.USERS,) if self.by in OF_PAGES else ()
        of_step = (*NEEDS_STEP, Quantity.SESSIONS, Quantity.VIEWS, Quantity.VIEWS_PER_USER, *of_pages)
        every_event = self.by is By.EVENT and self.measure is Quantity.EVENTS
        if self.of is None and self.measure in (*NEEDS_STEP, Quantity.LIFT) and not every_event:
            yield f"{self.measure} needs “of”: the event, page or condition that it is about"
        if self.of and self.measure in of_step and not isinstance(self.of, Did):
            yield f"{self.measure} is about pages or events: “of” must be of the kind did"
        if self.of and self.measure not in (*of_step, Quantity.SHARE, Quantity.LIFT) and not self._is_by_step:
            yield f"{self.measure} takes no “of”: who counts is said by “where”"
        about = self.of if isinstance(self.of, Did) and self.measure in of_step else None
        if about and len(about.steps) > 1 and self.measure is not Quantity.FUNNEL:
            yield f"{self.measure} is about a single step"
        if of_pages and self.measure in of_pages and about and about.steps[0].kind is StepKind.EVENT:
            yield f"users by {self.by} are counted of pages: “of” names some of them, no events"
        if about and (about.times or (about.at != "any" and self.measure is Quantity.FUNNEL)):
            yield f"{self.measure} counts a step each time: how often, or where, is no part of it"
        if self.period and self.measure in (*OF_WHOLE_TIME, Quantity.RETENTION):
            yield f"{self.measure} is known of the whole time only, not by day"

    def _of_conditions(self) -> Iterator[str]:
        said = [one for one in (self.of, self.where, self.compare) if one and not isinstance(one, Others)]
        if any(_depth(condition) > MAX_DEPTH for condition in said):
            yield f"conditions are at most {MAX_DEPTH} deep"
        parts = [part for condition in said for part in parts_of(condition)]
        if self.period and any(isinstance(part, Has) and part.count == "engagement" for part in parts):
            yield "engagement is known of the whole time only, not by day"

    def _of_rows(self) -> Iterator[str]:
        if self.compare and self.by:
            yield "either compare two kinds of users, or ask by a dimension"
        if isinstance(self.compare, Others) and self.where is None:
            yield "all users have no others to compare with: say “where”"
        if self._is_by_step and not (isinstance(self.of, Did) and len(self.of.steps) == 1):
            yield f"by {self.by} needs “of”: the page that comes before or after"
        if self._is_by_step and isinstance(self.of, Did) and self.of.times:
            yield f"by {self.by} counts every view of a page: how often is no part of it"
        if self._is_by_step and self.measure not in (
            Quantity.SHARE,
            Quantity.USERS,
            Quantity.VIEWS,
        ):
            yield f"by {self.by} are counted users, views and their share"
        if self.measure is Quantity.LIFT and self.compare:
            yield "lift compares with all other users already"
        if self.measure is Quantity.TIME_TO and self.by and not is_of_users(self.by):
            yield f"time_to is counted by {OF_USERS}"
        if self.by in OF_MOMENTS and self.measure in (*OF_WHOLE_TIME, Quantity.LIFT):
            by = self.by.replace("_", " ")
            yield f"{self.measure} is known of users in the whole time only, not by {by}"
        yield from self._of_special_rows()

    def _of_special_rows(self) -> Iterator[str]:
        pages = isinstance(self.of, Did) and self.of.steps[0].kind is not StepKind.EVENT
        if self.by is By.EVENT and self.measure is Quantity.EVENTS and pages:
            yield "by event are counted events: “of” names some of them, no pages"
        if self.measure is Quantity.FUNNEL and (self.by or self.compare):
            yield "a funnel has a row a step: ask for it of one kind of users"
        if self.measure is Quantity.RETENTION and (self.by not in (None, By.DAY, By.WEEK) or self.compare):
            yield "who comes again is asked by day or week, of one kind of users"
        if self.by is By.EVENT and self.measure not in (
            Quantity.USERS,
            Quantity.SHARE,
            Quantity.EVENTS,
        ):
            yield "by event are counted users, events and the share of users"
        events = (Quantity.EVENTS, Quantity.EVENTS_PER_USER)
        if self.measure in events and self.by in (*OF_PAGES, *OF_SESSIONS):
            yield f"events are not counted by {self.by}"
        if self.keep and not self.by:
            yield "“keep” leaves out rows: ask by a dimension"

    @property
    def _is_by_step(self) -> bool:
        return self.by in OF_STEPS

    @property
    def n_rows(self) -> int | None:
        """Most rows of the answer; None for all."""
        every = self.by in (*OF_TIME, By.SEGMENT, By.VISITOR, By.N_SESSIONS, None)
        return self.limit or (None if every else MAX_ROWS if self.keep else USUAL_ROWS)
