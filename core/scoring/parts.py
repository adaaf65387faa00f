"""Raw records by user: parts that hold all records of their users, and a sample of users with all of theirs.

What a user did is told by that user's records alone, so a part can be looked at without the others. Who is in
which part is decided by MD5 over the id as it is written (RFC 1321; every engine has it): so it depends on no
other user, no order of records and no engine.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from core.base.errors import SettingsError
from core.base.schema import Raw
from core.ingest.clean.records import NO_ID
from core.ingest.engine import literal, open_engine
from core.ingest.read.part_files import RAW
from core.ingest.read.read_all import RawRead
from core.storage.disk import make_folder, require_room
from core.storage.receipt import FileReceipt

_SPLIT_SALT: Final = "part"
"""Text that is hashed in front of an id to deal out parts; another one than for drawing a sample."""
_ROOM: Final = 1.3
"""Multiple of the size of the raw records that has to be free on the disk for a copy of them."""
_MIN_HELD, _MAX_HELD = 2_048, 20_000
"""Rows of a part that a thread holds before they go to disk, at least and at most."""
_A_HELD_ROW: Final = 700
"""Bytes of a held row: what threads hold of all parts has to fit, or it goes to disk twice (measured)."""
_DIGESTS: Final = 2.0**64

_COPY: Final = """
    COPY (SELECT {columns}, {bucket} AS bucket FROM read_parquet({paths}) WHERE {condition})
    TO {out} (FORMAT parquet, COMPRESSION lz4, PARTITION_BY (bucket), WRITE_PARTITION_COLUMNS false)
"""


def split_by_user(
    raw: RawRead, n_parts: int, out: Path, memory: int | None = None, threads: int | None = None
) -> list[RawRead]:
    """Split raw records into parts by user, each with all records of its users.

    Records without a user id (:data:`core.ingest.clean.records.NO_ID`) are split by their lines, as there may
    be more of them than fit. Rejects and rows that were put together are in the first part, so that the parts
    add up to the whole.

    Args:
        raw: All records.
        n_parts: Number of parts, at least 1; one that nobody fell into holds no records.
        out: Folder for the parts; made if absent.
        memory: Bytes that the database may use; by the number of records when None.
        threads: Threads to use; all by default. Who is where does not depend on it.

    Raises:
        SettingsError: If ``n_parts`` is below 1.
        ResourceError: If disk or memory run out.
    """
    if n_parts < 1:
        raise SettingsError(f"n_parts = {n_parts} is not possible", allowed="at least 1")
    bucket = f"coalesce({_digest(_SPLIT_SALT)}, {Raw.LINE}) % {n_parts}"
    written = _dealt(raw, n_parts, bucket, "true", out, memory, threads)
    parts = [part_of(raw, written.get(number, {})) for number in range(n_parts)]
    return [_with_rest(part, raw) if number == 0 else part for number, part in enumerate(parts)]


def sample_of(
    raw: RawRead,
    out: Path,
    *,
    share: float,
    seed: int = 0,
    memory: int | None = None,
    threads: int | None = None,
) -> RawRead:
    """Copy all records of a random sample of users, drawn by hashes of their ids: the same in every run.

    Args:
        raw: All records, or those of a part of the users, which draws the same of them.
        out: Folder for the sample; made if absent.
        share: Share of the users, above 0 and at most 1. All ids count, those without a page view among them.
        seed: Another one draws others.
        memory: Bytes that the database may use; by the number of records when None.
        threads: Threads to use; all by default.

    Returns:
        The sample; it has no rejects, and its receipts count what is in it. Records without a user id are in
        it only if ``share`` is 1.

    Raises:
        SettingsError: If ``share`` is out of range.
        ResourceError: If disk or memory run out.
    """
    if not 0 < share <= 1:
        raise SettingsError(f"A share of {share} of the users is not possible", allowed="above 0, at most 1")
    drawn = f"{_digest(f'sample {int(seed)}')} < {math.ceil(share * _DIGESTS)}"
    condition = "true" if share == 1 else drawn
    written = _dealt(raw, 1, "0", condition, out, memory, threads)
    return part_of(raw, written.get(0, {}))


def count_ids(raw: RawRead, work: Path, memory: int | None = None, threads: int | None = None) -> int:
    """Count distinct user ids, with a page view or without.

    Raises:
        ResourceError: If disk or memory run out.
    """
    with open_engine(work, raw.rows, threads, memory) as engine:
        engine.parts(raw.parts)
        # digests, and not the ids, so that a table of all of them is small
        counted = f"SELECT count(id) FROM (SELECT DISTINCT {_digest('')} AS id FROM raw)"
        [(found,)] = engine.raw.execute(counted).fetchall()
    return int(found)


def _raw_bytes(raw: RawRead) -> int:
    """Bytes that the records take on the disk."""
    return sum(path.stat().st_size for _, path in raw.parts)


def _digest(salt: str) -> str:
    """SQL for 64 bits of an id's digest, null where the id stands for nobody."""
    nobody = ", ".join(f"'{text}'" for text in NO_ID)
    return (
        f"CASE WHEN lower(trim({Raw.USER_KEY})) NOT IN ({nobody}) "
        f"THEN md5_number_lower('{salt} ' || {Raw.USER_KEY}) END"
    )


