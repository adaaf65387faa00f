"""Mine path templates: thousands of addresses become dozens like ``https://shop.example/products/:slug``.

For each host, path segments are compared level by level. Many siblings under one parent are items of one kind
and collapse into a placeholder; the parent's name stays. Sections of a host (its first level) have names that
mean something, so more siblings are needed there than further down; pages (nothing below) and sections are
counted separately. Placeholders:

* ``:slug`` one of many names, ``:id-:slug`` with a number in front, ``:id`` a number or key, ``:date``
* ``:locale`` the first segment, where a host has several locales
* ``:value`` the value of a query parameter (``:id`` where it is a number); a router's parameter keeps it
* ``:rest`` everything below :data:`MAX_DEPTH`

Mining is idempotent (the template of a template is itself) and independent of the order of the pages.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from core.labels.words import LANGUAGES, REGIONS, stem_of

SIBLINGS_AT_ROOT: Final = 12
"""Most pages, and most sections, directly under a host that keep their names; more collapse."""
SIBLINGS: Final = 5
"""Most siblings further down that keep their names; more collapse, as what is in ``/stores/``."""
SLUGS: Final = 4
"""Fewest siblings with generated names (:func:`is_generated`) that collapse anywhere."""
_SEVERAL_LOCALES: Final = 2
"""Fewest distinct locales of a host for which the first segment becomes a placeholder."""
MAX_DEPTH: Final = 12
"""Most segments of a path that are read, so that a path of a million slashes costs no more than any."""
_ROUTERS: Final = frozenset({"route", "controller", "module", "option", "task", "fc", "action", "_route"})
"""Query parameters that select the page, as a path does elsewhere."""

_LOCALE: Final = ":locale"
_REST: Final = ":rest"
_PLACEHOLDER: Final = re.compile(r":(?:id-:slug|slug|id|date|locale|rest)(?:\.[a-z]{2,4})?")
_INGEST: Final = {"{id}": ":id", "{uuid}": ":id", "{key}": ":id", "{date}": ":date"}
"""Placeholders that ``core/ingest/clean/urls.py`` has put in already."""
_SUFFIX: Final = re.compile(r"\.(?:html?|php|aspx?|jsp|pdf|xml)$", re.IGNORECASE)
_KEY: Final = re.compile(
    r"[0-9]+|\{?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\}?|(?=[a-f]*[0-9])[0-9a-f]{16,}", re.IGNORECASE
)
_DATE: Final = re.compile(r"(?:19|20)\d\d([-_.]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])")
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_MONTH: Final = re.compile(r"0?[1-9]|1[0-2]")
_DAY: Final = re.compile(r"0?[1-9]|[12]\d|3[01]")
_NUMBERED: Final = re.compile(r"\d+-[^\W\d_]")
_SEPARATOR: Final = re.compile(r"[-_+]")
_LOCALE_PATTERN: Final = re.compile(r"([a-z]{2})(?:[-_]([a-z]{2}))?", re.IGNORECASE)
_ROUTE: Final = re.compile(r"[A-Za-z][A-Za-z_./-]{0,59}")
_LONG_NAME: Final = 30


@dataclass(frozen=True)
class Parts:
    """The parts of a page's address.

    Args:
        front: Everything before the path.
        segments: Of the path; dates, ids and keys are placeholders already.
        query: As a template.
    """

    front: str
    segments: tuple[str, ...]
    query: str


def mine(pages: Sequence[str], literal: Collection[str] = frozenset()) -> list[str]:
    """Mine the path template of every page.

    Args:
        pages: Canonical pages of one export; the more of a site, the better.
        literal: Names of segments (as :func:`core.labels.words.stem_of` gives them) that never collapse,
            such as ``cart``: they say what a page is for.

    Returns:
        A template for each of ``pages``.
    """
    parts = {page: parse(page) for page in dict.fromkeys(pages)}
    hosts: dict[str, list[str]] = defaultdict(list)
    for page, part in parts.items():
        hosts[part.front].append(page)
    found: dict[str, str] = {}
    for front, members in hosts.items():
        paths = {page: list(parts[page].segments) for page in members}
        _name_locales(paths)
        _collapse(paths, frozenset(literal))
        for page, segments in paths.items():
            found[page] = front + "/".join(segments) + parts[page].query
    return [found[page] for page in pages]


def spellings(segment: str, literal: Collection[str] = frozenset()) -> set[str]:
    """All texts that :func:`mine` may put for a path segment, depending on the export's other pages.

    Args:
        segment: One of the segments that :func:`parse` gives.
        literal: Segments that never collapse, as for :func:`mine`.
    """
    found = {segment}
    if _may_collapse(segment, literal):
        found.add(_placeholder(segment))
    if is_locale(segment):
        found.add(_LOCALE)
    return found


def parse(page: str) -> Parts:
    """Split the address of a page, or a template, into its parts."""
    path, asked, query = page.partition("?")
    start = path.find("/", path.find("://") + 3) if "://" in path else 0
    start = len(path) if start < 0 else start
    front, rest = path[:start], path[start:]
    if rest.startswith("/"):
        front, rest = front + "/", rest[1:]
    segments = rest.split("/", MAX_DEPTH)
    tail = [_REST] if len(segments) > MAX_DEPTH else []
    return Parts(front, (*_obvious(segments[:MAX_DEPTH]), *tail), _query(query) if asked else "")


def _obvious(segments: list[str]) -> list[str]:
    """Replace segments that are placeholders without comparing pages: dates, ids, those of the cleaning."""
    found: list[str] = []
    while segments:
        taken = _date_length(segments)
        found.append(":date" if taken else _simple(segments[0]))
        segments = segments[max(taken, 1) :]
    return found


def _date_length(segments: Sequence[str]) -> int:
    """Number of leading segments that are a date like ``2026/05`` or ``2026/05/31``; 0 if none."""
    if len(segments) < 2 or not _YEAR.fullmatch(segments[0]) or not _MONTH.fullmatch(segments[1]):
        return 0
    return 3 if len(segments) > 2 and _DAY.fullmatch(segments[2]) else 2


def _simple(segment: str) -> str:
    suffix = _suffix(segment)
    stem = segment[: len(segment) - len(suffix)]
    if stem in _INGEST:
        return _INGEST[stem] + suffix
    if _DATE.fullmatch(stem):
        return ":date" + suffix
    return ":id" + suffix if _KEY.fullmatch(stem) else segment


def _suffix(segment: str) -> str:
    found = _SUFFIX.search(segment)
    return found[0].lower() if found else ""


def _is_placeholder(segment: str) -> bool:
    return segment.startswith(":") and _PLACEHOLDER.fullmatch(segment) is not None


def _query(query: str) -> str:
    """Template of a query: names with placeholders for values; routers first, then by name."""
    pairs = {_parameter(*part.partition("=")[::2]) for part in query.split("&") if part}
    return "?" + "&".join(sorted(pairs, key=lambda pair: (pair.partition("=")[0] not in _ROUTERS, pair)))


def _parameter(name: str, value: str) -> str:
    if name in _ROUTERS and _ROUTE.fullmatch(value):
        return f"{name}={value}"
    return f"{name}=:id" if _KEY.fullmatch(value) or value in (":id", "{id}") else f"{name}=:value"


def _name_locales(paths: dict[str, list[str]]) -> None:
    first = {segments[0] for segments in paths.values() if is_locale(segments[0])}
    if len(first) < _SEVERAL_LOCALES:
        return
    for segments in paths.values():
        if segments[0] in first:
            segments[0] = _LOCALE


def is_locale(segment: str) -> bool:
    """Whether a segment names a language or a country: ``en``, ``de-at``, ``uk``."""
    found = _LOCALE_PATTERN.fullmatch(segment)
    if found is None:
        return False
    one, two = found[1].lower(), (found[2] or "").lower()
    return (one in LANGUAGES or one in REGIONS) and (not two or two in LANGUAGES or two in REGIONS)


def _collapse(paths: dict[str, list[str]], literal: frozenset[str]) -> None:
    """Replace segments with many siblings by placeholders, level by level from the root."""
    groups = [(list(paths.values()), 0)]
    while groups:
        members, depth = groups.pop()
        _rename(members, depth, literal)
        children: dict[str, list[list[str]]] = defaultdict(list)
        for segments in members:
            if len(segments) > depth + 1:
                children[segments[depth]].append(segments)
        groups += [(below, depth + 1) for below in children.values()]


def _rename(members: list[list[str]], depth: int, literal: frozenset[str]) -> None:
    """Collapse segments at one depth under one parent, pages and sections separately."""
    names = {segments[depth] for segments in members if _may_collapse(segments[depth], literal)}
    if not names:
        return
    sections = {segments[depth] for segments in members if len(segments) > depth + 1} & names
    allowed = SIBLINGS_AT_ROOT if _at_root(members[0][:depth]) else SIBLINGS
    many = _those(sections, allowed) | _those(names - sections, allowed)
    for segments in members:
        if segments[depth] in many:
            segments[depth] = _placeholder(segments[depth])


def _those(names: set[str], allowed: int) -> set[str]:
    """All names if there are more than allowed, or many look generated; otherwise none."""
    return names if len(names) > allowed or sum(map(is_generated, names)) >= SLUGS else set()


def _may_collapse(segment: str, literal: Collection[str]) -> bool:
    if segment in ("", "#", "#!") or _is_placeholder(segment):
        return False
    return stem_of(segment) not in literal


def _at_root(above: Iterable[str]) -> bool:
    """Whether all segments above are empty, a locale or the ``#`` of a single-page app."""
    return all(segment in ("", "#", "#!", _LOCALE) or is_locale(segment) for segment in above)


def is_generated(segment: str) -> bool:
    """Whether a segment looks generated from a title or number: several words, a digit, or long."""
    return (
        len(_SEPARATOR.findall(segment)) >= 2
        or any(character.isdigit() for character in segment)
        or len(segment) > _LONG_NAME
    )


def _placeholder(segment: str) -> str:
    return (":id-:slug" if _NUMBERED.match(segment) else ":slug") + _suffix(segment)
