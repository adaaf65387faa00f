"""What the browser sends as ``page_location`` and ``page_referrer``: never as tidy as the site's links."""

from __future__ import annotations

import string
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.sample.sample_users import SOURCE_NAMES, SOURCES, SampleUsers
from core.sample.site import HOST, Role, Site
from core.sample.visits import Visits

_PLAIN, _FORMS = 0, 3
_LEAKS: Final = (
    "email=anna.keller%40example.com", "phone=%2B4915112345678", "email=j.smith%40example.org&step=2",
    "name=Jo&mail=jo.lind%40example.net",
)  # fmt: skip
_LETTERS: Final = np.frombuffer(f"{string.ascii_letters}{string.digits}-_".encode(), dtype=np.uint8)
_CLICK_ID: Final = 24
_VIEW_OPTIONS: Final = ("sort=price", "page=2", "color=blue", "size=m", "view=grid")


def locations(
    rng: np.random.Generator, visits: Visits, people: SampleUsers, site: Site, source: np.ndarray
) -> pa.Array:
    """``page_location`` of every view.

    Args:
        rng: Where chance comes from.
        visits: The page views.
        people: Their visitors.
        site: The shop.
        source: int64 of shape (n_sessions,), index into ``SOURCE_NAMES``, how each session came in.
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


def referrers(visits: Visits, location: pa.Array, source: np.ndarray) -> pa.Array:
    """``page_referrer``: the page before, or, for a session's first view, the site the visitor came from."""
    outside = pa.array([SOURCES[name].referrer for name in SOURCE_NAMES], pa.string())
    arriving = outside.take(pa.array(source[visits.session]))
    previous = location.take(pa.array(np.maximum(np.arange(len(location)) - 1, 0)))
    return pc.if_else(pa.array(visits.landing), arriving, previous)


def session_sources(rng: np.random.Generator, visits: Visits, people: SampleUsers) -> np.ndarray:
    """How each session came in, int64 of shape (n_sessions,): the first touch, later often directly."""
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
    """Put a random id of its own into every query that asks for one."""
    wanting = np.flatnonzero(np.char.find(query, "{gclid}") >= 0)
    letters = _LETTERS[rng.integers(0, len(_LETTERS), (len(wanting), _CLICK_ID))]
    texts: list[str] = query.tolist()
    for at, row in zip(wanting.tolist(), letters, strict=True):
        texts[at] = texts[at].replace("{gclid}", row.tobytes().decode())
    return pa.array(texts, pa.string())
