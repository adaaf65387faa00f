"""Read a question: every word that says something must be understood, or the question is not answered.

Phrases are matched longest first: as they stand in the vocabulary, as names of what is in the data, then by
the stems of their words. Stop words say nothing. A word is read as a known one only where two neighbouring
letters changed places, which hardly ever makes one English word of another, and the answer says so; a letter
that is wrong, missing or too many, and any value of the data, is asked about.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final, TypeVar
from weakref import WeakKeyDictionary

from core.base.safe_text import clean
from core.facts.answer import BY_KEY
from core.facts.context import ALL, Context, Tables
from core.facts.items import ATTRIBUTES, Dimension
from core.profiles.profile_columns import Col
from core.questions.lexicon import (
    EVENT,
    Lexicon,
    Meaning,
    Phrase,
    Sort,
    country_of,
    item_words,
    lexicon,
    stem,
    stemmed,
    stems,
    suggestions,
    tokens,
    vocabulary,
)
from core.questions.parsed import LIMIT, Limit, Parsed

_REFERENCES: Final = ("segment", "segments", "cluster", "clusters", "group", "groups", "seg", "segs")
_JOINERS: Final = ("and", "or", "vs", "versus", "with", "against", "than")
SIZE_OF: Final = {"biggest": "most", "smallest": "least"}
NUMBERS: Final = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_ORDINALS: Final = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
)  # fmt: skip
_ORDINAL: Final = re.compile(r"\d+(?:st|nd|rd|th)")
_BEING: Final = ("is", "are", "was", "were", "belong", "belongs", "fall", "falls")
_INTO: Final = ("the", "in", "into", "to", "of", "from", "also")
"""Words that may stand between a form of ``be`` and its predicate."""
_THE: Final = ("the", "all", "our", "those", "these")
_WHOLES: Final = ("of", "among")
_COMING: Final = {"from", "came", "via"}
"""Words beside which a name is a country or source of users, and no page."""
CHOICES: Final = 3
"""Meanings of an ambiguous word that are listed when asking back, at most."""
_OPENERS: Final = ("and", "or", "but")
"""First words of a follow-up question."""
_LEANING: Final = ("by", "for", "in", "of", "on", "from", "with", "to", "then", "so", "only", "among")
"""First words by which a short question may be a follow-up."""
_Any = TypeVar("_Any")
_OUTCOMES: Final = (Col.OUTCOME_USERS, Col.OUTCOME_RATE, Col.OUTCOME_SESSIONS, "buys")
"""Measures, and the cue, about users with the outcome."""
MAX_LENGTH: Final = 200
"""Length of a question in words, at most."""


def parse(question: str, context: Context) -> Parsed:
    """Parse a question into the parts that it names; words that are not understood are in ``unknown``."""
    known = _known(context)
    words = tokens(question)
    if len(words) > MAX_LENGTH:
        return Parsed(unknown=[f"more than {MAX_LENGTH} words"])
    limits = [*LIMIT.finditer(question)]
    if len(limits) == 1:
        (limit,) = limits
        before = _read(tokens(question[: limit.start()]), context, known).parsed
        words = tokens(f"{question[: limit.start()]} {question[limit.end() :]}")
    reader = _read(words, context, known)
    reader.parsed.language = _language(words, known)
    if words and words[0] in _OPENERS:
        reader.parsed.cues.add("also")
    if _is_way(reader.parsed):
        reader.parsed.cues.add("funnel")
    reader.parsed.leans = bool(words) and words[0] in _LEANING
    if len(limits) > 1 or (limits and _counts_users(before)):
        reader.parsed.cues.add("threshold")
    elif limits:
        reader.parsed.limit = Limit.of(limit)
        if reader.parsed.nouns and not reader.parsed.topic:
            reader.parsed.measures = [Col.USERS]
    if any(
        "one_page" in row for row in reader.parsed.rows
    ):  # who saw one page saw only that, and landed there
        reader.parsed.cues -= {"only", "viewed", *(["entry"] if reader.parsed.items else [])}
    reader.doubt()
    return reader.parsed


def _is_way(parsed: Parsed) -> bool:
    """Whether a question names consecutive steps: ``from product to cart``, ``product, then cart``."""
    joined = {"from", "to"} <= parsed.fills or "then" in parsed.fills or "onward" in parsed.cues
    steps = len(parsed.items) + ("buys" in parsed.cues)
    of_users = any(kind in ATTRIBUTES for kind, _ in parsed.items)
    return joined and bool(parsed.items) and steps > 1 and not of_users


def _counts_users(before: Parsed) -> bool:
    """Whether a limit after these parts is one of single users: ``users with more than 20 page views``."""
    return before.nouns or bool(before.rows) or ("many" in before.cues and "segments" not in before.cues)


def _read(words: Sequence[str], context: Context, known: _Known) -> _Reader:
    """Read words; words that are not understood are read again as their synonyms or names in the data."""
    first = _Reader(context, known)
    first.read(first.corrected(words))
    others = {word: vocabulary()["synonyms"].get(word, "") for word in first.parsed.unknown}
    if not any(others.values()):
        return first
    again = _Reader(context, known)
    again.read(again.corrected([others.get(word) or word for word in words]))
    return again


def _language(words: Sequence[str], known: _Known) -> str:
    """Message for a question in another language: half of its unknown words are function words of it."""
    foreign = {word for word in words if not known.has(word)}
    languages = {
        language["says"]: len(foreign & {text.strip() for text in language["words"].split("|")})
        for language in vocabulary()["languages"].values()
    }
    says, count = max(languages.items(), key=lambda item: item[1])
    return says if count and 2 * count >= len(foreign) else ""


@dataclass(frozen=True)
class _Known:
    """The known phrases of a context with their meanings, and an index of their words."""

    lexicon: Lexicon
    stems: Lexicon
    named: Lexicon
    named_stems: Lexicon
    outcome: str
    words: Mapping[str, set[Sort]]
    forms: Set[str]
    longest: int

    @classmethod
    def of(cls, lexicon: Lexicon, context: Context) -> _Known:
        words: dict[str, set[Sort]] = {word: {Sort.CUE} for word in (*_REFERENCES, *NUMBERS, *_ORDINALS)}
        for phrase, meanings in lexicon.items():
            for word in phrase:
                words.setdefault(word, set()).update(meaning.sort for meaning in meanings)
        named, named_stems = _named(context)
        forms = {*map(stem, words), *vocabulary()["synonyms"]}
        forms |= {word for phrase in (*named, *named_stems) for word in phrase}
        outcome, longest = context.tables.profiles.outcome or "", max(map(len, (*lexicon, *named)))
        return cls(lexicon, stemmed(lexicon), named, named_stems, outcome, words, forms, longest)

    def has(self, word: str) -> bool:
        """Whether a word is in the vocabulary or the data, in any form."""
        return word in self.words or word in self.forms or stem(word) in self.forms

    def meanings(self, phrase: Phrase) -> tuple[Meaning, ...]:
        """The meanings of a phrase; empty if it is not known."""
        forms, exact = stems(phrase), self.lexicon.get(phrase, ())
        if exact and exact[0].sort is Sort.MEASURE:
            return exact
        if self.outcome and forms == (stem(self.outcome),) and phrase != (self.outcome,):
            return (Meaning(Sort.CUE, "buys"),)
        meanings = exact or self.named.get(phrase) or self.stems.get(forms) or self.named_stems.get(forms)
        return meanings or ()


_NAMED: WeakKeyDictionary[Tables, tuple[Lexicon, Lexicon]] = WeakKeyDictionary()


def _named(context: Context) -> tuple[Lexicon, Lexicon]:
    if context.tables not in _NAMED:
        _NAMED[context.tables] = item_words(context)
    return _NAMED[context.tables]


_KNOWN: WeakKeyDictionary[Tables, tuple[object, _Known]] = WeakKeyDictionary()
"""Cache: tables → the names of their segments, and the known phrases made with these."""


def _known(context: Context) -> _Known:
    """The known phrases of a context, cached; a suggested name counts only where it means nothing else."""
    names = (dict(context.names), dict(context.suggested))
    cached = _KNOWN.get(context.tables)
    if cached is None or cached[0] != names:
        known = _Known.of(lexicon(context), context)
        offered = suggestions(context).items()
        new = {name: meanings for name, meanings in offered if _is_new(name, context, known)}
        cached = names, _Known.of(known.lexicon | new, context) if new else known
        _KNOWN[context.tables] = cached
    return cached[1]


def _is_new(name: Phrase, context: Context, known: _Known) -> bool:
    reader = _Reader(context, known)
    reader.read(name)
    return bool(reader.parsed.unknown or reader.parsed.guessed or "vague" in reader.parsed.cues)


def known_phrases(context: Context) -> _Known:
    """The known phrases of a context, with the names of its segments, and what they mean."""
    return _known(context)


def segment_numbers(words: Sequence[str], place: int) -> tuple[list[str], int]:
    """Read a reference to segments, ``segment 2`` or ``clusters 1 and 4``: their numbers, and words used."""
    if words[place] in _REFERENCES:
        numbers, used = _reference(words, place + 1)
        return numbers, used + 1 if numbers else 0
    nth = _nth(words[place])
    if nth and words[place + 1 : place + 2] in (["segment"], ["cluster"], ["group"]):
        return [str(nth)], 2
    return _short(words[place]) if words[place].startswith(("#", "s")) else ([], 0)


@dataclass
class _Reader:
    context: Context
    known: _Known
    parsed: Parsed = field(default_factory=Parsed)
    doubts: dict[str, list[str]] = field(default_factory=dict)
    """Misspelt word → the known words that may be meant."""
    of: bool = False
    """Whether the phrase being read is followed by what it is of: ``largest revenue``."""
    negated: str = ""
    """The negating cue (``not`` or ``never``) before the phrase being read; empty without one."""
    predicated: bool = False
    """Whether the phrase being read is a predicate of users: ``buyers are in segment 1``."""
    is_whole: bool = False
    """Whether the phrase being read is the base of a share: ``of buyers``."""

    def read(self, words: Sequence[str]) -> None:
        place = 0
        while place < len(words):
            self.predicated = bool(self.parsed.order) and _before(words[:place], _INTO) in _BEING
            self.is_whole = _before(words[:place], _THE) in _WHOLES
            place += (
                self._nth_segment(words, place)
                or self._phrase(words, place)
                or self._reference(words, place)
                or self._page(words[place])
                or self._ordinal(words[place])
                or self._number(words, place)
                or self._people(words[place])
                or self._unknown(words[place])
            )

    def doubt(self) -> None:
        """Ask back about misspelt words, unless other words of the question are unknown altogether."""
        if not all(word in self.doubts or self.known.has(word) for word in self.parsed.unknown):
            return
        for word, near in self.doubts.items():
            self.parsed.asks.append(f"Do you mean {' or '.join(f'“{one}”' for one in near)} by “{word}”?")
            self.parsed.choices[word] = (*near,)

    def _phrase(self, words: Sequence[str], place: int) -> int:
        """Read the longest known phrase; the word before a segment's number is left to the reference."""
        if words[place] in _REFERENCES and _reference(words, place + 1)[0]:
            return 0
        for length in range(min(self.known.longest, len(words) - place), 0, -1):
            if (
                length > 1
                and words[place + length - 1] in _REFERENCES
                and _reference(words, place + length)[0]
            ):
                continue
            if meanings := self.known.meanings(tuple(words[place : place + length])):
                self.of = self._says(words, place + length)
                self._take(" ".join(words[place : place + length]), meanings)
                if meanings[0].sort is Sort.NOUN and self._is_listed(words, place):
                    _once(self.parsed.measures, Col.USERS)
                return length
        return 0

    def _says(self, words: Sequence[str], place: int) -> bool:
        """Whether a word with a meaning follows that is no segment: ``largest revenue`` is most revenue."""
        following = words[place : place + 1]
        known = self.known.meanings(tuple(following))
        is_fill = any(meaning.sort in (Sort.FILL, Sort.ROW) for meaning in known)
        return bool(following) and following[0] not in _REFERENCES and not is_fill

    def _is_listed(self, words: Sequence[str], place: int) -> bool:
        """Whether ``users`` is listed beside a measure, as a measure itself: ``users and sessions``."""
        if words[place - 1 : place] == ["and"] and self.parsed.measures:
            return True
        after = words[place + 2 : place + 2 + self.known.longest]
        phrases = (tuple(after[:length]) for length in range(len(after), 0, -1))
        follows = next((meanings for one in phrases if (meanings := self.known.meanings(one))), ())
        return words[place + 1 : place + 2] == ["and"] and any(one.sort is Sort.MEASURE for one in follows)

    def _take(self, text: str, meanings: tuple[Meaning, ...]) -> None:
        if self.parsed.fills & _COMING and any(candidate.dimension in ATTRIBUTES for candidate in meanings):
            meanings = tuple(candidate for candidate in meanings if candidate.dimension in ATTRIBUTES)
        if len(meanings) > 1:
            self.parsed.choices[text] = tuple(
                candidate.value for candidate in meanings if candidate.sort is Sort.ITEM
            )
            choices = " or ".join(self._said(meaning) for meaning in meanings[:CHOICES])
            self.parsed.asks.append(f"“{text}” can mean {choices}. Which do you mean?")
            return
        self._mean(text, meanings[0])

    def _mean(self, text: str, meaning: Meaning) -> None:
        self._negate(meaning)
        self._order(meaning)
        self.parsed.of_row |= meaning.sort is Sort.ROW and not self.parsed.length
        self.parsed.length += meaning.sort is not Sort.FILL
        if meaning.sort is Sort.ROW:
            _once(self.parsed.rows, meaning.value)
            if meaning.suggested:
                self._note_suggested(meaning.value)
        elif meaning.sort is Sort.MEASURE:
            of_users = meaning.value == Col.OUTCOME_USERS and self.parsed.measures == [Col.SHARE]
            if of_users and "and" not in self.parsed.fills:  # “what share of all users bought”
                self.parsed.measures = [Col.OUTCOME_RATE]
            else:
                _once(self.parsed.measures, meaning.value)
        elif meaning.sort is Sort.DIMENSION:
            _once(self.parsed.dimensions, Dimension(meaning.value))
        elif meaning.sort is Sort.ITEM and meaning.dimension:
            _once(self.parsed.items, (meaning.dimension, meaning.value))
            self._note_guess(text, meaning)
            if meaning.value.startswith(EVENT):
                self.parsed.cues.add("funnel")
        elif meaning.sort is Sort.CUE:
            self.parsed.cues.add(SIZE_OF.get(meaning.value, meaning.value) if self.of else meaning.value)
            self.parsed.meant |= {text: meaning.near} if meaning.near else {}
        elif meaning.sort is Sort.NOUN:
            self.parsed.nouns = True
        else:
            self.parsed.fills.add(text)

    def _negate(self, meaning: Meaning) -> None:
        """Apply a negation to a meaning: only items and the outcome can be negated, a segment cannot."""
        if self.negated and meaning.sort is Sort.ROW:
            self.parsed.unknown.append("not")
        if self.negated and _part(meaning) == "outcome":
            self.parsed.cues = self.parsed.cues - {self.negated} | {"unconverted"}
        if meaning.sort is not Sort.FILL and meaning.value != "viewed":
            self.negated = meaning.value if meaning.value in ("not", "never") else ""

    def _order(self, meaning: Meaning) -> None:
        """Note the order of rows, items, users and outcome, by which the base of a share is known."""
        part = _part(meaning)
        self.parsed.order += [part] if part else []
        self.parsed.wholes |= {part} if self.is_whole else set()
        self.parsed.is_in |= part == "row" and self.predicated

    def _note_guess(self, text: str, meaning: Meaning) -> None:
        if not meaning.near:
            return
        if meaning.dimension is Dimension.PAGE:
            self.parsed.guessed.append(meaning.value)
        _once(self.parsed.notes, f"“{text}” is read as {self._said(meaning)}.")

    def _people(self, word: str) -> int:
        """Read a demonym, such as ``Koreans``, as users of that country."""
        if not (country := country_of(word, self.context)):
            return 0
        self._mean(word, Meaning(Sort.ITEM, country, Dimension.COUNTRY, near="guess"))
        self.parsed.nouns = True
        return 1

    def _nth_segment(self, words: Sequence[str], place: int) -> int:
        """Read an ordinal before ``segment``: ``the second segment`` is Segment 2."""
        nth = _nth(words[place])
        if not nth or words[place + 1 : place + 2] not in (["segment"], ["cluster"], ["group"]):
            return 0
        self._reference(["segment", str(nth)], 0)
        return 2

    def _ordinal(self, word: str) -> int:
        """Read an ordinal of a list, ``second`` or ``2nd``; ``first`` is no position here."""
        nth = _nth(word)
        if not 1 <= nth <= 50 or word == "first" or self.parsed.nth:
            return 0
        self.parsed.nth, self.parsed.length = nth, self.parsed.length + 1
        return 1

    def _note_suggested(self, key: str) -> None:
        name = clean(self.context.suggested[int(self.context.row(key)[Col.SEGMENT])])
        label = self.context.titled(key).label
        _once(self.parsed.notes, f"“{name}” is only suggested as the name of {label}.")

    def _said(self, meaning: Meaning) -> str:
        if meaning.sort is Sort.ROW:
            return self.context.title(meaning.value)
        if meaning.sort is Sort.MEASURE:
            return f"the {BY_KEY[meaning.value].label}"
        if meaning.dimension:
            return f"the {meaning.dimension} {clean(meaning.value)}"
        return f"the word “{meaning.value}”"

    def _reference(self, words: Sequence[str], place: int) -> int:
        """Read references to segments: ``segment 2``, ``clusters 1, 2 and 4``, ``s2``, ``#2``."""
        numbers, used = _reference(words, place + 1) if words[place] in _REFERENCES else _short(words[place])
        for number in numbers:
            key = f"segment:{int(number) - 1}"
            self._negate(Meaning(Sort.ROW, key))
            self._order(Meaning(Sort.ROW, key))
            if key in self.context.segment_keys:
                _once(self.parsed.rows, key)
                self.parsed.of_row |= not self.parsed.length
                self.parsed.length += 1
            else:
                _once(self.parsed.missing, number)
        return used + (words[place] in _REFERENCES) if numbers else 0

    def _page(self, word: str) -> int:
        if not word.startswith(("/", "http")):
            return 0
        pages = self.context.tables.basis.pages
        matches = [page for page in pages if page.casefold() == word or word.endswith(f"//{page.casefold()}")]
        if len(matches) == 1 or "*" in word:  # a step of a funnel can be several pages
            meaning = Meaning(Sort.ITEM, matches[0] if matches else word, Dimension.PAGE)
            self._negate(meaning)
            self._order(meaning)
            _once(self.parsed.items, (Dimension.PAGE, meaning.value))
        else:
            self.parsed.unknown.append(word)
        return 1

    def _number(self, words: Sequence[str], place: int) -> int:
        """Read a number as the length of a list; two joined numbers are segments: ``compare 3 with 4``."""
        word = words[place]
        numbers, used = _reference(words, place)
        if len(numbers) > 1 and word.isdecimal() and words[place + 1] in _JOINERS:
            return self._reference(["segment", *words[place : place + used]], 0) - 1
        value = NUMBERS.index(word) + 1 if word in NUMBERS else int(word) if word.isdecimal() else 0
        if self.parsed.number is not None or not 1 <= value <= 50:
            return 0
        self.parsed.number = value
        return 1

    def _unknown(self, word: str) -> int:
        self.parsed.unknown.append(word)
        return 1

    def corrected(self, words: Sequence[str]) -> list[str]:
        """Replace misspelt words where a single known word is near; note the other candidates."""
        of = self.known.words

        places = {text.strip() for text in vocabulary()["others"]["places"].split("|")}

        def known(word: str) -> bool:
            kept = not word.isalpha() or self.known.has(word) or word in places
            return kept or bool(country_of(word, self.context))

        return [word if known(word) else self._nearest(word, of) for word in words]

    def _same(self, near: Sequence[str]) -> bool:
        """Whether equally near words have the same meaning, as ``page`` and ``pages`` do."""
        meanings = {self.known.meanings((word,)) for word in near}
        return len(meanings) == 1 and () not in meanings

    def _nearest(self, word: str, known: Mapping[str, set[Sort]]) -> str:
        near = _near(word, (one for one, sorts in known.items() if sorts != {Sort.FILL}))
        near = near[:1] if self._same(near) else near
        if len(near) == 1 and known[near[0]] != {Sort.ITEM} and _swapped(*_differing(word, near[0])):
            self.parsed.notes.append(f"“{word}” is read as “{near[0]}”.")
            return near[0]
        if near:
            self.doubts[word] = near
        return word


