"""Turn page views into GA4 events, and events into the rows of the export.

First ``page_location`` and ``page_referrer`` as browsers send them, with tracking parameters and varying
spellings; then the events of each page view with their times; then all columns.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.ingest.sample.site import HOST, Role, Site
from core.ingest.sample.visits import (
    DAY,
    DEVICES,
    END,
    ROBOT,
    SECOND,
    SOURCE_NAMES,
    SOURCES,
    STAFF,
    TESTER,
    ZONE,
    SampleUsers,
    Visits,
)

_PLAIN, _FORMS = 0, 3
_LEAKS: Final = (
    "email=anna.keller%40example.com", "phone=%2B4915112345678", "email=j.smith%40example.org&step=2",
    "name=Jo&mail=jo.lind%40example.net",
)  # fmt: skip
_LETTERS: Final = np.frombuffer(f"{string.ascii_letters}{string.digits}-_".encode(), dtype=np.uint8)
_CLICK_ID: Final = 24
_VIEW_OPTIONS: Final = ("sort=price", "page=2", "color=blue", "size=m", "view=grid")


def _locations(
    rng: np.random.Generator, visits: Visits, people: SampleUsers, site: Site, source: np.ndarray
) -> pa.Array:
    """Make the ``page_location`` of every page view, text of shape (n_views,).

    Args:
        rng: Random generator.
        visits: The page views.
        people: Visitors of the page views.
        site: The shop.
        source: int64 of shape (n_sessions,), index into ``SOURCE_NAMES``, each session's traffic source.
    """
    n = len(visits.page)
    form = rng.choice(_FORMS, n, p=(0.89, 0.04, 0.07))
    form = np.where(people.kind[visits.user] == "bot", _PLAIN, form)
    base = pa.array(_spellings(site)).take(pa.array(visits.page.astype(np.int64) * _FORMS + form))
    query = _queries(rng, visits, site, source)
    has_query = pc.match_substring(base, "?")
    mark = pc.if_else(pc.equal(query, ""), "", pc.if_else(has_query, "&", "?"))
    fragment = np.where(rng.random(n) < 0.015, "#reviews", "")
    on_product = site.role[visits.page] == Role.PRODUCT
    ends = pa.array(np.where(on_product, fragment, "").tolist(), pa.string())
    return pc.binary_join_element_wise(base, mark, query, ends, "")


def _referrers(visits: Visits, location: pa.Array, source: np.ndarray) -> pa.Array:
    """Make every ``page_referrer``: the previous page, or, on a landing, the site the visitor came from."""
    outside = pa.array([SOURCES[name].referrer for name in SOURCE_NAMES], pa.string())
    arriving = outside.take(pa.array(source[visits.session]))
    previous = location.take(pa.array(np.maximum(np.arange(len(location)) - 1, 0)))
    return pc.if_else(pa.array(visits.landing), arriving, previous)


def _session_sources(rng: np.random.Generator, visits: Visits, people: SampleUsers) -> np.ndarray:
    """Draw each session's source, int64 of shape (n_sessions,): the first touch, later often direct."""
    first_view = np.flatnonzero(visits.landing)
    user = visits.user[first_view]
    again = np.append(False, user[1:] == user[:-1])
    directly = again & (rng.random(len(user)) < 0.4)
    return np.where(directly, SOURCE_NAMES.index("(direct)"), people.source[user])


def _spellings(site: Site) -> list[str]:
    """Every page as linked, with capitals, and with a trailing slash (or index.html for the home page)."""
    spelt = []
    for path in site.path:
        bare, _, query = path.partition("?")
        query = f"?{query}" if query else ""
        slash = "/index.html" if bare == "/" else f"{bare}/"
        capitals = "/".join(part.capitalize() for part in bare.split("/"))
        spelt += [f"{HOST}{path}", f"{HOST}{capitals}{query}", f"{HOST}{slash}{query}"]
    return spelt


