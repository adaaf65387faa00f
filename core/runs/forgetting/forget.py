"""Forget users: preview what would go, remove it step by step, and search every byte of what is left.

What was made of data that holds one of the ids is removed, with all that was made of it: counts, weights and
vectors cannot be undone for single users. A new run over what is left makes it again. A step is done whole
or not at all, so that it can be done again.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from core.base.errors import ArtifactError, InputError, ResourceError
from core.base.progress import Progress, SubProgress
from core.base.wording import pluralise
from core.ingest.read.read_cache import STAGE as READ
from core.ingest.sources.id_list import HEADER, SEPARATORS
from core.ingest.sources.text import is_utf8
from core.runs import jobs
from core.runs.forgetting.certificate import ForgetCertificate, certify, mask_ids
from core.runs.forgetting.patterns import IdPatterns
from core.runs.forgetting.places import JOBS, SearchedPlaces
from core.runs.forgetting.plan import PurgeFate, PurgeStep, plan
from core.runs.forgetting.search import SearchedFile, compact, databases, files_below, search, search_file
from core.runs.forgetting.tables import ID_COLUMNS, longer_ids, records_of, rewrite
from core.runs.publish import BOUNDED
from core.runs.taken_files import read_taken
from core.runs.watch import KEPT_FOLDER, WORK
from core.saved.saved_runs import RUN, STAGE
from core.storage.dataset import RECEIPT
from core.storage.disk import PRIVATE, atomic_write, disk_errors, put_in_place, remove_left
from core.storage.locks import claim_folder, folder_lock
from core.storage.replace_files import finish_replacement
from core.storage.store import Store, open_artifact

_TOLD: Final = (RUN, RECEIPT)
"""Files that stay of a saved run whose data are removed; they do not say who was in which segment."""


def _clear(places: SearchedPlaces) -> None:
    """Finish or remove what killed processes left, and remove deleted records from database files.

    Raises:
        ResourceError: If another process writes there, or the disk refuses.
    """
    for out in places.outs:
        finish_replacement(out)
        for prefix in (BOUNDED, WORK):
            remove_left(out, prefix)
    for store in places.stores:
        Store(store).sweep()
    for path in databases(places.stores):
        with suppress(sqlite3.Error):  # in use: what it holds is searched all the same
            compact(path)


def _do(step: PurgeStep, patterns: IdPatterns) -> int:
    """Carry out one step of a plan: remove or change its file or folder.

    Returns:
        Number of records that were left out of an input file; 0 for other steps.

    Raises:
        ResourceError: If the disk refuses; what the step is about is as it was, or gone.
    """
    with disk_errors(), suppress(FileNotFoundError):  # another process was first
        return _DO[step.fate](step.path, replace(patterns, keys=step.keys) if step.keys else patterns)
    return 0


def _remove(path: Path, patterns: IdPatterns) -> int:
    """Remove a file or a folder; a folder first gets a name that the next sweep knows."""
    if path.is_dir():
        hidden = path.with_name(f".{path.name.strip('.')}.{os.getpid()}.{secrets.token_hex(4)}")
        put_in_place(path, hidden)
        shutil.rmtree(hidden)
    else:
        path.unlink()
    return 0


def _tell(path: Path, patterns: IdPatterns) -> int:
    """Write a saved run anew with the files of :data:`_TOLD` alone, and without ids."""
    artifact = open_artifact(path)
    store = Store(path.parent.parent)
    with store.write(STAGE, artifact.key, artifact.settings, artifact.inputs) as folder:
        for name in _TOLD:
            if (path / name).is_file():
                (folder / name).write_bytes(_blacked((path / name).read_bytes(), patterns))
    return 0


def _black_out(path: Path, patterns: IdPatterns) -> int:
    """Mask the ids in a text file; remove it where an id is spelt otherwise or it would be damaged."""
    text = _blacked(path.read_bytes(), patterns)
    if not text:
        path.unlink()
        return 0
    with atomic_write(path, PRIVATE) as building:
        building.write_bytes(text)
        shutil.copymode(path, building)
    return 0


def _blacked(data: bytes, patterns: IdPatterns) -> bytes:
    """Text with masked ids; empty where that would damage it, as a number or a checksum in a binary file."""
    if b"\0" in data or not is_utf8(data):
        return b""
    text = patterns.without(data)
    whole = all(_is_json(part) for part in _values(text)) or not any(_is_json(part) for part in _values(data))
    return text if whole and not patterns.holds(text) else b""


def _values(data: bytes) -> Sequence[bytes]:
    """JSON values of a file: a single one, or one on each line."""
    return [data] if _is_json(data) else [line for line in data.splitlines() if line.strip()]


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except ValueError:
        return False
    return True


def _take_again(path: Path, patterns: IdPatterns) -> int:
    """Drop the files that hold an id from a watch's record; its next look places all users anew."""
    out = path.parent
    with suppress(ArtifactError):
        taken = read_taken(out)
        if taken is not None:
            whole = [file for file in taken.files if not _holds(out, file.reads.values(), patterns)]
            rest = replace(taken, files=tuple(whole), refused=(), model="")
            with atomic_write(path) as building:
                building.write_bytes(rest.to_json())
    return 0


