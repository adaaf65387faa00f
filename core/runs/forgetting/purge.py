"""One step of a plan, done whole or not at all, so that it can be done again."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from core.base.errors import ArtifactError, InputError
from core.data.dataset import RECEIPT
from core.desk.saved_runs import RUN, STAGE
from core.ingest.read.kept_reads import STAGE as READ
from core.ingest.sources.text import is_utf8
from core.runs.forgetting.places import SearchedPlaces
from core.runs.forgetting.plan import PurgeFate, PurgeStep
from core.runs.publish import clear_work
from core.runs.taken_files import read_taken
from core.runs.watch import KEPT, WORK
from core.storage.disk import PRIVATE, disk_errors, put, written_whole
from core.storage.replace_files import finish
from core.storage.store import Store, open_artifact
from core.traces.patterns import IdPatterns
from core.traces.search import compact, databases, look
from core.traces.tables import rewrite

TOLD: Final = (RUN, RECEIPT)
"""Of a saved run, once the data it was made of are gone: who was in which segment is no part of it."""


def clear(places: SearchedPlaces) -> None:
    """Finish or clear away what killed processes left, and have databases give back what they deleted.

    Raises:
        ResourceError: If another process writes there, or the disk refuses.
    """
    for out in places.outs:
        finish(out)
        clear_work(out)
        for left in out.glob(f"{WORK}*"):
            shutil.rmtree(left, ignore_errors=True)
    for store in places.stores:
        Store(store).sweep()
    for path in databases(places.stores):
        with suppress(sqlite3.Error):  # in use: what it holds is searched all the same
            compact(path)


def do(step: PurgeStep, patterns: IdPatterns) -> int:
    """Do a step.

    Returns:
        Records that were left out of a file of tables; else 0.

    Raises:
        ResourceError: If the disk refuses; what the step is about is as it was, or gone.
    """
    with disk_errors(), suppress(FileNotFoundError):  # another process was first
        return _DO[step.fate](step.path, replace(patterns, keys=step.keys) if step.keys else patterns)
    return 0


def _remove(path: Path, patterns: IdPatterns) -> int:
    """A folder leaves its name at once, under one that the next sweep knows."""
    if path.is_dir():
        hidden = path.with_name(f".{path.name.strip('.')}.{os.getpid()}.{secrets.token_hex(4)}")
        put(path, hidden)
        shutil.rmtree(hidden)
    else:
        path.unlink()
    return 0


def _tell(path: Path, patterns: IdPatterns) -> int:
    """A saved run with what can be read of it, and without who was in which segment."""
    made = open_artifact(path)
    store = Store(path.parent.parent)
    with store.write(STAGE, made.key, made.settings, made.inputs) as folder:
        for name in TOLD:
            if (path / name).is_file():
                (folder / name).write_bytes(_blacked((path / name).read_bytes(), patterns))
    return 0


def _black_out(path: Path, patterns: IdPatterns) -> int:
    """Text without the ids; where some are spelt otherwise, or it would be damaged, it goes as a whole."""
    text = _blacked(path.read_bytes(), patterns)
    if not text:
        path.unlink()
        return 0
    with written_whole(path, PRIVATE) as building:
        building.write_bytes(text)
        shutil.copymode(path, building)
    return 0


def _blacked(data: bytes, patterns: IdPatterns) -> bytes:
    """Nothing where that cannot be: a number or a checksum in a binary file would no longer fit."""
    if b"\0" in data or not is_utf8(data):
        return b""
    text = patterns.without(data)
    whole = all(_is_json(part) for part in _values(text)) or not any(_is_json(part) for part in _values(data))
    return text if whole and not patterns.holds(text) else b""


def _values(data: bytes) -> Sequence[bytes]:
    """A JSON file, or one of a value a line."""
    return [data] if _is_json(data) else [line for line in data.splitlines() if line.strip()]


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except ValueError:
        return False
    return True


def _take_again(path: Path, patterns: IdPatterns) -> int:
    """The record without files of which something goes; all users are placed anew at the next look."""
    out = path.parent
    with suppress(ArtifactError):
        taken = read_taken(out)
        if taken is not None:
            whole = [file for file in taken.files if not _holds(out, file.reads.values(), patterns)]
            rest = replace(taken, files=tuple(whole), refused=(), model="")
            with written_whole(path) as building:
                building.write_bytes(rest.to_json())
    return 0


def _holds(out: Path, reads: Iterable[str], patterns: IdPatterns) -> bool:
    folders = [out / KEPT / READ / key for key in reads]
    return any(look(file, patterns).hits for folder in folders for file in folder.glob("*"))


def _rewrite(path: Path, patterns: IdPatterns) -> int:
    with suppress(InputError):  # it is told among what is left
        return rewrite(path.resolve(), patterns, lambda written: not look(written, patterns).hits)
    return 0


def _leave(path: Path, patterns: IdPatterns) -> int:
    return 0


_DO: Final[dict[PurgeFate, Callable[[Path, IdPatterns], int]]] = {
    PurgeFate.REMOVED: _remove,
    PurgeFate.TOLD: _tell,
    PurgeFate.BLACKED: _black_out,
    PurgeFate.RETAKEN: _take_again,
    PurgeFate.REWRITTEN: _rewrite,
    PurgeFate.LEFT: _leave,
}
