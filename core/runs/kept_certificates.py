"""How sure segments are, measured by a long run and kept under what was judged, and by which rule.

A partition that went on from earlier ones is another one than a fit from scratch, so the key names the very
segments: their vectors, the weights, and who is in which. They are handed in as files, as only the session
that looks at them has them.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter

from core.base.errors import ArtifactError
from core.base.progress import Progress
from core.base.settings import ViewWeights
from core.data.dataset import Dataset
from core.runs import pipeline
from core.segments.partition import Partition
from core.storage.store import Artifact, Store, content_key

if TYPE_CHECKING:
    from core.segments.certificate import Certificate

CERTIFY: Final = "certify"
HANDED_IN: Final = "to_certify"
"""Folder of the store for segments that wait."""
LEFT_S: Final = 24 * 60 * 60
FILE: Final = "certificates.json"


def key_of(embeddings: str, weights: ViewWeights, digest: str) -> str:
    """Content key of the certificates of a partition, by :attr:`Partition.digest`."""
    return content_key(CERTIFY, *_made_of(embeddings, weights, digest))


def find(store: Store, key: str) -> Artifact | None:
    """What :func:`certify` has left under a key; None until it has run."""
    return store.find(CERTIFY, key)


def read(artifact: Artifact) -> dict[int, Certificate]:
    """Segment → its certificate."""
    return _certificates().validate_json((artifact.path / FILE).read_bytes())


def write(folder: Path, found: Mapping[int, Certificate]) -> None:
    """What :func:`read` reads."""
    (folder / FILE).write_bytes(_certificates().dump_json(dict(found)))


def hand_in(store: Store, embeddings: str, weights: ViewWeights, partition: Partition) -> None:
    """Leave segments where :func:`certify` finds them; what a job that ended left there a day ago goes.

    Raises:
        ResourceError: If the disk is full.
    """
    for left in (store.root / HANDED_IN).glob("[!.]*"):
        with suppress(OSError):  # another session does the same
            if time() - left.stat().st_mtime > LEFT_S:
                shutil.rmtree(left)
    made_of = _made_of(embeddings, weights, partition.digest)
    with store.write(HANDED_IN, content_key(CERTIFY, *made_of), *made_of) as folder:
        partition.to_files(folder)


def certify(
    store: Store, dataset: Dataset, embeddings: str, weights: ViewWeights, digest: str, progress: Progress
) -> str:
    """Say how sure each of the segments is that were handed in.

    Returns:
        The key that they are found under.

    Raises:
        ArtifactError: If they, or the vectors, are missing or damaged.
        Cancelled: If ``progress`` says so.
    """
    made_of = _made_of(embeddings, weights, digest)
    key = content_key(CERTIFY, *made_of)
    if find(store, key) is None:
        waiting = store.find(HANDED_IN, key)
        if waiting is None:
            raise ArtifactError("These segments were not handed in", remedy="Open Explore again")
        from core.segments.certificate import certify as certify_segments

        vectors = pipeline.combine(pipeline.open_embeddings(store, dataset, embeddings), weights).vectors
        found = certify_segments(vectors, Partition.from_files(waiting.path), progress)
        with store.write(CERTIFY, key, *made_of) as folder:
            write(folder, found)
        shutil.rmtree(waiting.path, ignore_errors=True)
    return key


def _certificates() -> TypeAdapter[dict[int, Certificate]]:
    from core.segments.certificate import Certificate

    return TypeAdapter(dict[int, Certificate])


def _made_of(
    embeddings: str, weights: ViewWeights, digest: str
) -> tuple[Mapping[str, Any], Mapping[str, str]]:
    from core.segments.certificate import VERSION

    return {"version": VERSION, "weights": weights.model_dump(), "segments": digest}, {"embed": embeddings}