def _holds(out: Path, reads: Iterable[str], patterns: IdPatterns) -> bool:
    folders = [out / KEPT_FOLDER / READ / key for key in reads]
    return any(search_file(file, patterns).hits for folder in folders for file in folder.glob("*"))


def _rewrite(path: Path, patterns: IdPatterns) -> int:
    with suppress(InputError):  # it is told among what is left
        return rewrite(path.resolve(), patterns, lambda written: not search_file(written, patterns).hits)
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


TASK: Final = "forget"
_ALLOWED: Final = "text with an id a line"


@dataclass(frozen=True)
class Preview:
    """What forgetting would remove or change.

    Args:
        ids: Number of different ids in the list.
        found: Number of ids that stand in any file.
        short: Number of ids too short to be looked for outside columns of ids.
        steps: What would become of each file or folder: keys ``what``, ``name``, ``fate``, ``path``.
        unread: (file, reason) of those that cannot be searched completely.
    """

    ids: int
    found: int
    short: int
    steps: tuple[dict[str, str], ...]
    unread: tuple[tuple[str, str], ...]

    def to_plain(self) -> dict[str, Any]:
        """The preview as plain data for JSON."""
        return asdict(self)


def ids_of(text: str) -> IdPatterns:
    """Read a text with an id on each line; a heading, and spaces and quotes around an id, are dropped.

    Raises:
        InputError: If there is none, or one is the name of a column.
    """
    lines = [line.strip().strip("\ufeff\"'") for line in text.splitlines()]
    ids = [line for line in lines if line]
    if ids and HEADER.fullmatch(ids[0]):
        ids = ids[1:]
    if not ids:
        raise InputError("There is no id in the list", allowed=_ALLOWED)
    if named := set(ids) & set(ID_COLUMNS):
        raise InputError(f"{named.pop()} is the name of a column, not an id", allowed=_ALLOWED)
    return IdPatterns(frozenset(ids))


def preview(places: SearchedPlaces, patterns: IdPatterns, progress: Progress) -> Preview:
    """Find what :func:`forget` would remove or change, and change nothing.

    Raises:
        SettingsError: If a place is not there, or not one of ours.
        Cancelled: If ``progress`` says so.
    """
    places.check()
    patterns = _besides_others(places, patterns)
    looked = search(places.searched, patterns, SubProgress(progress, 0.0, 0.8))
    _refuse_lists(patterns, looked)
    seen = set[str]().union(*(step.ids for step in looked.values()))
    steps = plan(places, looked)
    lines = []
    for number, step in enumerate(steps):
        progress(TASK, 0.8 + 0.2 * number / len(steps), f"Counting: {step.what}")
        words = {"what": step.what, "name": mask_ids(step.name, patterns), "fate": _fate(step, patterns)}
        lines.append(words | {"path": mask_ids(step.path, patterns)})
    unread = [(mask_ids(path, patterns), step.unread) for path, step in looked.items() if step.unread]
    return Preview(len(patterns.ids), len(seen), len(patterns.short), tuple(lines), tuple(unread))


