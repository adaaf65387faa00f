"""A folder that is watched: each new file is taken once, and all users so far are put into frozen segments.

What lies in ``out`` is what one run over all files would have made (:mod:`core.ingest.read.kept_reads`), put
in place together with the record of the files (:mod:`core.runs.taken_files`) or not at all. A process that is
killed at any moment leaves the last whole state, and the next one goes on from there.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np

from core.base.errors import InputError, ResourceError, SettingsError
from core.base.progress import Progress, SubProgress
from core.base.settings import Device
from core.base.wording import counted
from core.data.dataset import RECEIPT, SEQUENCES, Dataset
from core.ingest.ingest import transform
from core.ingest.read.kept_reads import STAGE as READ
from core.ingest.read.kept_reads import KeptReads, open_read, reading
from core.ingest.read.read_all import joined
from core.ingest.sources.input_files import resolve_inputs
from core.runs.frozen import FrozenModel, Placed
from core.runs.score import named_pages, place_export, write_scored
from core.runs.taken_files import RECORD, RefusedFile, TakenFile, TakenFiles, WatchedFolder, read_taken
from core.storage.claims import claimed
from core.storage.disk import disk_errors, make_folder
from core.storage.replace_files import finish, replacing
from core.storage.store import Store, content_key

STAGE: Final = "watch"
USERS: Final = "users.parquet"
KEPT: Final = ".kept"
"""What was read of every file, and labels that were found."""
_WORK: Final = ".working."
_NAP_S: Final = 0.2

Tell = Callable[[str], None]


def watch(
    folder: Path,
    model: Path,
    out: Path,
    progress: Progress,
    tell: Tell,
    *,
    every_s: float = 10,
    settle_s: float = 5,
    once: bool = False,
    device: Device = Device.AUTO,
) -> None:
    """Take every file that is, or will be, in a folder, until told to stop.

    Args:
        folder: Where exports appear.
        model: The ``model`` folder of an earlier run.
        out: Gets ``users.parquet`` (:func:`core.runs.score.score`), sequences, receipt and ``watch.json``.
        progress: Where to report; stops the watch by raising ``Cancelled``.
        tell: Is told in a line what became of each file.
        every_s: Seconds between two looks.
        settle_s: How long a file must have stayed as it is to count as whole.
        once: Take what is whole, and return.
        device: Where the network runs.

    Raises:
        Beha2VecError: If the folder, the model or ``out`` cannot be used. What was taken is in ``out``.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder", remedy="Name the folder in which the exports appear")
    make_folder(out)
    with claimed(out), disk_errors():
        finish(out)
        for left in out.glob(f"{_WORK}*"):
            shutil.rmtree(left, ignore_errors=True)
        watcher = Watcher(folder, model, out, settle_s, device)
        if once:
            _once(watcher, settle_s, progress, tell)
        else:
            _go_on(watcher, every_s, progress, tell)


def _once(watcher: Watcher, settle_s: float, progress: Progress, tell: Tell) -> None:
    """Two looks: what may still grow is only seen by the first one."""
    for line in watcher.look(progress):
        tell(line)
    _nap(settle_s, progress, watcher)
    for line in watcher.look(progress):
        tell(line)


def _go_on(watcher: Watcher, every_s: float, progress: Progress, tell: Tell) -> NoReturn:
    """Look again and again; a folder or a disk that refuses may come back, and is told once."""
    said = ""
    while True:
        try:
            for line in watcher.look(progress):
                tell(line)
        except (InputError, ResourceError) as error:
            if str(error) != said:
                tell(str(error))
            said = str(error)
        _nap(every_s, progress, watcher)


