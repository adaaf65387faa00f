"""The data set that the preprocess stage wrote, opened for reading.

A data set is one folder: ``receipt.json``, ``sequences.parquet``, ``users.parquet``, ``pages.parquet``,
``page_events.parquet``, ``outcomes.parquet``, ``events.parquet``, ``rejects.parquet`` and, where files say
where sessions came from, ``session_channels.parquet``; columns in ``core/base/schema.py``.

:class:`UserSequences` holds the page views of every user in order, :class:`TimedEvents` all other events with
their place among the page views, and :class:`Dataset` opens both and the tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.base.errors import ArtifactError
from core.base.schema import EventTimes, Group, SessionColumns, Users, dimensions_in
from core.storage.receipt import Receipt
from core.storage.sequences import UserSequences, read_sequences

_OF_PAYMENTS: Final = [EventTimes.REVENUE, EventTimes.CURRENCY, EventTimes.ITEMS]
NO_PAYMENTS: Final = pd.DataFrame([], columns=_OF_PAYMENTS, index=np.zeros(0, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class TimedEvents:
    """Events other than page views of the users with a page view, by user and in order.

    Args:
        user: int32 of shape (n_events,), user indices, ascending.
        name: int32 of shape (n_events,), index into ``names``.
        timestamp: int64 of shape (n_events,), microseconds UTC.
        session: int32 of shape (n_events,), 0-based within the user, as for page views; sessions without a
            page view are numbered after all others.
        after: int32 of shape (n_events,), number of the user's page views before the event.
        names: Names of the events, ascending.
        paid: Payments: columns ``revenue``, ``currency`` and ``items``, by number of the event (int64,
            ascending); None in data sets of earlier releases, which did not store them.
    """

    user: np.ndarray
    name: np.ndarray
    timestamp: np.ndarray
    session: np.ndarray
    after: np.ndarray
    names: tuple[str, ...]
    paid: pd.DataFrame | None = None

    @classmethod
    def none(cls) -> TimedEvents:
        """Make an empty table, for users without other events than page views."""
        empty = np.zeros(0, dtype=np.int32)
        return cls(empty, empty, empty.astype(np.int64), empty, empty, (), NO_PAYMENTS)

    def only(self, which: np.ndarray) -> TimedEvents:
        """The events where ``which`` (bool of shape (n_events,)) is true."""
        columns = (self.user, self.name, self.timestamp, self.session, self.after)
        user, name, timestamp, session, after = (column[which] for column in columns)
        return TimedEvents(user, name, timestamp, session, after, self.names, self._paid_of(which))

    def _paid_of(self, which: np.ndarray) -> pd.DataFrame | None:
        """The payments of the events where ``which`` is true, events numbered anew."""
        if self.paid is None:
            return None
        kept = self.paid[which[self.paid.index]]
        return kept.set_axis((np.cumsum(which) - 1)[kept.index])


def _read_timed_events(path: Path) -> TimedEvents:
    """Read the events other than page views from ``events.parquet``.

    Raises:
        ArtifactError: If the file is missing, as in data sets of earlier releases, or damaged.
    """
    try:
        table = pq.read_table(path, read_dictionary=[EventTimes.EVENT_NAME]).unify_dictionaries()
        text = table[EventTimes.EVENT_NAME].combine_chunks()
        kept = (EventTimes.USER, EventTimes.TIMESTAMP, EventTimes.SESSION, EventTimes.AFTER)
        user, timestamp, session, after = (table[name].to_numpy() for name in kept)
    except (OSError, KeyError, pa.ArrowException) as error:
        raise ArtifactError(
            "This data set has no times of events, only of page views", remedy="Load the export again"
        ) from error
    written = np.array(text.dictionary.to_pylist(), dtype=object)
    order = np.argsort(written)
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order))
    name = rank[text.indices.to_numpy()]
    return TimedEvents(user, name, timestamp, session, after, tuple(written[order]), _read_paid(table))


def _read_paid(table: pa.Table) -> pd.DataFrame | None:
    if not {*_OF_PAYMENTS} <= {*table.column_names}:
        return None
    some = pc.or_(table[EventTimes.REVENUE].is_valid(), table[EventTimes.ITEMS].is_valid())
    found: pd.DataFrame = table.select(_OF_PAYMENTS).filter(some).to_pandas()
    return found.set_axis(np.flatnonzero(some.to_numpy()))


RECEIPT, SEQUENCES, USERS = "receipt.json", "sequences.parquet", "users.parquet"
PAGES, PAGE_EVENTS = "pages.parquet", "page_events.parquet"
OUTCOMES, EVENTS, REJECTS = "outcomes.parquet", "events.parquet", "rejects.parquet"
SESSION_CHANNELS = "session_channels.parquet"
NO_CHANNELS = pd.DataFrame([], columns=[SessionColumns.USER, SessionColumns.SESSION, SessionColumns.CHANNEL])


@dataclass(frozen=True)
class Dataset:
    """A preprocessed export; each table is read once, when first asked for, and must not be edited.

    Args:
        path: The folder.
        key: The content key of the stage that made it.
    """

    path: Path
    key: str

    @cached_property
    def receipt(self) -> Receipt:
        """The receipt, which accounts for every record of the input."""
        return Receipt.model_validate_json((self.path / RECEIPT).read_bytes())

    @cached_property
    def sequences(self) -> UserSequences:
        """All users' page views in time order."""
        return read_sequences(self.path / SEQUENCES)

    @cached_property
    def users(self) -> pd.DataFrame:
        """One row a user (:class:`core.base.schema.Users`), in index order."""
        return _frame(self.path / USERS)

    @cached_property
    def pages(self) -> pd.DataFrame:
        """One row a page (:class:`core.base.schema.Pages`), in index order."""
        return _frame(self.path / PAGES)

    @cached_property
    def page_events(self) -> pd.DataFrame:
        """One row a page and event that shows what the page is for (``schema.PageEvents``), by page."""
        return _frame(self.path / PAGE_EVENTS)

    @cached_property
    def outcomes(self) -> pd.DataFrame:
        """Outcomes of all users, also of those without a page view (``schema.Outcomes``)."""
        return _frame(self.path / OUTCOMES)

    @cached_property
    def events(self) -> TimedEvents:
        """Times of events other than page views, for users with a page view.

        Raises:
            ArtifactError: If the data set is from an earlier release, which did not store them.
        """
        return _read_timed_events(self.path / EVENTS)

    @cached_property
    def session_channels(self) -> pd.DataFrame:
        """The channel of each session (``schema.SessionColumns``); empty where none is known."""
        path = self.path / SESSION_CHANNELS
        found = _frame(path) if path.exists() else NO_CHANNELS
        return found.astype({SessionColumns.CHANNEL: "category"})

    @cached_property
    def rejects(self) -> pd.DataFrame:
        """One row a record that could not be used (:class:`core.base.schema.Rejects`)."""
        return _frame(self.path / REJECTS)


def _frame(path: Path) -> pd.DataFrame:
    frame: pd.DataFrame = pq.read_table(path).to_pandas()
    return frame


def dimensions_of(users: pd.DataFrame) -> tuple[str, ...]:
    """Keys of the dimensions that the analyst chose: the text columns beyond those of ``schema.Users``."""
    own = dimensions_in(users.columns)
    return tuple(name for name in own if pd.api.types.infer_dtype(users[name], skipna=True) == "string")


UserColumns: TypeAlias = pd.DataFrame | Mapping[str, np.ndarray]
"""Columns of :class:`core.base.schema.Users`: a table, or single arrays for a few users in memory."""


def is_clustered(users: UserColumns) -> np.ndarray:
    """Which users take part in clustering: bool of shape (n_users,)."""
    return in_group(users, Group.SEGMENT)


def in_group(users: UserColumns, group: Group) -> np.ndarray:
    """Which users belong to a group: bool of shape (n_users,)."""
    return np.asarray(users[Users.GROUP] == group.value, dtype=bool)