def _queries(rng: np.random.Generator, visits: Visits, site: Site, source: np.ndarray) -> pa.Array:
    """The query of every view: tracking on arrival, options on lists, a few leaks of personal data."""
    n, role = len(visits.page), site.role[visits.page]
    template = np.array([SOURCES[name].query for name in SOURCE_NAMES], dtype="<U120")
    query = np.where(visits.landing, template[source[visits.session]], "").astype("<U160")
    lists = np.isin(role, (Role.LIST, Role.PRODUCT, Role.SALE)) & ~visits.landing & (rng.random(n) < 0.12)
    query[lists] = rng.choice(np.array(_VIEW_OPTIONS), lists.sum())
    linker = (query == "") & (rng.random(n) < 0.015)
    query[linker] = "_gl=1*{gclid}&_ga=2.{gclid}"
    leak = np.isin(role, (Role.ACCOUNT, Role.LOGIN, Role.CHECKOUT)) & (rng.random(n) < 0.004)
    query[leak] = rng.choice(np.array(_LEAKS), leak.sum())
    return _with_click_ids(rng, query)


def _with_click_ids(rng: np.random.Generator, query: np.ndarray) -> pa.Array:
    """Replace ``{gclid}`` by a random click id in every query that holds it."""
    wanting = np.flatnonzero(np.char.find(query, "{gclid}") >= 0)
    letters = _LETTERS[rng.integers(0, len(_LETTERS), (len(wanting), _CLICK_ID))]
    texts: list[str] = query.tolist()
    for at, row in zip(wanting.tolist(), letters, strict=True):
        texts[at] = texts[at].replace("{gclid}", row.tobytes().decode())
    return pa.array(texts, pa.string())


_EVENTS: Final = (
    "first_visit", "session_start", "page_view", "view_item_list", "view_item", "view_search_results",
    "login", "add_to_cart", "begin_checkout", "purchase", "scroll", "user_engagement",
)  # fmt: skip
"""Names of events, in the order in which events of one microsecond are written."""

_ENGAGEMENT_LIMIT: Final = 20 * 60 * 1000
_FRONT: Final = 0.86
"""Share of the time on a page that the tab is in front."""
_RELOADS: Final = 0.06
"""Share of orders whose confirmation page is loaded again, which records the purchase twice."""


@dataclass(frozen=True, eq=False)
class Hits:
    """The events of the export in file order; all arrays of shape (n_events,).

    Args:
        view: int64, index of the event's page view.
        event: int64, index into :data:`_EVENTS`.
        timestamp: int64, microseconds UTC.
        engagement: float64, foreground milliseconds since the visitor's previous event; NaN if not sent.
    """

    view: np.ndarray
    event: np.ndarray
    timestamp: np.ndarray
    engagement: np.ndarray


def make_hits(rng: np.random.Generator, visits: Visits, people: SampleUsers, site: Site) -> Hits:
    """Expand page views into events, in time order."""
    parts = _parts(rng, visits, people, site)
    view = np.concatenate([views for _, views, _ in parts])
    event = np.concatenate([np.full(len(views), _EVENTS.index(name)) for name, views, _ in parts])
    after = np.concatenate([seconds for _, _, seconds in parts])
    timestamp = visits.timestamp[view] + (after * SECOND).astype(np.int64)
    engagement = _engagement(rng, visits, people, view, event, timestamp)
    order = np.lexsort((event, view, timestamp))
    order = order[timestamp[order] < END]
    return Hits(view[order], event[order], timestamp[order], engagement[order])


_Part = tuple[str, np.ndarray, np.ndarray]


