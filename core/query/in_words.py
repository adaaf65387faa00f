"""A query in English: as a sentence that is shown before its answer, and as parts that can be taken out.

``who`` of a condition begins as a relative clause does: ``who did add_to_cart and did not see /cart``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Final

from core.base.attributes import attribute_words
from core.base.safe_text import clean
from core.base.wording import capitalised, uncapitalised
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
    Dimension,
    Has,
    Is,
    Not,
    Others,
    Period,
    Quantity,
    Query,
    Range,
)

Titled = Callable[[str], str]
"""Function that returns the title of a segment by its key."""

UNITS: Final = {
    Quantity.USERS: Unit.COUNT, Quantity.SHARE: Unit.SHARE, Quantity.LIFT: Unit.RATIO,
    Quantity.SESSIONS: Unit.COUNT, Quantity.SESSIONS_PER_USER: Unit.NUMBER, Quantity.SESSION_RATE: Unit.SHARE,
    Quantity.VIEWS: Unit.COUNT, Quantity.VIEWS_PER_USER: Unit.NUMBER, Quantity.VIEWS_PER_SESSION: Unit.NUMBER,
    Quantity.PAGES_PER_USER: Unit.NUMBER, Quantity.EVENTS: Unit.COUNT, Quantity.EVENTS_PER_USER: Unit.NUMBER,
    Quantity.ENGAGEMENT: Unit.SECONDS, Quantity.REVENUE: Unit.MONEY, Quantity.NET_REVENUE: Unit.MONEY,
    Quantity.REVENUE_PER_USER: Unit.MONEY, Quantity.ORDER_VALUE: Unit.MONEY,
    Quantity.NET_REVENUE_PER_USER: Unit.MONEY, Quantity.NET_ORDER_VALUE: Unit.MONEY,
    Quantity.REFUNDS: Unit.MONEY, Quantity.REFUND_SHARE: Unit.SHARE, Quantity.TIME_TO: Unit.SECONDS,
    Quantity.FUNNEL: Unit.COUNT, Quantity.RETENTION: Unit.SHARE,
    Quantity.BOUNCE_RATE: Unit.SHARE, Quantity.ITEMS: Unit.COUNT, Quantity.ITEMS_PER_PURCHASE: Unit.NUMBER,
}  # fmt: skip
_LABELS: Final = {
    Quantity.USERS: "users", Quantity.SESSIONS: "sessions", Quantity.SESSIONS_PER_USER: "sessions a user",
    Quantity.VIEWS: "page views", Quantity.VIEWS_PER_USER: "page views a user",
    Quantity.VIEWS_PER_SESSION: "page views a session", Quantity.PAGES_PER_USER: "different pages a user",
    Quantity.ENGAGEMENT: "engagement time a user", Quantity.REVENUE: "gross revenue",
    Quantity.NET_REVENUE: "net revenue", Quantity.REVENUE_PER_USER: "gross revenue a user",
    Quantity.NET_REVENUE_PER_USER: "net revenue a user", Quantity.NET_ORDER_VALUE: "net revenue a purchase",
    Quantity.REFUNDS: "refunded revenue", Quantity.REFUND_SHARE: "refunded share of gross revenue",
    Quantity.ORDER_VALUE: "gross revenue a purchase", Quantity.FUNNEL: "users by step",
    Quantity.RETENTION: "share of users who come again", Quantity.BOUNCE_RATE: "bounce rate",
    Quantity.ITEMS: "items bought", Quantity.ITEMS_PER_PURCHASE: "items a purchase",
}  # fmt: skip
MEANINGS: Final = {
    Quantity.USERS: "Users with at least one page view in the data, each counted once.",
    Quantity.SHARE: "Users for whom it holds, divided by all users asked about.",
    Quantity.LIFT: "The share of these users over the share of all other users: 2× is twice as often.",
    Quantity.SESSIONS: "Visits: GA4's sessions with at least one page view.",
    Quantity.SESSIONS_PER_USER: "Sessions divided by users.",
    Quantity.SESSION_RATE: "Sessions in which it was done at least once, divided by all sessions.",
    Quantity.BOUNCE_RATE: "Sessions with one page view, divided by all; GA4's counts those not engaged.",
    Quantity.VIEWS: "Page views: each time a page was seen.",
    Quantity.VIEWS_PER_USER: "Page views divided by users.",
    Quantity.VIEWS_PER_SESSION: "Page views divided by sessions.",
    Quantity.PAGES_PER_USER: "Different pages that a user saw, on average.",
    Quantity.EVENTS: "How often the event was sent; a user who did it twice counts twice.",
    Quantity.EVENTS_PER_USER: "How often the event was sent, divided by users.",
    Quantity.ENGAGEMENT: "GA4's engagement time summed by user, on average over users of whom it was sent.",
    Quantity.REVENUE: "Purchase revenue as sent, refunds not taken off.",
    Quantity.NET_REVENUE: "Purchase revenue less refunds.",
    Quantity.REFUNDS: "What was refunded of purchases.",
    Quantity.REFUND_SHARE: "What was refunded of purchases, divided by gross revenue.",
    Quantity.REVENUE_PER_USER: "Gross revenue divided by all users asked about, also those who paid nothing.",
    Quantity.NET_REVENUE_PER_USER: "Net revenue divided by all users asked about.",
    Quantity.ORDER_VALUE: "Gross revenue divided by purchases.",
    Quantity.NET_ORDER_VALUE: "Net revenue divided by purchases, also those that were refunded.",
    Quantity.ITEMS: "Items of purchases, as these say how many; what was refunded is not taken off.",
    Quantity.ITEMS_PER_PURCHASE: "Items bought divided by purchases, of users whose purchases say how many.",
    Quantity.TIME_TO: "Median time from a user's first page view to the first time of it.",
    Quantity.FUNNEL: "Users who take the steps in their order; other pages may lie between.",
    Quantity.RETENTION: "Of users first seen in a whole week (or day), those seen again so much later.",
}
"""What each measure is and how it is counted: the glossary."""
BY_WORDS: Final[Mapping[str, str]] = {
    By.SEGMENT: "segment", By.VISITOR: "visitors who came once or again",
    By.N_SESSIONS: "number of sessions", By.PAGE: "page", By.FOLDER: "folder", By.TEMPLATE: "template",
    By.THEME: "theme", By.TYPE: "page type", By.ENTRY: "first page of the session",
    By.EXIT: "last page of the session", By.NEXT: "next page", By.PREVIOUS: "page before",
    By.EVENT: "event", By.DAY: "day", By.WEEK: "week", By.MONTH: "month", By.WEEKDAY: "day of the week",
    By.HOUR: "hour", By.SESSION_CHANNEL: "channel of the session",
}  # fmt: skip


def by_words(by: Dimension) -> str:
    """A dimension in words: ``week``, or of an attribute of users, ``user's main device``."""
    return BY_WORDS.get(by) or f"user's {uncapitalised(attribute_words(by).title)}"


