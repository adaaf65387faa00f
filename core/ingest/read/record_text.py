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

_LOOKED_AT: Final = 200
_NAMES: Final = 4


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
    more = ", …" if len(names) > _NAMES else ""
    return InputError(
        f"{column!r} holds no addresses of pages: its cells are records in JSON, with "
        f"{', '.join(names[:_NAMES])}{more} in them",
        remedy="Take the address out into a column of its own and choose that one; "
        "docs/how-to/other_tools.md shows how",
    )


def refuse_records(count: FileCount, parts: Sequence[Path]) -> None:
    """Check that pages are read from plain values.

    Args:
        count: What the reader of a file says.
        parts: Its rows.

    Raises:
        InputError: If they are records as text.
    """
    column = count.columns.get(Raw.PAGE_LOCATION)
    if column is None or not parts:
        return
    first = next(pq.ParquetFile(parts[0]).iter_batches(_LOOKED_AT, columns=[Raw.PAGE_LOCATION]), None)
    if first is not None and (names := inner_names(first.column(0).to_pylist())):
        raise no_plain_page(column, names)


def _names(cell: str) -> list[str]:
    """Names in a record, or of the parameters in a list of them."""
    if not cell.lstrip().startswith(("{", "[")):
        return []
    try:
        value: Any = orjson.loads(cell)
    except orjson.JSONDecodeError:
        return []
    listed = value if isinstance(value, list) else [value]
    records = [one for one in listed if isinstance(one, dict)]
    return [str(record["key"]) if "key" in record else name for record in records for name in record]
