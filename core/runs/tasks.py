"""Tasks of a job: each is a stage of the pipeline, asked for in JSON that is checked."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias

from core.base.errors import SettingsError
from core.base.progress import Progress
from core.base.settings import Encoder, IngestSettings, Settings, TrainSettings, ViewWeights
from core.labels.fetching.fetch_outcomes import FetchOutcome, OutcomeTally
from core.labels.label_settings import LabelSettings
from core.runs import app_watches, artifacts, input_paths, pipeline, stages
from core.runs.later_stages import LaterStages
from core.runs.stages import LAYOUT, LEVELS, LevelsRequest, VectorsRequest
from core.storage.store import Store

Result: TypeAlias = dict[str, Any]
Tasks: TypeAlias = Mapping[str, tuple[type[Settings], Callable[[Store, Any, Progress], Result]]]


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
    """Model and server of the language model that may be asked (``LlmSettings.identity``); empty for none."""
    fetch_hosts: tuple[str, ...] = ()
    """Hosts whose pages are fetched first."""
    model: str = ""
    """Content key of the model that embeds all users with these labels; empty for none."""


class TrainRequest(Settings):
    """Content key of a data set, how its pages are labelled, and how the model is trained."""

    dataset: str
    label: LabelSettings
    asked: str = ""
    """Model and server of the language model that may be asked (``LlmSettings.identity``); empty for none."""
    settings: TrainSettings


class ForgetRequest(Settings):
    """Users to forget in the store."""

    ids: Path
    """A file with them, an id a line, which is removed as soon as it was read."""
    input_dir: Path | None = None
    """Files of tables that are written anew without these users; None leaves all as they are."""
    preview: bool = False
    """Whether to say only what would go, and change nothing."""


def run(
    task: str, root: Path, request: Mapping[str, Any], progress: Progress, tasks: Tasks | None = None
) -> Result:
    """Carry out a task by its name.

    Args:
        task: A key of ``tasks``.
        root: The store's folder.
        request: The values of the task's request, plain JSON.
        progress: Where to report.
        tasks: :data:`TASKS` if None.

    Returns:
        What the task returns as plain JSON: mostly stage → content key of the artifact.

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


def _demo(store: Store, request: DemoRequest, progress: Progress) -> Result:
    """Make a demo shop export and preprocess it."""
    from core.ingest.sample import write_sample

    path = request.input_dir / f"demo_shop_{request.users}.csv"
    write_sample(path, request.users, request.seed, progress)
    dataset = pipeline.preprocess(store, (path,), IngestSettings(), progress)
    input_paths.save_paths(dataset, (path,))
    return {"dataset": dataset.key, "path": str(path)}


def _label(store: Store, request: LabelRequest, progress: Progress) -> Result:
    """Label pages; with a model, also embed all users with these labels.

    ``fetched`` of the result says what became of pages: a list of ``{outcome, pages, example, reason}``.
    """
    dataset = artifacts.open_dataset(store, request.dataset)
    result: Result = {"dataset": dataset.key}
    if request.fetch_hosts:
        result["fetched"] = _told(pipeline.fetch(store, dataset, request.fetch_hosts, progress))
    labels = pipeline.label(store, dataset, request.label, progress)
    result["labels"] = labels.key if labels else ""
    if not request.model:
        return result
    model = artifacts.open_model(store, request.model)
    embeddings = pipeline.embed(store, dataset, labels, model, progress)
    return result | {"model": model.key, "embeddings": embeddings.artifact.key}


def _told(outcomes: Mapping[FetchOutcome, OutcomeTally]) -> list[Result]:
    return [
        {"outcome": outcome, "pages": tally.count, "example": tally.page, "reason": tally.reason}
        for outcome, tally in outcomes.items()
    ]


def train(store: Store, request: TrainRequest, progress: Progress) -> Result:
    """Label, train, embed, draw the map, and find out how many segments the users support.

    Returns the content keys of all that was made. A bag of pages is not searched for a number of segments.
    Where the map or that search fails, the rest is returned; Explore starts it again, and shows why.
    """
    dataset = artifacts.open_dataset(store, request.dataset)
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
        result |= attempt(LAYOUT.name, partial(LAYOUT.run, store, mixed, progress), {})
        if request.settings.encoder is not Encoder.BAG:
            result |= attempt(LEVELS.name, partial(LEVELS.run, store, compared, progress), {})
    return result


def _forget(store: Store, request: ForgetRequest, progress: Progress) -> Result:
    """Remove what holds an id or was made of it, and return the certificate; or only a preview."""
    from core.runs.forgetting import forget as forgetting
    from core.runs.forgetting.id_files import read_ids, save_certificate
    from core.runs.forgetting.places import SearchedPlaces

    patterns = forgetting.ids_of(read_ids(request.ids))
    places = SearchedPlaces(store.root, inputs=(request.input_dir,) if request.input_dir else ())
    if request.preview:
        return {"preview": forgetting.preview(places, patterns, progress).to_plain()}
    certificate = forgetting.forget(places, patterns, progress)
    save_certificate(store, certificate)
    return {"certificate": certificate.to_json(), "clean": certificate.is_clean, "said": certificate.sentence}


def _watch(store: Store, request: app_watches.WatchRequest, progress: Progress) -> Result:
    """Watch a folder; only Cancel ends it."""
    app_watches.keep_watching(store, request, progress)
    return {}


TASKS: Final[Tasks] = {
    "demo": (DemoRequest, _demo),
    "label": (LabelRequest, _label),
    "train": (TrainRequest, train),
    app_watches.TASK: (app_watches.WatchRequest, _watch),
    "forget": (ForgetRequest, _forget),
    **{stage.name: (stage.request, stage.run) for stage in stages.KEPT_STAGES},
}
"""Task → what it is asked with, and what does it."""