def _before(words: Sequence[str], skipped: Sequence[str]) -> str:
    """The last word that is not among those to skip; empty if there is none."""
    return next((word for word in reversed(words) if word not in skipped), "")


def _part(meaning: Meaning) -> str:
    """Which part a meaning is: row, users, item, outcome or share; empty for anything else."""
    if meaning.sort is Sort.CUE or meaning.sort is Sort.MEASURE:
        return "outcome" if meaning.value in _OUTCOMES else "share" if meaning.value == "share" else ""
    named = {Sort.ROW: "row", Sort.ITEM: "item", Sort.NOUN: "users"}.get(meaning.sort, "")
    return "" if meaning.value == ALL else named


def _nth(word: str) -> int:
    """The number of an ordinal; 0 for any other word."""
    if word in _ORDINALS:
        return _ORDINALS.index(word) + 1
    return int(word[:-2]) if _ORDINAL.fullmatch(word) else 0


def _near(word: str, known: Iterable[str]) -> list[str]:
    """Known words that differ by two swapped letters, else those by one letter other than the first."""
    candidates = [
        (one, *_differing(word, one))
        for one in known if one[0] == word[0] and min(len(one), len(word)) > 3
    ]  # fmt: skip
    swapped = sorted(one for one, mine, other in candidates if _swapped(mine, other))
    return swapped or sorted(one for one, mine, other in candidates if max(len(mine), len(other)) == 1)


def _swapped(mine: str, other: str) -> bool:
    return len(mine) == 2 and mine == other[::-1]


def _differing(word: str, other: str) -> tuple[str, str]:
    """The differing middles of two words, without their common beginning and end."""
    start = _alike(word, other)
    word, other = word[start:], other[start:]
    end = _alike(word[::-1], other[::-1])
    return word[: len(word) - end], other[: len(other) - end]


def _alike(word: str, other: str) -> int:
    """Number of letters that two words begin with alike."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(word, other, strict=False)))


def _reference(words: Sequence[str], place: int) -> tuple[list[str], int]:
    """Read the numbers after ``segment``; also returns how many words they take."""
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
            numbers
            and words[at] in _JOINERS
            and at + 1 < len(words)
            and words[at + 1].lstrip("#").isdecimal()
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
