"""Find what the words of a question name in the data: pages, events, sources, devices, countries and labels.

Names are sets of words: “the hiking boots page” is every page, or folder, in whose address both words stand.
Words are compared by their stems, and by what else sites call the same thing (``same`` in ``words.yaml``:
cart, basket, bag), so that no list of a site's own names is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Final
from weakref import WeakKeyDictionary

from core.base.attributes import ATTRIBUTES, attribute_words
from core.base.schema import CHANNEL, Users
from core.facts import items
from core.facts.context import Context, Tables
from core.facts.items import LABELLED
from core.journeys.funnel import FunnelStep, StepKind
from core.profiles.profile_columns import Col
from core.query.layout import layout_of
from core.query.query import By, Dimension, dimension_of
from core.questions.lexicon import country_of, stem, tokens
from core.questions.words import file_of_words

MAX_WORDS: Final = 6
"""Words of a name, at most."""
MAX_MEANT: Final = 6
"""Pages and folders that a name may mean together, at most."""
_OF_SESSIONS: Final = (
    "session channel", "session channels", "channel of the session", "channel of session",
    "channels of sessions", "channels of the sessions",
)  # fmt: skip
MAIN_CHANNEL: Final = (
    "main channel", "user main channel", "users main channel", "channel of the user", "channel of users",
    "channel of the users",
)  # fmt: skip
"""The channel of most sessions of a user, by name, without “'s”."""
_PARTS: Final = re.compile(r"[\W_]+")


@lru_cache(maxsize=65_536)
def meaning_of(word: str) -> str:
    """What a word is compared by: its stem, or the first of the words that mean the same on websites."""
    return _same().get(stem(word), stem(word))


@cache
def _same() -> Mapping[str, str]:
    groups = (group.split() for group in file_of_words()["same"])
    return {stem(word): stem(first) for first, *others in groups for word in others}


def _word_set(text: str) -> frozenset[str]:
    return _meanings(word for word in _PARTS.split(text.casefold()) if word)


_IN_TWO: Final = (({"sign", "up"}, "signup"), ({"log", "in"}, "login"), ({"check", "out"}, "checkout"))
"""Verbs of two words, which names of pages and events write as one."""


def _meanings(words: Iterable[str]) -> frozenset[str]:
    """What each word is compared by, verbs of two words as one."""
    found = {meaning_of(word) for word in words}
    for parts, whole in _IN_TWO:
        if parts <= found:
            found = found - parts | {meaning_of(whole)}
    return frozenset(found)


def is_name(text: str, words: Sequence[str]) -> bool:
    """Whether words are all that a name says, in any order and form."""
    return _word_set(text) == _meanings(words)


@dataclass
class _Index:
    """Things by the words of their names.

    Args:
        names: The words of each thing.
        of_word: Word → places of the things whose names have it.
    """

    names: list[frozenset[str]] = field(default_factory=list)
    of_word: dict[str, set[int]] = field(default_factory=dict)

    def add(self, words: frozenset[str]) -> int:
        """Add a thing, and say its place."""
        for word in words:
            self.of_word.setdefault(word, set()).add(len(self.names))
        self.names.append(words)
        return len(self.names) - 1

    def having(self, words: Iterable[str]) -> set[int]:
        """Places of the things whose names have all the words."""
        found = [self.of_word.get(word, set()) for word in words]
        return set.intersection(*sorted(found, key=len)) if found else set()


@dataclass(frozen=True)
class _Node:
    """An address, or the beginning of addresses at a slash.

    Args:
        address: The address, without a slash at its end.
        own: Words of its last part.
        has_pages: Whether addresses go on after it.
        parent: Place of the node above; -1 for none.
    """

    address: str
    own: frozenset[str]
    has_pages: bool
    parent: int


