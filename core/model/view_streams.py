"""The views of a model: what the tokens of each are, and how far each counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np

from core.base.errors import ArtifactError
from core.base.schema import View
from core.data.sequences import UserSequences
from core.model.inputs import TokenStreams, token_streams
from core.model.label_vocabulary import ItemVocabulary, build_label_vocabulary
from core.model.vocabulary import build_vocabulary

Names: TypeAlias = Mapping[View, Sequence[str]]
"""View → URL, theme or type of each page index."""

FACTORS: Final = {View.URL: 1.0, View.THEME: 0.2, View.TYPE: 1.5}
"""What the weight of a view is multiplied by. Themes have few directions, along which K-Means would cut."""


def build_vocabularies(sequences: UserSequences, names: Names, min_count: int) -> dict[View, ItemVocabulary]:
    """The vocabulary of each view that says anything: one in which every page is the same is left out."""
    starts = sequences.offsets[:-1]
    vocabularies: dict[View, ItemVocabulary] = {
        View.URL: build_vocabulary(names[View.URL], sequences.page, starts, min_count)
    }
    for view in (View.THEME, View.TYPE):
        if view not in names:
            continue
        made = build_label_vocabulary(names[view], sequences.page, starts, min_count)
        if len(np.unique(made.item_ids(names[view])[sequences.page])) > 1:
            vocabularies[view] = made
    return vocabularies


def view_streams(
    sequences: UserSequences, names: Names, vocabularies: Mapping[View, ItemVocabulary]
) -> dict[View, TokenStreams]:
    """What each view knows of every page view.

    Raises:
        ArtifactError: If the names of a view are missing, or do not reach to the last page.
    """
    n_pages = int(sequences.page.max()) + 1 if sequences.n_views else 0
    for view in vocabularies:
        given = len(names.get(view, ()))
        if given < n_pages:
            raise ArtifactError(
                f"The {view} view needs a name for each of {n_pages} pages, and {given} have one",
                remedy="Label the pages again" if given == 0 else "Run preprocess again",
            )
    return {
        view: token_streams(sequences, names[view], vocabulary) for view, vocabulary in vocabularies.items()
    }


def view_factors(streams: Mapping[View, TokenStreams]) -> dict[View, float]:
    """The share of the page views that have a label in each view, times :data:`FACTORS`."""
    return {view: stream.labelled_share * FACTORS[view] for view, stream in streams.items()}
