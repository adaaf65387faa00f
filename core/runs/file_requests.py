"""Requests of jobs that inspect files (``inspection_child``) or read them (``core.scoring.engine_child``)."""

from __future__ import annotations

from pathlib import Path

from core.base.settings import IngestSettings, Settings, TrainSettings
from core.labels.label_settings import LabelSettings


class FilesRequest(Settings):
    """Request of a job: files, and how they are read."""

    paths: tuple[Path, ...]
    settings: IngestSettings


class RefitRequest(Settings):
    """Files, how they are read, how their pages are labelled, and how the model is trained."""

    paths: tuple[Path, ...]
    ingest: IngestSettings
    label: LabelSettings
    asked: str = ""
    """Model and server of the language model that may be asked (``LlmSettings.identity``); empty for none."""
    train: TrainSettings
