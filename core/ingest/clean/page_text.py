"""Split the addresses of pages into parts and words, and compare them with the titles.

A published page is named twice: ``/tips/camping-de-jonge-jan`` has the title “Camping De Jonge Jan”. Personal
words that a program inserts are in the address or the title only: ``/vouchers/quirine_steenbergh.pdf`` has
the title “Voucher”, ``/order/done`` has “Thank you, Quirine!”. So where hardly anybody saw a page, and rare
pages are not usual beside it, words that only its address or only its title has, and no public text, are
personal.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, TypeAlias
from urllib.parse import unquote

from core.ingest.clean.audience import FEW, SHARED, Audience, Tail

GAP: Final = "{…}"
"""Placeholder of a value that belongs to a single user."""
Part: TypeAlias = tuple[str, str]
"""Separator before a value (``/``, ``?q=``, …), and the value."""
Values: TypeAlias = Mapping[str, Audience]
"""Value → its audience."""

_PARTS: Final = re.compile(r"([?&][^=&#]*=|[/?&#])?([^/?&#]*)")
_PLAIN_WORD: Final = re.compile(r"[^\W_]+")


def parts_of(page: str) -> list[Part]:
    """Split a canonical page into pairs of a separator and a value; joined again they are the page."""
    front = page.find("/", page.find("://") + 3) if "://" in page else 0
    front = len(page) if front < 0 else front
    return [("", page[:front]), *((m[1] or "", m[2]) for m in _PARTS.finditer(page, front) if m[0])]


def folder_of(page: str) -> str:
    """Return what a page has in common with its siblings: all but its last value."""
    *parents, last = parts_of(page)
    return "".join(slot + value for slot, value in parents) + last[0]


def tail_of(pages: Values) -> Tail:
    """Estimate the statistics of public places from folders, without pages that have a query."""
    folders: dict[str, list[Audience]] = defaultdict(list)
    for page, audience in pages.items():
        if "?" not in page:
            folders[folder_of(page)].append(audience)
    return Tail.of(folders.values())


def words_of(text: str) -> set[str]:
    """Return the words of a text, case-folded."""
    return set(_PLAIN_WORD.findall(text.casefold()))


class KnownGaps:
    """Puts gaps (:data:`GAP`) into new pages where known pages have them.

    Args:
        known: Canonical pages, some of them with gaps.
    """

    def __init__(self, known: Collection[str]) -> None:
        self._values: dict[str, set[str]] = defaultdict(set)
        for page in known if any(GAP in page for page in known) else ():
            before = ""
            for slot, value in parts_of(page):
                self._values[before + slot].add(value)
                before += slot + value

    def of(self, page: str) -> str:
        """Return a page with a gap wherever known pages have one and none of them has the page's value."""
        text = ""
        for slot, value in parts_of(page):
            values = self._values.get(text + slot, set())
            gaps = (gap for gap in values if GAP in gap and value.startswith(gap.partition(GAP)[0]))
            text += slot + (value if value in values else max(gaps, key=len, default=value))
        return text


USUAL: Final = 2
"""Fewest values that two to five users saw, in a place where rare values are usual."""
_ECHOED: Final = 0.5
"""Least share of the non-public words that address and title share if both name the same thing."""
SUBJECT: Final = 2
"""Fewest words that name a subject: a single one may be the step of a form (``/payment/confirmation``)."""

_WORD: Final = re.compile(r"\{[^{}]*\}|[^\W_]+")
_GAPS: Final = re.compile(rf"{re.escape(GAP)}(?:[^\w{{}}/?&=]{{0,3}}_?{re.escape(GAP)})+")
_DIGIT: Final = re.compile(r"\d")
_LETTERS: Final = str.maketrans({"ı": "i", "ø": "o", "ł": "l", "đ": "d", "æ": "a", "œ": "o"})
_UMLAUT: Final = re.compile(r"(?<=[aou])e")


@dataclass(frozen=True)
class SiteContext:
    """Words, titles and shapes of a site's pages, collected before values are judged.

    Args:
        public: Words of texts that many users saw.
        titles: Page → its titles.
        named: Rare pages whose address and title have a subject in common.
        shaped: Pages that end like a nearby page that many users saw: numbers of articles, editions.
        forms: Titles that several pages share, by :func:`title_form`.
        alike: Share of the pages that many users saw whose title is in ``forms``.
    """

    public: Collection[str] = ()
    titles: Mapping[str, Collection[str]] = field(default_factory=dict)
    named: Collection[str] = ()
    shaped: Collection[str] = ()
    forms: frozenset[str] = frozenset()
    alike: float = 0.5

    def beside_end(self, page: str, title: str, masked: Callable[[str], str]) -> str:
        """Mask a title with ``masked``, all but what ends the address of a page in ``shaped``."""
        end = parts_of(page)[-1][1] if page in self.shaped else ""
        at = title.lower().find(end.lower())
        if not end or at < 0:
            return masked(title)
        after = at + len(end)
        return masked(title[:at]) + title[at:after] + masked(title[after:])

    def is_published(self, page: str) -> bool:
        """Whether a page, however rare, is published for all users."""
        return page in self.shaped or page in self.named

    def called(self, pages: Iterable[str]) -> set[str]:
        """Return all titles of the given pages."""
        return {title for page in pages for title in self.titles.get(page, ())}


