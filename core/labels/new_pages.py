"""Label pages that the training never saw, one by one in memory, when new users are scored.

An export is labelled as a whole: templates, site structure and models decide there what rules leave open. A
single page has none of that; what rules cannot decide by its title and address stays Unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np

from core.base.schema import UNKNOWN
from core.labels.cascade import decide_each, sure_rungs
from core.labels.label_settings import LabelSettings
from core.labels.label_types import Label
from core.labels.pages import LabelPages, clean_title
from core.labels.rule_classifier import literal_segments
from core.labels.templates import mine

MAX_CACHED: Final = 10_000
"""Most pages whose labels are remembered."""
_Called: TypeAlias = tuple[str, str]
"""A page's address and its cleaned title."""


class NewPages:
    """Labels unrelated pages with the classifiers that need no model, and remembers the labels.

    Args:
        settings: Taxonomy and corrections with which the model was trained.
    """

    def __init__(self, settings: LabelSettings) -> None:
        self._taxonomy, self._cascade = settings.taxonomy, sure_rungs(settings)
        self._literal = literal_segments()
        self._kept: dict[_Called, tuple[str, str]] = {}

    def label(self, pages: Sequence[tuple[str, str | None]]) -> list[tuple[str, str]]:
        """(theme, type) of each page, decided alone; ``Unknown`` where nothing is.

        Args:
            pages: Canonical addresses, each with its title, if known.
        """
        called = [(page, clean_title(title)) for page, title in pages]
        found = {one: self._kept.get(one) for one in dict.fromkeys(called)}
        new = self._decided([one for one, labels in found.items() if labels is None])
        if len(self._kept) + len(new) > MAX_CACHED:
            self._kept = {}
        self._kept.update(list(new.items())[:MAX_CACHED])
        return [found[one] or new[one] for one in called]

    def _decided(self, called: Sequence[_Called]) -> dict[_Called, tuple[str, str]]:
        pages, titles = ([one[at] for one in called] for at in (0, 1))
        templates = [mine([page], self._literal)[0] for page in pages]
        seen = np.ones(len(pages), dtype=np.int64)
        apart = LabelPages(tuple(pages), tuple(titles), tuple(templates), seen, seen)
        decided = zip(*decide_each(apart, self._taxonomy, self._cascade), strict=True)
        return {one: (_name(theme), _name(kind)) for one, (theme, kind) in zip(called, decided, strict=True)}


def _name(label: Label | None) -> str:
    return label.value if label else UNKNOWN