class PagesByWords:
    """Pages and folders by the words of their addresses."""

    def __init__(self, pages: Sequence[str]) -> None:
        self._index, self._nodes = _Index(), list[_Node]()
        self._pages = frozenset(pages)
        paths = sorted({page.partition("?")[0].rstrip("/") for page in pages})
        inner = {path[: match.start()] for path in paths for match in re.finditer(r"(?<=[^/:])/", path)}
        queries = {page for page in pages if "?" in page}
        going_on = inner | {page.partition("?")[0] for page in queries}
        places: dict[str, int] = {}
        for address in sorted({*paths, *inner, *queries} - {""}):
            above = address.partition("?")[0] if "?" in address else address.rpartition("/")[0]
            parent = places.get(above, -1)
            own = _word_set(address[len(above) :])
            words = own | (self._index.names[parent] if parent >= 0 else _word_set(above))
            places[address] = self._index.add(words)
            self._nodes.append(_Node(address, own, address in going_on, parent))
        self._spelt = {address.casefold(): address for address in (*places, *pages)}

    def as_spelt(self, address: str) -> str:
        """The page or folder as the data spell it: ``/My_Page`` of ``/my_page``; the address if unknown."""
        return address if address in self._pages else self._spelt.get(address.casefold(), address)

    def named(self, words: Sequence[str], *, whole: bool) -> FunnelStep | None:
        """The pages that words name; None if no address has all of them, or more than :data:`MAX_MEANT` have.

        Args:
            words: Words of the question.
            whole: Whether the pages within a folder are meant too, where it is also a page.
        """
        wanted = _meanings(words)
        found = self._index.having(wanted)
        first = [place for place in found if self._nodes[place].parent not in found]
        exact = [place for place in first if self._is_called(place, wanted)]
        meant = exact or first
        if not 0 < len(meant) <= MAX_MEANT:
            return None
        patterns = [one for place in meant for one in self._patterns(self._nodes[place], whole)]
        return FunnelStep(kind=StepKind.PAGE, any_of=tuple(patterns))

    def is_whole_name(self, words: Sequence[str]) -> bool:
        """Whether words are all that the last part of some address says."""
        wanted = _meanings(words)
        return any(self._is_called(place, wanted) for place in self._index.having(wanted))

    def _is_called(self, place: int, wanted: frozenset[str]) -> bool:
        """Whether words are the last part of an address, or all of it; numbers of items apart."""
        numbers = not any(word.isdecimal() for word in wanted)
        for words in (self._nodes[place].own, self._index.names[place]):
            if wanted == (frozenset(word for word in words if not word.isdecimal()) if numbers else words):
                return True
        return False

    def _patterns(self, node: _Node, whole: bool) -> tuple[str, ...]:
        address = node.address
        if not node.has_pages:
            return (address,)
        page_itself = address in self._pages or f"{address}/" in self._pages
        if page_itself and not whole:
            return (address, f"{address}?*")
        return (address, f"{address}/*", f"{address}?*")

    def folder(self, address: str) -> FunnelStep | None:
        """All pages of the folder that an address names; None where it is no folder."""
        base = "/" + address.strip("/.*").split("?")[0] if address.startswith("/") else address.rstrip("/.*")
        base = self.as_spelt(base)
        if base == "/" or not any(node.address == base and node.has_pages for node in self._nodes):
            return None
        return FunnelStep(kind=StepKind.PAGE, any_of=(base, f"{base}/*", f"{base}?*"))


_SENT_BY_ITSELF: Final = ("first_visit", "session_start", "user_engagement", "page_view")
"""Events that GA4 sends with page views: “first visit” means something else in a question."""


