"""When users did what is no page view: every event of theirs, and between which page views."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.base.errors import ArtifactError
from core.base.schema import EventTimes


@dataclass(frozen=True, eq=False)
class TimedEvents:
    """Events other than page views of the users with a page view, by user and in order.

    Args:
        user: int32 of shape (n_events,), user indices, ascending.
        name: int32 of shape (n_events,), place in ``names``.
        timestamp: int64 of shape (n_events,), microseconds UTC.
        session: int32 of shape (n_events,), 0-based within the user, as of the page views; sessions without a
            page view are numbered after those with one.
        after: int32 of shape (n_events,), page views of the user that come before.
        names: Names of the events, ascending.
    """

    user: np.ndarray
    name: np.ndarray
    timestamp: np.ndarray
    session: np.ndarray
    after: np.ndarray
    names: tuple[str, ...]

    @classmethod
    def none(cls) -> TimedEvents:
        """Of users who did nothing but view pages."""
        empty = np.zeros(0, dtype=np.int32)
        return cls(empty, empty, empty.astype(np.int64), empty, empty, ())

    def only(self, which: np.ndarray) -> TimedEvents:
        """The events where ``which`` (bool of shape (n_events,)) is true."""
        columns = (self.user, self.name, self.timestamp, self.session, self.after)
        user, name, timestamp, session, after = (column[which] for column in columns)
        return TimedEvents(user, name, timestamp, session, after, self.names)


def read_timed_events(path: Path) -> TimedEvents:
    """Read ``events.parquet``.

    Raises:
        ArtifactError: If there is none, as in data sets of earlier releases, or it is damaged.
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
    return TimedEvents(user, name, timestamp, session, after, tuple(written[order]))
