"""One title a page, without what only one of its readers saw.

A page has one title, or a few: languages, an old wording. Where many saw a page and nearly all another title
of it (``Hello Maria – Shop``), the title is a form that was filled in: what its titles have in common stays,
what each reader alone saw becomes ``{…}``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import Final, TypeAlias
from urllib.parse import unquote

from core.ingest.clean.crowds import FEW, Crowd, merged
from core.ingest.clean.echoes import (
    SUBJECT,
    SiteContext,
    names_among,
    rare_is_usual,
    subject,
    unechoed,
    with_gaps,
)
from core.ingest.clean.found import Found
from core.ingest.clean.page_parts import GAP, folder_of, words_of

Titles: TypeAlias = Mapping[str, Crowd]

MOSTLY: Final = 1 / 3
"""Share of a page's views from which on a title is the page's and not a reader's, …"""
VERSIONS: Final = 5
"""… or if it has so few titles: languages, wordings."""
COMMON: Final = 0.6
"""Share of a page's views from which on a word belongs to the form of its titles."""
_TOKENS: Final = re.compile(r"\w(?:[\w'’.·-]*\w)?|\s+|[^\w\s]")
_GAPS: Final = re.compile(rf"{re.escape(GAP)}(?:[^\w{{}}]{{0,3}}{re.escape(GAP)})+")


def choose_titles(
    titles: Mapping[str, Titles], found: Found, site: SiteContext | None = None
) -> dict[str, tuple[str, Crowd]]:
    """Give every page its title, and say who saw that.

    Args:
        titles: Page → title → the users who saw it so.
        found: Takes the pages whose titles are personal.
        site: What is known of it.
    """
    site = site or SiteContext()
    chosen = {}
    folders: dict[str, list[Crowd]] = defaultdict(list)
    for page, of_page in titles.items():
        folders[folder_of(page)].append(merged(of_page.values()))
    usual = {folder for folder, crowds in folders.items() if rare_is_usual(crowds)}
    for page, of_page in titles.items():
        title = _title(page, of_page, found)
        crowd = of_page.get(title) or merged(of_page.values())
        title = site.beside_end(page, title, partial(found.lone, crowd=crowd))
        if folder_of(page) not in usual and f"title of {page}" not in found.keep:
            title = _echoed(page, title, crowd, found, site.public)
        chosen[page] = (title, crowd)
    return chosen


def _echoed(page: str, title: str, crowd: Crowd, found: Found, public: Collection[str]) -> str:
    """What a few alone saw of a title, without words that the page's address does not repeat."""
    if crowd.users >= found.public or not found.can_tell:
        return title
    common = subject(page, [title], public)
    if sum(map(str.isalpha, common)) >= SUBJECT:
        return title
    plain = unquote(title)
    words = unechoed(plain, [page], public)
    if common:
        words = names_among(plain, words)
    found.kinds["name"] += crowd.views * bool(words)
    return with_gaps(plain, words) if words else title


def _title(page: str, titles: Titles, found: Found) -> str:
    whole = merged(titles.values())
    best = max(titles, key=lambda title: (not titles[title].alone, titles[title].views, title))
    name = f"title of {page}"
    several = sum(not crowd.alone for crowd in titles.values())
    mostly = titles[best].views >= MOSTLY * whole.views
    usual = not titles[best].alone and (mostly or several <= VERSIONS)
    if found.tail.differs(titles.values()) or whole.users > FEW:
        usual = not titles[best].rare and (mostly or several <= VERSIONS)
    if (whole.alone or usual) and name not in found.mask:
        return best
    own = [title for title, crowd in titles.items() if crowd.alone] or list(titles)
    if not found.decide(name, titles, own):
        return best
    form, words = _form(titles, whole)
    found.names.update(words)
    return form


def _form(titles: Titles, whole: Crowd) -> tuple[str, set[str]]:
    """What the titles of one page have in common, and the words that fill it in."""
    readers: dict[str, list[Crowd]] = defaultdict(list)
    for title, crowd in titles.items():
        for word in set(_TOKENS.findall(title)):
            readers[word].append(crowd)
    common = {
        word for word, crowds in readers.items()
        if not (crowd := merged(crowds)).alone and crowd.views >= COMMON * whole.views
    }  # fmt: skip
    forms: dict[str, int] = defaultdict(int)
    for title, crowd in titles.items():
        forms[_with_gaps(title, common)] += crowd.views
    filled = {
        word
        for title in titles
        for token in _TOKENS.findall(title)
        if token not in common
        for word in words_of(token)
    }
    return max(forms, key=lambda form: (forms[form], form)), filled


def _with_gaps(title: str, common: Collection[str]) -> str:
    tokens = _TOKENS.findall(title)
    text = "".join(token if token in common or not words_of(token) else GAP for token in tokens)
    return _GAPS.sub(GAP, text)


def public_words(texts: Iterable[tuple[str, Crowd]], users: int) -> set[str]:
    """The words of texts that so many users saw."""
    return {word for text, crowd in texts if crowd.users >= users for word in words_of(text)}
