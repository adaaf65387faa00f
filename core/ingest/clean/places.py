"""Personal places in page addresses: positions whose values belong to one user each.

A place is what stands between the same neighbours: a segment below ``/account``, the value of a parameter, the
rest of a segment after ``user-``, a part of a hash route. The pages are read from the left as a tree; where the
children of a node are a personal place (:mod:`core.ingest.clean.crowds`), those of one owner become ``{…}``,
and what is below them is looked at together: ``/account/7f3a/orders`` of everybody is one page. What users
type into a search is theirs as well, unless others typed it or all of its words are the site's own.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from core.ingest.clean.crowds import CHANCE, EACH, PUBLIC, Crowd, Tail, merged
from core.ingest.clean.lone import mask_lone
from core.ingest.clean.randomness import looks_random
from core.receipt import Decision, Place

GAP: Final = "{…}"
SEARCHES: Final = frozenset(
    ("q", "query", "search", "s", "k", "ssearch", "search_query", "keyword", "keywords", "term", "text")
)
"""Parameters that hold what a user typed."""
SEARCH_FOLDERS: Final = frozenset(
    "search suche suchen recherche buscar busqueda busca pesquisa ricerca cerca zoeken szukaj sok arama hledat haku".split()
)
"""The same in a path."""
UNDECIDED_OWNERS: Final = 2
"""Owners from which on a place that nobody shares is offered to the analyst, though too few for a verdict."""

Part: TypeAlias = tuple[str, str]
"""What leads to a value (``/``, ``?q=``, …), and the value."""
Values: TypeAlias = Mapping[str, Crowd]

_PARTS: Final = re.compile(r"([?&][^=&#]*=|[/?&#])?([^/?&#]*)")
_LEAD: Final = re.compile(r"[^\W_]+[-_.+~]+")
_LONG_NUMBER: Final = re.compile(r"\d{6,}")
NUMBERS_CHANCE: Final = 1e-2
"""As :data:`core.ingest.clean.crowds.CHANCE`, for numbers that can be those of people, none of them shared."""
_NUMBERS: Final = re.compile(r"^[\d._-]+$")
"""Values below which everything is looked at together, though they stay: days, orders, numbers of pages."""
_WORD: Final = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Choices:
    """What the analyst has decided.

    Args:
        keep: Names of places whose values stay as they are.
        mask: Names of places whose values all go.
    """

    keep: Collection[str] = ()
    mask: Collection[str] = ()


@dataclass
class Found:
    """Personal places, and what was done about them.

    Args:
        tail: What public places look like in this export.
        public: Users from which on a text is public.
        regions: Countries whose telephone numbers may stand in a text without a prefix.
        choices: The analyst's.
        places: What was found so far.
        names: Words that stood in personal places.
        kinds: Kind of personal data → page views of texts in which it stood and which one user alone saw.
    """

    tail: Tail
    public: int = PUBLIC
    regions: tuple[str, ...] = ()
    choices: Choices = Choices()
    places: dict[str, Place] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    kinds: Counter[str] = field(default_factory=Counter)

    def decide(self, name: str, values: Values, by_rule: Collection[str], new: str = GAP) -> dict[str, str]:
        """Note a place, and say what becomes of its values.

        Args:
            name: How the analyst may refer to it.
            values: Every value of the place.
            by_rule: Those of one user each that are to go.
            new: What they become.
        """
        masked = [] if name in self.choices.keep else list(by_rule)
        decision = Decision.KEPT if name in self.choices.keep else Decision.FOUND
        if name in self.choices.mask:
            masked, decision = list(values), Decision.FORCED
        if not masked and not by_rule:
            return {}
        self.note(name, [values[value] for value in masked or by_rule], masked or by_rule, decision)
        return dict.fromkeys(masked, new)

    def masked(self, name: str, values: Values, by_rule: Collection[str], new: str = GAP) -> dict[str, str]:
        """The same for parts of addresses, whose words are noted as well."""
        renamed = self.decide(name, values, by_rule, new)
        self.names.update(word for value in renamed for word in words_of(value))
        return renamed

    def note(self, name: str, crowds: Collection[Crowd], values: Collection[str], decision: Decision) -> None:
        """Add a place to the list."""
        before = self.places.get(name)
        self.places[name] = Place(
            name=name,
            decision=decision,
            values=len(values) + (before.values if before else 0),
            users=len({crowd.first for crowd in crowds}) + (before.users if before else 0),
            page_views=sum(crowd.views for crowd in crowds) + (before.page_views if before else 0),
            examples=tuple(dict.fromkeys(hint(value) for value in sorted(values)[:EACH])),
        )

    def lone(self, text: str, crowd: Crowd) -> str:
        """Mask a text that one user alone saw by what it looks like, if there are others at all."""
        if not crowd.rare or self.tail.owned is None:
            return text
        masked = mask_lone(text, self.regions)
        for kind in masked.kinds:
            self.kinds[kind] += crowd.views
        return masked.text


def hint(value: str) -> str:
    """A value as it may be shown: its first letter, and dots for the rest."""
    return f"{value[:1]}…"


def parts_of(page: str) -> list[Part]:
    """Split a canonical page into values and what leads to them; joined again they are the page."""
    front = page.find("/", page.find("://") + 3) if "://" in page else 0
    front = len(page) if front < 0 else front
    return [("", page[:front]), *((m[1] or "", m[2]) for m in _PARTS.finditer(page, front) if m[0])]


def folder_of(page: str) -> str:
    """What the siblings of a page begin with."""
    *parents, last = parts_of(page)
    return "".join(slot + value for slot, value in parents) + last[0]


def tail_of(pages: Values) -> Tail:
    """What public places look like, judging by folders; what users typed is none."""
    folders: dict[str, list[Crowd]] = defaultdict(list)
    for page, crowd in pages.items():
        if "?" not in page:
            folders[folder_of(page)].append(crowd)
    return Tail.of(folders.values())


def words_of(text: str) -> set[str]:
    """The words of a text, without case."""
    return set(_WORD.findall(text.casefold()))


def mask_places(pages: Values, found: Found, public: Collection[str]) -> dict[str, str]:
    """Find the personal places of a site.

    Args:
        pages: The crowd of every canonical page.
        found: Takes the places.
        public: Words that many users saw.

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
            renamed = _renamed(prefix, slot, crowds, found, public)
            groups: dict[str, list[str]] = defaultdict(list)
            for value, below in children.items():
                groups[_NUMBERS.sub("{n}", renamed.get(value, value))] += below
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


