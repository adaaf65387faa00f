"""What a job can do: each task is a stage of the pipeline, asked for in JSON that is checked."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

from core.base.errors import SettingsError
from core.base.progress import Progress
from core.base.settings import Encoder, IngestSettings, Settings, TrainSettings, ViewWeights
from core.labels.fetching.fetch_outcomes import FetchOutcome, OutcomeTally
from core.labels.label_settings import LabelSettings
from core.runs import (
    kept_certificates,
    kept_levels,
    kept_watches,
    later_export,
    pipeline,
    read_from,
    second_training,
)
from core.runs.later_stages import LaterStages
from core.storage.store import Artifact, Store, content_key

Result: TypeAlias = dict[str, Any]
Tasks: TypeAlias = Mapping[str, tuple[type[Settings], Callable[[Store, Any, Progress], Result]]]

CERTIFY: Final = kept_certificates.CERTIFY
CHOOSE_K: Final = kept_levels.CHOOSE_K
TRAIN_AGAIN: Final = second_training.FOLDER
LAYOUT: Final = "layout"
LATER_EXPORT: Final = later_export.STAGE
LAYOUT_FILES: Final = ("xy.npy", "layout.json")


class DemoRequest(Settings):
    """A demo shop export to make in ``input_dir``."""

    input_dir: Path
    users: int
    seed: int


class LabelRequest(Settings):
    """A data set and how its pages are labelled; keys of artifacts are empty where there are none."""

    dataset: str
    label: LabelSettings
    asked: str = ""
    """Identity of the language model that may be asked."""
    fetch_hosts: tuple[str, ...] = ()
    """Hosts whose pages are fetched first."""
    model: str = ""
    """The model that places all users by these labels."""


class TrainRequest(Settings):
    """A data set, how its pages are labelled, and how the model is trained."""

    dataset: str
    label: LabelSettings
    asked: str = ""
    """Identity of the language model that may be asked."""
    settings: TrainSettings


class ForgetRequest(Settings):
    """Users to forget in the store."""

    ids: Path
    """A file with them, an id a line, which is removed as soon as it was read."""
    input_dir: Path | None = None
    """Files of tables that are written anew without these users; None leaves all as they are."""
    preview: bool = False
    """Say what would go, and change nothing."""


class VectorsRequest(Settings):
    """The vectors of a data set's users, mixed by these weights."""

    dataset: str
    embeddings: str
    weights: ViewWeights
    seed: int = 0


class LevelsRequest(Settings):
    """A data set and the labels of its pages."""

    dataset: str
    labels: str
    """Empty where there are none."""


class AgainRequest(Settings):
    """A model, and what it was trained on; ``labels`` is empty where there are none."""

    dataset: str
    labels: str
    model: str


class LaterRequest(AgainRequest):
    """A model, what it was trained on, and a later export to be placed by it."""

    later: str
    paths: tuple[Path, ...] = ()
    """The files of the later export, where they are still there."""


class CertifyRequest(Settings):
    """Segments that were handed in (:func:`core.runs.kept_certificates.hand_in`)."""

    dataset: str
    embeddings: str
    weights: ViewWeights
    digest: str
    """Of the partition."""


class ScorecardRequest(Settings):
    """Vectors to judge; ``labels`` and ``outcomes`` are empty where there are none."""

    dataset: str
    labels: str
    model: str
    embeddings: str
    weights: ViewWeights
    outcomes: tuple[str, ...]


def run(
    task: str, root: Path, request: Mapping[str, Any], progress: Progress, tasks: Tasks | None = None
) -> Result:
    """Do a task.

    Args:
        task: A key of ``tasks``.
        root: The store's folder.
        request: The values of the task's request, plain JSON.
        progress: Where to report.
        tasks: :data:`TASKS` if None.

    Returns:
        The keys of the artifacts that were made.

    Raises:
        SettingsError: If there is no such task, or the request is not one of it.
    """
    tasks = TASKS if tasks is None else tasks
    if task not in tasks:
        raise SettingsError(f"There is no task {task!r}", allowed=", ".join(tasks))
    kind, do = tasks[task]
    asked = kind.checked(**request)
    store = Store(root)
    store.sweep()
    return do(store, asked, progress)


