"""Sections in place of pages, on sites whose pages live for days: news has other pages in every export."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from core.data.sequences import UserSequences
from core.labels.page_address import after_host
from core.labels.templates import is_locale
from core.periods.calendar import DAY, covered

LIVING: Final = 0.5
"""Below this part of what two halves of the users share, what two halves of the days share is little."""
BY_SECTION: Final = (
    "Pages live for days only here, so that sections of the site (first folders) are compared. Segments are "
    "not: the model has seen next to none of the later pages. Train a model on the later export."
)


def by_section(sequences: UserSequences, pages: Sequence[str]) -> bool:
    """Whether sections are to be compared: pages live for days, and there are sections that live longer.

    Args:
        sequences: Page views.
        pages: Address of each page.
    """
    found = sections(pages)
    return len(set(found)) > 1 and live_shortly(sequences, pages) and not live_shortly(sequences, found)


def live_shortly(sequences: UserSequences, names: Sequence[str]) -> bool:
    """Whether the later half of the days hardly has a page of the earlier half.

    Of few users any two parts share few pages. So the share of page views of the later days on pages of the
    earlier ones is held against that of half of the users on pages of the other half.

    Args:
        sequences: Page views.
        names: What each page is called.
    """
    first, last = covered(sequences.timestamp)
    is_later = sequences.timestamp >= (first + last + 1) * DAY // 2
    if is_later.all() or not is_later.any():
        return False
    _, name = np.unique(np.asarray(names, dtype=object), return_inverse=True)
    page = name[sequences.page]
    half = np.random.default_rng(0).permutation(sequences.n_users) % 2 == 0
    return _shared(page, ~is_later) < LIVING * _shared(page, half[sequences.user])


def _shared(page: np.ndarray, of_first: np.ndarray) -> float:
    """Share of the other page views that are on pages of the first ones."""
    seen = np.zeros(page.max() + 1, dtype=bool)
    seen[page[of_first]] = True
    return float(seen[page[~of_first]].mean()) if not of_first.all() else 0.0


def sections(pages: Iterable[str]) -> list[str]:
    """The section of each page: its first folder that is no date and no language; without, its site.

    >>> sections(["https://news.example/2026/11/politics/budget", "/en/politics/", "/about"])
    ['https://news.example/politics/', '/politics/', '/']
    """
    return [_section(page) for page in pages]


def _section(page: str) -> str:
    path = after_host(page)
    host = page.removesuffix(path) if path else page
    if not host and not path.startswith("/"):
        return page  # a screen of an app, or a name that stands for several pages
    folders = path.partition("?")[0].split("/")[1:-1]
    folder = next((part for part in folders if not (any(map(str.isdigit, part)) or is_locale(part))), "")
    return f"{host}/{folder}/" if folder else f"{host}/"
