"""Lay out the pages of an export for the classifiers, and group those that get one label into subjects.

Titles are cleaned and lose the site's name, addresses are mined for templates; a subject is all pages of a
template (types), or of a title and template (themes).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
from scipy import sparse

from core.base.schema import PageEvents, Pages
from core.labels.label_types import Document, Subject
from core.labels.templates import mine
from core.labels.texts import TITLE_CHARACTERS, normalise_text
from core.storage.sequences import UserSequences

_RAW_CHARACTERS: Final = 1_200
"""Characters of a raw title that are read, so that a title of megabytes costs no more than a line."""
EXAMPLES: Final = 5
"""Most addresses and titles of a subject that classifiers see."""
_SITE_SHARE: Final = 0.3
"""Share of a host's distinct titles that must begin or end with a text for it to be the site's name: too high
for a department of a shop, low enough for a site that has another name in each language."""
_SITE_TITLES: Final = 3
"""Fewest distinct titles with the site's name."""

Steps: TypeAlias = Any
"""A sparse array of scipy, which has no types for these."""

_SEPARATOR: Final = re.compile(r"\s+(?:[-–—:•»«/]|::)\s+|\s*[|·]\s*")


@dataclass(frozen=True, eq=False)
class LabelPages:
    """The pages of an export, ready to be grouped; everything by page index.

    Args:
        urls: Canonical pages.
        titles: Cleaned, without the site's name; empty where there is none.
        templates: Path templates.
        views: int64 of shape (n_pages,), page views.
        users: int64 of shape (n_pages,), users.
        events: Page index → GA4 event → how often it fired there; pages without events are left out.
        documents: Page index → content of the fetched page.
        steps: What :func:`page_steps` gives; None if not known.
    """

    urls: tuple[str, ...]
    titles: tuple[str, ...]
    templates: tuple[str, ...]
    views: np.ndarray
    users: np.ndarray
    events: Mapping[int, Mapping[str, int]] = field(default_factory=lambda: MappingProxyType({}))
    documents: Mapping[int, Document] = field(default_factory=lambda: MappingProxyType({}))
    steps: Steps | None = None

    def __len__(self) -> int:
        """Number of pages of the export."""
        return len(self.urls)

    @cached_property
    def by_views(self) -> np.ndarray:
        """Page indices, int64 of shape (n_pages,), most viewed first, then by index."""
        return np.argsort(-self.views, kind="stable")


@dataclass(frozen=True, eq=False)
class Subjects:
    """Groups of pages that get one label each.

    Args:
        subjects: Most viewed first.
        of_page: int64 of shape (n_pages,), index of each page's subject; -1 for pages not asked for.
    """

    subjects: tuple[Subject, ...]
    of_page: np.ndarray


def read_pages(
    pages: pd.DataFrame,
    page_events: pd.DataFrame,
    documents: Mapping[int, Document] = MappingProxyType({}),
    literal: frozenset[str] = frozenset(),
    steps: Steps | None = None,
) -> LabelPages:
    """Lay out pages for the classifiers: clean titles, mine templates, count events.

    Args:
        pages: :class:`core.base.schema.Pages`.
        page_events: :class:`core.base.schema.PageEvents`; may be empty.
        documents: Page index → content of the fetched page.
        literal: Segments that never collapse (:func:`core.labels.templates.mine`).
        steps: What :func:`page_steps` gives.
    """
    urls = [str(url) for url in pages[Pages.PAGE_LOCATION]]
    titles = [clean_title(title) for title in pages[Pages.PAGE_TITLE]]
    return LabelPages(
        tuple(urls),
        tuple(strip_site_name(titles, [host_of(url) for url in urls])),
        tuple(mine(urls, literal)),
        pages[Pages.VIEWS].to_numpy(dtype=np.int64),
        pages[Pages.USERS].to_numpy(dtype=np.int64),
        _events(page_events),
        dict(documents),
        steps,
    )


def page_steps(sequences: UserSequences, n_pages: int) -> Steps:
    """Count the steps between pages: consecutive page views of a session on two different pages.

    Returns:
        Sparse int64 of shape (n_pages, n_pages), from row to column.
    """
    user, session, page = sequences.user, sequences.session, sequences.page
    step = (user[1:] == user[:-1]) & (session[1:] == session[:-1]) & (page[1:] != page[:-1])
    ends = (page[:-1][step], page[1:][step])
    return sparse.coo_array((np.ones(len(ends[0]), np.int64), ends), (n_pages, n_pages)).tocsr()


def clean_title(title: object) -> str:
    """A title in Unicode NFKC, without invisible characters, with single blanks, shortened; "" if absent."""
    return (
        normalise_text(title[:_RAW_CHARACTERS])[:TITLE_CHARACTERS].strip() if isinstance(title, str) else ""
    )


