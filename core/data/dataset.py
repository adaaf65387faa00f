"""What the preprocess stage left behind, opened for reading.

A data set is one folder: ``receipt.json``, ``sequences.parquet``, ``users.parquet``, ``pages.parquet``,
``page_events.parquet``, ``outcomes.parquet``, ``events.parquet`` and ``rejects.parquet``; columns in
``core/base/schema.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from core.base.schema import Group, Users
from core.data.receipt import Receipt
from core.data.sequences import UserSequences, read_sequences
from core.data.timed_events import TimedEvents, read_timed_events

RECEIPT, SEQUENCES, USERS = "receipt.json", "sequences.parquet", "users.parquet"
PAGES, PAGE_EVENTS = "pages.parquet", "page_events.parquet"
OUTCOMES, EVENTS, REJECTS = "outcomes.parquet", "events.parquet", "rejects.parquet"


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
        """Every record accounted for."""
        return Receipt.model_validate_json((self.path / RECEIPT).read_bytes())

    @cached_property
    def sequences(self) -> UserSequences:
        """Page views in order."""
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
        """One row a page and event that tells what it is for (``schema.PageEvents``), by page."""
        return _frame(self.path / PAGE_EVENTS)

    @cached_property
    def outcomes(self) -> pd.DataFrame:
        """What users did besides viewing pages, also users without one (``schema.Outcomes``)."""
        return _frame(self.path / OUTCOMES)

    @cached_property
    def events(self) -> TimedEvents:
        """When they did it, of users with a page view.

        Raises:
            ArtifactError: If it is a data set of an earlier release, which has none.
        """
        return read_timed_events(self.path / EVENTS)

    @cached_property
    def rejects(self) -> pd.DataFrame:
        """One row a record that could not be used (:class:`core.base.schema.Rejects`)."""
        return _frame(self.path / REJECTS)


def _frame(path: Path) -> pd.DataFrame:
    frame: pd.DataFrame = pq.read_table(path).to_pandas()
    return frame


UserColumns: TypeAlias = pd.DataFrame | Mapping[str, np.ndarray]
"""Columns of :class:`core.base.schema.Users`: a table, or the few arrays that a few users in memory have."""


def clustered(users: UserColumns) -> np.ndarray:
    """Which users take part in clustering: bool of shape (n_users,)."""
    return of_group(users, Group.SEGMENT)


def of_group(users: UserColumns, group: Group) -> np.ndarray:
    """Which users belong to a group: bool of shape (n_users,)."""
    return np.asarray(users[Users.GROUP] == group.value, dtype=bool)
