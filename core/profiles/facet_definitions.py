"""Define each facet for a site: its levels, in words, and the rule that gives every user a level.

A definition learns its names and limits (which folders are sections, how many visits are many) from some
users, without looking at who had the outcome. Its rule can then be applied to any part of the visits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from itertools import pairwise
from typing import Final, TypeAlias
from urllib.parse import unquote

import numpy as np
import pandas as pd

from core.base.attributes import attribute_words
from core.base.errors import InputError
from core.base.local_clock import hours
from core.base.schema import CHANNEL, FIRST_CHANNEL, RESERVED
from core.base.wording import pluralise
from core.labels.page_address import after_host
from core.labels.templates import is_locale
from core.profiles.facet_visits import BOUGHT, SiteVisits
from core.profiles.outcomes import CONVERSIONS
from core.profiles.user_items import Family, folders

NO_LEVEL: Final = -1
"""Level code of users whose visits determine no level."""
_MIN_LEVEL_SHARE: Final = 0.005
"""Least share of the users on a level."""
_SECTION: Final = 0.03
"""Least share of the users whose interest is a section, for it to be a level."""
_MAX_SECTIONS: Final = 8
_ONE_SECTION: Final = 0.7
"""Share of the page views in one section from which on sections do not distinguish users."""
_MAX_DEPTH: Final = 3
"""Deepest level of folders that can be sections."""
_FREQUENT_QUANTILE: Final = 0.9
"""Quantile of the visits of returning users from which on a user comes often."""
_ACTIVITY_QUANTILES: Final = (0.25, 0.5, 0.75, 0.9)
"""Quantiles of the page views of users that separate the levels of activity."""
_LONG_VISIT_QUANTILE: Final = 0.8
"""Quantile of the page views of visits from which on a visit is long."""
_RECENT_DAYS: Final = (7, 30, 90)
"""Days before the end of the data that separate the levels of recency, up to half of what the data cover."""
_MIN_MANY: Final = 4
"""Least limit for many visits, many pages, or many pages a visit."""


class FacetKind(StrEnum):
    """Facets, ways in which users differ; :func:`question_of` has what each asks."""

    STAGE = "stage"
    INTEREST = "interest"
    LOYALTY = "loyalty"
    RECENCY = "recency"
    ACTIVITY = "activity"
    DEPTH = "depth"
    RHYTHM = "rhythm"
    DEVICE = "device"
    WAY = "way"
    MONEY = "money"


Kind: TypeAlias = FacetKind | str
"""A facet: a :class:`FacetKind`, or an attribute of users by its column."""
_QUESTIONS: Final[Mapping[Kind, str]] = {
    FacetKind.STAGE: "How far they get",
    FacetKind.INTEREST: "What they look at",
    FacetKind.LOYALTY: "How often they come",
    FacetKind.RECENCY: "How long ago they came",
    FacetKind.ACTIVITY: "How much they view in all",
    FacetKind.DEPTH: "How much they view in a visit",
    FacetKind.RHYTHM: "When they come",
    FacetKind.DEVICE: "What they come with",
    FacetKind.WAY: "How they find their way",
    FacetKind.MONEY: "How much they pay for an order",
}


_PAGELESS: Final = (FacetKind.LOYALTY, FacetKind.RECENCY, FacetKind.RHYTHM, FacetKind.DEVICE)


def question_of(kind: Kind) -> str:
    """The question that a facet answers, in words."""
    return _QUESTIONS.get(kind) or attribute_words(kind).title


def reads_pages(kind: Kind) -> bool:
    """Whether a facet reads pages, which may give an outcome away; not how often or with what users come."""
    return isinstance(kind, FacetKind) and kind not in _PAGELESS


_IN_ALL_VISITS: Final[Mapping[Kind, str]] = {
    FacetKind.DEVICE: "Each user counts by the main device of all visits.",
    FacetKind.MONEY: "Each user counts by the mean of all orders, before refunds.",
    CHANNEL: "Each user counts by the channel of most visits.",
    FIRST_CHANNEL: "Each user counts by the channel of the first visit, which stays as it is.",
}


def in_all_visits(kind: Kind) -> str:
    """How all visits give a level, in a sentence, for a facet not known by visit; empty for others."""
    usual = "" if isinstance(kind, FacetKind) else "Each user counts by the value of most events."
    return _IN_ALL_VISITS.get(kind, usual)


@dataclass(frozen=True)
class FacetLevel:
    """A level of a facet, in words.

    Args:
        name: Name in a word or two.
        rule: Which users are on it, to follow "users …".
        people: What they are called in the name of a segment (for an interest, the section); may be empty.
    """

    name: str
    rule: str
    people: str = ""


@dataclass(frozen=True)
class Definition:
    """A facet as defined for a site.

    Args:
        kind: Which facet.
        levels: The levels in order.
        read: Part of the visits → level of each user, int8 of shape (n_users,), :data:`NO_LEVEL` for users
            without a visit that counts in this part.
        events: Events that the rule reads, empty for stages: an outcome among them would predict itself.
    """

    kind: Kind
    levels: tuple[FacetLevel, ...]
    read: Callable[[SiteVisits], np.ndarray]
    events: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Stage:
    """A stage on the way to the outcome.

    Args:
        name: Name of the level.
        item: Its name in the table of differences, ``a cart``; empty for outcomes (bought, sent a form),
            which are there anyway.
        events: Events of GA4 that show the stage.
        types: Types of pages whose views show the stage.
    """

    name: str
    item: str
    events: tuple[str, ...]
    types: tuple[str, ...] = ()


_SHOP: Final = (
    _Stage("Looked at an item", "an item", ("view_item", "select_item"), ("Product",)),
    _Stage("Filled a cart", "a cart", ("add_to_cart", "view_cart", "add_to_wishlist"), ("Cart & checkout",)),
    _Stage("Began a checkout", "a checkout", ("begin_checkout", "add_shipping_info", "add_payment_info")),
    _Stage("Bought", "", BOUGHT),
)
_CONTRIBUTED: Final = _Stage(
    "Contributed", "",
    (
        "comment", "comment_created", "post_comment", "review", "submit_review", "rate", "rating", "like",
        "vote", "share", "bookmark", "follow", "join_group", "upload",
    ),
)  # fmt: skip
"""A stage of sites without a shop; its events can be outcomes."""
_FORM: Final = (
    _Stage("Began a form", "a form", ("form_start",)),
    _Stage("Sent a form", "", ("form_submit", *(one for one in CONVERSIONS if one not in BOUGHT))),
)
_STAGES: Final = (*_SHOP[:-1], *_FORM, _SHOP[-1])
"""Stages in their order; a facet leaves out those that hardly any user reaches."""


def define(
    kind: Kind, visits: SiteVisits, learners: np.ndarray, outcome: tuple[str, np.ndarray] | None = None
) -> Definition:
    """Define a facet for a site.

    Args:
        kind: Which facet.
        visits: Visits of all users.
        learners: bool of shape (n_users,), users that limits and names are learned from.
        outcome: Name, and bool of shape (n_users,) of who had it: the last stage, if it is not one already.

    Raises:
        InputError: If the data do not allow this facet; the message says why.
    """
    make: Mapping[Kind, Callable[[SiteVisits, np.ndarray], Definition]] = {
        FacetKind.STAGE: partial(_stage, outcome=outcome),
        FacetKind.INTEREST: _interest,
        FacetKind.LOYALTY: _loyalty,
        FacetKind.RECENCY: _recency,
        FacetKind.ACTIVITY: _activity,
        FacetKind.DEPTH: _depth,
        FacetKind.RHYTHM: _rhythm,
        FacetKind.WAY: _way,
        FacetKind.MONEY: _money,
    }
    defined = make.get(kind, partial(_attribute, kind=kind))(visits, learners)
    return _without_empty_levels(defined, visits, learners)


def _stage(visits: SiteVisits, learners: np.ndarray, outcome: tuple[str, np.ndarray] | None) -> Definition:
    types = _types(visits)
    least = max(1, _MIN_LEVEL_SHARE * learners.sum())
    reached = [(stage, _reaches(visits, stage, types)) for stage in _STAGES]
    stages = [stage for stage, users in reached if users[learners].sum() >= least]
    deep, shop = not stages, not {*_SHOP}.isdisjoint(stages)
    if not shop and _reaches(visits, _CONTRIBUTED, types)[learners].sum() >= least:
        stages.insert(0, _CONTRIBUTED)
    levels = [FacetLevel("One page", "who viewed one page, once or again")]
    levels.append(FacetLevel("Looked around", "who viewed two different pages or more"))
    limits = [2]
    if deep:
        limits.append(_many(_different_pages(visits)[learners], _LONG_VISIT_QUANTILE))
        levels.append(FacetLevel("Went deep", f"who viewed {limits[-1]} different pages or more"))
    for stage in stages:
        seen = [name for name in stage.events if stage is not _CONTRIBUTED or name in visits.events.names]
        signs = [*seen, *(f"a page of type {name}" for name in stage.types if name in types)]
        levels.append(FacetLevel(stage.name, f"who went as far as {' or '.join(signs)}"))
    known = {event for stage in stages for event in stage.events}
    last = outcome if outcome and outcome[0] not in known and outcome[1].any() else None
    if last:
        levels.append(FacetLevel("Had the outcome", f"with the outcome {last[0]}"))

    def read(part: SiteVisits) -> np.ndarray:
        pages = _different_pages(part)
        level = np.where(pages > 0, 0, NO_LEVEL)
        for place, limit in enumerate(limits, start=1):
            level[pages >= limit] = place
        for place, stage in enumerate(stages, start=len(limits) + 1):
            level[_reaches(part, stage, types) & (pages > 0)] = place
        if last and part is visits:  # when a page was the outcome is not known by visit
            level[last[1] & (pages > 0)] = len(levels) - 1
        return level.astype(np.int8)

    return Definition(FacetKind.STAGE, tuple(levels), read)


def stages_reached(visits: SiteVisits) -> dict[str, np.ndarray]:
    """Users who reached or passed each stage before an outcome: ``_Stage.item`` → bool of shape (n_users,).

    Keys are ``an item``, ``a cart``, ``a checkout``, ``a form``. Stages of a shop and of a form are separate:
    users who sent a form need not have filled a cart.
    """
    types, reached = _types(visits), {}
    for stages in (_SHOP, _FORM):
        users = np.zeros(visits.n_users, dtype=bool)
        for stage in reversed(stages):
            users = users | _reaches(visits, stage, types)
            if stage.item:
                reached[stage.item] = users
    return reached


def _types(visits: SiteVisits) -> np.ndarray:
    return np.asarray(visits.labels.get(Family.TYPE, [""] * len(visits.urls)), dtype=object)


def _reaches(part: SiteVisits, stage: _Stage, types: np.ndarray) -> np.ndarray:
    """Users with an event or page type of a stage: bool of shape (n_users,)."""
    users = np.zeros(part.n_users, dtype=bool)
    named = np.isin(np.asarray(part.events.names, dtype=object), list(stage.events))
    if named.any():
        users[part.events.user[named[part.events.name]]] = True
    users[part.user[np.isin(types, stage.types)[part.page]]] = True
    return users


def _different_pages(part: SiteVisits) -> np.ndarray:
    pairs = np.unique(part.user.astype(np.int64) * len(part.urls) + part.page)
    return np.bincount(pairs // len(part.urls), minlength=part.n_users)


def _many(counts: np.ndarray, quantile: float) -> int:
    return max(_MIN_MANY, int(np.quantile(counts, quantile))) if len(counts) else _MIN_MANY


def _interest(visits: SiteVisits, learners: np.ndarray) -> Definition:
    """Facet of the section users mostly view: themes or folders, whichever gives most users a section."""
    kinds = [_themes(visits), *(_folders(visits, depth) for depth in range(1, _MAX_DEPTH + 1))]
    offered = [_sections(visits, learners, sections) for sections in kinds if sections]
    possible = [candidate for candidate in offered if candidate is not None]
    if not possible:
        raise InputError(
            "Pages have neither themes nor folders by which visits differ",
            remedy="Label themes under Data, Labels, to see interests",
        )
    return max(possible, key=lambda candidate: candidate[0])[1]


def _themes(visits: SiteVisits) -> list[tuple[str, str]]:
    """Theme of each page as a section: its name, and its text in a rule; both empty for a page in none."""
    return [
        ("", "") if theme in RESERVED else (theme, f"about {theme}")
        for theme in visits.labels.get(Family.THEME, [])
    ]


def _folders(visits: SiteVisits, depth: int) -> list[tuple[str, str]]:
    sections = []
    for url in visits.urls:
        paths = [path for path in folders(url) if not is_locale(path.strip("/"))][:depth]
        sections.append((_readable(paths[-1]), f"in {paths[-1]}") if len(paths) == depth else ("", ""))
    return sections


def _readable(path: str) -> str:
    words = unquote(path.strip("/").rpartition("/")[2]).replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def _sections(
    visits: SiteVisits, learners: np.ndarray, sections: Sequence[tuple[str, str]]
) -> tuple[int, Definition] | None:
    """Number of learners with an interest, and the facet, by one kind of sections; None if too alike."""
    rules, code = np.unique(np.array([rule for _, rule in sections]), return_inverse=True)
    code = np.where(rules[code] == "", NO_LEVEL, code)
    n_codes, names = len(rules), {rule: name for name, rule in sections}
    views = code[visits.page[learners[visits.user]]]

    def read_code(part: SiteVisits) -> np.ndarray:
        return _majority(part.user, code[part.page], n_codes, part.n_users)

    main = read_code(visits)[learners]
    users = np.bincount(main[main >= 0], minlength=n_codes + 1)[:-1]
    largest = np.argsort(-users, kind="stable")[:_MAX_SECTIONS]
    large = largest[users[largest] >= max(1, _SECTION * len(main))]
    if len(large) < 2 or np.bincount(views[views >= 0]).max() >= _ONE_SECTION * len(views):
        return None
    levels = [
        FacetLevel(
            name := names[rules[section]],
            f"with more than half of their page views in sections {rules[section]}",
            name,
        )
        for section in large
    ]
    levels.append(
        FacetLevel("Another section", "with more than half of these page views in a smaller section")
    )
    levels.append(FacetLevel("Several sections", "with more than half of these page views in no section"))
    place = np.full(n_codes + 2, len(large))
    place[large] = range(len(large))
    place[n_codes], place[NO_LEVEL] = len(large) + 1, NO_LEVEL
    definition = Definition(
        FacetKind.INTEREST, tuple(levels), lambda part: place[read_code(part)].astype(np.int8)
    )
    return int(users[large].sum()), definition


def _majority(user: np.ndarray, code: np.ndarray, n_codes: int, n_users: int) -> np.ndarray:
    """Code that more than half of a user's rows have; ``n_codes`` if none has, :data:`NO_LEVEL` without rows.

    Args:
        user: int of shape (n,), the user of each row.
        code: int of shape (n,), :data:`NO_LEVEL` of rows that do not count.
        n_codes: Number of codes.
        n_users: Number of users.
    """
    known = code >= 0
    pairs, counts = np.unique(user[known].astype(np.int64) * n_codes + code[known], return_counts=True)
    total = np.bincount(user[known], minlength=n_users)
    level = np.where(total > 0, n_codes, NO_LEVEL)
    most = 2 * counts > total[pairs // n_codes]
    level[pairs[most] // n_codes] = pairs[most] % n_codes
    return level.astype(np.int16)


def _loyalty(visits: SiteVisits, learners: np.ndarray) -> Definition:
    sessions = np.bincount(visits.session_user, minlength=visits.n_users)[learners]
    often = _many(sessions[sessions > 1], _FREQUENT_QUANTILE)
    levels = (
        FacetLevel("One visit", "with one visit", "one-time visitors"),
        FacetLevel(f"2 to {often - 1} visits", f"with 2 to {often - 1} visits", "returning visitors"),
        FacetLevel(f"{often} visits or more", f"with {often} visits or more", "frequent visitors"),
    )

    def read(part: SiteVisits) -> np.ndarray:
        count = np.bincount(part.session_user[part.seen_sessions], minlength=part.n_users)
        return (np.searchsorted([1, 2, often], count, side="right") - 1).astype(np.int8)

    return Definition(FacetKind.LOYALTY, levels, read)


def _recency(visits: SiteVisits, learners: np.ndarray) -> Definition:
    """Facet of the days from each user's last visit to the last day of the data."""
    span = int(np.ptp(visits.session_day)) + 1
    limits = [days for days in _RECENT_DAYS if 2 * days <= span]
    if not limits:
        raise InputError(f"The data cover {pluralise(span, 'day')}, and {2 * _RECENT_DAYS[0]} are needed")
    levels = [
        FacetLevel(f"Last {limits[0]} days", f"whose last visit was in the last {limits[0]} days of the data")
    ]
    for low, high in pairwise(limits):
        days = f"{low} to {high - 1} days"
        rule = f"whose last visit was {days} before the last day of the data"
        levels.append(FacetLevel(f"{days} ago", rule))
    days = f"{limits[-1]} days or more"
    rule = f"whose last visit was {days} before the last day of the data"
    levels.append(FacetLevel(f"{days} ago", rule, "lapsed visitors"))

    def read(part: SiteVisits) -> np.ndarray:
        seen, last = part.seen_sessions, np.full(part.n_users, NO_LEVEL)
        np.maximum.at(last, part.session_user[seen], part.session_day[seen])
        ago = last.max(initial=0) - last
        return np.where(last >= 0, np.searchsorted(limits, ago, side="right"), NO_LEVEL).astype(np.int8)

    return Definition(FacetKind.RECENCY, tuple(levels), read)