def demo(store: Store, request: DemoRequest, progress: Progress) -> Result:
    """Make a demo shop export and preprocess it."""
    from core.sample import write_sample

    path = request.input_dir / f"demo_shop_{request.users}.csv"
    write_sample(path, request.users, request.seed, progress)
    dataset = pipeline.preprocess(store, (path,), IngestSettings(), progress)
    read_from.keep(dataset, (path,))
    return {"dataset": dataset.key, "path": str(path)}


def label(store: Store, request: LabelRequest, progress: Progress) -> Result:
    """Label pages; with a model, place all users by these labels.

    ``fetched`` of the result says what became of pages: a list of ``{outcome, pages, example, reason}``.
    """
    dataset = pipeline.open_dataset(store, request.dataset)
    result: Result = {"dataset": dataset.key}
    if request.fetch_hosts:
        result["fetched"] = _told(pipeline.fetch(store, dataset, request.fetch_hosts, progress))
    labels = pipeline.label(store, dataset, request.label, progress)
    result["labels"] = labels.key if labels else ""
    if not request.model:
        return result
    model = pipeline.open_model(store, request.model)
    embeddings = pipeline.embed(store, dataset, labels, model, progress)
    return result | {"model": model.key, "embeddings": embeddings.artifact.key}


def _told(outcomes: Mapping[FetchOutcome, OutcomeTally]) -> list[Result]:
    return [
        {"outcome": outcome, "pages": tally.count, "example": tally.page, "reason": tally.reason}
        for outcome, tally in outcomes.items()
    ]


def train(store: Store, request: TrainRequest, progress: Progress) -> Result:
    """Label, train, embed, draw the map, and find out how many segments the users support.

    The last is not for a bag of pages, which is there for those who want segments at once. Where one of the
    last two fails, Explore starts it again, and shows why.
    """
    dataset = pipeline.open_dataset(store, request.dataset)
    labels = pipeline.label(store, dataset, request.label, progress)
    model = pipeline.train(store, dataset, labels, request.settings, progress)
    vectors = pipeline.embed(store, dataset, labels, model, progress).artifact.key
    result = {
        "dataset": dataset.key,
        "labels": labels.key if labels else "",
        "model": model.key,
        "embeddings": vectors,
    }
    mixed = VectorsRequest(dataset=dataset.key, embeddings=vectors, weights=ViewWeights())
    compared = LevelsRequest(dataset=result["dataset"], labels=result["labels"])
    with tempfile.TemporaryDirectory() as log:
        attempt = LaterStages(Path(log)).attempt
        result |= attempt(LAYOUT, partial(layout, store, mixed, progress), {})
        if request.settings.encoder is not Encoder.BAG:
            result |= attempt(CHOOSE_K, partial(choose_k, store, compared, progress), {})
    return result


def forget(store: Store, request: ForgetRequest, progress: Progress) -> Result:
    """Remove what holds an id or was made of it, and search every byte: a certificate; or a preview."""
    from core.runs.forgetting import forget as forgetting
    from core.runs.forgetting.handing import keep, take
    from core.runs.forgetting.places import SearchedPlaces

    patterns = forgetting.ids_of(take(request.ids))
    places = SearchedPlaces(store.root, inputs=(request.input_dir,) if request.input_dir else ())
    if request.preview:
        return {"preview": forgetting.preview(places, patterns, progress).to_plain()}
    certificate = forgetting.forget(places, patterns, progress)
    keep(store, certificate)
    return {"certificate": certificate.to_json(), "clean": certificate.is_clean, "said": certificate.sentence}


def choose_k(store: Store, request: LevelsRequest, progress: Progress) -> Result:
    """Numbers of segments that users support → artifact."""
    dataset = pipeline.open_dataset(store, request.dataset)
    labels = pipeline.open_labels(store, request.labels) if request.labels else None
    kept_levels.compare_k(store, dataset, labels, progress)
    return {CHOOSE_K: kept_levels.levels_key(request.dataset, request.labels)}


def train_again(store: Store, request: AgainRequest, progress: Progress) -> Result:
    """Another training with another seed → its vectors, in a store of its own."""
    dataset = pipeline.open_dataset(store, request.dataset)
    labels = pipeline.open_labels(store, request.labels) if request.labels else None
    model = pipeline.open_model(store, request.model)
    made = second_training.train_again(store, dataset, labels, model, progress)
    return {TRAIN_AGAIN: made.artifact.key}


