"""2,000 pages → some dozens of path templates: ``https://shop.example/products/:slug``.

A trie of path segments a host. Where many siblings lie under one parent they are items of one kind and
collapse into a placeholder; the parent's own name stays. Sections of a host (its first level) have names
that mean something, so more siblings are needed there than further down; what is a page (nothing below it)
and what is a section are counted apart. Placeholders:

* ``:slug`` one of many names, ``:id-:slug`` with a number in front, ``:id`` a number or key, ``:date``
* ``:locale`` in front, where a host has several
* ``:value`` the value of a query parameter (``:id`` where it is a number); a router's parameter keeps it
* ``:rest`` whatever lies deeper than anybody names pages

The template of a template is itself, and the order of the pages does not matter.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from core.labels.words import LANGUAGES, REGIONS, stem_of

SIBLINGS_AT_ROOT: Final = 12
"""More pages, or more sections, than these directly under a host are not named by hand."""
SIBLINGS: Final = 5
"""More pages than these in a section are not named by hand: what is in ``/stores/`` is of one kind."""
SLUGS: Final = 4
"""As many siblings that look like made names (:func:`is_made`) are a pattern anywhere."""
_SEVERAL_LOCALES: Final = 2
"""Distinct locales from which on the first segment of a host is one."""
MAX_DEPTH: Final = 12
"""Deeper segments are not looked at: a path of a million slashes is as cheap as any."""
_ROUTERS: Final = frozenset({"route", "controller", "module", "option", "task", "fc", "action", "_route"})
"""Query parameters that say which program makes the page, as a path does elsewhere."""

LOCALE: Final = ":locale"
REST: Final = ":rest"
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
_LOCALE: Final = re.compile(r"([a-z]{2})(?:[-_]([a-z]{2}))?", re.IGNORECASE)
_ROUTE: Final = re.compile(r"[A-Za-z][A-Za-z_./-]{0,59}")
_LONG_NAME: Final = 30


@dataclass(frozen=True)
class Parts:
    """A page taken apart.

    Args:
        front: Everything before the path.
        segments: Of the path; placeholders for what needs no comparison with other pages.
        query: As a template.
    """

    front: str
    segments: tuple[str, ...]
    query: str


def mine(pages: Sequence[str], literal: Collection[str] = frozenset()) -> list[str]:
    """Find the template of every page.

    Args:
        pages: Canonical pages of one export; the more of a site, the better.
        literal: Names of segments (as :func:`core.labels.words.stem_of` gives them) that never collapse,
            such as ``cart``: they say what a page is for.

    Returns:
        One template for each of ``pages``.
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
    """What :func:`mine` may call a segment, depending on what else is in an export.

    Args:
        segment: Of :func:`parse`.
        literal: As for :func:`mine`.
    """
    found = {segment}
    if _may_collapse(segment, literal):
        found.add(_placeholder(segment))
    if is_locale(segment):
        found.add(LOCALE)
    return found


def parse(page: str) -> Parts:
    """Take a page or a template apart."""
    path, asked, query = page.partition("?")
    start = path.find("/", path.find("://") + 3) if "://" in path else 0
    start = len(path) if start < 0 else start
    front, rest = path[:start], path[start:]
    if rest.startswith("/"):
        front, rest = front + "/", rest[1:]
    segments = rest.split("/", MAX_DEPTH)
    tail = [REST] if len(segments) > MAX_DEPTH else []
    return Parts(front, (*_obvious(segments[:MAX_DEPTH]), *tail), _query(query) if asked else "")


def _obvious(segments: list[str]) -> list[str]:
    """Put placeholders for what needs no comparison: dates, ids, and those of the cleaning."""
    found: list[str] = []
    while segments:
        taken = _date_length(segments)
        found.append(":date" if taken else _simple(segments[0]))
        segments = segments[max(taken, 1) :]
    return found


def _date_length(segments: Sequence[str]) -> int:
    """How many segments a date like ``2026/05`` or ``2026/05/31`` in front takes."""
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
    """Names with placeholders for their values; routers first, as a path would be, then by name."""
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
            segments[0] = LOCALE


def is_locale(segment: str) -> bool:
    """Say whether a segment names a language or a country: ``en``, ``de-at``, ``uk``."""
    found = _LOCALE.fullmatch(segment)
    if found is None:
        return False
    one, two = found[1].lower(), (found[2] or "").lower()
    return (one in LANGUAGES or one in REGIONS) and (not two or two in LANGUAGES or two in REGIONS)


def _collapse(paths: dict[str, list[str]], literal: frozenset[str]) -> None:
    """Replace, level by level from the root, the segments that are some of many."""
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
    """Collapse what is at one depth under one parent, pages and sections apart."""
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
    """All of them if they are many, or many look made; otherwise none."""
    return names if len(names) > allowed or sum(map(is_made, names)) >= SLUGS else set()


def _may_collapse(segment: str, literal: Collection[str]) -> bool:
    if segment in ("", "#", "#!") or _is_placeholder(segment):
        return False
    return stem_of(segment) not in literal


def _at_root(above: Iterable[str]) -> bool:
    """Whether only a locale or the mark of a single-page app lies above."""
    return all(segment in ("", "#", "#!", LOCALE) or is_locale(segment) for segment in above)


def is_made(segment: str) -> bool:
    """Look like a name made from a title or a number: several words, a digit, or long."""
    return (
        len(_SEPARATOR.findall(segment)) >= 2
        or any(character.isdigit() for character in segment)
        or len(segment) > _LONG_NAME
    )


def _placeholder(segment: str) -> str:
    return (":id-:slug" if _NUMBERED.match(segment) else ":slug") + _suffix(segment)
