"""Columns that hold records as text, such as the properties of an event, where a plain value is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import orjson
import pyarrow.parquet as pq

from core.base.errors import InputError
from core.base.schema import Raw
from core.ingest.read.part_files import FileCount
from core.ingest.read.tools import PAGE_VIEWS

_LOOKED_AT: Final = 200
_NAMES: Final = 4
_NAME_LENGTH: Final = 60
_PARAMETER: Final = {"key", "value"}


def inner_names(cells: Iterable[str | None]) -> tuple[str, ...]:
    """Names inside cells that hold records as text; none where most cells are plain.

    Args:
        cells: Some of a column.
    """
    filled = [cell for cell in cells if cell]
    named = [names for cell in filled if (names := _names(cell))]
    if len(named) * 2 <= len(filled):
        return ()
    return tuple(dict.fromkeys(name for names in named for name in names))


def no_plain_page(column: str, names: Sequence[str]) -> InputError:
    """What is said where the address of a page is to be read from such a column."""
    shown = ", ".join(repr(name[:_NAME_LENGTH]) for name in names[:_NAMES])
    more = ", …" if len(names) > _NAMES else ""
    return InputError(
        f"{column!r} holds no addresses of pages: its cells are records in JSON, with {shown}{more} in them",
        remedy="Take the address out into a column of its own and choose that one; "
        "docs/how-to/other_tools.md shows how",
    )


def may_be_view(event: str | None, page_view: str = "") -> bool:
    """Whether a row may be a page view, by the name of its event; other events may hold anything as a page.

    Args:
        event: The name; nothing where there is none.
        page_view: The name that the analyst chose.
    """
    return (event or "").strip() in ("", page_view, *PAGE_VIEWS)


def refuse_records(count: FileCount, parts: Sequence[Path], page_view: str = "") -> None:
    """Check that pages are read from plain values.

    Args:
        count: What the reader of a file says.
        parts: Its rows.
        page_view: Name of the page views that the analyst chose.

    Raises:
        InputError: If they are records as text.
    """
    column = count.columns.get(Raw.PAGE_LOCATION)
    if column is None or not parts:
        return
    fields = [Raw.EVENT_NAME, Raw.PAGE_LOCATION]
    first = next(pq.ParquetFile(parts[0]).iter_batches(_LOOKED_AT, columns=fields), None)
    rows = first.to_pylist() if first is not None else []
    pages = (row[Raw.PAGE_LOCATION] for row in rows if may_be_view(row[Raw.EVENT_NAME], page_view))
    if names := inner_names(pages):
        raise no_plain_page(column, names)


def _names(cell: str) -> list[str]:
    """Names in a record, or of the parameters in a list of them."""
    if not cell.lstrip().startswith(("{", "[")):
        return []
    try:
        value: Any = orjson.loads(cell)
    except orjson.JSONDecodeError:
        return []
    records = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]
    if isinstance(value, list) and all(record.keys() == _PARAMETER for record in records):
        return [str(record["key"]) for record in records]
    return [name for record in records for name in record]