def rare_is_usual(beside: Iterable[Audience]) -> bool:
    """Whether pages of two to five users are usual in a folder, as in a catalogue, given its audiences."""
    audiences = list(beside)
    alone = sum(audience.alone for audience in audiences)
    few = sum(not audience.alone and audience.users <= FEW for audience in audiences)
    return few >= max(USUAL, SHARED * alone)


def title_form(title: str) -> str:
    """Case-fold a title and replace its digits by 0, so that all orders have the same title."""
    return _DIGIT.sub("0", title.casefold())


def forms_of(titles: Mapping[str, Collection[str]], popular: Collection[str]) -> tuple[frozenset[str], float]:
    """Return the :func:`title_form` of titles that several pages share, and their share of popular pages.

    Args:
        titles: Page → its titles.
        popular: Pages that many users saw.
    """
    pages = Counter(form for of_page in titles.values() for form in set(map(title_form, of_page)))
    forms = frozenset(form for form, count in pages.items() if count > 1)
    named = [page for page in popular if titles.get(page)]
    alike = sum(title_form(next(iter(titles[page]))) in forms for page in named)
    return forms, (alike + 1) / (len(named) + 4)


def subject(page: str, titles: Iterable[str], public: Collection[str]) -> set[str]:
    """Return the words that the end of an address shares with the titles, if they name a subject.

    Two words or a number do; the address of a local file never does.
    """
    there = _joined(titles)
    end = parts_of(page)[-1][1]
    words = _unknown(end, public)
    new = sum(_folded(word) in there for word in words)
    common = {word for word in _WORD.findall(end) if _folded(word) in there}
    named = len(common) >= SUBJECT or not all(map(str.isalpha, common))
    return common if named and new >= max(1, _ECHOED * len(words)) and not page.startswith("file:") else set()


def words_not_shared(text: str, others: Iterable[str], public: Collection[str]) -> set[str]:
    """Return the words of a text that neither the other texts nor public texts have.

    Args:
        text: A value of an address, or a title.
        others: The titles of the page, or its address; if there are none, no word is returned.
        public: Words that many users saw.

    Returns:
        Empty if more than half of the words that are not public occur in ``others``.
    """
    there = _joined(others)
    words = _unknown(text, public)
    new = {word for word in words if _folded(word) not in there}
    every = _WORD.findall(text)
    if sum(_folded(word) in there for word in every) > _ECHOED * len(every):
        new = {word for word in new if not word.isdigit()}  # an id beside its subject
    return new if there and len(new) >= _ECHOED * len(words) else set()


def names_among(text: str, words: Collection[str]) -> set[str]:
    """Return those of ``words`` that stand beside another one in a text, both capitalised, as names are."""
    found: set[str] = set()
    tokens = _WORD.findall(text)
    for first, second in pairwise(tokens):
        if first in words and second in words and first.istitle() and second.istitle():
            found |= {first, second}
    return found


def mask_words(text: str, words: Collection[str]) -> str:
    """Replace those words of a text that are in ``words`` by gaps, several side by side by one."""
    return _GAPS.sub(GAP, _WORD.sub(lambda match: GAP if match[0] in words else match[0], text))


def shaped(pages: Values, many: int) -> set[str]:
    """Return the pages that end in the shape (``00-aa``) of a page with ``many`` users or more, itself too.

    Only pages in the same folder or a sibling folder are compared; ends without a digit do not count.
    """
    shapes: dict[str, set[str]] = defaultdict(set)
    ends = {page: _end(page) for page in pages if _DIGIT.search(page, page.rfind("/") + 1)}
    for page, (where, shape) in ends.items():
        if pages[page].users >= many:
            shapes[where].add(shape)
    return {page for page, (where, shape) in ends.items() if shape in shapes[where]}


def _end(page: str) -> tuple[str, str]:
    """Return the folder above a page's folder, and the shape of the page's last value: ``0000-aa``."""
    parts = parts_of(page)
    above = "".join(slot + value for slot, value in parts[:-2])
    return f"{len(parts)} {above}", re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "0", parts[-1][1]))


def _unknown(text: str, public: Collection[str]) -> set[str]:
    return {word for word in _WORD.findall(text) if word[0] != "{" and word.casefold() not in public}


def _joined(texts: Iterable[str]) -> str:
    return "".join(_folded(word) for text in texts for word in _WORD.findall(unquote(text)))


def _folded(word: str) -> str:
    """Normalise a word as addresses do: without accents and capitals."""
    if word.isascii():
        return _UMLAUT.sub("", word.casefold())
    plain = unicodedata.normalize("NFKD", word.casefold().translate(_LETTERS))
    return _UMLAUT.sub("", "".join(char for char in plain if char.isalnum()))
