"""A filter of users and days to count, which leaves the segments as they are.

A user fits by what they mostly used (device, country) and where they first came from, as in the profiles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final, Self

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from core.base.attributes import ATTRIBUTES, attribute_words
from core.base.errors import SettingsError
from core.base.local_clock import LocalClock, days_of
from core.base.safe_text import clean
from core.base.settings import Settings
from core.base.wording import pluralise
from core.periods.calendar import day_number
from core.storage.dataset import dimensions_of
from core.storage.sequences import UserSequences

_FROM, _TO, _WHERE, _IS = "from", "to", "where", "is"
NAMED_AT_MOST: Final = 3
"""Values of an attribute that a sentence names, at most."""


class CountFilter(Settings):
    """Filter of days (bounds included) and of users' attributes; a field that is empty leaves nobody out."""

    first_day: date | None = None
    last_day: date | None = None
    attributes: tuple[tuple[str, Annotated[tuple[str, ...], Field(max_length=1000)]], ...] = ()
    """Attribute of users (a column) and the values that fit; built from a mapping, too."""
    where: str = Field(default="", max_length=20_000)
    """Condition of users who count, of a query (``core.query.query.Condition``) as JSON."""
    who: str = ""
    """The condition in words."""

    @model_validator(mode="before")
    @classmethod
    def _one_tuple(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Earlier releases saved an attribute as a field of its own."""
        rest = {name: value for name, value in given.items() if name not in ATTRIBUTES}
        own = {name: given[name] for name in ATTRIBUTES if name in given}
        chosen = {**own, **dict(rest.pop("attributes", ()))}
        attributes = tuple((name, tuple(chosen[name])) for name in sorted(chosen) if chosen[name])
        return rest | {"attributes": attributes}

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.first_day and self.last_day and self.last_day < self.first_day:
            raise ValueError(f"the last day ({self.last_day}) comes before the first ({self.first_day})")
        return self

    @property
    def is_set(self) -> bool:
        """Whether any field is set, even if it leaves nobody out."""
        return self != CountFilter()

    @property
    def within(self) -> tuple[int | None, int | None]:
        """First and last day in days since 1970; None for no bound."""
        first, last = (None if day is None else day_number(day) for day in (self.first_day, self.last_day))
        return first, last

    @property
    def values(self) -> dict[str, tuple[str, ...]]:
        """Column of the users → the values that fit, of attributes that are filtered by."""
        return dict(self.attributes)

    def with_values(self, values: Mapping[str, Sequence[str]], **changes: object) -> Self:
        """The filter with other values of some attributes, none for any value, and other changes.

        Raises:
            SettingsError: If that is not possible.
        """
        return self.checked(**self.model_dump() | {"attributes": self.values | dict(values)} | changes)

    @property
    def in_words(self) -> str:
        """The filter in words, ``device mobile or tablet; from 1 Mar 2016``; empty if nothing is left out."""
        parts = [f"{attribute_words(column).name} {_listed(values)}" for column, values in self.attributes]
        days = [
            f"{word} {day.day} {day:%b %Y}"
            for word, day in ((_FROM, self.first_day), (_TO, self.last_day)) if day is not None
        ]  # fmt: skip
        return "; ".join([*([self.who] if self.who else []), *parts, *([" ".join(days)] if days else [])])

    def link(self) -> dict[str, list[str]]:
        """Parameters of a link that set this filter."""
        days = {_FROM: self.first_day, _TO: self.last_day}
        told = {name: [day.isoformat()] if day else [] for name, day in days.items()}
        where = {_WHERE: [self.where] if self.where else []}
        own = {name: list(self.values.get(name, ())) for name in ATTRIBUTES}
        of_dimensions = [
            f"{name}:{value}"
            for name, values in self.attributes
            if name not in ATTRIBUTES
            for value in values
        ]
        return told | where | own | {_IS: of_dimensions}

    @classmethod
    def from_link(cls, link: Mapping[str, Sequence[str]]) -> Self | None:
        """Read a filter from the parameters of a link; None where it has none.

        Raises:
            SettingsError: If a day of it is no date, or the days are in the wrong order.
        """
        said = {
            name: next(iter(link.get(key, ())), None)
            for key, name in ((_FROM, "first_day"), (_TO, "last_day"))
        } | {"where": next(iter(link.get(_WHERE, ())), "")}
        named = {name: [*link.get(name, ())] for name in ATTRIBUTES}
        for name, _, value in (text.partition(":") for text in link.get(_IS, ())):
            named.setdefault(name, []).append(value)
        found = cls.checked(**said, attributes=named)
        return found if found.is_set else None


LINKED: Final = (_FROM, _TO, _WHERE, *ATTRIBUTES, _IS)
"""Names of the filter's parameters in a link."""


@dataclass(frozen=True, eq=False)
class FilteredRows:
    """The users and page views that a filter leaves.

    Args:
        users: bool of shape (n_users,), who fits and has a page view that does.
        views: bool of shape (n_views,), page views of theirs on the days that fit.
    """

    users: np.ndarray
    views: np.ndarray


def apply_filter(
    chosen: CountFilter,
    users: pd.DataFrame,
    sequences: UserSequences,
    clock: LocalClock,
    who: np.ndarray | None = None,
) -> FilteredRows:
    """Apply a filter to users and page views.

    Args:
        chosen: The filter.
        users: One row a user (``core.base.schema.Users``).
        sequences: Their page views.
        clock: Clock by which days begin.
        who: Users of whom the filter's condition holds, bool of shape (n_users,); needed where it has one.

    Raises:
        SettingsError: If it leaves nobody.
        ValueError: If it has a condition, and ``who`` is missing.
    """
    if chosen.where and who is None:
        raise ValueError("a filter with a condition needs the users of whom it holds")
    fits = np.ones(sequences.n_users, dtype=bool) if who is None else who.copy()
    for column, values in chosen.values.items():
        if column not in users:
            raise SettingsError(
                f"The filter names {clean(column)!r}, which this data set does not have",
                allowed=", ".join((*ATTRIBUTES, *dimensions_of(users))),
                remedy="Clear the filter",
            )
        fits &= users[column].isin(values).to_numpy()
    day = days_of(sequences.timestamp, clock)
    (first, last), views = chosen.within, fits[sequences.user]
    views &= (day >= (day.min() if first is None else first)) & (day <= (day.max() if last is None else last))
    left = np.bincount(sequences.user[views], minlength=sequences.n_users) > 0
    if not left.any():
        raise SettingsError(
            f"The filter leaves nobody: "
            f"none of {pluralise(sequences.n_users, 'user')} fits {chosen.in_words}",
            remedy="Clear the filter, or choose more",
        )
    return FilteredRows(left, views)


def _listed(values: Sequence[str]) -> str:
    shown = " or ".join(values[:NAMED_AT_MOST])
    return shown if len(values) <= NAMED_AT_MOST else f"{shown} or {len(values) - NAMED_AT_MOST} more"
