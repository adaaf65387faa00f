"""Generate the sample export, and write it to a file with the true segments in a second file beside it."""

from __future__ import annotations

import contextlib
import csv
import gzip
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.base.errors import InputError, SettingsError
from core.base.progress import Progress, silent
from core.ingest.sample.events import make_hits, make_table
from core.ingest.sample.site import SEGMENTS, Site, build_site, chances, draw
from core.ingest.sample.visits import SampleUsers, Visits, make_people, make_visits, robot_visits, robots
from core.storage.disk import disk_errors, flush_all, put_in_place

_CHUNK: Final = 20_000
"""Visitors per chunk; fixed, because the export of a seed depends on it."""
_DENIED: Final = 0.03
_ROBOTS: Final = 2
_MIN_FOR_ROBOTS: Final = 200
_MAX_USERS: Final = 10_000_000
_TRUTH_COLUMNS: Final = ("user_pseudo_id", "segment")
_STAGE: Final = "sample"

_QUOTED: Final = ("page_location", "page_title", "page_referrer")


@dataclass(frozen=True, eq=False)
class Chunk:
    """A part of the export: some visitors and all their events.

    Args:
        events: One row an event, every column text, in time order.
        user_id: Ids of the visitors who gave consent.
        segment: True label of each id: a segment's name, ``bot``, ``internal`` or ``debug``.
    """

    events: pa.Table
    user_id: list[str]
    segment: list[str]


def generate(users: int, seed: int) -> Iterator[Chunk]:
    """Generate the export in chunks, each of which depends only on the seed and the number of the chunk.

    Args:
        users: How many ids the export has, crawlers and staff included; 3 % more visitors have no id.
        seed: Same number, same export.

    Raises:
        SettingsError: If ``users`` or ``seed`` is outside what is allowed.
    """
    _check(users, seed)
    site, odds = build_site(), chances()
    crawlers = _ROBOTS if users >= _MIN_FOR_ROBOTS else 0
    for number, start in enumerate(range(0, users - crawlers, _CHUNK)):
        rng = np.random.default_rng([seed, number])
        n = min(_CHUNK, users - crawlers - start)
        denied = round(_DENIED * n)
        segment = draw(rng, np.broadcast_to(odds.share, (n + denied, len(SEGMENTS))))
        # Numbers of a chunk start at a multiple of 2 × _CHUNK, so that no id appears twice.
        people = make_people(rng, segment, 2 * _CHUNK * number, denied, seed)
        visits = make_visits(rng, segment, site, odds)
        yield _chunk(rng, visits, people, site, number)
    if crawlers:
        yield _crawlers(site, users, seed)


