"""How an item of the table of differences is said in a name, in the site's own words and writing."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final
from urllib.parse import unquote

import pandas as pd

from core.base.schema import Pages
from core.base.wording import within
from core.differences.user_items import Family
from core.labels.page_address import after_host
from core.labels.texts import url_words
from core.labels.title_words import PARTS, TitleWords
from core.labels.words import fold, root_of, spelt_words
from core.profiles.profile_columns import Col

LONGEST: Final = 5
"""Words of a name."""
CHARACTERS: Final = 40
"""Of an item: where words are not parted by blanks, their number says little."""
PEOPLE: Final = {
    "category": "browsers", "product": "viewers", "blog": "readers", "article": "readers",
    "policy": "readers", "search": "searchers",
}  # fmt: skip
"""What those are called who see pages of a type; ``visitors`` of all others."""
_DOERS: Final = {"purchase": "buyers", "sign_up": "new members", "generate_lead": "enquirers"}
"""What those are called who did a recommended event of GA4."""
HABITS: Final = {
    Col.SESSIONS_MEAN: ("returning", "fewer visits"),
    Col.PAGES_PER_SESSION: ("deep visits", "brief visits"),
    Col.PAGE_VIEWS_MEAN: ("more pages", "fewer pages"),
    Col.ENGAGEMENT_MEAN: ("engaged", "hurried"),
}
"""Measure → more than the others, and less."""
SUBJECTS: Final = (Family.INTEREST, Family.PAGE, Family.FOLDER, Family.WORD, Family.THEME)
_HOMEPAGE: Final = "homepage"
_EXTENSION: Final = re.compile(r"\.[a-z]{2,5}$", re.IGNORECASE)
_GAP: Final = re.compile(r"[\W_]+")
_WITHOUT_MARKS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
"""How addresses spell letters that they have not: ``raetsel``."""
_CODE: Final = re.compile(r"[\d?#{}:=]")
"""What makes an address a code, a question, a place in a page, or one of many."""
_SHORT_CODE: Final = re.compile(r"(?=.*\d)[^\W_]{1,8}")
"""What somebody can read out."""
_WORD: Final = re.compile(r"[^\W_]+")
_SHORTEST: Final = 3
_UNSET: Final = ("", "none", "not set", "referral", "email", "e-mail")
"""Media that say no more than the source."""


@dataclass(frozen=True, eq=False)
class SiteWords:
    """How a site writes its words, and how many pages each of its themes has.

    Args:
        addresses: Of its pages, most viewed first.
        titles: Of those that have one.
        theme_pages: Theme → pages.
    """

    addresses: tuple[str, ...]
    titles: tuple[str, ...]
    theme_pages: Mapping[str, int]

    @classmethod
    def from_tables(cls, pages: pd.DataFrame, themes: Iterable[str] = ()) -> SiteWords:
        """Of a table in the columns of ``core/base/schema.py``, and the theme of each page."""
        titles = pages[Pages.PAGE_TITLE].dropna().astype(str)
        return cls(tuple(pages[Pages.PAGE_LOCATION]), tuple(titles), Counter(themes))

    @cached_property
    def title_words(self) -> TitleWords:
        """Which of its words would name something."""
        return TitleWords.of(self.addresses, self.titles)

    @cached_property
    def _spelling(self) -> dict[str, str]:
        """Folded word, or without its marks → as titles write it, else as addresses do; best with accents."""
        in_addresses = (lower(word) for address in self.addresses for word in spelt_words(url_words(address)))
        found: dict[str, str] = {}
        for word in (*in_addresses, *self._in_titles()):
            for key in {fold(word), fold(word.casefold().translate(_WITHOUT_MARKS))}:
                if key not in found or word.isascii() <= found[key].isascii():
                    found[key] = word
        return found

    def _in_titles(self) -> Iterator[str]:
        """Each word of the titles, with a capital where most write it so inside of them: ``Japan``, ``beds``.

        What begins a title has a capital anyway; that counts only for a word that is never inside of one.
        """
        first: dict[str, str] = {}
        inside: defaultdict[str, Counter[str]] = defaultdict(Counter)
        small: Counter[str] = Counter()
        for part in (part for title in self.titles if not title.isupper() for part in PARTS.split(title)):
            for place, word in enumerate(spelt_words(part)):
                first.setdefault(fold(word), word)
                if place:
                    inside[fold(word)][word] += 1
                    small[root_of(fold(word))] += 1 if word[0].islower() else -1
        for folded, written in first.items():
            form = max(inside[folded], key=inside[folded].__getitem__, default=written)
            yield lower(form) if small[root_of(folded)] > 0 else form

    @cached_property
    def _text(self) -> str:
        return fold("\n".join((*map(unquote, self.addresses), *self.titles)))

    def phrase(self, first: str, second: str) -> str:
        """Two words as the site says them after each other, such as ``spring sale``; empty if it does not."""
        for pair in ((first, second), (second, first)):
            if re.search(
                r"(?<!\w)" + r"[ _-]".join(re.escape(fold(word)) for word in pair) + r"(?!\w)", self._text
            ):
                return " ".join(pair)
        return ""

    def spelled(self, word: str) -> str:
        """A word as the site writes it: ``kase`` → ``Käse``, ``usb`` → ``USB``, ``Beds`` → ``beds``."""
        return self._spelling.get(fold(word), word)

    def written(self, text: str) -> str:
        """A text with its words as the site writes them: ``Beds in Tampere`` → ``beds in Tampere``."""
        return _WORD.sub(lambda word: self.spelled(word[0]), lower(text))

    def place(self, word: str) -> int:
        """Where the site says a word first: in an address, then in a title, what many see before the rest."""
        return self._places.get(word, len(self._places))

    @cached_property
    def _places(self) -> dict[str, int]:
        return {word: place for place, word in enumerate(self._spelling)}


def said(family: str, item: str, site: SiteWords, *, less: bool = False) -> str:
    """An item in words; empty where it cannot be said without a code.

    Args:
        family: A :class:`Family`.
        item: As the table of differences calls it.
        site: How the site writes its words.
        less: Whether these users have less of it than the others.
    """
    match family:
        case Family.PAGE:
            text = _of_address(item, site) or _of_code(item, site)
        case Family.FOLDER:
            text = _of_address(item, site)
        case Family.WORD:
            text = site.spelled(item) if is_plain(item) else ""
        case Family.THEME | Family.INTEREST:
            text = site.written(item)
        case Family.RHYTHM | Family.LEVEL | Family.DEVICE:
            text = f"{item} visitors" if family == Family.DEVICE else item
        case Family.TYPE:
            people = PEOPLE.get(item.casefold(), "visitors")
            text = people if people.startswith(lower(item)) else f"{lower(item)} {people}"
        case Family.OUTCOME:
            text = _of_outcome(item, site)
        case Family.SOURCE:
            text = _of_source(item)
        case Family.MEASURE:
            text = HABITS[item][int(less)] if item in HABITS else ""
        case _:
            text = ""
    fits = len(text) <= CHARACTERS and len(text.split()) < LONGEST
    is_theme = item in site.theme_pages
    return text if fits and (is_theme or _names(family, text, site.title_words)) else ""


def _names(family: str, text: str, site: TitleWords) -> bool:
    """Whether an owner would say it: not the brand, nor what only addresses say, nor a piece of a name."""
    if family not in SUBJECTS:
        return True
    is_titled = family == Family.PAGE or site.is_titled(text)
    return is_titled and not site.is_brand(text) and (family != Family.WORD or site.is_name(text))


def _of_address(address: str, site: SiteWords) -> str:
    """The words at the end of an address, as titles write them; none of many, or where one is a code."""
    if after_host(address) == "/":
        return _HOMEPAGE
    last = _EXTENSION.sub("", unquote(address).rstrip("/").rpartition("/")[2])
    words = [word for word in _GAP.split(last) if word]
    tells = any(map(_is_word, words)) and not _CODE.search(last) and len(words) <= LONGEST - 2
    return " ".join(site.spelled(fold(word)) for word in words) if tells else ""


def _of_code(address: str, site: SiteWords) -> str:
    """A code at the end of an address, with the folder it lies in: ``/trousers/a13`` → ``trousers A13``."""
    above, _, last = _EXTENSION.sub("", unquote(address).rstrip("/")).rpartition("/")
    folder = _of_address(above, site)
    return f"{folder} {site.spelled(last)}" if folder and _SHORT_CODE.fullmatch(last) else ""


def _of_outcome(outcome: str, site: SiteWords) -> str:
    if outcome in _DOERS:
        return _DOERS[outcome]
    kind, _, address = outcome.partition(":")
    words = _of_address(address, site) if kind in ("page", "template") else " ".join(outcome.split("_"))
    return f"{words} {'visitors' if address else 'users'}" if words else ""


def _of_source(source: str) -> str:
    """``newsletter / email`` → ``from newsletter``, ``google / cpc`` → ``from google cpc``, direct → none."""
    name, _, medium = (part.strip("() ") for part in source.partition("/"))
    more = "" if medium.casefold() in _UNSET else f" {medium}"
    return f"from {name}{more}" if name and name != "direct" else ""


def lower(text: str) -> str:
    """Begun without a capital, unless the first word has others or a digit: ``blog``, ``USB``, ``A13``."""
    first = text.split(" ")[0]
    is_word = first[1:] == first[1:].lower() and not any(map(str.isdigit, first))
    return within(text) if is_word else text


def is_plain(word: str) -> bool:
    """Whether a word tells something by itself: no code, and none of those that every text has."""
    return _is_word(word) and word.casefold() not in _function_words()


def _is_word(text: str) -> bool:
    return (len(text) >= _SHORTEST or not text.isascii()) and not _CODE.search(text)


@cache
def _function_words() -> frozenset[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(ENGLISH_STOP_WORDS)
