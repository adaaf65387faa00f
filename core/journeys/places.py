"""What a step goes from and to: pages, or what pages have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd

from core.base.schema import PageLabels, Pages
from core.base.wording import common_origin, short_address
from core.data.dataset import Dataset
from core.data.page_labels import LabelledPages
from core.data.sequences import UserSequences

READ_AT_ONCE: Final = 12
"""Places that a picture of moves has room for."""
READABLE: Final = 0.6
"""Share of the page views that these should have, or most moves are not in the picture."""


OTHER_PLACES: Final = "(other places)"
"""What is told together."""


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


def levels(addresses: Sequence[str], names: Mapping[str, Sequence[str]]) -> dict[Level, Sequence[str]]:
    """The levels of a data set, addresses and templates without the origin that all pages share.

    A level at which all pages are one place is none.

    Args:
        addresses: Of each page, by page index.
        names: ``template``, ``theme`` and ``type`` of each page, as far as pages are labelled.
    """
    origin = common_origin(addresses)
    called = {
        level: [short_address(name, origin) for name in names[level]] for level in Level if level in names
    }
    several = {level: own for level, own in called.items() if len(set(own)) > 1}
    return {Level.PAGE: [short_address(address, origin) for address in addresses], **several}


def levels_of(pages: pd.DataFrame, labels: LabelledPages | None) -> dict[Level, Sequence[str]]:
    """Find the levels of a data set from its tables of pages and labels (:func:`levels`).

    Args:
        pages: One row a page (:class:`core.base.schema.Pages`).
        labels: What they are about; None where they are not labelled.
    """
    columns = {
        Level.TEMPLATE: PageLabels.TEMPLATE, Level.THEME: PageLabels.THEME, Level.TYPE: PageLabels.TYPE,
    }  # fmt: skip
    named: dict[str, Sequence[str]] = {}
    if labels is not None:
        named = {level.value: labels.table[name].tolist() for level, name in columns.items()}
    return levels(pages[Pages.PAGE_LOCATION].tolist(), named)


def readable(found: Sequence[Places], sequences: UserSequences) -> Level:
    """The finest level whose first places have most of the page views, else the one that has the most.

    Args:
        found: The levels, the finest first.
        sequences: Page views of all users.
    """
    shares = {places.level: float((places.of_views(sequences) < READ_AT_ONCE).mean()) for places in found}
    most = max(shares, key=shares.__getitem__)
    return next((level for level, share in shares.items() if share >= READABLE), most)


def readable_places(dataset: Dataset, labels: LabelledPages | None) -> Places:
    """The places of the level that can be read, see :func:`readable`.

    Args:
        dataset: The export.
        labels: What its pages are about; None where they are not labelled.
    """
    named = levels_of(dataset.pages, labels)
    found = [Places.from_names(level, names, dataset.sequences) for level, names in named.items()]
    level = readable(found, dataset.sequences)
    return next(places for places in found if places.level is level)