def _dealt(
    raw: RawRead,
    n_parts: int,
    bucket: str,
    condition: str,
    out: Path,
    memory: int | None,
    threads: int | None,
) -> dict[int, dict[int, list[Path]]]:
    """Write records into buckets: bucket → ``file_no`` → files."""
    make_folder(out)
    require_room(out, int(_ROOM * _raw_bytes(raw)), "A copy of the records by user")
    columns = ", ".join(RAW.names)
    by_bucket: dict[int, dict[int, list[Path]]] = {}
    with open_engine(out, raw.rows, threads, memory) as engine:
        rows = engine.memory // (n_parts * _A_HELD_ROW)
        holding = min(engine.threads, max(1, rows // _MIN_HELD))
        threshold = min(max(rows // holding, _MIN_HELD), _MAX_HELD)
        engine.raw.execute(f"SET threads = {holding}; SET partitioned_write_flush_threshold = {threshold}")
        for number in dict.fromkeys(number for number, _ in raw.parts):
            paths = [path for at, path in raw.parts if at == number]
            folder = out / f"{number:05d}"
            query = _COPY.format(
                columns=columns, bucket=bucket, paths=_listed(paths), condition=condition, out=literal(folder)
            )
            engine.raw.execute(query)
            for path in sorted(folder.glob("bucket=*/*.parquet")):
                place = int(path.parent.name.partition("=")[2])
                by_bucket.setdefault(place, {}).setdefault(number, []).append(path)
    return by_bucket


def part_of(raw: RawRead, files: Mapping[int, Sequence[Path]]) -> RawRead:
    """Describe some of the records of an input: receipts of files that count these, and no rejects.

    Args:
        raw: All records.
        files: ``file_no`` → Parquet files of records.
    """
    rows = {number: sum(map(_rows_in, paths)) for number, paths in files.items()}
    return replace(
        raw,
        files=tuple(_counted(file, rows.get(number, 0)) for number, file in enumerate(raw.files)),
        rejects=raw.rejects.slice(0, 0),
        reasons=Counter[str](),
        parts=tuple((number, path) for number, paths in files.items() for path in paths),
    )


def _counted(file: FileReceipt, rows: int) -> FileReceipt:
    """Receipt of a file of which only so many records are here."""
    return file.model_copy(update={"records": rows, "read": rows, "rejected": 0, "collapsed": 0})


def _with_rest(part: RawRead, raw: RawRead) -> RawRead:
    """The part with rejects and rows that were put together, so that all parts add up."""
    files = tuple(
        file.model_copy(
            update={
                "records": file.read + whole.rejected + whole.collapsed,
                "rejected": whole.rejected,
                "collapsed": whole.collapsed,
            }
        )
        for file, whole in zip(part.files, raw.files, strict=True)
    )
    return replace(part, files=files, rejects=raw.rejects, reasons=raw.reasons)


def _rows_in(path: Path) -> int:
    return int(pq.read_metadata(path).num_rows)


def _listed(paths: Sequence[Path]) -> str:
    return "[" + ", ".join(map(literal, paths)) + "]"
