"""Put an item of the table of differences into words for a name, spelled as the site spells them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final
from urllib.parse import unquote

import pandas as pd

from core.base.schema import Pages, Users
from core.base.wording import uncapitalised
from core.labels.page_address import after_host
from core.labels.texts import url_words
from core.labels.title_words import PARTS, TitleWords
from core.labels.words import fold, root_of, spelt_words
from core.profiles.profile_columns import Col
from core.profiles.user_items import Family

MAX_NAME_WORDS: Final = 5
"""Most words of a name."""
CHARACTERS: Final = 40
"""Most characters of an item, for languages that do not part words by blanks."""
PEOPLE: Final = {
    "category": "browsers", "product": "viewers", "blog": "readers", "article": "readers",
    "policy": "readers", "search": "searchers",
}  # fmt: skip
"""Page type → what users who see its pages are called; ``visitors`` for all others."""
_DOERS: Final = {"purchase": "buyers", "sign_up": "new members", "generate_lead": "enquirers"}
"""Recommended event of GA4 → what users with it are called."""
HABITS: Final = {
    Col.SESSIONS_MEAN: ("returning", "fewer visits"),
    Col.PAGES_PER_SESSION: ("deep visits", "brief visits"),
    Col.PAGE_VIEWS_MEAN: ("more pages", "fewer pages"),
    Col.ENGAGEMENT_MEAN: ("engaged", "hurried"),
}
"""Measure → words for more than the others, and for less."""
SUBJECTS: Final = (Family.INTEREST, Family.PAGE, Family.FOLDER, Family.WORD, Family.THEME)
_HOMEPAGE: Final = "homepage"
_EXTENSION: Final = re.compile(r"\.[a-z]{2,5}$", re.IGNORECASE)
_GAP: Final = re.compile(r"[\W_]+")
_WITHOUT_MARKS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
"""Letters with marks → how addresses spell them without: ``raetsel``."""
_CODE: Final = re.compile(r"[\d?#{}:=]")
"""Characters of codes, queries, fragments and templates, which are no words."""
_SHORT_CODE: Final = re.compile(r"(?=.*\d)[^\W_]{1,8}")
"""A code that is short enough to read out."""
_WORD: Final = re.compile(r"[^\W_]+")
_MIN_LENGTH: Final = 3
_UNSET: Final = ("", "none", "not set", "referral", "email", "e-mail")
"""Media that add nothing to the name of a source."""


@dataclass(frozen=True, eq=False)
class SiteWords:
    """How a site spells its words, and how many pages each of its themes has.

    Args:
        addresses: Addresses of its pages, most viewed first.
        titles: Titles of the pages that have one.
        theme_pages: Theme → number of pages.
    """

    addresses: tuple[str, ...]
    titles: tuple[str, ...]
    theme_pages: Mapping[str, int]

    @classmethod
    def from_tables(cls, pages: pd.DataFrame, themes: Iterable[str] = ()) -> SiteWords:
        """Read a table of pages (columns of :class:`core.base.schema.Pages`), and the theme of each page."""
        titles = pages[Pages.PAGE_TITLE].dropna().astype(str)
        return cls(tuple(pages[Pages.PAGE_LOCATION]), tuple(titles), Counter(themes))

    @cached_property
    def title_words(self) -> TitleWords:
        """Which of the site's words can name something."""
        return TitleWords.of(self.addresses, self.titles)

    @cached_property
    def _spelling(self) -> dict[str, str]:
        """Folded word → its spelling in titles, else in addresses; one with accents is preferred."""
        in_addresses = (lower(word) for address in self.addresses for word in spelt_words(url_words(address)))
        found: dict[str, str] = {}
        for word in (*in_addresses, *self._in_titles()):
            for key in {fold(word), fold(word.casefold().translate(_WITHOUT_MARKS))}:
                if key not in found or word.isascii() <= found[key].isascii():
                    found[key] = word
        return found

    def _in_titles(self) -> Iterator[str]:
        """Each word of the titles, with a capital if most titles have it so inside them: ``Japan``, ``beds``.

        Titles begin with a capital anyway; that counts only for a word that is never inside of one.
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
        """Two words in the order in which the site has them side by side: ``spring sale``; empty if never."""
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
        """Rank of a word by where the site has it first: addresses, most viewed first, then titles."""
        return self._places.get(word, len(self._places))

    @cached_property
    def _places(self) -> dict[str, int]:
        return {word: place for place, word in enumerate(self._spelling)}


def item_phrase(family: str, item: str, site: SiteWords, *, less: bool = False) -> str:
    """Put an item into words; empty if it cannot be said in words, or in too many.

    Args:
        family: A :class:`Family`.
        item: The item, as in the table of differences.
        site: How the site spells its words.
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
        case Family.RHYTHM | Family.LEVEL | Users.DEVICE:
            text = f"{item} visitors" if family == Users.DEVICE else item
        case Family.TYPE:
            people = PEOPLE.get(item.casefold(), "visitors")
            text = people if people.startswith(lower(item)) else f"{lower(item)} {people}"
        case Family.OUTCOME:
            text = _of_outcome(item, site)
        case Users.SOURCE:
            text = _of_source(item)
        case Family.MEASURE:
            text = HABITS[item][int(less)] if item in HABITS else ""
        case _:
            text = ""
    fits = len(text) <= CHARACTERS and len(text.split()) < MAX_NAME_WORDS
    is_theme = item in site.theme_pages
    return text if fits and (is_theme or _names(family, text, site.title_words)) else ""


def _names(family: str, text: str, site: TitleWords) -> bool:
    """Whether a text can name something: not the brand, not only in addresses, not a piece of a name."""
    if family not in SUBJECTS:
        return True
    is_titled = family == Family.PAGE or site.is_titled(text)
    return is_titled and not site.is_brand(text) and (family != Family.WORD or site.is_name(text))


def _of_address(address: str, site: SiteWords) -> str:
    """Words of an address's last segment, spelled as in titles; empty if it is a code or has many words."""
    if after_host(address) == "/":
        return _HOMEPAGE
    last = _EXTENSION.sub("", unquote(address).rstrip("/").rpartition("/")[2])
    words = [word for word in _GAP.split(last) if word]
    tells = any(map(_is_word, words)) and not _CODE.search(last) and len(words) <= MAX_NAME_WORDS - 2
    return " ".join(site.spelled(fold(word)) for word in words) if tells else ""


def _of_code(address: str, site: SiteWords) -> str:
    """A short code at the end of an address, with its folder: ``/trousers/a13`` → ``trousers A13``."""
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
    """Words for a source: ``google / cpc`` → ``from google cpc``, ``newsletter / email`` without medium."""
    name, _, medium = (part.strip("() ") for part in source.partition("/"))
    more = "" if medium.casefold() in _UNSET else f" {medium}"
    return f"from {name}{more}" if name and name != "direct" else ""


def lower(text: str) -> str:
    """Lower a text's first letter, unless its first word has more capitals or a digit: ``USB``, ``A13``."""
    first = text.split(" ")[0]
    is_word = first[1:] == first[1:].lower() and not any(map(str.isdigit, first))
    return uncapitalised(text) if is_word else text


def is_plain(word: str) -> bool:
    """Whether a word can stand in a name by itself: no code, not too short, no stop word."""
    return _is_word(word) and word.casefold() not in _function_words()


def _is_word(text: str) -> bool:
    return (len(text) >= _MIN_LENGTH or not text.isascii()) and not _CODE.search(text)


@cache
def _function_words() -> frozenset[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(ENGLISH_STOP_WORDS)
