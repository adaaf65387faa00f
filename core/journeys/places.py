"""What a step goes from and to: pages, or what pages have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from core.data.sequences import UserSequences


class Level(StrEnum):
    """How finely pages are told apart."""

    PAGE = "page"
    TEMPLATE = "template"
    THEME = "theme"
    TYPE = "type"


@dataclass(frozen=True, eq=False)
class Places:
    """The places of one level, those with the most page views first.

    Args:
        level: How finely pages are told apart.
        names: What each is called; a label that is not known is a place like any other.
        of_page: int32 of shape (n_pages,), the place of each page.
    """

    level: Level
    names: tuple[str, ...]
    of_page: np.ndarray

    @classmethod
    def from_names(cls, level: Level, names: Sequence[str], sequences: UserSequences) -> Places:
        """Number what pages are called.

        Args:
            level: How finely pages are told apart.
            names: Of each page, by page index.
            sequences: Page views of all users.
        """
        different, code = np.unique(np.asarray(names, dtype=object).astype(str), return_inverse=True)
        views = np.bincount(code[sequences.page], minlength=len(different))
        order = np.argsort(-views, kind="stable")  # equally many: by name
        rank = np.empty(len(different), dtype=np.int32)
        rank[order] = np.arange(len(different))
        return cls(level, tuple(str(different[place]) for place in order), rank[code])

    def of_views(self, sequences: UserSequences) -> np.ndarray:
        """The place of every page view: int32 of shape (n_views,)."""
        found: np.ndarray = self.of_page[sequences.page]
        return found


def levels(pages: Sequence[str], names: Mapping[str, Sequence[str]]) -> dict[Level, Sequence[str]]:
    """Level → what each page is called there, of the levels that a data set has.

    Args:
        pages: What to call each page, by page index.
        names: ``template``, ``theme`` and ``type`` of each page, as far as pages are labelled.
    """
    found = {level: names[level] for level in Level if level in names}
    return {Level.PAGE: pages} | found
