"""The lexicon of questions: what each phrase can mean in the vocabulary and in the data of a context.

``item_words`` derives names of pages, sources and countries from the data, without any list of names.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import snowballstemmer
import yaml

from core.facts import items
from core.facts.answer import MEASURES
from core.facts.context import ALL, ONE_PAGE, Context
from core.facts.items import ATTRIBUTES, LABELLED, Dimension
from core.profiles.outcomes import PURCHASE
from core.profiles.profile_columns import Col


class Sort(StrEnum):
    """The sort of thing that a phrase stands for: a CUE says what is to be done, a FILL nothing by itself."""

    ROW = "segment"
    MEASURE = "figure"
    DIMENSION = "dimension"
    ITEM = "value"
    CUE = "word"
    NOUN = "noun"
    FILL = "fill"


@dataclass(frozen=True)
class Meaning:
    """A possible meaning of a phrase.

    Args:
        sort: What it stands for.
        value: Row key, measure (a column), dimension, name of an item, or cue.
        dimension: Dimension of an item; None for all else.
        suggested: Whether it is a segment's name that the analyst was offered and has not taken.
        near: Measure that is nearest to a vague word; ``guess`` for an item named by a part of its name only.
    """

    sort: Sort
    value: str
    dimension: Dimension | None = None
    suggested: bool = False
    near: str = ""


Phrase = tuple[str, ...]
Lexicon = dict[Phrase, tuple[Meaning, ...]]

_VOCABULARY: Final = Path(__file__).parent / "vocabulary.yaml"
_OUTCOME_WORDS: Final = re.compile(r"\b(buy|bought|purchas|paying)")
EVENT: Final = "event:"
"""Prefix of an item of the dimension page that is an event: in a funnel, events are steps like pages."""
NO_PURCHASE: Final = "no_purchase"
"""Cue of a question about buying where a purchase is not the outcome."""
_OF_OUTCOME: Final = {
    "{} rate": Col.OUTCOME_RATE, "{} rate per session": Col.SESSION_RATE,
    "{}rs": Col.OUTCOME_USERS, "{}ers": Col.OUTCOME_USERS, "who {}": Col.OUTCOME_USERS,
}  # fmt: skip
"""Phrase with the outcome's event at ``{}``, such as ``like rate`` → measure."""
_TOKEN: Final = re.compile(
    r"https?://\S+|(?<!\S)/\S*|\d+(?:st|nd|rd|th)\b|(?<!\S)-\d+|\d+\s*[-–—]\s*\d+|[#]?\d+(?:[.,]\d+)*|[^\W_]+(?:'[^\W_]+)*"
    r"|(?<!-)[<>≤≥≠](?!-)",  # an arrow says no more than a comma
    re.UNICODE,
)
_COMMA: Final = re.compile(r",\s+(?:and\s+)?(?=[^\W\d])")
"""A comma between words, which is read as ``and``."""
_PERCENT: Final = re.compile(r"(?<![\d/])(?<!\d )%")
_SIGN: Final = re.compile(r"[<>≤≥≠]")


@cache
def vocabulary() -> dict[str, dict[str, Any]]:
    """The phrases of ``vocabulary.yaml``: section → meaning → phrases, separated by ``|``."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(_VOCABULARY.read_text(encoding="utf-8"))
    return found


def expand_chat_spelling(text: str) -> str:
    """Replace chat spellings by words: ``how many ppl`` becomes ``how many people``."""
    return _chat().sub(lambda match: str(vocabulary()["spellings"][match.group().casefold()]), text)


@cache
def _chat() -> re.Pattern[str]:
    known = "|".join(map(re.escape, vocabulary()["spellings"]))
    return re.compile(rf"(?<![\w/.'-])(?:{known})(?![\w/'-])", re.IGNORECASE)


def tokens(text: str) -> list[str]:
    """Split a text into words, numbers, addresses and comparison signs, in lower case; a comma is ``and``."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("_", " ").replace("’", "'")
    plain = _PERCENT.sub(" percent ", _COMMA.sub(" and ", plain))
    found = (match.group() for match in _TOKEN.finditer(plain))
    return [one for token in found for one in [_bare(token)] if one]


def _bare(token: str) -> str:
    if token.startswith(("/", "http")):
        return token.rstrip("?.!,:;)\"'”’") or token
    return re.sub(r"'s?$", "", token)


def lexicon(context: Context) -> Lexicon:
    """The lexicon of a context: phrase → its meanings."""
    return _by_phrase(_phrases(context))


def suggestions(context: Context) -> Lexicon:
    """Phrases of names that segments were offered → the segments; :func:`lexicon` may read them otherwise."""
    return _by_phrase(_suggested(context))