def _money(visits: SiteVisits, learners: np.ndarray) -> Definition:
    """Facet of each user's mean order, by the median of those who pay; orders are not told apart by visit."""
    value, currencies = visits.order_value, visits.currencies
    if len(currencies) != 1:
        several = f"Orders are in several currencies ({', '.join(currencies)}), which cannot be compared"
        raise InputError(several if currencies else "The data have no revenue of orders")
    paid = value[learners & (value > 0)]
    if not len(paid):
        raise InputError("Too few users have paid for an order")
    limit = round(float(np.median(paid)), 2)
    amount = f"{limit:,.2f} {currencies[0]}".rstrip()
    levels = (
        FacetLevel("No paid order", "with no order that was paid for"),
        FacetLevel(f"Under {amount}", f"who paid less than {amount} an order in the mean"),
        FacetLevel(
            f"{amount} or more", f"who paid {amount} an order or more in the mean", "buyers of large orders"
        ),
    )
    level = np.where(value > 0, 1 + (value >= limit), 0).astype(np.int8)
    return Definition(FacetKind.MONEY, levels, lambda _: level, frozenset(BOUGHT))


def _activity(visits: SiteVisits, learners: np.ndarray) -> Definition:
    views = np.bincount(visits.user, minlength=visits.n_users)[learners]
    limits = sorted({max(2, int(np.quantile(views, quantile))) for quantile in _ACTIVITY_QUANTILES})
    names = []
    for low, high in pairwise([1, *limits]):
        names.append(f"{low} to {high - 1} page views" if high - low > 1 else pluralise(low, "page view"))
    names.append(f"{limits[-1]} page views or more")

    def read(part: SiteVisits) -> np.ndarray:
        count = np.bincount(part.user, minlength=part.n_users)
        return (np.searchsorted([1, *limits], count, side="right") - 1).astype(np.int8)

    levels = (
        *(FacetLevel(name, f"with {name}") for name in names[:-1]),
        FacetLevel(names[-1], f"with {names[-1]}", "heavy users"),
    )
    return Definition(FacetKind.ACTIVITY, levels, read)


