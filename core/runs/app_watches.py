"""Watches that the app started: which folder, on which segments, and the job that does it.

``root/watches/<id>/`` holds ``order.json`` (what was asked for), ``model/`` (as a run publishes it),
``live/`` (what :mod:`core.runs.watch` makes of the files) and ``told.jsonl`` (what it said). The id is the
folder's, so a folder has one watch, and whoever starts it again goes on with what was taken; its jobs have
the id as their subject. A watch lives in a process of its own: it outlives page, session and server.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from pydantic import Field

from core.base.errors import ResourceError, SettingsError
from core.base.progress import Progress
from core.base.settings import Settings
from core.runs import jobs
from core.runs.frozen import key_and_reading
from core.runs.job_view import JobView, State
from core.runs.model_folder import MODEL
from core.runs.taken_files import TakenFiles, read_taken, taken_alike
from core.storage.disk import make_folder
from core.storage.locks import claim_folder
from core.storage.replace_files import READY, finish_replacement, replace_files_atomic
from core.storage.store import Store

TASK: Final = "watch"
FOLDER: Final = "watches"
_ORDER, LIVE, REPORTED = "order.json", "live", "told.jsonl"
EVERY_S: Final = 10.0
"""Seconds between two looks."""
SETTLE_S: Final = 5.0
"""Seconds that a file must have stayed as it is to count as whole."""
_TOLD_AT_MOST: Final = 50
"""Number of a watch's messages that are read, the newest."""


class WatchOrder(Settings):
    """What a watch was asked for: a folder, and the data set, model and segments to place its users by."""

    folder: Path
    dataset: str
    """Content key of the data set."""
    model: str
    title: str
    """Name of the data set on the screen."""
    names: dict[int, str]
    """Segment → what it is called."""
    sizes: dict[int, int] = Field(default_factory=dict)
    """Segment → users of the data set who are in it."""
    at: str
    """When it was asked for, UTC, ISO 8601."""
    frozen: str = ""
    """Key of the published model, which the record of taken files names too; empty until it was published."""


class WatchRequest(Settings):
    """Request of a watch job: the watched folder, for which a :class:`WatchOrder` is in the store."""

    folder: Path


class WatchState(StrEnum):
    """State of a watch."""

    STARTING = "starting"
    WATCHING = "watching"
    TAKING = "taking"
    """It is at work on files."""
    TROUBLE = "trouble"
    """Its last look failed; it goes on."""
    DEAF = "deaf"
    """Its process gives no sign of life."""
    STOPPING = "stopping"
    STOPPED = "stopped"
    """It ended because somebody stopped it."""
    DEAD = "dead"
    """It ended, and nobody asked it to."""
    ENDED = "ended"
    """It ended so long ago that nobody knows why."""


@dataclass(frozen=True)
class AppWatch:
    """A watch of the app with its order and its latest job.

    Args:
        id: What its folder in the store is called.
        place: Path of that folder in the store, not of the watched one.
        order: What was asked for.
        job: The job that does it; None where that was cleaned away long after it ended.
    """

    id: str
    place: Path
    order: WatchOrder
    job: JobView | None

    @property
    def alive(self) -> bool:
        """Whether its job is active."""
        return self.job is not None and self.job.active

    @property
    def state(self) -> WatchState:
        """State of the watch, by its job."""
        from core.runs.watch import STAGE, TROUBLE

        job = self.job
        if job is None:
            return WatchState.ENDED
        if not job.active:
            return WatchState.STOPPED if job.state is State.CANCELLED else WatchState.DEAD
        if job.stopping:
            return WatchState.STOPPING
        if not job.answers:
            return WatchState.DEAF
        resting = {"": WatchState.STARTING, "wait": WatchState.STARTING, STAGE: WatchState.WATCHING}
        return (resting | {TROUBLE: WatchState.TROUBLE}).get(job.stage, WatchState.TAKING)

    @property
    def looked(self) -> datetime | None:
        """When it last saw the folder; None before that."""
        from core.runs.watch import LOOKED

        with suppress(OSError):
            return datetime.fromtimestamp((self.place / LIVE / LOOKED).stat().st_mtime, UTC)
        return None

    def taken(self) -> TakenFiles | None:
        """Read the record of taken files; None where nothing was taken.

        Raises:
            ArtifactError: If the record is damaged.
        """
        live = self.place / LIVE  # while files are put in place, the record lies with those that wait
        return read_taken(live) or read_taken(live / READY) or read_taken(live)

    def told(self) -> list[tuple[str, str]]:
        """The latest messages of the watch, each (time, line), newest first; the time is UTC, ISO 8601."""
        found = []
        with suppress(OSError):
            for line in (self.place / REPORTED).read_text(encoding="utf-8").splitlines()[-_TOLD_AT_MOST:]:
                with suppress(ValueError, TypeError, KeyError):  # a process was killed in the middle of one
                    said = json.loads(line)
                    found.append((str(said["at"]), str(said["line"])))
        return found[::-1]


