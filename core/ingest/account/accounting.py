"""One look at all records: what leaves at once, and what the records say about themselves."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import ibis.expr.types as ir
import pyarrow as pa
from ibis import _

from core.base.schema import Raw, Rejects
from core.base.settings import IngestSettings
from core.ingest.account.rejects import rejects_table
from core.ingest.account.waterfall import (
    REJECT_REASONS,
    FateTally,
    Waterfall,
    count_fates,
    first_steps,
    refuse_nothing,
)
from core.ingest.clean.clock import Days, describe_days
from core.ingest.clean.personal_data import mask_url
from core.ingest.clean.placeholders import count_placeholders
from core.ingest.engine import Engine
from core.ingest.read.read_all import RawRead

NAMES_SHOWN = 8
"""Event names that are listed when none of them is page_view."""


@dataclass(frozen=True, eq=False)
class Accounted:
    """What is known of the records before any of them is put in order.

    Args:
        tally: The fate of every record.
        waterfall: The steps so far; more are added when users are looked at.
        rejects: The first ones, in the columns of :data:`core.ingest.output_tables.REJECTS`.
        rejected: Reason → records that cannot be used, all of them.
        days: Events a day.
        placeholders: Placeholder → values that were read as absent.
    """

    tally: FateTally
    waterfall: Waterfall
    rejects: pa.Table
    rejected: Counter[str]
    days: Days
    placeholders: dict[str, int]


def account(
    engine: Engine, parts: ir.Table, typed: ir.Table, raw: RawRead, settings: IngestSettings
) -> Accounted:
    """Count, and stop if nothing is left to work with.

    Raises:
        InputError: If no page view is left; it names the step that took the last ones.
    """
    tally = count_fates(engine, typed, raw.present)
    rejects = rejects_table(engine, typed, raw.rejects, raw.files, bool(tally.rejects))
    total = sum(file.records for file in raw.files)
    here = {REJECT_REASONS[fate]: count for fate, count in tally.rejects.items()}
    rejected = Counter(raw.reasons) + Counter(here)
    waterfall = first_steps(total, rejected.total(), tally, settings)
    if not waterfall.left:
        refuse_nothing(waterfall, _event_names(engine, typed), _example(rejects))
    return Accounted(
        tally=tally,
        waterfall=waterfall,
        rejects=rejects,
        rejected=rejected,
        days=describe_days(tally.days, raw.present),
        placeholders=count_placeholders(engine, parts, raw.present),
    )


def _event_names(engine: Engine, typed: ir.Table) -> list[str]:
    """The most frequent event names."""
    counts = typed.group_by(name=typed[Raw.EVENT_NAME]).agg(events=_.count())
    top = counts.order_by([_.events.desc(), _.name]).limit(NAMES_SHOWN)
    return [mask_url(row["name"] or "(none)").text for row in engine.rows(top)]


def _example(rejects: pa.Table) -> str:
    if not rejects.num_rows:
        return ""
    [row] = rejects.slice(0, 1).to_pylist()
    return f"{row[Rejects.FILE]}, line {row[Rejects.LINE]}: {row[Rejects.REASON]} ({row[Rejects.VALUE]!r})"
