"""Run the ingest stage: read files, clean and order their records, write the data set and its receipt.

The raw table stays on disk, and each query reads only the columns it needs. Memory holds one row per page
view (a few numbers), per user, and per distinct page location.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from core.base.errors import NoPageViewsLeft
from core.base.progress import Progress, SubProgress
from core.base.settings import IngestSettings
from core.ingest import output
from core.ingest.account.accounting import RecordAccount, account
from core.ingest.account.as_ga4 import Ga4Counts, count_as_ga4
from core.ingest.account.summary import ReceiptInputs, make_receipt
from core.ingest.account.waterfall import Waterfall, require_page_views
from core.ingest.clean import records
from core.ingest.clean.urls import template
from core.ingest.engine import Engine, open_engine
from core.ingest.observe.behaviour import Behaviour, observe
from core.ingest.observe.export_decisions import ExportDecisions
from core.ingest.observe.logins import join_logins
from core.ingest.observe.outcomes import page_events_table
from core.ingest.observe.page_views import PageViews, number_sessions
from core.ingest.output import events_table
from core.ingest.output_tables import write_table
from core.ingest.read.read_all import READ_SHARE, STAGE, RawRead, read_all
from core.ingest.read.read_cache import ReadCache
from core.storage.dataset import (
    EVENTS,
    OUTCOMES,
    PAGE_EVENTS,
    PAGES,
    RECEIPT,
    REJECTS,
    SEQUENCES,
    SESSION_CHANNELS,
    USERS,
)
from core.storage.disk import write_text_atomic
from core.storage.receipt import Receipt


def ingest(
    paths: Sequence[Path],
    settings: IngestSettings,
    out_dir: Path,
    progress: Progress,
    work_dir: Path,
    kept: ReadCache | None = None,
) -> Receipt:
    """Read an export, clean and order it, and account for every record.

    Args:
        paths: Files, folders or patterns.
        settings: How to read, and what to leave out.
        out_dir: An existing folder; gets the files named in ``core/storage/dataset.py``.
        progress: Where to report.
        work_dir: An existing folder for intermediate files; what is left in it can be removed.
        kept: Store of earlier reads of these files.

    Returns:
        The receipt, also written to ``receipt.json``.

    Raises:
        InputError: If a file or column cannot be used, or no page view is left.
        SettingsError: If a URL rule cannot be applied.
        ResourceError: If disk or memory run out.
        Cancelled: If ``progress`` says so.
    """
    raw = read_all(paths, settings, work_dir / "raw", progress, kept)
    return transform(join_logins(raw, settings, work_dir / "joined"), settings, out_dir, progress, work_dir)


def transform(
    raw: RawRead,
    settings: IngestSettings,
    out_dir: Path,
    progress: Progress,
    work_dir: Path,
    threads: int | None = None,
    memory: int | None = None,
    decided: ExportDecisions | None = None,
) -> Receipt:
    """Make a data set from the raw records of the readers.

    Args:
        raw: Raw records and counts of the readers.
        settings: What to leave out.
        out_dir: Folder of the data set.
        progress: Where to report, from :data:`core.ingest.read.read_all.READ_SHARE` on.
        work_dir: Folder for data that does not fit into memory.
        threads: Threads to use; all by default. The result does not depend on it.
        memory: Bytes that the database may use; set by the number of records when None.
        decided: Decisions made on more users than these (:mod:`core.ingest.decisions`).

    Raises:
        NoPageViewsLeft: If no page view is left.
        SettingsError: If a URL rule cannot be applied.
        ResourceError: If disk or memory run out.
    """
    report = SubProgress(progress, READ_SHARE, 1.0)
    with open_engine(work_dir, raw.rows, threads, memory) as engine:
        accounted, behaviour, as_ga4 = _look_at_records(engine, raw, settings, report, decided)
    views, stripped, notes = _leave_out(behaviour, settings, accounted.waterfall)
    used = output.find_users(views, number_sessions(views))
    groups = output.groups_of(used, behaviour.bots)
    channels = behaviour.channels.used(used.views, used.sessions) if behaviour.channels else None
    outcomes = _outcomes(behaviour, stripped, used, settings)
    tables = {OUTCOMES: outcomes, EVENTS: events_table(behaviour, stripped, used)}
    receipt = make_receipt(
        ReceiptInputs(
            raw, settings, accounted, behaviour, used, groups, outcomes, channels, tuple(notes), as_ga4
        )
    )
    tables[USERS] = output.users_table(used, groups, behaviour.people, behaviour.user_ids, channels)
    if channels:
        tables[SESSION_CHANNELS] = channels.by_session()
    _write(out_dir, used, behaviour, accounted, tables, receipt)
    report(STAGE, 1.0, f"{receipt.users:,} users, {receipt.page_views_used:,} page views")
    return receipt


def _look_at_records(
    engine: Engine, raw: RawRead, settings: IngestSettings, report: Progress, decided: ExportDecisions | None
) -> tuple[RecordAccount, Behaviour, Ga4Counts | None]:
    """Account for every record, observe all users and, unless they are a part of them, count as GA4 does."""
    typed, written, accounted = accounted_records(engine, raw, settings, report)
    part = SubProgress(report, 0.2, 0.85)
    behaviour = observe(engine, typed, written, raw, settings, accounted.tally, part, decided)
    report(STAGE, 0.85, "Putting it together")
    if decided:
        accounted = replace(accounted, days=decided.accounted.days, screens=decided.accounted.screens)
        return accounted, behaviour, None
    return accounted, behaviour, count_as_ga4(engine, typed, raw.present)


def accounted_records(
    engine: Engine, raw: RawRead, settings: IngestSettings, report: Progress
) -> tuple[ir.Table, ir.Table, RecordAccount]:
    """Return the typed records, the users as written in the files, and the account of all records.

    Raises:
        NoPageViewsLeft: If no page view is left.
    """
    if not raw.parts:
        raise NoPageViewsLeft("There are no records in the input", remedy="Choose another file")
    parts = engine.parts(raw.parts)
    rows = records.typed(parts, raw.present, raw.files_of_views, settings, raw.page_view, raw.replaced)
    typed = engine.name("typed", rows)
    report(STAGE, 0.05, "Looking at every record")
    written, accounted = account(engine, parts, typed, raw, settings)
    report(STAGE, 0.2, "Numbering users")
    return typed, written, accounted


def _leave_out(
    behaviour: Behaviour, settings: IngestSettings, waterfall: Waterfall
) -> tuple[PageViews, PageViews, list[str]]:
    """Leave out bots and pages by the settings.

    Returns:
        The used page views, the views of pages left out, and warnings.

    Raises:
        InputError: If no page view is left.
    """
    views = behaviour.views
    by_bots = behaviour.bots[views.user]
    if settings.exclude_bots:
        views = views.only(~by_bots)
        bots, seen = int(behaviour.bots.sum()), int(by_bots.sum())
        others = int(behaviour.people.events[behaviour.bots].sum()) - seen
        waterfall.leave("bot_like", "Looks automated", seen, others, users=bots)
    require_page_views(waterfall, {})
    # by template too: new users' ids are not collapsed anew, see core/runs/frozen.py
    unwanted = set(settings.strip_pages)
    found = {
        number: name
        for number, page in enumerate(behaviour.locations.pages)
        if unwanted and (name := page if page in unwanted else template(page)) in unwanted
    }
    stripped = list(found)
    off = np.isin(views.page, stripped)
    before, views = views, views.only(~off)
    gone = int(before.begins_user.sum() - views.begins_user.sum())
    waterfall.leave("stripped", "On pages left out by choice", int(off.sum()), users=gone)
    require_page_views(waterfall, {})
    unknown = sorted(unwanted - set(found.values()))
    return (
        views,
        before.only(off),
        [f"{page} is to be left out, but there is no such page" for page in unknown],
    )


def _outcomes(
    behaviour: Behaviour, stripped: PageViews, used: output.UsedViews, settings: IngestSettings
) -> pa.Table:
    """Outcomes of all users but excluded bots; views of left-out pages count as outcomes."""
    seen = output.stripped_outcomes(stripped, behaviour.locations.pages)
    left_out = np.flatnonzero(behaviour.bots & settings.exclude_bots)
    return output.outcomes_table(pa.concat_tables([behaviour.outcomes.table, seen]), used, left_out)


def _write(
    out_dir: Path,
    used: output.UsedViews,
    behaviour: Behaviour,
    accounted: RecordAccount,
    done: Mapping[str, pa.Table],
    receipt: Receipt,
) -> None:
    pages, rows = output.pages_table(used, behaviour.locations)
    written = {
        SEQUENCES: output.sequences_table(used, rows, behaviour.user_ids),
        PAGES: pages,
        PAGE_EVENTS: page_events_table(behaviour.page_events, rows),
        REJECTS: accounted.rejects,
        **done,
    }
    with ThreadPoolExecutor() as pool:  # what a writer does is done outside of Python
        list(pool.map(write_table, written.values(), (out_dir / name for name in written)))
    write_text_atomic(out_dir / RECEIPT, receipt.model_dump_json(indent=1))
