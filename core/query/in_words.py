"""A query in English: as a sentence that is shown before its answer, and as parts that can be taken out.

``who`` of a condition begins as a relative clause does: ``who did add_to_cart and did not see /cart``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from core.base.safe_text import clean
from core.base.wording import capitalised
from core.facts.answer import Unit
from core.journeys.funnel import SESSION, USER, FunnelStep, StepKind, StepOrder
from core.query.layout import WEEKDAYS
from core.query.query import (
    OF_STEPS,
    All,
    Any,
    By,
    Came,
    Condition,
    Did,
    Has,
    Is,
    Measure,
    Not,
    Period,
    Query,
    Range,
    both,
)

Titled = Callable[[str], str]
"""Function that returns the title of a segment by its key."""

UNITS: Final = {
    Measure.USERS: Unit.COUNT, Measure.SHARE: Unit.SHARE, Measure.LIFT: Unit.RATIO,
    Measure.SESSIONS: Unit.COUNT, Measure.SESSIONS_PER_USER: Unit.NUMBER, Measure.SESSION_RATE: Unit.SHARE,
    Measure.VIEWS: Unit.COUNT, Measure.VIEWS_PER_USER: Unit.NUMBER, Measure.VIEWS_PER_SESSION: Unit.NUMBER,
    Measure.PAGES_PER_USER: Unit.NUMBER, Measure.EVENTS: Unit.COUNT, Measure.EVENTS_PER_USER: Unit.NUMBER,
    Measure.ENGAGEMENT: Unit.SECONDS, Measure.REVENUE: Unit.MONEY, Measure.NET_REVENUE: Unit.MONEY,
    Measure.REVENUE_PER_USER: Unit.MONEY, Measure.ORDER_VALUE: Unit.MONEY, Measure.TIME_TO: Unit.SECONDS,
    Measure.FUNNEL: Unit.COUNT, Measure.RETENTION: Unit.SHARE,
}  # fmt: skip
_LABELS: Final = {
    Measure.USERS: "users", Measure.SESSIONS: "sessions", Measure.SESSIONS_PER_USER: "sessions a user",
    Measure.VIEWS: "page views", Measure.VIEWS_PER_USER: "page views a user",
    Measure.VIEWS_PER_SESSION: "page views a session", Measure.PAGES_PER_USER: "different pages a user",
    Measure.ENGAGEMENT: "engagement time a user", Measure.REVENUE: "gross revenue",
    Measure.NET_REVENUE: "net revenue", Measure.REVENUE_PER_USER: "gross revenue a user",
    Measure.ORDER_VALUE: "gross revenue a purchase", Measure.FUNNEL: "users by step",
    Measure.RETENTION: "share of users who come again",
}  # fmt: skip
MEANINGS: Final = {
    Measure.USERS: "Users with at least one page view in the data, each counted once.",
    Measure.SHARE: "Users for whom it holds, divided by all users asked about.",
    Measure.LIFT: "The share of these users over the share of all other users: 2× is twice as often.",
    Measure.SESSIONS: "Visits: GA4's sessions with at least one page view.",
    Measure.SESSIONS_PER_USER: "Sessions divided by users.",
    Measure.SESSION_RATE: "Sessions in which it was done at least once, divided by all sessions.",
    Measure.VIEWS: "Page views: each time a page was seen.",
    Measure.VIEWS_PER_USER: "Page views divided by users.",
    Measure.VIEWS_PER_SESSION: "Page views divided by sessions.",
    Measure.PAGES_PER_USER: "Different pages that a user saw, on average.",
    Measure.EVENTS: "How often the event was sent; a user who did it twice counts twice.",
    Measure.EVENTS_PER_USER: "How often the event was sent, divided by users.",
    Measure.ENGAGEMENT: "GA4's engagement time summed by user, on average over users of whom it was sent.",
    Measure.REVENUE: "Purchase revenue as sent, refunds not taken off.",
    Measure.NET_REVENUE: "Purchase revenue less refunds.",
    Measure.REVENUE_PER_USER: "Gross revenue divided by all users asked about, also those who paid nothing.",
    Measure.ORDER_VALUE: "Gross revenue divided by purchases.",
    Measure.TIME_TO: "Median time from a user's first page view to the first time of it.",
    Measure.FUNNEL: "Users who take the steps in their order; other pages may lie between.",
    Measure.RETENTION: "Of users first seen in a whole week (or day), those seen again so much later.",
}
"""What each measure is and how it is counted: the glossary."""
BY_WORDS: Final = {
    By.SEGMENT: "segment", By.DEVICE: "device", By.BROWSER: "browser", By.COUNTRY: "country",
    By.SOURCE: "first source", By.VISITOR: "visitors who came once or again",
    By.N_SESSIONS: "number of sessions", By.PAGE: "page", By.FOLDER: "folder", By.TEMPLATE: "template", By.THEME: "theme", By.TYPE: "page type",
    By.ENTRY: "first page of the session", By.EXIT: "last page of the session", By.NEXT: "next page",
    By.PREVIOUS: "page before", By.EVENT: "event", By.DAY: "day", By.WEEK: "week", By.MONTH: "month",
    By.WEEKDAY: "day of the week", By.HOUR: "hour",
}  # fmt: skip
_COUNTS: Final = {
    "views": "page views", "sessions": "sessions", "days": "days with a visit", "pages": "different pages",
    "engagement": "seconds of engagement",
}  # fmt: skip


def name_of(step: FunnelStep) -> str:
    """A page or event, as it is shown: ``/cart``, ``the theme Shoes``, ``add_to_cart``."""
    title = clean(step.title)
    levels = {
        StepKind.THEME: "the theme ",
        StepKind.TYPE: "the page type ",
        StepKind.TEMPLATE: "a page like ",
    }
    return f"{levels.get(step.kind, '')}{title}"


def times(limits: Range) -> str:
    """How often: ``at least twice``, ``exactly once``, ``more than 3 times``."""
    text = limits.in_words
    for number, word in (("1", "once"), ("2", "twice")):
        if text.endswith(f" {number}") and " and " not in text:
            return f"{text.removesuffix(number)}{word}"
    return f"{text} times"


def _listed(texts: Sequence[str], joined: str = "or") -> str:
    *first, last = texts
    return f"{', '.join(first)} {joined} {last}" if first else last


def who(condition: Condition, titled: Titled, *, holds: bool = True) -> str:
    """Of whom a condition holds, after “who”: ``did add_to_cart``, ``are not mostly on mobile``."""
    match condition:
        case Not():
            return who(condition.of, titled, holds=not holds)
        case All() | Any():
            joined = "and" if isinstance(condition, All) is holds else "or"
            parts = [_nested(part, titled, holds) for part in condition.of]
            return f", {joined} ".join(parts) if len(parts) > 2 else f" {joined} ".join(parts)
        case Did():
            return _did(condition, holds=holds)
        case Is():
            return _is(condition, titled, holds=holds)
        case Has():
            verb = "have" if holds else "do not have"
            return f"{verb} {condition.range.in_words} {_COUNTS[condition.count]}"
        case Came():
            return f"{'came' if holds else 'did not come'} {when(condition.period)}"


def _nested(part: Condition, titled: Titled, holds: bool) -> str:
    text = who(part, titled, holds=holds)
    inner = part.of if isinstance(part, Not) else part
    return f"({text})" if isinstance(inner, All | Any) else text


def _did(condition: Did, *, holds: bool) -> str:
    parts = []
    for place, step in enumerate(condition.steps):
        event = step.kind is StepKind.EVENT
        if place == 0:
            verb = ("did" if event else "saw") if holds else f"did not {'do' if event else 'see'}"
        else:
            verb = ("did" if event else "saw") if holds else ("do" if event else "see")
        parts.append(f"{verb} {name_of(step)}".replace("  ", " ").strip())
    then = " and right after it " if condition.order is StepOrder.STRICT else " and then "
    text = then.join(parts)
    often = f" {times(condition.times)}" if condition.times else ""
    limit = {SESSION: " in one session", USER: ""}.get(condition.within, f" within {condition.within}")
    return f"{text}{often}{limit}"


def _is(condition: Is, titled: Titled, *, holds: bool) -> str:
    values = [clean(value) for value in condition.any_of]
    no = "" if holds else "not "
    match condition.dimension:
        case By.SEGMENT:
            return f"are {no}in {_listed([titled(key) for key in condition.any_of])}"
        case By.VISITOR:
            return values[0] if holds else f"did not come {values[0].removeprefix('came ')}"
        case By.N_SESSIONS:
            return f"{'have' if holds else 'do not have'} {_listed(values)} sessions"
        case By.SOURCE:
            return f"{'first came' if holds else 'did not first come'} from {_listed(values)}"
        case By.BROWSER:
            return f"{'' if holds else 'do not '}mostly use {_listed(values)}"
        case By.COUNTRY:
            return f"are {no}mostly from {_listed(values)}"
        case _:
            return f"are {no}mostly on {_listed(values)}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def when(period: Period) -> str:
    """A period in words: ``from 3 Nov 2025 to 9 Nov 2025, on Saturday or Sunday``."""
    first, last, parts = period.first_day, period.last_day, []
    if first and last:
        parts.append(f"on {_day(first)}" if first == last else f"from {_day(first)} to {_day(last)}")
    elif first:
        parts.append(f"from {_day(first)} on")
    elif last:
        parts.append(f"up to {_day(last)}")
    if period.weekdays:
        parts.append(f"on {_listed([WEEKDAYS[one - 1] for one in period.weekdays])}")
    if period.hours:
        low, high = min(period.hours), max(period.hours)
        whole = len(period.hours) == high - low + 1
        hours = (
            f"from {low:02d}:00 to {high:02d}:59" if whole else _listed([f"{h:02d}:00" for h in period.hours])
        )
        parts.append(hours if whole else f"in the hours {hours}")
    return ", ".join(parts)


def people(condition: Condition | None, titled: Titled) -> str:
    """The users of whom a condition holds: ``users who saw /cart``; ``all users`` without one."""
    return f"users who {who(condition, titled)}" if condition else "all users"


def measured(query: Query, titled: Titled) -> str:
    """What a query measures: ``share of users who did purchase``, ``median time to purchase``."""
    of, measure = query.of, query.measure
    step = name_of(of.steps[0]) if isinstance(of, Did) else ""
    if query.by in OF_STEPS and measure is Measure.SHARE:
        return f"share of the page views of {step}"
    match measure:
        case Measure.SHARE:
            return (
                f"share {people(of, titled)}".replace("share users", "share of users")
                if of
                else "share of users"
            )
        case Measure.LIFT:
            return f"times the others' share of {people(of, titled)}"
        case Measure.SESSION_RATE:
            return f"share of sessions with {step}"
        case Measure.EVENTS:
            return f"times of {step}" if step else "times"
        case Measure.EVENTS_PER_USER:
            return f"times of {step} a user"
        case Measure.TIME_TO:
            return f"median time to {step}"
        case Measure.FUNNEL:
            return f"users by step, {' → '.join(map(name_of, of.steps))}" if isinstance(of, Did) else ""
        case Measure.VIEWS | Measure.VIEWS_PER_USER if step:
            return f"page views of {step}{' a user' if measure is Measure.VIEWS_PER_USER else ''}"
        case _:
            return _LABELS[measure]


def sentence(query: Query, titled: Titled) -> str:
    """A query as one line: ``Share of users who did purchase, of users who came once, by week``."""
    what = measured(query, titled)
    if query.measure is Measure.USERS and query.where:
        what = people(query.where, titled)
    elif query.where or query.compare:
        what = f"{what}, of {people(query.where, titled)}"
    parts = [capitalised(what)]
    if query.compare == "others":
        parts.append("beside all other users")
    elif query.compare:
        parts.append(f"beside {people(query.compare, titled)}")
    if query.by:
        parts.append(f"by {BY_WORDS[query.by]}")
    if query.keep:
        parts.append(f"only rows with {limits(query)}")
    if query.order or query.limit:
        most = "fewest" if query.order == "least" else "most"
        parts.append(f"{most} first" + (f", {query.limit} of them" if query.limit else ""))
    parts.append(when(query.period) if query.period else "all days")
    return ", ".join(parts)


def limits(query: Query) -> str:
    """The limits of the rows that are kept; of shares in percent."""
    assert query.keep is not None
    if UNITS[query.measure] is not Unit.SHARE:
        return query.keep.in_words
    scaled = {name: 100 * value for name, value in query.keep.model_dump(exclude_none=True).items()}
    return f"{Range(**scaled).in_words} %"


@dataclass(frozen=True)
class Part:
    """A part of a query that can be taken out by itself.

    Args:
        text: What it says.
        without: The query without it.
    """

    text: str
    without: Query


def parts(query: Query, titled: Titled) -> tuple[Part, ...]:
    """The conditions, dimension, period, limits and comparison of a query, each with the query without it."""
    found = []
    where = query.where
    each = where.of if isinstance(where, All) else (where,) if where else ()
    for condition in each:
        rest = [one for one in each if one is not condition]
        left = None
        for one in rest:
            left = both(left, one)
        changed = {"where": left} | ({"compare": None} if left is None and query.compare == "others" else {})
        found.append(Part(who(condition, titled), query.model_copy(update=changed)))
    if query.compare:
        beside = "all other users" if query.compare == "others" else people(query.compare, titled)
        found.append(Part(f"beside {beside}", query.model_copy(update={"compare": None})))
    if query.by and query.by not in OF_STEPS:
        found.append(Part(f"by {BY_WORDS[query.by]}", query.model_copy(update=_WITHOUT_ROWS)))
    if query.keep:
        found.append(Part(limits(query), query.model_copy(update={"keep": None})))
    if query.period:
        found.append(Part(when(query.period), query.model_copy(update={"period": None})))
    return tuple(found)


_WITHOUT_ROWS: Final = {"by": None, "keep": None, "order": None, "limit": None}


def row_name(query: Query, name: str, titled: Titled) -> str:
    """What a row of an answer is called: a segment by its title, everything else as it is."""
    if query.by is By.SEGMENT and name:
        return titled(name)
    return clean(name)
