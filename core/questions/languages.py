"""Put questions in German, Spanish and French into English, phrase by phrase, before they are read.

The order of words stays as it was: the reader takes a verb after what it is about as well. Names of months,
weekdays and countries are those of the Unicode CLDR; all other phrases stand in ``languages.yaml``. What has
no entry stays as it is, such as names of pages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from babel import Locale

from core.questions.words import own_phrases

LANGUAGES: Final = Path(__file__).parent / "languages.yaml"
_WORD: Final = re.compile(r"[^\W\d_]+", re.UNICODE)
_ADDRESS: Final = re.compile(r"(?<!\S)(?:/|https?:)\S*")
_COMPOUND: Final = re.compile(r"\b(\w{3,}?)seite(n?)\b", re.IGNORECASE)
"""A German noun for a page: ``Preisseite``."""


def in_english(question: str) -> str:
    """The question with the phrases of its language replaced; as it is where that is English.

    Args:
        question: In the analyst's words.
    """
    language = language_of(question)
    if not language:
        return question
    text = re.sub(r"[¿¡]", "", question).replace(", ", " , ")
    text = _pattern(language).sub(lambda match: _english(language)[match.group().casefold()], _apart(text))
    return _COMPOUND.sub(lambda match: f"{match[1]} page{'s' if match[2] else ''}", text)


def _apart(text: str) -> str:
    """Put a space after an elision: ``d'Irlande`` becomes ``d' Irlande``."""
    return re.sub(r"\b([cdjlmnst]|qu)['’]\s*", r"\1' ", text, flags=re.IGNORECASE)


def language_of(question: str) -> str:
    """The language of a question by its function words: ``de``, ``es``, ``fr``, or empty for English."""
    words = [word.casefold() for word in _WORD.findall(_ADDRESS.sub("", question))]
    counts = {language: sum(word in known for word in words) for language, known in _own_words().items()}
    return max(counts, key=lambda language: (counts[language], language == "en")).replace("en", "")


@cache
def _languages() -> Mapping[str, Mapping[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(LANGUAGES.read_text(encoding="utf-8"))
    return found


@cache
def _own_words() -> Mapping[str, frozenset[str]]:
    """Words by which each language is known: its function words, and those that English writes otherwise."""
    found = {language: frozenset(entry["function_words"].split()) for language, entry in _languages().items()}
    for language in found.keys() - {"en"}:
        single = {word for word, english in _english(language).items() if word.isalpha() and word != english}
        found[language] |= single - found["en"] - {phrase for phrase, *more in own_phrases() if not more}
    return found


@cache
def _english(language: str) -> Mapping[str, str]:
    """Phrases of a language, in lower case → English."""
    here, english = Locale(language), Locale("en")
    found: dict[str, str] = {}
    for code, name in here.territories.items():
        if code.isalpha():
            found[name.casefold()] = english.territories[code]
    for number, name in here.months["format"]["wide"].items():
        found[name.casefold()] = english.months["format"]["wide"][number]
    for number, name in here.days["format"]["wide"].items():
        day = english.days["format"]["wide"][number]
        plural = name if name.endswith("s") else f"{name}s"
        found |= {name.casefold(): day, plural.casefold(): day}
    for meaning, texts in _languages()[language]["phrases"].items():
        found |= {" ".join(_apart(text).split()): str(meaning) for text in texts.split("|")}
    return found


@cache
def _pattern(language: str) -> re.Pattern[str]:
    """Any phrase of a language, the longest first, apart from what is part of an address or a longer word."""
    phrases = sorted(_english(language), key=len, reverse=True)
    return re.compile(rf"(?<![\w/.=-])(?:{'|'.join(map(re.escape, phrases))})(?![\w/=-])", re.IGNORECASE)
