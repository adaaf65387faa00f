"""Read a question: every word must be understood, or the question is not answered.

Phrases are matched longest first. A misspelt word is read as a known one only if exactly one is near enough,
and the answer says so; a value of the data (a country, a theme) is never corrected, but asked about.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar
from weakref import WeakKeyDictionary

from core.facts.context import Context, Tables
from core.facts.items import Dimension
from core.facts.measures import BY_KEY
from core.outgoing.quoting import clean
from core.profiles.profile_columns import Col
from core.questions.lexicon import (
    Lexicon,
    Meaning,
    Phrase,
    Sort,
    distance,
    lexicon,
    suggestions,
    tokens,
    vocabulary,
)

REFERENCES: Final = ("segment", "segments", "cluster", "clusters", "group", "groups", "seg", "segs")
JOINERS: Final = ("and", "or", "vs", "versus", "with", "against", "than")
SIZE_OF: Final = {"biggest": "most", "smallest": "least"}
NUMBERS: Final = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
OPENERS: Final = ("and", "or", "but")
"""First words of a question that goes on with the one before."""
LEANING: Final = ("by", "for", "in", "on", "from", "with", "to", "then", "so", "only")
"""First words of a short one that may."""
TOPICS: Final = ("items", "dimensions", "measures")
LIMIT: Final = re.compile(
    r"\b(?:over|above|under|below|beyond|exceed\w*|at (?:least|most)"
    r"|(?:more|less|fewer|greater|higher|lower|larger|smaller) than)\s+[^\w\s]?\d",
    re.IGNORECASE,
)
"""``over 4 %``, ``more than 100``: no table is asked with a limit."""
_Any = TypeVar("_Any")
LONGEST: Final = 200
"""Words of a question that are read."""
NEAR: Final = ((4, 1), (9, 2))
"""Letters a word needs for that many mistakes."""


@dataclass
class Parsed:
    """What a question says.

    Args:
        rows: Keys of the rows it names, in order.
        measures: Columns of the segments table.
        dimensions: What is to be listed.
        items: Values it names.
        cues: What is to be done.
        nouns: Whether it speaks of users.
        fills: Words that mean nothing here.
        number: How many to list.
        missing: Segments that do not exist, as they were written.
        unknown: Words that are not understood.
        asks: Questions back.
        notes: How misspelt words and names that are only suggested were read.
        language: What to say to whoever asks in another language; empty for English.
        length: Phrases of the question that are no fill.
        leans: Whether it begins as if it went on.
        of_row: Whether a row is the first that it speaks of.
    """

    rows: list[str] = field(default_factory=list)
    measures: list[str] = field(default_factory=list)
    dimensions: list[Dimension] = field(default_factory=list)
    items: list[tuple[Dimension, str]] = field(default_factory=list)
    cues: set[str] = field(default_factory=set)
    nouns: bool = False
    fills: set[str] = field(default_factory=set)
    number: int | None = None
    missing: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    asks: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    language: str = ""
    length: int = 0
    leans: bool = False
    of_row: bool = False

    @property
    def topic(self) -> str:
        """Which part says what it is about; empty where none does."""
        return next((part for part in TOPICS if getattr(self, part)), "")


def parse(question: str, context: Context) -> Parsed:
    """Read a question."""
    known = _known(context)
    reader = _Reader(context, known)
    words = tokens(question)
    if len(words) > LONGEST:
        reader.parsed.unknown.append(f"more than {LONGEST} words")
        return reader.parsed
    reader.parsed.language = _language(words, known)
    if words and words[0] in OPENERS:
        reader.parsed.cues.add("also")
    reader.parsed.leans = bool(words) and words[0] in LEANING
    if LIMIT.search(question):
        reader.parsed.cues.add("threshold")
    reader.read(reader.corrected(words))
    if set(reader.parsed.unknown) <= set(reader.doubts):  # else it asks for something else altogether
        reader.parsed.asks += reader.doubts.values()
    return reader.parsed


def _language(words: Sequence[str], known: _Known) -> str:
    """What to say where half of the words that are not known are function words of one other language."""
    foreign = {word for word in words if word not in known.words}
    found = {
        one["says"]: len(foreign & {text.strip() for text in one["words"].split("|")})
        for one in vocabulary()["languages"].values()
    }
    says, count = max(found.items(), key=lambda item: item[1])
    return says if count and 2 * count >= len(foreign) else ""


@dataclass(frozen=True)
class _Known:
    """What phrases mean, and what each word of them is a part of."""

    lexicon: Lexicon
    words: Mapping[str, set[Sort]]
    longest: int

    @classmethod
    def of(cls, lexicon: Lexicon) -> _Known:
        words: dict[str, set[Sort]] = {word: {Sort.CUE} for word in (*REFERENCES, *NUMBERS)}
        for phrase, meanings in lexicon.items():
            for word in phrase:
                words.setdefault(word, set()).update(meaning.sort for meaning in meanings)
        return cls(lexicon, words, max(map(len, lexicon)))


_KNOWN: WeakKeyDictionary[Tables, tuple[object, _Known]] = WeakKeyDictionary()
"""Tables → the names of their segments, and what was known with them last."""


def _known(context: Context) -> _Known:
    """What phrases mean; a suggested name only where it means nothing else: it changes no question."""
    names = (dict(context.names), dict(context.suggested))
    kept = _KNOWN.get(context.tables)
    if kept is None or kept[0] != names:
        known = _Known.of(lexicon(context))
        offered = suggestions(context).items()
        new = {name: meanings for name, meanings in offered if _is_new(name, context, known)}
        kept = names, _Known.of(known.lexicon | new) if new else known
        _KNOWN[context.tables] = kept
    return kept[1]


def _is_new(name: Phrase, context: Context, known: _Known) -> bool:
    reader = _Reader(context, known)
    reader.read(name)
    return bool(reader.parsed.unknown)


@dataclass
class _Reader:
    context: Context
    known: _Known
    parsed: Parsed = field(default_factory=Parsed)
    doubts: dict[str, str] = field(default_factory=dict)
    """Misspelt word → the question back."""
    of: bool = False
    """Whether the phrase that is read stands before what it is of."""

    def read(self, words: Sequence[str]) -> None:
        place = 0
        while place < len(words):
            place += (
                self._phrase(words, place)
                or self._reference(words, place)
                or self._page(words[place])
                or self._number(words, place)
                or self._unknown(words[place])
            )

    def _phrase(self, words: Sequence[str], place: int) -> int:
        """A known phrase; a segment's number goes with the word before it."""
        if words[place] in REFERENCES and _reference(words, place + 1)[0]:
            return 0
        for length in range(min(self.known.longest, len(words) - place), 0, -1):
            if (
                length > 1
                and words[place + length - 1] in REFERENCES
                and _reference(words, place + length)[0]
            ):
                continue
            if meanings := self.known.lexicon.get(tuple(words[place : place + length])):
                self.of = self._says(words, place + length)
                self._take(" ".join(words[place : place + length]), meanings)
                if meanings[0].sort is Sort.NOUN and self._is_listed(words, place):
                    _once(self.parsed.measures, Col.USERS)
                return length
        return 0

    def _says(self, words: Sequence[str], place: int) -> bool:
        """Whether something with a meaning follows that is no segment: ``largest revenue`` is most of it."""
        following = words[place : place + 1]
        known = self.known.lexicon.get(tuple(following), ())
        is_fill = any(one.sort in (Sort.FILL, Sort.ROW) for one in known)
        return bool(following) and following[0] not in REFERENCES and not is_fill

    def _is_listed(self, words: Sequence[str], place: int) -> bool:
        """Whether ``users`` stands beside a figure, as one itself: ``users and sessions``."""
        if words[place - 1 : place] == ["and"] and self.parsed.measures:
            return True
        after = words[place + 2 : place + 2 + self.known.longest]
        phrases = (tuple(after[:length]) for length in range(len(after), 0, -1))
        follows = next((found for one in phrases if (found := self.known.lexicon.get(one))), ())
        return words[place + 1 : place + 2] == ["and"] and any(one.sort is Sort.MEASURE for one in follows)

    def _take(self, text: str, meanings: tuple[Meaning, ...]) -> None:
        if len(meanings) > 1:
            choices = " or ".join(self._said(meaning) for meaning in meanings)
            self.parsed.asks.append(f"“{text}” can mean {choices}. Which do you mean?")
            return
        (meaning,) = meanings
        self.parsed.of_row |= meaning.sort is Sort.ROW and not self.parsed.length
        self.parsed.length += meaning.sort is not Sort.FILL
        if meaning.sort is Sort.ROW:
            _once(self.parsed.rows, meaning.value)
            if meaning.suggested:
                self._note_suggested(meaning.value)
        elif meaning.sort is Sort.MEASURE:
            _once(self.parsed.measures, meaning.value)
        elif meaning.sort is Sort.DIMENSION:
            _once(self.parsed.dimensions, Dimension(meaning.value))
        elif meaning.sort is Sort.ITEM and meaning.dimension:
            _once(self.parsed.items, (meaning.dimension, meaning.value))
        elif meaning.sort is Sort.CUE:
            self.parsed.cues.add(SIZE_OF.get(meaning.value, meaning.value) if self.of else meaning.value)
        elif meaning.sort is Sort.NOUN:
            self.parsed.nouns = True
        else:
            self.parsed.fills.add(text)

    def _note_suggested(self, key: str) -> None:
        name = clean(self.context.suggested[int(self.context.row(key)[Col.SEGMENT])])
        _once(self.parsed.notes, f"“{name}” is only suggested as the name of {self.context.title(key)}.")

    def _said(self, meaning: Meaning) -> str:
        if meaning.sort is Sort.ROW:
            return self.context.title(meaning.value)
        if meaning.sort is Sort.MEASURE:
            return f"the {BY_KEY[meaning.value].label}"
        if meaning.dimension:
            return f"the {meaning.dimension} {clean(meaning.value)}"
        return f"the word “{meaning.value}”"

    def _reference(self, words: Sequence[str], place: int) -> int:
        """``segment 2``, ``clusters 1, 2 and 4``, ``s2``, ``#2``."""
        numbers, used = _reference(words, place + 1) if words[place] in REFERENCES else _short(words[place])
        for number in numbers:
            key = f"segment:{int(number) - 1}"
            if key in self.context.segment_keys:
                _once(self.parsed.rows, key)
                self.parsed.of_row |= not self.parsed.length
                self.parsed.length += 1
            else:
                _once(self.parsed.missing, number)
        return used + (words[place] in REFERENCES) if numbers else 0

    def _page(self, word: str) -> int:
        if not word.startswith(("/", "http")):
            return 0
        pages = self.context.tables.basis.pages
        found = [page for page in pages if page.casefold() == word or word.endswith(f"//{page.casefold()}")]
        if len(found) == 1:
            _once(self.parsed.items, (Dimension.PAGE, found[0]))
        else:
            self.parsed.unknown.append(word)
        return 1

    def _number(self, words: Sequence[str], place: int) -> int:
        """How many are to be listed; the only other number that a question may hold."""
        word = words[place]
        value = NUMBERS.index(word) + 1 if word in NUMBERS else int(word) if word.isdecimal() else 0
        if self.parsed.number is not None or not 1 <= value <= 50:
            return 0
        self.parsed.number = value
        return 1

    def _unknown(self, word: str) -> int:
        self.parsed.unknown.append(word)
        return 1

    def corrected(self, words: Sequence[str]) -> list[str]:
        """The words with misspelt ones replaced where only one known word is near."""
        of = self.known.words
        return [word if word in of or not word.isalpha() else self._nearest(word, of) for word in words]

    def _same(self, near: Sequence[str]) -> bool:
        """Whether words that are equally near mean the same, as ``page`` and ``pages`` do."""
        meanings = {self.known.lexicon.get((one,)) for one in near}
        return len(meanings) == 1 and None not in meanings

    def _nearest(self, word: str, known: Mapping[str, set[Sort]]) -> str:
        near = _near(word, known)
        values = [one for one in near if known[one] == {Sort.ITEM}]
        if not values and (len(near) == 1 or self._same(near)):
            self.parsed.notes.append(f"“{word}” is read as “{near[0]}”.")
            return near[0]
        if near:
            self.doubts[word] = f"Do you mean {' or '.join(f'“{one}”' for one in near)} by “{word}”?"
        return word


