"""Audiences by hand: users are small numbers."""

from __future__ import annotations

from core.ingest.clean.audience import Audience, Tail
from core.ingest.clean.masking import Masking

PUBLIC_TAIL = Tail(0.5, 0.15)
"""Half of the rare pages were seen by one user, hardly any of those that were seen again."""


def audience(*users: int, views: int = 0) -> Audience:
    """Who saw something, once each unless ``views`` says otherwise."""
    buckets = 0
    for user in users:
        buckets |= 1 << user % 64
    return Audience(views or len(users), min(users), max(users), buckets)


def found(tail: Tail = PUBLIC_TAIL, *, keep: tuple[str, ...] = (), mask: tuple[str, ...] = ()) -> Masking:
    """Nothing found yet."""
    return Masking(tail, public=3, regions=("DE",), keep=keep, mask=mask)
