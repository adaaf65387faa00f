"""Arrays of a data set from which profiles are counted, built once so that new segments cost only sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from core.base.attributes import ATTRIBUTES
from core.base.schema import Group, Pages, Users
from core.profiles.outcomes import OutcomeIndex
from core.profiles.profile_columns import Col
from core.storage.dataset import Dataset, dimensions_of
from core.storage.page_labels import LabelledPages
from core.storage.receipt import count_user_bases, describe_bases
from core.storage.sequences import UserSequences

GROUPS: Final = tuple(Group)
MAX_PAGES: Final = 20_000
"""Most pages that can be listed, the most viewed ones; a rarer page would never rank."""


@dataclass(frozen=True, eq=False)
class EncodedColumn:
    """A text column, such as the browser of each user, as integer codes.

    Args:
        codes: int32 of shape (n_users,), place in ``values``, or −1 where absent.
        values: Different texts, most frequent first.
    """

    codes: np.ndarray
    values: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ViewedPairs:
    """Pairs of a user and a page that the user saw.

    Args:
        user: int32 of shape (m,), ascending.
        page: int32 of shape (m,), below ``MAX_PAGES``.
        views: int32 of shape (m,), how often.
    """

    user: np.ndarray
    page: np.ndarray
    views: np.ndarray


@dataclass(frozen=True, eq=False)
class ProfileData:
    """Arrays of all users; user indices are those of the data set.

    Args:
        group: int8 of shape (n_users,), place in :data:`GROUPS`.
        page_views: int64 of shape (n_users,).
        sessions: int64 of shape (n_users,), with at least one page view.
        different_pages: int64 of shape (n_users,).
        engagement_s: float64 of shape (n_users,), seconds summed over all events; NaN where none was sent.
        attributes: Attribute or dimension → its value for each user.
        outcomes: Possible outcomes → who had them, see ``core/profiles/outcomes.py``.
        seen: Which user saw which page.
        page_location: Address of each page, most viewed first, at most ``MAX_PAGES``.
        page_title: Title of each of these pages; None where never sent.
        source_basis: Which columns the sources come from, in a sentence; empty if not known.
    """

    group: np.ndarray
    page_views: np.ndarray
    sessions: np.ndarray
    different_pages: np.ndarray
    engagement_s: np.ndarray
    attributes: Mapping[str, EncodedColumn]
    outcomes: OutcomeIndex
    seen: ViewedPairs
    page_location: tuple[str, ...]
    page_title: tuple[str | None, ...]
    source_basis: str = ""

    @property
    def n_users(self) -> int:
        """Number of users with at least one page view."""
        return len(self.group)

    @cached_property
    def ascending(self) -> Mapping[str, tuple[np.ndarray, np.ndarray]]:
        """Metric → indices of users with a value, sorted by it, and the values: int32 and float64, (m,)."""
        values = {
            Col.PAGE_VIEWS_MEAN: self.page_views,
            Col.SESSIONS_MEAN: self.sessions,
            Col.PAGES_PER_SESSION: self.page_views / np.maximum(self.sessions, 1),
            Col.DIFFERENT_PAGES_MEAN: self.different_pages,
            Col.ENGAGEMENT_MEAN: self.engagement_s,
        }
        return {metric: _ascending(value.astype(np.float64)) for metric, value in values.items()}

    @classmethod
    def from_dataset(cls, dataset: Dataset, labels: LabelledPages | None = None) -> ProfileData:
        """Lay out a preprocessed export, with the labels of its pages."""
        made = cls.from_tables(dataset.users, dataset.pages, dataset.outcomes, dataset.sequences, labels)
        return replace(made, outcomes=replace(made.outcomes, without_user_id=dataset.receipt.no_user_id))

    @classmethod
    def from_tables(
        cls,
        users: pd.DataFrame,
        pages: pd.DataFrame,
        outcomes: pd.DataFrame,
        sequences: UserSequences,
        labels: LabelledPages | None = None,
    ) -> ProfileData:
        """Lay out the tables of a data set (columns of ``core/base/schema.py``) for counting."""
        seen, different_pages = _seen(sequences, len(pages))
        titles = pages[Pages.PAGE_TITLE].head(MAX_PAGES)
        msec = pd.to_numeric(users[Users.ENGAGEMENT_MSEC]).to_numpy(dtype=np.float64, na_value=np.nan)
        return cls(
            group=_places(users[Users.GROUP]),
            page_views=users[Users.PAGE_VIEWS].to_numpy(dtype=np.int64),
            sessions=users[Users.SESSIONS].to_numpy(dtype=np.int64),
            different_pages=different_pages,
            engagement_s=msec / 1000,
            attributes=MappingProxyType(
                {name: encode_column(users[name]) for name in (*ATTRIBUTES, *dimensions_of(users))}
            ),
            outcomes=OutcomeIndex.from_tables(outcomes, pages, sequences, labels),
            seen=seen,
            page_location=tuple(pages[Pages.PAGE_LOCATION].head(MAX_PAGES)),
            page_title=tuple(None if pd.isna(title) else str(title) for title in titles),
            source_basis=describe_bases(count_user_bases(users)),
        )


def encode_column(values: pd.Series) -> EncodedColumn:
    """Encode a text column: codes by frequency, most frequent first, equally frequent texts by name."""
    codes, uniques = pd.factorize(values, sort=True)
    order = np.argsort(-np.bincount(codes[codes >= 0], minlength=len(uniques)), kind="stable")
    rank = np.append(np.argsort(order), -1)  # the last one is for code −1
    return EncodedColumn(rank[codes].astype(np.int32), tuple(str(uniques[place]) for place in order))


def _ascending(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(values, kind="stable")[: np.count_nonzero(~np.isnan(values))]  # NaN comes last
    return order.astype(np.int32), values[order]


def _places(groups: pd.Series) -> np.ndarray:
    codes = pd.Categorical(groups, categories=[group.value for group in GROUPS]).codes
    return np.asarray(codes, dtype=np.int8)


def _seen(sequences: UserSequences, n_pages: int) -> tuple[ViewedPairs, np.ndarray]:
    """Pairs of user and page, and the number of different pages that each user saw."""
    pairs = sequences.user.astype(np.int64) * max(1, n_pages) + sequences.page
    different, views = np.unique(pairs, return_counts=True)
    user, page = np.divmod(different, max(1, n_pages))
    listed = page < MAX_PAGES
    seen = ViewedPairs(
        user[listed].astype(np.int32), page[listed].astype(np.int32), views[listed].astype(np.int32)
    )
    return seen, np.bincount(user, minlength=sequences.n_users)