def _crawlers(site: Site, users: int, seed: int) -> Chunk:
    number = -(-users // _CHUNK) + 1
    rng = np.random.default_rng([seed, number])
    people = robots(rng, _ROBOTS, 2 * _CHUNK * number, seed)
    visits = robot_visits(rng, _ROBOTS, int(np.clip(users // 20, 150, 1_500)), site)
    return _chunk(rng, visits, people, site, number)


def _chunk(rng: np.random.Generator, visits: Visits, people: SampleUsers, site: Site, number: int) -> Chunk:
    hits = make_hits(rng, visits, people, site)
    events = make_table(rng, hits, visits, people, site, number * _CHUNK)
    known = people.user_id.is_valid().to_numpy(zero_copy_only=False)
    return Chunk(events, people.user_id.drop_null().to_pylist(), people.label[known].tolist())


def truth_path(path: Path) -> Path:
    """Return the path of an export's truth file: ``shop.csv`` and ``shop.csv.gz`` → ``shop.truth.csv``."""
    name = path.name.removesuffix(".gz").removesuffix(".csv")
    return path.with_name(f"{name}.truth.csv")


def write_sample(path: Path, users: int, seed: int, progress: Progress = silent) -> Path:
    """Write an export and its truth file, rows grouped by day as in daily tables.

    Args:
        path: ``….csv`` or ``….csv.gz``; replaced as a whole when it is there.
        users: How many ids the export has, at least 1.
        seed: Same number, same bytes.
        progress: Where to report.

    Returns:
        The truth file: ``user_pseudo_id,segment``, one row an id.

    Raises:
        SettingsError: If ``users`` or ``seed`` is outside what is allowed.
        InputError: If the file cannot be written there.
        ResourceError: If the disk is full.
    """
    _check(users, seed)
    progress(_STAGE, 0.0)
    if not path.name.endswith((".csv", ".csv.gz")):
        raise InputError(
            f"The demo shop cannot become {path.name!r}", allowed="a name ending in .csv or .csv.gz"
        )
    truth = truth_path(path)
    with disk_errors(), contextlib.ExitStack() as stack:
        path.parent.mkdir(parents=True, exist_ok=True)
        work = stack.enter_context(tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}."))
        days = _write_days(Path(work), users, seed, progress)
        _join(days, Path(work) / path.name, progress)
        flush_all(Path(work))
        put_in_place(Path(work) / path.name, path)
        put_in_place(Path(work) / "truth", truth)
    progress(_STAGE, 1.0, f"{users:,} users")
    return truth


def _check(users: int, seed: int) -> None:
    if not 1 <= users <= _MAX_USERS:
        raise SettingsError(f"users = {users} is not possible", allowed=f"1 to {_MAX_USERS:,}")
    if seed < 0:
        raise SettingsError(f"seed = {seed} is not possible", allowed="0 or more")


def _write_days(work: Path, users: int, seed: int, progress: Progress) -> list[Path]:
    """Write one file for the rows of each day, and the truth file, with one chunk in memory at a time."""
    made, header = 0, ""
    with (work / "truth").open("w", newline="", encoding="utf-8") as truth:
        rows = csv.writer(truth, lineterminator="\n")
        rows.writerow(_TRUTH_COLUMNS)
        for chunk in generate(users, seed):
            rows.writerows(zip(chunk.user_id, chunk.segment, strict=True))
            header = ",".join(chunk.events.column_names)
            _append_by_day(work, chunk.events)
            made += len(chunk.user_id)
            progress(_STAGE, 0.9 * made / users, f"{made:,} of {users:,} users")
    (work / "0.day").write_text(f"{header}\n", encoding="utf-8")
    return sorted(work.glob("*.day"))


def _append_by_day(work: Path, events: pa.Table) -> None:
    """Append each row of a chunk, which is in time order, to the file of its day."""
    lines, dates = _csv_lines(events), events.column("event_date").combine_chunks().dictionary_encode()
    codes = dates.indices.to_numpy()
    edges = np.flatnonzero(np.diff(codes, prepend=-1, append=-1))
    for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        day = dates.dictionary[int(codes[begin])].as_py()
        with (work / f"{day}.day").open("ab") as file:
            file.write(_bytes_of(lines, begin, end))


def _csv_lines(events: pa.Table) -> pa.StringArray:
    """Format each row as a line of CSV with its line end; null is empty; quotes only where needed."""
    columns = [
        _quoted(column) if name in _QUOTED else column
        for name, column in zip(events.column_names, events.columns, strict=True)
    ]
    texts = [column.combine_chunks() for column in columns]
    options = pc.JoinOptions(null_handling="replace", null_replacement="")
    joined = pc.binary_join_element_wise(*texts, ",", options=options)
    return pc.binary_join_element_wise(joined, "\n", "")


def _quoted(column: pa.ChunkedArray) -> pa.ChunkedArray:
    doubled = pc.replace_substring(column, '"', '""')
    quoted = pc.binary_join_element_wise('"', doubled, '"', "")
    return pc.if_else(pc.match_substring_regex(column, '[",\r\n]'), quoted, column)


def _bytes_of(lines: pa.StringArray, begin: int, end: int) -> memoryview:
    """Return lines ``begin`` to ``end`` as bytes, without copying them from the array's buffer."""
    offsets = np.frombuffer(lines.buffers()[1], dtype=np.int32)
    return memoryview(lines.buffers()[2])[offsets[lines.offset + begin] : offsets[lines.offset + end]]


def _join(days: list[Path], target: Path, progress: Progress) -> None:
    with _opened(target) as out:
        for number, day in enumerate(days):
            with day.open("rb") as rows:
                shutil.copyfileobj(rows, out, 1 << 20)
            day.unlink()
            progress(_STAGE, 0.9 + 0.1 * number / len(days), "writing")


@contextlib.contextmanager
def _opened(target: Path) -> Iterator[BinaryIO]:
    if not target.name.endswith(".gz"):
        with target.open("wb") as plain:
            yield plain
        return
    # No name and no time in the header: same seed, same bytes.
    with target.open("wb") as raw, gzip.GzipFile("", "wb", 4, raw, mtime=0) as packed:
        yield cast(BinaryIO, packed)
