"""Run or embed in a bound of memory: train on a sample of the users, and place all of them part by part.

Where all records fit at once it is the same run as any other, with the same results.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.base.errors import NoPageViewsLeft, ResourceError, SettingsError, reworded_for_frozen_model
from core.base.progress import Progress, SubProgress
from core.base.schema import Users
from core.base.settings import AnalyzeSettings, IngestSettings
from core.ingest.engine import literal, open_engine
from core.ingest.observe.export_decisions import ExportDecisions
from core.ingest.read.read_all import RawRead
from core.profiles.counts import Counts, count, sum_counts
from core.profiles.data import MAX_PAGES, ProfileData
from core.profiles.metrics import Profiles, drop_empty_rows, profile_counts, with_any_of
from core.profiles.outcomes import OutcomeRecord
from core.profiles.rows import all_rows
from core.runs import artifacts, pipeline, run
from core.runs.export import arrow_table, users_table, vector_lists
from core.runs.frozen import FrozenModel
from core.runs.later_stages import FAILED_LOG
from core.runs.model_folder import MODEL
from core.runs.pipeline import LABEL_CACHE, STAGES, RunSettings, Segments
from core.runs.placing import KNOWN
from core.runs.publish import BOUNDED, PROFILES
from core.runs.run import SHARE, TRAINED
from core.scoring import parts
from core.scoring.bounds import Bounds
from core.scoring.placing import LABEL, RULE, Place, PlacedPart, Placing, report_progress
from core.scoring.sampled import (
    SAMPLE,
    Sample,
    add_up,
    decide_for_all,
    draw_sample,
    read_local,
    share_drawn,
    store_dataset,
)
from core.segments.one_page import OnePageSegment, OnePageSegments
from core.storage.dataset import RECEIPT, USERS, Dataset
from core.storage.disk import atomic_write, disk_errors, make_folder, work_folder, write_text_atomic
from core.storage.locks import claim_file, claim_folder
from core.storage.receipt import Receipt
from core.storage.replace_files import finish_replacement
from core.storage.store import Store


@dataclass(frozen=True, eq=False)
class _AllUsers:
    """All users of an export, to be placed and counted once a model of a sample of them is trained.

    Args:
        raw: Counts of all records; their files may be gone.
        decided: Decisions made on all users.
        settings: Settings of the run.
        place: Places the users, part by part.
        progress: Where to report.
        share: Share of the users that the model learns from.
    """

    raw: RawRead
    decided: ExportDecisions
    settings: RunSettings
    place: Place
    progress: Progress
    share: float

    def finish(self, building: Path, segments: Segments) -> dict[str, Any]:
        """Replace the users of the training by all users: in their table, the profiles and the receipt.

        Args:
            building: Folder with the files of the run and its model, which are rewritten.
            segments: The segments of the training.

        Returns:
            Entries for ``run.json``: all users, users of the training, their share.

        Raises:
            Beha2VecError: If a part cannot be cleaned or placed.
        """
        trained = Receipt.model_validate_json((building / RECEIPT).read_bytes())
        counts: list[Counts] = []
        receipts = []
        placing = Placing(self.settings.train.device, decided=self.decided)
        parts = report_progress(self.place(building / MODEL, placing), self.decided.n_users, self.progress)
        with pq.ParquetWriter(building / USERS, pq.read_schema(building / USERS)) as writer:
            # by map, so that a part is gone when the next one is made
            for more, receipt in map(partial(_taken, segments, writer), parts):
                counts = [sum_counts([*counts, more])]
                receipts.append(receipt)
        write_text_atomic(building / PROFILES, _profiles(counts[0], segments).to_json())
        receipt = add_up(self.raw, self.decided, receipts, trained)
        # a new file: the one that is there shares its bytes with the store
        write_text_atomic(building / RECEIPT, receipt.model_dump_json(indent=1))
        return {"users": receipt.users, TRAINED: trained.users, SHARE: self.share}


def _taken(segments: Segments, writer: pq.ParquetWriter, part: PlacedPart) -> tuple[Counts, Receipt]:
    """Write the users of a part, and count them in the rows that all parts have."""
    data = ProfileData.from_dataset(part.dataset, part.labels)
    outcomes = data.outcomes.part_of(segments.data.outcomes, segments.profiles.chosen)
    conversions, one_page = outcomes.parts(_chosen(segments)), OnePageSegments(part.codes, _rules(segments))
    users = _rows(part, conversions, one_page, segments)
    writer.write_table(users.select(writer.schema.names).cast(writer.schema))
    rows = all_rows(data, part.clusters, segments.partition.ids.tolist(), one_page)
    return count(data, rows, with_any_of(conversions)), part.dataset.receipt


def _rows(
    part: PlacedPart, conversions: Mapping[str, OutcomeRecord], one_page: OnePageSegments, made: Segments
) -> pa.Table:
    """Rows of a part's users for ``users.parquet``."""
    outcomes = _in_currencies(conversions, made.outcomes)
    segments = replace(made.partition, labels=part.clusters)
    users = users_table(part.dataset.users, segments, part.vectors, made.titles, outcomes, one_page)
    return arrow_table(users).append_column(Users.EMBEDDING, vector_lists(part.vectors))


