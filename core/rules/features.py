"""What a rule can ask of a user, laid out once a data set and its labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd
from scipy import sparse

from core.base.errors import InputError
from core.base.schema import Group, Pages, Users
from core.base.wording import common_origin
from core.data.dataset import Dataset, clustered
from core.data.page_labels import LabelledPages
from core.data.sequences import UserSequences
from core.differences.user_items import folders, labels_of
from core.labels.label_settings import RESERVED
from core.profiles.data import GROUPS, Coded, ProfileData, coded
from core.rules.conditions import ATTRIBUTES, VIEWED, RuleCondition, RuleField, SegmentRule

MOST_ITEMS: Final = 1_000
"""Items a field that can be asked for, those that most users saw."""
DAY_US: Final = 86_400_000_000
_COLUMNS: Final = dict(
    zip(ATTRIBUTES, (Users.SOURCE, Users.DEVICE, Users.BROWSER, Users.COUNTRY), strict=True)
)


@dataclass(frozen=True, eq=False)
class Viewed:
    """Page views of the items of one field.

    Args:
        names: Of the items, those that most users saw first.
        of_page: bool CSC of shape (n_pages, n_items), which pages an item is made of.
        views: int32 CSC of shape (n_users, n_items), page views (of entries: sessions).
    """

    names: tuple[str, ...]
    of_page: sparse.csc_array
    views: sparse.csc_array

    @cached_property
    def place(self) -> dict[str, int]:
        """Name → its column."""
        return {name: place for place, name in enumerate(self.names)}


@dataclass(frozen=True, eq=False)
class RuleFeatures:
    """Everything that a rule can ask of the users of a data set.

    Args:
        inside: bool of shape (n_users,), who is clustered: rules are about these users alone.
        pages: Canonical address of each page, by page index.
        viewed: Field → its items, for the fields that the data have.
        attributes: Field → the value of each user.
        measures: Field → int64 of shape (n_users,); of the last days, days since the last page view.
    """

    inside: np.ndarray
    pages: tuple[str, ...]
    viewed: Mapping[RuleField, Viewed]
    attributes: Mapping[RuleField, Coded]
    measures: Mapping[RuleField, np.ndarray]

    @classmethod
    def from_dataset(cls, dataset: Dataset, labels: LabelledPages | None = None) -> RuleFeatures:
        """Lay out a preprocessed export, and the labels of its pages."""
        return cls.from_tables(dataset.users, dataset.pages, dataset.sequences, labels_of(labels))

    @classmethod
    def from_tables(
        cls,
        users: pd.DataFrame,
        pages: pd.DataFrame,
        sequences: UserSequences,
        labels: Mapping[str, Sequence[str]] = MappingProxyType({}),
    ) -> RuleFeatures:
        """Lay out tables in the columns of ``core/base/schema.py``.

        Args:
            users: One row a user.
            pages: One row a page.
            sequences: Page views in order.
            labels: ``template``, ``theme`` and ``type`` of each page, as far as pages are labelled.
        """
        page_views, sessions = (
            users[column].to_numpy(dtype=np.int64) for column in (Users.PAGE_VIEWS, Users.SESSIONS)
        )
        return cls._laid_out(
            clustered(users), pages[Pages.PAGE_LOCATION].tolist(), sequences, labels,
            {column: coded(users[column]) for column in _COLUMNS.values()}, page_views, sessions,
        )  # fmt: skip

    @classmethod
    def from_counted(
        cls,
        data: ProfileData,
        addresses: Sequence[str],
        sequences: UserSequences,
        labels: Mapping[str, Sequence[str]],
    ) -> RuleFeatures:
        """Lay out features from what profiles are counted from, and the address of each page."""
        inside = data.group == GROUPS.index(Group.SEGMENT)
        return cls._laid_out(
            inside, addresses, sequences, labels, data.attributes, data.page_views, data.sessions
        )

    @classmethod
    def _laid_out(
        cls, inside: np.ndarray, addresses: Sequence[str], sequences: UserSequences,
        labels: Mapping[str, Sequence[str]], attributes: Mapping[str, Coded], page_views: np.ndarray,
        sessions: np.ndarray,
    ) -> RuleFeatures:  # fmt: skip
        last = sequences.timestamp[sequences.offsets[1:] - 1]
        measures = {
            RuleField.PAGE_VIEWS: page_views, RuleField.SESSIONS: sessions,
            RuleField.LAST_DAYS: (last.max() - last) // DAY_US,
        }  # fmt: skip
        return cls(
            inside, tuple(addresses), MappingProxyType(_fields(addresses, sequences, labels)),
            MappingProxyType({field: attributes[column] for field, column in _COLUMNS.items()}),
            MappingProxyType(measures),
        )  # fmt: skip

    @property
    def n_users(self) -> int:
        """Users with at least one page view."""
        return len(self.inside)

    @cached_property
    def origin(self) -> str:
        """Scheme and host that all addresses share; else empty."""
        return common_origin(self.pages)

    def holds(self, condition: RuleCondition) -> np.ndarray:
        """Of which users a condition is true: bool of shape (n_users,).

        Raises:
            InputError: If the data have no such page, theme, device, ….
        """
        if condition.field in self.measures:
            values = self.measures[condition.field]
            recent = condition.field is RuleField.LAST_DAYS
            return values < condition.number if recent else values >= condition.number
        if condition.field in self.attributes:
            made = self.attributes[condition.field]
            if condition.value not in made.values:
                raise _unknown(condition)
            same: np.ndarray = made.codes == made.values.index(condition.value)
            return same
        items = self.viewed.get(condition.field)
        if items is None or condition.value not in items.place:
            raise _unknown(condition)
        column = items.views[:, [items.place[condition.value]]]
        found = np.zeros(self.n_users, dtype=bool)
        found[column.indices[column.data >= condition.number]] = True
        return found

    def matches(self, rule: SegmentRule) -> np.ndarray:
        """Which of the clustered users a rule describes: bool of shape (n_users,).

        Raises:
            InputError: If it asks for what the data do not have.
        """
        found = self.inside.copy()
        for clause in rule.clauses:
            here = np.any([self.holds(condition) for condition in clause.any_of], axis=0)
            found &= ~here if clause.negated else here
        return found

    def pages_of(self, condition: RuleCondition) -> np.ndarray:
        """The pages that a condition counts, ascending: int of shape (n,).

        Raises:
            InputError: If the data have no such item.
        """
        items = self.viewed.get(condition.field)
        if items is None or condition.value not in items.place:
            raise _unknown(condition)
        column = items.of_page[:, [items.place[condition.value]]]
        return np.sort(column.indices)


def _unknown(condition: RuleCondition) -> InputError:
    return InputError(
        f"The {condition.field} {condition.value!r} is not among those of this data set",
        allowed=f"the {MOST_ITEMS:,} that most users have",
        remedy="Choose another one, or load the data that the rule was made on",
    )


def _fields(
    addresses: Sequence[str], sequences: UserSequences, labels: Mapping[str, Sequence[str]]
) -> dict[RuleField, Viewed]:
    """The fields that count page views, those first that are the easiest to say."""
    items: dict[RuleField, Sequence[Iterable[str]]] = {
        RuleField.PAGE: [[address] for address in addresses],
        RuleField.FOLDER: [folders(address) for address in addresses],
    }
    for name, own in labels.items():
        items[RuleField(name)] = [() if label in RESERVED else (label,) for label in own]
    seen = _seen(sequences, np.arange(sequences.n_views), len(addresses))
    viewed = {field: _viewed(seen, names) for field, names in items.items()}
    entries = _seen(sequences, sequences.session_starts, len(addresses))
    viewed[RuleField.ENTRY] = _viewed(entries, items[RuleField.PAGE])
    return {field: viewed[field] for field in VIEWED if field in viewed and viewed[field].names}


def _seen(sequences: UserSequences, views: np.ndarray, n_pages: int) -> sparse.csr_array:
    user, page = sequences.user[views], sequences.page[views]
    return sparse.csr_array((np.ones(len(user), np.int32), (user, page)), (sequences.n_users, n_pages))


def _viewed(seen: sparse.csr_array, names: Sequence[Iterable[str]]) -> Viewed:
    found = [(page, name) for page, own in enumerate(names) for name in own]
    codes, different = pd.factorize(np.array([name for _, name in found], dtype=object))
    page = np.array([page for page, _ in found], dtype=np.int64)
    shape = (len(names), len(different))
    has = sparse.csc_array((np.ones(len(page), np.int32), (page, codes)), shape)
    views = (seen @ has).tocsc()
    order = np.argsort(-np.diff(views.indptr), kind="stable")[:MOST_ITEMS]
    return Viewed(tuple(str(different[place]) for place in order), has[:, order], views[:, order])
