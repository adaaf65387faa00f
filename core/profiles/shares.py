"""Browser, device, country and first-touch source of each row's users."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from core.profiles.data import Coded, ProfileData
from core.profiles.profile_columns import ROW, Col, MetricRole
from core.profiles.rows import Rows

SHOWN: Final = 12
"""Values listed an attribute; the rarer ones are added up in one row."""
OTHER: Final = "(all other values)"

COLUMNS: Final = (
    *ROW, Col.ATTRIBUTE, Col.VALUE, Col.IS_OTHER, Col.USERS, Col.N, Col.SHARE, Col.REST_USERS, Col.REST_N,
    Col.REST_SHARE, Col.ABSENT, Col.EVIDENCE,
)  # fmt: skip


def attribute_shares(data: ProfileData, rows: Rows) -> pd.DataFrame:
    """Share of each value, of the users that have one.

    Args:
        data: The users.
        rows: Who belongs where.

    Returns:
        One row a row, attribute and value, columns :data:`COLUMNS`. ``n`` counts the users with a value,
        ``absent`` those without; shares of an attribute add up to 1. An attribute that no user has is absent.
    """
    parts = [
        _shares(name, attribute, rows) for name, attribute in data.attributes.items() if attribute.values
    ]
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype="float64") for name in COLUMNS})
    return pd.concat(parts, ignore_index=True)


def _shares(name: str, attribute: Coded, rows: Rows) -> pd.DataFrame:
    values = _shown(attribute)
    has = np.flatnonzero(attribute.codes >= 0)
    codes = np.minimum(attribute.codes[has], len(values) - 1)
    users = rows.table(has, codes, len(values))  # (n_rows, n_values)
    n = users.sum(axis=1)
    counts = {
        Col.USERS: rows.with_all(users),
        Col.N: rows.with_all(n)[:, None],
        Col.REST_USERS: rows.rest(users),
        Col.REST_N: rows.rest(n)[:, None],
        Col.ABSENT: rows.with_all(rows.count() - n)[:, None],
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


def _shown(attribute: Coded) -> tuple[str, ...]:
    if len(attribute.values) <= SHOWN:
        return attribute.values
    return (*attribute.values[:SHOWN], OTHER)
