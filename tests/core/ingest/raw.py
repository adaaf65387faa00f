"""What the tests of the readers share: read files, look at the rows."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from core.base.progress import silent
from core.base.schema import Raw, Rejects
from core.base.settings import IngestSettings
from core.ingest.read.read_all import RawRead, read_all

HEADER = "event_name,event_timestamp,user_pseudo_id,page_location,page_title"
ROW = "page_view,1611210000000000,1605951.6059719725,https://x.example/a,Home"


class Read:
    """The outcome of reading, as plain values."""

    def __init__(self, raw: RawRead) -> None:
        self.raw = raw
        self.rows = [
            {Raw.FILE_NO: number, **row}
            for number, part in raw.parts
            for row in pq.read_table(part).to_pylist()
        ]
        self.rejects = raw.rejects.to_pylist()

    def column(self, field: str) -> list[Any]:
        return [row[field] for row in self.rows]

    @property
    def lines(self) -> list[int]:
        return self.column(Raw.LINE)

    @property
    def reasons(self) -> list[tuple[int, str]]:
        return [(reject[Rejects.LINE], reject[Rejects.REASON]) for reject in self.rejects]


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def csv_of(*rows: str, header: str = HEADER, end: str = "\n") -> str:
    return end.join([header, *rows]) + end


def read_paths(paths: Iterable[Path], tmp_path: Path, **settings: object) -> Read:
    return Read(read_all(list(paths), IngestSettings.checked(**settings), tmp_path / "raw", silent))


def read_text(content: str | bytes, tmp_path: Path, name: str = "events.csv", **settings: object) -> Read:
    return read_paths([write(tmp_path / "in" / name, content)], tmp_path, **settings)
