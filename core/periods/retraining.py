"""Is it time to train again? Answered with figures and stated limits, none of them a test.

A changed mix of users is no reason: the model places them as well as before, and that they moved is the
finding. A model is worn out where it does not know the pages, or where users lie far from all it has seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.periods.drift import Drift
from core.periods.placed_users import FAR_SHARE
from core.periods.training_period import DriftFigure, TrainingPeriod

UNKNOWN_MORE: Final = 0.1
"""Share of a user's page views on unknown pages, beyond that in the training period, from which to train."""
FAR_FROM: Final = 2 * FAR_SHARE
"""Share of the clustered users far from every centroid, from which on to train."""
FEWEST_USERS: Final = 100
"""Users of the training period a segment, below which far users speak for nothing: centroids lie so near
to the few that they are means of that any other users are far (measured: docs/method.md)."""


class Worn(StrEnum):
    """What a model is worn out by."""

    UNKNOWN = "unknown"
    FAR = "far"


@dataclass(frozen=True)
class Wear:
    """How worn a model is.

    Args:
        unknown: Share of a user's page views that are on pages the model does not know, mean over the users.
        unknown_before: The same in the training period, of a model of all the other users.
        far: Share of the clustered users who are far from every centroid; :data:`FAR_SHARE` before.
        enough: Whether there were :data:`FEWEST_USERS` a segment, so that those far can be held against it.
    """

    unknown: float
    unknown_before: float
    far: float
    enough: bool

    @property
    def by(self) -> tuple[Worn, ...]:
        """What speaks for another training; nothing where the model is still good."""
        found = {
            Worn.UNKNOWN: self.unknown >= self.unknown_before + UNKNOWN_MORE,
            Worn.FAR: self.enough and self.far >= FAR_FROM,
        }
        return tuple(one for one, true in found.items() if true)


def wear(period: TrainingPeriod, found: Drift) -> Wear:
    """Read it off the figures.

    Args:
        period: The training period.
        found: The later export beside it.
    """
    unknown_before, unknown = found.of(DriftFigure.UNKNOWN)
    _, far = found.of(DriftFigure.FAR)
    return Wear(unknown, unknown_before, far, enough=period.clustered >= FEWEST_USERS * period.k)
