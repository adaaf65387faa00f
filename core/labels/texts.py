"""Text of a page that models read: title, words of its address, breadcrumbs and fetched text, cleaned."""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from urllib.parse import parse_qsl, unquote

from core.labels.label_types import Subject
from core.labels.page_address import after_host

ABOUT: Final = "This page is about {}."
"""Sentence that a class's name or description completes, for the embedding and the entailment model."""
TITLE_CHARACTERS: Final = 300
_DOCUMENT_CHARACTERS: Final = 1_000
_URL_CHARACTERS: Final = 200

_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_NOT_WORDS: Final = frozenset(
    {"html", "htm", "php", "aspx", "asp", "jsp", "index", "www", "com", "default"}
    | {"en", "de", "fr", "es", "it", "nl", "pl", "pt", "us", "uk", "gb", "ca"}
)
"""Parts of URLs that are left out: file endings, languages and countries."""
_PLACEHOLDER: Final = re.compile(r"\{\w+\}")
"""Placeholders that the cleaning puts for ids and dates."""
_CODE: Final = re.compile(r"(?<!\S)[A-Z]{1,3}-?\d{1,6}(?!\S)")
_LATIN_WORD: Final = re.compile(r"[A-Za-zÀ-ɏ]+")


def subject_text(subject: Subject, *, latin_only: bool = False) -> str:
    """Text of a subject for a model: first title, words of a URL, breadcrumbs, start of the fetched text.

    Product codes in titles (``P41``) are left out, since they draw a sentence embedding to other codes.
    The URL is the subject's alphabetically first: which is the most viewed changes with each export.

    Args:
        subject: What is to be decided.
        latin_only: Leave out parts that are mostly in another script, for a model that cannot read them.

    Returns:
        The text; empty if there are no words.
    """
    title = _CODE.sub(" ", subject.titles[0][:TITLE_CHARACTERS]) if subject.titles else ""
    parts = [title, url_words(min(subject.urls))]
    for document in subject.documents[:1]:
        parts += [", ".join(document.breadcrumbs)[:TITLE_CHARACTERS], document.text[:_DOCUMENT_CHARACTERS]]
    kept = [normalise_text(part) for part in parts]
    return ". ".join(part for part in kept if part and (not latin_only or _mostly_latin(part)))


def url_words(url: str) -> str:
    """Words of a URL's path and query values: ``/products/red-shirt?id=7`` → ``products red shirt``."""
    path, _, query = after_host(url).partition("?")
    values = " ".join(value for _, value in parse_qsl(query))
    words = _WORD.findall(
        _PLACEHOLDER.sub(" ", unquote(path))[:_URL_CHARACTERS] + " " + values[:_URL_CHARACTERS]
    )
    return " ".join(word for word in words if word.casefold() not in _NOT_WORDS)


def normalise_text(text: str) -> str:
    """Normalise a text to Unicode NFKC, without invisible or control characters, with single blanks."""
    visible = (
        " " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char
        for char in unicodedata.normalize("NFKC", text)
        if unicodedata.category(char) not in ("Cf", "Cs", "Co", "Cn")
    )
    return " ".join("".join(visible).split())


def _mostly_latin(text: str) -> bool:
    latin = sum(map(len, _LATIN_WORD.findall(text)))
    return latin > 0 and 2 * latin >= sum(map(str.isalpha, text))
