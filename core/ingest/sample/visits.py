"""Draw the visitors of the made-up shop and their page views.

First the visitors: ids, devices, countries and traffic sources. Then which pages each of them views, in what
order and when, as flat arrays over the page views of all visitors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from core.ingest.sample.site import (
    DEPARTMENTS,
    N_RANGES,
    PER_DEPARTMENT,
    SEGMENTS,
    Chances,
    Role,
    Site,
    cumulative,
    draw,
    per_segment,
)

DEVICES: Final = ("desktop", "mobile", "tablet")
_BROWSERS: Final[dict[str, dict[str, float]]] = {
    "desktop": {"Chrome": 60, "Safari": 14, "Edge": 14, "Firefox": 10, "Opera": 2},
    "mobile": {"Chrome": 47, "Safari": 40, "Samsung Internet": 9, "Firefox": 3, "Android Webview": 1},
    "tablet": {"Safari": 62, "Chrome": 34, "Samsung Internet": 4},
}
_COUNTRIES: Final[dict[str, float]] = {
    "Germany": 31, "United Kingdom": 16, "Netherlands": 10, "United States": 9, "Austria": 8,
    "Switzerland": 6, "France": 6, "Sweden": 4, "Norway": 3, "Denmark": 2.5, "Italy": 2,
    "Poland": 1.5, "(not set)": 1,
}  # fmt: skip


@dataclass(frozen=True)
class TrafficSource:
    """A traffic source: its names in GA4, and the referrer and query that the browser sends."""

    source: str
    medium: str
    campaign: str
    referrer: str | None
    query: str
    weight: float


# "{gclid}" is replaced by a click id of the session.
SOURCES: Final[dict[str, TrafficSource]] = {
    "google organic": TrafficSource("google", "organic", "(organic)", "https://www.google.com/", "", 33),
    "(direct)": TrafficSource("(direct)", "(none)", "(direct)", None, "", 20),
    "google cpc": TrafficSource(
        "google", "cpc", "brand-search", "https://www.google.com/",
        "utm_source=google&utm_medium=cpc&utm_campaign=brand-search&gclid={gclid}", 24,
    ),
    "newsletter": TrafficSource(
        "newsletter", "email", "november-mail", None,
        "utm_source=newsletter&utm_medium=email&utm_campaign=november-mail", 6,
    ),
    "facebook": TrafficSource(
        "facebook", "paid-social", "autumn-reels", "https://l.facebook.com/",
        "utm_source=facebook&utm_medium=paid-social&utm_campaign=autumn-reels&fbclid={gclid}", 5,
    ),
    "instagram": TrafficSource(
        "instagram", "social", "(referral)", "https://l.instagram.com/",
        "utm_source=instagram&utm_medium=social", 4,
    ),
    "bing": TrafficSource("bing", "organic", "(organic)", "https://www.bing.com/", "", 4),
    "partner": TrafficSource(
        "hikers-forum.example", "referral", "(referral)", "https://hikers-forum.example/thread", "", 3
    ),
    "other": TrafficSource("<Other>", "<Other>", "<Other>", None, "", 1),
}  # fmt: skip
SOURCE_NAMES: Final = tuple(SOURCES)

ROBOT, STAFF, TESTER = "bot", "internal", "debug"
"""Labels in the truth file of ids that belong to no segment."""


@dataclass(frozen=True, eq=False)
class SampleUsers:
    """The visitors of a chunk; all arrays of shape (n_users,).

    Args:
        user_id: Text, null where consent was denied.
        customer: Text, the shop's own id of a visitor.
        label: Text in the truth file: the segment, or ``kind`` where there is one.
        device: Index into :data:`DEVICES`.
        browser: Text.
        country: Text.
        source: Index into :data:`SOURCE_NAMES`, the first touch.
        returning: Whether the first visit lies before the export.
        kind: ``ROBOT``, ``STAFF``, ``TESTER`` or empty.
    """

    user_id: pa.Array
    customer: pa.Array
    label: np.ndarray
    device: np.ndarray
    browser: np.ndarray
    country: np.ndarray
    source: np.ndarray
    returning: np.ndarray
    kind: np.ndarray


def make_people(
    rng: np.random.Generator, segment: np.ndarray, first_number: int, denied: int, seed: int
) -> SampleUsers:
    """Draw the attributes of visitors; the last ``denied`` of them did not consent and have no id.

    Args:
        rng: Random generator.
        segment: int64 of shape (n_users,), index into ``SEGMENTS``.
        first_number: Number of the first visitor in the whole export; ids are unique over it.
        denied: Number of visitors who refuse consent.
        seed: Seed of the export.
    """
    n = len(segment)
    numbers = np.arange(first_number, first_number + n)
    ids = _ids(rng, numbers, seed)
    kind = np.full(n, "", dtype="<U8")
    kind[rng.random(n) < 0.002] = STAFF
    kind[rng.random(n) < 0.001] = TESTER
    named = np.array([segment_of.name for segment_of in SEGMENTS], dtype="<U20")[segment]
    device = _device(rng, segment)
    refused = np.arange(n) >= n - denied
    return SampleUsers(
        user_id=pa.array(ids, mask=refused, type=pa.string()),
        customer=pa.array([f"C{number + 100_000}" for number in numbers.tolist()], type=pa.string()),
        label=np.where(kind == "", named, kind),
        device=device,
        browser=_browser(rng, device),
        country=_any(rng, _COUNTRIES, n),
        source=_source(rng, segment),
        returning=rng.random(n) < 0.17,
        kind=kind,
    )


def robots(rng: np.random.Generator, n: int, first_number: int, seed: int) -> SampleUsers:
    """Make the attributes of ``n`` crawlers, which call themselves Chrome; see :func:`make_people`."""
    return SampleUsers(
        user_id=pa.array(_ids(rng, np.arange(first_number, first_number + n), seed), type=pa.string()),
        customer=pa.nulls(n, pa.string()),
        label=np.full(n, ROBOT),
        device=np.zeros(n, dtype=np.int64),
        browser=np.full(n, "Chrome"),
        country=np.full(n, "United States"),
        source=np.full(n, SOURCE_NAMES.index("(direct)")),
        returning=np.zeros(n, dtype=bool),
        kind=np.full(n, ROBOT),
    )


def _ids(rng: np.random.Generator, numbers: np.ndarray, seed: int) -> list[str]:
    """Ids as GA4 has them: digits, a point, digits. Read as a number, nearly every one would change."""
    n = len(numbers)
    front = rng.integers(1_000_000, 2_147_483_647, n)
    # An odd multiplier that 5 does not divide permutes 0..10^10-1: unique, and it does not look counted.
    back = (numbers * 7_368_787 + seed % 10_000 * 104_729 + 858_862_293) % 10**10
    tail = np.where(rng.random(n) < 0.01, rng.integers(10**7, 10**8, n), -1)
    return [
        f"{a}.{b:010d}" if c < 0 else f"{a}.{b:010d}{c}"
        for a, b, c in zip(front.tolist(), back.tolist(), tail.tolist(), strict=True)
    ]


def _device(rng: np.random.Generator, segment: np.ndarray) -> np.ndarray:
    mobile = per_segment("mobile")[segment]
    drawn = rng.random(len(segment))
    return np.where(drawn < mobile, 1, np.where(drawn < mobile + 0.05, 2, 0))


def _browser(rng: np.random.Generator, device: np.ndarray) -> np.ndarray:
    return np.choose(device, [_any(rng, _BROWSERS[name], len(device)) for name in DEVICES])


def _source(rng: np.random.Generator, segment: np.ndarray) -> np.ndarray:
    weights = [[way.weight * one.sources.get(name, 1) for name, way in SOURCES.items()] for one in SEGMENTS]
    return draw(rng, cumulative(np.array(weights))[segment])


def _any(rng: np.random.Generator, weights: dict[str, float], n: int) -> np.ndarray:
    """Draw ``n`` keys, with replacement, by their weights."""
    odds = np.array(list(weights.values()))
    return rng.choice(np.array(list(weights)), n, p=odds / odds.sum())


_DAYS: Final = 90
_MAX_LENGTH: Final = 170
"""Most page views of a visitor."""
SECOND: Final = 1_000_000
"""One second in microseconds."""
DAY: Final = 86_400 * SECOND
ZONE: Final = 3_600 * SECOND
"""UTC offset of the property in microseconds: UTC+1."""
_START: Final = 1_761_951_600 * SECOND
"""Begin of the export in microseconds UTC: 2025-11-01 00:00 at UTC+1; no clock change in its 90 days."""
END: Final = _START + _DAYS * DAY
"""End of the export in microseconds UTC; later events are left out."""

_HOURS: Final = np.array([2, 1, 1, 1, 1, 2, 4, 6, 7, 8, 8, 8, 9, 8, 8, 8, 9, 10, 11, 13, 14, 12, 8, 4.0])
_NEW_RANGE: Final = np.zeros(len(Role), dtype=bool)
_NEW_RANGE[[Role.DEPARTMENT, Role.LIST, Role.SALE, Role.COMPARE, Role.SEARCH]] = True
_DWELL: Final = np.ones(len(Role))
_DWELL[[Role.ARTICLE, Role.GUIDE, Role.CHECKOUT, Role.PAYMENT]] = (2.6, 2.2, 1.6, 1.4)
_DWELL[[Role.HOME, Role.LIST, Role.DEPARTMENT]] = (0.7, 0.8, 0.6)


@dataclass(frozen=True, eq=False)
class Visits:
    """Page views, sorted by visitor and time.

    Args:
        user: int64 of shape (n_views,), index of the visitor.
        landing: bool of shape (n_views,), whether it is the first page view of a session.
        session: int64 of shape (n_views,), index of the session over all visitors.
        page: int32 of shape (n_views,), index into the site's pages.
        timestamp: int64 of shape (n_views,), microseconds UTC.
        dwell: float64 of shape (n_views,), seconds until the next page view or until the visitor leaves.
    """

    user: np.ndarray
    landing: np.ndarray
    session: np.ndarray
    page: np.ndarray
    timestamp: np.ndarray
    dwell: np.ndarray


def make_visits(rng: np.random.Generator, segment: np.ndarray, site: Site, odds: Chances) -> Visits:
    """Draw the page views of visitors, given the segment of each: int64 of shape (n_users,)."""
    lengths = _lengths(rng, segment)
    page, landing = _walk(rng, segment, lengths, site, odds)
    user = np.repeat(np.arange(len(segment)), lengths)
    session = np.cumsum(landing) - 1
    page = _turn_pairs(rng, page, session, per_segment("reversal")[segment][user], site)
    dwell = _dwell(rng, site.role[page], per_segment("pace")[segment], user)
    starts = _session_starts(rng, user[landing], np.bincount(session, dwell))
    first = np.flatnonzero(landing)
    passed = np.cumsum(dwell) - dwell
    since_start = passed - passed[first][session]
    timestamp = starts[session] + (since_start * SECOND).astype(np.int64)
    return Visits(user, landing, session, page, timestamp, dwell)


def robot_visits(rng: np.random.Generator, robots: int, views: int, site: Site) -> Visits:
    """Make ``views`` page views of each crawler: page after page in one session, about one a second."""
    user = np.repeat(np.arange(robots), views)
    step = np.tile(np.arange(views), robots)
    dwell = rng.uniform(0.9, 1.3, robots * views)
    passed = np.cumsum(dwell) - dwell
    begin = _START + (rng.integers(5, _DAYS - 5, robots) * 24 + 3) * 3_600 * SECOND
    timestamp = begin[user] + ((passed - passed[step == 0][user]) * SECOND).astype(np.int64)
    page = ((step + 37 * user) % len(site.path)).astype(np.int32)
    return Visits(user, step == 0, user, page, timestamp, dwell)


def _lengths(rng: np.random.Generator, segment: np.ndarray) -> np.ndarray:
    """Draw the number of page views of each visitor: often 1, sometimes 2, with a long tail."""
    n = len(segment)
    more = np.floor(rng.lognormal(1.33, 1.05, n) * per_segment("length")[segment]) + 3
    kind = rng.random(n)
    one = per_segment("one_page")[segment]
    lengths = np.where(
        kind < one, 1, np.where(kind < one + 0.22 * (1 - one), 2, np.minimum(more, _MAX_LENGTH))
    )
    return lengths.astype(np.int64)


def _walk(
    rng: np.random.Generator, segment: np.ndarray, lengths: np.ndarray, site: Site, odds: Chances
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the page and landing flag of every view; the n-th views of all visitors are drawn together."""
    n = len(segment)
    offsets = np.cumsum(lengths) - lengths
    page, landing = np.empty(lengths.sum(), dtype=np.int32), np.zeros(lengths.sum(), dtype=bool)
    favourite = draw(rng, odds.department[segment])
    comes_back = np.clip(per_segment("comes_back")[segment] * rng.lognormal(-0.3, 0.8, n), 0, 0.35)
    role, current = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    for step in range(lengths.max()):
        on = np.flatnonzero(lengths > step)
        left = np.where(role[on] == Role.CONFIRMATION, 0.6, comes_back[on])
        fresh = (rng.random(len(on)) < left) | (step == 0)
        rows = np.where(fresh[:, None], odds.landing[segment[on]], odds.step[segment[on], role[on]])
        role[on] = draw(rng, rows)
        moves = fresh | _NEW_RANGE[role[on]]
        current[on] = np.where(moves, _range(rng, favourite[on]), current[on])
        page[offsets[on] + step] = _page(rng, role[on], current[on], site)
        landing[offsets[on] + step] = fresh
    return page, landing


