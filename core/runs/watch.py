"""A folder that is watched: each new file is taken once, and all users so far are put into frozen segments.

What lies in ``out`` is what one run over all files would have made (:mod:`core.ingest.read.read_cache`), put
in place together with the record of the files (:mod:`core.runs.taken_files`) or not at all. A process that is
killed at any moment leaves the last whole state, and the next one goes on from there.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np
import pyarrow.parquet as pq

from core.base.errors import (
    ArtifactError,
    InputError,
    ResourceError,
    SettingsError,
    reworded_for_frozen_model,
)
from core.base.progress import Progress, SubProgress
from core.base.settings import Device
from core.base.wording import pluralise
from core.ingest.ingest import transform
from core.ingest.read.read_all import combine_reads
from core.ingest.read.read_cache import STAGE as READ
from core.ingest.read.read_cache import ReadCache, open_read
from core.ingest.read.read_file import FileRead
from core.ingest.sources.input_files import changed, readable, resolve_inputs
from core.ingest.sources.overlap import describe_repeats
from core.runs.frozen import FrozenModel
from core.runs.later_stages import FAILED_LOG, LaterStages, failure_lines
from core.runs.pipeline import LABEL_CACHE
from core.runs.placing import Placement, place_dataset
from core.runs.since_training import change_of_alarm, watched_drift
from core.runs.taken_files import (
    ANEW,
    RECORD,
    RefusedFile,
    TakenFile,
    TakenFiles,
    WatchedDrift,
    WatchedFolder,
    may_pass,
    taken_alike,
)
from core.storage.dataset import RECEIPT, SEQUENCES, Dataset
from core.storage.disk import disk_errors, make_folder, remove_left, work_folder
from core.storage.locks import claim_folder
from core.storage.replace_files import finish_replacement, replace_files_atomic
from core.storage.store import Store, file_checksum

STAGE: Final = "watch"
TROUBLE: Final = "trouble"
"""Stage that is reported between two looks where the last one failed."""
USERS: Final = "users.parquet"
KEPT_FOLDER: Final = ".kept"
"""Store within ``out`` for what was read of every file, and for decisions about labels."""
LOOKED: Final = ".looked"
"""File that is touched by each look that could see the folder."""
WORK: Final = ".working."
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
        out: Gets ``users.parquet`` (:meth:`core.runs.placing.Placement.table`), sequences, receipt and
            ``watch.json``.
        progress: Where to report; stops the watch by raising ``Cancelled``.
        tell: Gets a line about what became of each file.
        every_s: Seconds between two looks.
        settle_s: How long a file must have stayed as it is to count as whole.
        once: Take what is whole, and return.
        device: Where the network runs.

    Raises:
        Beha2VecError: If the folder, the model or ``out`` cannot be used. What was taken is in ``out``.
    """
    _check(folder, out)
    with claim_folder(out), disk_errors():
        finish_replacement(out)
        remove_left(out, WORK)
        watcher = Watcher(folder, model, out, settle_s, device)
        if once:
            _once(watcher, settle_s, progress, tell)
        else:
            _go_on(watcher, every_s, progress, tell)


def _check(folder: Path, out: Path) -> None:
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder", remedy="Name the folder in which the exports appear")
    make_folder(out)
    if folder.samefile(out):
        raise SettingsError(
            f"{folder} cannot be both watched and --out: what is made there would be taken for exports",
            remedy="Choose another --out",
        )


def _once(watcher: Watcher, settle_s: float, progress: Progress, tell: Tell) -> None:
    """Look twice, as what may still grow is only seen by comparing; report the lines.

    Raises:
        InputError: If a file was refused: whoever waits for the exit status has to know.
    """
    refused = watcher.taken.refused
    lines = watcher.look(progress)
    _nap(settle_s, progress, watcher)
    lines += watcher.look(progress)
    for line in lines or ["Nothing new was there"]:
        tell(line)
    if new := [file.name for file in watcher.taken.refused if file not in refused]:
        raise InputError(
            f"{pluralise(len(new), 'file')} cannot be used: {', '.join(new)}",
            remedy="Put others in their place; all else was taken",
        )


def _go_on(watcher: Watcher, every_s: float, progress: Progress, tell: Tell) -> NoReturn:
    """Look again and again; trouble with a folder, a disk or a file may pass, and is reported once."""
    trouble = ""
    while True:
        said, trouble = trouble, ""
        try:
            with disk_errors():
                for line in watcher.look(progress):
                    tell(line)
        except (ArtifactError, InputError, ResourceError) as error:
            trouble = str(error)
            if trouble != said:
                tell(trouble)
        _nap(every_s, progress, watcher, trouble)


