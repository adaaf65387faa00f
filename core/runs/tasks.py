"""What a job can do: each task is a stage of the pipeline, called with plain JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

from core.base.errors import InputError, SettingsError
from core.base.progress import Progress
from core.base.settings import IngestSettings, TrainSettings, ViewWeights
from core.data.dataset import Dataset, clustered
from core.data.page_labels import LabelledPages
from core.labels.fetching.fetch_outcomes import FetchOutcome, OutcomeTally
from core.labels.label_settings import LabelSettings
from core.runs import pipeline
from core.storage.store import Artifact, Store, content_key

Request: TypeAlias = Mapping[str, Any]
Result: TypeAlias = dict[str, Any]

CHOOSE_K: Final = "choose_k"
LAYOUT: Final = "layout"
LAYOUT_FILES: Final = ("xy.npy", "layout.json")
MAX_K: Final = 15


def run(task: str, root: Path, request: Request, progress: Progress) -> Result:
    """Do a task.

    Args:
        task: A key of :data:`TASKS`.
        root: The store's folder.
        request: The task's arguments.
        progress: Where to report.

    Returns:
        The keys of the artifacts that were made.

    Raises:
        SettingsError: If there is no such task.
    """
    if task not in TASKS:
        raise SettingsError(f"There is no task {task!r}", allowed=", ".join(TASKS))
    store = Store(root)
    store.sweep()
    return TASKS[task](store, request, progress)


def demo(store: Store, request: Request, progress: Progress) -> Result:
    """Make a demo shop export in ``input_dir`` and preprocess it: ``{users, seed, input_dir}``."""
    from core.sample import write_sample

    path = Path(request["input_dir"]) / f"demo_shop_{request['users']}.csv"
    write_sample(path, int(request["users"]), int(request["seed"]), progress)
    dataset = pipeline.preprocess(store, [path], IngestSettings(), progress)
    return {"dataset": dataset.key, "path": str(path)}


def inspect(store: Store, request: Request, progress: Progress) -> Result:
    """Open the headers of files: ``{paths, settings}`` → an Inspection."""
    from core.ingest.read.inspection import inspect as inspect_files

    paths = [Path(path) for path in request["paths"]]
    found = inspect_files(paths, IngestSettings.checked(**request["settings"]))
    return {"inspection": found.model_dump(mode="json")}


def preprocess(store: Store, request: Request, progress: Progress) -> Result:
    """Files to sequences: ``{paths, settings}``."""
    paths = [Path(path) for path in request["paths"]]
    settings = IngestSettings.checked(**request["settings"])
    return {"dataset": pipeline.preprocess(store, paths, settings, progress).key}


def label(store: Store, request: Request, progress: Progress) -> Result:
    """Label pages: ``{dataset, label, fetch_hosts}``; with ``model``, place all users by these labels.

    ``fetched`` of the result says what became of pages: a list of ``{outcome, pages, example, reason}``.
    """
    dataset = pipeline.open_dataset(store, request["dataset"])
    result: Result = {"dataset": dataset.key}
    if request.get("fetch_hosts"):
        result["fetched"] = _told(pipeline.fetch(store, dataset, request["fetch_hosts"], progress))
    labels = _labels(store, dataset, request, progress)
    result["labels"] = labels.key if labels else ""
    if not request.get("model"):
        return result
    model = pipeline.open_model(store, request["model"])
    embeddings = pipeline.embed(store, dataset, labels, model, progress)
    return result | {"model": model.key, "embeddings": embeddings.artifact.key}


def _told(outcomes: Mapping[FetchOutcome, OutcomeTally]) -> list[Result]:
    return [
        {"outcome": outcome, "pages": tally.count, "example": tally.page, "reason": tally.reason}
        for outcome, tally in outcomes.items()
    ]


def _labels(store: Store, dataset: Dataset, request: Request, progress: Progress) -> LabelledPages | None:
    return pipeline.label(store, dataset, LabelSettings.checked(**request["label"]), progress)


def train(store: Store, request: Request, progress: Progress) -> Result:
    """Label, train, embed, and look at K: ``{dataset, label, settings}``."""
    dataset = pipeline.open_dataset(store, request["dataset"])
    labels = _labels(store, dataset, request, progress)
    model = pipeline.train(store, dataset, labels, TrainSettings.checked(**request["settings"]), progress)
    embeddings = pipeline.embed(store, dataset, labels, model, progress)
    result = {
        "dataset": dataset.key,
        "labels": labels.key if labels else "",
        "model": model.key,
        "embeddings": embeddings.artifact.key,
    }
    with suppress(InputError):  # too few different users to compare K: the model is there all the same
        return result | choose_k(store, result | {"weights": ViewWeights().model_dump()}, progress)
    return result


def choose_k(store: Store, request: Request, progress: Progress) -> Result:
    """Silhouette and inertia over K: ``{dataset, embeddings, weights, seed}`` → scores and an artifact."""
    dumped, inputs = made_of(CHOOSE_K, request)
    key = content_key(CHOOSE_K, dumped, inputs)
    if store.find(CHOOSE_K, key) is None:
        from core.segments import choosing

        vectors, inside = _combined(store, request)
        ks = range(2, min(MAX_K, max(2, int(inside.sum()) - 1)) + 1)
        scores = choosing.scan(vectors, inside, ks, dumped["seed"], progress)
        with store.write(CHOOSE_K, key, dumped, inputs) as folder:
            (folder / "scores.json").write_text(json.dumps([asdict(score) for score in scores]))
    return {CHOOSE_K: key}


def layout(store: Store, request: Request, progress: Progress) -> Result:
    """A neighbour-preserving 2-D layout: ``{dataset, embeddings, weights, seed}`` → artifact."""
    dumped, inputs = made_of(LAYOUT, request)
    key = content_key(LAYOUT, dumped, inputs)
    if store.find(LAYOUT, key) is None:
        from core.segments.layout import neighbour_layout

        vectors, _ = _combined(store, request)
        made = neighbour_layout(vectors, dumped["seed"], progress)
        with store.write(LAYOUT, key, dumped, inputs) as folder:
            np.save(folder / LAYOUT_FILES[0], made.xy, allow_pickle=False)
            facts = {"method": made.method, "fidelity": made.fidelity}
            (folder / LAYOUT_FILES[1]).write_text(json.dumps(facts))
    return {LAYOUT: key}


def made_of(task: str, request: Request) -> tuple[dict[str, Any], dict[str, str]]:
    """Settings and inputs that the artifact of :func:`choose_k` or :func:`layout` is named by."""
    settings = {"weights": request["weights"], "seed": int(request.get("seed", 0))}
    if task == CHOOSE_K:
        settings["max_k"] = MAX_K
    return settings, {"embed": request["embeddings"]}


def find(store: Store, task: str, request: Request) -> Artifact | None:
    """What :func:`choose_k` or :func:`layout` made for a request; None until it has run."""
    return store.find(task, content_key(task, *made_of(task, request)))


def scorecard(store: Store, request: Request, progress: Progress) -> Result:
    """The model beside simple ways: ``{dataset, labels, model, embeddings, n_clusters, outcome}`` → artifact.

    ``labels`` and ``outcome`` are empty where there are none.
    """
    from core.trust import result

    embeddings, n_clusters, outcome = request["embeddings"], int(request["n_clusters"]), request["outcome"]
    dumped, inputs = result.made_of(embeddings, n_clusters, outcome)
    key = content_key(result.STAGE, dumped, inputs)
    if store.find(result.STAGE, key) is None:
        from core.trust.measure import measure

        dataset = pipeline.open_dataset(store, request["dataset"])
        labels = pipeline.open_labels(store, request["labels"]) if request["labels"] else None
        model = pipeline.open_model(store, request["model"])
        views = pipeline.open_embeddings(store, embeddings).views
        card = measure(dataset, labels, model.path, views, n_clusters, outcome, progress)
        with store.write(result.STAGE, key, dumped, inputs) as folder:
            (folder / result.FILE).write_text(card.to_json(), encoding="utf-8")
    return {"scorecard": key}


def rest(store: Store, request: Request, progress: Progress) -> Result:
    """Do nothing for a while: ``{seconds, bytes}``; what the tests of the job machinery run."""
    _held = bytearray(int(request.get("bytes", 0)))
    steps = max(1, round(request["seconds"] / 0.1))
    for step in range(steps):
        time.sleep(0.1)
        progress("rest", (step + 1) / steps, step=step + 1)
    return {"rested": request["seconds"]}


def _combined(store: Store, request: Request) -> tuple[np.ndarray, np.ndarray]:
    from core.segments.combination import combine

    dataset = pipeline.open_dataset(store, request["dataset"])
    embeddings = pipeline.open_embeddings(store, request["embeddings"])
    inside = clustered(dataset.users)
    weights = ViewWeights.checked(**request["weights"])
    return combine(embeddings.views, weights, inside).vectors, inside


TASKS: Final[dict[str, Callable[[Store, Request, Progress], Result]]] = {
    "demo": demo,
    "inspect": inspect,
    "preprocess": preprocess,
    "label": label,
    "train": train,
    CHOOSE_K: choose_k,
    LAYOUT: layout,
    "scorecard": scorecard,
    "rest": rest,
}
