"""What an analyst did with a model's segments, kept beside the other results: partition and names.

A session that is opened again (F5, another tab, a restarted server) goes on with the same segments,
numbers, colours and names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from core.errors import Beha2VecError
from core.segments.partition import Partition
from core.settings import ViewWeights
from core.store import Store, write_text_atomic

STAGE: Final = "workbench"
LONGEST_NAME: Final = 60


@dataclass(frozen=True)
class Kept:
    """The segments that were on screen last.

    Args:
        weights: The weights they were made with.
        partition: The segments.
    """

    weights: ViewWeights
    partition: Partition


def keep(store: Store, embeddings: str, kept: Kept) -> None:
    """Write the segments on screen, in place of the ones before.

    Raises:
        ResourceError: If the disk is full.
    """
    settings = {"weights": kept.weights.model_dump(), "cluster": kept.partition.settings.model_dump()}
    with store.write(STAGE, embeddings, settings, {"embed": embeddings}) as folder:
        kept.partition.to_files(folder)


def recall(store: Store, embeddings: str, n_users: int) -> Kept | None:
    """Read the segments that were on screen last; None when there are none for these users."""
    try:
        artifact = store.find(STAGE, embeddings)
        if artifact is None:
            return None
        kept = Kept(ViewWeights.checked(**artifact.settings["weights"]), Partition.from_files(artifact.path))
    except (Beha2VecError, OSError, KeyError):  # another session is replacing it at this moment
        return None
    return kept if len(kept.partition.labels) == n_users else None


def names(store: Store, embeddings: str) -> dict[int, str]:
    """The analyst's own names of segments."""
    path = store.root / STAGE / f"{embeddings}.names.json"
    try:
        return {int(segment): str(name) for segment, name in json.loads(path.read_text()).items()}
    except (OSError, ValueError, AttributeError):
        return {}


def rename(store: Store, embeddings: str, changes: Mapping[int, str]) -> dict[int, str]:
    """Change names; an empty one takes the name away.

    Returns:
        All names as they are now.

    Raises:
        ResourceError: If the disk is full; the old names are still there.
    """
    tidy = {segment: " ".join(name.split())[:LONGEST_NAME] for segment, name in changes.items()}
    kept = {segment: name for segment, name in sorted((names(store, embeddings) | tidy).items()) if name}
    write_text_atomic(store.root / STAGE / f"{embeddings}.names.json", json.dumps(kept, ensure_ascii=False))
    return kept