def _depth(visits: SiteVisits, learners: np.ndarray) -> Definition:
    each = np.bincount(visits.session, minlength=visits.n_sessions)[learners[visits.session_user]]
    long = _many(each, _LONG_VISIT_QUANTILE)
    levels = (
        FacetLevel(
            "Under 2 pages a visit",
            "with fewer than 2 page views a visit in the mean",
            "visitors of few pages",
        ),
        FacetLevel(f"2 to {long} pages a visit", f"with 2 page views a visit or more, fewer than {long}"),
        FacetLevel(
            f"{long} pages a visit or more",
            f"with {long} page views a visit or more in the mean",
            "visitors of many pages",
        ),
    )

    def read(part: SiteVisits) -> np.ndarray:
        views = np.bincount(part.user, minlength=part.n_users)
        visited = np.bincount(part.session_user[part.seen_sessions], minlength=part.n_users)
        mean = views / np.maximum(visited, 1)
        return np.where(visited > 0, np.searchsorted([2, long], mean, side="right"), NO_LEVEL).astype(np.int8)

    return Definition(FacetKind.DEPTH, levels, read)


def _rhythm(visits: SiteVisits, learners: np.ndarray) -> Definition:
    band_of = np.full(168, 3)  # hours of the week, from Monday 0:00 on
    hour = np.arange(168)
    weekday = hour < 120
    band_of[weekday & (hour % 24 >= 8) & (hour % 24 < 18)] = 0
    band_of[weekday & (hour % 24 >= 18)] = 1
    band_of[~weekday] = 2
    bands = [
        ("Working hours", "on weekdays from 8:00 to 18:00", "working-hours visitors"),
        ("Weekday evenings", "on weekdays from 18:00 on", "weekday evening visitors"),
        ("Weekends", "on Saturdays and Sundays", "weekend visitors"),
        ("Weekday nights", "on weekdays before 8:00", "weekday night visitors"),
    ]
    if visits.days_only or len(np.unique(hours(visits.timestamp, visits.clock) % 24)) == 1:
        band_of, bands = np.where(weekday, 0, 1), [("Weekdays", "on weekdays", "weekday visitors"), bands[2]]
    levels = [
        FacetLevel(
            name, f"with more than half of their page views {when}, by the clock of the export", people
        )
        for name, when, people in bands
    ]
    levels.append(FacetLevel("Any time", "at no time in more than half of their page views"))
    return Definition(
        FacetKind.RHYTHM,
        tuple(levels),
        lambda part: _majority(
            part.user, band_of[hours(part.timestamp, part.clock)], len(bands), part.n_users
        ),
    )


