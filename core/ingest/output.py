"""Build the tables of a data set, and counts for the receipt, from the page views that are used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from core.base.schema import (
    PAGE_OUTCOME,
    EventTimes,
    Group,
    Outcomes,
    Pages,
    Users,
    page_outcome,
)
from core.ingest.clean.locations import Locations
from core.ingest.observe.behaviour import Behaviour
from core.ingest.observe.outcomes import OutcomesWithoutUserId
from core.ingest.observe.page_views import OtherEvents, PageViews, Sessions
from core.ingest.observe.session_channels import UsedChannels
from core.ingest.observe.user_facts import UserFacts
from core.ingest.output_tables import EVENTS, OUTCOMES, PAGES, users_schema
from core.storage.receipt import NO_CURRENCY, OutcomeUsers
from core.storage.sequences import SCHEMA


@dataclass(frozen=True, eq=False)
class UsedViews:
    """The page views that are used, with their users and sessions.

    Args:
        views: The used page views.
        sessions: Sessions of the page views.
        numbers: int64 of shape (n_users,), ascending: each user's number before any were left out.
        offsets: int64 of shape (n_users + 1,): user ``u`` has the page views ``offsets[u]:offsets[u + 1]``.
    """

    views: PageViews
    sessions: Sessions
    numbers: np.ndarray
    offsets: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """Page views a user, int64 of shape (n_users,)."""
        return np.diff(self.offsets)


def find_users(views: PageViews, sessions: Sessions) -> UsedViews:
    """Find the users of final page views, and where the page views of each begin."""
    starts = np.flatnonzero(views.begins_user)
    return UsedViews(views, sessions, views.user[starts].astype(np.int64), np.append(starts, len(views)))


def groups_of(used: UsedViews, bots: np.ndarray) -> np.ndarray:
    """Assign each user to a group (:class:`core.base.schema.Group`): object array of shape (n_users,)."""
    groups = np.full(len(used.numbers), Group.SEGMENT.value, dtype=object)
    groups[used.lengths == 1] = Group.ONE_PAGE.value
    groups[bots[used.numbers]] = Group.BOT_LIKE.value
    return groups


def users_table(
    used: UsedViews,
    groups: np.ndarray,
    people: UserFacts,
    user_ids: pa.Array,
    channels: UsedChannels | None,
) -> pa.Table:
    """Build ``users``: one row a user (:class:`core.base.schema.Users`)."""
    numbers = pa.array(used.numbers)
    of_channels = channels.columns() if channels else {}
    schema = users_schema([*of_channels, *people.labels])
    last = used.offsets[1:] - 1
    return (
        pa.table(
            {
                Users.USER_ID: user_ids.take(numbers),
                Users.GROUP: groups,
                Users.PAGE_VIEWS: used.lengths,
                Users.SESSIONS: used.sessions.number[last] + 1,
                Users.FIRST_TS: used.views.timestamp[used.offsets[:-1]],
                Users.LAST_TS: used.views.timestamp[last],
                Users.ENGAGEMENT_MSEC: people.engagement.take(numbers),
                **of_channels,
                **{name: labels.take(numbers) for name, labels in people.labels.items()},
            }
        )
        .select(schema.names)
        .cast(schema)
    )


def pages_table(used: UsedViews, locations: Locations) -> tuple[pa.Table, np.ndarray]:
    """Build ``pages``: one row per viewed page, most viewed first, then by URL.

    Returns:
        The table, and the row of each of ``locations.pages``, -1 for a page that is not viewed.
    """
    n_pages = len(locations.pages)
    views = np.bincount(used.views.page, minlength=n_pages)
    users = np.bincount(used.views.visits(n_pages)[1], minlength=n_pages)
    order = np.argsort(-views, kind="stable")  # pages are in the order of their URLs
    order = order[: np.count_nonzero(views)]
    rows = np.full(n_pages, -1, np.int32)
    rows[order] = np.arange(len(order), dtype=np.int32)
    table = pa.table(
        {
            Pages.PAGE: np.arange(len(order), dtype=np.int32),
            Pages.PAGE_LOCATION: pa.array([locations.pages[page] for page in order], pa.string()),
            Pages.PAGE_TITLE: pa.array([locations.titles[page] for page in order], pa.string()),
            Pages.VIEWS: views[order],
            Pages.USERS: users[order],
        }
    ).cast(PAGES)
    return table, rows


def sequences_table(used: UsedViews, rows: np.ndarray, user_ids: pa.Array) -> pa.Table:
    """Build ``sequences``: one row a user, with page views in order.

    Args:
        used: The used page views.
        rows: Row in the page table of each page.
        user_ids: User id by user number.
    """
    offsets = pa.array(used.offsets, pa.int32())
    lists = (rows[used.views.page], used.views.timestamp, used.sessions.number)
    columns = [pa.ListArray.from_arrays(offsets, pa.array(values)) for values in lists]
    ids = user_ids.take(pa.array(used.numbers))
    return pa.Table.from_arrays([ids, *columns], schema=SCHEMA)


def outcomes_table(events: pa.Table, used: UsedViews, left_out: np.ndarray) -> pa.Table:
    """Build ``outcomes``, with rows of the user table in place of user numbers; sorted by them.

    Args:
        events: Outcomes by user number.
        used: Users with a used page view; all others are numbered after them.
        left_out: Numbers of users that are left out altogether.
    """
    events = events.filter(pa.array(~np.isin(events[Outcomes.USER].to_numpy(), left_out)))
    number = events[Outcomes.USER].to_numpy()
    is_other = np.zeros(max(number.max(initial=-1), used.numbers.max(initial=-1)) + 1, dtype=bool)
    is_other[number], is_other[used.numbers] = True, False
    row = len(used.numbers) - 1 + np.cumsum(is_other)
    row[used.numbers] = np.arange(len(used.numbers))
    table = events.set_column(0, OUTCOMES.field(0), pa.array(row[number], pa.int32()))
    keys = (Outcomes.USER, Outcomes.EVENT_NAME, Outcomes.CURRENCY)
    return table.sort_by([(name, "ascending") for name in keys])


def stripped_outcomes(views: PageViews, pages: Sequence[str]) -> pa.Table:
    """Turn views of left-out pages into outcomes named ``page:…``.

    So a page can be an outcome and yet be unknown to the model.

    Args:
        views: The page views that are left out.
        pages: All canonical pages.
    """
    frame = pd.DataFrame({"user": views.user, "page": views.page, "ts": views.timestamp, "in": views.session})
    found = frame.groupby(["user", "page"]).agg(
        n=("ts", "size"), within=("in", "nunique"), first=("ts", "min")
    )
    user, page = (found.index.get_level_values(level) for level in (0, 1))
    columns = {
        Outcomes.USER: pa.array(user),
        Outcomes.EVENT_NAME: pa.array([page_outcome(pages[number]) for number in page], pa.string()),
        Outcomes.EVENTS: found["n"],
        Outcomes.SESSIONS: found["within"],
        Outcomes.FIRST_TS: found["first"],
        Outcomes.REVENUE: pa.nulls(len(found)),
        Outcomes.CURRENCY: pa.nulls(len(found)),
        Outcomes.REFUNDS: pa.nulls(len(found)),
        Outcomes.ITEMS: pa.nulls(len(found)),
    }
    return pa.table(columns).cast(OUTCOMES)


def count_outcome_users(outcomes: pa.Table, n_users: int) -> dict[str, OutcomeUsers]:
    """Count users, events and revenue of outcomes: name → counts, the one with most users first.

    Args:
        outcomes: Table of :func:`outcomes_table`, also with users without a page view.
        n_users: Number of users with a used page view.
    """
    frame = outcomes.to_pandas(categories=[Outcomes.EVENT_NAME])
    others = frame[frame[Outcomes.USER] >= n_users]
    viewed = others.loc[others[Outcomes.EVENT_NAME].str.startswith(PAGE_OUTCOME), Outcomes.USER]
    found = {
        str(name): OutcomeUsers(
            users=rows[Outcomes.USER].nunique(),
            without_page_view=rows.loc[rows[Outcomes.USER] >= n_users, Outcomes.USER].nunique(),
            left_out=rows.loc[rows[Outcomes.USER].isin(viewed), Outcomes.USER].nunique(),
            events=int(rows[Outcomes.EVENTS].sum()),
            revenue=_paid(rows[Outcomes.CURRENCY], rows[Outcomes.REVENUE]),
            refunds=_paid(rows[Outcomes.CURRENCY], rows[Outcomes.REFUNDS]),
            all_refunded=_all_refunded(rows),
        )
        for name, rows in frame.groupby(Outcomes.EVENT_NAME, observed=True)
    }
    return dict(sorted(found.items(), key=lambda item: (-item[1].users, item[0])))


def outcomes_without_user_id(without_id: OutcomesWithoutUserId | None) -> dict[str, OutcomeUsers]:
    """Return event → outcomes of visitors without a user id, those with revenue first, then by frequency."""
    counted = count_outcome_users(without_id.table, 0) if without_id else {}
    nobody = {"users": 0, "without_page_view": 0, "all_refunded": 0}
    found = {name: told.model_copy(update=nobody) for name, told in counted.items()}
    return dict(sorted(found.items(), key=lambda item: (not item[1].revenue, -item[1].events, item[0])))


def _all_refunded(rows: pd.DataFrame) -> int:
    """Count users whose payments were all refunded."""
    kept = rows[Outcomes.REVENUE].fillna(0) > rows[Outcomes.REFUNDS].fillna(0)
    back = rows.loc[rows[Outcomes.REFUNDS] > 0, Outcomes.USER]
    return int(back[~back.isin(rows.loc[kept, Outcomes.USER])].nunique())


def _paid(currency: pd.Series, revenue: pd.Series) -> dict[str, float]:
    """Sum revenue or refunds by currency; :data:`core.storage.receipt.NO_CURRENCY` where none was named."""
    sums = revenue.groupby(currency.fillna(NO_CURRENCY)).sum(min_count=1).dropna()
    return {str(name): float(value) for name, value in sums.items()}


def count_tied_views(views: PageViews) -> int:
    """Count page views at the same microsecond as the user's previous page view."""
    same = (views.timestamp[1:] == views.timestamp[:-1]) & (views.user[1:] == views.user[:-1])
    return int(np.count_nonzero(same))