class Watcher:
    """Takes the files of a folder, a look at a time; see :func:`watch` for the arguments.

    Raises:
        Beha2VecError: If the model or what was taken before cannot be used.
    """

    def __init__(self, folder: Path, model: Path, out: Path, settle_s: float, device: Device) -> None:
        self._frozen = FrozenModel.read(model)
        self._folder, self._out, self._device = WatchedFolder(folder, settle_s), out, device
        self._store = Store(out / KEPT_FOLDER)
        self._store.sweep()
        self._passing: set[str] = set()
        self.taken = taken_alike(out, self._frozen.settings)

    def look(self, progress: Progress) -> list[str]:
        """Take the files that are new and whole.

        Returns:
            A line on what became of each file; one that cannot be opened for now is named once only.

        Raises:
            Beha2VecError: If the folder cannot be read, or what was taken cannot be put in place.
            Cancelled: If ``progress`` says so.
        """
        told, self._passing = self._passing, set()
        try:
            there = self._whole()
            followed = self.taken.follow({path.name: checksum for path, checksum in there.items()})
            if followed != self.taken:
                self._record(followed)
            waiting: dict[str, Path] = {}
            for path, checksum in there.items():
                if not self.taken.knows(path.name, checksum):
                    waiting.setdefault(checksum, path)
            lines = [*self._on_this_model(progress), *self._take(list(waiting.values()), progress)]
            self._passing |= set(self._copies(there))
            (self._out / LOOKED).touch()
        except BaseException:
            self._passing = told
            raise
        return [*lines, *sorted(self._passing - told)]

    def _whole(self) -> dict[Path, str]:
        """Files that are whole, with their checksums."""
        there = {}
        for path in self._folder.whole_files():
            name = path.name.encode(errors="backslashreplace").decode()
            try:
                if name != path.name:
                    self._passing.add(f"{name} is not used: its name is not UTF-8. Rename it.")
                else:
                    there[path] = self._folder.checksum(path)
            except FileNotFoundError:
                pass  # gone again
            except OSError as error:
                self._passing.add(f"{name} cannot be read: {error.strerror}. It is tried again.")
        return there

    def _copies(self, there: Mapping[Path, str]) -> Iterator[str]:
        """Say which files hold the same as one that is taken."""
        taken = {file.checksum: file.name for file in self.taken.files}
        for path, checksum in there.items():
            if taken.get(checksum, path.name) != path.name:
                yield f"{path.name} holds the same as {taken[checksum]} and is counted once"

    def _on_this_model(self, progress: Progress) -> list[str]:
        """Place all users anew where they are in the segments of another model."""
        if not self.taken.files or self.taken.model == self._frozen.key:
            return []
        return [f"All users are placed on another model than before: {self._place([], progress)}"]

    def _take(self, paths: Sequence[Path], progress: Progress) -> list[str]:
        """Read each file by itself, so that those that cannot be used cost the others nothing."""
        files, bad = [], []
        for path in paths:
            try:
                files.append(self._read(path, SubProgress(progress, 0.0, 0.3)))
            except InputError as error:
                bad.append((path, error))
        lines = self._count_in(files, progress)
        return lines + [line for path, error in bad for line in self._refuse(path, error)]

    def _count_in(self, files: Sequence[TakenFile], progress: Progress) -> list[str]:
        """Place files together; where they cannot be used together, one by one."""
        if not files:
            return []
        try:
            so_far = self._place(files, _taking(files, progress))
        except InputError as error:
            if len(files) > 1:
                return [line for file in files for line in self._count_in([file], progress)]
            return self._refuse(self._folder.path / files[0].name, error)
        *others, last = [f"{file.name} is taken" for file in files]
        twice = [
            f"{name} holds the same as {other} and is counted once"
            for name, other in self.taken.repeats.items()
            if any(name in file.reads for file in files)
        ]
        return [*others, f"{last}: {so_far}", *twice]

    def _refuse(self, path: Path, error: InputError) -> list[str]:
        if not self._folder.unchanged(path):
            return []  # it is being written: the next look sees it
        if may_pass(error):
            self._passing.add(f"{error} It is tried again.")
            return []
        file = RefusedFile(path.name, self._folder.checksum(path), _now(), str(error))
        self._record(self.taken.refuse(file))
        return [f"{path.name} is not used: {error}"]

    def _record(self, taken: TakenFiles) -> None:
        with replace_files_atomic(self._out, last=RECORD) as building:
            (building / RECORD).write_bytes(taken.to_json())
        self.taken = taken

    def _place(self, new: Sequence[TakenFile], progress: Progress) -> str:
        """Place the users of all files, those of new ones among them, and say how many."""
        with work_folder(self._out, WORK) as work:
            dataset = self._together(self.taken.take(new), work, progress)
            label_cache = self._store.root / LABEL_CACHE
            placed = place_dataset(self._frozen, dataset, work, progress, self._device, label_cache)
            counts = _counts(dataset, placed)
            taken = self._counted(new, counts)
            again = dataset.receipt.repeated_events - self._repeated()
            with replace_files_atomic(self._out, last=RECORD, optional=[FAILED_LOG]) as building:
                later = LaterStages(building)
                compare_drift = partial(watched_drift, dataset, placed, _now(), progress, self._device)
                drift = later.attempt("drift", compare_drift, None) or WatchedDrift(
                    _now(), counts["users"], why_not="; ".join(failure_lines(later.failed))
                )
                changed = [*change_of_alarm(self.taken.drift, drift), *failure_lines(later.failed)]
                taken = replace(taken, drift=drift)
                pq.write_table(placed.table(), building / USERS)
                for made in (RECEIPT, SEQUENCES):
                    shutil.copy2(dataset.path / made, building / made)
                (building / RECORD).write_bytes(taken.to_json())
        self.taken = taken
        self._forget_unused()
        so_far = f"{counts['users']:,} users, {counts['page_views']:,} page views so far"
        return ". ".join([so_far, *([describe_repeats(again)] if again > 0 else []), *changed])

    def _repeated(self) -> int:
        """Number of events that were in more than one file until now."""
        before = self._out / RECEIPT
        return Dataset(self._out, "").receipt.repeated_events if before.is_file() else 0

    def _counted(self, new: Sequence[TakenFile], counts: Mapping[str, Any]) -> TakenFiles:
        """The record with new files and counts; without new files, the last one has new counts."""
        come = tuple(replace(file, at=_now()) for file in new) or self.taken.files[-1:]
        taken = self.taken.take(replace(file, **counts) for file in come)
        return taken.placed_on(self._frozen.key)

    @reworded_for_frozen_model()
    def _read(self, path: Path, progress: Progress) -> TakenFile:
        checksum = self._folder.checksum(path)
        with readable(path.name):
            cache = ReadCache(self._store, self._frozen.settings, {path: file_checksum(path)})
        sources = resolve_inputs([path])
        rows = [
            cache.read(source, lambda done: progress(STAGE, 0.0, f"Reading {path.name}")).rows
            for source in sources
        ]
        keys = {source.name: cache.key(source) for source in sources}
        if not self._folder.unchanged(path):
            raise changed(path.name)
        contents = self._folder.contents(path) if len(keys) > 1 else {}
        return TakenFile(path.name, checksum, _now(), keys, sum(rows), contents=contents)

    @reworded_for_frozen_model()
    def _together(self, taken: TakenFiles, work: Path, progress: Progress) -> Dataset:
        """The data set of all files, as one run over them makes it."""
        every = (read for file in taken.in_order for read in self._reads(file, progress))
        reads = [read for read in every if read.source.name not in taken.repeats]
        out = work / "dataset"
        out.mkdir()
        settings = self._frozen.settings
        transform(combine_reads(reads, settings), settings, out, progress, work)
        return Dataset(out, "")

    def _reads(self, file: TakenFile, progress: Progress) -> list[FileRead]:
        """Records of a file; read again if they are damaged or gone, and the file is still there."""
        try:
            return self._kept(file)
        except ArtifactError as error:
            path = self._folder.holding(file.checksum)
            if path is None:
                raise ArtifactError(
                    f"What was read of {file.name} is damaged or gone, and no file in {self._folder.path} "
                    "holds it any more",
                    remedy=f"Put the file back. {ANEW}",
                ) from error
        with suppress(InputError):  # it changed just now
            self._read(path, progress)
        return self._kept(file)

    def _kept(self, file: TakenFile) -> list[FileRead]:
        reads = {name: open_read(self._store, key) for name, key in file.reads.items()}
        return [replace(read, source=replace(read.source, name=name)) for name, read in reads.items()]

    def _forget_unused(self) -> None:
        """Let go of what was read of files that count no more."""
        used = {key for file in self.taken.files for key in file.reads.values()}
        for entry in (self._store.root / READ).glob("[!.]*"):
            if entry.name not in used:
                shutil.rmtree(entry, ignore_errors=True)


def _taking(files: Sequence[TakenFile], progress: Progress) -> Progress:
    """Report progress with what is being taken in front of each message."""
    what = files[0].name if len(files) == 1 else pluralise(len(files), "file")

    def report(stage: str, fraction: float, message: str = "", **figures: float) -> None:
        progress(stage, fraction, f"Taking {what}. {message}".strip(), **figures)

    return report


def _counts(dataset: Dataset, placed: Placement) -> dict[str, Any]:
    segments, users = np.unique(placed.clusters[placed.clusters >= 0], return_counts=True)
    return {
        "users": len(dataset.users),
        "page_views": dataset.receipt.page_views_used,
        "segments": dict(zip(segments.tolist(), users.tolist(), strict=True)),
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _nap(seconds: float, progress: Progress, watcher: Watcher, trouble: str = "") -> None:
    message = trouble or pluralise(len(watcher.taken.files), "file") + " taken"
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        progress(TROUBLE if trouble else STAGE, 0.0, message)
        time.sleep(min(_NAP_S, seconds))
