"""Who looks at which page, in what order and when: flat arrays over the page views of many visitors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from core.sample.segments import Chances, draw, per_segment
from core.sample.site import DEPARTMENTS, N_RANGES, PER_DEPARTMENT, Role, Site

DAYS: Final = 90
LONGEST: Final = 170
"""Page views of the most eager visitor."""
SECOND: Final = 1_000_000
"""Microseconds."""
DAY: Final = 86_400 * SECOND
ZONE: Final = 3_600 * SECOND
"""The property's time zone, UTC+1."""
START: Final = 1_761_951_600 * SECOND
"""2025-11-01 00:00 at UTC+1; the 90 days hold no change of clocks."""
END: Final = START + DAYS * DAY
"""What happens later is in no export yet."""

_HOURS: Final = np.array([2, 1, 1, 1, 1, 2, 4, 6, 7, 8, 8, 8, 9, 8, 8, 8, 9, 10, 11, 13, 14, 12, 8, 4.0])
_NEW_RANGE: Final = np.zeros(len(Role), dtype=bool)
_NEW_RANGE[[Role.DEPARTMENT, Role.LIST, Role.SALE, Role.COMPARE, Role.SEARCH]] = True
_DWELL: Final = np.ones(len(Role))
_DWELL[[Role.ARTICLE, Role.GUIDE, Role.CHECKOUT, Role.PAYMENT]] = (2.6, 2.2, 1.6, 1.4)
_DWELL[[Role.HOME, Role.LIST, Role.DEPARTMENT]] = (0.7, 0.8, 0.6)


@dataclass(frozen=True, eq=False)
class Visits:
    """Page views, visitor after visitor, in time order.

    Args:
        user: int64 of shape (n_views,), index of the visitor.
        landing: bool of shape (n_views,), the first page view of a session.
        session: int64 of shape (n_views,), index of the session over all visitors.
        page: int32 of shape (n_views,).
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
    """Let visitors of the given segments, int64 of shape (n_users,), walk through the shop."""
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
    """Crawlers: every page in turn, in one go, a page a second."""
    user = np.repeat(np.arange(robots), views)
    step = np.tile(np.arange(views), robots)
    dwell = rng.uniform(0.9, 1.3, robots * views)
    passed = np.cumsum(dwell) - dwell
    begin = START + (rng.integers(5, DAYS - 5, robots) * 24 + 3) * 3_600 * SECOND
    timestamp = begin[user] + ((passed - passed[step == 0][user]) * SECOND).astype(np.int64)
    page = ((step + 37 * user) % len(site.path)).astype(np.int32)
    return Visits(user, step == 0, user, page, timestamp, dwell)


def _lengths(rng: np.random.Generator, segment: np.ndarray) -> np.ndarray:
    """Page views a visitor: many ones, some twos, and a long tail."""
    n = len(segment)
    more = np.floor(rng.lognormal(1.33, 1.05, n) * per_segment("length")[segment]) + 3
    kind = rng.random(n)
    one = per_segment("one_page")[segment]
    lengths = np.where(kind < one, 1, np.where(kind < one + 0.22 * (1 - one), 2, np.minimum(more, LONGEST)))
    return lengths.astype(np.int64)


def _walk(
    rng: np.random.Generator, segment: np.ndarray, lengths: np.ndarray, site: Site, odds: Chances
) -> tuple[np.ndarray, np.ndarray]:
    """Page and landing flag of every view; all visitors take their n-th step together."""
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
    """A range, mostly of the favourite department, the first ones of a department more often."""
    n = len(favourite)
    department = np.where(rng.random(n) < 0.78, favourite, rng.integers(0, len(DEPARTMENTS), n))
    chosen: np.ndarray = department * PER_DEPARTMENT + _skewed(rng, np.full(n, PER_DEPARTMENT))
    return chosen


def _page(rng: np.random.Generator, role: np.ndarray, current: np.ndarray, site: Site) -> np.ndarray:
    group = site.group[role, current % N_RANGES]
    chosen: np.ndarray = site.first[role] + group * site.width[role] + _skewed(rng, site.width[role])
    return chosen


def _skewed(rng: np.random.Generator, size: np.ndarray) -> np.ndarray:
    """An index below ``size``, the low ones several times as often as the high ones."""
    drawn: np.ndarray = (size * rng.random(len(size)) ** 1.8).astype(np.int64)
    return drawn


def _turn_pairs(
    rng: np.random.Generator, page: np.ndarray, session: np.ndarray, reversal: np.ndarray, site: Site
) -> np.ndarray:
    """Swap a comparison with the guide seen right after it, where the visitor likes to read first.

    Both order twins walk by the same chances and differ only here, so their bags of pages are alike.
    """
    role, topic = site.role[page], page - site.first[site.role[page]]
    pair = (role[:-1] == Role.COMPARE) & (role[1:] == Role.GUIDE)
    pair &= (topic[:-1] == topic[1:]) & (session[:-1] == session[1:])
    at = np.flatnonzero(pair & (rng.random(len(pair)) < reversal[:-1]))
    turned = page.copy()
    turned[at], turned[at + 1] = page[at + 1], page[at]
    return turned


def _dwell(rng: np.random.Generator, role: np.ndarray, pace: np.ndarray, user: np.ndarray) -> np.ndarray:
    """Seconds on each page; one in 300 is a tie with the next view, as batched hits are."""
    own = pace * rng.lognormal(0, 0.25, len(pace))
    seconds = np.clip(own[user] * _DWELL[role] * rng.lognormal(0, 0.75, len(user)), 0.8, 1_500)
    made: np.ndarray = np.where(rng.random(len(user)) < 1 / 300, 0.0, seconds)
    return made


def _session_starts(rng: np.random.Generator, user: np.ndarray, duration: np.ndarray) -> np.ndarray:
    """Start of every session in microseconds UTC: by day and hour, never before the previous one ended."""
    n_users, n = user[-1] + 1, len(user)
    sessions = np.bincount(user)
    first = np.cumsum(sessions) - sessions
    order = np.arange(n) - first[user]
    gap = np.where(order > 0, np.where(rng.random(n) < 0.2, 0, 1 + rng.exponential(7, n)), 0)
    since = np.cumsum(gap) - np.cumsum(gap)[first][user]
    span = since[first + sessions - 1]
    begin = _first_days(rng, n_users)
    begin = np.where(span > DAYS - 1 - begin, np.floor(begin * np.maximum(0, 1 - span / DAYS)), begin)
    shrink = np.minimum(1, (DAYS - 1 - begin) / np.maximum(span, 1))
    day = np.floor(begin[user] + since * shrink[user])
    hour = rng.choice(24, n, p=_HOURS / _HOURS.sum()) + rng.random(n)
    wanted: np.ndarray = START + ((day * 24 + hour) * 3_600 * SECOND).astype(np.int64)
    pause = (rng.uniform(32, 240, n) * 60 * SECOND).astype(np.int64)
    length = (duration * SECOND).astype(np.int64)
    for number in range(1, sessions.max()):
        at = first[sessions > number] + number
        wanted[at] = np.maximum(wanted[at], wanted[at - 1] + length[at - 1] + pause[at])
    return wanted


def _first_days(rng: np.random.Generator, n: int) -> np.ndarray:
    """First day of every visitor: weekends are livelier, and late November is the busiest time."""
    day = np.arange(DAYS)
    weight = 1 + 0.25 * np.isin(day % 7, (0, 1)) + 1.6 * np.exp(-((day - 27) ** 2) / 18) - 0.4 * (day > 55)
    return rng.choice(day, n, p=weight / weight.sum()).astype(float)
