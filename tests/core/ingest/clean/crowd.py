"""Crowds by hand: users are small numbers."""

from __future__ import annotations

from core.ingest.clean.crowds import Crowd, Tail
from core.ingest.clean.found import Found

PUBLIC_TAIL = Tail(0.5, 0.15)
"""Half of the rare pages were seen by one user, hardly any of those that were seen again."""


def crowd(*users: int, views: int = 0) -> Crowd:
    """Who saw something, once each unless ``views`` says otherwise."""
    buckets = 0
    for user in users:
        buckets |= 1 << user % 64
    return Crowd(views or len(users), min(users), max(users), buckets)


def found(tail: Tail = PUBLIC_TAIL, *, keep: tuple[str, ...] = (), mask: tuple[str, ...] = ()) -> Found:
    """Nothing found yet."""
    return Found(tail, public=3, regions=("DE",), keep=keep, mask=mask)