def embed_later(store: Store, request: LaterRequest, progress: Progress) -> Result:
    """The users of a later export on the frozen model → artifact."""
    trained = later_export.Trained(
        dataset=pipeline.open_dataset(store, request.dataset),
        labels=pipeline.open_labels(store, request.labels) if request.labels else None,
        model=pipeline.open_model(store, request.model),
    )
    later = pipeline.open_dataset(store, request.later)
    return {LATER_EXPORT: later_export.embed_later(store, trained, later, request.paths, progress)}


def certify(store: Store, request: CertifyRequest, progress: Progress) -> Result:
    """How sure each segment is → artifact."""
    dataset = pipeline.open_dataset(store, request.dataset)
    made_from = (request.embeddings, request.weights, request.digest)
    return {CERTIFY: kept_certificates.certify(store, dataset, *made_from, progress)}


def watch(store: Store, request: kept_watches.WatchRequest, progress: Progress) -> Result:
    """Watch a folder; only Cancel ends it."""
    kept_watches.keep_watching(store, request, progress)
    return {}


def layout(store: Store, request: VectorsRequest, progress: Progress) -> Result:
    """A neighbour-preserving 2-D layout → artifact."""
    dumped, inputs = made_of(request)
    key = content_key(LAYOUT, dumped, inputs)
    if store.find(LAYOUT, key) is None:
        from core.segments.layout import neighbour_layout

        vectors, _ = _combined(store, request)
        made = neighbour_layout(vectors, request.seed, progress)
        with store.write(LAYOUT, key, dumped, inputs) as folder:
            np.save(folder / LAYOUT_FILES[0], made.xy, allow_pickle=False)
            facts = {"method": made.method, "fidelity": made.fidelity}
            (folder / LAYOUT_FILES[1]).write_text(json.dumps(facts))
    return {LAYOUT: key}


def made_of(request: VectorsRequest) -> tuple[dict[str, Any], dict[str, str]]:
    """Settings and inputs that the artifact of :func:`layout` is named by."""
    settings = {"weights": request.weights.model_dump(), "seed": request.seed}
    return settings, {"embed": request.embeddings}


def find_layout(store: Store, request: VectorsRequest) -> Artifact | None:
    """What :func:`layout` made for a request; None until it has run."""
    return store.find(LAYOUT, content_key(LAYOUT, *made_of(request)))


def scorecard(store: Store, request: ScorecardRequest, progress: Progress) -> Result:
    """The model beside simple ways → artifact."""
    from core.trust import result

    dumped, inputs = result.made_of(request.embeddings, request.weights, request.outcomes)
    key = content_key(result.STAGE, dumped, inputs)
    if store.find(result.STAGE, key) is None:
        from core.segments.combination import counted
        from core.trust.measure import measure

        dataset = pipeline.open_dataset(store, request.dataset)
        labels = pipeline.open_labels(store, request.labels) if request.labels else None
        model = pipeline.open_model(store, request.model)
        embeddings = pipeline.open_embeddings(store, dataset, request.embeddings)
        card = measure(
            dataset, labels, model.path, embeddings.views,
            counted(request.weights, embeddings.coverage), request.outcomes, progress,
        )  # fmt: skip
        with store.write(result.STAGE, key, dumped, inputs) as folder:
            (folder / result.FILE).write_text(card.to_json(), encoding="utf-8")
    return {"scorecard": key}


def _combined(store: Store, request: VectorsRequest) -> tuple[np.ndarray, np.ndarray]:
    dataset = pipeline.open_dataset(store, request.dataset)
    embeddings = pipeline.open_embeddings(store, dataset, request.embeddings)
    return pipeline.combine(embeddings, request.weights).vectors, embeddings.inside


TASKS: Final[Tasks] = {
    "demo": (DemoRequest, demo),
    "label": (LabelRequest, label),
    "train": (TrainRequest, train),
    CHOOSE_K: (LevelsRequest, choose_k),
    TRAIN_AGAIN: (AgainRequest, train_again),
    LATER_EXPORT: (LaterRequest, embed_later),
    CERTIFY: (CertifyRequest, certify),
    LAYOUT: (VectorsRequest, layout),
    kept_watches.TASK: (kept_watches.WatchRequest, watch),
    "scorecard": (ScorecardRequest, scorecard),
    "forget": (ForgetRequest, forget),
}
"""Task → what it is asked with, and what does it."""
