"""Small exports that can be checked by eye."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from core.base.schema import View
from core.base.settings import TrainSettings
from core.model.inputs import TokenStreams
from core.storage.sequences import UserSequences

TINY = TrainSettings(
    epochs=1, batch_size=32, hidden_dim=16, heads=2, feedforward_dim=16, embedding_dim=8, min_count=1
)
"""Trains in a moment."""


def sequences_of(
    users: Mapping[str, Sequence[int]],
    seconds: Mapping[str, Sequence[float]] | None = None,
    sessions: Mapping[str, Sequence[int]] | None = None,
) -> UserSequences:
    """Page indices a user; ten seconds apart in one session unless said otherwise."""
    ids = sorted(users)
    lengths = [len(users[name]) for name in ids]
    times = [(seconds or {}).get(name, [10.0 * place for place in range(len(users[name]))]) for name in ids]
    visits = [(sessions or {}).get(name, [0] * len(users[name])) for name in ids]
    return UserSequences(
        user_id=pa.array(ids, pa.string()),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        page=np.concatenate([users[name] for name in ids]).astype(np.int32),
        timestamp=(np.concatenate(times) * 1e6).astype(np.int64),
        session=np.concatenate(visits).astype(np.int32),
    )


def pages_of(urls: Sequence[str]) -> dict[View, list[str]]:
    """Pages without labels."""
    return {View.URL: list(urls)}


SHOP_URLS = [f"https://shop.example/{part}/{number}" for part in ("shoes", "books") for number in range(8)]


def shop(users: int, seed: int = 0, shortest: int = 4, longest: int = 12) -> UserSequences:
    """Users of a shop: those with an even number look at shoes (pages 0-7), the others at books (8-15)."""
    rng = np.random.default_rng(seed)
    views = {
        f"u{number:04d}": (
            rng.integers(0, 8, rng.integers(shortest, longest + 1)) + 8 * (number % 2)
        ).tolist()
        for number in range(users)
    }
    return sequences_of(views)


def streams_of(items: Sequence[int], gaps: Sequence[int] | None = None) -> TokenStreams:
    """Token streams with items 2, 3, … and no context."""
    n_views = len(items)
    return TokenStreams(
        items=np.asarray(items, np.int32),
        transitions=np.ones(n_views, np.int32),
        gaps=np.asarray(gaps if gaps is not None else [3] * n_views, np.uint8),
        session_starts=np.zeros(n_views, np.uint8),
        groups=np.asarray(items, np.int32),
        labelled_before=np.arange(n_views + 1),
    )
