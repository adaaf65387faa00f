"""Pages and titles without what belongs to one user each.

First the places (``places.py``), as they make one page of everybody's own; then the titles of these pages
(``titles.py``); then the names that both have shown, wherever else hardly anybody saw them (``names.py``).
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from core.ingest.clean.crowds import Crowd, merged
from core.ingest.clean.found import Found
from core.ingest.clean.names import known_names, mask_names
from core.ingest.clean.parts import Values
from core.ingest.clean.places import mask_places
from core.ingest.clean.privacy import mask_url
from core.ingest.clean.titles import choose_titles, public_words

Titles: TypeAlias = Mapping[str, Values]
"""Page → title → who saw it so."""


@dataclass(frozen=True)
class Own:
    """What is left when nothing belongs to one user.

    Args:
        pages: Canonical page → page; every one.
        titles: Page → its title, where one was sent.
    """

    pages: dict[str, str]
    titles: dict[str, str]


def without_own(pages: Values, titles: Titles, found: Found) -> Own:
    """Take out of pages and titles what belongs to one user each.

    Args:
        pages: Canonical page → who saw it.
        titles: The titles of each, as they were sent.
        found: How to judge; takes what is found.
    """
    plain = _masked(titles)
    texts = ((title, crowd) for of_page in plain.values() for title, crowd in of_page.items())
    paths = ((page.partition("?")[0], crowd) for page, crowd in pages.items())
    public = public_words([*merged_by(texts).items(), *paths], found.public)
    renamed = mask_places(pages, found, public)
    first = {page: renamed.get(page, page) for page in pages}
    crowds = merged_by((first[page], crowd) for page, crowd in pages.items())
    chosen = choose_titles(_by_page(plain, first), found)
    names = known_names(found.names, public)
    second = {page: _without_names(page, crowd, names, found) for page, crowd in crowds.items()}
    best: dict[str, tuple[int, str]] = {}
    for page, (title, crowd) in chosen.items():
        text = _without_names(title, crowd, names, found)
        best[second[page]] = max(best.get(second[page], (0, "")), (crowds[page].views, text))
    found.hide(names)
    return Own(
        pages={page: second[new] for page, new in first.items()},
        titles={page: title for page, (_, title) in best.items()},
    )


def merged_by(items: Iterable[tuple[str, Crowd]]) -> dict[str, Crowd]:
    """Names → all who saw something of that name."""
    groups: defaultdict[str, list[Crowd]] = defaultdict(list)
    for name, crowd in items:
        groups[name].append(crowd)
    return {name: merged(members) for name, members in groups.items()}


def _masked(titles: Titles) -> dict[str, dict[str, Crowd]]:
    known: dict[str, str] = {}
    for of_page in titles.values():
        known.update((title, _plain(title)) for title in of_page if title not in known)
    return {
        page: merged_by((known[title], crowd) for title, crowd in of_page.items())
        for page, of_page in titles.items()
    }


def _plain(title: str) -> str:
    """A title masked for what it looks like, each letter with its accents in one."""
    return mask_url(unicodedata.normalize("NFC", title)).text


def _by_page(titles: Titles, names: Mapping[str, str]) -> dict[str, dict[str, Crowd]]:
    pages: defaultdict[str, list[tuple[str, Crowd]]] = defaultdict(list)
    for page, of_page in titles.items():
        pages[names[page]] += of_page.items()
    return {page: merged_by(of_page) for page, of_page in pages.items()}


def _without_names(text: str, crowd: Crowd, names: frozenset[str], found: Found) -> str:
    if crowd.users >= found.public or not names:
        return text
    masked = mask_names(text, names)
    found.kinds["name"] += len(masked.kinds) * crowd.views
    return masked.text