_NAMED_PAGES: Final = 3
"""Pages of a step that are named, at most."""
_IN_SESSIONS: Final = {"any": "with", "entry": "that began with", "exit": "that ended with"}
_COUNTS: Final = {
    "views": "page views", "sessions": "sessions", "days": "days with a visit", "pages": "different pages",
    "engagement": "seconds of engagement",
}  # fmt: skip


def name_of(step: FunnelStep) -> str:
    """A page or event, as it is shown: ``/cart``, ``the theme Shoes``, ``add_to_cart``."""
    first, *more = step.any_of
    if more == [f"{first}/*", f"{first}?*"]:
        return f"a page in {clean(first)}"
    if step.kind is StepKind.PAGE and len(bases := _without_queries(step)) > 1:
        some = [clean(base) for base in bases[:_NAMED_PAGES]]
        rest = len(bases) - len(some)
        listed = _listed([*some, f"{rest} more"] if rest else some, "and")
        return f"any of {len(bases)} pages ({listed})"
    title = clean(step.title)
    levels = {
        StepKind.THEME: "the theme ",
        StepKind.TYPE: "the page type ",
        StepKind.TEMPLATE: "a page like ",
    }
    return f"{levels.get(step.kind, '')}{title}"


def _without_queries(step: FunnelStep) -> list[str]:
    """The pages and folders of a step, each once: ``/a/*`` for ``/a``, ``/a/*`` and ``/a?*``."""
    pages = (one for one in step.any_of if not one.endswith("?*") and f"{one}/*" not in step.any_of)
    return list(dict.fromkeys(pages))


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
        case Any(of=(Did() as first, Did() as second)) if _in_any_order(first, second):
            text = _did(first, holds=holds)
            return text.replace(" and then ", " and ", 1)
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


