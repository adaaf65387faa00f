"""Observe the behaviour of all users: page views in order, other events, outcomes, attributes and bots."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Final

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from ibis import _

from core.base.progress import Progress
from core.base.schema import Raw
from core.base.settings import IngestSettings
from core.ingest.account.waterfall import FateTally
from core.ingest.clean import records
from core.ingest.clean.locations import PAGE, Locations, canonical_locations
from core.ingest.clean.masking import Masking
from core.ingest.engine import Engine
from core.ingest.observe.bots import bot_like
from core.ingest.observe.channel_codes import ChannelCodes, number_channels, written_visits
from core.ingest.observe.export_decisions import ExportDecisions
from core.ingest.observe.narrow import (
    NAME,
    USER,
    Events,
    narrow,
    number_names,
    number_users,
)
from core.ingest.observe.outcomes import (
    UserOutcomes,
    count_outcomes,
    count_page_categories,
    count_page_events,
    count_without_user_id,
    find_refunds,
    payments,
    repeated,
)
from core.ingest.observe.page_views import OtherEvents, PageViews, in_order
from core.ingest.observe.session_channels import SessionChannels
from core.ingest.observe.user_facts import UserFacts, describe_people
from core.ingest.read.read_all import STAGE, RawRead

_EVENT: Final = (USER, records.TS, records.IS_VIEW, NAME, PAGE)


@dataclass(frozen=True, eq=False)
class Behaviour:
    """The behaviour of all users with a page view that was not excluded, and the outcomes of other users.

    Args:
        user_ids: Ids of users with a page view, by user number.
        locations: The pages.
        views: Page views in order.
        deeds: Other events in order, also of users without a page view.
        payments: Payments of ``deeds`` in order: columns of :func:`core.ingest.observe.outcomes.payments`.
        people: Attributes of users with a page view.
        outcomes: Outcomes of all users.
        page_events: Events that show what a page is for, by page number.
        repeated: Number of events that another file holds too.
        channels: Channels of sessions; None where no file has sources.
        bots: bool of shape (n_users,), whether each user looks automated.
    """

    user_ids: pa.StringArray
    locations: Locations
    views: PageViews
    deeds: OtherEvents
    payments: pa.Table
    people: UserFacts
    outcomes: UserOutcomes
    page_events: pa.Table
    repeated: int
    channels: SessionChannels | None
    bots: np.ndarray


def observe(
    engine: Engine,
    typed: ir.Table,
    written: ir.Table,
    raw: RawRead,
    settings: IngestSettings,
    tally: FateTally,
    progress: Progress,
    decided: ExportDecisions | None = None,
) -> Behaviour:
    """Put page views in order, count outcomes, and describe users.

    Args:
        engine: Database of the tables.
        typed: Typed records.
        written: Users as written (:func:`core.ingest.clean.records.as_written`).
        raw: Raw records and counts of the readers.
        settings: The analyst's choices.
        tally: Counts of fates.
        progress: Where to report.
        decided: Decisions made on more users than these.

    Raises:
        SettingsError: If a URL rule cannot be applied.
    """
    staying, page_views = used_views(engine, typed, tally)
    (users, everybody, ids), names = number_users(engine, written), number_names(engine, typed)
    progress(STAGE, 0.05, "Cleaning page addresses")
    pages = _pages(engine, page_views, written, users, settings, decided)
    progress(STAGE, 0.4, "Putting page views in order")
    codes = _channel_codes(engine, staying, raw, pages, decided)
    all_events = narrow(engine, staying, everybody, pages, names, raw.present, codes)
    events, twice = all_events.of_first(len(ids)), _repeated(engine, all_events, len(ids), decided)
    views, deeds, of_events = in_order(engine, all_events, twice, settings.session_gap_minutes)
    channels = SessionChannels.of(codes, *of_events) if codes else None
    del of_events
    progress(STAGE, 0.65, "Describing users")
    people = describe_people(engine, written, users, pages, settings.dimension_keys)
    progress(STAGE, 0.8, "Counting outcomes")
    done = _outcomes(
        engine, all_events, deeds, twice, everybody, pages.masking, staying, names, tally, decided
    )
    paid = payments(engine, all_events, twice)
    again = _count_repeated(engine, events) if len(raw.files) > 1 else 0
    bots = _bots(engine, events, people, views, tally, decided)
    page_events = count_page_events(engine, events)
    if (field := settings.item_category) and field in staying.columns:
        by_category = count_page_categories(engine, staying, pages, field)
        page_events = pa.concat_tables([page_events, by_category])
    return Behaviour(ids, pages, views, deeds, paid, people, done, page_events, again, channels, bots)


def used_views(engine: Engine, typed: ir.Table, tally: FateTally) -> tuple[ir.Table, ir.Table]:
    """Return the records that stay, and their page views, also those without a user id."""
    staying = engine.name("staying", typed.filter(records.stays(typed, tally.occurring)))
    return staying, engine.name("page_views", staying.filter(staying[records.IS_VIEW]))


def _pages(
    engine: Engine,
    page_views: ir.Table,
    written: ir.Table,
    users: ir.Table,
    settings: IngestSettings,
    decided: ExportDecisions | None,
) -> Locations:
    if decided is not None:
        return decided.locations_in(engine)
    return canonical_locations(engine, page_views, written, users, settings)


def _channel_codes(
    engine: Engine, staying: ir.Table, raw: RawRead, pages: Locations, decided: ExportDecisions | None
) -> ChannelCodes | None:
    if decided is None:
        visits = written_visits(engine, staying, raw.present, pages.hosts)
    else:
        visits = decided.visits_in(engine)
    return number_channels(engine, visits, raw.files, raw.present)


def _outcomes(
    engine: Engine,
    events: Events,
    deeds: OtherEvents,
    twice: ir.Table,
    users: ir.Table,
    masking: Masking,
    staying: ir.Table,
    names: ir.Table,
    tally: FateTally,
    decided: ExportDecisions | None,
) -> UserOutcomes:
    refunds = decided.refunds if decided else find_refunds(engine, staying, events.names)
    done = count_outcomes(engine, events, deeds, twice, refunds, users, masking)
    if decided is not None or not tally.has_other_event_without_user_id:
        return done
    called = done.names.to_pylist()
    return done.with_records_without_user_id(
        count_without_user_id(engine, staying, names, called, events.order, refunds)
    )


def _repeated(engine: Engine, events: Events, n_users: int, decided: ExportDecisions | None) -> ir.Table:
    return repeated(engine, events, n_users) if decided is None else decided.repeated_in(engine, events)


def _bots(
    engine: Engine,
    events: Events,
    people: UserFacts,
    views: PageViews,
    tally: FateTally,
    decided: ExportDecisions | None,
) -> np.ndarray:
    if decided is not None:
        tally, engaged = decided.accounted.tally, decided.engaged
    else:
        engaged = float(people.engaged.mean())
    return bot_like(engine, events, people, views, tally.looks_rounded, engaged)


def _count_repeated(engine: Engine, events: Events) -> int:
    """Count events that another file also holds: same user, time, event, page and place in the batch.

    Equal events within a file are not counted, as GA4 sends such. Only the time in which files overlap is
    searched, so days that follow each other cost nothing.
    """
    table, moment = events.table, events.table[records.TS]
    spans = engine.rows(table.group_by(Raw.FILE_NO).agg(first=moment.min(), last=moment.max()))
    shared = [
        (max(one["first"], two["first"]), min(one["last"], two["last"]))
        for one, two in combinations(spans, 2)
    ]
    shared = [(start, end) for start, end in shared if start <= end]
    if not shared:
        return 0
    inside = table.filter(moment.between(min(s[0] for s in shared), max(s[1] for s in shared)))
    same = (*_EVENT, *(column for column in events.order if column in records.BATCH))
    of_file = inside.group_by(*same, Raw.FILE_NO).agg(events=_.count())
    found = of_file.group_by(*same).agg(files=_.count(), more=_.events.sum() - _.events.max())
    [row] = engine.rows(found.filter(found.files > 1).agg(n=_.more.sum().cast("int64")))
    return row["n"] or 0
