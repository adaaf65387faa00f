"""Compare how well the segments and the best simple facet predict who has the outcome, on the same users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from core.base.wording import uncapitalised
from core.profiles.facet_definitions import Kind, question_of
from core.profiles.facets import Facets, ShareInterval, learning_half, outcome_auc
from core.segments.edits import chosen_segments
from core.segments.partition import Partition

_CHANCE: Final = 0.5


@dataclass(frozen=True)
class OutcomePrediction:
    """How well the segments predict the outcome, compared with the best facet.

    Args:
        outcome: Name of the outcome.
        kind: The facet that predicts it best among the users that rates are learned from.
        facet: AUC of this facet, on held-out clustered users.
        segments: AUC of the segments, on the same users.
        given_away: Whether the segments have read pages that give the outcome away.
    """

    outcome: str
    kind: Kind
    facet: ShareInterval
    segments: ShareInterval
    given_away: bool

    @property
    def sentence(self) -> str:
        """Which of the two predicts the outcome better, in words, or that this is not known."""
        asked, outcome = question_of(self.kind), self.outcome
        facet, segments = f"(AUC {_text(self.facet)})", f"({_text(self.segments)})"
        if self.facet.low > max(self.segments.high, _CHANCE):
            though = ", although these were made from pages that give it away" if self.given_away else ""
            said = f"{asked} predicts {outcome} better {facet} than the segments do {segments}{though}."
        elif self.given_away:
            return (
                f"The segments were made from pages that give {outcome} away: how well they predict it says "
                "nothing."
            )
        elif self.segments.low > max(self.facet.high, _CHANCE):
            said = (
                f"The segments predict {outcome} better {segments} than any facet does; the best is "
                f"{uncapitalised(asked)} {facet}."
            )
        elif max(self.facet.low, self.segments.low) <= _CHANCE:
            said = (
                f"Neither the segments {segments} nor {uncapitalised(asked)} {facet} are shown to predict "
                f"{outcome} better than chance, 0.5."
            )
        else:
            said = (
                f"{asked} predicts {outcome} about as well {facet} as the segments do {segments}: the "
                "intervals overlap."
            )
        return f"{said} Measured on {self.segments.users:,} clustered users, the rates learned from others."

    def to_dict(self) -> dict[str, Any]:
        """Plain data for ``clusters.json``, under ``segments_tell_outcome``."""
        beside = {"kind": str(self.kind), **vars(self.facet)}
        return {
            **vars(self.segments), "given_away": self.given_away, "best_facet": beside, "text": self.sentence,
        }  # fmt: skip


def predict_outcome(found: Facets, partition: Partition) -> OutcomePrediction | None:
    """Measure how well the segments and the best facet predict the outcome.

    The best facet is chosen on the users that rates are learned from, among those that are not made of the
    outcome (:attr:`~core.profiles.facets.Facet.tells_outcome`).

    Args:
        found: The facets.
        partition: The segments.

    Returns:
        None without an outcome or a facet to compare, with too few held-out users with or without it, and for
        segments made of chosen users or of a facet, which may be that of the outcome.
    """
    if chosen_segments(partition.edits):
        return None
    learners, held_out = _halves(partition)
    told = _segments_tell(found, partition)
    levels = {  # users without a level count as one more level, so that all AUCs are of the same users
        kind: facet.level + 1 for kind, facet in found.facets.items() if facet.tells_outcome
    }
    known = {kind: outcome_auc(level, learners, learners, found.had) for kind, level in levels.items()}
    values = {kind: share.value for kind, share in known.items() if share}
    if told is None or not values:
        return None
    best = max(values, key=values.__getitem__)
    facet = outcome_auc(levels[best], learners, held_out, found.had)
    return OutcomePrediction(found.outcome, best, facet, told, found.given_away) if facet else None


def _segments_tell(found: Facets, partition: Partition) -> ShareInterval | None:
    """AUC of the segments for the outcome, on held-out clustered users; None with too few."""
    return outcome_auc(partition.labels, *_halves(partition), found.had)


def prediction_change(found: Facets, now: Partition, then: Partition, change: str) -> str:
    """Say how well segments predict the outcome before and after a change, on the same held-out users.

    Args:
        found: The facets, with the outcome.
        now: The segments.
        then: The segments after the change, of the same users.
        change: The change in words, to follow "with".

    Returns:
        A sentence, also where this is not known or has no meaning.
    """
    before, after = (_segments_tell(found, partition) for partition in (now, then))
    if found.given_away:
        return f"Pages give {found.outcome} away, so that how well segments tell it would say nothing."
    if before is None or after is None:
        return f"Too few of the users held out have {found.outcome}, or have it not, to say what changes."
    return (
        f"How well segments tell {found.outcome}: AUC {before.value:.2f} now ({_interval(before)}), "
        f"{after.value:.2f} with {change} ({_interval(after)}); 0.5 is chance. "
        f"Counted on {before.users:,} clustered users held out."
    )


def _halves(partition: Partition) -> tuple[np.ndarray, np.ndarray]:
    """The clustered users that rates are learned from, and the held-out ones: two bool (n_users,)."""
    clustered, half = partition.labels >= 0, learning_half(len(partition.labels))
    return clustered & half, clustered & ~half


def _text(auc: ShareInterval) -> str:
    return f"{auc.value:.2f}, {_interval(auc)}"


def _interval(auc: ShareInterval) -> str:
    return f"{auc.low:.2f} to {auc.high:.2f}"
