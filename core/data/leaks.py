"""Pages that give an outcome away: who sees one has the outcome already, or is about to in a moment.

A model that reads such a page knows the outcome, so segments made with it differ in the outcome by how they
were made.
"""

from __future__ import annotations

from typing import Final

import numpy as np

LEAK_USERS: Final = 20
"""Visitors that a page has at least; on fewer nothing can be said."""
LEAK_SHARE: Final = 0.95
"""Share of a page's visitors with the outcome from which on the page is as good as the outcome …"""
LEAK_REACH: Final = 0.8
"""… if this share of everybody with the outcome has been there, at any time."""
AT_REACH: Final = 0.5
"""Or: this share of everybody with the outcome saw the page first at the outcome or later …"""
AT_SECONDS: Final = 10
"""… (an event is sent some seconds after the page that it confirms has opened) …"""
AT_LIFT: Final = 2.0
"""… and its visitors have the outcome so many times as often as all users, whatever else brings them."""


def leaking_pages(
    user: np.ndarray,
    page: np.ndarray,
    timestamp: np.ndarray,
    n_pages: int,
    converted: np.ndarray,
    first_ts: np.ndarray,
) -> np.ndarray:
    """Find the pages that give an outcome away.

    Args:
        user: int of shape (n_views,), ascending; a user's page views in order.
        page: int of shape (n_views,), below ``n_pages``.
        timestamp: int64 of shape (n_views,), microseconds.
        n_pages: Number of pages.
        converted: int of shape (n_converted,), users with the outcome, ascending.
        first_ts: int64 of shape (n_converted,), when each had it first.

    Returns:
        Indices of such pages, ascending.
    """
    users = np.unique(user)
    known = np.isin(converted, users)
    converted, first_ts = converted[known], first_ts[known]
    if not len(converted):
        return np.zeros(0, np.int64)
    half = AT_REACH * len(converted)
    enough = np.bincount(page[np.isin(user, converted)], minlength=n_pages) >= half  # no other page can
    user, page, timestamp = (column[enough[page]] for column in (user, page, timestamp))
    pairs, first = np.unique(user.astype(np.int64) * n_pages + page, return_index=True)
    visitor, visited = np.divmod(pairs, n_pages)
    place = np.minimum(np.searchsorted(converted, visitor), len(converted) - 1)
    has = converted[place] == visitor
    late = has & (timestamp[first] >= first_ts[place] - AT_SECONDS * 1_000_000)
    visitors, having, at = (
        np.bincount(visited[which], minlength=n_pages) for which in (slice(None), has, late)
    )
    everywhere = (having >= LEAK_SHARE * visitors) & (having >= LEAK_REACH * len(converted))
    lift = having * len(users) >= AT_LIFT * visitors * len(converted)
    return np.flatnonzero((visitors >= LEAK_USERS) & (everywhere | (lift & (at >= half))))