def _fate(step: PurgeStep, patterns: IdPatterns) -> str:
    """Say what becomes of a step's file or folder, and how many records of a file go."""
    if step.fate is not PurgeFate.REWRITTEN:
        return step.fate.value
    try:
        n = records_of(step.path.resolve(), replace(patterns, keys=step.keys))
    except InputError:
        return PurgeFate.LEFT.value
    return f"{pluralise(n, 'record goes', 'records go')}, in others each id is replaced"


def forget(places: SearchedPlaces, patterns: IdPatterns, progress: Progress) -> ForgetCertificate:
    """Remove what holds an id or was made of it, and search every byte of the places.

    After a kill or a full disk, start it again: it finds what is left.

    Raises:
        SettingsError: If a place is not there, or not one of ours.
        ResourceError: If something works there, or the disk refuses.
        Cancelled: If ``progress`` says so, before anything is removed or between two steps.
    """
    places.check()
    with _alone(places):
        _clear(places)
        patterns = _besides_others(places, patterns)
        before = search(places.searched, patterns, SubProgress(progress, 0.0, 0.4))
        _refuse_lists(patterns, before)
        with _no_jobs(places):
            done, records = _purge(places, patterns, before, SubProgress(progress, 0.4, 0.6))
        _clear(places)
        after = search(places.searched, patterns, SubProgress(progress, 0.6, 1.0))
    seen = set[str]().union(*(one.ids for one in before.values()))
    return certify(patterns, len(seen), done, records, places.searched, after)


def _besides_others(places: SearchedPlaces, patterns: IdPatterns) -> IdPatterns:
    """Add the longer ids of other users that contain one of these ids, so that they are left."""
    tables = [path for path in files_below(places.inputs) if path.is_file()]
    tables += [path for path in files_below(places.searched) if path.suffix == ".parquet"]
    return IdPatterns(patterns.ids, frozenset().union(*(longer_ids(path, patterns) for path in tables)))


def _refuse_lists(patterns: IdPatterns, looked: Mapping[Path, SearchedFile]) -> None:
    """Refuse lines that stand in no file and look like several cells of a table."""
    seen = set[str]().union(*(one.ids for one in looked.values()))
    odd = [one for one in patterns.ids - seen if set(one) & set(SEPARATORS + '"')]
    if odd:
        raise InputError(
            f"Found nowhere, and with a tab, a semicolon, a comma or a quote: "
            f"{pluralise(len(odd), 'line')} of the list",
            allowed=_ALLOWED,
            remedy="Give the column of ids alone",
        )


def _purge(
    places: SearchedPlaces, patterns: IdPatterns, looked: Mapping[Path, SearchedFile], progress: Progress
) -> tuple[Counter[str], int]:
    """Carry out every step; count what became of what, and the records left out of files."""
    steps, done, records = plan(places, looked), Counter[str](), 0
    for number, step in enumerate(steps):
        progress(TASK, number / len(steps), f"Removing: {step.what}")
        records += _do(step, patterns)
        done[f"{step.what}: {step.fate.value}"] += 1
    return done, records


@contextmanager
def _alone(places: SearchedPlaces) -> Iterator[None]:
    """Lock every folder of a run or a watch against other writers.

    Raises:
        ResourceError: If somebody does, or a job is at work: minutes later it would be refused all the same.
    """
    with ExitStack() as stack:
        for out in places.outs:
            stack.enter_context(claim_folder(out))
        with _no_jobs(places):
            pass
        yield


@contextmanager
def _no_jobs(places: SearchedPlaces) -> Iterator[None]:
    """Keep jobs of the app from starting; refuse to go on while one is at work.

    Raises:
        ResourceError: If one does: what it makes of the users now would come after the search.
    """
    if places.store is None:
        yield
        return
    with folder_lock(places.store / JOBS):
        at_work = {job.task for job in jobs.active(places.store) if job.task != TASK}
        if at_work:
            raise ResourceError(
                f"A job is at work on this cache ({', '.join(sorted(at_work))})",
                remedy="Cancel it, or wait until it has ended, and start again",
            )
        yield