def engaged_share(people: UserFacts, used: UsedViews) -> float | None:
    """Share of users with any engagement value; None if nobody has one."""
    known = people.engagement.take(pa.array(used.numbers)).is_valid()
    return pc.mean(known.cast(pa.float64())).as_py() if pc.any(known).as_py() else None


def events_table(behaviour: Behaviour, stripped: PageViews, used: UsedViews) -> pa.Table:
    """Build ``events``: other events, and views of left-out pages, of users with a used page view, in order.

    Args:
        behaviour: Behaviour of all users.
        stripped: Views of left-out pages.
        used: The used page views.
    """
    names = behaviour.outcomes.names.to_pylist()
    pages, page = np.unique(stripped.page, return_inverse=True)
    names += [page_outcome(behaviour.locations.pages[number]) for number in pages]
    deeds = _both(behaviour.deeds, stripped, page + len(behaviour.outcomes.names))
    row = np.searchsorted(used.numbers, deeds.user)
    there = used.numbers[np.minimum(row, len(used.numbers) - 1)] == deeds.user
    deeds, row = OtherEvents(*(column[there] for column in vars(deeds).values())), row[there]
    paid = pa.array(deeds.payment, mask=deeds.payment < 0)
    columns = {
        EventTimes.USER: row,
        EventTimes.EVENT_NAME: pa.array(names, pa.string()).take(pa.array(deeds.name)),
        EventTimes.TIMESTAMP: deeds.timestamp,
        EventTimes.SESSION: _sessions(deeds, row, used),
        EventTimes.AFTER: np.searchsorted(used.views.place, deeds.before) - used.offsets[row],
        **{name: behaviour.payments[name].take(paid) for name in behaviour.payments.column_names},
    }
    return pa.table(columns).cast(EVENTS)


