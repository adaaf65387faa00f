"""A training that several processes do, as files that all of them can read.

The first process lays the tokens down as flat arrays; the others map them into memory and touch those of
their own users only. Nothing but numbers and JSON goes from one process to another.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch

from core.base.errors import ArtifactError, SettingsError
from core.base.settings import TrainSettings
from core.base.workers import workers
from core.model import parallel
from core.model.inputs import Spans, TokenStreams
from core.model.network import UserBehaviorTransformer
from core.model.schedule import plan
from core.model.steps import PageTokens, TrainingStep, learn_batch, pick_device, repeatable
from core.storage.disk import disk_errors, make_folder

PREFIX: Final = ".handover."
STREAMS: Final = tuple(field.name for field in fields(TokenStreams))
TABLES: Final = ("coarse", "items", "transitions")
"""Fields of :class:`PageTokens` that are handed over beside its streams."""
SETTINGS: Final = "settings.json"


@contextmanager
def led(step: TrainingStep, spans: Spans, folder: Path) -> Iterator[TrainingStep]:
    """Share a training with the other processes, where there are any.

    Args:
        step: What every step shares.
        spans: All page views of each user that trains.
        folder: Where the others can read; what is written there is gone afterwards.

    Yields:
        ``step`` with this process's share of each step.

    Raises:
        SettingsError: If a batch has fewer users than there are processes.
        ResourceError: If the disk is full, or another process is gone.
    """
    size = parallel.processes()
    if size == 1:
        yield step
        return
    users = plan(len(spans), step.settings).batch_size
    if users < size:
        raise SettingsError(
            f"{size} processes cannot share batches of {users} users", allowed=f"1 to {users} processes"
        )
    make_folder(folder)
    with tempfile.TemporaryDirectory(dir=folder.absolute(), prefix=PREFIX) as shared:
        _write(Path(shared), step, spans)
        try:
            parallel.order(Path(shared))
            share = parallel.Share.of(spans, step.device)
            yield replace(step, share=share)
            share.begun(step.network, step.device, parallel.OVER)
        except BaseException:
            parallel.leave()  # processes that wait for the next step get an error
            raise


def lend_a_hand() -> None:
    """Take part in each training of the first process, until there is no more.

    Raises:
        ArtifactError: If this process cannot read what the first one writes.
        SettingsError: If this machine has no such device.
        ResourceError: If another process is gone.
    """
    while folder := parallel.order():
        settings, spans, streams, tables = _read(folder)
        device = pick_device(settings.device)
        with repeatable(device), workers(device) as threads:
            tokens = PageTokens(streams, *(torch.from_numpy(table).to(device) for table in tables))
            network = UserBehaviorTransformer(settings, len(tokens.items), len(tokens.transitions)).to(device)
            share = parallel.Share.of(spans, device)
            step = TrainingStep(network, tokens, settings, device, threads, share)
            schedule = plan(len(spans), settings)
            while (number := share.begun(network, device)) != parallel.OVER:
                learn_batch(step, spans, schedule, number)


def _write(folder: Path, step: TrainingStep, spans: Spans) -> None:
    arrays = {"begin": spans.begin, "length": spans.length}
    arrays |= {f"stream.{name}": getattr(step.tokens.streams, name) for name in STREAMS}
    arrays |= {f"table.{name}": getattr(step.tokens, name).cpu().numpy() for name in TABLES}
    with disk_errors():
        for name, array in arrays.items():
            np.save(folder / f"{name}.npy", array, allow_pickle=False)
        (folder / SETTINGS).write_text(step.settings.model_dump_json(), encoding="utf-8")


def _read(folder: Path) -> tuple[TrainSettings, Spans, TokenStreams, list[np.ndarray]]:
    """Read settings, all users that train, the tokens, and :data:`TABLES`."""

    def mapped(name: str) -> np.ndarray:
        array: np.ndarray = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        return array

    try:
        settings = TrainSettings.model_validate_json((folder / SETTINGS).read_bytes())
        streams = TokenStreams(*(mapped(f"stream.{name}") for name in STREAMS))
        tables = [np.array(mapped(f"table.{name}")) for name in TABLES]
        return settings, Spans(mapped("begin"), mapped("length")), streams, tables
    except (OSError, ValueError) as error:
        raise ArtifactError(
            f"A process of this run cannot read {folder}",
            remedy="Write the results to a disk that every machine of the run sees at the same place",
        ) from error