def host_of(url: str) -> str:
    """The host (and port) of a canonical page; empty if it has none."""
    _, mark, rest = url.partition("://")
    return rest.split("/", 1)[0].split("?", 1)[0] if mark else ""


def theme_subjects(pages: LabelPages, wanted: np.ndarray | None = None) -> Subjects:
    """Group pages by title and template; a page without a title is a subject by itself.

    Args:
        pages: The pages.
        wanted: bool of shape (n_pages,), the pages to decide; all by default.
    """
    keys: list[Hashable] = [
        (title, template) if title else url
        for url, title, template in zip(pages.urls, pages.titles, pages.templates, strict=True)
    ]
    return group(pages, keys, wanted)


def group(pages: LabelPages, keys: Sequence[Hashable], wanted: np.ndarray | None = None) -> Subjects:
    """Group pages with equal ``keys`` (one a page) into subjects; ``wanted``: bool of shape (n_pages,)."""
    members: dict[Hashable, list[int]] = defaultdict(list)
    for index in pages.by_views.tolist():
        if wanted is None or wanted[index]:
            members[keys[index]].append(index)
    subjects = [(_subject(pages, indices), indices) for indices in members.values()]
    subjects.sort(key=lambda pair: (-pair[0].views, pair[0].template, pair[0].urls))
    of_page = np.full(len(pages), -1, dtype=np.int64)
    for number, (_, indices) in enumerate(subjects):
        of_page[indices] = number
    return Subjects(tuple(subject for subject, _ in subjects), of_page)


def _subject(pages: LabelPages, indices: Sequence[int]) -> Subject:
    """The subject of some pages, given most viewed first."""
    titles: dict[str, int] = {}
    for index in indices:
        if title := pages.titles[index]:
            titles[title] = max(titles.get(title, 0), int(pages.users[index]))
    shown = indices[:EXAMPLES]
    events: Counter[str] = Counter()
    for index in indices:
        events.update(pages.events.get(index, {}))
    return Subject(
        template=pages.templates[indices[0]],
        urls=tuple(pages.urls[index] for index in shown),
        titles=tuple(titles)[:EXAMPLES],
        views=int(pages.views[list(indices)].sum()),
        events=MappingProxyType(dict(sorted(events.items()))),
        documents=tuple(pages.documents[index] for index in shown if index in pages.documents),
        users=int(pages.users[list(indices)].sum()),
        title_users=tuple(titles.values())[:EXAMPLES],
    )


def _events(page_events: pd.DataFrame) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = defaultdict(dict)
    columns = (page_events[name] for name in (PageEvents.PAGE, PageEvents.EVENT_NAME, PageEvents.EVENTS))
    for page, name, count in zip(*columns, strict=True) if len(page_events) else ():
        own = found[int(page)]
        own[str(name)] = own.get(str(name), 0) + int(count)
    return dict(found)


def strip_site_name(titles: Sequence[str], hosts: Sequence[str]) -> list[str]:
    """Remove the site's name from titles: a text at the start or end of many titles of the host.

    Args:
        titles: Cleaned titles; empty where there is none.
        hosts: The host of the page of each title.

    Returns:
        The titles in order; empty where one was the site's name alone.
    """
    by_host: dict[str, set[str]] = defaultdict(set)
    for title, host in zip(titles, hosts, strict=True):
        if title:
            by_host[host].add(title)
    names = {host: _site_names(own) for host, own in by_host.items()}
    return [_without(title, names.get(host, set())) for title, host in zip(titles, hosts, strict=True)]


def _site_names(titles: Iterable[str]) -> set[str]:
    """Site names in the distinct titles of a host, in lower case."""
    distinct = list(titles)
    counted: Counter[str] = Counter()
    for title in distinct:
        counted.update(set(_ends(title)))
    needed = max(_SITE_TITLES, _SITE_SHARE * len(distinct))
    return {name for name, count in counted.items() if name and count >= needed}


def _ends(title: str) -> list[str]:
    """The parts of a title before the first and after the last separator, in lower case; none without one."""
    cuts = list(_SEPARATOR.finditer(title))
    if not cuts:
        return []
    return [title[: cuts[0].start()].casefold(), title[cuts[-1].end() :].casefold()]


def _without(title: str, names: set[str]) -> str:
    if title.casefold() in names:
        return ""
    cuts = list(_SEPARATOR.finditer(title)) if names else []
    if cuts and title[cuts[-1].end() :].casefold() in names:
        title = title[: cuts[-1].start()]
    elif cuts and title[: cuts[0].start()].casefold() in names:
        title = title[cuts[0].end() :]
    return title.strip()
