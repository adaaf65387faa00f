"""The plan of forgetting: which files and folders are removed or changed, and in which order.

What was made of data that holds an id is found over the inputs of artifacts, and goes first; what holds an id
itself goes last, after files that came in: what was made of them says whose their records are. So after a
kill half way, the next attempt still finds the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from core.base.errors import InputError
from core.base.schema import Raw
from core.base.wording import pluralise
from core.ingest.read.headers import normalise_header
from core.ingest.read.read_cache import STAGE as READ
from core.ingest.sources.input_files import tables_in
from core.runs import app_watches
from core.runs.forgetting.places import CHECKPOINTS, JOBS, SearchedPlaces, artifacts, unit_of
from core.runs.forgetting.search import SearchedFile
from core.runs.publish import RUN, WRITTEN
from core.runs.second_training import left_by_earlier_releases
from core.runs.stages import ALL_STAGES, HANDED_IN
from core.runs.taken_files import RECORD
from core.runs.watch import KEPT_FOLDER
from core.saved import conversations, saved_runs, saved_work
from core.storage.dataset import RECEIPT
from core.storage.receipt import Receipt
from core.storage.store import Manifest, Store, file_checksum

_CAME_FROM: Final = "file"
"""Name of an artifact's input that is the checksum of the file it was read from."""
_WORDS: Final = {
    READ: "what was read of a file", HANDED_IN: "segments that wait",
    saved_work.STAGE: "segments on screen", saved_runs.STAGE: "saved run",
    **{stage.name: stage.title for stage in ALL_STAGES},
}  # fmt: skip
_FIRST, _CAME_IN, _HOLDS = 1_000, -1, -2
"""Turns: the highest goes first; artifacts that hold no id go in the order of what was made of what."""


class PurgeFate(StrEnum):
    """What becomes of a file or folder."""

    REMOVED = "removed"
    TOLD = "keeps its name, settings and sizes; it cannot be opened any more"
    BLACKED = "each id is replaced by a mark; removed where that cannot be"
    RETAKEN = "the files are taken again, if they are still there"
    REWRITTEN = "written without the records of these users"
    LEFT = "cannot be written without these users: see what is left"


@dataclass(frozen=True)
class PurgeStep:
    """A file or folder that is removed or changed.

    Args:
        path: File or folder.
        fate: What becomes of it.
        what: What it is, in words.
        turn: Steps with the highest turn are done first.
        name: What it is called, if it has a name.
        keys: Columns of user ids, if it is an input file, by the data sets that were made of it.
    """

    path: Path
    fate: PurgeFate
    what: str
    turn: int
    name: str = ""
    keys: frozenset[str] = frozenset()


def plan(places: SearchedPlaces, looked: Mapping[Path, SearchedFile]) -> list[PurgeStep]:
    """Everything that has to go or to be changed, in order.

    Args:
        places: Where users are to be forgotten.
        looked: Every file there → what was found in it.
    """
    with_ids = {path for path, found in looked.items() if found.hits}
    ours = (*places.stores, *places.outs)
    foreign = {path for path in with_ids if not any(path.is_relative_to(one) for one in ours)}
    came = [step for place in places.inputs for step in _came_in(place, foreign)]
    made = {path: one for store in places.stores for path, one in artifacts(store).items()}
    units = {
        path: store
        for store in places.stores
        for path in {unit_of(store, one, made) for one in with_ids if _store_of(places, one) == store}
    }
    sums = {step.path: file_checksum(step.path) for step in came}
    read = [*made.values(), *(one for store in places.stores for one in _of_watches(store))]
    came = [replace(step, keys=_keys_of(read, sums[step.path])) for step in came]
    gone = _derived_artifacts(made, set(units), set(sums.values()))
    turns = {path: _HOLDS if path in units else depth for path, depth in gone.items()}
    names = {
        made[path].key: _called(path, "preprocess") for path in turns if made[path].stage == "preprocess"
    }
    steps = [_artifact(path, made[path], turn, names) for path, turn in turns.items()]
    steps += [step for store in places.stores if gone for step in _filed_under(store, _models(made, gone))]
    steps += [step for store in places.stores for step in _watches(store, {made[path].key for path in gone})]
    steps += [_other(path) for path in units if path not in gone]
    steps += [step for out in places.outs for step in _of_out(out, with_ids, steps)]
    known = {step.path: step for step in reversed([*came, *steps])}  # of two for one path the first counts
    return sorted(known.values(), key=lambda step: (-step.turn, str(step.path)))


def _store_of(places: SearchedPlaces, path: Path) -> Path | None:
    """The store that a file lies in, the innermost one."""
    return next((store for store in places.stores if path.is_relative_to(store)), None)


def _derived_artifacts(
    made: Mapping[Path, Manifest], with_ids: set[Path], spoiled: set[str]
) -> dict[Path, int]:
    """Artifacts that hold an id or were made, over any number of steps, of what does.

    Args:
        made: Every artifact's folder → its manifest.
        with_ids: Folders that contain an id.
        spoiled: Checksums of input files that do.

    Returns:
        Folder → 0 if it contains an id itself; the higher, the more steps it was made after those.
    """
    depth = dict.fromkeys((path for path in made if path in with_ids), 0)
    names = spoiled | {name for path in depth for name in _names(made[path])}
    while True:
        others = (path for path in made if path not in depth)
        fresh = {path: len(depth) for path in others if names & set(made[path].inputs.values())}
        if not fresh:
            return depth
        depth |= fresh
        names |= {name for path in fresh for name in _names(made[path])}


