"""Is it time to train again? Answered with figures and stated limits, none of them a test.

A changed mix of users is no reason: the model places them as well as before, and that they moved is the
finding. A model is worn out where it does not know the pages, where users lie far from all it has seen, or
where its segments are no longer how these users would be cut.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np

from core.base.errors import Beha2VecError
from core.base.schema import OUTLIER
from core.periods.placed_users import FAR_SHARE, PlacedUsers
from core.segments.identity import DISSOLVED, found_again
from core.segments.partition import Partition

UNKNOWN_MORE: Final = 0.1
"""Share of the page views on unknown pages beyond that in the training period, from which on to train."""
FAR_FROM: Final = 2 * FAR_SHARE
"""Share of the clustered users far from every centroid, from which on to train."""
MOST_USERS: Final = 20_000
"""Users of a side that segments are looked for among."""
FEWEST_USERS: Final = 20
"""Users a segment, below which it is not said whether segments are found again."""


class Worn(StrEnum):
    """What a model is worn out by."""

    UNKNOWN = "unknown"
    FAR = "far"
    LOST = "lost"


@dataclass(frozen=True)
class Wear:
    """How worn a model is.

    Args:
        unknown: Share of the page views of the later export on pages the model does not know.
        unknown_before: The same in the training period, of a model of all the other users.
        far: Share of the clustered users who are far from every centroid; :data:`FAR_SHARE` before.
        found: Segment → Jaccard index with what the later users alone are cut into; empty where they are too
            few to be cut.
        found_before: The same of a random half of the users of the training period.
    """

    unknown: float
    unknown_before: float
    far: float
    found: Mapping[int, float]
    found_before: Mapping[int, float]

    @property
    def lost(self) -> tuple[int, ...]:
        """Segments that other users of then lead to again, and users of now do not (Hennig 2007)."""
        return tuple(
            segment
            for segment, index in self.found.items()
            if index <= DISSOLVED < self.found_before.get(segment, 0)
        )

    @property
    def by(self) -> tuple[Worn, ...]:
        """What speaks for another training; nothing where the model is still good."""
        found = {
            Worn.UNKNOWN: self.unknown >= self.unknown_before + UNKNOWN_MORE,
            Worn.FAR: self.far >= FAR_FROM,
            Worn.LOST: bool(self.lost),
        }
        return tuple(one for one, true in found.items() if true)


def wear(before: PlacedUsers, after: PlacedUsers, partition: Partition, limit: float, seed: int = 0) -> Wear:
    """Measure it.

    Args:
        before: The users of the training period.
        after: Those of the later export.
        partition: The frozen segments.
        limit: The distance called far.
        seed: Of the draw of users.
    """
    rng = np.random.default_rng(seed)
    sides = [np.flatnonzero(side.clustered) for side in (before, after)]
    half = rng.permutation(sides[0])[: min(len(sides[0]) // 2, MOST_USERS)]
    return Wear(
        unknown=_share(after.unknown, after.pages.views),
        unknown_before=_share(before.unknown, before.pages.views),
        far=float(after.far(limit)[sides[1]].mean()) if len(sides[1]) else float("nan"),
        found=_found(after, rng.permutation(sides[1])[:MOST_USERS], partition),
        found_before=_found(before, half, partition),
    )


def _share(part: np.ndarray, whole: np.ndarray) -> float:
    return float(part.sum() / whole.sum()) if whole.sum() else float("nan")


def _found(side: PlacedUsers, users: np.ndarray, partition: Partition) -> Mapping[int, float]:
    """How much of each segment there is in what some users lead to by the same settings."""
    if len(users) < FEWEST_USERS * len(partition.ids):
        return {}
    place, k = side.place[np.sort(users)], len(partition.ids)
    labels = np.where(place < k, partition.ids[np.minimum(place, k - 1)], OUTLIER).astype(np.int32)
    try:
        return found_again(replace(partition, labels=labels), side.vectors[np.sort(users)])
    except Beha2VecError:  # fewer different users than segments
        return {}
