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
from core.base.wording import counted
from core.data.dataset import RECEIPT, Dataset
from core.engines import parts
from core.engines.bounds import Bounds
from core.engines.everybody import Everybody
from core.engines.placing import Model, Place, PlacedPart, Placing
from core.ingest.decisions import decide
from core.ingest.ingest import transform
from core.ingest.observe.decided import Decided
from core.ingest.read.kept_reads import KeptReads
from core.ingest.read.read_all import RawRead, read_all
from core.ingest.sources.input_files import resolve_inputs
from core.runs import pipeline, run
from core.runs.pipeline import LABEL_CACHE, STAGES, RunSettings
from core.runs.publish import BOUNDED, clear_work
from core.storage.claims import claimed
from core.storage.disk import disk_errors, make_folder, write_text_atomic
from core.storage.replace_files import finish
from core.storage.store import Store, content_key

SAMPLE: Final = "sample"
RECORDS: Final = "records"
DECISIONS: Final = "decisions"


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
    if bounds.sample_users is None and (
        bounds.surely_holds(inputs) or (not from_stage and _is_there(out, inputs, settings, bounds))
    ):
        return run.run(out, inputs, settings, progress, from_stage, fetch_hosts)
    read = partial(records_here, inputs=inputs, progress=progress, bounds=bounds)
    return run_by_part(out, settings, progress, bounds, from_stage, fetch_hosts, read)


def run_by_part(
    out: Path,
    settings: RunSettings,
    progress: Progress,
    bounds: Bounds,
    from_stage: str | None,
    fetch_hosts: Sequence[str],
    read: Callable[[Store, Path, IngestSettings], Records],
) -> dict[str, Any]:
    """The same, wherever the files are read and the users are placed; all else is done here.

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


def _is_there(out: Path, inputs: Sequence[Path], settings: RunSettings, bounds: Bounds) -> bool:
    """Whether an earlier run left the data set of all users and it fits, so that no file need be read."""
    if not (out / "stages" / "preprocess").is_dir():  # before files are looked at as a whole
        return False
    key = _key(settings.ingest, pipeline.fingerprints(inputs))
    found = pipeline.known_dataset(Store(out / "stages"), key)
    return found is not None and bounds.n_parts(found.receipt.records) == 1


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
    raw, files, again = records.raw, records.files, again and not kept
    some = _sample(raw, bounds, settings.train.seed, work)
    if some is not None:
        drawn = f"{sum(file.read for file in some.files)} records, seed {settings.train.seed}"
        files = files | {SAMPLE: drawn}
    key = _key(settings.ingest, files)
    if kept.get(STAGES[0], key) != key:
        raise SettingsError(
            "The earlier run was trained on other users",
            remedy="Name INPUT, --memory or --sample-users, and --seed as before, or leave --from-stage out",
        )
    if some is None:
        return _dataset(store, raw, settings.ingest, files, work, progress, bounds, again=again), None
    if not some.rows:
        raise SettingsError("Nobody is in the sample of the users", remedy="Draw more users: --sample-users")
    place = records.deal()
    decided = decided_on(records, settings.ingest, work, SubProgress(progress, 0.5, 0.7), bounds)
    dataset = _dataset(store, some, settings.ingest, files, work, progress, bounds, decided, again=again)
    shutil.rmtree(work / SAMPLE)
    return dataset, Everybody(raw, decided, settings, place, progress)


def decided_on(
    records: Records, settings: IngestSettings, work: Path, progress: Progress, bounds: Bounds
) -> Decided:
    """Decide on all users; their records are not needed any more, once they are dealt out."""
    (decisions := work / DECISIONS).mkdir()
    decided = decide(records.raw, settings, decisions, progress, bounds.database)
    shutil.rmtree(work / RECORDS)
    return decided


def records_here(
    store: Store,
    work: Path,
    settings: IngestSettings,
    inputs: Sequence[Path],
    progress: Progress,
    bounds: Bounds,
) -> Records:
    """All records, read on this machine, which also places the users, a part after the other."""
    raw, files = _read(store, inputs, settings, work, progress)

    def deal() -> Place:
        parts = _dealt(raw, bounds, work)
        return partial(_placed_here, parts, work, store.root / LABEL_CACHE, bounds.database)

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


def _read(
    store: Store, inputs: Sequence[Path], settings: IngestSettings, work: Path, progress: Progress
) -> tuple[RawRead, dict[str, str]]:
    """The records, and what their files are by content."""
    sources = resolve_inputs(inputs)
    checksums = pipeline.checksums(sources)
    kept = KeptReads(store, settings, checksums)
    raw = read_all(inputs, settings, work / RECORDS, progress, kept)
    return raw, pipeline.numbered(sources, checksums)


def _sample(raw: RawRead, bounds: Bounds, seed: int, work: Path) -> RawRead | None:
    """The users to train on; None where these are all, and fit at once."""
    share = bounds.sample_share(raw.rows)
    if bounds.sample_users is not None:
        share = min(1.0, bounds.sample_users / max(1, parts.count_ids(raw, work, bounds.database)))
        if share * raw.rows > bounds.at_once:
            raise SettingsError(
                f"A sample of {counted(bounds.sample_users, 'user')} has about {int(share * raw.rows):,} "
                f"records, and {bounds.at_once:,} fit into the memory",
                remedy="Draw fewer users, or allow more memory",
            )
    if share >= 1 and bounds.n_parts(raw.rows) == 1:
        return None
    return parts.sample_of(raw, work / SAMPLE, share=share, seed=seed, memory=bounds.database)


def _dealt(raw: RawRead, bounds: Bounds, work: Path) -> list[RawRead]:
    """All users, dealt out to parts that fit."""
    dealt = parts.split(raw, bounds.n_parts(raw.rows), work / "parts", bounds.database)
    bounds.require_even([part.rows for part in dealt])
    return dealt


def _key(settings: IngestSettings, inputs: dict[str, str]) -> str:
    """What a data set is called, as in any run."""
    return content_key(STAGES[0], settings.model_dump(mode="json"), inputs)


def _dataset(
    store: Store,
    raw: RawRead,
    settings: IngestSettings,
    inputs: dict[str, str],
    work: Path,
    progress: Progress,
    bounds: Bounds,
    decided: Decided | None = None,
    *,
    again: bool = False,
) -> Dataset:
    """What the model is trained on, in the store; all users under the key that any run gives them."""
    dumped, key = settings.model_dump(mode="json"), _key(settings, inputs)
    if again or pipeline.known_dataset(store, key) is None:
        with store.write(STAGES[0], key, dumped, inputs) as folder:
            receipt = transform(
                raw, settings, folder, progress, work, memory=bounds.database, decided=decided
            )
            if decided is not None:
                of_all = f"{receipt.users:,} of {decided.n_users:,} users"
                told = (
                    f"The segments are learned from a sample of {of_all}, and the report counts these. "
                    "users.parquet, profiles.json and receipt.json are of all users",
                )
                changes = {"narrowed": f"a sample of {of_all}", "warnings": (*told, *receipt.warnings)}
                receipt = receipt.model_copy(update=changes)
                write_text_atomic(folder / RECEIPT, receipt.model_dump_json(indent=1))
    return pipeline.open_dataset(store, key)
