"""One title a page, without what only one of its readers saw.

A page has one title, or a few: languages, an old wording. Where many saw a page and nearly all another title of
it (``Hello Maria – Shop``), the title is a form that was filled in: what its titles have in common stays, what
each reader alone saw becomes ``{…}``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Final, TypeAlias

from core.ingest.clean.crowds import INF, Crowd, merged
from core.ingest.clean.places import GAP, Found, parts_of, words_of

Titles: TypeAlias = Mapping[str, Crowd]

USUAL: Final = 0.1
"""Share of a page's views from which on a title is the page's and not a reader's."""
COMMON: Final = 0.25
"""Share of a page's views from which on a word belongs to the form of its titles."""
SHARED: Final = 0.1
"""Pages that several users saw, for each that one user saw, from which on a folder is public."""

_TOKENS: Final = re.compile(r"\w(?:[\w'’.·-]*\w)?|\s+|[^\w\s]")
_GAPS: Final = re.compile(rf"{re.escape(GAP)}(?:[^\w{{}}]{{0,3}}{re.escape(GAP)})+")


def choose_titles(
    titles: Mapping[str, Titles], pages: Mapping[str, Crowd], found: Found, public: Collection[str]
) -> dict[str, str]:
    """Give every page its title.

    Args:
        titles: Page → title → the users who saw it so.
        pages: The crowd of every page.
        found: Takes the pages whose titles are personal.
        public: Words that many users saw.
    """
    folders = _public_folders(pages)
    chosen = {}
    for page, of_page in titles.items():
        if pages[page].alone and found.needed < INF and _folder(page) not in folders:
            title = _lone(page, of_page, found, public)
        else:
            title = _title(page, of_page, found)
        chosen[page] = found.lone(title, of_page[title]) if title in of_page else title
    return chosen


def _title(page: str, titles: Titles, found: Found) -> str:
    whole = merged(titles.values())
    best = max(titles, key=lambda title: (not titles[title].alone, titles[title].views, title))
    name = f"title of {page}"
    usual = whole.alone or (not titles[best].alone and titles[best].views >= USUAL * whole.views)
    if usual and name not in found.choices.mask:
        return best
    own = [title for title, crowd in titles.items() if crowd.alone] or list(titles)
    return _form(titles, whole) if found.decide(name, titles, own) else best


def _form(titles: Titles, whole: Crowd) -> str:
    """What the titles of one page have in common."""
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
    return max(forms, key=lambda form: (forms[form], form))


def _lone(page: str, titles: Titles, found: Found, public: Collection[str]) -> str:
    """The title of a page that one user saw, in a folder where nobody shares pages."""
    title = max(titles, key=lambda text: (titles[text].views, text))
    known = words_of(page) | set(public)
    form = _with_gaps(title, {token for token in _TOKENS.findall(title) if words_of(token) <= known})
    if form == title or not found.decide(f"title of {_folder(page)}{GAP}", titles, [title]):
        return title
    return form


def _with_gaps(title: str, common: Collection[str]) -> str:
    tokens = _TOKENS.findall(title)
    text = "".join(token if token in common or not words_of(token) else GAP for token in tokens)
    return _GAPS.sub(GAP, text)


def _folder(page: str) -> str:
    parts = parts_of(page)
    return "".join(slot + value for slot, value in parts[:-1]) + parts[-1][0]


def _public_folders(pages: Mapping[str, Crowd]) -> set[str]:
    """Folders in which enough pages are seen by several users."""
    alone: dict[str, int] = defaultdict(int)
    shared: dict[str, int] = defaultdict(int)
    for page, crowd in pages.items():
        (alone if crowd.alone else shared)[_folder(page)] += 1
    return {folder for folder, count in shared.items() if count >= SHARED * alone[folder]}


def public_words(texts: Sequence[tuple[str, Crowd]], fewest: int = 3) -> set[str]:
    """Words that at least ``fewest`` users saw in any of the texts."""
    seen: dict[str, Crowd] = {}
    for text, crowd in texts:
        for word in words_of(text):
            seen[word] = merged((seen[word], crowd)) if word in seen else crowd
    return {word for word, crowd in seen.items() if crowd.users >= fewest}
