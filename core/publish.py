"""The last three stages, and the files a run is for.

Everything is written beside the final names first and renamed at the end, so that a crash or a full disk
leaves the files of the earlier run.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.dataset import RECEIPT, SEQUENCES, Dataset
from core.pipeline import Embeddings, RunSettings, clustered
from core.progress import Progress
from core.schema import OUTSIDE, Users
from core.store import MANIFEST, Artifact, disk_errors, write_text_atomic

if TYPE_CHECKING:
    from core.profiles.metrics import Profiles
    from core.segments.clustering import Partition
    from core.segments.combination import Combined

RUN: Final = "run.json"
MODEL: Final = "model"
INGEST_SETTINGS: Final = "ingest.json"


@dataclass(frozen=True)
class Segments:
    """The outcome of combine, cluster and analyze."""

    combined: Combined
    partition: Partition
    profiles: Profiles
    names: dict[int, str]


def segment(
    dataset: Dataset, embeddings: Embeddings, settings: RunSettings, progress: Progress
) -> Segments:
    """Combine, cluster and analyze.

    Raises:
        SettingsError: If there are fewer users than segments, or the outcome event is not in the data.
    """
    from core.profiles.metrics import ProfileData, default_names, profile
    from core.segments.clustering import fit
    from core.segments.combination import combine

    inside = clustered(dataset.users)
    combined = combine(embeddings.views, settings.weights, inside)
    progress("combine", 1.0)
    partition = fit(combined.vectors, inside, settings.cluster)
    progress("cluster", 1.0, f"K={settings.cluster.n_clusters}")
    profiles = profile(ProfileData.from_dataset(dataset), partition.labels, settings.analyze)
    return Segments(combined, partition, profiles, default_names(profiles))