def _profiles(counts: Counts, segments: Segments) -> Profiles:
    """Profiles of the segments over all users; the one-page rules are those of the training."""
    return drop_empty_rows(
        profile_counts(counts.in_order(MAX_PAGES), segments.data.outcomes, _chosen(segments))
    )


def _chosen(segments: Segments) -> AnalyzeSettings:
    """Settings of the profiles, with the outcome of the training."""
    return segments.profiles.settings.model_copy(update={"outcome": segments.profiles.chosen})


def _rules(segments: Segments) -> tuple[OnePageSegment, ...]:
    return segments.profiles.one_page.segments if segments.profiles.one_page else ()


def _in_currencies(
    outcomes: Mapping[str, OutcomeRecord], before: Mapping[str, OutcomeRecord]
) -> dict[str, OutcomeRecord]:
    """Outcomes with the currencies of the training, so that each part has the same columns of money.

    One that the training had not seen has no column; it is in the profiles and in the receipt.
    """
    totals = {}
    for name, conversions in outcomes.items():
        nothing = np.full(len(conversions.user), np.nan)
        money = {currency: conversions.money.get(currency, nothing) for currency in before[name].money}
        totals[name] = replace(conversions, money=money)
    return totals


_LEARNED: Final = (
    "The segments are learned from {narrowed}, and the report counts these. "
    "users.parquet, profiles.json and receipt.json are of all users"
)


