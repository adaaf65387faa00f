"""Two saved segmentations beside each other: who moved, how far they agree, what was set otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.metrics import adjusted_rand_score

from core.desk.saved_runs import SavedRun
from core.periods.migration import in_both


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
    one, other = (_flat(run) for run in (first, second))
    names = [name for name in one if one[name] != other.get(name)]
    return pd.DataFrame(
        {"setting": names, "first": [one[name] for name in names], "second": [other[name] for name in names]}
    )


def _flat(run: SavedRun) -> dict[str, str]:
    """What can be told of a run's settings, a line each."""
    made = {"data set": run.title, "dataset key": run.dataset, "model key": run.model}
    dumped: Mapping[str, object] = run.controls.model_dump(mode="json")
    weights = dumped["weights"]
    assert isinstance(weights, dict)
    flat = {**dumped, **{f"weights.{name}": value for name, value in weights.items()}}
    return made | {name: str(value) for name, value in flat.items() if name not in ("weights", "segments")}