def _by_phrase(texts: Iterable[tuple[str, Meaning]]) -> Lexicon:
    found: dict[Phrase, dict[Meaning, None]] = {}
    for text, meaning in texts:
        for phrase in filter(None, (_phrase(text), _phrase(_SIGN.sub(" ", text)))):
            found.setdefault(phrase, {})[meaning] = None
    return {phrase: _sorted(tuple(meanings)) for phrase, meanings in found.items()}


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """The stem of a word: ``hike`` of ``hiking`` (Porter 2)."""
    if not word.isalpha():
        return word
    return str(snowballstemmer.stemmer("english").stemWord(word))  # one for each: it keeps a state


def stems(words: Iterable[str]) -> Phrase:
    """The stem of each word."""
    return tuple(map(stem, words))


def stemmed(known: Lexicon) -> Lexicon:
    """Stems of each phrase → its meanings; stems of several meanings are left out, unless all are items."""
    found: dict[Phrase, dict[Meaning, None]] = {}
    for phrase, meanings in known.items():
        found.setdefault(stems(phrase), {}).update(dict.fromkeys(meanings))
    sorted_ = {phrase: _sorted(tuple(meanings)) for phrase, meanings in found.items()}
    return {
        phrase: meanings for phrase, meanings in sorted_.items()
        if len(meanings) == 1 or {one.sort for one in meanings} == {Sort.ITEM}
    }  # fmt: skip


@lru_cache(maxsize=8_192)
def _phrase(text: str) -> Phrase:
    """The tokens of a phrase, cached: most phrases are the same for every question."""
    return tuple(tokens(text))


def _sorted(meanings: tuple[Meaning, ...]) -> tuple[Meaning, ...]:
    """The meanings without filler, unless there is no other."""
    return tuple(one for one in meanings if one.sort is not Sort.FILL) or meanings


def _phrases(context: Context) -> Iterator[tuple[str, Meaning]]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS  # heavy, and only for questions

    known = vocabulary()
    yield from _bars(known["others"]["fill"], Meaning(Sort.FILL, ""))
    telling = {text.strip() for text in known["others"]["telling"].split("|")}
    yield from ((word, Meaning(Sort.FILL, "")) for word in ENGLISH_STOP_WORDS - telling)
    for measure, texts in known["vague"].items():
        yield from _bars(texts, Meaning(Sort.CUE, "vague", near="" if measure == "none" else measure))
    yield from _bars(known["others"]["nouns"], Meaning(Sort.NOUN, Col.USERS))
    yield from _bars(known["others"]["everybody"], Meaning(Sort.ROW, ALL))
    if ONE_PAGE in context.keys:
        yield from _bars(known["others"]["one_page"], Meaning(Sort.ROW, ONE_PAGE))
    for cue, texts in known["cues"].items():
        yield from _bars(texts, Meaning(Sort.CUE, cue if cue != "buys" or _buying(context) else NO_PURCHASE))
    for cue, one in known["untold"].items():
        yield from _bars(one["words"], Meaning(Sort.CUE, cue))
    for dimension, texts in known["dimensions"].items():
        yield from _bars(texts, Meaning(Sort.DIMENSION, Dimension(dimension).value))
    yield from _measures(context)
    yield from _items(context)
    yield from _events(context)
    yield from _rows(context)


def _bars(texts: str, meaning: Meaning) -> Iterator[tuple[str, Meaning]]:
    yield from ((text, meaning) for text in texts.split("|"))


def _measures(context: Context) -> Iterator[tuple[str, Meaning]]:
    """Phrases of measures; words about buying mean the outcome only where that is a purchase alone."""
    outcome, buying = context.tables.profiles.outcome, _buying(context)
    for text, key in _OF_OUTCOME.items() if outcome else ():
        yield text.format(outcome), Meaning(Sort.MEASURE, key)
    further = vocabulary()["measures"]
    for measure in MEASURES:
        own = () if measure.key == Col.USERS else (measure.label, measure.key)[: 1 + ("_" in measure.key)]
        for word in (*own, *further[measure.key].split("|")):
            is_told = buying or not _OUTCOME_WORDS.search(word)
            yield word, Meaning(Sort.MEASURE, measure.key) if is_told else Meaning(Sort.CUE, NO_PURCHASE)


def _buying(context: Context) -> bool:
    return context.tables.profiles.chosen == (PURCHASE,)


def _items(context: Context) -> Iterator[tuple[str, Meaning]]:
    for dimension in Dimension:
        for value in items.values(context, dimension):
            meaning = Meaning(Sort.ITEM, value, dimension)
            yield value, meaning
            if dimension in items.LABELLED:
                yield from ((f"{value} {word}", meaning) for word in ("pages", "page"))


