"""Which events are page views: every tool has a name of its own for them.

It is decided once, on all files together: the name that the analyst chose, or else ``page_view``, or else the
one other name of :data:`core.ingest.read.tools.PAGE_VIEWS` that occurs. Nothing is renamed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.base.controls import control
from core.base.errors import InputError
from core.base.schema import PAGE_VIEW, Raw
from core.base.settings import IngestSettings
from core.ingest.read.part_files import FileCount
from core.ingest.read.tools import PAGE_VIEWS

_KNOWN = pa.array(PAGE_VIEWS)


def with_page_views(count: FileCount, parts: Sequence[Path]) -> FileCount:
    """What a file gave, with its known names of page views; a column without any name is none of names.

    Args:
        count: What its reader says.
        parts: Its rows.
    """
    if Raw.EVENT_NAME not in count.columns or not parts:
        return count
    is_named, known = False, set[str]()
    for path in parts:
        for batch in pq.ParquetFile(path).iter_batches(columns=[Raw.EVENT_NAME]):
            names = pc.utf8_trim(pc.unique(batch.column(0)), " ")
            is_named = is_named or bool(pc.any(pc.not_equal(names, "")).as_py())
            known |= set(names.filter(pc.is_in(names, _KNOWN)).to_pylist())
    if is_named:
        return replace(count, page_views=tuple(name for name in PAGE_VIEWS if name in known))
    named = {field: column for field, column in count.columns.items() if field != Raw.EVENT_NAME}
    return replace(count, columns=named)


def page_view_of(counts: Sequence[FileCount], settings: IngestSettings) -> str:
    """The name of the events that are page views.

    Args:
        counts: What each file gave.
        settings: The analyst's word.

    Raises:
        InputError: If no event is called ``page_view``, and several others may be one.
    """
    known = likely({name for count in counts for name in count.page_views})
    if settings.page_view or not known:
        return settings.page_view or PAGE_VIEW
    if len(known) > 1:
        raise InputError(
            f"Events are called {' and '.join(map(repr, known))}: which of them are the page views?",
            allowed=" or ".join(known),
            remedy=f"Say which event is a page view: {control('page_view')}",
        )
    return known[0]


def likely(names: Collection[str]) -> tuple[str, ...]:
    """Of the names of events, those that may be the page views: GA4's own name alone, where it is there."""
    return (PAGE_VIEW,) if PAGE_VIEW in names else tuple(name for name in PAGE_VIEWS if name in names)


def unread_views(files: Sequence[tuple[str, FileCount]], page_view: str) -> list[str]:
    """Files in which all are page views, unlike in others, or none is.

    Of a name that no tool is known for it is not known which files have it.
    """
    warnings = []
    named = any(Raw.EVENT_NAME in count.columns for _, count in files)
    for name, count in files:
        if named and count.records and Raw.EVENT_NAME not in count.columns:
            events = f"{count.records - count.collapsed:,}"
            warnings.append(
                f"{name} has no names of events, as other files have: all {events} records of it count as "
                "page views"
            )
        if Raw.EVENT_NAME in count.columns and page_view in PAGE_VIEWS and page_view not in count.page_views:
            others = " and ".join(count.page_views)
            told = f"its {others} are other events" if others else "it adds events only"
            warnings.append(f"{name} has no {page_view}, which is the page view of these files: {told}")
    return warnings
