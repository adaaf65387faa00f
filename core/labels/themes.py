"""What a text is about, by words that tell one theme alone."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from core.labels.words import fold, words_of

LONGEST_PHRASE: Final = 4
SHORTEST_SUFFIX: Final = 2
"""Of what a compound must have in front of its last part."""

_PLURALS: Final = (
    ("'s", re.compile(r"..'s$")),
    ("ies", re.compile(r"...ies$")),
    ("es", re.compile(r"(?:[sxzo]|ch|sh)es$")),
    ("s", re.compile(r"..[^sui]s$")),
)
"""Endings, and the words that have them."""

Found = Mapping[str, frozenset[str]]
"""Theme → the words of it that were found."""


class ThemeMatcher:
    """Finds words of themes at word boundaries, the longest phrase first; each word counts once.

    Args:
        words: Theme → its words: ``jacket``, ``rain jacket``, or ``*jacke`` for any word that ends so.
    """

    def __init__(self, words: Mapping[str, Iterable[str]]) -> None:
        self._phrases: dict[tuple[str, ...], str] = {}
        self._endings: dict[str, str] = {}
        for theme, own in words.items():
            for word in own:
                key = tuple(words_of(word))
                self._phrases[key] = theme
                if word.startswith("*"):
                    self._endings[fold(word[1:])] = theme
        self._lengths = sorted({len(ending) for ending in self._endings}, reverse=True)

    def find(self, texts: Iterable[str]) -> Found:
        """Words of each theme in some texts."""
        found: dict[str, set[str]] = defaultdict(set)
        for text in texts:
            for theme, word in self._in(words_of(text)):
                found[theme].add(word)
        return {theme: frozenset(own) for theme, own in found.items()}

    def _in(self, tokens: Sequence[str]) -> Iterator[tuple[str, str]]:
        at = 0
        while at < len(tokens):
            length, hit = self._longest(tokens[at : at + LONGEST_PHRASE])
            if hit:
                yield hit
            at += length

    def _longest(self, tokens: Sequence[str]) -> tuple[int, tuple[str, str] | None]:
        """How many tokens the longest phrase in front takes, and its theme."""
        for length in range(len(tokens), 0, -1):
            for last in _singulars(tokens[length - 1]):
                key = (*tokens[: length - 1], last)
                if key in self._phrases:
                    return length, (self._phrases[key], " ".join(key))
        return 1, self._compound(tokens[0])

    def _compound(self, token: str) -> tuple[str, str] | None:
        for length in self._lengths:
            ending = token[-length:]
            if len(token) >= length + SHORTEST_SUFFIX and ending in self._endings:
                return self._endings[ending], ending
        return None


def decide(found: Found) -> tuple[str, tuple[str, ...]] | None:
    """The theme with the most different words, and these; None if there is none, or not one alone."""
    ranked = sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    if not ranked or (len(ranked) > 1 and len(ranked[0][1]) == len(ranked[1][1])):
        return None
    return ranked[0][0], tuple(sorted(ranked[0][1]))


def _singulars(token: str) -> Iterator[str]:
    """The word, and what it may be the English plural or genitive of; ``James`` is not of jam."""
    yield token
    for ending, pattern in _PLURALS:
        if pattern.search(token):
            yield token[: -len(ending)] + ("y" if ending == "ies" else "")
