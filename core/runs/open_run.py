"""Open a finished run for questions: its data set, labels and segments, as the chat has them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from core.base.errors import ArtifactError
from core.base.places import PROGRAM
from core.facts.context import Basis, Context, Tables
from core.runs import pipeline
from core.runs.artifacts import open_labelled
from core.runs.model_folder import MODEL, NAMES, SEGMENTS
from core.runs.publish import CLUSTERS, RUN
from core.runs.run import read_previous
from core.segments.partition import Partition
from core.storage.store import Store

_RUN_FIRST: Final = f"Give the folder that “{PROGRAM} run INPUT --out OUT” wrote, whole"
_NOT_SAMPLED: Final = "run it once without --memory and --sample-users, on a machine that holds all records"


def open_context(out: Path) -> Context:
    """Open a finished run; nothing is trained, clustered or written.

    Args:
        out: The run's folder, with its ``stages``.

    Raises:
        ArtifactError: If it holds no finished run, or not the page views and events to count from.
    """
    if not (out / RUN).is_file() and not any(out.glob(".*")):  # what a killed process left is put in place
        raise ArtifactError(f"{out} holds no finished run", remedy=_RUN_FIRST)
    previous = read_previous(out)
    if previous.sampled:
        raise ArtifactError(
            f"{out} keeps the records of a sample of its users only, and questions are about all",
            remedy=f"Give the OUT of a run that keeps them all: {_NOT_SAMPLED}",
        )
    if not (out / "stages").is_dir():
        raise ArtifactError(
            f"{out} holds a run's results without its page views and events ({out / 'stages'} is missing)",
            remedy=_RUN_FIRST,
        )
    keys, settings = previous.keys, previous.settings
    store = Store(out / "stages")
    dataset, labels = open_labelled(store, keys["preprocess"], keys.get("label", ""))
    partition = Partition.from_files(out / MODEL / SEGMENTS)
    if len(partition.labels) != dataset.sequences.n_users:
        raise ArtifactError(f"The segments of {out} are not of its users", remedy="Run it again")
    basis = Basis.from_dataset(dataset, labels)
    one_page = pipeline.one_page_segments(dataset, labels)
    tables = Tables(basis, pipeline.analyze(basis.data, partition, settings.analyze, one_page), partition)
    names, clusters = _read(out / MODEL / SEGMENTS / NAMES), _read(out / CLUSTERS)
    return Context(
        tables,
        suggested={int(segment): str(name) for segment, name in names.items()},
        unsupported=bool(clusters.get("verdict")) and clusters.get("suggested_k") is None,
        verdict=str(clusters.get("verdict_text", "")),
    )


def _read(file: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return dict(found)
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{file} is missing or damaged", remedy="Run it again") from error
