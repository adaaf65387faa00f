"""The parts of a site that are seen most, as names for themes: ``/shop/rain-jackets/…`` → Rain jackets."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import unquote

import pandas as pd

from core.base.schema import PageLabels, Pages
from core.labels.label_settings import NAME_CHARACTERS, NO_THEME, RESERVED, SEVERAL
from core.labels.templates import is_locale, parse

MOST: Final = 12
"""Sections that somebody reads through."""
FEWEST_PAGES: Final = 3
"""Pages below a folder from which on it is a section."""
FEWEST_SHARE: Final = 0.01
"""Of the page views."""
CONTAINER: Final = 0.5
"""A folder with more than this share of all folders beside it, such as ``/shop/``, is no section where
sections in it have more than this share of what it has: those are."""

_GAP: Final = re.compile(r"[\s_+-]+")

_Paths: TypeAlias = Mapping[tuple[str, ...], int]
"""Folders and the page's own name → its page views."""


@dataclass(frozen=True)
class Section:
    """A part of a site.

    Args:
        name: In words.
        share: Of the page views.
    """

    name: str
    share: float


def site_sections(
    pages: pd.DataFrame, labels: pd.DataFrame | None, taken: Iterable[str] = ()
) -> list[Section]:
    """Find the sections of a site, the most viewed first, at most :data:`MOST`.

    Args:
        pages: :class:`core.base.schema.Pages`, in page order.
        labels: :class:`core.base.schema.PageLabels`, in page order: pages that serve a function are left out.
        taken: Names that are not suggested, in upper or lower case.
    """
    about = pages if labels is None else pages[labels[PageLabels.THEME].to_numpy() != NO_THEME]
    paths: Counter[tuple[str, ...]] = Counter()
    for page, seen in zip(about[Pages.PAGE_LOCATION], about[Pages.VIEWS], strict=True):
        paths[_path(page)] += int(seen)
    by_name: Counter[str] = Counter()
    for folder, seen in _sections(paths):
        by_name[_in_words(folder)] += seen
    known = {name.casefold() for name in (*taken, *RESERVED, SEVERAL)}
    total = int(pages[Pages.VIEWS].sum())
    found = (Section(name, seen / total) for name, seen in by_name.most_common())
    return [one for one in found if one.share >= FEWEST_SHARE and _is_new(one.name, known)][:MOST]


def _is_new(name: str, known: Collection[str]) -> bool:
    return any(letter.isalpha() for letter in name) and name.casefold() not in known


def _path(page: str) -> tuple[str, ...]:
    segments = parse(page).segments
    return segments[1:] if segments and is_locale(segments[0]) else segments


def _sections(paths: _Paths) -> Iterable[tuple[str, int]]:
    """Folder and its page views, at this level or, within a container, below it."""
    folders: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    own: Counter[str] = Counter()
    for (first, *rest), seen in paths.items():
        if rest:
            folders[first][tuple(rest)] += seen
        else:
            own[first] += seen  # the page of a folder itself, where there is such a folder
    size = {folder: below.total() + own[folder] for folder, below in folders.items()}
    for folder, below in folders.items():
        inside = list(_sections(below)) if size[folder] > CONTAINER * sum(size.values()) else []
        if len(inside) > 1 and sum(seen for _, seen in inside) > CONTAINER * size[folder]:
            yield from inside
        elif len(below) >= FEWEST_PAGES and not folder.startswith(":"):
            yield folder, size[folder]


def _in_words(folder: str) -> str:
    shown = "".join(letter for letter in _GAP.sub(" ", unquote(folder).lower()) if letter.isprintable())
    words = shown.strip()[:NAME_CHARACTERS].rstrip()
    return words[:1].upper() + words[1:]
