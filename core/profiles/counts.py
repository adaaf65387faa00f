"""Count the users of each row: the sums from which profiles are computed, and the table of attributes.

A user is in one row, so counts of parts of the users add up to the counts of all users, and no single user
has to be kept. Only the numbers that occur (:class:`core.profiles.rows.Numbers`) can become as many as there
are users, if nearly all of these differ.

Then :func:`attribute_shares`: browser, device, country and first source of each row's users.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Final

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from core.profiles.data import EncodedColumn, ProfileData
from core.profiles.outcomes import OutcomeRecord
from core.profiles.profile_columns import ROW, Col, MetricRole
from core.profiles.rows import Numbers, Rows, merge_numbers


@dataclass(frozen=True, eq=False)
class NamedCounts:
    """Users of each row with each value of an attribute, or who saw each page.

    Args:
        names: The values or pages, most ``times`` first; in no order after adding up parts.
        users: float64 of shape (n_rows, n_names), number of users; sparse after adding up parts.
        times: As ``users``, page views of each page; for attributes equal to ``users``.
        titles: Page titles; empty for attributes.
    """

    names: tuple[str, ...]
    users: np.ndarray | csr_array
    times: np.ndarray | csr_array
    titles: tuple[str | None, ...] = ()

    def first(self, most: int | None = None) -> NamedCounts:
        """Sort by frequency, then by name, counts that were added up; keep the ``most`` frequent names."""
        often = (-self.times.sum(axis=0)).tolist()
        order = sorted(range(len(self.names)), key=lambda place: (often[place], self.names[place]))[:most]
        return NamedCounts(
            tuple(self.names[place] for place in order),
            csr_array(self.users)[:, order].toarray(),
            csr_array(self.times)[:, order].toarray(),
            tuple(self.titles[place] for place in order if self.titles),
        )


@dataclass(frozen=True, eq=False)
class OutcomeTotals:
    """Users of each row with an outcome; one more row, the last, is for users without a page view.

    Args:
        users: float64 of shape (n_rows + 1,).
        sessions: float64 of shape (n_rows + 1,), sessions with the outcome; NaN if not known.
        paid: Currency → amount that each paying user paid.
        arrived: Number of users whose first page view was the outcome.
        refunds: Currency → float64 of shape (n_rows + 1,), amount refunded; empty if none was.
        refunded: Number of users with a page view who got everything back that they paid.
    """

    users: np.ndarray
    sessions: np.ndarray
    paid: Mapping[str, Numbers]
    arrived: int
    refunds: Mapping[str, np.ndarray]
    refunded: int

    @property
    def for_notes(self) -> tuple[int, int, int, int]:
        """Arguments of :meth:`OutcomeIndex.notes`: users with a page view, without, arrived, refunded."""
        return int(self.users[:-1].sum()), int(self.users[-1]), self.arrived, self.refunded


@dataclass(frozen=True, eq=False)
class Counts:
    """All counts of users from which profiles are computed.

    Args:
        rows: The rows; their users (``place``) are not used.
        sizes: float64 of shape (n_rows,), number of users.
        numbers: Metric of the heat-map → its values.
        attributes: Attribute → users with each value.
        pages: Users who saw each page.
        outcomes: Outcome → users with it.
    """

    rows: Rows
    sizes: np.ndarray
    numbers: Mapping[str, Numbers]
    attributes: Mapping[str, NamedCounts]
    pages: NamedCounts
    outcomes: Mapping[str, OutcomeTotals]

    @property
    def n_users(self) -> int:
        """Number of all users with a page view."""
        return int(self.sizes.sum())

    def in_order(self, most_pages: int) -> Counts:
        """Sort counts that were added up, the most frequent first, with at most ``most_pages`` pages."""
        attributes = {name: values.first() for name, values in self.attributes.items()}
        return replace(self, attributes=attributes, pages=self.pages.first(most_pages))


def count(data: ProfileData, rows: Rows, conversions: Mapping[str, OutcomeRecord]) -> Counts:
    """Count everything that profiles need of the users of each row.

    Args:
        data: The users.
        rows: The row of each user.
        conversions: Outcome → who had it.
    """
    return Counts(
        rows,
        rows.count(),
        _numbers(data, rows),
        {name: count_values(attribute, rows) for name, attribute in data.attributes.items()},
        count_pages(data, rows),
        {name: _count_outcome(data, rows, one) for name, one in conversions.items()},
    )


def count_values(attribute: EncodedColumn, rows: Rows) -> NamedCounts:
    """Count the users of each row with each value of an attribute."""
    has = np.flatnonzero(attribute.codes >= 0)
    users = rows.table(has, attribute.codes[has], len(attribute.values))
    return NamedCounts(attribute.values, users, users)


def count_pages(data: ProfileData, rows: Rows) -> NamedCounts:
    """Count the users of each row who saw each page, and their views."""
    seen, n_pages = data.seen, len(data.page_location)
    users = rows.table(seen.user, seen.page, n_pages)
    views = rows.table(seen.user, seen.page, n_pages, seen.views)
    return NamedCounts(data.page_location, users, views, data.page_title)


def _numbers(data: ProfileData, rows: Rows) -> dict[str, Numbers]:
    found = {}
    for metric, (users, values) in data.ascending.items():
        once = np.ones(len(users))
        weight = data.sessions[users].astype(np.float64) if metric == Col.PAGES_PER_SESSION else once
        found[metric] = Numbers(rows.place[users], values, once, weight)
    return found


def _count_outcome(data: ProfileData, rows: Rows, conversions: OutcomeRecord) -> OutcomeTotals:
    inside, seen = conversions.only(conversions.user < data.n_users), data.outcomes.sequences
    row = np.full(len(conversions.user), rows.n_rows)
    row[: len(inside.user)] = rows.place[inside.user]  # users without a page view come last
    arrived = inside.first_ts == seen.timestamp[seen.offsets[inside.user]]
    return OutcomeTotals(
        np.bincount(row, minlength=rows.n_rows + 1).astype(np.float64),
        np.bincount(row, conversions.sessions, minlength=rows.n_rows + 1),
        {currency: Numbers.of(row, paid) for currency, paid in sorted(conversions.money.items())},
        int(arrived.sum()),
        {
            currency: np.bincount(row, np.nan_to_num(back), minlength=rows.n_rows + 1)
            for currency, back in sorted(conversions.refunds.items())
        },
        int(inside.all_refunded.sum()),
    )


def sum_counts(parts: Sequence[Counts]) -> Counts:
    """Add up the counts of parts of the users in the same rows, exactly as if all were counted at once.

    Args:
        parts: At least one. Pages are matched by their address.

    Returns:
        Counts of all users, without an order: call :meth:`Counts.in_order` when all parts are in.
    """
    first = parts[0]
    return Counts(
        replace(first.rows, place=np.zeros(0, np.intp)),
        np.sum([part.sizes for part in parts], axis=0),
        {metric: merge_numbers([part.numbers[metric] for part in parts]) for metric in first.numbers},
        {name: _named([part.attributes[name] for part in parts]) for name in first.attributes},
        _named([part.pages for part in parts]),
        {name: _happened([part.outcomes[name] for part in parts]) for name in first.outcomes},
    )


def _named(parts: Sequence[NamedCounts]) -> NamedCounts:
    """Add up named counts, sparse and unsorted: the names of the first part, then the new ones of each."""
    titles: dict[str, str | None] = {}
    for part in parts:
        for name, title in zip_longest(part.names, part.titles):
            titles.setdefault(name, title)
    places = dict(zip(titles, range(len(titles)), strict=True))
    at = [np.array([places[name] for name in part.names], np.int32) for part in parts]
    users, times = (
        _sum([getattr(part, which) for part in parts], at, len(places)) for which in ("users", "times")
    )
    return NamedCounts(tuple(places), users, times, tuple(titles.values()))


def _sum(tables: Sequence[np.ndarray | csr_array], at: Sequence[np.ndarray], n_names: int) -> csr_array:
    """Add up tables, given the place of each one's columns in the sum."""
    total = csr_array((tables[0].shape[0], n_names))
    for table, places in zip(tables, at, strict=True):
        cells = csr_array(table)
        total = total + csr_array((cells.data, places[cells.indices], cells.indptr), shape=total.shape)
    return total


