"""Words of a question: how a text is cut into words, their stems, numbers, and who comes from a country."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import snowballstemmer

from core.base.schema import Users
from core.facts import items
from core.facts.context import Context

_TOKEN: Final = re.compile(
    r"https?://\S+|(?<!\S)/\S*|\d+(?:st|nd|rd|th)\b|(?<!\S)-\d+|\d+\s*[-–—]\s*\d+|[#]?\d+(?:[.,]\d+)*|[^\W_]+(?:'[^\W_]+)*"
    r"|(?<!-)[<>≤≥≠](?!-)",  # an arrow says no more than a comma
    re.UNICODE,
)
_COMMA: Final = re.compile(r",\s+(?:and\s+)?(?=[^\W\d]|/)")
"""A comma between words, which is read as ``and``."""
_BELOW: Final = re.compile(r"(?<=\w)/\.{2,}")
"""How people write what lies below an address: ``/blog/...``."""
_PERCENT: Final = re.compile(r"(?<![\d/])(?<!\d )%")
_PARTS: Final = re.compile(r"[\W_]+")
NUMBERS: Final = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
REFERENCES: Final = ("segment", "segments", "cluster", "clusters", "group", "groups", "seg", "segs")
_JOINERS: Final = ("and", "or", "vs", "versus", "with", "against", "than")
_ORDINALS: Final = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
)  # fmt: skip
_ORDINAL: Final = re.compile(r"\d+(?:st|nd|rd|th)")


def tokens(text: str) -> list[str]:
    """Split a text into words, numbers, addresses and comparison signs; a comma is ``and``.

    All but addresses, which are left as they are written, are in lower case.
    """
    plain = _BELOW.sub("/*", unicodedata.normalize("NFKC", text).replace("’", "'"))
    plain = _PERCENT.sub(" percent ", _COMMA.sub(" and ", plain))
    found = (match.group() for match in _TOKEN.finditer(plain))
    return [one for token in found for one in [_bare(token)] if one]


def _bare(token: str) -> str:
    if token.startswith(("/", "http")):
        return token.rstrip("?.!,:;)\"'”’") or token
    return re.sub(r"'s?$", "", token.casefold())


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """The stem of a word: ``hike`` of ``hiking`` (Porter 2)."""
    if not word.isalpha():
        return word
    return str(snowballstemmer.stemmer("english").stemWord(word))  # one for each: it keeps a state


def segment_numbers(words: Sequence[str], place: int) -> tuple[list[str], int]:
    """Read a reference to segments, ``segment 2`` or ``clusters 1 and 4``: their numbers, and words used."""
    if words[place] in REFERENCES:
        numbers, used = _reference(words, place + 1)
        return numbers, used + 1 if numbers else 0
    nth = _nth(words[place])
    if nth and words[place + 1 : place + 2] in (["segment"], ["cluster"], ["group"]):
        return [str(nth)], 2
    return _short(words[place]) if words[place].startswith(("#", "s")) else ([], 0)


def _nth(word: str) -> int:
    """The number of an ordinal; 0 for any other word."""
    if word in _ORDINALS:
        return _ORDINALS.index(word) + 1
    return int(word[:-2]) if _ORDINAL.fullmatch(word) else 0


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


_DEMONYM: Final = 5
"""Letters that the stems of a country and a demonym must share, at least: ``korea`` and ``koreans``."""
_ENDINGS: Final = ("i", "n", "an", "ian", "es")
"""Endings by which the stem of a demonym may be longer than its country's, or the reverse."""


def country_of(word: str, context: Context) -> str:
    """The country of a demonym, by their shared letters; empty unless there is exactly one."""
    own = stem(word)
    found = [
        value
        for value in items.values(context, Users.COUNTRY)
        if any(_akin(own, stem(part)) for part in _PARTS.split(value.casefold()))
    ]
    return found[0] if len(found) == 1 else ""


def _akin(first: str, second: str) -> bool:
    short, long = sorted((first, second), key=len)
    return len(short) >= _DEMONYM and long.startswith(short) and long[len(short) :] in _ENDINGS
