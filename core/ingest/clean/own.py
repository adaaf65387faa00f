"""Pages and titles without what belongs to one user each.

First the places (``places.py``), as they make one page of everybody's own; then the titles of these pages
(``titles.py``), both also by what an address and its titles say of each other (``echoes.py``); then the names
that they have shown, wherever else hardly anybody saw them (``person_names.py``).
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from core.ingest.clean.crowds import PUBLIC, Crowd, merged_by
from core.ingest.clean.echoes import SiteContext, forms_of, shaped, subject
from core.ingest.clean.found import Found
from core.ingest.clean.page_parts import Values
from core.ingest.clean.person_names import known_names, mask_names
from core.ingest.clean.personal_data import mask, mask_url
from core.ingest.clean.places import mask_places
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


def without_own(pages: Values, titles: Titles, found: Found, known: Collection[str] = frozenset()) -> Own:
    """Take out of pages and titles what belongs to one user each.

    Args:
        pages: Canonical page → who saw it.
        titles: The titles of each, as they were sent.
        found: How to judge; takes what is found.
        known: Pages that were public elsewhere; numbers in them stay.
    """
    usual = shaped(pages, found.public)
    few = {page for page, crowd in pages.items() if crowd.users < found.public} - usual - set(known)
    numbered = {page: mask(page).text if page in few else page for page in pages}
    crowds = merged_by((numbered[page], crowd) for page, crowd in pages.items())
    plain = _by_page(_masked(titles, SiteContext(shaped=usual), found), numbered)
    site = _site(crowds, plain, usual, found)
    renamed = mask_places(crowds, found, site)
    first = {page: renamed.get(new, new) for page, new in numbered.items()}
    crowds = merged_by((first[page], crowd) for page, crowd in pages.items())
    plain = _by_page(plain, {new: renamed.get(new, new) for new in plain})
    chosen = choose_titles(plain, found, site)
    names = known_names(found.names, site.public)
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


def _site(pages: Values, titles: Titles, usual: Collection[str], found: Found) -> SiteContext:
    texts = ((title, crowd) for of_page in titles.values() for title, crowd in of_page.items())
    paths = ((page.partition("?")[0], crowd) for page, crowd in pages.items())
    public = public_words([*merged_by(texts).items(), *paths], found.public)
    rare = (page for page, crowd in pages.items() if crowd.users < found.public)
    named = {page for page in rare if subject(page, titles.get(page, ()), public)}
    popular = [page for page, crowd in pages.items() if crowd.users >= PUBLIC]
    return SiteContext(public, titles, named, usual, *forms_of(titles, popular))


def _masked(titles: Titles, site: SiteContext, found: Found) -> dict[str, dict[str, Crowd]]:
    """Titles masked for what they look like, each letter with its accents in one."""
    seen = merged_by((title, crowd) for of_page in titles.values() for title, crowd in of_page.items())
    normal = {title: unicodedata.normalize("NFC", title) for title in seen}
    mask = {title: partial(_plain, crowd=crowd, found=found) for title, crowd in seen.items()}
    return {
        page: merged_by(
            (site.beside_end(page, normal[title], mask[title]), crowd) for title, crowd in of_page.items()
        )
        for page, of_page in titles.items()
    }


def _plain(text: str, crowd: Crowd, found: Found) -> str:
    """A text masked for what it looks like; numbers that many saw stay."""
    return mask_url(text, numbers=crowd.users < found.public).text


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