def _keys_of(made: Iterable[Manifest], checksum: str) -> frozenset[str]:
    """Normalised names of the columns by which what was made of a file tells users."""
    how = (one.settings for one in made if checksum in one.inputs.values() and "user_key" in one.settings)
    return frozenset(normalise_header(one["mapping"].get(Raw.USER_KEY) or one["user_key"]) for one in how)


def _names(made: Manifest) -> set[str]:
    """Keys under which other artifacts have it as input; none for saved work, which has its model's key."""
    if made.stage == READ:
        return {made.key, made.inputs[_CAME_FROM]}
    return set() if made.stage in (saved_work.STAGE, saved_runs.STAGE) else {made.key}


def _artifact(path: Path, made: Manifest, turn: int, names: Mapping[str, str]) -> PurgeStep:
    """Step for an artifact, called by its own name or by that of the data it was made of."""
    fate = PurgeFate.TOLD if made.stage == saved_runs.STAGE else PurgeFate.REMOVED
    of_data = (names[key] for key in made.inputs.values() if key in names)
    name = _called(path, made.stage) or next(of_data, "")
    return PurgeStep(path, fate, _WORDS.get(made.stage, made.stage), turn, name)


def _models(made: Mapping[Path, Manifest], gone: Mapping[Path, int]) -> set[str]:
    return {made[path].key for path in gone if made[path].stage == "train"}


def _filed_under(store: Path, models: set[str]) -> Iterator[PurgeStep]:
    """Steps for what analysts did with removed models: nothing could open it any more."""
    for model in sorted(models):
        for path in (store / saved_work.STAGE).glob(f"{model}.*"):
            yield PurgeStep(path, PurgeFate.REMOVED, "names and settings of segments", _FIRST)
        for path in (store / conversations.FOLDER / model).glob("*"):
            yield PurgeStep(path, PurgeFate.REMOVED, "conversation", _FIRST)
    # nothing says what these were made of
    for path in (*(store / CHECKPOINTS).glob("*"), *left_by_earlier_releases(store)):
        yield PurgeStep(path, PurgeFate.REMOVED, "training that was stopped", _FIRST)


def _watches(store: Path, keys: set[str]) -> Iterator[PurgeStep]:
    """Steps for watches on removed models, or on models of removed data: they have a copy."""
    for one in app_watches.watches(Store(store)):
        if {one.order.dataset, one.order.model} & keys:
            yield PurgeStep(one.place, PurgeFate.REMOVED, "watch", _FIRST, one.order.folder.name)


def _of_watches(store: Path) -> Iterator[Manifest]:
    """Manifests of what watches of the app have read of their files."""
    for kept in store.glob(f"{app_watches.FOLDER}/*/{app_watches.LIVE}/{KEPT_FOLDER}"):
        yield from artifacts(kept).values()


def _of_out(out: Path, with_ids: set[Path], of_stores: list[PurgeStep]) -> Iterator[PurgeStep]:
    """Steps for an output folder: a run loses all but its settings, a watch takes its files again."""
    mine = {path for path in with_ids if path.is_relative_to(out)}
    if not mine and not any(step.path.is_relative_to(out) for step in of_stores):
        return
    if (out / RECORD).exists():
        yield PurgeStep(out / RECORD, PurgeFate.RETAKEN, "record of a watch", _FIRST)
    for path in sorted(out.glob("*")):
        if path.name in WRITTEN:
            holds = any(one.is_relative_to(path) for one in mine)
            yield PurgeStep(path, PurgeFate.REMOVED, "file of a run", _HOLDS if holds else _FIRST, path.name)
    if out / RUN in mine:
        yield PurgeStep(out / RUN, PurgeFate.BLACKED, "settings of a run", _HOLDS)


def _came_in(place: Path, with_ids: set[Path]) -> Iterator[PurgeStep]:
    for path in sorted(path for path in with_ids if path == place or path.is_relative_to(place)):
        if path.name.startswith("."):
            yield PurgeStep(path, PurgeFate.REMOVED, "unfinished upload", _CAME_IN)
            continue
        fate = PurgeFate.LEFT
        with suppress(InputError):
            fate = PurgeFate.REWRITTEN if any(tables_in(path, path.name)) else PurgeFate.LEFT
        yield PurgeStep(path, fate, "input file", _CAME_IN, path.name)


def _called(path: Path, stage: str) -> str:
    """Name that a person gave an artifact, or that of its first file; else empty."""
    with suppress(OSError, ValueError):
        if stage == saved_runs.STAGE:
            return saved_runs.SavedRun.model_validate_json((path / saved_runs.RUN).read_bytes()).name
        if stage == "preprocess":
            receipt = Receipt.model_validate_json((path / RECEIPT).read_bytes())
            return f"{receipt.files[0].name}, {pluralise(receipt.users, 'user')}"
    return ""


def _other(path: Path) -> PurgeStep:
    """Step for what is no artifact: folders are removed, texts lose the ids."""
    words = {
        app_watches.FOLDER: "watch",
        JOBS: "job that ended",
        conversations.FOLDER: "conversation",
        "llm_log": "log of calls",
    }
    above = {folder.name for folder in path.parents}
    kind = "cache" if path.is_dir() else "file of the app"
    what = next((word for name, word in words.items() if name in above), kind)
    whole = path.is_dir() or path.name.startswith(".")
    return PurgeStep(path, PurgeFate.REMOVED if whole else PurgeFate.BLACKED, what, _HOLDS)
