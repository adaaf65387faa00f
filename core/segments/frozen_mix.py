"""Vectors of other sequences of the same pages, by a frozen model and the mix of all users."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from core.base.schema import View
from core.data.sequences import UserSequences
from core.segments.activity import with_activity
from core.segments.combination import Combined, combine

Embed: TypeAlias = Callable[[Path, UserSequences, Mapping[View, Sequence[str]]], Mapping[View, np.ndarray]]


@dataclass(frozen=True, eq=False)
class FrozenMix:
    """What a vector is made by.

    Args:
        embed: Embeds sequences with a model: :func:`core.model.embedding.embed`, here or in another process.
        model: Folder of the trained model.
        names: What each view calls each page, by page index.
        combined: The mix of all users.
    """

    embed: Embed
    model: Path
    names: Mapping[View, Sequence[str]]
    combined: Combined

    def vectors(self, sequences: UserSequences) -> np.ndarray:
        """Mixed vectors of any sequences: float32 of shape (n, d).

        Raises:
            ArtifactError: If the model is missing or damaged.
        """
        pages, page = np.unique(sequences.page, return_inverse=True)
        names = {view: [of_page[place] for place in pages] for view, of_page in self.names.items()}
        renumbered = replace(sequences, page=page.astype(np.int32))
        views = with_activity(self.embed(self.model, renumbered, names), sequences, self.combined.activity)
        return combine(views, self.combined.counted, means=self.combined.means).vectors
