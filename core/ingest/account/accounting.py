"""Account for all records in one pass: rejects, records left out, days, placeholders and screen views."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc
from ibis import _

from core.base.schema import Raw, Rejects
from core.base.settings import IngestSettings
from core.base.wording import pluralise
from core.ingest.account.waterfall import (
    REJECT_REASONS,
    FateTally,
    Waterfall,
    count_fates,
    first_steps,
    require_page_views,
)
from core.ingest.clean import records
from core.ingest.clean.clock import Days, describe_days
from core.ingest.clean.masking import outline
from core.ingest.clean.personal_data import mask_url
from core.ingest.clean.records import COUNT, LABELS, REJECTED, Fate, as_written
from core.ingest.engine import Engine
from core.ingest.output_tables import REJECTS
from core.ingest.read.part_files import KEPT
from core.ingest.read.read_all import RawRead
from core.storage.receipt import FileReceipt, sort_counts

_NAMES_SHOWN = 8
"""Most event names or streams that an error lists."""
SCREEN_VIEW: Final = "screen_view"
"""Event that an app sends where a site sends page_view."""
_EMPTY: Final = "(empty)"
"""Stands for the empty text in the receipt."""

_ELSEWHERE: Final = (*records.PLACEHOLDERS, records.DIRECT)
_READ_AS_ABSENT: Final[dict[str, tuple[str, ...]]] = {
    Raw.PAGE_LOCATION: _ELSEWHERE,
    Raw.PAGE_TITLE: (*_ELSEWHERE, records.UNAVAILABLE),
    Raw.DEVICE_BROWSER: _ELSEWHERE,
    Raw.DEVICE_CATEGORY: _ELSEWHERE,
    Raw.GEO_COUNTRY: _ELSEWHERE,
    Raw.TRAFFIC_SOURCE: records.PLACEHOLDERS,
    Raw.TRAFFIC_MEDIUM: records.PLACEHOLDERS,
    Raw.GA_SESSION_ID: (*records.PLACEHOLDERS, *records.NO_SESSION),
    Raw.TRANSACTION_ID: records.PLACEHOLDERS,
}
_NUMBERS: Final = {
    Raw.PURCHASE_REVENUE: records.money,
    Raw.REFUND_VALUE: records.money,
    Raw.ITEM_QUANTITY: records.quantity,
    Raw.ENGAGEMENT_TIME_MSEC: records.milliseconds,
}
_SHOWN: Final = 200
"""Most characters of a rejected value that are kept."""

_FILE_NO: Final = "file_no"


@dataclass(frozen=True, eq=False)
class RecordAccount:
    """The account of all records, before they are put in order.

    Args:
        tally: Counts of the fate of every record.
        waterfall: The steps that judge single records; later steps are about users.
        rejects: The first rejects, in the columns of :data:`core.ingest.output_tables.REJECTS`.
        rejected: Reason → number of all records that cannot be used.
        days: Events per day.
        placeholders: Placeholder → number of values read as absent.
        screens: Platform and stream → number of screen views that count as other events.
    """

    tally: FateTally
    waterfall: Waterfall
    rejects: pa.Table
    rejected: Counter[str]
    days: Days
    placeholders: dict[str, int]
    screens: dict[str, int]


def account(
    engine: Engine, parts: ir.Table, typed: ir.Table, raw: RawRead, settings: IngestSettings
) -> tuple[ir.Table, RecordAccount]:
    """Count all records.

    Args:
        engine: Database of the tables.
        parts: The raw table.
        typed: Typed records.
        raw: Raw records and counts of the readers.
        settings: What was left out.

    Returns:
        Users as written (:func:`core.ingest.clean.records.as_written`), and the account.

    Raises:
        InputError: If no page view is left; it names the step that took the last ones.
    """
    tally = count_fates(engine, typed, raw.present)
    screens = _count_screens(engine, typed, tally) if Raw.EVENT_NAME in raw.present else {}
    written = as_written(engine, typed, tally.occurring, joined=raw.logins is not None)
    rejects = _rejects_table(engine, typed, raw.rejects, raw.files, bool(tally.rejects))
    total = sum(file.records for file in raw.files)
    here = {REJECT_REASONS[fate]: count for fate, count in tally.rejects.items()}
    rejected = Counter(raw.reasons) + Counter(here)
    collapsed = sum(file.collapsed for file in raw.files)
    waterfall = first_steps(total, rejected.total(), tally, settings, collapsed)
    if not waterfall.left:
        details = {
            "not_page_view": f"the events are {', '.join(_event_names(engine, typed))}",
            "rejected": f"for example {_example(rejects)}",
            "other_stream": f"{settings.stream!r} was chosen, and there is {_streams(engine, typed)}",
        }
        require_page_views(waterfall, details)
    return written, RecordAccount(
        tally=tally,
        waterfall=waterfall,
        rejects=rejects,
        rejected=rejected,
        days=describe_days(tally.days, raw.present),
        placeholders=_count_placeholders(engine, parts, written, raw.present),
        screens=screens,
    )


def _event_names(engine: Engine, typed: ir.Table) -> list[str]:
    """List the most frequent event names with their counts."""
    counts = typed.group_by(name=typed[Raw.EVENT_NAME]).agg(events=_.count())
    top = counts.order_by([_.events.desc(), _.name]).limit(_NAMES_SHOWN)
    return [f"{mask_url(row['name'] or '(none)').text} ({row['events']:,})" for row in engine.rows(top)]


def _streams(engine: Engine, typed: ir.Table) -> str:
    """List the largest streams, each with its numbers of page views and records."""
    views = typed[records.IS_VIEW].ifelse(1, 0).sum()
    counts = typed.group_by(Raw.PLATFORM, Raw.STREAM_ID).agg(views=views, events=_.count())
    top = counts.order_by([_.events.desc(), Raw.PLATFORM, Raw.STREAM_ID]).limit(_NAMES_SHOWN)
    return ", ".join(
        f"{_stream_of(row) or 'no named stream'} "
        f"({pluralise(row['views'], 'page view')} in {pluralise(row['events'], 'record')})"
        for row in engine.rows(top)
    )


def _stream_of(row: Mapping[str, str | None]) -> str:
    return mask_url(" ".join(filter(None, (row[Raw.PLATFORM], row[Raw.STREAM_ID])))).text


def _count_screens(engine: Engine, typed: ir.Table, tally: FateTally) -> dict[str, int]:
    """Count the screen views of an app that are no page views, by fate into the tally.

    Returns:
        Platform and stream → number of screen views that stay.
    """
    seen = typed.filter(~typed[records.IS_VIEW], typed[Raw.EVENT_NAME].strip() == SCREEN_VIEW)
    groups = seen.group_by(Raw.PLATFORM, Raw.STREAM_ID, records.FATE).agg(events=_.count())
    staying = Counter[str]()
    for row in engine.rows(groups):
        fate = Fate(row[records.FATE])
        tally.screens[fate] += row["events"]
        staying[_stream_of(row)] += row["events"] if fate is Fate.STAYS else 0
    return sort_counts(staying)


def _example(rejects: pa.Table) -> str:
    if not rejects.num_rows:
        return ""
    [row] = rejects.slice(0, 1).to_pylist()
    return f"{row[Rejects.FILE]}, line {row[Rejects.LINE]}: {row[Rejects.REASON]} ({row[Rejects.VALUE]!r})"


def _count_placeholders(
    engine: Engine, raw: ir.Table, written: ir.Table, present: Collection[str]
) -> dict[str, int]:
    """Count the values of all columns that were read as absent, by placeholder, most frequent first."""
    rows = raw.mutate(**{COUNT: 1})
    parts = [
        _counted(table, table[column].isin(list(values)), table[column])
        for column, values in _READ_AS_ABSENT.items()
        if column in present or column in LABELS  # a source may be read from another field
        for table in [written if column in LABELS else rows]
    ]
    parts += [_no_numbers(rows, column) for column in _NUMBERS if column in present]
    if Raw.USER_KEY in present:
        key = written[Raw.USER_KEY]
        parts.append(_counted(written, records.user_id(key).isnull() & key.notnull(), key.strip()))
    counts: Counter[str] = Counter()
    for row in engine.rows(ibis.union(*parts, distinct=False)) if len(parts) > 1 else []:
        counts[row["value"] or _EMPTY] += row["count"]
    return sort_counts(counts)


def _counted(table: ir.Table, absent: ir.BooleanValue, value: ir.StringValue) -> ir.Table:
    return table.filter(absent).group_by(value=value).agg(count=_[COUNT].sum().cast("int64"))


def _no_numbers(rows: ir.Table, column: str) -> ir.Table:
    """Count values of a numeric column that are no number, or an impossible one."""
    words = records.absent(rows[column]).count() - _NUMBERS[column](rows[column]).count()
    return rows.agg(value=ibis.literal(f"{column} that cannot be"), count=words)


def _rejects_table(
    engine: Engine, typed: ir.Table, by_readers: pa.Table, files: Sequence[FileReceipt], any_here: bool
) -> pa.Table:
    """Return the first rejects of the readers and of typing together, by file and line.

    Args:
        engine: Database of the tables.
        typed: Typed records.
        by_readers: First rejects of the readers.
        files: The files, by ``file_no``.
        any_here: Whether any typed record is rejected.
    """
    names = pa.array([file.name for file in files], pa.string())
    number = pc.index_in(by_readers[Rejects.FILE], value_set=names).cast(pa.int32())
    tables = [by_readers.cast(REJECTS).append_column(_FILE_NO, number)]
    if any_here:
        tables.append(_rejected_here(engine, typed, names))
    both = pa.concat_tables(tables).sort_by([(_FILE_NO, "ascending"), (Rejects.LINE, "ascending")])
    both = both.slice(0, KEPT).drop_columns([_FILE_NO])
    column = both.schema.get_field_index(Rejects.VALUE)
    return both.set_column(column, REJECTS.field(column), _masked(both[Rejects.VALUE])).cast(REJECTS)


def _rejected_here(engine: Engine, typed: ir.Table, names: pa.Array) -> pa.Table:
    wrong = typed.filter(typed[records.FATE].isin([int(fate) for fate in REJECTED]))
    first = wrong.order_by(Raw.FILE_NO, Raw.LINE).limit(KEPT)
    found = engine.arrow(
        first.select(Raw.FILE_NO, Raw.LINE, records.FATE, Raw.EVENT_TIMESTAMP, Raw.PAGE_LOCATION)
    )
    fates = found[records.FATE].to_pylist()
    place = pc.equal(found[records.FATE], int(Fate.NO_LOCATION))
    reasons = {int(fate): reason for fate, reason in REJECT_REASONS.items()}
    columns = {
        Rejects.FILE: names.take(found[Raw.FILE_NO].combine_chunks()),
        Rejects.LINE: found[Raw.LINE],
        Rejects.COLUMN: pc.if_else(place, Raw.PAGE_LOCATION, Raw.EVENT_TIMESTAMP),
        Rejects.VALUE: pc.if_else(place, found[Raw.PAGE_LOCATION], found[Raw.EVENT_TIMESTAMP]),
        Rejects.REASON: pa.array([reasons[fate] for fate in fates], pa.string()),
    }
    return pa.table(columns).cast(REJECTS).append_column(_FILE_NO, found[Raw.FILE_NO].cast(pa.int32()))


def _masked(values: pa.ChunkedArray) -> pa.Array:
    codes = values.combine_chunks().dictionary_encode()
    known = [outline(text)[:_SHOWN] for text in codes.dictionary.to_pylist()]
    return pa.array(known, pa.string()).take(codes.indices)
