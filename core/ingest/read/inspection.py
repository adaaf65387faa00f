"""Inspect files before the import: columns, a few masked rows, and the column of each field."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from core.base.errors import InputError
from core.base.schema import Raw
from core.base.settings import IngestSettings
from core.ingest.clean.masking import outline
from core.ingest.clean.personal_data import mask_url
from core.ingest.read import ndjson, parquet
from core.ingest.read.delimited import SAMPLE_ROWS as LOOKED_AT
from core.ingest.read.delimited import open_delimited
from core.ingest.read.event_rows import EventRows
from core.ingest.read.headers import HeaderMap, is_likely_key, user_keys
from core.ingest.read.nested import rows_of
from core.ingest.read.read_file import inner_names, may_be_view
from core.ingest.read.table_layout import DelimitedLayout, ParsedBlock, assemble
from core.ingest.read.tools import PAGE_VIEWS, different_tools
from core.ingest.sources.input_files import InputFile, open_seekable, open_source, resolve_inputs
from core.ingest.sources.overlap import describe_copies, describe_overlaps
from core.ingest.sources.sniffing import FileKind

_SAMPLE_ROWS: Final = 20


_MAY_BE_PERSONAL: Final = re.compile(r"[@?&=%/ ]")
"""Characters of a cell that may be personal; bare ids are shown as they are, to be recognised."""
_VALUE: Final = re.compile(r"([^=&#]*=)([^&#]*)")
"""Name and value of a query parameter; names belong to the site and are shown."""
_DAY_OR_MONTH_FIRST: Final = re.compile(r"\s*\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})(?:\D.*)?")
_OF_USERS: Final = re.compile(r"^user_propert(?:y|ies)[._]", re.IGNORECASE)
_ORIGIN: Final = re.compile(r"[a-z][a-z\d+.-]*://[^/?#]*", re.IGNORECASE)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FilePreview(_Part):
    """Preview of an input file: its columns, some rows, and how it is read."""

    name: str
    bytes: int
    shape: str
    tool: str = ""
    """Analytics tool, as in the receipt."""
    columns: tuple[str, ...]
    sample_rows: tuple[tuple[str | None, ...], ...]
    """Some rows, with texts reduced to their outline and bare ids as they are: for display, never stored."""
    inner: dict[str, tuple[str, ...]] = {}
    """Column whose cells are JSON records → names in these records."""
    odd_dates: tuple[str, ...] = ()
    """Columns of dates such as 31.12.2025, which cannot be read as times."""
    notes: tuple[str, ...] = ()
    """Notes on events that have several rows."""


class FoundDimension(_Part):
    """A column that is no field yet and may describe users, as the first 200 rows of each file show it."""

    name: str
    filled: float
    """Share of the rows that were looked at which have a value."""
    values: int
    """Number of different values in them."""
    example: str
    """The most frequent value, as in the preview."""


class Inspection(_Part):
    """Previews of all files, and the proposed mapping of columns."""

    files: tuple[FilePreview, ...]
    mapping: dict[str, str]
    """Field → column that it would be read from; fields without a column are left out."""
    candidates: dict[str, tuple[str, ...]]
    """Field → all columns that could hold it, best first."""
    user_keys: tuple[str, ...]
    """Possible values of ``IngestSettings.user_key``, the likely ones first."""
    dimensions: tuple[FoundDimension, ...] = ()
    """Columns that can be kept as attributes of users, those with a value in most rows first."""
    warnings: tuple[str, ...] = ()
    """Warnings about equal files, files of the same day, and files of different tools."""


_Cells: TypeAlias = Mapping[str, Sequence[str | None]]
"""Column → its cells in the rows that were looked at, masked as in a preview."""
_Look: TypeAlias = tuple[FilePreview, HeaderMap, _Cells]


def inspect(paths: Sequence[Path], settings: IngestSettings) -> Inspection:
    """Read the headers and a few rows of files, with the code that the readers start with.

    A missing column is no error here: the analyst may still choose it.

    Raises:
        InputError: If a file cannot be opened, or is of a kind or shape that is not read.
    """
    sources = resolve_inputs(paths)
    looks = [_look(source, settings) for source in sources]
    mapping: dict[str, str] = {}
    candidates: dict[str, tuple[str, ...]] = {}
    for preview, fields, _ in looks:
        seen = {field: name for field, name in fields.by_name.items() if name in preview.columns}
        mapping = seen | mapping
        for field, names in fields.candidates.items():
            known = candidates.get(field, ())
            candidates[field] = tuple(dict.fromkeys([*known, *(n for n in names if n in preview.columns)]))
    columns = tuple(dict.fromkeys(name for preview, *_ in looks for name in preview.columns))
    taken = [name for field, name in mapping.items() if field != Raw.USER_KEY]
    return Inspection(
        files=tuple(preview for preview, *_ in looks),
        mapping=mapping,
        candidates={field: names for field, names in candidates.items() if names},
        user_keys=user_keys(columns, taken),
        dimensions=_dimensions([cells for *_, cells in looks], set(mapping.values())),
        warnings=(
            *describe_copies(sources),
            *different_tools([(preview.name, preview.tool) for preview, *_ in looks]),
            *describe_overlaps({s.name: frozenset() for s in sources}),
        ),
    )


def _dimensions(looks: Sequence[_Cells], taken: Collection[str]) -> tuple[FoundDimension, ...]:
    """List the columns that are no field and have a value in the rows that were looked at."""
    cells: dict[str, list[str | None]] = {}
    for look in looks:
        for name, column in look.items():
            cells.setdefault(name, []).extend(column)
    found = []
    for name, texts in cells.items():
        counts = Counter(cell for cell in texts if cell)
        if counts and name not in taken and not is_likely_key(_OF_USERS.sub("", name)):
            example = counts.most_common(1)[0][0]
            filled = counts.total() / len(texts)
            found.append(FoundDimension(name=name, filled=filled, values=len(counts), example=example))
    return tuple(sorted(found, key=lambda one: (-one.filled, one.name)))


def _look(source: InputFile, settings: IngestSettings) -> _Look:
    if source.kind is FileKind.PARQUET:
        return _look_at_parquet(source, settings)
    if source.kind is FileKind.JSON:
        return _look_at_json(source, settings)
    return _look_at_delimited(source, settings)


def _look_at_delimited(source: InputFile, settings: IngestSettings) -> _Look:
    with open_source(source) as file:
        opened = open_delimited(file, source, settings)
    layout, rows = opened.layout, [tuple(cell or None for cell in row) for row in opened.sample]
    return _look_at_table(source, layout, layout.shape.value, rows)


def _look_at_table(
    source: InputFile, layout: DelimitedLayout, shape: str, sample: list[tuple[str | None, ...]]
) -> _Look:
    rows = _assembled_rows(layout, sample) if layout.shape.holds_parameters else sample
    return _preview(source, shape, layout.shown, rows, layout.fields, layout.rows)


def _assembled_rows(
    layout: DelimitedLayout, sample: Sequence[tuple[str | None, ...]]
) -> list[tuple[str | None, ...]]:
    names = layout.shown
    every = HeaderMap(names, {name: index for index, name in enumerate(names)}, {})
    whole = replace(layout, fields=every, parsed=tuple(range(len(layout.header))), rows=None)
    columns = [pa.array([row[index] for row in sample], pa.string()) for index in whole.parsed]
    fields = assemble(whole, columns, np.arange(len(sample)), ParsedBlock()).fields
    return _transposed([fields[name] for name in names])


def _look_at_json(source: InputFile, settings: IngestSettings) -> _Look:
    with open_source(source) as file:
        opened = ndjson.open_json(file, source, settings)
    names = _names_shown(opened.rows, opened.seen)
    rows = [tuple(row) for row in rows_of(opened.sample[:LOOKED_AT], names, opened.literal)]
    return _preview(source, opened.shape, names, rows, opened.fields, opened.rows)


def _look_at_parquet(source: InputFile, settings: IngestSettings) -> _Look:
    with open_seekable(source) as file:
        opened = parquet.open_parquet(file, source, settings)
        names = opened.layout.header if opened.layout else opened.seen
        rows = _transposed(parquet.first_rows(opened.file, names, source.name))
    if opened.layout:
        return _look_at_table(source, opened.layout, opened.shape, rows)
    return _preview(source, opened.shape, names, rows, opened.fields, opened.rows)


def _names_shown(rows: EventRows | None, seen: tuple[str, ...]) -> tuple[str, ...]:
    """Names to read for the preview: all columns, where each row holds a parameter."""
    return rows.read.names if rows and rows.of == "parameter" else seen


def _transposed(columns: Sequence[pa.Array]) -> list[tuple[str | None, ...]]:
    return list(zip(*(column.to_pylist() for column in columns), strict=True))


def _preview(
    source: InputFile,
    shape: str,
    names: Sequence[str],
    rows: Sequence[tuple[str | None, ...]],
    fields: HeaderMap,
    of_events: EventRows | None,
) -> _Look:
    if of_events is not None and of_events.of == "parameter":
        names, rows = of_events.seen, of_events.first_events(rows)
    events = fields.by_name.get(Raw.EVENT_NAME, "")
    shown = tuple(
        tuple(
            # which event is a page view is to be chosen; a mere `name` may be a person's
            cell
            if name == events and (cell in PAGE_VIEWS or "event" in name.lower())
            else _without_personal_data(cell)
            for name, cell in zip(names, row, strict=True)
        )
        for row in rows
    )
    at_event = names.index(events) if events in names else None
    viewed = [row for row in rows if at_event is None or may_be_view(row[at_event])]
    notes = (of_events.note,) if of_events is not None and of_events.sure else ()
    preview = FilePreview(
        name=source.name,
        bytes=source.bytes,
        shape=shape,
        tool=fields.tool,
        columns=tuple(names),
        sample_rows=shown[:_SAMPLE_ROWS],
        inner={
            name: found for at, name in enumerate(names) if (found := inner_names(row[at] for row in viewed))
        },
        odd_dates=tuple(name for at, name in enumerate(names) if _are_odd_dates(row[at] for row in rows)),
        notes=notes,
    )
    return preview, fields, dict(zip(names, zip(*shown, strict=True), strict=False))


def _are_odd_dates(cells: Iterable[str | None]) -> bool:
    filled = [cell for cell in cells if cell]
    return bool(filled) and all(map(_DAY_OR_MONTH_FIRST.fullmatch, filled))


def no_time(column: str) -> InputError:
    """Make the error for a time column whose dates begin with the day or the month."""
    return InputError(
        f"{column!r} holds no times that can be read: its dates begin with the day or the month, "
        "and nothing says with which",
        allowed="2025-12-31 14:05:00, or seconds, milliseconds or microseconds since 1970",
        remedy="Write them so in the file, or choose another column",
    )


def _without_personal_data(cell: str | None) -> str | None:
    """Mask a cell down to its outline: before the import nobody knows which texts belong to a single user."""
    if cell is None or not _MAY_BE_PERSONAL.search(cell):
        return cell
    origin = _ORIGIN.match(cell)
    kept = origin[0] if origin else ""
    path, question, query = mask_url(cell[len(kept) :]).text.partition("?")
    values = _VALUE.sub(lambda match: match[1] + outline(match[2]), query)
    return kept + outline(path) + question + values