class Watcher:
    """What is taken of a folder, and the next look at it; see :func:`watch` for arguments.

    Raises:
        Beha2VecError: If the model or what was taken before cannot be used.
    """

    def __init__(self, folder: Path, model: Path, out: Path, settle_s: float, device: Device) -> None:
        self._frozen = FrozenModel.read(model)
        self._folder, self._out, self._device = WatchedFolder(folder, settle_s), out, device
        self._store = Store(out / KEPT)
        self._store.sweep()
        read_with = content_key(STAGE, reading(self._frozen.settings), {})
        self.taken = read_taken(out) or TakenFiles(read_with)
        if self.taken.read_with != read_with:
            raise SettingsError(
                f"{model} reads other columns than the files in {out / RECORD} were read by",
                remedy="Choose another --out: every file of the folder is taken again there",
            )

    def look(self, progress: Progress) -> list[str]:
        """Take what is new and whole.

        Returns:
            What became of it, a line a file.

        Raises:
            Beha2VecError: If the folder cannot be read, or what was taken cannot be put in place.
            Cancelled: If ``progress`` says so.
        """
        waiting: dict[str, Path] = {}
        for path in self._folder.whole_files():
            with suppress(FileNotFoundError):  # gone again
                checksum = self._folder.checksum(path)
                if not self.taken.knows(path.name, checksum):
                    waiting.setdefault(checksum, path)
        return self._take(list(waiting.values()), progress) if waiting else []

    def _take(self, paths: Sequence[Path], progress: Progress) -> list[str]:
        """All at once; where one of them cannot be used, one by one."""
        try:
            return self._extend(paths, progress)
        except InputError as error:
            if len(paths) > 1:
                return [line for path in paths for line in self._take([path], progress)]
            return self._refuse(paths[0], error)

    def _refuse(self, path: Path, error: InputError) -> list[str]:
        if not self._folder.unchanged(path):
            return []  # it is being written: the next look sees it
        file = RefusedFile(path.name, self._folder.checksum(path), _now(), str(error))
        taken = self.taken.refuse(file)
        with replacing(self._out, last=RECORD) as building:
            (building / RECORD).write_bytes(taken.to_json())
        self.taken = taken
        return [f"{path.name} is not used: {error}"]

    def _extend(self, paths: Sequence[Path], progress: Progress) -> list[str]:
        new = [self._read(path, SubProgress(progress, 0.0, 0.3)) for path in paths]
        if not all(self._folder.unchanged(path) for path in paths):
            return []  # one is being written: the next look sees it
        with tempfile.TemporaryDirectory(dir=self._out, prefix=_WORK, ignore_cleanup_errors=True) as name:
            work, taken = Path(name), self.taken.take(new)
            dataset = self._together(taken, work, progress)
            names = named_pages(dataset, self._frozen, work, progress)
            placed = place_export(dataset, self._frozen, names, progress, self._device)
            new = [replace(file, **_counts(dataset, placed)) for file in new]
            taken = taken.take(new)
            with replacing(self._out, last=RECORD) as building:
                write_scored(building / USERS, dataset, placed, {})
                for made in (RECEIPT, SEQUENCES):
                    shutil.copy2(dataset.path / made, building / made)
                (building / RECORD).write_bytes(taken.to_json())
        self.taken = taken
        self._forget_unused()
        so_far = f"{new[-1].users:,} users, {new[-1].page_views:,} page views so far"
        return [f"{file.name} is taken: {so_far}" for file in new]

    def _read(self, path: Path, progress: Progress) -> TakenFile:
        checksum = self._folder.checksum(path)
        kept = KeptReads(self._store, self._frozen.settings, {path: checksum})
        sources = resolve_inputs([path])
        for source in sources:
            kept.read(source, lambda done: progress(STAGE, 0.0, f"Reading {path.name}"))
        return TakenFile(path.name, checksum, _now(), {source.name: kept.key(source) for source in sources})

    def _together(self, taken: TakenFiles, work: Path, progress: Progress) -> Dataset:
        """The data set of all files, as one run over them makes it."""
        reads = []
        for file in taken.in_order:
            for name, key in file.reads.items():
                read = open_read(self._store, key)
                reads.append(replace(read, source=replace(read.source, name=name)))
        out = work / "dataset"
        out.mkdir()
        settings = self._frozen.settings
        transform(joined(reads, settings), settings, out, progress, work)
        return Dataset(out, "")

    def _forget_unused(self) -> None:
        """Let go of what was read of files that count no more."""
        used = {key for file in self.taken.files for key in file.reads.values()}
        for kept in (self._store.root / READ).glob("[!.]*"):
            if kept.name not in used:
                shutil.rmtree(kept, ignore_errors=True)


def _counts(dataset: Dataset, placed: Placed) -> dict[str, Any]:
    segments, users = np.unique(placed.clusters[placed.clusters >= 0], return_counts=True)
    return {
        "users": len(dataset.users),
        "page_views": dataset.receipt.page_views_used,
        "segments": dict(zip(segments.tolist(), users.tolist(), strict=True)),
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _nap(seconds: float, progress: Progress, watcher: Watcher) -> None:
    message = counted(len(watcher.taken.files), "file") + " taken"
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        progress(STAGE, 0.0, message)
        time.sleep(min(_NAP_S, seconds))
