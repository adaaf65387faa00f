"""Toy exports: records by hand, as the readers would leave them, and the data set made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.base.progress import silent
from core.base.raw_fields import RAW_TEXT_COLUMNS
from core.base.schema import Raw
from core.base.settings import IngestSettings
from core.ingest.ingest import transform
from core.ingest.output_tables import REJECTS
from core.ingest.read.part_files import RAW
from core.ingest.read.read_all import RawRead
from core.storage.dataset import Dataset
from core.storage.receipt import FileReceipt

Row = dict[str, str | None]

START = 1_600_000_000  # 2020-09-13 12:26:40 UTC, a Sunday
SITE = "https://shop.example"


def event(
    user: str | None, second: float, page: str | None = "/", name: str = "page_view", **fields: str
) -> Row:
    """One record, ``second`` after the start, in microseconds."""
    location = SITE + page if page is not None and page.startswith("/") else page
    return {
        Raw.USER_KEY: user,
        Raw.EVENT_TIMESTAMP: str(int((START + second) * 1e6)),
        Raw.EVENT_NAME: name,
        Raw.PAGE_LOCATION: location,
        Raw.GA_SESSION_ID: "1",
        **fields,
    }


def raw_read(
    folder: Path,
    files: Sequence[Sequence[Row]],
    parts: int = 1,
    without: Mapping[int, Sequence[str]] | None = None,
) -> RawRead:
    """What the readers leave for some files: each split into ``parts``, fields ``without`` left out."""
    folder.mkdir(parents=True, exist_ok=True)
    paths, receipts = [], []
    for number, rows in enumerate(files):
        fields = dict.fromkeys(
            key for row in rows for key in row if key not in (without or {}).get(number, ())
        )
        paths += _write_parts(folder, number, rows, fields, parts)
        receipts.append(_receipt(f"file{number}.csv", len(rows), fields))
    present = frozenset(field for receipt in receipts for field in receipt.columns)
    return RawRead(tuple(receipts), REJECTS.empty_table(), {}, tuple(paths), present, ())


def _write_parts(
    folder: Path, number: int, rows: Sequence[Row], fields: Mapping[str, None], parts: int
) -> list[tuple[int, Path]]:
    columns = {name: [row.get(name) if name in fields else None for row in rows] for name in RAW_TEXT_COLUMNS}
    lines = {Raw.LINE: list(range(2, len(rows) + 2))}
    table = pa.table({**lines, **columns}, schema=RAW)
    size = max(1, -(-len(rows) // parts))
    paths = []
    for start in range(0, len(rows), size):
        path = folder / f"{number:05d}-{start:08d}.parquet"
        pq.write_table(table.slice(start, size), path)
        paths.append((number, path))
    return paths


def _receipt(name: str, records: int, fields: Mapping[str, None]) -> FileReceipt:
    return FileReceipt(
        name=name,
        shape="flat csv",
        bytes=1,
        encoding="utf-8",
        records=records,
        read=records,
        rejected=0,
        columns={field: field for field in fields},
    )


def made_of(
    folder: Path, raw: RawRead, settings: IngestSettings | None = None, threads: int | None = None
) -> Dataset:
    """The data set of what was read."""
    out = folder / "out"
    out.mkdir(parents=True)
    transform(raw, settings or IngestSettings(), out, silent, folder, threads)
    return Dataset(out, "toy")


def shop(folder: Path, *rows: Row, **settings: object) -> Dataset:
    """The data set of one file with these records."""
    return made_of(folder, raw_read(folder / "raw", [rows]), IngestSettings.checked(**settings))


def paths_of(dataset: Dataset) -> dict[str, list[str]]:
    """User id → pages viewed, in order, without the site."""
    names = [location.removeprefix(SITE) for location in dataset.pages["page_location"]]
    found = dataset.sequences
    return {
        user: [names[page] for page in found.page[found.offsets[row] : found.offsets[row + 1]]]
        for row, user in enumerate(found.user_id.to_pylist())
    }


def sessions_of(dataset: Dataset) -> dict[str, list[int]]:
    """User id → session of each page view."""
    found = dataset.sequences
    return {
        user: found.session[found.offsets[row] : found.offsets[row + 1]].tolist()
        for row, user in enumerate(found.user_id.to_pylist())
    }


def step(dataset: Dataset, name: str) -> int:
    """Records that leave at a step of the waterfall."""
    return next(step.records for step in dataset.receipt.waterfall if step.name == name)
