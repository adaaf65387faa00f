"""Normalise words of URLs and titles: case, accents, separators, plurals (``Über_uns`` → ``uber-uns``)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

TEXT_CHARACTERS: Final = 500
"""Characters of a text that rules read; the rest is ignored."""


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


LANGUAGES: Final = _codes(
    """
    ar bg ca cs da de el en es et fa fi fr he hi hr hu id it ja ko lt lv ms nb nl no pl pt ro ru sk sl
    sr sv th tr uk vi zh
    """
)
"""ISO 639-1 codes that sites put in front of their paths."""
REGIONS: Final = _codes(
    """
    ae ar at au be bg br ca ch cl cn co cz de dk ee es eu fi fr gb gr hk hr hu ie il in it jp kr lt lu
    lv mx my nl no nz pe pl pt ro rs ru se sg si sk th tr tw ua uk us vn za
    """
)
"""ISO 3166 codes (and ``uk``, ``eu``) that sites put in front of their paths, alone or after a language."""

_MIN_LENGTH: Final = 3
"""Words of up to this many letters are never taken for plurals."""
_EXTENSION: Final = re.compile(r"\.(?:html?|php|aspx?|jsp|action|do)$")
_GAP: Final = re.compile(r"[\s_+]|%20")
_DASHES: Final = re.compile(r"-{2,}")
_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_VOICED: Final = "\u3099\u309a"
"""Marks that make a kana another letter, so they are kept where accents are removed."""
_PLAIN: Final = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "’": "'", "‐": "-", "‑": "-"}
)
_PLURALS: Final = (
    ("'s", re.compile(r"..'s$")),
    ("ies", re.compile(r"...ies$")),
    ("es", re.compile(r"(?:[sxzo]|ch|sh)es$")),
    ("s", re.compile(r"..[^sui]s$")),
)
"""Plural and genitive endings, and the pattern of words that have them."""


def fold(text: str) -> str:
    """Lower case (``ß`` → ``ss``) and remove accents: ``Ménage`` → ``menage``; other scripts stay."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(char for char in apart if unicodedata.category(char) != "Mn" or char in _VOICED)
    return unicodedata.normalize("NFC", bare).translate(_PLAIN)


@lru_cache(maxsize=1 << 16)
def stem_of(segment: str) -> str:
    """Path segment in the form that rules use: ``Über_uns.html`` → ``uber-uns``."""
    text = segment[:TEXT_CHARACTERS]
    text = fold(unquote(text) if "%" in text else text)
    return _DASHES.sub("-", _GAP.sub("-", _EXTENSION.sub("", text))).strip("-")


def words_of(text: str) -> list[str]:
    """The words of a title or a segment, folded, in order: ``Kid's T-Shirts`` → kid's, t, shirts."""
    return spelt_words(fold(text[:TEXT_CHARACTERS]))


def spelt_words(text: str) -> list[str]:
    """The words of a text as they are written there, in order."""
    return _WORD.findall(text[:TEXT_CHARACTERS])


def singulars(token: str) -> Iterator[str]:
    """A folded word, and the words it may be the English plural or genitive of."""
    yield token
    for ending, pattern in _PLURALS:
        if pattern.search(token):
            yield token[: -len(ending)] + ("y" if ending == "ies" else "")


def roots(texts: Iterable[str]) -> frozenset[str]:
    """The set of words of some texts, folded and without plural endings."""
    return frozenset(root_of(word) for text in texts for word in words_of(text))


def root_of(word: str) -> str:
    """A folded word without its plural ending: ``mattresses``, ``mattress`` → ``mattress``."""
    singular = word if word.endswith("ss") or len(word) <= _MIN_LENGTH else word.removesuffix("s")
    return singular.removesuffix("e")