def _near(word: str, known: Iterable[str]) -> list[str]:
    """Known words with the fewest mistakes; the first letter must be right."""
    limit = max((mistakes for letters, mistakes in NEAR if len(word) >= letters), default=0)
    found = [
        (distance(word, one, limit), one) for one in known if limit and one[0] == word[0] and len(one) > 3
    ]
    best = min((mistakes for mistakes, _ in found), default=limit + 1)
    return sorted(one for mistakes, one in found if mistakes == best <= limit)


def _reference(words: Sequence[str], place: int) -> tuple[list[str], int]:
    """Numbers that follow ``segment``, and how many words they take."""
    numbers: list[str] = []
    used = 0
    if words[place : place + 1] in (["number"], ["no"], ["id"]):
        place, used = place + 1, 1
    at = place
    while at < len(words):
        if words[at].lstrip("#").isdecimal():
            numbers.append(words[at].lstrip("#"))
            at += 1
        elif (
            numbers and words[at] in JOINERS and at + 1 < len(words) and words[at + 1].lstrip("#").isdecimal()
        ):
            at += 1
        else:
            break
    return numbers, used + at - place


def _short(word: str) -> tuple[list[str], int]:
    bare = word.removeprefix("#") if word.startswith("#") else word[1:] if word[:1] in ("s", "c") else ""
    return ([bare], 1) if bare.isdecimal() else ([], 0)


def _once(values: list[_Any], value: _Any) -> None:
    if value not in values:
        values.append(value)
