"""Rules as data: conditions that an analyst, GA4 and SQL understand alike, and the features they test.

``RuleFeatures`` is everything that a rule can ask of a user, laid out once a data set and its labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Final, TypeAlias

import numpy as np
import pandas as pd
from pydantic import Field as Limits
from pydantic import model_validator
from scipy import sparse

from core.base.attributes import ATTRIBUTES, attribute_words
from core.base.errors import InputError, control
from core.base.schema import RESERVED, Group, Pages, Users
from core.base.settings import Settings
from core.base.wording import common_origin
from core.profiles.data import GROUPS, EncodedColumn, ProfileData, encode_column
from core.profiles.user_items import folders, labels_of
from core.storage.dataset import Dataset, dimensions_of, is_clustered
from core.storage.page_labels import LabelledPages
from core.storage.sequences import UserSequences

MAX_CONDITIONS: Final = 12
"""Most conditions of a rule, also of one written by hand."""


class RuleField(StrEnum):
    """What a condition looks at, beside the attributes of users."""

    PAGE = "page"
    FOLDER = "folder"
    TEMPLATE = "template"
    THEME = "theme"
    TYPE = "type"
    ENTRY = "entry"
    """The first page of a session."""
    PAGE_VIEWS = "page_views"
    SESSIONS = "sessions"
    LAST_DAYS = "last_days"
    """Whether the last page view lies within so many days before the last one of the data."""


VIEWED: Final = (
    RuleField.PAGE, RuleField.FOLDER, RuleField.TEMPLATE, RuleField.TYPE, RuleField.THEME, RuleField.ENTRY,
)  # fmt: skip
"""Fields of which a condition counts page views (of an entry: sessions); the easiest to say first."""
MEASURES: Final = (RuleField.PAGE_VIEWS, RuleField.SESSIONS, RuleField.LAST_DAYS)
"""Fields that have a number for each user, and no items."""
_KINDS: Final[dict[str, str]] = {
    RuleField.FOLDER: "in", RuleField.TEMPLATE: "like", RuleField.THEME: "about", RuleField.TYPE: "of type",
}  # fmt: skip


Field: TypeAlias = Annotated[
    RuleField | Annotated[str, Limits(min_length=1, max_length=200)], Limits(union_mode="left_to_right")
]
"""What a condition looks at: a :class:`RuleField`, or an attribute of users by its column (``device``,
``channel``, a dimension that the analyst chose), which no model has read."""


def is_attribute(field: Field) -> bool:
    """Whether a field is an attribute of users."""
    return not isinstance(field, RuleField)


class RuleCondition(Settings):
    """One question that a user answers with yes or no.

    Args:
        field: What is looked at.
        value: The page, theme, device, …; empty of a measure.
        number: Least page views (of an entry: sessions), or least value of a measure; of ``last_days``, days.
    """

    field: Field
    value: str = ""
    number: Annotated[int, Limits(ge=1, le=1_000_000)] = 1

    @model_validator(mode="after")
    def _has_a_value(self) -> RuleCondition:
        if (self.field in MEASURES) == bool(self.value):
            raise ValueError(f"{self.field} {'takes no' if self.value else 'needs a'} value")
        return self

    def words(self, origin: str = "", *, negated: bool = False) -> str:
        """The condition in words, as the end of "users who …".

        Args:
            origin: Scheme and host that all addresses share, to be left out of them.
            negated: Whether it must not hold.
        """
        if not isinstance(self.field, RuleField):
            words = attribute_words(self.field)
            return f"{words.do_not if negated else words.do} {self.value}"
        if self.field is RuleField.LAST_DAYS:
            days = "the last day" if self.number == 1 else f"the last {self.number} days"
            return f"were {'not ' if negated else ''}seen within {days} of the data"
        if self.field in MEASURES:
            what = str(self.field).replace("_", " ")
            return f"had {'fewer than' if negated else 'at least'} {self.number} {what}"
        shown = self.value.removeprefix(origin) or self.value
        return _viewed(self.field, shown, self.number, negated)


class RuleClause(Settings):
    """Conditions of which at least one must hold or, if ``negated``, none.

    Args:
        any_of: The conditions.
        negated: Whether none of them may hold.
    """

    any_of: Annotated[tuple[RuleCondition, ...], Limits(min_length=1, max_length=MAX_CONDITIONS)]
    negated: bool = False

    def words(self, origin: str = "") -> str:
        """The clause in words, as the end of "users who …", without ``origin`` in addresses."""
        joint = " and " if self.negated else " or "
        return joint.join(condition.words(origin, negated=self.negated) for condition in self.any_of)


class SegmentRule(Settings):
    """A rule that describes users: every clause must hold, which is what an audience of GA4 can express.

    Args:
        clauses: The clauses, in the order in which they are told.
    """

    clauses: Annotated[tuple[RuleClause, ...], Limits(min_length=1, max_length=MAX_CONDITIONS)]

    @property
    def conditions(self) -> Iterator[RuleCondition]:
        """All conditions, in order."""
        return (condition for clause in self.clauses for condition in clause.any_of)

    @property
    def length(self) -> int:
        """Number of conditions."""
        return sum(len(clause.any_of) for clause in self.clauses)

    @property
    def held_out(self) -> bool:
        """Whether a condition tests what no model has read: an attribute of users."""
        return any(is_attribute(condition.field) for condition in self.conditions)

    def words(self, origin: str = "") -> str:
        """The rule as "Users who …", without a full stop and without ``origin`` in addresses."""
        parts = [
            f"({clause.words(origin)})"
            if len(clause.any_of) > 1 and not clause.negated and len(self.clauses) > 1
            else clause.words(origin)
            for clause in self.clauses
        ]
        return f"Users who {', and '.join(parts)}"


def _viewed(field: Field, shown: str, number: int, negated: bool) -> str:
    often = f" {'fewer than' if negated else 'at least'} {number} times" if number > 1 else ""
    never = negated and number == 1
    if field is RuleField.ENTRY:
        return f"{'never ' if never else ''}began a session on {shown}{often}"
    what = f"{'pages' if often else 'a page'} {_KINDS[field]} {shown}" if field in _KINDS else shown
    return f"{'did not view' if never else 'viewed'} {what}{often}"


_MAX_ITEMS: Final = 1_000
"""Most items of a field that a condition can name: those that most users saw."""
DAY_US: Final = 86_400_000_000


@dataclass(frozen=True, eq=False)
class Viewed:
    """Page views of the items (pages, themes, …) of a field, by user.

    Args:
        names: Names of the items, those that most users saw first.
        of_page: bool CSC of shape (n_pages, n_items), which pages belong to an item.
        views: int32 CSC of shape (n_users, n_items), page views (of entries: sessions).
    """

    names: tuple[str, ...]
    of_page: sparse.csc_array
    views: sparse.csc_array

    @cached_property
    def place(self) -> dict[str, int]:
        """Name of an item → its column."""
        return {name: place for place, name in enumerate(self.names)}


@dataclass(frozen=True, eq=False)
class RuleFeatures:
    """Everything that a rule can ask of the users of a data set.

    Args:
        inside: bool of shape (n_users,), who takes part in clustering: rules are about these users alone.
        pages: Canonical address of each page, by page index.
        viewed: Field → its items, for the fields that the data have.
        attributes: Column → the value of each user.
        measures: Field → int64 of shape (n_users,); of ``last_days``, days from a user's last page view.
    """

    inside: np.ndarray
    pages: tuple[str, ...]
    viewed: Mapping[str, Viewed]
    attributes: Mapping[str, EncodedColumn]
    measures: Mapping[str, np.ndarray]

    @classmethod
    def from_dataset(cls, dataset: Dataset, labels: LabelledPages | None = None) -> RuleFeatures:
        """Lay out the features of a preprocessed export and the labels of its pages."""
        return cls.from_tables(dataset.users, dataset.pages, dataset.sequences, labels_of(labels))

    @classmethod
    def from_tables(
        cls,
        users: pd.DataFrame,
        pages: pd.DataFrame,
        sequences: UserSequences,
        labels: Mapping[str, Sequence[str]] = MappingProxyType({}),
    ) -> RuleFeatures:
        """Lay out features from tables in the columns of ``core/base/schema.py``.

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
            is_clustered(users), pages[Pages.PAGE_LOCATION].tolist(), sequences, labels,
            {name: encode_column(users[name]) for name in (*ATTRIBUTES, *dimensions_of(users))}, page_views,
            sessions,
        )  # fmt: skip

    @classmethod
    def from_counted(
        cls,
        data: ProfileData,
        addresses: Sequence[str],
        sequences: UserSequences,
        labels: Mapping[str, Sequence[str]],
    ) -> RuleFeatures:
        """Lay out features from the data of profiles; ``labels`` as in :meth:`from_tables`."""
        inside = data.group == GROUPS.index(Group.SEGMENT)
        return cls._laid_out(
            inside, addresses, sequences, labels, data.attributes, data.page_views, data.sessions
        )

    @classmethod
    def _laid_out(
        cls, inside: np.ndarray, addresses: Sequence[str], sequences: UserSequences,
        labels: Mapping[str, Sequence[str]], attributes: Mapping[str, EncodedColumn], page_views: np.ndarray,
        sessions: np.ndarray,
    ) -> RuleFeatures:  # fmt: skip
        last = sequences.timestamp[sequences.offsets[1:] - 1]
        measures: dict[str, np.ndarray] = {
            RuleField.PAGE_VIEWS: page_views, RuleField.SESSIONS: sessions,
            RuleField.LAST_DAYS: (last.max() - last) // DAY_US,
        }  # fmt: skip
        return cls(
            inside, tuple(addresses), MappingProxyType(_fields(addresses, sequences, labels)),
            attributes, MappingProxyType(measures),
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
        """Which users meet a condition: bool of shape (n_users,).

        Raises:
            InputError: If the data have no such attribute, page, theme, device, ….
        """
        if not isinstance(condition.field, RuleField):
            attribute = self.attributes.get(condition.field)
            if attribute is None:
                raise InputError(
                    f"Users of this data set have no {condition.field}",
                    allowed=", ".join(self.attributes),
                    remedy=f"Take one of these, or load the files again with it: {control('dimensions')}",
                )
            if condition.value not in attribute.values:
                raise _unknown(condition)
            same: np.ndarray = attribute.codes == attribute.values.index(condition.value)
            return same
        if condition.field in self.measures:
            values = self.measures[condition.field]
            recent = condition.field is RuleField.LAST_DAYS
            return values < condition.number if recent else values >= condition.number
        items = self.viewed.get(condition.field)
        if items is None or condition.value not in items.place:
            raise _unknown(condition)
        column = items.views[:, [items.place[condition.value]]]
        answer = np.zeros(self.n_users, dtype=bool)
        answer[column.indices[column.data >= condition.number]] = True
        return answer

    def matches(self, rule: SegmentRule) -> np.ndarray:
        """Which of the clustered users a rule describes: bool of shape (n_users,).

        Raises:
            InputError: If the data lack a page, theme, … of a condition.
        """
        answer = self.inside.copy()
        for clause in rule.clauses:
            here = np.any([self.holds(condition) for condition in clause.any_of], axis=0)
            answer &= ~here if clause.negated else here
        return answer

    def pages_of(self, condition: RuleCondition) -> np.ndarray:
        """Indices of the pages that a condition counts, ascending: int of shape (n,).

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
        allowed=f"the {_MAX_ITEMS:,} that most users have",
        remedy="Choose another one, or load the data that the rule was made on",
    )


def _fields(
    addresses: Sequence[str], sequences: UserSequences, labels: Mapping[str, Sequence[str]]
) -> dict[str, Viewed]:
    """Fields that count page views, with the items of each; those first that are the easiest to say."""
    items: dict[RuleField, Sequence[Iterable[str]]] = {
        RuleField.PAGE: [[address] for address in addresses],
        RuleField.FOLDER: [folders(address) for address in addresses],
    }
    for name, own in labels.items():
        items[RuleField(name)] = [() if label in RESERVED else (label,) for label in own]
    seen = _seen(sequences, np.arange(sequences.n_views), len(addresses))
    viewed = {field: _viewed_items(seen, names) for field, names in items.items()}
    entries = _seen(sequences, sequences.session_starts, len(addresses))
    viewed[RuleField.ENTRY] = _viewed_items(entries, items[RuleField.PAGE])
    return {field: viewed[field] for field in VIEWED if field in viewed and viewed[field].names}


def _seen(sequences: UserSequences, views: np.ndarray, n_pages: int) -> sparse.csr_array:
    user, page = sequences.user[views], sequences.page[views]
    return sparse.csr_array((np.ones(len(user), np.int32), (user, page)), (sequences.n_users, n_pages))


def _viewed_items(seen: sparse.csr_array, names: Sequence[Iterable[str]]) -> Viewed:
    pairs = [(page, name) for page, own in enumerate(names) for name in own]
    codes, different = pd.factorize(np.array([name for _, name in pairs], dtype=object))
    page = np.array([page for page, _ in pairs], dtype=np.int64)
    shape = (len(names), len(different))
    has = sparse.csc_array((np.ones(len(page), np.int32), (page, codes)), shape)
    views = (seen @ has).tocsc()
    order = np.argsort(-np.diff(views.indptr), kind="stable")[:_MAX_ITEMS]
    return Viewed(tuple(str(different[place]) for place in order), has[:, order], views[:, order])
