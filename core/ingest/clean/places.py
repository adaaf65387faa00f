"""Personal places in page addresses: positions whose values belong to one user each.

A place is what stands between the same neighbours: a segment below ``/account``, the value of a parameter,
the rest of a segment after ``user-``, a part of a hash route. Pages are read from the left as a tree; where
the children of a node are a personal place (:mod:`core.ingest.clean.crowds`) those of one owner become
``{…}``, and what is below them is looked at together: ``/account/7f3a/orders`` of everybody is one page. What
users type into a search is theirs as well, unless others typed it or all of its words are the site's own.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from core.data.receipt import Decision
from core.ingest.clean.crowds import CHANCE, Crowd, merged
from core.ingest.clean.echoes import SUBJECT, USUAL, SiteContext, rare_is_usual, unechoed, with_gaps
from core.ingest.clean.found import Found
from core.ingest.clean.page_parts import GAP, Part, Values, parts_of, words_of
from core.ingest.clean.randomness import looks_random

SEARCHES: Final = frozenset(
    ("q", "query", "search", "s", "k", "ssearch", "search_query", "keyword", "keywords", "term", "text")
)
"""Parameters that hold what a user typed."""
SEARCH_FOLDERS: Final = frozenset(
    (
        *("search", "suche", "suchen", "recherche", "buscar", "busqueda", "busca", "pesquisa", "ricerca"),
        *("cerca", "zoeken", "szukaj", "sok", "arama", "hledat", "haku"),
    )
)
"""The same in a path."""
NUMBERS_CHANCE: Final = 1e-2
"""As :data:`core.ingest.clean.crowds.CHANCE`, for long numbers, which can be those of people."""
OFFERED: Final = 2
"""Owners from which on a place that nobody shares is offered to the analyst, though too few for a verdict."""

_LEAD: Final = re.compile(r"[^\W_]+[-_.+~]+")
_LONG_NUMBER: Final = re.compile(r"\d{6,}")
_NUMBERS: Final = re.compile(r"^[\d._-]+$")
"""Values below which everything is looked at together, though they stay: days, orders, numbers of pages."""


def mask_places(pages: Values, found: Found, site: SiteContext) -> dict[str, str]:
    """Find the personal places of a site.

    Args:
        pages: The crowd of every canonical page.
        found: Takes the places.
        site: What is known of it.

    Returns:
        The pages that change, and what they become.
    """
    split = {page: parts_of(page) for page in pages}
    changed: set[str] = set()
    nodes: list[tuple[list[str], int, str]] = [(list(pages), 0, "")]
    while nodes:
        rows, depth, prefix = nodes.pop()
        for slot, children in _children(rows, depth, split).items():
            crowds = {value: merged(pages[row] for row in below) for value, below in children.items()}
            renamed = _renamed(prefix, slot, crowds, found, site, children)
            groups: dict[str, list[str]] = defaultdict(list)
            kept = prefix + slot + GAP in found.keep
            for value, below in children.items():
                groups[GAP if kept else _NUMBERS.sub("{n}", renamed.get(value, value))] += below
            nodes += [(below, depth + 1, prefix + slot + value) for value, below in groups.items()]
            for value, new in renamed.items():
                changed.update(children[value])
                for row in children[value]:
                    split[row][depth] = slot, new
    return {page: "".join(slot + value for slot, value in split[page]) for page in changed}


def _children(
    rows: Iterable[str], depth: int, split: Mapping[str, list[Part]]
) -> dict[str, dict[str, list[str]]]:
    """What leads further → the values there → the pages below each."""
    slots: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if depth < len(split[row]):
            slot, value = split[row][depth]
            slots[slot][value].append(row)
    return slots


def _renamed(
    prefix: str,
    slot: str,
    values: Values,
    found: Found,
    site: SiteContext,
    children: Mapping[str, Collection[str]],
) -> dict[str, str]:
    """What becomes of the values of one node that belong to one user each, or to a few."""
    renamed = _by_crowds(prefix, slot, values, found, site, children)
    if not prefix or _is_search(prefix, slot) or not found.can_tell:
        return renamed
    return renamed | _by_titles(prefix + slot, values, renamed, found, site, children)


def _by_titles(
    prefix: str,
    values: Values,
    renamed: Mapping[str, str],
    found: Found,
    site: SiteContext,
    children: Mapping[str, Collection[str]],
) -> dict[str, str]:
    """What becomes of the values of a few that no title has, where rare ones are not usual."""
    if GAP not in prefix and rare_is_usual(values.values()):
        return {}
    popular = sum(crowd.users >= found.public for crowd in values.values()) >= USUAL
    new: dict[str, str] = {}
    for value, crowd in values.items():
        text = renamed.get(value, value)
        published = (popular or value.isalpha()) and _leads_to_named(prefix + value, children[value], site)
        if crowd.users >= found.public or GAP in text or value.startswith("{") or published:
            continue
        words = unechoed(text, site.called(children[value]), site.public)
        name = crowd.rare or GAP in prefix or len(words) >= SUBJECT or not all(map(str.isalpha, words))
        if words and name:
            new[value] = with_gaps(text, words)
    return {value: new[value] for value in found.decide(prefix + GAP, values, new) if value in new}


def _leads_to_named(folder: str, pages: Iterable[str], site: SiteContext) -> bool:
    """Whether a value is above a page that names itself."""
    return any(page in site.named and len(page) > len(folder) for page in pages)


def _by_crowds(
    prefix: str,
    slot: str,
    values: Values,
    found: Found,
    site: SiteContext,
    children: Mapping[str, Collection[str]],
) -> dict[str, str]:
    name = prefix + slot + GAP
    values = {value: crowd for value, crowd in values.items() if value and not value.startswith("{")}
    rare = [value for value, crowd in values.items() if crowd.rare]
    if not (rare or name in found.mask) or not (found.can_tell or found.mask):
        return {}
    if _is_search(prefix, slot):
        return found.decide(
            name, values, [value for value in rare if not words_of(value).issubset(site.public)]
        )
    renamed = _by_lead(prefix + slot, values, found)
    values = {value: crowd for value, crowd in values.items() if value not in renamed}
    rare = [value for value in rare if value in values]
    if found.tail.differs(values.values()) or name in found.mask:
        return renamed | found.masked(name, values, rare)
    if ids := _ids(values, found):
        return renamed | found.masked(name, ids, list(ids))
    _offer(name, values, found)
    if name in found.keep:
        return renamed
    unusual = (value for value in rare if not all(map(site.is_published, children[value])))
    lone = {value: masked for value in unusual if (masked := found.lone(value, values[value])) != value}
    return renamed | lone


def _is_search(prefix: str, slot: str) -> bool:
    return slot[1:-1] in SEARCHES or (slot == "/" and prefix.rpartition("/")[2] in SEARCH_FOLDERS)


def _ids(values: Values, found: Found) -> dict[str, Crowd]:
    """Values that nobody reads: keys drawn by chance, or long numbers, if nobody shares any of them."""
    drawn = {value: crowd for value, crowd in values.items() if looks_random(value)}
    if all(crowd.alone for crowd in drawn.values()):
        return drawn or _numbers(values, found)
    return _numbers(values, found)


def _numbers(values: Values, found: Found) -> dict[str, Crowd]:
    numbers = {value: crowd for value, crowd in values.items() if _LONG_NUMBER.fullmatch(value)}
    owned = all(crowd.alone for crowd in numbers.values())
    return numbers if owned and found.tail.differs(numbers.values(), NUMBERS_CHANCE) else {}


def _offer(name: str, values: Values, found: Found) -> None:
    owned = all(crowd.alone for crowd in values.values())
    if owned and len({crowd.first for crowd in values.values()}) >= OFFERED:
        found.note(name, values.values(), values, Decision.UNDECIDED)


def _by_lead(prefix: str, values: Values, found: Found) -> dict[str, str]:
    """The same for values that begin alike: ``profile-7f3a`` beside ``help`` and ``imprint``."""
    groups: dict[str, dict[str, Crowd]] = defaultdict(dict)
    for value, crowd in values.items():
        if match := _LEAD.match(value):
            groups[match[0]][value] = crowd
    renamed: dict[str, str] = {}
    for lead, group in groups.items():
        name = prefix + lead + GAP
        if name in found.mask or found.tail.differs(group.values(), CHANCE**2):
            rare = [value for value, crowd in group.items() if crowd.rare]
            renamed |= found.masked(name, group, rare, lead + GAP)
    return renamed
