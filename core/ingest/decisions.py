"""Make the cleaning decisions that depend on all users of an export, before a part of them is ingested.

Whether a page, place or label is personal or shattered by ids depends on who else saw it; whether a purchase
is a duplicate, on who else sent it; whether missing engagement suggests a bot, on how many others have some.
All of that is decided here in one pass of the database, with bounded memory (in Python one row per page
location without its click ids). A part of the users is then cleaned as it would be in the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import ibis
import ibis.expr.types as ir
import numpy as np
from ibis import _

from core.base.progress import Progress
from core.base.schema import Outcomes, Raw
from core.base.settings import IngestSettings
from core.ingest.clean import records
from core.ingest.clean.locations import PAGE, canonical_locations
from core.ingest.clean.masking import Masking, mask_labels
from core.ingest.engine import Engine, literal, open_engine
from core.ingest.ingest import accounted_records
from core.ingest.observe.behaviour import used_views
from core.ingest.observe.channel_codes import written_visits
from core.ingest.observe.export_decisions import LOCATION, ExportDecisions
from core.ingest.observe.narrow import NAME, PURCHASE, USER, hashed, number_names, numbered_users, order_of
from core.ingest.observe.outcomes import (
    OutcomesWithoutUserId,
    Refunds,
    count_without_user_id,
    find_refunds,
    repeated_transactions,
)
from core.ingest.observe.user_facts import label_of_user, people_by_label
from core.ingest.read.read_all import STAGE, RawRead

_LABEL, _USERS = "label", "users"


def decide(
    raw: RawRead, settings: IngestSettings, work_dir: Path, progress: Progress, memory: int | None = None
) -> ExportDecisions:
    """Make all decisions about an export in one pass over its records.

    Args:
        raw: Raw records of all users.
        settings: The analyst's choices.
        work_dir: An existing folder; the files written there are needed as long as the result is.
        progress: Where to report.
        memory: Bytes that the database may use; set by the number of records when None.

    Raises:
        NoPageViewsLeft: If no page view is left.
        SettingsError: If a URL rule cannot be applied.
        ResourceError: If disk or memory run out.
    """
    with open_engine(work_dir, raw.rows, memory=memory) as engine:
        typed, written, accounted = accounted_records(engine, raw, settings, progress)
        staying, page_views = used_views(engine, typed, accounted.tally)
        users = numbered_users(engine, written)
        n_users = engine.count(users)
        progress(STAGE, 0.3, "Cleaning page addresses")
        locations = canonical_locations(engine, page_views, written, users, settings)
        progress(STAGE, 0.6, "Looking at labels")
        people = people_by_label(engine, written, users, locations.hosts, settings.dimension_keys)
        names = number_names(engine, typed)
        counted = _users_of_labels(people) | {Outcomes.EVENT_NAME: _users_of_names(names, staying)}
        masking = locations.masking
        masking.labels = {name: _labels(engine, name, counts, masking) for name, counts in counted.items()}
        progress(STAGE, 0.8, "Counting transactions once")
        twice = repeated_transactions(_purchases(staying, users, n_users), n_users, order_of(raw.present))
        page_of = _written(engine, locations.table.select(LOCATION, PAGE), work_dir / "page_of.parquet")
        repeated = _written(engine, twice, work_dir / "repeated.parquet")
        visits = written_visits(engine, staying, raw.present, locations.hosts)
        channels = None if visits is None else _written(engine, visits, work_dir / "visits.parquet")
        locations = replace(locations, table=ibis.table(locations.table.schema(), name=PAGE))
        refunds, without_id = find_refunds(engine, staying, masking.labels[Outcomes.EVENT_NAME]), None
        if accounted.tally.has_other_event_without_user_id:
            without_id = _nobodys(engine, staying, names, masking, raw, refunds)
        engaged = _engaged(engine, people)
        return ExportDecisions(
            accounted, locations, page_of, repeated, channels, n_users, engaged, refunds, without_id
        )


def _nobodys(
    engine: Engine,
    staying: ir.Table,
    names: ir.Table,
    masking: Masking,
    raw: RawRead,
    refunds: Refunds | None,
) -> OutcomesWithoutUserId:
    written = engine.arrow(names.select(NAME, "stripped").distinct().order_by(NAME))["stripped"].to_pylist()
    called = mask_labels(Outcomes.EVENT_NAME, written, np.zeros(len(written), np.int64), masking)
    return count_without_user_id(engine, staying, names, called, order_of(raw.present), refunds)


def _users_of_labels(people: ir.Table) -> dict[str, ir.Table]:
    """Column → table of its labels with the number of users of each."""
    return {
        name: table.group_by(label=table[name]).agg(users=_.count())
        for name, table in label_of_user(people).items()
    }


def _labels(engine: Engine, name: str, counts: ir.Table, masking: Masking) -> dict[str, str]:
    """Label → masked label, from a table of labels with their numbers of users."""
    found = engine.arrow(counts.order_by(_LABEL))
    labels: Sequence[str] = found[_LABEL].to_pylist()
    masked = mask_labels(name, labels, found[_USERS].to_numpy().astype(np.int64), masking)
    return dict(zip(labels, masked, strict=True))


def _users_of_names(names: ir.Table, staying: ir.Table) -> ir.Table:
    """Every event name with its number of users; 0 for names that no used record of a user has."""
    sent = staying.filter(~staying[records.IS_VIEW], staying[records.USER_ID].notnull())
    named = sent.join(names, sent[Raw.EVENT_NAME] == names.written)
    # pairs first, as numbers: unlike a count of different texts that goes to disk where memory ends
    pairs = named.select("stripped", who=hashed(sent[Raw.USER_KEY])).distinct()
    counts = pairs.group_by("stripped").agg(users=_.count())
    every = names.select("stripped").distinct()
    both = every.left_join(counts, "stripped")
    return both.select(label=every.stripped, users=both[_USERS].fill_null(0))


def _purchases(staying: ir.Table, users: ir.Table, n_users: int) -> ir.Table:
    """Purchases with the number of their user; all users without a page view share the number ``n_users``."""
    sold = staying.filter(
        ~staying[records.IS_VIEW],
        staying[Raw.EVENT_NAME].strip() == PURCHASE,
        staying[records.USER_ID].notnull(),
    )
    joined = sold.left_join(users, Raw.USER_KEY)
    return joined.select(*(sold[name] for name in sold.columns), **{USER: joined[USER].fill_null(n_users)})


def _engaged(engine: Engine, people: ir.Table) -> float:
    """Share of users, among those with a page view, who have any engagement."""
    of_user = people.group_by(USER).agg(msec=_.engagement.sum())
    [row] = engine.rows(of_user.agg(share=(of_user.msec.fill_null(0) > 0).mean()))
    return float(row["share"])


def _written(engine: Engine, table: ir.Table, path: Path) -> Path:
    engine.raw.execute(f"COPY ({engine.ibis.compile(table)}) TO {literal(path)} (FORMAT parquet)")
    return path
