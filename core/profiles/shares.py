"""Browser, device, country and first source of each row's users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from core.base.schema import Users
from core.profiles.counts import NamedCounts
from core.profiles.profile_columns import ROW, Col, MetricRole
from core.profiles.rows import Rows

TITLES: Final = {
    Users.DEVICE: "Main device",
    Users.BROWSER: "Main browser",
    Users.COUNTRY: "Main country",
    Users.SOURCE: "First source",
}
"""Attribute → its title: of several devices, browsers or countries a user has the one of most events."""
SHOWN: Final = 12
"""Values listed an attribute; the rarer ones are added up in one row."""
OTHER: Final = "(all other values)"

COLUMNS: Final = (
    *ROW, Col.ATTRIBUTE, Col.VALUE, Col.IS_OTHER, Col.USERS, Col.N, Col.SHARE, Col.REST_USERS, Col.REST_N,
    Col.REST_SHARE, Col.ABSENT, Col.EVIDENCE,
)  # fmt: skip


def attribute_shares(attributes: Mapping[str, NamedCounts], rows: Rows, sizes: np.ndarray) -> pd.DataFrame:
    """Share of each value, of the users that have one.

    Args:
        attributes: Attribute → who has which value.
        rows: What the rows are.
        sizes: Users a row, float64 of shape (n_rows,).

    Returns:
        One row a row, attribute and value, columns :data:`COLUMNS`. ``n`` counts the users with a value,
        ``absent`` those without; shares of an attribute add up to 1. An attribute that no user has is absent.
    """
    parts = [_shares(name, counted, rows, sizes) for name, counted in attributes.items() if counted.names]
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype="float64") for name in COLUMNS})
    return pd.concat(parts, ignore_index=True)


def _shares(name: str, counted: NamedCounts, rows: Rows, sizes: np.ndarray) -> pd.DataFrame:
    values, users = counted.names[:SHOWN], counted.users
    if len(counted.names) > SHOWN:
        values = (*values, OTHER)
        rarer = users[:, SHOWN:].sum(axis=1, keepdims=True)
        users = np.hstack([users[:, :SHOWN], rarer])  # (n_rows, n_values)
    n = users.sum(axis=1)
    counts = {
        Col.USERS: rows.with_all(users),
        Col.N: rows.with_all(n)[:, None],
        Col.REST_USERS: rows.rest(users),
        Col.REST_N: rows.rest(n)[:, None],
        Col.ABSENT: rows.with_all(sizes - n)[:, None],
    }
    shape = counts[Col.USERS].shape
    place = np.repeat(np.arange(shape[0]), shape[1])
    flat = {column: np.broadcast_to(count, shape).ravel() for column, count in counts.items()}
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = {
            Col.SHARE: flat[Col.USERS] / flat[Col.N],
            Col.REST_SHARE: flat[Col.REST_USERS] / flat[Col.REST_N],
        }
    whole = {column: flat[column].astype(np.int64) for column in (Col.USERS, Col.N, Col.ABSENT)}
    described = {
        Col.ATTRIBUTE: np.repeat(name, len(place)),
        Col.VALUE: np.tile(np.array(values), shape[0]),
        Col.IS_OTHER: np.tile(np.arange(shape[1]) >= SHOWN, shape[0]),
        Col.EVIDENCE: np.repeat(MetricRole.HELD_OUT.value, len(place)),
    }
    return rows.frame(flat | whole | shares | described, COLUMNS, place)
