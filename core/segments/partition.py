"""The partition of users into segments, which clustering makes, and its files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np
from pydantic import TypeAdapter

from core.base.errors import ArtifactError, Beha2VecError
from core.base.schema import OUTSIDE, SET_ASIDE
from core.base.settings import ClusterSettings
from core.segments.edits import Edit
from core.storage.disk import disk_errors, load_array, load_arrays

LABELS: Final = "labels.npy"
CENTROIDS: Final = "centroids.npy"
LEARNED: Final = "learned.npz"
FACTS: Final = "partition.json"


@dataclass(frozen=True, eq=False)
class Partition:
    """The segment of each user, and all that new users are assigned by.

    Args:
        labels: int32 of shape (n_users,): a value of ``ids``, ``SET_ASIDE`` for users of segments that
            were set aside, or ``OUTSIDE`` for users outside clustering.
        centroids: float32 of shape (k, d), the mean vector of each segment.
        ids: int32 of shape (k,), ascending: the id of each centroid's segment. A cold fit numbers segments
            by size, largest first; later fits keep the ids of the segments they continue.
        inertia: Sum of squared distances of the clustered users to their centroids.
        n_iter: Rounds that the last fit took; 0 where there are none.
        warm: Whether it went on from earlier segments.
        settings: Settings of the clustering.
        learned: Arrays that changes by hand were decided by, with the ``centroids`` and ``ids`` that
            clustering led to; empty without such changes.
        edits: Changes by hand since clustering (:mod:`core.segments.editing`).

    Raises:
        ArtifactError: If the parts do not fit together.
    """

    labels: np.ndarray
    centroids: np.ndarray
    ids: np.ndarray
    inertia: float
    n_iter: int
    warm: bool
    settings: ClusterSettings
    learned: Mapping[str, np.ndarray] = field(default_factory=dict)
    edits: tuple[Edit, ...] = ()

    def __post_init__(self) -> None:
        fits = (
            self.labels.ndim == 1
            and self.centroids.shape[:1] == self.ids.shape
            and bool(np.all(np.diff(self.ids) > 0))
            and set(np.unique(self.labels).tolist()) <= {SET_ASIDE, OUTSIDE, *self.ids.tolist()}
        )
        if not fits:
            raise ArtifactError("The segments do not fit together", remedy="Cluster again")

    @cached_property
    def digest(self) -> str:
        """Hash of labels, ids, centroids, settings and changes by hand, which identifies the partition."""
        parts = [part.tobytes() for part in (self.labels, self.ids, self.centroids)]
        parts.append(self.settings.model_dump_json(exclude={"auto"}).encode())
        parts += [edit.model_dump_json().encode() for edit in self.edits]
        return hashlib.blake2b(b"".join(parts), digest_size=12).hexdigest()

    @property
    def sizes(self) -> dict[int, int]:
        """Segment → number of its users."""
        return {int(segment): int((self.labels == segment).sum()) for segment in self.ids}

    def to_files(self, folder: Path) -> None:
        """Write ``labels.npy``, ``centroids.npy`` and ``partition.json`` into a folder, made if absent.

        ``learned.npz`` is added where something was changed by hand.

        Raises:
            ResourceError: If the disk is full.
        """
        facts = {
            "ids": self.ids.tolist(),
            "inertia": self.inertia,
            "n_iter": self.n_iter,
            "warm": self.warm,
            "settings": self.settings.model_dump(mode="json"),
            "edits": [edit.model_dump(mode="json") for edit in self.edits],
        }
        with disk_errors():
            folder.mkdir(parents=True, exist_ok=True)
            np.save(folder / LABELS, self.labels, allow_pickle=False)
            np.save(folder / CENTROIDS, self.centroids, allow_pickle=False)
            if self.learned:
                np.savez(folder / LEARNED, allow_pickle=False, **self.learned)
            (folder / FACTS).write_text(json.dumps(facts), encoding="utf-8")

    @classmethod
    def from_files(cls, folder: Traversable) -> Partition:
        """Read a partition that :meth:`to_files` wrote.

        Raises:
            ArtifactError: If a file is missing or damaged.
        """
        try:
            facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
            if (way := facts["settings"].get("algorithm", "kmeans")) != "kmeans":  # of an earlier release
                raise ValueError(f"they were made by {way}, and only K-Means places users now")
            return cls(
                labels=load_array(folder / LABELS),
                centroids=load_array(folder / CENTROIDS),
                ids=np.array(facts["ids"], dtype=np.int32),
                inertia=float(facts["inertia"]),
                n_iter=int(facts["n_iter"]),
                warm=bool(facts["warm"]),
                settings=ClusterSettings.checked(**facts["settings"]),
                learned=load_arrays(folder / LEARNED) if (folder / LEARNED).is_file() else {},
                edits=_EDITS.validate_python(facts.get("edits", ())),
            )
        except (OSError, ValueError, KeyError, TypeError, BadZipFile, Beha2VecError) as error:
            raise ArtifactError(f"{folder} holds no segments: {error}", remedy="Cluster again") from error


_EDITS: Final = TypeAdapter(tuple[Edit, ...])
