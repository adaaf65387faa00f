"""Stage 2: who looked at which page, in order. The container every later stage starts from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.base.errors import ArtifactError
from core.base.schema import Users

_USER_ID, _PAGE, _EVENT_TIMESTAMP, SESSION = Users.USER_ID, "page", "event_timestamp", "session"

SCHEMA = pa.schema(
    [
        pa.field(_USER_ID, pa.string(), nullable=False),
        pa.field(_PAGE, pa.list_(pa.int32()), nullable=False),  # index into pages
        pa.field(_EVENT_TIMESTAMP, pa.list_(pa.int64()), nullable=False),  # microseconds UTC
        pa.field(SESSION, pa.list_(pa.int32()), nullable=False),  # 0-based within the user
    ]
)
"""``sequences.parquet``: one row a user, ordered by ``user_id``; lists in time order."""


@dataclass(frozen=True, eq=False)
class UserSequences:
    """Time-ordered page views of all users, as flat arrays.

    The page views of user ``u`` are ``page[offsets[u]:offsets[u + 1]]``. Ties in time keep the order of
    the file, fixed once when the events were read.

    Args:
        user_id: n_users texts, ascending.
        offsets: int64 of shape (n_users + 1,), ascending from 0 to n_views.
        page: int32 of shape (n_views,), index into the page table.
        timestamp: int64 of shape (n_views,), microseconds UTC, ascending within a user.
        session: int32 of shape (n_views,), 0-based within a user, ascending within a user.

    Raises:
        ArtifactError: If the arrays do not fit together.
    """

    user_id: pa.StringArray
    offsets: np.ndarray
    page: np.ndarray
    timestamp: np.ndarray
    session: np.ndarray

    def __post_init__(self) -> None:
        n_views = len(self.page)
        fits = (
            len(self.offsets) == len(self.user_id) + 1
            and self.offsets[0] == 0
            and self.offsets[-1] == n_views == len(self.timestamp) == len(self.session)
            and bool(np.all(np.diff(self.offsets) >= 1))
        )
        if not fits:
            raise ArtifactError("The sequences do not fit together", remedy="Run preprocess again")

    @property
    def n_users(self) -> int:
        """Number of users, each with at least one page view."""
        return len(self.user_id)

    @property
    def n_views(self) -> int:
        """Number of page views of all users."""
        return len(self.page)

    @property
    def lengths(self) -> np.ndarray:
        """Page views a user, int64 of shape (n_users,)."""
        return np.diff(self.offsets)

    @property
    def user(self) -> np.ndarray:
        """User index of every page view, int32 of shape (n_views,)."""
        return np.repeat(np.arange(self.n_users, dtype=np.int32), self.lengths)

    @property
    def session_starts(self) -> np.ndarray:
        """Index of the first page view of every session, ascending: int64 of shape (n_sessions,)."""
        return np.flatnonzero(np.diff(self.session, prepend=-1) | np.diff(self.user, prepend=-1))

    def of_users(self, users: np.ndarray) -> UserSequences:
        """Return the sequences of some users, renumbered from 0.

        Args:
            users: int of shape (n,), ascending.
        """
        lengths = self.lengths[users]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        where = np.arange(offsets[-1]) + np.repeat(self.offsets[users] - offsets[:-1], lengths)
        return UserSequences(
            self.user_id.take(pa.array(users)), offsets, self.page[where], self.timestamp[where],
            self.session[where],
        )  # fmt: skip


def read_sequences(path: Path) -> UserSequences:
    """Read the page views of all users from ``sequences.parquet``.

    Raises:
        ArtifactError: If the file is not a sequences file.
    """
    try:
        table = pq.read_table(path).combine_chunks()
        lists = table.column(_PAGE).combine_chunks()
        return UserSequences(
            user_id=table.column(_USER_ID).combine_chunks(),
            offsets=np.asarray(lists.offsets, dtype=np.int64),
            page=np.asarray(lists.flatten(), dtype=np.int32),
            timestamp=np.asarray(table.column(_EVENT_TIMESTAMP).combine_chunks().flatten()),
            session=np.asarray(table.column(SESSION).combine_chunks().flatten()),
        )
    except (OSError, KeyError, pa.ArrowException) as error:
        raise ArtifactError(f"{path} holds no sequences: {error}", remedy="Run preprocess again") from error
