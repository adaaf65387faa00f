"""Search users by pages, events, attributes, and the segments or groups they are in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Final

import numpy as np

from core.base.errors import SettingsError
from core.profiles.data import ProfileData
from core.profiles.profile_columns import Col
from core.profiles.rows import Rows

UNKNOWN_VALUE: Final = "not known"
"""Value of an attribute that stands for users of whom it was never sent."""


@dataclass(frozen=True)
class UserSearch:
    """A search: users who match any value of each field; an empty field matches everybody.

    Args:
        saw: Pages and templates, as outcomes are spelt: ``page:/path``, ``template:/path/:slug``.
        did: Names of events.
        rows: Keys of segments and groups: ``segment:0``, ``group:bot_like``, ``one_page:0``.
        attributes: Column of the users (device, country, source, …) → values; :data:`UNKNOWN_VALUE` for users
            without a value.
    """

    saw: tuple[str, ...] = ()
    did: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def search(wanted: UserSearch, data: ProfileData, rows: Rows) -> np.ndarray:
    """Find the users that match a search: int64 indices, ascending.

    Raises:
        SettingsError: If a value of the search is not in the data.
    """
    fits = [_happened(names, data) for names in (wanted.saw, wanted.did) if names]
    fits += [_has(attribute, values, data) for attribute, values in wanted.attributes.items() if values]
    fits += [_belongs(wanted.rows, rows)] if wanted.rows else []
    return np.flatnonzero(reduce(np.logical_and, fits, np.ones(data.n_users, dtype=bool)))


def _happened(names: Sequence[str], data: ProfileData) -> np.ndarray:
    found = np.zeros(data.n_users, dtype=bool)
    for name in names:
        try:
            user = data.outcomes[name].user
        except KeyError:
            raise _absent(name) from None
        found[user[user < data.n_users]] = True
    return found


def _has(attribute: str, values: Sequence[str], data: ProfileData) -> np.ndarray:
    coded = data.attributes[attribute]
    place = {value: code for code, value in enumerate(coded.values)} | {UNKNOWN_VALUE: -1}
    for value in values:
        if value not in place:
            raise _absent(value)
    return np.isin(coded.codes, [place[value] for value in values])


def _belongs(keys: Sequence[str], rows: Rows) -> np.ndarray:
    place = {str(key): row for row, key in enumerate(rows.head[Col.KEY])}
    for key in keys:
        if key not in place:
            raise _absent(key)
    return reduce(np.logical_or, (rows.members(place[key]) for key in keys))


def _absent(wanted: str) -> SettingsError:
    return SettingsError(f"{wanted!r} is not in the data", remedy="Choose it again from what there is")
