"""Users of an export on a frozen model in a bound of memory: at once where they fit, else part by part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.base.errors import NothingLeft, read_as_trained
from core.base.progress import Progress, SubProgress
from core.base.schema import Users
from core.base.settings import IngestSettings
from core.engines.bounded_run import Records, records_here
from core.engines.bounds import Bounds
from core.engines.placing import LABEL, RULE, Model, PlacedPart, Placing, told
from core.engines.sampled import decided_on
from core.ingest.engine import literal, open_engine
from core.runs.later_stages import FAILED_LOG
from core.runs.score import KNOWN, require_writable, workplace
from core.storage.claims import claimed_file
from core.storage.disk import write_text_atomic, written_whole
from core.storage.store import Store

ROWS: Final = 50_000
"""Of a batch that is written."""
ENOUGH_KNOWN: Final = 0.5
"""Mean share of a user's page views on pages that the model knows, below which it is said."""


def embed_bounded(
    inputs: Sequence[Path], model: Path, out: Path, progress: Progress, placing: Placing, bounds: Bounds
) -> int:
    """Embed the users of an export and put them into the frozen segments.

    Args:
        inputs: Files, folders or patterns.
        model: The ``model`` folder of an earlier run.
        out: Parquet file to write, by id, in the columns of :func:`core.runs.score.scored_table`; with next
            pages, as the lists ``next_pages`` and ``next_scores``, where they were asked for.
        progress: Where to report.
        placing: How.
        bounds: Memory.

    Returns:
        The number of users written.

    Raises:
        Beha2VecError: If the model or the input cannot be used; an existing ``out`` is untouched.
    """
    require_writable(out)
    with claimed_file(out):
        read = partial(records_here, inputs=inputs, progress=progress, bounds=bounds)
        return embed_by_part(model, out, progress, placing, bounds, read)


@read_as_trained()
def embed_by_part(
    model: Path,
    out: Path,
    progress: Progress,
    placing: Placing,
    bounds: Bounds,
    read: Callable[[Store | None, Path, IngestSettings], Records],
) -> int:
    """Embed users part by part, wherever the files are read and the users are placed.

    Args:
        model: The ``model`` folder of an earlier run.
        out: Parquet file to write, which is claimed.
        progress: Where to report.
        placing: How.
        bounds: Memory here.
        read: Given no store, an empty folder and how, reads the files.
    """
    there = Model.read(model, placing.n_next)
    settings = there.frozen.settings
    scored = partial(_scored, failed=(failed := set[str]()))
    with workplace(out) as work:
        records = read(None, work, settings)
        if records.n_parts == 1:
            table = scored(placing.part(records.raw, there, work, progress, memory=bounds.database))
            with written_whole(out) as building:
                pq.write_table(table, building)
            users = int(table.num_rows)
        else:
            del there  # whoever places reads it
            place = records.deal()
            decided = decided_on(records.raw, settings, work, SubProgress(progress, 0.5, 0.7), bounds)
            parts = place(model, replace(placing, decided=decided))
            users = _written(map(scored, told(parts, decided.n_users, progress)), work, out, bounds)
        _failed_log(out).unlink(missing_ok=True)
        if failed:
            write_text_atomic(_failed_log(out), "\n\n".join(sorted(failed)))
        return users


def _scored(part: PlacedPart, failed: set[str]) -> pa.Table:
    """The columns that are written; the traceback of next pages that failed is added to ``failed``."""
    failed |= {part.failed} - {""}
    return part.table.drop_columns([LABEL, RULE]).replace_schema_metadata(None)


def _written(tables: Iterator[pa.Table], work: Path, out: Path, bounds: Bounds) -> int:
    """Put the users of all parts into ``out``, by id, as where they are placed at once."""
    if (first := next(tables, None)) is None:
        raise NothingLeft("No page view is left of the input", remedy="Choose other files")
    users = 0
    with pq.ParquetWriter(found := work / "users.parquet", first.schema) as writer:
        for table in chain([first], tables):
            writer.write_table(table)
            users += table.num_rows
    in_order = f"SELECT * FROM read_parquet({literal(found)}) ORDER BY {Users.USER_ID}"
    with (
        open_engine(work, users, memory=bounds.database) as engine,
        written_whole(out) as building,
        pq.ParquetWriter(building, first.schema) as writer,
    ):
        engine.raw.execute("SET preserve_insertion_order = true")
        for batch in engine.raw.sql(in_order).to_arrow_reader(ROWS):
            writer.write_table(pa.Table.from_batches([batch]).cast(first.schema))
    return users


def lacks(out: Path) -> str:
    """What a file of embedded users lacks because it failed, and why; empty if nothing."""
    if not (log := _failed_log(out)).is_file():
        return ""
    why = log.read_text(encoding="utf-8").splitlines()[-1]
    return f"next pages could not be made ({why}); see {log}"


def few_known(out: Path) -> str:
    """That the model knows few of the pages of a file of embedded users; empty if it knows enough."""
    share = pc.mean(pq.read_table(out, columns=[KNOWN])[KNOWN]).as_py()
    if share >= ENOUGH_KNOWN:
        return ""
    return (
        f"on average {share:.0%} of a user's page views are on pages that the model knows (column {KNOWN}); "
        "others count by their folder alone, so that vectors and segments say little of these users. Train a "
        "model on nearer days"
    )


def _failed_log(out: Path) -> Path:
    return out.with_name(f"{out.name}.{FAILED_LOG}")