@dataclass(frozen=True, eq=False)
class ExportRecords:
    """All records of an export, and a way to place its users a part at a time.

    Args:
        raw: The records, on this machine's disk; removed once the sample is drawn and decisions are made.
        files: Number and name of each input → checksum, for the key of the data set.
        n_parts: Number of parts of the users.
        deal: Distributes the users to parts, and returns what places them.
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
    read = partial(_records_here, inputs=inputs, progress=progress, bounds=bounds)
    return run_by_part(out, settings, progress, bounds, from_stage, fetch_hosts, read)


def _is_there(root: Path, inputs: Sequence[Path], settings: IngestSettings, bounds: Bounds) -> bool:
    """Whether an earlier run left the data set of all users and it fits, so that no file need be read."""
    if not (root / STAGES[0]).is_dir():  # before files are looked at as a whole
        return False
    key = artifacts.dataset_key(settings, pipeline.fingerprints(inputs))
    dataset = artifacts.known_dataset(Store(root), key)
    return dataset is not None and bounds.n_parts(dataset.receipt.records) == 1


def run_by_part(
    out: Path,
    settings: RunSettings,
    progress: Progress,
    bounds: Bounds,
    from_stage: str | None,
    fetch_hosts: Sequence[str],
    read: Callable[[Store, Path, IngestSettings], ExportRecords],
) -> dict[str, Any]:
    """Run as :func:`run_bounded`, with another way to read files and place users: here or on a cluster.

    Args:
        out: The run's folder; made when absent.
        settings: Every setting of the run.
        progress: Where to report.
        bounds: Memory here, and how many users to train on.
        from_stage: As :func:`core.runs.run.run` takes it.
        fetch_hosts: Hosts that pages may be fetched from, this once.
        read: Reads the files, given the run's store, an empty folder and settings; ``records`` in that
            folder is removed once decisions are made.

    Raises:
        Beha2VecError: If something cannot be done; what an earlier run left is untouched.
    """
    make_folder(out)
    with claim_folder(out), disk_errors():
        finish_replacement(out)
        keys = run.kept_keys(out, from_stage)
        store = Store(out / "stages")
        store.sweep()
        with work_folder(out, BOUNDED) as work:
            records = read(store, work, settings.ingest)
            again = from_stage is not None
            dataset, everybody = _trained_on(store, records, settings, progress, bounds, work, keys, again)
            return run.run_from(
                out, store, dataset, settings, progress, keys, again=again, fetch_hosts=fetch_hosts,
                finish=everybody.finish if everybody else None,
            )  # fmt: skip


def _trained_on(
    store: Store,
    records: ExportRecords,
    settings: RunSettings,
    progress: Progress,
    bounds: Bounds,
    work: Path,
    keys: Mapping[str, str],
    again: bool,
) -> tuple[Dataset, _AllUsers | None]:
    """Data set that the model is trained on; and all users, where it is a sample of them.

    Raises:
        SettingsError: If nobody is drawn, or others than those of the stages that are kept.
    """
    raw, ingest, again = records.raw, settings.ingest, again and not keys
    share = share_drawn(raw, bounds, work)
    some, files = draw_sample(raw, records.files, share, bounds, settings.train.seed, work)
    key = artifacts.dataset_key(ingest, files)
    if keys.get(STAGES[0], key) != key:
        raise SettingsError(
            "The earlier run was trained on other users",
            remedy="Name INPUT, --seed and --sample-users as before, or leave --from-stage out",
        )
    if some is None or share is None:
        return store_dataset(store, raw, ingest, files, work, progress, bounds, again=again), None
    place = records.deal()
    decided = decide_for_all(raw, ingest, work, SubProgress(progress, 0.5, 0.7), bounds)
    sample = Sample(raw, decided, _LEARNED)
    dataset = store_dataset(store, some, ingest, files, work, progress, bounds, sample, again=again)
    shutil.rmtree(work / SAMPLE)
    return dataset, _AllUsers(raw, decided, settings, place, progress, share)


def _records_here(
    store: Store | None,
    work: Path,
    settings: IngestSettings,
    inputs: Sequence[Path],
    progress: Progress,
    bounds: Bounds,
) -> ExportRecords:
    """Read all records on this machine, which also places the users, a part after the other."""
    raw, files = read_local(store, inputs, settings, work, progress)

    def deal() -> Place:
        parts = _dealt(raw, bounds, work)
        label_cache = (store.root if store else work) / LABEL_CACHE
        return partial(_placed_here, parts, work, label_cache, bounds.database)

    return ExportRecords(raw, files, bounds.n_parts(raw.rows), deal)


def _placed_here(
    parts: Sequence[RawRead],
    work: Path,
    label_cache: Path,
    memory: int,
    model: Path,
    placing: Placing,
) -> Iterator[PlacedPart]:
    """Place the parts that have a page view; each is removed when it is done."""
    frozen = FrozenModel.read(model, next_pages=placing.n_next > 0)
    for number, part in enumerate(parts):
        place = work / f"placing{number}"
        place.mkdir()
        with suppress(NoPageViewsLeft):  # users without a page view are in no segment, as in any run
            yield placing.part(part, frozen, place, label_cache=label_cache, memory=memory)
        shutil.rmtree(place)
        for _, path in part.parts:
            path.unlink()


def _dealt(raw: RawRead, bounds: Bounds, work: Path) -> list[RawRead]:
    """Deal all users out to parts that fit into memory."""
    dealt = parts.split_by_user(raw, bounds.n_parts(raw.rows), work / "parts", bounds.database)
    bounds.require_even([part.rows for part in dealt])
    return dealt


_ROWS: Final = 50_000
"""Number of rows of a batch that is written."""
_ENOUGH_KNOWN: Final = 0.5
"""Mean share of a user's page views on pages that the model knows, below which a warning is given."""


def embed_bounded(
    inputs: Sequence[Path], model: Path, out: Path, progress: Progress, placing: Placing, bounds: Bounds
) -> int:
    """Embed the users of an export and put them into the frozen segments.

    Args:
        inputs: Files, folders or patterns.
        model: The ``model`` folder of an earlier run.
        out: Parquet file to write, by id, in the columns of :meth:`core.runs.placing.Placement.table`; with
            next pages, as the lists ``next_pages`` and ``next_scores``, where they were asked for.
        progress: Where to report.
        placing: Device, and next pages to suggest.
        bounds: Memory.

    Returns:
        The number of users written.

    Raises:
        Beha2VecError: If the model or the input cannot be used; an existing ``out`` is untouched.
    """
    require_writable(out)
    with claim_file(out):
        read = partial(_records_here, inputs=inputs, progress=progress, bounds=bounds)
        return embed_by_part(model, out, progress, placing, bounds, read)


