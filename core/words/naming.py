"""Names of segments without a model: from what sets each apart, all different, at most five words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from core.profiles.columns import Col
from core.words.contract import Fact
from core.words.evidence import Evidence
from core.words.figures import Figures
from core.words.items import Dimension

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
    Col.PAGES_PER_SESSION: ("Thorough", "Brief"),
    Col.ENGAGEMENT_MEAN: ("Engaged", "Hurried"),
    Col.DIFFERENT_PAGES_MEAN: ("Wide-ranging", "Focused"),
}
CLEAR: Final = 0.2
"""Standard deviations from the mean at which a habit is worth a word (Cohen 1988: small)."""

_WORD: Final = re.compile(r"[^\W\d_]+")
_HOME: Final = ("/", "")


def names(figures: Figures) -> dict[int, str]:
    """A name for each segment, the same each time; ids are 0-based as in the data."""
    context = figures.context
    taken: set[str] = set()
    found = {}
    for key in context.segment_keys:
        segment = int(context.row(key)[Col.SEGMENT])
        choices = (name for name in _choices(figures, key) if name.casefold() not in taken)
        found[segment] = next(choices, f"Segment {segment + 1}")
        taken.add(found[segment].casefold())
    return found


def _choices(figures: Figures, key: str) -> Iterator[str]:
    """Names for one segment, best first; none is longer than allowed."""
    subjects, habits = list(_subjects(figures, key)), _habits(figures, key)
    for name in (*subjects, *(f"{habit} {_lower(name)}" for habit in habits for name in subjects)):
        if len(name.split()) <= LONGEST:
            yield name
    yield from (f"{habit} visitors" for habit in habits)


def _subjects(figures: Figures, key: str) -> Iterator[str]:
    evidence = Evidence(figures, key, fewest=1)
    themes = _items(evidence.lifts_of(Dimension.THEME))
    people = [
        PEOPLE.get(kind.casefold(), f"{kind} visitors") for kind in _items(evidence.lifts_of(Dimension.TYPE))
    ]
    yield from (f"{themes[0]} {_lower(who)}" for who in people[:1] if themes)
    yield from (f"{theme} shoppers" for theme in themes[:1])
    yield from (_upper(who) for who in people[:2])
    yield from (f"{page} visitors" for page in _pages(evidence))
    yield from (f"{themes[1]} {_lower(who)}" for who in people[:1] if len(themes) > 1)


def _items(facts: tuple[Fact, ...]) -> list[str]:
    return list(dict.fromkeys(fact.item for fact in facts))


def _pages(evidence: Evidence) -> list[str]:
    """Pages by the words at the end of their address."""
    made = []
    for address in _items(evidence.lifts_of(Dimension.PAGE)):
        path = address.split("#")[0].rstrip("/")
        words = _WORD.findall(path.rsplit("/", 1)[-1])[: LONGEST - 2]
        made.append("Home page" if address in _HOME else _upper(" ".join(words)))
    return [page for page in made if page]


def _habits(figures: Figures, key: str) -> list[str]:
    """What the heat-map shows, the furthest from the mean first."""
    table = figures.context.tables.profiles.heatmap
    own = table[(table[Col.KEY] == key) & table[Col.METRIC].isin(HABITS)].dropna(subset=[Col.Z])
    far = own[own[Col.Z].abs() >= CLEAR].sort_values(Col.Z, key=abs, ascending=False, kind="stable")
    return [HABITS[name][int(z < 0)] for name, z in zip(far[Col.METRIC], far[Col.Z], strict=True)]


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _upper(name: str) -> str:
    return name[:1].upper() + name[1:]
