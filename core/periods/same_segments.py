"""Which segments of a training on a later export are those of the earlier model, and which are new or gone.

Vectors and centroids of two trainings cannot be compared, but the earlier model can place the users of the
later export too, by its centroids: the same users, cut in two ways. Nobody has to be in both exports. A
segment is the same one where the users overlap (:func:`core.segments.identity.continued`), more than chance
alone would have it, and where the same pages set it apart then and now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from core.base.schema import OUTSIDE, SET_ASIDE
from core.periods.placed_users import PlacedUsers
from core.profiles.profile_columns import Col
from core.segments.identity import DISSOLVED, chance, continued, likeness
from core.segments.partition import Partition

EARLIER, LATER, KEPT = "earlier", "later", "kept_as"
OVERLAP, PAGES_ALIKE, SAME = "overlap", "pages_alike", "same"
EARLIER_USERS = "earlier_users"
ALIKE: Final = 0.7
"""Correlation of page profiles from which on two segments can be the same."""


@dataclass(frozen=True, eq=False)
class SameSegments:
    """The segments of a later training under the ids of the earlier one, where they are the same.

    Args:
        table: One row a pair, or a segment without one: ``earlier`` and ``later`` id (absent where there is
            none), ``kept_as``, the later one's id from now on, ``earlier_users`` and ``users`` of the later
            export in each, their ``overlap`` (Jaccard index), how far their ``pages_alike`` (correlation of
            how many more of their users than of all saw each page, then and now), and whether they are the
            ``same``.
        partition: The later segments, relabelled.
        quality: Id → overlap, of the same ones.
        least: The overlap above which two are the same, if their pages are alike.
    """

    table: pd.DataFrame
    partition: Partition
    quality: Mapping[int, float]
    least: float


def same_segments(
    before: PlacedUsers, after: PlacedUsers, frozen: Partition, current: Partition
) -> SameSegments:
    """Match the segments of a later training.

    Args:
        before: The users of the training period in the frozen segments.
        after: Those of the later export in the frozen segments.
        frozen: The earlier model's segments.
        current: The later model's segments, of the users of the later export.

    Raises:
        ArtifactError: If the segments are not of those users.
    """
    k = len(frozen.ids)
    labels = np.where(after.place < k, frozen.ids[np.minimum(after.place, k - 1)], SET_ASIDE)
    placed = replace(frozen, labels=np.where(current.labels == OUTSIDE, OUTSIDE, labels).astype(np.int32))
    least = max(DISSOLVED, chance(placed, current))
    index, pages = likeness(placed, current), _alike(before, after, k, current)
    found = continued(placed, current, least, frozen.ids.tolist(), pages >= ALIKE)
    one, other = _pairs(index)
    beyond = ((0, 1), (0, 1))  # a row and a column of nobody, at −1
    table = pd.DataFrame({
        EARLIER: one, LATER: other,
        OVERLAP: np.pad(index, beyond, constant_values=np.nan)[one, other],
        PAGES_ALIKE: np.pad(pages, beyond, constant_values=np.nan)[one, other],
    })  # fmt: skip
    for column, ids in ((EARLIER, frozen.ids), (LATER, current.ids)):
        table[column] = table[column].map(dict(enumerate(ids.tolist()))).astype("Int32")
    table[KEPT] = table[LATER].map(_renamed(current, found.partition)).astype("Int32")
    table[EARLIER_USERS] = table[EARLIER].map(placed.sizes).astype("Int64")
    table[Col.USERS] = table[LATER].map(current.sizes).astype("Int64")
    table[SAME] = (table[OVERLAP] > least) & (table[PAGES_ALIKE] >= ALIKE)
    return SameSegments(table, found.partition, found.quality, least)


def _pairs(index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the segments that are most alike in all (Kuhn 1955); then those without a partner, −1."""
    before, after = linear_sum_assignment(index, maximize=True)
    gone = np.setdiff1d(np.arange(index.shape[0]), before)
    new = np.setdiff1d(np.arange(index.shape[1]), after)
    nobody = [np.full(len(part), -1) for part in (gone, new)]
    return np.concatenate([before, gone, nobody[1]]), np.concatenate([after, nobody[0], new])


def _renamed(current: Partition, under: Partition) -> dict[int, int]:
    """Id before → id after a relabelling."""
    inside = np.flatnonzero(current.labels > OUTSIDE)
    pairs = np.unique(np.stack([current.labels[inside], under.labels[inside]]), axis=1)
    return dict(zip(*pairs.tolist(), strict=True))


def _alike(before: PlacedUsers, after: PlacedUsers, k: int, current: Partition) -> np.ndarray:
    """Correlation of page profiles: float of shape (k, k_current), NaN where a profile says nothing."""
    place = np.where(current.labels > OUTSIDE, np.searchsorted(current.ids, current.labels), len(current.ids))
    profiles = [_profiles(before, before.place, k), _profiles(after, place, len(current.ids))]
    units = []
    for profile in profiles:
        apart = profile - profile.mean(axis=1, keepdims=True)
        length = np.linalg.norm(apart, axis=1, keepdims=True)
        units.append(np.divide(apart, length, out=np.full(apart.shape, np.nan), where=length > 0))
    found: np.ndarray = units[0] @ units[1].T
    return found


def _profiles(side: PlacedUsers, place: np.ndarray, k: int) -> np.ndarray:
    """How many more of the users of each segment saw each page than of all clustered users."""
    n_pages = len(side.pages.names)
    chosen = [np.flatnonzero(place == segment) for segment in range(k)] + [np.flatnonzero(place < k)]
    shares = np.array([
        np.bincount(side.pages.seen[users].indices, minlength=n_pages) / max(len(users), 1)
        for users in chosen
    ])  # fmt: skip
    apart: np.ndarray = shares[:-1] - shares[-1]
    return apart