def _in_any_order(first: Did, second: Did) -> bool:
    """Whether two conditions are two steps within one session, in either order."""
    turned = first.steps[::-1] == second.steps and len(first.steps) > 1
    return turned and first.within == second.within == SESSION


def _nested(part: Condition, titled: Titled, holds: bool) -> str:
    text = who(part, titled, holds=holds)
    inner = part.of if isinstance(part, Not) else part
    return f"({text})" if isinstance(inner, All | Any) else text


def _did(condition: Did, *, holds: bool) -> str:
    if condition.at != "any":
        positive, base = {"entry": ("began", "begin"), "exit": ("ended", "end")}[condition.at]
        often = f" {times(condition.times)}" if condition.times else ""
        began = positive if holds else f"did not {base}"
        return f"{began} a session with {name_of(condition.steps[0])}{often}"
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
        case _:
            words = attribute_words(condition.dimension)
            return f"{words.do if holds else words.do_not} {_listed(values)}"


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
    if query.by in OF_STEPS and measure is Quantity.SHARE:
        return f"share of the page views of {step}"
    match measure:
        case Quantity.SHARE:
            return (
                f"share {people(of, titled)}".replace("share users", "share of users")
                if of
                else "share of users"
            )
        case Quantity.LIFT:
            return f"times the others' share of {people(of, titled)}"
        case Quantity.SESSION_RATE | Quantity.SESSIONS if isinstance(of, Did):
            what = f"sessions {_IN_SESSIONS[of.at]} {step}"
            return what if measure is Quantity.SESSIONS else f"share of {what}"
        case Quantity.EVENTS:
            return f"times of {step}" if step else "times"
        case Quantity.EVENTS_PER_USER:
            return f"times of {step} a user"
        case Quantity.TIME_TO:
            return f"median time to {step}"
        case Quantity.FUNNEL:
            return f"users by step, {' → '.join(map(name_of, of.steps))}" if isinstance(of, Did) else ""
        case Quantity.USERS | Quantity.VIEWS | Quantity.VIEWS_PER_USER if step:
            what = "users" if measure is Quantity.USERS else "page views"
            return f"{what} of {step}{' a user' if measure is Quantity.VIEWS_PER_USER else ''}"
        case _:
            return _LABELS[measure]


def sentence(query: Query, titled: Titled) -> str:
    """A query as one line: ``Share of users who did purchase, of users who came once, by week``."""
    what = measured(query, titled)
    if query.measure is Quantity.USERS and query.where:
        of = f", of {name_of(query.of.steps[0])}" if isinstance(query.of, Did) else ""
        what = people(query.where, titled) + of
    elif query.where or query.compare:
        what = f"{what}, of {people(query.where, titled)}"
    parts = [capitalised(what)]
    if isinstance(query.compare, Others):
        parts.append("beside all other users")
    elif query.compare:
        parts.append(f"beside {people(query.compare, titled)}")
    if query.by:
        parts.append(f"by {by_words(query.by)}")
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
