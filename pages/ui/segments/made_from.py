"""The data set and the model that the segments on screen are made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import streamlit as st

from core.data.dataset import Dataset
from core.data.page_labels import LabelledPages, counted_key
from core.runs.pipeline import Embeddings
from core.storage.store import Store
from pages.ui.data import catalog
from pages.ui.shell import errors, state

FEWEST_USERS: Final = 4


@dataclass(frozen=True)
class Sources:
    """The data set, model, vectors and labels that segments are made from.

    Args:
        root: The store's folder.
        dataset: The users.
        model_key: Content key of the trained model.
        model: Folder of the trained model.
        vectors: What the model made of the users.
        labels: Themes and types that the vectors were made by; None where they were made without.
    """

    root: str
    dataset: Dataset
    model_key: str
    model: Path
    vectors: Embeddings
    labels: LabelledPages | None = None

    @property
    def store(self) -> Store:
        """The store of artifacts."""
        return Store(Path(self.root))

    @property
    def embeddings(self) -> str:
        """Content key of the vectors."""
        return self.vectors.artifact.key

    @property
    def counted(self) -> str:
        """Content key of the data set with its labels, from which counts are made."""
        return counted_key(self.dataset.key, self.labels)

    @property
    def label_key(self) -> str:
        """Content key of the labels; empty where there are none."""
        return self.labels.key if self.labels else ""

    @property
    def n_clustered(self) -> int:
        """Number of users that take part in clustering."""
        return int(self.vectors.inside.sum())


def sources() -> Sources | None:
    """The sources of the current model; None after a message on why there is nothing to cluster."""
    found = found_sources()
    if found is not None and found.n_clustered < FEWEST_USERS:
        errors.show(
            f"Only {found.n_clustered} users have two page views or more, and {FEWEST_USERS} are needed to "
            "make segments. Load an export with more users or a longer period."
        )
        return None
    return found


def found_sources() -> Sources | None:
    """The sources of the current model; None where there is no model."""
    data, run, vectors = state.dataset(), state.model(), state.embeddings()
    if data is None or run is None or vectors is None:
        return None
    root, latest = str(state.store().root), catalog.latest_labels(state.store(), data.key)
    labels = _labels(root, data.key, run.embeddings, latest.key if latest else "")
    return Sources(root, data, run.key, run.path, vectors, labels)


@st.cache_resource(max_entries=4, show_spinner=False)
def _labels(root: str, dataset: str, embeddings: str, latest: str) -> LabelledPages | None:
    return catalog.labels_of(Store(Path(root)), dataset, embeddings)
