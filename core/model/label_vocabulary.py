"""Token ids of page themes and page types.

Ids: 0 padding, 1 unknown, then one id a name, most viewed first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, TypeAlias

import numpy as np

from core.base.errors import ArtifactError
from core.model.vocabulary import (
    FIRST_FREE_ID,
    UNKNOWN,
    Vocabulary,
    look_up_transitions,
    rank_transitions,
    ranked,
    read_pairs,
    read_texts,
)

NO_NAME: Final = "Unknown"
"""How labels spell that there is none; it takes the id :data:`core.model.vocabulary.UNKNOWN`."""


@dataclass(frozen=True)
class LabelVocabulary:
    """Tokens of the theme or the type view.

    Args:
        labels: Names with an id of their own, most viewed first.
        transitions: Pairs (id before, id) of neighbouring views, most frequent first.
    """

    labels: tuple[str, ...]
    transitions: tuple[tuple[int, int], ...]

    @property
    def n_items(self) -> int:
        """Number of token ids, padding and unknown included."""
        return FIRST_FREE_ID + len(self.labels)

    @property
    def n_transitions(self) -> int:
        """Number of transition ids, the first view's and the rare pairs' included."""
        return FIRST_FREE_ID + len(self.transitions)

    @property
    def n_groups(self) -> int:
        """Steps lead from label to label."""
        return self.n_items

    def item_ids(self, names: Sequence[str]) -> np.ndarray:
        """Token id of each name, known or not: int32 of shape (n_names,)."""
        ids = {name: FIRST_FREE_ID + rank for rank, name in enumerate(self.labels)}
        return np.fromiter((ids.get(name, UNKNOWN) for name in names), np.int32, len(names))

    def group_ids(self, names: Sequence[str]) -> np.ndarray:
        """Steps lead from label to label: the same as :meth:`item_ids`."""
        return self.item_ids(names)

    def transition_ids(self, groups: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Id of the step that led to each page view; see :class:`core.model.vocabulary.Vocabulary`."""
        return look_up_transitions(groups, self.n_items, self.transitions, starts)

    def to_json(self) -> dict[str, Any]:
        """Plain data for ``vocabulary.json``."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> LabelVocabulary:
        """Read what :meth:`to_json` wrote.

        Raises:
            ArtifactError: If something is missing, doubled or of the wrong kind.
        """
        try:
            labels = read_texts(data["labels"])
            pairs = read_pairs(data["transitions"], n_groups=FIRST_FREE_ID + len(labels))
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(f"The vocabulary is damaged: {error}", remedy="Train again") from error
        return cls(labels, pairs)


ItemVocabulary: TypeAlias = Vocabulary | LabelVocabulary
"""What the items of a view are: pages, themes or types."""


def build_label_vocabulary(
    names: Sequence[str], pages: np.ndarray, starts: np.ndarray, min_count: int
) -> LabelVocabulary:
    """Rank labels, and the steps between them, by how often they are viewed.

    Args:
        names: Label of each of n_pages pages.
        pages: int of shape (n_views,), index into ``names``, users one after the other.
        starts: int of shape (n_users,), where each user's views start.
        min_count: Labels and steps seen less often get no id of their own.
    """
    counted: Counter[str] = Counter()
    for name, views in zip(names, np.bincount(pages, minlength=len(names)).tolist(), strict=True):
        counted[name] += views
    del counted[NO_NAME]
    vocabulary = LabelVocabulary(ranked(counted, max(min_count, 1)), ())
    items = vocabulary.item_ids(names)[pages]
    steps = rank_transitions(items, vocabulary.n_items, starts, min_count)
    return replace(vocabulary, transitions=steps)