def _range(rng: np.random.Generator, favourite: np.ndarray) -> np.ndarray:
    """Draw a range, mostly of the favourite department, and more often its first ranges."""
    n = len(favourite)
    department = np.where(rng.random(n) < 0.78, favourite, rng.integers(0, len(DEPARTMENTS), n))
    chosen: np.ndarray = department * PER_DEPARTMENT + _skewed(rng, np.full(n, PER_DEPARTMENT))
    return chosen


def _page(rng: np.random.Generator, role: np.ndarray, current: np.ndarray, site: Site) -> np.ndarray:
    group = site.group[role, current % N_RANGES]
    chosen: np.ndarray = site.first[role] + group * site.width[role] + _skewed(rng, site.width[role])
    return chosen


def _skewed(rng: np.random.Generator, size: np.ndarray) -> np.ndarray:
    """Draw an index below ``size``, low ones several times as often as high ones."""
    drawn: np.ndarray = (size * rng.random(len(size)) ** 1.8).astype(np.int64)
    return drawn


def _turn_pairs(
    rng: np.random.Generator, page: np.ndarray, session: np.ndarray, reversal: np.ndarray, site: Site
) -> np.ndarray:
    """Swap a comparison with the guide seen right after it, where the visitor likes to read first.

    The two segments that differ in order share all other probabilities, so they view the same pages.
    """
    role, topic = site.role[page], page - site.first[site.role[page]]
    pair = (role[:-1] == Role.COMPARE) & (role[1:] == Role.GUIDE)
    pair &= (topic[:-1] == topic[1:]) & (session[:-1] == session[1:])
    at = np.flatnonzero(pair & (rng.random(len(pair)) < reversal[:-1]))
    turned = page.copy()
    turned[at], turned[at + 1] = page[at + 1], page[at]
    return turned