def _parts(rng: np.random.Generator, visits: Visits, people: SampleUsers, site: Site) -> list[_Part]:
    """List ``(event name, page views that send it, seconds after each view)`` for all events."""
    n, dwell, role = len(visits.page), visits.dwell, site.role[visits.page]
    human = people.kind[visits.user] != ROBOT

    def some(chosen: np.ndarray, chance: float) -> np.ndarray:
        return np.flatnonzero(chosen & human & (rng.random(n) < chance))

    def at(name: str, views: np.ndarray, low: float, high: float) -> _Part:
        return name, views, dwell[views] * rng.uniform(low, high, len(views))

    first = np.append(True, visits.user[1:] != visits.user[:-1]) & ~people.returning[visits.user]
    to_cart = np.append(role[1:] == Role.CART, False) & ~np.append(visits.landing[1:], True)
    orders = np.flatnonzero(role == Role.CONFIRMATION)
    orders = orders[human[orders]]
    reloads = orders[rng.random(len(orders)) < _RELOADS]
    last = np.append(visits.landing[1:], True)
    zero = np.zeros
    return [
        ("page_view", np.arange(n), zero(n)),
        ("session_start", np.flatnonzero(visits.landing), zero(visits.landing.sum())),
        ("first_visit", np.flatnonzero(first), zero(first.sum())),
        at("view_item", some(role == Role.PRODUCT, 0.62), 0.01, 0.05),
        at("view_item_list", some(np.isin(role, (Role.LIST, Role.SALE)), 0.3), 0.01, 0.05),
        at("view_search_results", some(role == Role.SEARCH, 0.95), 0.01, 0.05),
        at("login", some(role == Role.LOGIN, 0.75), 0.6, 0.95),
        at("add_to_cart", some((role == Role.PRODUCT) & to_cart, 0.85), 0.5, 0.9),
        at("begin_checkout", some(role == Role.CHECKOUT, 0.97), 0.01, 0.03),
        at("purchase", orders, 0.005, 0.02),
        at("page_view", reloads, 0.5, 0.5),
        at("purchase", reloads, 0.51, 0.53),
        at("scroll", some(dwell > 0, 0.16), 0.3, 0.8),
        at("user_engagement", some(last & (dwell > 0), 0.42), 0.9, 0.99),
        at("user_engagement", some(~last & (dwell > 0), 0.04), 0.9, 0.99),
    ]


def _engagement(
    rng: np.random.Generator,
    visits: Visits,
    people: SampleUsers,
    view: np.ndarray,
    event: np.ndarray,
    timestamp: np.ndarray,
) -> np.ndarray:
    """Engagement time of each event in ms, since the previous one as GA4 sends it; NaN at a landing."""
    order = np.lexsort((event, view, timestamp, visits.session[view]))
    session = visits.session[view][order]
    since = np.diff(timestamp[order], prepend=timestamp[order[:1]]) / 1000
    since[np.append(True, session[1:] != session[:-1])] = 0
    in_front = since * np.clip(rng.normal(_FRONT, 0.1, len(since)), 0.2, 1)
    sent = np.round(np.minimum(in_front, _ENGAGEMENT_LIMIT))
    silent = (sent < 1) | (people.kind[visits.user[view[order]]] == ROBOT)
    engagement = np.empty(len(view))
    engagement[order] = np.where(silent, np.nan, sent)
    return engagement


