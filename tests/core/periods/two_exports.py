"""Two exports at random: users on a circle, whose side says their segment, and pages called by letters."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from core.base.schema import OUTSIDE
from core.base.settings import ClusterSettings
from core.periods.placed_users import PlacedUsers, seen_pages
from core.segments.clustering import assign
from core.segments.partition import Partition
from core.storage.sequences import UserSequences

NAMES = ("A", "B", "C", "D", "E", "F")
KNOWN = frozenset("ABCD")


def sequences(rng: np.random.Generator, users: np.ndarray, pages: int = len(NAMES)) -> UserSequences:
    """One to six page views a user, in sessions of one or two."""
    lengths = rng.integers(1, 7, len(users))
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    place = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
    page = rng.integers(0, pages, offsets[-1]).astype(np.int32)
    ids = pa.array([f"u{user}" for user in users])
    return UserSequences(ids, offsets, page, place * 1_000_000, (place // 2).astype(np.int32))


def partition(n: int, k: int = 3) -> Partition:
    """Segments 2, 4, … around the first axes; of nobody yet."""
    ids = (2 * np.arange(1, k + 1)).astype(np.int32)
    nobody = np.full(n, OUTSIDE, dtype=np.int32)
    middles = np.eye(4, dtype=np.float32)[:k]
    return Partition(nobody, middles, ids, 0.0, 1, False, ClusterSettings(n_clusters=k))


def two_exports(
    seed: int, n: int = 60, shift: float = 0.0, k: int = 3, min_count: int | None = None
) -> tuple[PlacedUsers, PlacedUsers, list[UserSequences]]:
    """Users u0 … of the first export, and of a later one that begins in their middle.

    Args:
        seed: Of everything.
        n: Users of each.
        shift: Added to the first number of later users.
        k: Segments.
        min_count: As of :meth:`PlacedUsers.of`, for the first export.
    """
    rng = np.random.default_rng(seed)
    made = [sequences(rng, np.arange(n)), sequences(rng, np.arange(n // 2, n // 2 + n))]
    pages = seen_pages([(one, NAMES) for one in made], KNOWN)
    sides = []
    for number, (one, seen) in enumerate(zip(made, pages, strict=True)):
        rows = rng.normal(size=(n, 4)).astype(np.float32)
        rows[:, 0] += shift * number
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        labels = assign(rows, partition(n, k))
        labels[one.lengths < 2] = OUTSIDE
        sides.append(PlacedUsers.of(one, rows, labels, partition(n, k), seen, None if number else min_count))
    return sides[0], sides[1], made
