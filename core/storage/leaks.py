"""Detect pages that leak an outcome: their visitors have it already, or will have it within seconds.

A model that reads such a page knows the outcome, so segments made with it differ in the outcome by
construction. Pages are tested alone and in groups that share a template, or an address but for ids and masked
values: a confirmation may have an address for each language and kind of order. A "place" is a page or group.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

_LEAK_USERS: Final = 20
"""Fewest visitors of a place that is tested by its shares (first and second rule)."""
_LEAK_SHARE: Final = 0.95
"""First rule: least share of the visitors who have the outcome."""
_LEAK_REACH: Final = 0.8
"""First rule: least share of users with the outcome who visited the place, at any time."""
_AT_REACH: Final = 0.5
"""Second rule: least share of users with the outcome whose first visit is at the outcome or later."""
_AT_SECONDS: Final = 10
"""Seconds from the outcome that count as at it: an event is sent some seconds after its page has opened."""
_AT_LIFT: Final = 2.0
"""Second and third rule: least lift of the outcome among the visitors, against all users."""
_AT_SHARE: Final = 0.5
"""Third rule, for any number of visitors: least share of them whose first visit is at the outcome."""
_AT_CHANCE: Final = 0.01
"""Third rule: highest probability of that by chance at any tested place (bounded, Bonferroni)."""

_VALUE: Final = re.compile(r"[^/?&=]*[\d{][^/?&=]*")
"""Part of an address that holds a digit or a masked value."""


def leaking_pages(
    user: np.ndarray,
    page: np.ndarray,
    timestamp: np.ndarray,
    pages: Sequence[str],
    converted: np.ndarray,
    first_ts: np.ndarray,
    templates: Sequence[str] = (),
) -> np.ndarray:
    """Find the pages that leak an outcome: their visitors have it already, or will have it within seconds.

    Pages that share a template, or an address but for ids, are also tested together.

    Args:
        user: int of shape (n_views,), ascending; a user's page views in order.
        page: int of shape (n_views,), index into ``pages``.
        timestamp: int64 of shape (n_views,), microseconds.
        pages: Address of each page.
        converted: int of shape (n_converted,), users with the outcome, ascending; without views they are
            ignored.
        first_ts: int64 of shape (n_converted,), microseconds, each one's first outcome.
        templates: Path template of each page; empty if not known.

    Returns:
        Indices of the leaking pages, ascending.
    """
    known = np.isin(converted, user)
    converted, first_ts = converted[known], first_ts[known]
    found = np.zeros(len(pages), dtype=bool)
    if len(converted):
        names = (pages, [_VALUE.sub("{}", address) for address in pages], templates)
        places = (pd.factorize(np.array(ways, dtype=object))[0] for ways in names if len(ways))
        for place in {codes.tobytes(): codes for codes in places}.values():
            found |= _leaking(user, place[page], timestamp, place.max() + 1, converted, first_ts)[place]
    return np.flatnonzero(found)


def _leaking(
    user: np.ndarray, place: np.ndarray, timestamp: np.ndarray, n_places: int, converted: np.ndarray,
    first_ts: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """Whether each place leaks the outcome: bool of shape (n_places,)."""
    n_users = 1 + np.count_nonzero(np.diff(user))
    row = np.minimum(np.searchsorted(converted, user), len(converted) - 1)
    has = converted[row] == user
    after = np.where(has, timestamp - first_ts[row], np.iinfo(np.int64).min) / 1_000_000
    half = _AT_REACH * len(converted)  # a place that neither comes near it nor lies at it is not looked at
    looked_at = np.bincount(place[np.abs(after) <= _AT_SECONDS], minlength=n_places) > 0
    looked_at |= np.bincount(place[has], minlength=n_places) >= half
    rows = np.flatnonzero(looked_at[place])
    seen_before = pd.Series(user[rows].astype(np.int64) * n_places + place[rows]).duplicated().to_numpy()
    first = rows[~seen_before]
    visited, has, after = place[first], has[first], after[first]
    late, at = after >= -_AT_SECONDS, np.abs(after) <= _AT_SECONDS
    visitors, having, later, there = (
        np.bincount(visited[which], minlength=n_places) for which in (slice(None), has, late, at)
    )
    everywhere = (having >= _LEAK_SHARE * visitors) & (having >= _LEAK_REACH * len(converted))
    lift = having * n_users >= _AT_LIFT * visitors * len(converted)
    by_chance = _at_least(there, visitors, at.mean() if len(at) else 0.0) * np.count_nonzero(looked_at)
    few = looked_at & (there >= _AT_SHARE * visitors) & (by_chance <= _AT_CHANCE)
    leaking: np.ndarray = few & lift | (visitors >= _LEAK_USERS) & (everywhere | (lift & (later >= half)))
    return leaking


def _at_least(hits: np.ndarray, draws: np.ndarray, chance: float) -> np.ndarray:
    """Bound the probability of so many hits or more by exp(−n · KL(share ‖ chance)) (Hoeffding 1963)."""
    share = np.maximum(hits / np.maximum(draws, 1), chance)
    divergence = _term(share, chance) + _term(1 - share, 1 - chance)
    bound: np.ndarray = np.exp(-draws * divergence)
    return bound


def _term(share: np.ndarray, expected: float) -> np.ndarray:
    ratio = np.divide(share, expected, out=np.ones_like(share), where=(share > 0) & (expected > 0))
    term: np.ndarray = share * np.log(ratio)
    return term
