"""Steps after the vectors whose results are kept in the store: a row of a table for each.

A step is asked with JSON that is checked. Its result lies under what it is made of, so that whoever asks for
it again finds it; a job of its name makes it in the background. Adding a step: a request, a function that
makes it, one that reads it, and a row of :data:`KEPT_STAGES`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias, TypeVar

import numpy as np

from core.base.errors import ArtifactError
from core.base.progress import Progress
from core.base.schema import RESERVED, Pages
from core.base.settings import Settings, ViewWeights
from core.runs import artifacts, later_export, pipeline, second_training
from core.runs.artifacts import TrainedRequest
from core.runs.later_export import LaterRequest
from core.segments.partition import Partition
from core.storage.dataset import is_clustered
from core.storage.page_labels import COLUMN_OF
from core.storage.store import Artifact, Store, content_key

if TYPE_CHECKING:
    from core.model.trust.result import Scorecard
    from core.segments.certificate import Certificate
    from core.segments.layout import Layout
    from core.segments.levels import SegmentLevels

MadeOf: TypeAlias = tuple[Mapping[str, Any], Mapping[str, str]]
"""What a content key is made of: settings (with a version), and name → content key of each input."""
Asked = TypeVar("Asked", bound=Settings)
Made = TypeVar("Made")

HANDED_IN: Final = "to_certify"
"""Folder of the store for segments that wait to be certified."""
_LEFT_S: Final = 24 * 60 * 60


@dataclass(frozen=True)
class PipelineStage:
    """A stage of the app: its name on disk, and its titles on screen.

    Args:
        name: Folder of the store for its results, and the task that makes them.
        title: What its result is called.
        doing: What a job of it does, such as ``Training``, for its panel.
    """

    name: str
    title: str
    doing: str


@dataclass(frozen=True)
class KeptStage(PipelineStage, Generic[Asked, Made]):
    """A stage that can be run in the background and keeps its result in the store.

    Args:
        request: Type of its request.
        made_of: Request → what the content key of its result is made of.
        make: Makes the result, as files in the given folder.
        read: Reads it from there.
        clear: Removes input that waited in the store, once the result is kept; None where none does.
    """

    request: type[Asked]
    made_of: Callable[[Asked], MadeOf]
    make: Callable[[Store, Asked, Path, Progress], None]
    read: Callable[[Path], Made]
    clear: Callable[[Store, Asked], None] | None = None

    def key(self, request: Asked) -> str:
        """Content key of the result."""
        return content_key(self.name, *self.made_of(request))

    def artifact(self, store: Store, request: Asked) -> Artifact | None:
        """Where the result lies; None until it was made."""
        return store.find(self.name, self.key(request))

    def find(self, store: Store, request: Asked) -> Made | None:
        """Read the result; None until it was made.

        Raises:
            ArtifactError: If it cannot be read.
        """
        artifact = self.artifact(store, request)
        return None if artifact is None else self.read(artifact.path)

    def writing(self, store: Store, request: Asked) -> AbstractContextManager[Path]:
        """Context with a folder for the files of the result; when it ends, :meth:`find` finds them.

        Raises:
            ResourceError: If the disk is full.
        """
        return store.write(self.name, self.key(request), *self.made_of(request))

    def run(self, store: Store, request: Asked, progress: Progress) -> dict[str, Any]:
        """Make the result unless it is there: the task of a job.

        Returns:
            The stage's name → the key of the result.

        Raises:
            Cancelled: If ``progress`` says so.
        """
        if not self._is_made(store, request):
            with self.writing(store, request) as folder:
                self.make(store, request, folder, progress)
        if self.clear is not None:
            self.clear(store, request)
        return {self.name: self.key(request)}

    def _is_made(self, store: Store, request: Asked) -> bool:
        with suppress(ArtifactError):  # what cannot be read is made again
            return self.find(store, request) is not None
        return False


class LevelsRequest(Settings):
    """Content keys of a data set and of the labels of its pages."""

    dataset: str
    labels: str
    """Empty where there are none."""


class VectorsRequest(Settings):
    """Content keys of a data set and its vectors, and the weights to mix them by."""

    dataset: str
    embeddings: str
    weights: ViewWeights
    seed: int = 0


class CertifyRequest(Settings):
    """Segments stored by :func:`store_segments`: content keys of their data set and vectors, weights."""

    dataset: str
    embeddings: str
    weights: ViewWeights
    digest: str
    """Digest of the partition."""


class ScorecardRequest(Settings):
    """Vectors to compare with simple ways: content keys (``labels`` may be empty), weights, outcomes."""

    dataset: str
    labels: str
    model: str
    embeddings: str
    weights: ViewWeights
    outcomes: tuple[str, ...]


def _known(names: list[str]) -> list[str]:
    return ["" if name in RESERVED else name for name in names]


def _levels_made_of(request: LevelsRequest) -> MadeOf:
    return {"version": 9}, {"preprocess": request.dataset} | (
        {"label": request.labels} if request.labels else {}
    )


def _make_levels(store: Store, request: LevelsRequest, folder: Path, progress: Progress) -> None:
    from core.segments.level_search import measure_levels

    dataset, labels = artifacts.open_labelled(store, request.dataset, request.labels)
    names = {view.value: _known(labels.of(view)) for view in COLUMN_OF} if labels else {}
    urls, users = dataset.pages[Pages.PAGE_LOCATION].tolist(), np.flatnonzero(is_clustered(dataset.users))
    levels = measure_levels(dataset.sequences, users, urls, names, progress)
    (folder / "levels.json").write_text(levels.to_json(), encoding="utf-8")


def _read_levels(folder: Path) -> SegmentLevels:
    from core.segments.levels import SegmentLevels

    return SegmentLevels.from_json((folder / "levels.json").read_bytes())


def _layout_made_of(request: VectorsRequest) -> MadeOf:
    return {"weights": request.weights.model_dump(), "seed": request.seed}, {"embed": request.embeddings}


def _make_layout(store: Store, request: VectorsRequest, folder: Path, progress: Progress) -> None:
    from core.segments.layout import neighbour_layout

    vectors = _combined(store, request.dataset, request.embeddings, request.weights)
    neighbour_layout(vectors, request.seed, progress).to_files(folder)


def _read_layout(folder: Path) -> Layout:
    from core.segments.layout import Layout

    return Layout.from_files(folder)


def store_segments(store: Store, request: CertifyRequest, partition: Partition) -> None:
    """Store segments for :data:`CERTIFICATES`, as only the session that looks at them has them.

    A partition that went on from earlier ones is another one than a fit from scratch. What a job that ended
    left there a day ago goes.

    Raises:
        ResourceError: If the disk is full.
    """
    for left in (store.root / HANDED_IN).glob("[!.]*"):
        with suppress(OSError):  # another session does the same
            if time() - left.stat().st_mtime > _LEFT_S:
                shutil.rmtree(left)
    with store.write(HANDED_IN, CERTIFICATES.key(request), *_certificates_made_of(request)) as folder:
        partition.to_files(folder)


def _certificates_made_of(request: CertifyRequest) -> MadeOf:
    from core.segments.certificate import VERSION

    settings = {"version": VERSION, "weights": request.weights.model_dump(), "segments": request.digest}
    return settings, {"embed": request.embeddings}


def _make_certificates(store: Store, request: CertifyRequest, folder: Path, progress: Progress) -> None:
    from core.segments.certificate import certify, write_certificates

    waiting = store.find(HANDED_IN, CERTIFICATES.key(request))
    if waiting is None:
        raise ArtifactError("These segments were not handed in", remedy="Open Segments again")
    vectors = _combined(store, request.dataset, request.embeddings, request.weights)
    write_certificates(folder, certify(vectors, Partition.from_files(waiting.path), progress))


def _read_certificates(folder: Path) -> Mapping[int, Certificate]:
    from core.segments.certificate import read_certificates

    return read_certificates(folder)


def _clear_handed_in(store: Store, request: CertifyRequest) -> None:
    shutil.rmtree(store.root / HANDED_IN / CERTIFICATES.key(request), ignore_errors=True)


def _scorecard_made_of(request: ScorecardRequest) -> MadeOf:
    from core.model.trust.result import VERSION

    chosen = request.outcomes
    settings = {
        "version": VERSION,
        "weights": request.weights.model_dump(),
        "outcome": next(iter(chosen), "") if len(chosen) < 2 else list(chosen),  # a single one as before
    }
    return settings, {"embed": request.embeddings}


def _make_scorecard(store: Store, request: ScorecardRequest, folder: Path, progress: Progress) -> None:
    from core.model.trust.measure import measure_scorecard
    from core.segments.combination import scaled_weights

    dataset, labels = artifacts.open_labelled(store, request.dataset, request.labels)
    model = artifacts.open_model(store, request.model)
    embeddings = artifacts.open_embeddings(store, dataset, request.embeddings)
    weights = scaled_weights(request.weights, embeddings.coverage)
    views, outcomes = embeddings.views, request.outcomes
    card = measure_scorecard(dataset, labels, model.path, views, weights, outcomes, progress)
    (folder / "scorecard.json").write_text(card.to_json(), encoding="utf-8")


def _read_scorecard(folder: Path) -> Scorecard:
    from core.model.trust.result import Scorecard

    return Scorecard.from_json((folder / "scorecard.json").read_bytes())


def _combined(store: Store, dataset: str, embeddings: str, weights: ViewWeights) -> np.ndarray:
    opened = artifacts.open_embeddings(store, artifacts.open_dataset(store, dataset), embeddings)
    return pipeline.combine(opened, weights).vectors


_PREPROCESS: Final = PipelineStage("preprocess", "prepared data", "Preparing the data")
_LABEL: Final = PipelineStage("label", "labels of pages", "Labelling pages")
_TRAIN: Final = PipelineStage("train", "trained model", "Training")
EMBED: Final = PipelineStage("embed", "vectors of users", "Making a vector for every user")
LEVELS: Final = KeptStage(
    name="choose_k", title="comparison of numbers of segments", doing="Comparing numbers of segments",
    request=LevelsRequest, made_of=_levels_made_of, make=_make_levels, read=_read_levels,
)  # fmt: skip
LAYOUT: Final = KeptStage(
    name="layout", title="map", doing="Drawing the map",
    request=VectorsRequest, made_of=_layout_made_of, make=_make_layout, read=_read_layout,
)  # fmt: skip
CERTIFICATES: Final = KeptStage(
    name="certify", title="how stable segments are", doing="Measuring how stable each segment is",
    request=CertifyRequest, made_of=_certificates_made_of, make=_make_certificates, read=_read_certificates,
    clear=_clear_handed_in,
)  # fmt: skip
SCORECARD: Final = KeptStage(
    name="scorecard", title="comparison with simple ways", doing="Comparing the model with simple ways",
    request=ScorecardRequest, made_of=_scorecard_made_of, make=_make_scorecard, read=_read_scorecard,
)  # fmt: skip
SECOND_TRAINING: Final = KeptStage(
    name=second_training.NAME, title="vectors of another training", doing="Training once more",
    request=TrainedRequest, made_of=second_training.made_of, make=second_training.train_again, read=Path,
    clear=second_training.clear,
)  # fmt: skip
LATER_EXPORT: Final = KeptStage(
    name="later_export", title="placed later export", doing="Placing the later export",
    request=LaterRequest, made_of=later_export.made_of, make=later_export.embed_later, read=Path,
)  # fmt: skip
KEPT_STAGES: Final[tuple[KeptStage[Any, Any], ...]] = (
    LEVELS, LAYOUT, CERTIFICATES, SCORECARD, SECOND_TRAINING, LATER_EXPORT
)  # fmt: skip
ALL_STAGES: Final[tuple[PipelineStage, ...]] = (_PREPROCESS, _LABEL, _TRAIN, EMBED, *KEPT_STAGES)