def require_writable(out: Path) -> None:
    """Refuse a path that cannot become a Parquet file, before minutes of work; make its folder.

    Raises:
        ResourceError: If it is a folder, or its folder cannot be made.
        SettingsError: If it does not end in ``.parquet``.
    """
    if out.is_dir():
        raise ResourceError(f"{out} is a folder", allowed="the name of a Parquet file", remedy="Add a name")
    if out.suffix.casefold() != ".parquet":
        raise SettingsError(f"{out.name} would hold Parquet", allowed="a name ending in .parquet")
    make_folder(out.parent)


@reworded_for_frozen_model()
def embed_by_part(
    model: Path,
    out: Path,
    progress: Progress,
    placing: Placing,
    bounds: Bounds,
    read: Callable[[Store | None, Path, IngestSettings], ExportRecords],
) -> int:
    """Embed users as :func:`embed_bounded`, with another way to read files and place users.

    Args:
        model: The ``model`` folder of an earlier run.
        out: Parquet file to write; the caller holds :func:`core.storage.locks.claim_file` of it.
        progress: Where to report.
        placing: Device, and next pages to suggest.
        bounds: Memory here.
        read: Reads the files, given no store, an empty folder and settings.

    Returns:
        The number of users written.
    """
    frozen = FrozenModel.read(model, next_pages=placing.n_next > 0)
    settings = frozen.settings
    scored = partial(_scored, failed=(failed := set[str]()))
    with work_folder(out.parent, f".{out.name}.scoring.") as work:
        records = read(None, work, settings)
        if records.n_parts == 1:
            table = scored(placing.part(records.raw, frozen, work, progress, memory=bounds.database))
            with atomic_write(out) as building:
                pq.write_table(table, building)
            users = int(table.num_rows)
        else:
            del frozen  # whoever places reads it
            place = records.deal()
            decided = decide_for_all(records.raw, settings, work, SubProgress(progress, 0.5, 0.7), bounds)
            parts = place(model, replace(placing, decided=decided))
            users = _written(
                map(scored, report_progress(parts, decided.n_users, progress)), work, out, bounds
            )
        _failed_log(out).unlink(missing_ok=True)
        if failed:
            write_text_atomic(_failed_log(out), "\n\n".join(sorted(failed)))
        return users


def _scored(part: PlacedPart, failed: set[str]) -> pa.Table:
    """Columns of a part to be written; the traceback of next pages that failed is added to ``failed``."""
    failed |= {part.failed} - {""}
    return part.table.drop_columns([LABEL, RULE]).replace_schema_metadata(None)


def _written(tables: Iterator[pa.Table], work: Path, out: Path, bounds: Bounds) -> int:
    """Write the users of all parts into ``out``, by id, as where they are placed at once."""
    if (first := next(tables, None)) is None:
        raise NoPageViewsLeft("No page view is left of the input", remedy="Choose other files")
    users = 0
    with pq.ParquetWriter(path := work / "users.parquet", first.schema) as writer:
        for table in chain([first], tables):
            writer.write_table(table)
            users += table.num_rows
    in_order = f"SELECT * FROM read_parquet({literal(path)}) ORDER BY {Users.USER_ID}"
    with (
        open_engine(work, users, memory=bounds.database) as engine,
        atomic_write(out) as building,
        pq.ParquetWriter(building, first.schema) as writer,
    ):
        engine.raw.execute("SET preserve_insertion_order = true")
        for batch in engine.raw.sql(in_order).to_arrow_reader(_ROWS):
            writer.write_table(pa.Table.from_batches([batch]).cast(first.schema))
    return users


def next_pages_warning(out: Path) -> str:
    """Warning that next pages are missing from a file of embedded users as they failed; empty if not."""
    if not (log := _failed_log(out)).is_file():
        return ""
    why = log.read_text(encoding="utf-8").splitlines()[-1]
    return f"next pages could not be made ({why}); see {log}"


def unknown_pages_warning(out: Path) -> str:
    """Warning that the model knows few pages of a file of embedded users; empty if it knows enough."""
    share = pc.mean(pq.read_table(out, columns=[KNOWN])[KNOWN]).as_py()
    if share >= _ENOUGH_KNOWN:
        return ""
    return (
        f"on average {share:.0%} of a user's page views are on pages that the model knows (column {KNOWN}); "
        "others count by their folder alone, so that vectors and segments say little of these users. Train a "
        "model on nearer days"
    )


def _failed_log(out: Path) -> Path:
    return out.with_name(f"{out.name}.{FAILED_LOG}")
