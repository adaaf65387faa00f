"""Ids in paths that shatter a page into thousands: ``/order/83467`` → ``/order/{id}``.

Only where they do. A shop's 217 product pages are its signal, and a page that many look at is no accident.
So pages collapse when at least :data:`SIBLINGS` of them differ only in such ids and are rare; the popular
ones among their siblings stay; where nearly all siblings are rare (then the id names a visit, and a page
reached by reloading is an accident too) those that many users saw.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from core.ingest.clean.audience import PUBLIC, Audience, merged_by

SIBLINGS: Final = 20
"""Rare pages with the same template from which on they are a pattern and not a hand-made choice of pages."""
RARE_VIEWS: Final = 5
"""A page with fewer views cannot be learnt on its own."""
MOSTLY: Final = 0.95
"""Share of rare siblings above which the template is one of visits (orders, sessions), not of contents."""
ACCIDENT_VIEWS: Final = 100
"""In such a template, a page with as many views is still one that people go to."""

_DATE_PATH: Final = re.compile(r"(?<=/)(?:19|20)\d\d/(?:0?[1-9]|1[0-2])/(?:0?[1-9]|[12]\d|3[01])(?=/|$)")
_SEGMENT_KINDS: Final = tuple(
    (placeholder, re.compile(pattern, re.IGNORECASE))
    for placeholder, pattern in (
        ("{date}", r"(?:19|20)\d\d([-_.]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])"),
        ("{uuid}", r"\{?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\}?"),
        ("{id}", r"[0-9]+"),
        ("{key}", r"(?=[a-f]*\d)[0-9a-f]{16,}"),  # long hex
        ("{key}", r"(?=(?:[^\d/]*\d+[a-z_-]){4})[\w-]{20,}={0,2}"),  # base64 and the like: digits all over
    )
)
_DIGIT: Final = re.compile(r"[0-9]")
_SUFFIX: Final = re.compile(r"(.+?)(\.(?:html?|php|aspx?|jsp|pdf))", re.IGNORECASE)


def collapse(pages: Sequence[str], views: Sequence[int], audiences: Sequence[Audience] = ()) -> list[str]:
    """Replace ids by placeholders in the pages that they shatter.

    Args:
        pages: Canonical pages; the same page may occur several times.
        views: Page views of each.
        audiences: Who saw each, where that is known.

    Returns:
        One page for each of ``pages``.
    """
    total: Counter[str] = Counter()
    for page, count in zip(pages, views, strict=True):
        total[page] += count
    families: dict[str, list[str]] = defaultdict(list)
    for page in total:
        pattern = template(page)
        if pattern != page:
            families[pattern].append(page)
    alike = {page for family in families.values() if len(family) >= SIBLINGS for page in family}
    seen = merged_by(
        (page, audience) for page, audience in zip(pages, audiences, strict=False) if page in alike
    )
    for page, audience in seen.items():  # however often one user loads their own
        total[page] = min(total[page], RARE_VIEWS - 1) if audience.rare else total[page]
    renamed = {page: name for name, family in families.items() for page in _shattered(family, total)}
    public = {page for page in renamed if page in seen and seen[page].users >= PUBLIC}
    return [page if page in public else renamed.get(page, page) for page in pages] if renamed else list(pages)


def with_templates(chosen: Collection[str], pages: Iterable[str]) -> tuple[str, ...]:
    """Some of the pages of a site, in order; a template in place of all pages that have it.

    Left out by it, pages that new users bring are left out as well.
    """
    kept = {template(page) for page in pages if page not in chosen}
    return tuple(dict.fromkeys(page if (name := template(page)) in kept else name for page in chosen))


def template(page: str) -> str:
    """The page with a placeholder for everything in its path that looks like an id or a date."""
    path, asked, query = page.partition("?")
    if _DIGIT.search(path) is None:
        return page
    start = path.find("/", path.find("//") + 2) if "//" in path else 0
    if start < 0:
        return page
    front, path = path[:start], _DATE_PATH.sub("{date}", path[start:])
    return front + "/".join(map(_segment, path.split("/"))) + asked + query


def _segment(text: str) -> str:
    if _DIGIT.search(text) is None:
        return text
    stem, suffix = text, ""
    if found := _SUFFIX.fullmatch(text):
        stem, suffix = found[1], found[2]
    for placeholder, pattern in _SEGMENT_KINDS:
        if pattern.fullmatch(stem):
            return placeholder + suffix
    return text


def _shattered(family: Sequence[str], views: Mapping[str, int]) -> list[str]:
    """Those pages of one template that are not worth a page of their own."""
    rare = [page for page in family if views[page] < RARE_VIEWS]
    if len(rare) < SIBLINGS:
        return []
    if len(rare) >= MOSTLY * len(family):
        return [page for page in family if views[page] < ACCIDENT_VIEWS]
    return rare
