"""The part of a data set that a filter of users and days leaves: written as a data set, or in memory.

Nothing is read again: pages stay as they were cleaned for all users. What is not known by day (revenue,
engaged time) is absent where days are left out, never guessed; users without a page view that is used have
no device, country or source to fit by, and are left out.

``narrow`` writes a data set to fit segments of its own. ``DatasetPart`` stays in memory, to count again what
stays as it is, the segments above all: users are numbered anew, pages are not, so that labels fit as before.
Nobody changes the group that they are in: of a user in a segment, one page view may be left.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from core.base.local_clock import LocalClock, days_of
from core.base.schema import EventTimes, Group, Outcomes, PageEvents, Pages, SessionColumns, Users
from core.ingest import output_tables as schemas
from core.ingest.account.summary import describe_without_user_id
from core.ingest.output import count_outcome_users
from core.ingest.output_tables import write_table
from core.periods.filter import CountFilter, FilteredRows, apply_filter
from core.periods.over_time import distinct
from core.storage import dataset as files
from core.storage.dataset import Dataset, TimedEvents
from core.storage.day_coverage import day_coverage, page_views_by_day
from core.storage.disk import disk_errors
from core.storage.receipt import Receipt, WaterfallStep, count_bases
from core.storage.sequences import SCHEMA, UserSequences

USER, SESSION = SessionColumns.USER, SessionColumns.SESSION
NOT_BY_DAY: Final = "Revenue and engaged time are not known by day and are left out with the days"


@dataclass(frozen=True, eq=False)
class _Left:
    """The part that a filter leaves, users and pages numbered anew.

    Args:
        fit: Users and page views that fit, by the numbers of before.
        sequences: The page views that are left.
        events: The events.
        page: Pages of before, in their new order.
    """

    fit: FilteredRows
    sequences: UserSequences
    events: TimedEvents
    page: np.ndarray


def write_filtered(dataset: Dataset, chosen: CountFilter, folder: Path) -> None:
    """Write the part of a data set that a filter leaves as a data set.

    Args:
        dataset: The one that it is made of.
        chosen: The filter.
        folder: An empty folder.

    Raises:
        SettingsError: If the filter leaves nobody.
        ArtifactError: If the data set does not say when events were done.
        ResourceError: If the disk is full.
    """
    left = _left(dataset, chosen)
    by_day = chosen.within != (None, None)
    users, outcomes = _users(dataset.users, left, by_day), _outcomes(dataset.outcomes, left, by_day)
    with disk_errors():
        write_table(_sequences_table(left.sequences), folder / files.SEQUENCES)
        write_table(users, folder / files.USERS)
        write_table(_pages(dataset.pages, left), folder / files.PAGES)
        write_table(_page_events(dataset.page_events, left.page), folder / files.PAGE_EVENTS)
        write_table(outcomes, folder / files.OUTCOMES)
        write_table(_events_table(left.events), folder / files.EVENTS)
        channels = channels_left(dataset.session_channels, dataset.sequences, left.fit, left.sequences)
        if len(channels):
            table = pa.Table.from_pandas(channels, schemas.SESSION_CHANNELS, preserve_index=False)
            write_table(table, folder / files.SESSION_CHANNELS)
        shutil.copyfile(dataset.path / files.REJECTS, folder / files.REJECTS)
        receipt = _receipt(dataset.receipt, chosen, left.sequences, users, outcomes, by_day)
        (folder / files.RECEIPT).write_text(receipt.model_dump_json(), encoding="utf-8")


def _left(dataset: Dataset, chosen: CountFilter) -> _Left:
    before, clock = dataset.sequences, dataset.receipt.clock
    fit = apply_filter(chosen, dataset.users, before, clock)
    events = _events_left(dataset.events, chosen, fit, clock)
    views = np.bincount(before.page[fit.views], minlength=len(dataset.pages))
    rank = np.argsort(np.argsort(dataset.pages[Pages.PAGE_LOCATION].to_numpy(dtype=object)))
    page = np.lexsort((rank, -views))[: np.count_nonzero(views)]
    row = np.full(len(views), -1, dtype=np.int32)
    row[page] = np.arange(len(page))
    return _Left(fit, *renumbered(before, events, fit, row), page)


def _events_left(
    events: TimedEvents, chosen: CountFilter, fit: FilteredRows, clock: LocalClock
) -> TimedEvents:
    """The events on fitting days of fitting users."""
    day, (first, last) = days_of(events.timestamp, clock), chosen.within
    kept = fit.users[events.user]
    kept &= (day >= (first if first is not None else day)) & (day <= (last if last is not None else day))
    return events.only(kept)


def renumbered(
    before: UserSequences, events: TimedEvents, fit: FilteredRows, row: np.ndarray
) -> tuple[UserSequences, TimedEvents]:
    """Number users, sessions and pages anew; sessions without a page view follow the others.

    Args:
        before: Page views of all users.
        events: Events that are left.
        fit: Users and page views that fit.
        row: int32 of shape (n_pages,), the new number of each page.

    Returns:
        The page views that are left, and the events.
    """
    number = np.cumsum(fit.users) - 1
    width = 1 + int(max(before.session.max(initial=0), events.session.max(initial=0)))
    user = before.user.astype(np.int64)[fit.views]
    own = user * width + before.session[fit.views]
    deed = events.user.astype(np.int64) * width + events.session
    seen = distinct(own)
    alone = distinct(deed[~np.isin(deed, seen)])
    keys = np.concatenate([seen, alone])
    order = np.lexsort((np.arange(len(keys)) >= len(seen), keys // width))
    owner = keys[order] // width
    session = np.empty(len(keys), dtype=np.int32)
    session[order] = np.arange(len(keys)) - np.searchsorted(owner, owner)
    of_deed = np.where(
        np.isin(deed, seen), np.searchsorted(seen, deed), len(seen) + np.searchsorted(alone, deed)
    )
    upto = np.concatenate([[0], np.cumsum(fit.views)])
    start = before.offsets[events.user]
    after = (upto[start + events.after] - upto[start]).astype(np.int32)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(number[user], minlength=int(fit.users.sum())))])
    sequences = UserSequences(
        before.user_id.filter(pa.array(fit.users)), offsets, row[before.page[fit.views]],
        before.timestamp[fit.views], session[np.searchsorted(seen, own)],
    )  # fmt: skip
    made = TimedEvents(
        number[events.user].astype(np.int32), events.name, events.timestamp, session[of_deed], after,
        events.names, events.paid,
    )  # fmt: skip
    return sequences, made


def channels_left(
    channels: pd.DataFrame, before: UserSequences, fit: FilteredRows, left: UserSequences
) -> pd.DataFrame:
    """The channels of the sessions of the page views that are left, users and sessions numbered anew."""
    now = left.session_starts
    former = np.flatnonzero(fit.views)[now]
    keys = pd.DataFrame({USER: before.user[former], SESSION: before.session[former]})
    found = keys.merge(channels, how="left", on=[USER, SESSION])  # in the order of the keys
    return found.assign(**{USER: left.user[now], SESSION: left.session[now]}).dropna(ignore_index=True)


def _users(users: pd.DataFrame, left: _Left, by_day: bool) -> pa.Table:
    own = _users_left(users, left.fit, left.sequences, by_day)
    groups = np.where(left.sequences.lengths == 1, Group.ONE_PAGE.value, Group.SEGMENT.value)
    groups = np.where(own[Users.GROUP] == Group.BOT_LIKE.value, Group.BOT_LIKE.value, groups)
    schema = schemas.users_schema(users.columns)
    made = own.assign(**{Users.GROUP: groups}).reindex(columns=schema.names)
    return pa.Table.from_pandas(made, schema=schema, preserve_index=False)


def _users_left(
    users: pd.DataFrame, fit: FilteredRows, sequences: UserSequences, by_day: bool
) -> pd.DataFrame:
    """The fitting users in their former groups, with counts and times of the page views that are left."""
    own = users[fit.users].reset_index(drop=True)
    sessions = np.bincount(sequences.user[sequences.session_starts], minlength=sequences.n_users)
    counted = {
        Users.PAGE_VIEWS: sequences.lengths, Users.SESSIONS: sessions,
        Users.FIRST_TS: sequences.timestamp[sequences.offsets[:-1]],
        Users.LAST_TS: sequences.timestamp[sequences.offsets[1:] - 1],
    }  # fmt: skip
    unknown = {Users.ENGAGEMENT_MSEC: pd.array([None] * len(own), dtype="Int64")} if by_day else {}
    return own.assign(**counted, **unknown)


def _pages(pages: pd.DataFrame, left: _Left) -> pa.Table:
    sequences, n_pages = left.sequences, len(left.page)
    pairs = distinct(sequences.user.astype(np.int64) * n_pages + sequences.page)
    made = pages.iloc[left.page].assign(
        **{
            Pages.PAGE: np.arange(n_pages), Pages.VIEWS: np.bincount(sequences.page, minlength=n_pages),
            Pages.USERS: np.bincount(pairs % n_pages, minlength=n_pages),
        }
    )  # fmt: skip
    return pa.Table.from_pandas(made[schemas.PAGES.names], schema=schemas.PAGES, preserve_index=False)


def _page_events(table: pd.DataFrame, page: np.ndarray) -> pa.Table:
    """The table of page events for the pages that are left, as counted over all users."""
    row = pd.Series(np.arange(len(page)), index=page)
    own = table[table[PageEvents.PAGE].isin(page)]
    own = own.assign(**{PageEvents.PAGE: row[own[PageEvents.PAGE]].to_numpy()})
    own = own.sort_values([PageEvents.PAGE, PageEvents.EVENT_NAME])[schemas.PAGE_EVENTS.names]
    return pa.Table.from_pandas(own, schema=schemas.PAGE_EVENTS, preserve_index=False)


def _outcomes(outcomes: pd.DataFrame, left: _Left, by_day: bool) -> pa.Table:
    made = _outcomes_left(outcomes, left.fit, left.events if by_day else None)
    return pa.Table.from_pandas(made, schema=schemas.OUTCOMES, preserve_index=False)


def _outcomes_left(outcomes: pd.DataFrame, fit: FilteredRows, events: TimedEvents | None) -> pd.DataFrame:
    """Outcomes of the users that are left; counted from the remaining events where days are left out."""
    users = fit.users
    if events is not None:
        name = np.array(events.names, dtype=object)[events.name] if len(events.name) else []
        deeds = {"user": events.user, "name": name, "ts": events.timestamp, "session": events.session}
        groups = pd.DataFrame(deeds).groupby(["user", "name"])
        found = groups.agg(n=("ts", "size"), within=("session", "nunique"), first=("ts", "min")).reset_index()
        own = found.set_axis(schemas.OUTCOMES.names[:5], axis=1)
        own = own.assign(**{Outcomes.REVENUE: np.nan, Outcomes.CURRENCY: None, Outcomes.REFUNDS: np.nan})
    else:
        there = outcomes[Outcomes.USER] < len(users)
        own = outcomes[there & np.append(users, False)[outcomes[Outcomes.USER].clip(upper=len(users))]]
        number = (np.cumsum(users) - 1)[own[Outcomes.USER]]
        own = own.assign(**{Outcomes.USER: number})
    counted: pd.DataFrame = own.reindex(columns=schemas.OUTCOMES.names)  # of before, without refunds
    return counted


def _sequences_table(sequences: UserSequences) -> pa.Table:
    offsets = pa.array(sequences.offsets, pa.int32())
    lists = (sequences.page, sequences.timestamp, sequences.session)
    columns = [pa.ListArray.from_arrays(offsets, pa.array(values)) for values in lists]
    return pa.Table.from_arrays([sequences.user_id, *columns], schema=SCHEMA)


def _events_table(events: TimedEvents) -> pa.Table:
    columns = {
        EventTimes.USER: events.user,
        EventTimes.EVENT_NAME: pa.array(list(events.names), pa.string()).take(pa.array(events.name)),
        EventTimes.TIMESTAMP: events.timestamp,
        EventTimes.SESSION: events.session,
        EventTimes.AFTER: events.after,
    }
    if events.paid is not None:
        paid = events.paid.reindex(np.arange(len(events.user)))
        columns |= {str(name): pa.Array.from_pandas(paid[name]) for name in paid}
    return pa.table(columns).cast(pa.schema([field for field in schemas.EVENTS if field.name in columns]))


def _receipt(
    before: Receipt,
    chosen: CountFilter,
    left: UserSequences,
    users: pa.Table,
    outcomes: pa.Table,
    by_day: bool,
) -> Receipt:
    """The receipt of the whole data set with the filter as a further step."""
    step = WaterfallStep(
        name="filter", label=f"Not counted: outside {chosen.in_words}",
        records=before.page_views_used - left.n_views, left=left.n_views, users=before.users - left.n_users,
    )  # fmt: skip
    of_nobody, told = (
        describe_without_user_id(before.left_out, before.no_user_id),
        [NOT_BY_DAY] if by_day else [],
    )
    known = users[Users.ENGAGEMENT_MSEC].is_valid().to_numpy()
    groups = pd.Series(users[Users.GROUP].to_pylist()).value_counts()
    changed = {
        "waterfall": (*before.waterfall, step), "page_views_used": left.n_views, "users": left.n_users,
        "users_by_group": {group: int(groups.get(group, 0)) for group in before.users_by_group},
        "sessions": len(left.session_starts),
        "sessions_by_gap": min(before.sessions_by_gap, len(left.session_starts)),
        "page_views_by_day": (views := page_views_by_day(left.timestamp, before.clock)),
        "days": day_coverage(views).sentence,
        "first_ts": int(left.timestamp.min()), "last_ts": int(left.timestamp.max()),
        "engagement_share": float(known.mean()) if known.any() else None,
        "source_basis": count_bases(users[Users.SOURCE_BASIS].to_pandas()) if before.source_basis else {},
        "sessions_by_channel": {}, "channel_basis": {},  # of whole sessions
        "outcome_users": count_outcome_users(outcomes, left.n_users), "revenue": {},
        "other_events_used": None, "left_out": (), "as_ga4": None,
        "no_user_id": {},  # of the whole: nobody is in no filter
        "narrowed": "; ".join(filter(None, (before.narrowed, chosen.in_words))),
        "warnings": (*(one for one in before.warnings if one not in of_nobody), *told),
    }  # fmt: skip
    return Receipt(**{name: getattr(before, name) for name in Receipt.model_fields} | changed)
