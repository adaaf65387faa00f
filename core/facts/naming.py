"""Names of segments without a model: from what sets each apart, all different, at most five words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from core.facts.answer import Unit
from core.facts.evidence import Evidence
from core.facts.fact_maker import Figures
from core.facts.items import Dimension
from core.profiles.profile_columns import Col

LONGEST: Final = 5
"""Words of a name."""
PEOPLE: Final = {
    "homepage": "homepage visitors", "category": "category browsers", "product": "product viewers",
    "search": "searchers", "cart & checkout": "checkout visitors", "account": "account users",
    "blog": "blog readers", "service": "help seekers", "company": "company visitors",
    "policy": "policy readers",
}  # fmt: skip
HABITS: Final = {
    Col.OUTCOME_RATE: ("Converting", "Rarely converting"),
    Col.SESSIONS_MEAN: ("Returning", "One-visit"),
    Col.PAGE_VIEWS_MEAN: ("Frequent", "Occasional"),
    Col.PAGES_PER_SESSION: ("Thorough", "Brief"),
    Col.ENGAGEMENT_MEAN: ("Engaged", "Hurried"),
    Col.DIFFERENT_PAGES_MEAN: ("Wide-ranging", "Focused"),
}
CLEAR: Final = 0.2
"""Standard deviations from the mean at which a habit is worth a word (Cohen 1988: small)."""
LIFT: Final = 1.5
SHARE: Final = 0.1
"""Times the others' share, and share of the segment, from which a theme, type or page may name it."""
LISTED: Final = 15
"""Themes, types and pages that are looked through."""

_WORD: Final = re.compile(r"(?<![^\W_])[^\W\d_]{3,}(?![^\W_])")
"""A word of an address; one or two letters, or letters with digits, are a code."""
_HOME: Final = ("/", "")


def names(figures: Figures) -> dict[int, str]:
    """A name for each segment, the same each time, and none that another one has; ids are 0-based."""
    context = figures.context
    found: dict[int, str] = {}
    for key in context.segment_keys:
        segment = int(context.row(key)[Col.SEGMENT])
        given = [name for other, name in context.names.items() if other != segment]
        taken = {name.casefold() for name in (*given, *found.values())}
        choices = (name for name in _choices(figures, key) if name.casefold() not in taken)
        found[segment] = next(choices, f"Segment {segment + 1}")
    return found


def _choices(figures: Figures, key: str) -> Iterator[str]:
    """Names for one segment, best first; none is longer than allowed."""
    subjects, habits = list(_subjects(figures, key)), _habits(figures, key)
    for name in (*subjects, *(f"{habit} {_lower(name)}" for habit in habits for name in subjects)):
        if len(name.split()) <= LONGEST:
            yield name
    yield from (f"{habit} visitors" for habit in habits)
    yield from (f"{habits[0]} {_lower(habit)} visitors" for habit in habits[1:])


def _subjects(figures: Figures, key: str) -> Iterator[str]:
    evidence = Evidence(figures, key, fewest=1)
    themes = [theme for theme in _material(evidence, Dimension.THEME) if _WORD.search(theme)]
    people = [
        PEOPLE.get(kind.casefold(), f"{kind} visitors")
        for kind in _material(evidence, Dimension.TYPE)
        if _WORD.search(kind)
    ]
    yield from (f"{themes[0]} {_lower(who)}" for who in people[:1] if themes)
    yield from (f"{theme} shoppers" for theme in themes[:1])
    yield from (_upper(who) for who in people[:2])
    yield from (f"{page} visitors" for page in _pages(_material(evidence, Dimension.PAGE)))
    yield from (f"{themes[1]} {_lower(who)}" for who in people[:1] if len(themes) > 1)


def _material(evidence: Evidence, dimension: Dimension) -> list[str]:
    """What sets a segment apart clearly and is a good part of what it does."""
    facts = evidence.lifts_of(dimension, LISTED)
    shares = {fact.item: fact.value for fact in facts if fact.unit is not Unit.RATIO}
    return [
        fact.item
        for fact in facts
        if fact.unit is Unit.RATIO and fact.value >= LIFT and shares.get(fact.item, 0) >= SHARE
    ]


def _pages(addresses: list[str]) -> list[str]:
    """Pages by the words at the end of their address; those called by a code by a folder that two share."""
    made, folders = list[str](), list[str]()
    for address in addresses:
        folder, _, last = address.split("#")[0].rstrip("/").rpartition("/")
        if words := _WORD.findall(last):
            made.append(_upper(" ".join(words[: LONGEST - 2])))
        elif address in _HOME:
            made.append("Home page")
        else:
            folders.append(_upper(" ".join(_WORD.findall(folder.rpartition("/")[2])[: LONGEST - 2])))
    return made + [folder for folder, pages in Counter(folders).most_common() if folder and pages > 1]


def _habits(figures: Figures, key: str) -> list[str]:
    """What the heat-map shows, the furthest from the mean first; a word for that where nothing is far."""
    apart = figures.context.tables.apart[key]
    far = [(name, z) for name, z in apart.items() if name in HABITS and abs(z) >= CLEAR]
    furthest = sorted(far, key=lambda one: abs(one[1]), reverse=True)
    return [HABITS[name][int(z < 0)] for name, z in furthest] or ["Typical"]


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _upper(name: str) -> str:
    return name[:1].upper() + name[1:]
