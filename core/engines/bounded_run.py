"""A whole run in a bound of memory: a sample of the users is trained on, and all are placed, part by part.

Where all records fit at once it is the same run as any other, with the same results.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from core.base.errors import NothingLeft, SettingsError
from core.base.progress import Progress, SubProgress
from core.base.settings import IngestSettings
from core.data.dataset import Dataset
from core.engines import parts
from core.engines.bounds import Bounds
from core.engines.everybody import Everybody
from core.engines.placing import Model, Place, PlacedPart, Placing
from core.engines.sampled import SAMPLE, Sample, dataset_of, decided_on, drawn, read_here, share_drawn
from core.ingest.read.read_all import RawRead
from core.runs import pipeline, run
from core.runs.pipeline import LABEL_CACHE, STAGES, RunSettings
from core.runs.publish import BOUNDED, clear_work
from core.storage.claims import claimed
from core.storage.disk import disk_errors, make_folder
from core.storage.replace_files import finish
from core.storage.store import Store

LEARNED: Final = (
    "The segments are learned from {narrowed}, and the report counts these. "
    "users.parquet, profiles.json and receipt.json are of all users"
)


@dataclass(frozen=True, eq=False)
class Records:
    """All records of an export, and a way to place its users a part at a time.

    Args:
        raw: The records, on this machine's disk; they are removed when the sample is drawn and decided on.
        files: What their files are by content.
        n_parts: Into how many the users are dealt out.
        deal: Deals the users out to parts, and gives what places them.
    """

    raw: RawRead
    files: dict[str, str]
    n_parts: int
    deal: Callable[[], Place]


def run_bounded(
    out: Path,
    inputs: Sequence[Path],
    settings: RunSettings,
    progress: Progress,
    bounds: Bounds,
    from_stage: str | None = None,
    fetch_hosts: Sequence[str] = (),
) -> dict[str, Any]:
    """Run the stages in a bound of memory, and write their results into ``out``.

    Args:
        out: The run's folder; made when absent.
        inputs: Files, folders or patterns.
        settings: Every setting of the run.
        progress: Where to report.
        bounds: Memory, and how many users to train on.
        from_stage: As :func:`core.runs.run.run` takes it; all users are placed again from any stage on.
        fetch_hosts: Hosts that pages may be fetched from, this once.

    Returns:
        What ``run.json`` holds.

    Raises:
        Beha2VecError: If something cannot be done, or another process writes there; what an earlier run
            left is untouched.
    """
    if (
        bounds.sample_users is None
        and bounds.share is None
        and (
            bounds.surely_holds(inputs)
            or (not from_stage and _is_there(out / "stages", inputs, settings.ingest, bounds))
        )
    ):
        return run.run(out, inputs, settings, progress, from_stage, fetch_hosts)
    read = partial(records_here, inputs=inputs, progress=progress, bounds=bounds)
    return run_by_part(out, settings, progress, bounds, from_stage, fetch_hosts, read)


def _is_there(root: Path, inputs: Sequence[Path], settings: IngestSettings, bounds: Bounds) -> bool:
    """Whether an earlier run left the data set of all users and it fits, so that no file need be read."""
    if not (root / STAGES[0]).is_dir():  # before files are looked at as a whole
        return False
    key = pipeline.dataset_key(settings, pipeline.fingerprints(inputs))
    found = pipeline.known_dataset(Store(root), key)
    return found is not None and bounds.n_parts(found.receipt.records) == 1


def run_by_part(
    out: Path,
    settings: RunSettings,
    progress: Progress,
    bounds: Bounds,
    from_stage: str | None,
    fetch_hosts: Sequence[str],
    read: Callable[[Store, Path, IngestSettings], Records],
) -> dict[str, Any]:
    """Run in a bound of memory, wherever files are read and users are placed; all else is done here.

    Args:
        out: The run's folder; made when absent.
        settings: Every setting of the run.
        progress: Where to report.
        bounds: Memory here, and how many users to train on.
        from_stage: As :func:`core.runs.run.run` takes it.
        fetch_hosts: Hosts that pages may be fetched from, this once.
        read: Given the run's store, a folder and how, reads the files; what is in the folder's
            :data:`RECORDS` is removed when it was decided on.

    Raises:
        Beha2VecError: If something cannot be done; what an earlier run left is untouched.
    """
    make_folder(out)
    with claimed(out), disk_errors():
        finish(out)
        clear_work(out)
        kept = run.kept_keys(out, from_stage)
        store = Store(out / "stages")
        store.sweep()
        with tempfile.TemporaryDirectory(dir=out, prefix=BOUNDED, ignore_cleanup_errors=True) as place:
            work = Path(place)
            records = read(store, work, settings.ingest)
            again = from_stage is not None
            dataset, everybody = _trained_on(store, records, settings, progress, bounds, work, kept, again)
            return run.run_from(
                out, store, dataset, settings, progress, kept, again=again, fetch_hosts=fetch_hosts,
                finish=everybody.finish if everybody else None,
            )  # fmt: skip


def _trained_on(
    store: Store,
    records: Records,
    settings: RunSettings,
    progress: Progress,
    bounds: Bounds,
    work: Path,
    kept: Mapping[str, str],
    again: bool,
) -> tuple[Dataset, Everybody | None]:
    """The users that the model is trained on; and all of them, where these are a sample.

    Raises:
        SettingsError: If nobody is drawn, or others than those of the stages that are kept.
    """
    raw, ingest, again = records.raw, settings.ingest, again and not kept
    share = share_drawn(raw, bounds, work)
    some, files = drawn(raw, records.files, share, bounds, settings.train.seed, work)
    key = pipeline.dataset_key(ingest, files)
    if kept.get(STAGES[0], key) != key:
        raise SettingsError(
            "The earlier run was trained on other users",
            remedy="Name INPUT, --seed and --sample-users as before, or leave --from-stage out",
        )
    if some is None or share is None:
        return dataset_of(store, raw, ingest, files, work, progress, bounds, again=again), None
    place = records.deal()
    decided = decided_on(raw, ingest, work, SubProgress(progress, 0.5, 0.7), bounds)
    sample = Sample(raw, decided, LEARNED)
    dataset = dataset_of(store, some, ingest, files, work, progress, bounds, sample, again=again)
    shutil.rmtree(work / SAMPLE)
    return dataset, Everybody(raw, decided, settings, place, progress, share)


def records_here(
    store: Store | None,
    work: Path,
    settings: IngestSettings,
    inputs: Sequence[Path],
    progress: Progress,
    bounds: Bounds,
) -> Records:
    """All records, read on this machine, which also places the users, a part after the other."""
    raw, files = read_here(store, inputs, settings, work, progress)

    def deal() -> Place:
        parts = _dealt(raw, bounds, work)
        label_cache = (store.root if store else work) / LABEL_CACHE
        return partial(_placed_here, parts, work, label_cache, bounds.database)

    return Records(raw, files, bounds.n_parts(raw.rows), deal)


def _placed_here(
    parts: Sequence[RawRead],
    work: Path,
    label_cache: Path,
    memory: int,
    model: Path,
    placing: Placing,
) -> Iterator[PlacedPart]:
    """Place the parts that have a page view; each is removed when it is done."""
    there = Model.read(model, placing.n_next)
    for number, part in enumerate(parts):
        place = work / f"placing{number}"
        place.mkdir()
        with suppress(NothingLeft):  # users without a page view are in no segment, as in any run
            yield placing.part(part, there, place, label_cache=label_cache, memory=memory)
        shutil.rmtree(place)
        for _, path in part.parts:
            path.unlink()


def _dealt(raw: RawRead, bounds: Bounds, work: Path) -> list[RawRead]:
    """All users, dealt out to parts that fit."""
    dealt = parts.split(raw, bounds.n_parts(raw.rows), work / "parts", bounds.database)
    bounds.require_even([part.rows for part in dealt])
    return dealt
