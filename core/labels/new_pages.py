"""Pages that the training never saw, labelled one by one in memory: by what is sure of each alone.

An export is labelled as a whole: templates, a site's tree and models decide there what rules leave open. A
single page at a door has none of that; what its title and address do not tell stays unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np

from core.labels.label_settings import UNKNOWN, LabelSettings
from core.labels.label_types import Label
from core.labels.ladder import decide_each, sure_rungs
from core.labels.pages import LabelPages, clean_title
from core.labels.rule_classifier import literal_segments
from core.labels.templates import mine

KEPT: Final = 10_000
"""Labels that are remembered."""
_Called: TypeAlias = tuple[str, str]
"""A page and its title."""


class NewPages:
    """The lower rungs of the ladder, ready for pages that have nothing to do with each other.

    Args:
        settings: Taxonomy and corrections with which the model was trained.
    """

    def __init__(self, settings: LabelSettings) -> None:
        self._taxonomy, self._ladder = settings.taxonomy, sure_rungs(settings)
        self._literal = literal_segments()
        self._kept: dict[_Called, tuple[str, str]] = {}

    def label(self, pages: Sequence[tuple[str, str | None]]) -> list[tuple[str, str]]:
        """Theme and type of pages, each as if it were alone.

        Args:
            pages: Canonical, each with what it is called, if anybody said.
        """
        called = [(page, clean_title(title)) for page, title in pages]
        found = {one: self._kept.get(one) for one in dict.fromkeys(called)}
        new = self._decided([one for one, labels in found.items() if labels is None])
        if len(self._kept) + len(new) > KEPT:
            self._kept = {}
        self._kept.update(list(new.items())[:KEPT])
        return [found[one] or new[one] for one in called]

    def _decided(self, called: Sequence[_Called]) -> dict[_Called, tuple[str, str]]:
        pages, titles = ([one[at] for one in called] for at in (0, 1))
        templates = [mine([page], self._literal)[0] for page in pages]
        seen = np.ones(len(pages), dtype=np.int64)
        apart = LabelPages(tuple(pages), tuple(titles), tuple(templates), seen, seen)
        decided = zip(*decide_each(apart, self._taxonomy, self._ladder), strict=True)
        return {one: (_name(theme), _name(kind)) for one, (theme, kind) in zip(called, decided, strict=True)}


def _name(label: Label | None) -> str:
    return label.value if label else UNKNOWN