def make_table(
    rng: np.random.Generator, hits: Hits, visits: Visits, people: SampleUsers, site: Site, first_order: int
) -> pa.Table:
    """Make the rows of the export, one per event: every column is text, null where GA4 sends nothing.

    ``first_order`` is the number of the first purchase; transaction ids follow from it.
    """
    view, user = hits.view, visits.user[hits.view]
    source = _session_sources(rng, visits, people)
    location = _locations(rng, visits, people, site, source)
    referrer = _referrers(visits, location, source)
    buys = np.array(_EVENTS)[hits.event] == "purchase"
    date = np.array((hits.timestamp + ZONE) // DAY * DAY, dtype="datetime64[us]")
    unsent = np.isnan(hits.engagement)
    consents = people.user_id.is_valid().to_numpy(zero_copy_only=False)[user]
    flags = people.kind[user]
    columns: dict[str, pa.Array] = {
        "event_date": pa.array(date).cast(pa.date32()),
        "event_timestamp": pa.array(hits.timestamp),
        "event_name": _take(_EVENTS, hits.event),
        "user_pseudo_id": people.user_id.take(pa.array(user)),
        "user_id": _masked(people.customer.take(pa.array(user)), ~_logged_in(visits, site)[view] | ~consents),
        **_session_columns(rng, hits, visits, people, consents),
        "page_location": location.take(pa.array(view)),
        "page_title": _take(site.title, visits.page[view]),
        "page_referrer": referrer.take(pa.array(view)),
        "engagement_time_msec": pa.array(np.nan_to_num(hits.engagement).astype(np.int64), mask=unsent),
        "device_category": _take(DEVICES, people.device[user]),
        "device_web_info_browser": pa.array(people.browser.tolist()).take(pa.array(user)),
        "geo_country": pa.array(people.country.tolist()).take(pa.array(user)),
        **_source_columns(people.source[user]),
        **_order_columns(rng, view, buys, first_order),
        "traffic_type": _masked(_take(("internal",), np.zeros_like(user)), flags != STAFF),
        "debug_mode": _masked(_take(("1",), np.zeros_like(user)), flags != TESTER),
    }
    columns["event_date"] = pa.compute.strftime(columns["event_date"], "%Y%m%d")
    return pa.table({name: column.cast(pa.string()) for name, column in columns.items()})


def _session_columns(
    rng: np.random.Generator, hits: Hits, visits: Visits, people: SampleUsers, consents: np.ndarray
) -> dict[str, pa.Array]:
    """Columns of sessions: id (the second it began), number, whether it was engaged, and entrance flag."""
    session, first = visits.session[hits.view], np.flatnonzero(visits.landing)
    began = visits.timestamp[first] // SECOND
    nth = np.arange(len(first)) - np.searchsorted(visits.user[first], visits.user[first]) + 1
    nth = nth + 2 * people.returning[visits.user[first]]
    views = np.bincount(visits.session)
    engaged = (views >= 2) | (np.bincount(visits.session, visits.dwell) > 10)
    lost = rng.random(len(first)) < 0.004
    hidden = lost[session] | ~consents
    enters = visits.landing[hits.view] & (hits.event == _EVENTS.index("page_view"))
    return {
        "ga_session_id": pa.array(began[session], mask=hidden),
        "ga_session_number": pa.array(nth[session], mask=hidden),
        "session_engaged": pa.array(engaged[session].astype(np.int64)),
        "entrances": pa.array(np.ones(len(session), dtype=np.int64), mask=~enters),
    }


def _source_columns(source: np.ndarray) -> dict[str, pa.Array]:
    ways = [SOURCES[name] for name in SOURCE_NAMES]
    return {
        "traffic_source_source": _take([way.source for way in ways], source),
        "traffic_source_medium": _take([way.medium for way in ways], source),
        "traffic_source_name": _take([way.campaign for way in ways], source),
    }


def _order_columns(
    rng: np.random.Generator, view: np.ndarray, buys: np.ndarray, first_order: int
) -> dict[str, pa.Array]:
    """Columns of orders: transaction id and revenue of each confirmation page; a reload repeats both."""
    confirmations, number = np.unique(view[buys], return_inverse=True)
    # 7,919 is prime to 10^8: the numbers are unique and do not look counted.
    ids = [f"T{(first_order + order) * 7_919 % 10**8:08d}" for order in range(len(confirmations))]
    ids = [i if keep else "(not set)" for i, keep in zip(ids, rng.random(len(ids)) >= 0.01, strict=True)]
    revenue = [f"{amount:.2f}" for amount in rng.lognormal(4.4, 0.7, len(ids)) + 5]
    at = np.zeros(len(view), dtype=np.int64)
    at[buys] = number
    padded_ids, padded_revenue = pa.array([*ids, ""], pa.string()), pa.array([*revenue, ""], pa.string())
    return {
        "transaction_id": _masked(padded_ids.take(pa.array(at)), ~buys),
        "purchase_revenue": _masked(padded_revenue.take(pa.array(at)), ~buys),
    }


def _logged_in(visits: Visits, site: Site) -> np.ndarray:
    """Whether each page view lies in a session with a visit to the account."""
    inside = np.isin(site.role[visits.page], (Role.ACCOUNT, Role.LOGIN))
    logged_in: np.ndarray = np.bincount(visits.session, inside)[visits.session] > 0
    return logged_in


def _take(values: tuple[str, ...] | list[str], index: np.ndarray) -> pa.Array:
    return pa.array(values, pa.string()).take(pa.array(index.astype(np.int64)))


def _masked(column: pa.Array, hide: np.ndarray) -> pa.Array:
    return pa.compute.if_else(pa.array(hide), None, column)
