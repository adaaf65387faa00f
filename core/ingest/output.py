"""The tables of a data set, from page views that are final."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.base.schema import Group, Outcomes, Pages, Users
from core.data.sequences import SCHEMA
from core.ingest.clean.locations import Locations
from core.ingest.observe.page_views import PageViews, Sessions
from core.ingest.observe.user_facts import UserFacts
from core.ingest.output_tables import OUTCOMES, PAGES, USERS


@dataclass(frozen=True, eq=False)
class Used:
    """Page views after everything that is left out has left.

    Args:
        views: The page views used.
        sessions: Their sessions.
        numbers: int64 of shape (n_users,), ascending: the number that each user had before.
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


def find_users(views: PageViews, sessions: Sessions) -> Used:
    """Find where each user begins."""
    starts = np.flatnonzero(views.begins_user)
    return Used(views, sessions, views.user[starts].astype(np.int64), np.append(starts, len(views)))


def groups_of(used: Used, bots: np.ndarray) -> np.ndarray:
    """The group of each user, an object array of shape (n_users,)."""
    groups = np.full(len(used.numbers), Group.SEGMENT.value, dtype=object)
    groups[used.lengths == 1] = Group.ONE_PAGE.value
    groups[bots[used.numbers]] = Group.BOT_LIKE.value
    return groups


def users_table(used: Used, groups: np.ndarray, people: UserFacts, user_ids: pa.Array) -> pa.Table:
    """One row a user."""
    numbers = pa.array(used.numbers)
    last = used.offsets[1:] - 1
    return pa.table(
        {
            Users.USER_ID: user_ids.take(numbers),
            Users.GROUP: groups,
            Users.PAGE_VIEWS: used.lengths,
            Users.SESSIONS: used.sessions.number[last] + 1,
            Users.FIRST_TS: used.views.timestamp[used.offsets[:-1]],
            Users.LAST_TS: used.views.timestamp[last],
            Users.ENGAGEMENT_MSEC: people.engagement.take(numbers),
            **{name: labels.take(numbers) for name, labels in people.labels.items()},
        }
    ).cast(USERS)


def pages_table(used: Used, locations: Locations) -> tuple[pa.Table, np.ndarray]:
    """One row a page that is viewed, most viewed first, then by URL.

    Returns:
        The table, and for each of ``locations.pages`` its row; -1 where it is not viewed.
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


def sequences_table(used: Used, rows: np.ndarray, user_ids: pa.Array) -> pa.Table:
    """One row a user, page views in order.

    Args:
        used: The page views.
        rows: Row in the page table of each page.
        user_ids: Ids by number.
    """
    offsets = pa.array(used.offsets, pa.int32())
    lists = (rows[used.views.page], used.views.timestamp, used.sessions.number)
    columns = [pa.ListArray.from_arrays(offsets, pa.array(values)) for values in lists]
    ids = user_ids.take(pa.array(used.numbers))
    return pa.Table.from_arrays([ids, *columns], schema=SCHEMA)


def outcomes_table(events: pa.Table, used: Used) -> pa.Table:
    """The outcomes of the users that are left, by their row in the user table."""
    number = events[Outcomes.USER].to_numpy()
    row = np.searchsorted(used.numbers, number)
    known = (row < len(used.numbers)) & (used.numbers[np.minimum(row, len(used.numbers) - 1)] == number)
    kept = events.filter(pa.array(known))
    index = kept.schema.get_field_index(Outcomes.USER)
    user = pa.array(row[known], pa.int32())
    return kept.set_column(index, OUTCOMES.field(index), user)


def tied(views: PageViews) -> int:
    """Page views at the same microsecond as the one before of the same user."""
    same = (views.timestamp[1:] == views.timestamp[:-1]) & (views.user[1:] == views.user[:-1])
    return int(np.count_nonzero(same))


def engaged_share(people: UserFacts, used: Used) -> float | None:
    """Share of users with any engagement value; None if nobody has one."""
    known = people.engagement.take(pa.array(used.numbers)).is_valid()
    return pc.mean(known.cast(pa.float64())).as_py() if pc.any(known).as_py() else None
