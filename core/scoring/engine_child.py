"""A child of a job that reads files or BigQuery: ``python -m core.scoring.engine_child FOLDER``."""

from __future__ import annotations

import sys
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final

from core.base.progress import Progress
from core.base.settings import IngestSettings
from core.runs import input_paths, tasks
from core.runs.file_requests import FilesRequest, RefitRequest
from core.runs.job_child import run_child
from core.runs.tasks import TrainRequest
from core.scoring import bigquery
from core.scoring.bigquery_request import ESTIMATE, READ, BigQueryRequest, DaysRequest, require_allowed
from core.scoring.bounds import Bounds
from core.scoring.sampled import prepare
from core.storage.dataset import Dataset
from core.storage.store import Store


def _estimate(store: Store, request: BigQueryRequest, progress: Progress) -> tasks.Result:
    """Estimate what reading days of BigQuery would cost: ``estimate``, as JSON."""
    require_allowed(request)
    return {"estimate": bigquery.estimate(store, request, progress).model_dump(mode="json")}


def _read(store: Store, request: DaysRequest, progress: Progress) -> tasks.Result:
    """Read days of BigQuery into a folder where the app finds files: ``folder``, its name."""
    require_allowed(request.estimate.request)
    files = bigquery.read(store, request.estimate, progress)
    asked = request.estimate.request
    state = sha256("".join(file.parent.name for file in files).encode()).hexdigest()[:6]
    name = f"{asked.dataset.rpartition('.')[2]}_{asked.first:%Y%m%d}-{asked.last:%Y%m%d}_{state}"
    bigquery.place(files, request.input_dir / name)
    return {"folder": name}


def _preprocess(store: Store, request: FilesRequest, progress: Progress) -> tasks.Result:
    """Make the data set of all users, or of a sample where memory does not hold all: ``dataset``, its key."""
    return {"dataset": _prepared(store, request.paths, request.settings, progress).key}


def _refit(store: Store, request: RefitRequest, progress: Progress) -> tasks.Result:
    """Read files with other settings, and label, train and embed as :func:`core.runs.tasks.train` does."""
    dataset = _prepared(store, request.paths, request.ingest, progress)
    again = TrainRequest(
        dataset=dataset.key, label=request.label, asked=request.asked, settings=request.train
    )
    return tasks.train(store, again, progress)


def _prepared(store: Store, paths: tuple[Path, ...], settings: IngestSettings, progress: Progress) -> Dataset:
    dataset = prepare(store, paths, settings, progress, Bounds.of_app())
    input_paths.save_paths(dataset, paths)
    return dataset


TASKS: Final[tasks.Tasks] = {
    ESTIMATE: (BigQueryRequest, _estimate),
    READ: (DaysRequest, _read),
    "preprocess": (FilesRequest, _preprocess),
    "refit": (RefitRequest, _refit),
}

if __name__ == "__main__":
    sys.exit(run_child(Path(sys.argv[1]), partial(tasks.run, tasks=TASKS)))