def _attribute(visits: SiteVisits, learners: np.ndarray, kind: Kind) -> Definition:
    """Facet of an attribute of users in all visits, by its most frequent values and all others together."""
    values, words = visits.attributes[kind], attribute_words(kind)
    code, names = pd.factorize(values[learners], sort=False)
    if not len(names):
        raise InputError(f"The export has no {words.plural}")
    common = np.argsort(-np.bincount(code[code >= 0], minlength=len(names)), kind="stable")
    named = names[common][:_MAX_SECTIONS]
    place = pd.Index(named).get_indexer(values)
    place = np.where((place < 0) & pd.notna(values), len(named), place).astype(np.int8)
    levels = [FacetLevel(name, f"{words.having} {name}") for name in named]
    levels.append(FacetLevel(f"Another {words.name}", f"with another {words.name}"))
    return Definition(kind, tuple(levels), lambda _: place)


def _way(visits: SiteVisits, learners: np.ndarray) -> Definition:
    """Facet of how visits find pages: with a search, else a list, else by their first page, home or other."""
    types = _types(visits)
    home = np.array([after_host(url).partition("?")[0].strip("/") == "" for url in visits.urls])
    marks = (
        ("Search", "searchers", "a search", ("view_search_results", "search"), types == "Search"),
        ("Lists", "category browsers", "a list of items", ("view_item_list",), types == "Category"),
    )
    theirs = learners[visits.session_user]
    seen = [visits.sessions_with(events, pages)[theirs].mean() for *_, events, pages in marks]
    used = [mark for mark, share in zip(marks, seen, strict=True) if 0.01 <= share <= 0.99]
    ways: list[tuple[str, str, str]] = []
    without = ""
    for name, people, what, _, _ in used:
        ways.append((name, f"with {what}{without}", people))
        without = f"{without} or {what}" if without else f", without {what}"
    ways.append(("Homepage first", f"that begin at the homepage{without}", "homepage visitors"))
    ways.append(("Straight to a page", f"that begin at another page{without}", ""))
    levels = [
        FacetLevel(name, f"with more than half of their visits {said}", people) for name, said, people in ways
    ]
    levels.append(FacetLevel("Several ways", "with no way in more than half of their visits"))

    def read(part: SiteVisits) -> np.ndarray:
        sessions = part.seen_sessions
        first = np.searchsorted(part.session, sessions)
        code = np.where(home[part.page[first]], len(used), len(used) + 1)
        for place, (*_, events, pages) in reversed(list(enumerate(used))):
            code[part.sessions_with(events, pages)[sessions]] = place
        return _majority(part.session_user[sessions], code, len(ways), part.n_users)

    events = frozenset(event for *_, named, _ in used for event in named)
    return Definition(FacetKind.WAY, tuple(levels), read, events)


def _without_empty_levels(definition: Definition, visits: SiteVisits, learners: np.ndarray) -> Definition:
    """Remove levels without users from a definition.

    Raises:
        InputError: If (nearly) all users are on one level.
    """
    level = definition.read(visits)
    n_levels = len(definition.levels)
    learned = np.bincount(level[learners & (level >= 0)], minlength=n_levels)
    if (learned >= max(1, _MIN_LEVEL_SHARE * learned.sum())).sum() < 2:
        (common,) = np.argsort(-learned, kind="stable")[:1]
        raise InputError(
            f"All or nearly all users are alike in this: {definition.levels[common].name.lower()}"
        )
    used = np.unique(level[level >= 0])
    place = np.full(n_levels + 1, NO_LEVEL)
    place[used] = range(len(used))
    levels = tuple(definition.levels[level_index] for level_index in used)
    return replace(definition, levels=levels, read=lambda part: place[definition.read(part)].astype(np.int8))
