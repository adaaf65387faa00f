"""What people call a page, a source or a country: words of the data, found without any list of names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from core.facts import items
from core.facts.context import Context
from core.facts.items import ATTRIBUTES, LABELLED, Dimension
from core.questions.lexicon import Lexicon, Meaning, Phrase, Sort, stem, stems

PARTS: Final = re.compile(r"[\W_]+")
DEMONYM: Final = 5
"""Letters that a country and its people must share: ``korea`` and ``koreans``."""
ENDINGS: Final = ("i", "n", "an", "ian", "es")
"""Stems of the endings that one has more than the other."""


def item_words(context: Context) -> tuple[Lexicon, Lexicon]:
    """Words as the data spell them → the items that are called by them; and the same by their stems."""
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
    return tuple(filter(None, PARTS.split(text.casefold())))


def _of_page(address: str) -> set[Phrase]:
    """The last part of its path, the last two, and all of it; with what was searched for, if anything."""
    path, _, query = address.partition("?")
    parts = [part for part in path.split("/") if part]
    found = {_words(" ".join([*parts[-count:], query])) for count in (1, 2, len(parts))}
    return found - {()} if parts else set()


def _nearest(phrase: Phrase, found: tuple[Meaning, ...]) -> tuple[Meaning, ...]:
    """The page of exactly that address before pages that end so, and pages before parts of other names."""
    own = "/" + "-".join(phrase)
    exact = tuple(one for one in found if one.dimension is Dimension.PAGE and one.value.casefold() == own)
    return exact or tuple(one for one in found if one.dimension not in LABELLED) or found


def country_of(word: str, context: Context) -> str:
    """The one country whose people are called so, by the letters that both share; empty if there is none."""
    own = stem(word)
    found = [
        value
        for value in items.values(context, Dimension.COUNTRY)
        if any(_akin(own, stem(part)) for part in _words(value))
    ]
    return found[0] if len(found) == 1 else ""


def _akin(first: str, second: str) -> bool:
    short, long = sorted((first, second), key=len)
    return len(short) >= DEMONYM and long.startswith(short) and long[len(short) :] in ENDINGS