def _both(deeds: OtherEvents, stripped: PageViews, names: np.ndarray) -> OtherEvents:
    """Merge views of left-out pages into the other events, each after the events before it."""
    if not len(stripped):
        return deeds
    unpaid = np.full(len(stripped), -1, dtype=np.int32)
    views = OtherEvents(stripped.user, names, stripped.timestamp, stripped.session, unpaid, stripped.place)
    pairs = zip(vars(deeds).values(), vars(views).values(), strict=True)
    columns = [np.concatenate(pair) for pair in pairs]
    order = np.argsort(2 * columns[-1] + (np.arange(len(columns[-1])) >= len(deeds.user)), kind="stable")
    return OtherEvents(*(column[order] for column in columns))


def _sessions(deeds: OtherEvents, row: np.ndarray, used: UsedViews) -> np.ndarray:
    """Session number of each event; sessions without a page view are numbered after the user's others."""
    known, first = np.unique(used.views.session, return_index=True)
    place = np.minimum(np.searchsorted(known, deeds.session), len(known) - 1)
    number = used.sessions.number[first[place]].astype(np.int64)
    lost = np.flatnonzero(known[place] != deeds.session)
    alone, place, again = np.unique(deeds.session[lost], return_index=True, return_inverse=True)
    owner = row[lost[place]]  # ascending: the keys of sessions ascend with their users
    rank = np.arange(len(alone)) - np.searchsorted(owner, owner)
    last = used.sessions.number[used.offsets[1:] - 1]
    number[lost] = (last[owner] + 1 + rank)[again]
    return number