class DataNames:
    """Everything of a data set that a question can name, by words.

    Args:
        context: The segments that questions are about.
    """

    def __init__(self, context: Context) -> None:
        self.pages = PagesByWords(context.tables.basis.pages)
        self.events = layout_of(context.tables.basis).basis.funnel_site.events or tuple(
            context.tables.basis.data.outcomes
        )
        self._of_event = {
            _meanings(tokens(name)): name for name in self.events if name not in _SENT_BY_ITSELF
        }
        attributes = context.tables.basis.data.attributes
        self.dimensions: dict[tuple[str, ...], Dimension] = {
            tuple(tokens(words)): name for name in attributes if name not in ATTRIBUTES
            for words in (attribute_words(name).name, f"{attribute_words(name).name}s")
        }  # fmt: skip
        for name in attributes:  # as answers call them: “by user's main device”
            title = tokens(attribute_words(name).title)
            self.dimensions |= {tuple(title): dimension_of(name), ("user", *title): dimension_of(name)}
        """Words of a dimension of users → it: names of those that the analyst chose, titles of all."""
        if CHANNEL in attributes:
            self.dimensions |= {tuple(words.split()): CHANNEL for words in MAIN_CHANNEL}
        if len(layout_of(context.tables.basis).session_channels):
            self.dimensions |= {tuple(words.split()): By.SESSION_CHANNEL for words in _OF_SESSIONS}
        self._values: list[tuple[Dimension, str]] = []
        self._index = _Index()
        for dimension in (*attributes, *LABELLED):
            for value in items.values(context, dimension):
                self._values.append((dimension_of(dimension), value))
                self._index.add(_word_set(value))

    def event(self, words: Sequence[str]) -> str:
        """The event whose name has just these words, in any order and form; empty for none."""
        return self._of_event.get(_meanings(words), "")

    def event_with(self, word: str) -> str:
        """The event whose name has a word that no other event's has; empty for none."""
        found = [name for words, name in self._of_event.items() if meaning_of(word) in words]
        return found[0] if len(found) == 1 else ""

    def values(self, words: Sequence[str]) -> list[tuple[Dimension, str]]:
        """Values of attributes, themes and types whose names have all the words.

        Where a value is called just that, only such values; then those in which the words themselves stand.
        """
        wanted = _meanings(words)
        found = sorted(self._index.having(wanted))
        exact = [self._values[place] for place in found if self._index.names[place] == wanted]
        meant = exact or [self._values[place] for place in found]
        literal = [one for one in meant if {*words} <= {*_PARTS.split(one[1].casefold())}]
        return literal or meant

    def country(self, word: str, context: Context) -> str:
        """The country of a demonym, ``germans``; empty for none."""
        known = file_of_words()["demonyms"].get(word, "")
        has = known in context.tables.basis.data.attributes[Users.COUNTRY].values
        return known if has else country_of(word, context)


_NAMES: WeakKeyDictionary[Tables, DataNames] = WeakKeyDictionary()


def names_of(context: Context) -> DataNames:
    """The names of a context's data, cached for its tables."""
    if context.tables not in _NAMES:
        _NAMES[context.tables] = DataNames(context)
    return _NAMES[context.tables]


def segments_named(context: Context) -> Mapping[tuple[str, ...], str]:
    """Words of each name of a segment or other row, taken or offered, → its key, if it is of one alone."""
    found: dict[tuple[str, ...], set[str]] = {}
    for key in context.keys:
        number = int(context.row(key)[Col.SEGMENT])
        for name in (
            context.names.get(number, ""),
            context.suggested.get(number, ""),
            *_called(key, context),
        ):
            found.setdefault(tuple(tokens(name)), set()).add(key)
    return {words: keys.pop() for words, keys in found.items() if words and len(keys) == 1}


def with_whole_names(question: str, context: Context) -> str:
    """The question with names of segments in one piece, so that no part of one is read as a period."""
    for name in {*context.names.values(), *context.suggested.values()}:
        if " " in name:
            pattern = re.compile(re.escape(name), re.IGNORECASE)
            question = pattern.sub(lambda match: match.group().replace(" ", "_"), question)
    return question


def _called(key: str, context: Context) -> tuple[str, ...]:
    """What a row that is no segment is called, such as ``One-page users``."""
    if key.startswith("group:"):
        return (str(context.row(key)[Col.LABEL]),)
    if key.startswith("one_page:"):
        nouns = ("One-page", "One-page group", "One-page segment", "One-page users")
        return tuple(context.titled(key).label.replace("One-page", noun) for noun in nouns)
    return ()
