"""Runs and scoring on a Spark cluster: executors read files and place users, the model is trained here.

Executors run the same code as one machine does, on a part of the users at a time; what is done with all of
them (decisions, the sample, training, counting) is done here, as in a run in a bound of memory.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from core.base.errors import NothingLeft
from core.base.progress import Progress, SubProgress
from core.base.schema import Users
from core.base.settings import Device
from core.engines.bounded_run import DECISIONS, RECORDS, Records, run_by_part
from core.engines.bounds import Bounds
from core.engines.everybody import STAGE, Place, PlacedPart, Placing
from core.engines.spark.copying import copied
from core.engines.spark.dealing import DealtRecords, deal
from core.engines.spark.placing import PLACED, RunUsers, ScoredUsers
from core.engines.spark.requirements import Master
from core.engines.spark.session import SparkWork, open_spark
from core.engines.spark.shipping import zip_folder
from core.ingest.engine import literal, open_engine
from core.runs import pipeline
from core.runs.frozen import key_and_reading
from core.runs.model_folder import MODEL
from core.runs.pipeline import RunSettings
from core.runs.score import require_writable, workplace
from core.storage.claims import claimed, claimed_file
from core.storage.disk import make_folder, written_whole
from core.storage.store import Store

ROWS: Final = 50_000
"""Of a batch that is written."""


def run_on_spark(
    out: Path,
    inputs: Sequence[Path],
    settings: RunSettings,
    progress: Progress,
    master: str,
    bounds: Bounds,
    fetch_hosts: Sequence[str] = (),
) -> dict[str, Any]:
    """Do what :func:`~core.engines.bounded_run.run_bounded` does; a cluster reads files and places users.

    Args:
        out: The run's folder; made when absent.
        inputs: Files, folders or patterns, which executors see under the same names.
        settings: Every setting of the run.
        progress: Where to report.
        master: Address of a Spark master.
        bounds: Memory of this machine, and how many users to train on.
        fetch_hosts: Hosts that pages may be fetched from, this once.

    Returns:
        What ``run.json`` holds.

    Raises:
        Beha2VecError: If something cannot be done; what an earlier run left is untouched.
    """
    address = Master.read(master)
    make_folder(out)
    with claimed(out), open_spark(address) as spark:
        read = partial(
            _records_there, inputs=inputs, settings=settings, progress=progress, bounds=bounds, spark=spark
        )
        return run_by_part(out, settings, progress, bounds, fetch_hosts, read)


def _records_there(
    store: Store,
    work: Path,
    inputs: Sequence[Path],
    settings: RunSettings,
    progress: Progress,
    bounds: Bounds,
    spark: SparkWork,
) -> Records:
    """All records, read by executors, which keep them by part of the users; a copy of all is here."""
    dealt = deal(inputs, settings.ingest, spark, SubProgress(progress, 0.0, 0.4))
    (here := work / RECORDS).mkdir()
    raw, sizes = copied(dealt, here, SubProgress(progress, 0.4, 0.5))

    def place() -> Place:
        bounds.require_even(sizes.values())
        return partial(_placed_there, dealt, work, progress)

    return Records(raw, pipeline.numbered(dealt.sources, dealt.checksums), place)


def _placed_there(
    dealt: DealtRecords, work: Path, progress: Progress, model: Path, placing: Placing
) -> Iterator[PlacedPart]:
    """Have all parts placed by executors, and take one after the other."""
    (place := work / PLACED).mkdir()
    dealt.work.ship(zip_folder(model, place / f"{MODEL}.zip"))
    dealt.work.ship(zip_folder(placing.decided.page_of.parent, place / f"{DECISIONS}.zip"))
    made = dealt.each(RunUsers(MODEL, DECISIONS, placing))
    before_counted = SubProgress(progress, 0.0, 0.9)  # the stage is done when what comes back is counted
    for piece in dealt.fetch(made, before_counted, STAGE, "Placing all users"):
        with tempfile.TemporaryDirectory(dir=place) as part:
            zipfile.ZipFile(io.BytesIO(piece.data)).extractall(part)
            yield PlacedPart.read(Path(part))


def embed_on_spark(
    inputs: Sequence[Path],
    model: Path,
    out: Path,
    progress: Progress,
    device: Device,
    n_next: int,
    master: str,
) -> int:
    """Do what :func:`core.runs.score.score` does, on a cluster.

    Args:
        inputs: Files, folders or patterns, which executors see under the same names.
        model: The ``model`` folder of an earlier run.
        out: Parquet file to write.
        progress: Where to report.
        device: Where the network runs, on executors.
        n_next: Next pages a user; 0 for none.
        master: Address of a Spark master.

    Returns:
        The number of users written.

    Raises:
        Beha2VecError: If something cannot be done; an existing ``out`` is untouched.
    """
    address = Master.read(master)
    _, reading = key_and_reading(model)
    require_writable(out)
    with claimed_file(out), workplace(out) as place, open_spark(address) as work:
        work.ship(zip_folder(model, place / f"{MODEL}.zip"))
        records = deal(inputs, reading, work, SubProgress(progress, 0.0, 0.5))
        made = records.each(ScoredUsers(MODEL, device, n_next))
        pieces = records.fetch(made, progress, "embed", "Placing users")
        return _written((pq.read_table(pa.BufferReader(piece.data)) for piece in pieces), place, out)


def _written(tables: Iterator[pa.Table], place: Path, out: Path) -> int:
    """Put the users of all parts into ``out``, by id; nobody is no result on one machine either."""
    if (first := next(tables, None)) is None:
        raise NothingLeft(
            "No page view is left of the input", remedy="Without --engine it is told which step left none"
        )
    users = 0
    with pq.ParquetWriter(found := place / "users.parquet", first.schema) as writer:
        for table in chain([first], tables):
            writer.write_table(table)
            users += table.num_rows
    in_order = f"SELECT * FROM read_parquet({literal(found)}) ORDER BY {Users.USER_ID}"
    with (
        open_engine(place, users) as engine,
        written_whole(out) as building,
        pq.ParquetWriter(building, first.schema) as writer,
    ):
        engine.raw.execute("SET preserve_insertion_order = true")
        for batch in engine.raw.sql(in_order).to_arrow_reader(ROWS):
            writer.write_table(pa.Table.from_batches([batch]).cast(first.schema))
    return users