def place_of(store: Store, folder: Path) -> Path:
    """Path in the store where a watch of ``folder`` is kept, whether there is one or not."""
    name = hashlib.blake2b(str(folder.resolve()).encode(errors="surrogateescape"), digest_size=8).hexdigest()
    return store.root / FOLDER / name


def watches(store: Store) -> list[AppWatch]:
    """Every watch of a store, the newest order first; one that cannot be read is left out."""
    known = _jobs(store)
    found = (_read(path.parent, known) for path in (store.root / FOLDER).glob(f"*/{_ORDER}"))
    return sorted((one for one in found if one is not None), key=lambda one: one.order.at, reverse=True)


def _read(place: Path, known: list[JobView]) -> AppWatch | None:
    its = [job for job in known if (job.task, job.subject) == (TASK, place.name)]
    job = next((job for job in its if job.active), its[0] if its else None)
    with suppress(OSError, ValueError):
        order = WatchOrder.model_validate_json((place / _ORDER).read_bytes())
        return AppWatch(place.name, place, order, job)
    return None


def _jobs(store: Store) -> list[JobView]:
    return jobs.recent(store.root, limit=sys.maxsize)  # one may go on while many others come and go


def start(store: Store, order: WatchOrder, publish: Callable[[Path], None]) -> None:
    """Watch a folder from now on, on these segments; what was taken before stays, and is placed anew.

    Args:
        store: Where watches and artifacts are kept.
        order: What is asked for.
        publish: Writes the model folder, given its path, which does not exist yet.

    Raises:
        ArtifactError: If the model or the record of what was taken is damaged.
        SettingsError: If it is being watched already, or what was taken was read otherwise.
        ResourceError: If the disk refuses, or another session starts it at this moment.
    """
    place = place_of(store, order.folder)
    make_folder(place)
    with claim_folder(place):
        _refuse_alive(store, place, "is being watched already")
        with replace_files_atomic(place, last=_ORDER) as building:
            publish(building / MODEL)
            order = order.model_copy(update={"frozen": _key(building / MODEL, place / LIVE)})
            (building / _ORDER).write_text(order.model_dump_json(indent=1), encoding="utf-8")
        _launch(store, place, order.folder)


def _key(model: Path, live: Path) -> str:
    """Key of a model, once it is sure that it reads files as those taken before."""
    key, settings = key_and_reading(model)
    make_folder(live)
    finish_replacement(live)
    taken_alike(live, settings)
    return key


def go_on(store: Store, watch: AppWatch) -> None:
    """Start a stopped watch again, on the same segments.

    Raises:
        SettingsError: If it is being watched already.
        ResourceError: If the disk refuses, or another session starts it at this moment.
    """
    with claim_folder(watch.place):
        _refuse_alive(store, watch.place, "is being watched already")
        _launch(store, watch.place, watch.order.folder)


def stop(store: Store, watch: AppWatch) -> None:
    """Ask the process of a watch to end; what was taken stays.

    Raises:
        ResourceError: If the disk refuses.
    """
    if watch.job is not None:
        jobs.cancel(store.root, watch.job.id)


def delete(store: Store, watch: AppWatch) -> None:
    """Remove a watch with all that was made of its files; the files themselves stay.

    Raises:
        SettingsError: If it is still being watched.
        ResourceError: If another session starts it at this moment.
    """
    with claim_folder(watch.place):
        _refuse_alive(store, watch.place, "is being watched: stop it first")
        shutil.rmtree(watch.place, ignore_errors=True)


def _refuse_alive(store: Store, place: Path, why: str) -> None:
    known = _read(place, _jobs(store))
    if known is not None and known.alive:
        raise SettingsError(f"{known.order.folder} {why}", remedy="A folder has one watch")


def _launch(store: Store, place: Path, folder: Path) -> None:
    jobs.start(store.root, TASK, WatchRequest(folder=folder), place.name)


def keep_watching(store: Store, request: WatchRequest, progress: Progress) -> None:
    """Watch a folder until the job is cancelled: what the job's child process runs.

    Raises:
        Beha2VecError: If folder, model or what was taken cannot be used.
    """
    from core.runs.watch import watch

    place = place_of(store, request.folder)

    def tell(line: str) -> None:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        with suppress(OSError), (place / REPORTED).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"at": at, "line": line}) + "\n")

    def report(stage: str, fraction: float, message: str = "", **figures: float) -> None:
        with suppress(ResourceError):  # a full disk ends no watch
            progress(stage, fraction, message, **figures)

    live = place / LIVE
    watch(request.folder, place / MODEL, live, report, tell, every_s=EVERY_S, settle_s=SETTLE_S)