def _happened(parts: Sequence[OutcomeTotals]) -> OutcomeTotals:
    users, sessions = (
        np.sum([getattr(part, name) for part in parts], axis=0) for name in ("users", "sessions")
    )
    if np.isnan([part.sessions for part in parts]).any():  # if unknown in a part, the sum is unknown
        sessions[users > 0] = np.nan
    currencies = sorted({currency for part in parts for currency in part.paid})
    paid = {
        currency: merge_numbers([part.paid[currency] for part in parts if currency in part.paid])
        for currency in currencies
    }
    refunds = {
        currency: np.sum([part.refunds[currency] for part in parts if currency in part.refunds], axis=0)
        for currency in sorted({currency for part in parts for currency in part.refunds})
    }
    arrived, refunded = (sum(getattr(part, name) for part in parts) for name in ("arrived", "refunded"))
    return OutcomeTotals(users, sessions, paid, arrived, refunds, refunded)


SHOWN: Final = 12
"""Most values that are listed of an attribute; the rarer ones are added up in one row."""
OTHER: Final = "(all other values)"

COLUMNS: Final = (
    *ROW, Col.ATTRIBUTE, Col.VALUE, Col.IS_OTHER, Col.USERS, Col.N, Col.SHARE, Col.REST_USERS, Col.REST_N,
    Col.REST_SHARE, Col.ABSENT, Col.EVIDENCE,
)  # fmt: skip


def attribute_shares(attributes: Mapping[str, NamedCounts], rows: Rows, sizes: np.ndarray) -> pd.DataFrame:
    """Share of each attribute value among the users of each row who have a value.

    Args:
        attributes: Attribute → users with each value.
        rows: The rows.
        sizes: Users of each row, float64 of shape (n_rows,).

    Returns:
        A row for each row, attribute and value, columns :data:`COLUMNS`. ``n`` counts the users with a value,
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