def _dwell(rng: np.random.Generator, role: np.ndarray, pace: np.ndarray, user: np.ndarray) -> np.ndarray:
    """Draw the seconds on each page; 0 for one in 300: a tie with the next view, as in batched hits."""
    pace_drawn = pace * rng.lognormal(0, 0.25, len(pace))
    seconds = np.clip(pace_drawn[user] * _DWELL[role] * rng.lognormal(0, 0.75, len(user)), 0.8, 1_500)
    seconds_drawn: np.ndarray = np.where(rng.random(len(user)) < 1 / 300, 0.0, seconds)
    return seconds_drawn


def _session_starts(rng: np.random.Generator, user: np.ndarray, duration: np.ndarray) -> np.ndarray:
    """Draw each session's start in microseconds UTC, after the end of the visitor's previous session."""
    n_users, n = user[-1] + 1, len(user)
    sessions = np.bincount(user)
    first = np.cumsum(sessions) - sessions
    order = np.arange(n) - first[user]
    gap = np.where(order > 0, np.where(rng.random(n) < 0.2, 0, 1 + rng.exponential(7, n)), 0)
    since = np.cumsum(gap) - np.cumsum(gap)[first][user]
    span = since[first + sessions - 1]
    begin = _first_days(rng, n_users)
    begin = np.where(span > _DAYS - 1 - begin, np.floor(begin * np.maximum(0, 1 - span / _DAYS)), begin)
    shrink = np.minimum(1, (_DAYS - 1 - begin) / np.maximum(span, 1))
    day = np.floor(begin[user] + since * shrink[user])
    hour = rng.choice(24, n, p=_HOURS / _HOURS.sum()) + rng.random(n)
    wanted: np.ndarray = _START + ((day * 24 + hour) * 3_600 * SECOND).astype(np.int64)
    pause = (rng.uniform(32, 240, n) * 60 * SECOND).astype(np.int64)
    length = (duration * SECOND).astype(np.int64)
    for number in range(1, sessions.max()):
        at = first[sessions > number] + number
        wanted[at] = np.maximum(wanted[at], wanted[at - 1] + length[at - 1] + pause[at])
    return wanted


def _first_days(rng: np.random.Generator, n: int) -> np.ndarray:
    """Draw the first day of every visitor: more often on weekends, and most often in late November."""
    day = np.arange(_DAYS)
    weight = 1 + 0.25 * np.isin(day % 7, (0, 1)) + 1.6 * np.exp(-((day - 27) ** 2) / 18) - 0.4 * (day > 55)
    return rng.choice(day, n, p=weight / weight.sum()).astype(float)
