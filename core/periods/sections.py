"""Sections in place of pages, on sites whose pages live for days: news has other pages in every export."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from core.data.sequences import UserSequences
from core.labels.page_address import after_host
from core.periods.calendar import covered

MICROSECONDS: Final = 86_400 * 10**6
LIVING: Final = 0.5
"""Share of page views of the later half of the days on pages of the earlier half, below which pages live for
days."""
BY_SECTION: Final = (
    "Pages live for days only here, so that sections of the site (first folders) are compared. Segments are "
    "not: the model has seen next to none of the later pages. Train a model on the later export."
)


def live_shortly(sequences: UserSequences, names: Sequence[str]) -> bool:
    """Whether most page views of the later half of the days are on pages that nobody saw in the earlier half.

    Args:
        sequences: Page views.
        names: What each page is called.
    """
    first, last = covered(sequences.timestamp)
    is_later = sequences.timestamp >= (first + last + 1) * MICROSECONDS // 2
    if first == last or is_later.all() or not is_later.any():
        return False
    _, name = np.unique(np.asarray(names, dtype=object), return_inverse=True)
    page = name[sequences.page]
    is_early = np.zeros(len(names), dtype=bool)
    is_early[page[~is_later]] = True
    return float(is_early[page[is_later]].mean()) < LIVING


def sections(pages: Iterable[str]) -> list[str]:
    """The section of each page: its first folder without a digit, as dates have; without, its site.

    >>> sections(["https://news.example/2026/11/politics/budget", "/politics/", "/about"])
    ['https://news.example/politics/', '/politics/', '/']
    """
    return [_section(page) for page in pages]


def _section(page: str) -> str:
    path = after_host(page)
    host = page.removesuffix(path) if path else page
    if not host and not path.startswith("/"):
        return page  # a screen of an app, or a name that stands for several pages
    folders = path.partition("?")[0].split("/")[1:-1]
    folder = next((part for part in folders if not any(map(str.isdigit, part))), "")
    return f"{host}/{folder}/" if folder else f"{host}/"
