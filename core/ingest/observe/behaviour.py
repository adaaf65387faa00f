"""What all users did: their page views in order, and everything else about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from core.base.settings import IngestSettings
from core.ingest.account.waterfall import FateTally
from core.ingest.clean import records
from core.ingest.clean.locations import Locations, canonical_locations
from core.ingest.clean.records import Fate
from core.ingest.engine import Engine
from core.ingest.observe.bots import bot_like
from core.ingest.observe.narrow import narrow, number_names, number_users
from core.ingest.observe.page_events import count_page_events
from core.ingest.observe.page_views import PageViews, gap_starts, ordered_views
from core.ingest.observe.repeats import count_repeated
from core.ingest.observe.user_facts import UserFacts, describe_people
from core.ingest.observe.user_outcomes import UserOutcomes, count_outcomes
from core.ingest.read.read_all import RawRead


@dataclass(frozen=True, eq=False)
class Behaviour:
    """Everybody with a page view that was not excluded.

    Args:
        user_ids: Ids, by the number that the other parts use.
        locations: The pages.
        views: Page views in order.
        people: Facts about everybody.
        outcomes: What they did besides viewing pages.
        page_events: Events that tell what a page is for, by number of the page.
        repeated: Events that another file holds too.
        bots: bool of shape (n_users,), who looks automated.
    """

    user_ids: pa.StringArray
    locations: Locations
    views: PageViews
    people: UserFacts
    outcomes: UserOutcomes
    page_events: pa.Table
    repeated: int
    bots: np.ndarray


def observe(
    engine: Engine,
    typed: ir.Table,
    raw: RawRead,
    settings: IngestSettings,
    tally: FateTally,
    report: Callable[[float, str], None],
) -> Behaviour:
    """Put page views in order and describe their users.

    Args:
        engine: Where the tables are.
        typed: Typed records.
        raw: What the readers left.
        settings: The analyst's choices.
        tally: Which fates occur.
        report: Told the share that is done, and what comes next.

    Raises:
        SettingsError: If a URL rule cannot be applied.
    """
    staying = engine.name("staying", records.staying(typed, tally.occurring))
    with_id = staying[records.USER_ID].notnull() if Fate.NO_ID in tally.occurring else True
    page_views = engine.name("page_views", staying.filter(staying[records.IS_VIEW], with_id))
    users, user_ids = number_users(engine, page_views)
    report(0.05, "Cleaning page addresses")
    locations = canonical_locations(engine, page_views, settings, len(user_ids))
    report(0.4, "Putting page views in order")
    events = narrow(engine, staying, users, locations, number_names(engine, typed), raw.present)
    starts = gap_starts(engine, events, settings.session_gap_minutes)
    views = ordered_views(engine, events, starts)
    report(0.65, "Describing users")
    people = describe_people(engine, staying, users, locations)
    report(0.8, "Counting outcomes")
    outcomes = count_outcomes(engine, events, starts, locations.own)
    page_events = count_page_events(engine, events)
    repeated = count_repeated(engine, events) if len(raw.files) > 1 else 0
    bots = bot_like(engine, events, people, views, tally.looks_rounded)
    return Behaviour(user_ids, locations, views, people, outcomes, page_events, repeated, bots)
