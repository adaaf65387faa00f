"""Our model, as the app trains it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from benchmarks.quality.case import Case
from core.base.schema import View
from core.base.settings import Preset, TrainSettings
from core.base.workers import workers
from core.data.sequences import UserSequences
from core.model.embedding import embed_spans
from core.model.inputs import Spans
from core.model.model_files import load_model
from core.model.training import train
from core.model.view_streams import view_streams


def train_ours(case: Case, names: Mapping[View, list[str]], seed: int, out: Path) -> dict[str, float]:
    """Train with the Balanced preset; users seen a second."""
    report = train(case.sequences, names, TrainSettings.preset(Preset.BALANCED, seed=seed), out)
    steps = report.steps * report.batch_size
    return {"train_users_per_s": steps / max(report.seconds, 1e-9)}


def embed_ours(
    model: Path, sequences: UserSequences, names: Mapping[View, list[str]], spans: Spans
) -> dict[str, np.ndarray]:
    """Vectors of any runs in each view."""
    trained = load_model(model)
    streams = view_streams(sequences, names, trained.vocabularies)
    with workers(torch.device("cpu")) as threads:
        return {
            str(view): embed_spans(trained.network, view, stream, spans, threads)
            for view, stream in streams.items()
        }
