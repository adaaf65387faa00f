"""Two saved segmentations beside each other: who moved, how far they agree, what was set otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.metrics import adjusted_rand_score

from core.base.schema import View
from core.base.settings import OutcomeCount
from core.desk.controls import percentages
from core.desk.saved_runs import SavedRun
from core.facts.answer import ARROW
from core.periods.placed_users import in_both
from core.profiles.outcomes import label_of

VIEWS: Final = {
    View.URL: "pages", View.THEME: "page themes", View.TYPE: "page types", View.ACTIVITY: "activity",
}  # fmt: skip
COUNTS: Final = {OutcomeCount.ANY: "all that a user did", OutcomeCount.FIRST: "the first only"}


@dataclass(frozen=True, eq=False)
class RunComparison:
    """What two runs have in common.

    Args:
        both: Users who are in both data sets.
        in_segments: Of these, those whom both put into a segment.
        agreement: Adjusted Rand index over ``in_segments`` (Hubert, Arabie 1985); NaN where it says nothing:
            nobody is in both, or one run has a single segment.
        moves: Users of ``in_segments``, int of shape (segments of the first, segments of the second).
        settings: What was set otherwise: columns ``setting``, ``first``, ``second``.
    """

    both: int
    in_segments: int
    agreement: float
    moves: pd.DataFrame
    settings: pd.DataFrame


def compare_runs(
    first: SavedRun, second: SavedRun, users: tuple[pa.Array, pa.Array], labels: tuple[np.ndarray, np.ndarray]
) -> RunComparison:
    """Hold two runs against each other, user by user.

    Args:
        first: One run.
        second: Another one, of the same data set or not.
        users: The ids of each one's users, exactly as in the files.
        labels: The segment of each of them, int of shape (n_users,); below 0 in none.
    """
    here, there = in_both(*users)
    mine, theirs = labels[0][here], labels[1][there]
    both = (mine >= 0) & (theirs >= 0)
    mine, theirs = mine[both], theirs[both]
    said = len(mine) and np.ptp(mine) and np.ptp(theirs)
    return RunComparison(
        both=len(here),
        in_segments=len(mine),
        agreement=float(adjusted_rand_score(mine, theirs)) if said else float("nan"),
        moves=pd.crosstab(mine, theirs).reindex(
            index=sorted(first.sizes), columns=sorted(second.sizes), fill_value=0
        ),
        settings=_settings(first, second),
    )


def _settings(first: SavedRun, second: SavedRun) -> pd.DataFrame:
    one, other = (_told(run) for run in (first, second))
    names = [name for name in one if one[name] != other[name]]
    return pd.DataFrame(
        {"setting": names, "first": [one[name] for name in names], "second": [other[name] for name in names]}
    )


def _told(run: SavedRun) -> dict[str, str]:
    """What is set in a run, a line each, called what the screen calls it."""
    held, weights = run.controls, run.controls.weights
    shares = percentages(weights, tuple(View))
    told: dict[str, object] = {
        "Data set": run.title, "Key of the data set": run.dataset, "Key of the model": run.model,
        "Number of segments": held.n_clusters,
        **{f"Weight of {name}": f"{shares[view]} %" for view, name in VIEWS.items()},
        "Weights count as they are": weights.insist,
        "Outcome": None if held.outcomes is None else label_of(held.outcomes) or "none",
        "Of several outcomes": COUNTS[held.outcome_counts],
        "Pages told apart by": held.level,
        "Funnel": held.funnel and ARROW.join(step.title for step in held.funnel.steps),
        "Filter": held.counted.in_words, "Rule of your own": held.rule and held.rule.words(),
        "Names without support": held.named_anyway,
    }  # fmt: skip
    return {name: _in_words(value) for name, value in told.items()}


def _in_words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value else "not chosen"