def _renamed(prefix: str, slot: str, values: Values, found: Found, public: Collection[str]) -> dict[str, str]:
    """What becomes of the values of one node that belong to one user each."""
    open_ = {value: crowd for value, crowd in values.items() if value and not value.startswith("{")}
    name = prefix + slot + GAP
    own = [value for value, crowd in open_.items() if crowd.rare]
    if not own and name not in found.choices.mask:
        return {}
    if slot[1:-1] in SEARCHES or (slot == "/" and prefix.rpartition("/")[2] in SEARCH_FOLDERS):
        typed = (
            [value for value in own if not words_of(value) <= public] if found.tail.owned is not None else []
        )
        return found.decide(name, open_, typed)
    if found.tail.differs(open_.values()) or name in found.choices.mask:
        return found.masked(name, open_, own)
    numbers = {value: crowd for value, crowd in open_.items() if _LONG_NUMBER.fullmatch(value)}
    if all(crowd.alone for crowd in numbers.values()) and found.tail.differs(
        numbers.values(), NUMBERS_CHANCE
    ):
        return found.masked(name, numbers, list(numbers))
    random = {value: crowd for value, crowd in open_.items() if looks_random(value)}
    if random and found.tail.owned is not None and all(crowd.alone for crowd in random.values()):
        return found.decide(name, random, [value for value, crowd in random.items() if crowd.alone])
    if len({crowd.first for crowd in open_.values()}) >= UNDECIDED_OWNERS and all(
        crowd.alone for crowd in open_.values()
    ):
        found.note(name, [open_[value] for value in own], own, Decision.UNDECIDED)
    if name in found.choices.keep:
        return {}
    lone = {value: masked for value in own if (masked := found.lone(value, open_[value])) != value}
    return lone | _by_lead(prefix + slot, open_, found)


def _by_lead(prefix: str, values: Values, found: Found) -> dict[str, str]:
    """The same for values that begin alike: ``profile-7f3a`` beside ``help`` and ``imprint``."""
    groups: dict[str, dict[str, Crowd]] = defaultdict(dict)
    for value, crowd in values.items():
        if lead := _LEAD.match(value):
            groups[lead[0]][value] = crowd
    renamed: dict[str, str] = {}
    for lead, group in groups.items():
        name = prefix + lead + GAP
        if name in found.choices.mask or found.tail.differs(group.values(), CHANCE**2):
            own = [value for value, crowd in group.items() if crowd.rare]
            renamed |= found.masked(name, group, own, lead + GAP)
    return renamed
