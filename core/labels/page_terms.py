"""Terms by which a page gets one of the site's themes: folders of its address, words of title and path."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

from core.labels.label_settings import LabelClass
from core.labels.page_address import read_address
from core.labels.words import fold, singulars, spelt_words

_MIN_LENGTH: Final = 3
"""Fewest letters of a word, in scripts with blanks between words."""
_LONGEST_RUN: Final = 6
"""Most characters of a word, in scripts without blanks."""
_RUNS: Final = re.compile(r"[\u4e00-\u9fff\u3005]{2,}|[\u30a1-\u30fa\u30fc]{2,}")
"""Runs of Han or of katakana: a Japanese word ends where the script changes; hiragana is mostly grammar."""
UNSPACED: Final = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
"""Scripts without blanks between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese."""


@dataclass(frozen=True)
class PageTerms:
    """Folders and words of a page, in the form of :func:`core.labels.words.fold`.

    Args:
        folders: Segments of its path before the last, such as ``rain-jackets``.
        words: Words of title and path: single ones, also in the singular, and two in a row.
    """

    folders: frozenset[str]
    words: frozenset[str]


@dataclass(frozen=True, order=True)
class Term:
    """A folder or a word that can name a theme."""

    folder: bool
    text: str

    def __str__(self) -> str:
        """The term as it is written in a label's evidence."""
        return f"the folder {self.text}" if self.folder else f"the word {self.text}"


def theme_of(page: PageTerms, themes: Sequence[LabelClass]) -> tuple[LabelClass, Term] | None:
    """(theme, matching term): the first theme with a folder of the page, else with one of its words."""
    for theme in themes:
        if found := page.folders.intersection(theme.folders):
            return theme, Term(True, min(found))
    for theme in themes:
        if found := page.folders.intersection(forms_of(theme.words)):
            return theme, Term(True, min(found))
    for theme in themes:
        if found := page.words & forms_of(theme.words):
            return theme, Term(False, min(found))
    return None


@lru_cache(maxsize=1 << 12)
def forms_of(words: Collection[str]) -> frozenset[str]:
    """Words and their possible singulars."""
    return frozenset(form for word in words for form in singulars(word))


def terms_of(urls: Sequence[str], titles: Iterable[str]) -> PageTerms:
    """Folders and words of pages that get one label: those that all addresses share, and words of any title.

    Args:
        urls: Addresses, at least one.
        titles: Titles; may be empty.
    """
    stems = [read_address(url).stems for url in urls]
    folders = frozenset.intersection(*(frozenset(own[:-1]) for own in stems))
    in_paths = frozenset.intersection(*(frozenset().union(*map(_terms, own)) for own in stems))
    return PageTerms(folders, in_paths.union(*map(_terms, titles)))


@lru_cache(maxsize=1 << 16)
def _terms(text: str) -> frozenset[str]:
    return frozenset(term for _, term in spelt_terms(text))


def spelt_terms(text: str) -> Iterator[tuple[str, str]]:
    """Each term of a text: as it is written there, and folded as in :class:`PageTerms`."""
    tokens = [(word, fold(word)) for word in spelt_words(text)]
    for word, token in tokens:
        yield from _unspaced(word) if UNSPACED.search(word) else _spaced(word, token)
    for (first, start), (second, end) in pairwise(tokens):
        if not UNSPACED.search(first + second):
            yield from ((f"{first} {second}", f"{start} {one}") for one in singulars(end))


def _spaced(word: str, token: str) -> Iterator[tuple[str, str]]:
    if len(token) >= _MIN_LENGTH and not any(map(str.isdigit, token)):
        yield from ((word, one) for one in singulars(token))


def _unspaced(word: str) -> Iterator[tuple[str, str]]:
    for run in _RUNS.findall(word):
        for length in range(2, min(len(run), _LONGEST_RUN) + 1):
            parts = (run[at : at + length] for at in range(len(run) - length + 1))
            yield from ((part, fold(part)) for part in parts)
