"""One input file, read into raw parts on disk, every record of it accounted for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.base.schema import Raw
from core.base.settings import IngestSettings
from core.ingest.read import delimited, ndjson, parquet
from core.ingest.read.opening import naming
from core.ingest.read.page_view_name import with_page_views
from core.ingest.read.part_files import KEPT, FileCount, PartFile, Rejected, Sink
from core.ingest.read.record_text import refuse_records
from core.ingest.read.whole_events import put_together
from core.ingest.sources.input_files import InputFile
from core.ingest.sources.sniffing import FileKind

Reader = Callable[[InputFile, IngestSettings, Sink, Callable[[int], None]], FileCount]
_READERS: Final[dict[FileKind, Reader]] = {
    FileKind.DELIMITED: delimited.read,
    FileKind.JSON: ndjson.read,
    FileKind.PARQUET: parquet.read,
}

_MOST_DAYS: Final = 4_000
_ALL_READ: Final = 1 << 62  # bytes; more than any file has


@dataclass(frozen=True)
class FileRead:
    """What one file gave.

    Args:
        source: The file.
        count: Its shape, records and columns.
        parts: Its rows, in order.
        rejected: Its records that could not be used.
    """

    source: InputFile
    count: FileCount
    parts: tuple[PartFile, ...]
    rejected: Rejected

    @property
    def rows(self) -> int:
        """Events that were read."""
        return sum(part.rows for part in self.parts)


def read_file(
    source: InputFile,
    settings: IngestSettings,
    folder: Path,
    report: Callable[[int], None],
    prefix: str = "",
    room: int = KEPT,
) -> FileRead:
    """Read every record of a file as text, or say why not.

    Args:
        source: What to read.
        settings: The analyst's mapping and user key.
        folder: Where the parts go.
        report: Told the bytes read so far.
        prefix: What names of parts begin with, where several files share the folder.
        room: Rejects that are kept to be looked at; all are counted.

    Raises:
        InputError: If the file cannot be used as a whole.
        ResourceError: If the disk is full.
        Cancelled: If ``report`` says so.
    """
    sink = Sink(folder, prefix, rejected=Rejected(room))
    count = _READERS[source.kind](source, settings, sink, report)
    count = put_together(sink, count, source.kind, lambda: report(_ALL_READ))
    paths = [part.path for part in sink.parts]
    with naming(source.name):
        refuse_records(count, paths, settings.page_view)
    count = replace(with_page_views(count, paths), days=_days(count, paths))
    return FileRead(source, count, tuple(sink.parts), sink.rejected)


def _days(count: FileCount, parts: Sequence[Path]) -> tuple[str, ...]:
    """Different values of ``event_date``; none where there are more than days."""
    days = set[str]()
    for path in parts if Raw.EVENT_DATE in count.columns else ():
        for batch in pq.ParquetFile(path).iter_batches(columns=[Raw.EVENT_DATE]):
            days |= set(pc.unique(batch.column(0)).drop_null().to_pylist())
            if len(days) > _MOST_DAYS:
                return ()
    return tuple(sorted(days))