def _events(context: Context) -> Iterator[tuple[str, Meaning]]:
    """Phrases of events with several words, such as ``add_to_cart``; single words mean a page or outcome."""
    for name in context.tables.basis.data.outcomes:
        if len(_phrase(name)) > 1 and name not in context.tables.profiles.chosen:
            yield name, Meaning(Sort.ITEM, f"{EVENT}{name}", Dimension.PAGE)


def _rows(context: Context) -> Iterator[tuple[str, Meaning]]:
    for key in context.keys:
        row = context.row(key)
        if key.startswith("group:"):
            yield str(row[Col.LABEL]), Meaning(Sort.ROW, key)
        elif key.startswith("one_page:"):  # by its letter: words of a rule mean pages, sources and devices
            label = context.titled(key).label
            nouns = ("one-page", "one-page group", "one-page segment", "one-page users")
            yield from ((label.replace("One-page", noun), Meaning(Sort.ROW, key)) for noun in nouns)
        elif name := context.names.get(int(row[Col.SEGMENT])):
            yield name, Meaning(Sort.ROW, key)


def _suggested(context: Context) -> Iterator[tuple[str, Meaning]]:
    for key in context.segment_keys:
        segment = int(context.row(key)[Col.SEGMENT])
        if segment in context.suggested and not context.names.get(segment):
            yield context.suggested[segment], Meaning(Sort.ROW, key, suggested=True)


_PARTS: Final = re.compile(r"[\W_]+")
_DEMONYM: Final = 5
"""Letters that the stems of a country and a demonym must share, at least: ``korea`` and ``koreans``."""
_ENDINGS: Final = ("i", "n", "an", "ian", "es")
"""Endings by which the stem of a demonym may be longer than its country's, or the reverse."""


def item_words(context: Context) -> tuple[Lexicon, Lexicon]:
    """Words within names of items → the items, in two lexicons: as they are spelt, and by their stems."""
    named: dict[Phrase, dict[Meaning, None]] = {}
    stemmed: dict[Phrase, dict[Meaning, None]] = {}
    for phrase, dimension, value in _names(context):
        if len(phrase) > 1 or (len(phrase[0]) > 1 and not phrase[0].isdecimal()):
            meaning = Meaning(Sort.ITEM, value, dimension, near="guess")
            named.setdefault(phrase, {})[meaning] = None
            stemmed.setdefault(stems(phrase), {})[meaning] = None
    by_name, by_stem = (
        {phrase: _nearest(phrase, tuple(found)) for phrase, found in one.items()} for one in (named, stemmed)
    )
    return by_name, by_stem


def _names(context: Context) -> Iterator[tuple[Phrase, Dimension, str]]:
    for page in context.tables.basis.pages:
        yield from ((phrase, Dimension.PAGE, page) for phrase in _of_page(page))
    for dimension in (*ATTRIBUTES, *LABELLED):
        for value in items.values(context, dimension):
            words = _words(value)
            yield from (
                (words[start:end], dimension, value)
                for start in range(len(words)) for end in range(start + 1, len(words) + 1)
            )  # fmt: skip


def _words(text: str) -> Phrase:
    return tuple(filter(None, _PARTS.split(text.casefold())))


def _of_page(address: str) -> set[Phrase]:
    """Phrases that name a page: the last part of its path, the last two, and all; with its query, if any."""
    path, _, query = address.partition("?")
    parts = [part for part in path.split("/") if part]
    found = {_words(" ".join([*parts[-count:], query])) for count in (1, 2, len(parts))}
    return found - {()} if parts else set()


def _nearest(phrase: Phrase, found: tuple[Meaning, ...]) -> tuple[Meaning, ...]:
    """The most specific items of a phrase: the page of exactly that address, else no themes or types."""
    own = "/" + "-".join(phrase)
    exact = tuple(one for one in found if one.dimension is Dimension.PAGE and one.value.casefold() == own)
    return exact or tuple(one for one in found if one.dimension not in LABELLED) or found


def country_of(word: str, context: Context) -> str:
    """The country of a demonym, by their shared letters; empty unless there is exactly one."""
    own = stem(word)
    found = [
        value
        for value in items.values(context, Dimension.COUNTRY)
        if any(_akin(own, stem(part)) for part in _words(value))
    ]
    return found[0] if len(found) == 1 else ""


def _akin(first: str, second: str) -> bool:
    short, long = sorted((first, second), key=len)
    return len(short) >= _DEMONYM and long.startswith(short) and long[len(short) :] in _ENDINGS
