"""A child of a job that reads beyond the files here: ``python -m core.engines.engine_child FOLDER``."""

from __future__ import annotations

import sys
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final

from core.base.progress import Progress
from core.engines import bigquery
from core.engines.bigquery_request import ESTIMATE, READ, BigQueryRequest, DaysRequest, require_allowed
from core.runs import tasks
from core.runs.job_child import run_child
from core.storage.store import Store


def estimate(store: Store, request: BigQueryRequest, progress: Progress) -> tasks.Result:
    """What reading would cost."""
    require_allowed(request)
    return {"estimate": bigquery.estimate(store, request, progress).model_dump(mode="json")}


def read(store: Store, request: DaysRequest, progress: Progress) -> tasks.Result:
    """Read, and put the days where the app finds files: the name of their folder."""
    require_allowed(request.estimate.request)
    files = bigquery.read(store, request.estimate, progress)
    asked = request.estimate.request
    state = sha256("".join(file.parent.name for file in files).encode()).hexdigest()[:6]
    name = f"{asked.dataset.rpartition('.')[2]}_{asked.first:%Y%m%d}-{asked.last:%Y%m%d}_{state}"
    bigquery.place(files, request.input_dir / name)
    return {"folder": name}


TASKS: Final[tasks.Tasks] = {ESTIMATE: (BigQueryRequest, estimate), READ: (DaysRequest, read)}

if __name__ == "__main__":
    sys.exit(run_child(Path(sys.argv[1]), partial(tasks.run, tasks=TASKS)))
