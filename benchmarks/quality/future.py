"""What users do after a date, told from what they did before it: the vectors beside the simple ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_predict
from sklearn.preprocessing import StandardScaler

from benchmarks.quality.case import Case, open_case
from benchmarks.quality.judge import mix
from benchmarks.quality.methods import CASCADE, SIMPLE, folder_of, load, load_coverage, make
from benchmarks.sets import prepare
from core.base.schema import Users
from core.base.settings import Preset, ViewWeights
from core.storage.dataset import Dataset

DATE: Final = pd.Timestamp("2016-09-01")
AWAY: Final = pd.Timedelta(days=60)
"""Time after the date from which a page view counts as a return."""
EVENTS: Final = ("like", "bookmark")
STRENGTHS: Final = (1e-4, 1e-3, 1e-2, 0.1, 1.0)
FOLDS: Final = 5
RESAMPLES: Final = 300


def future(csv: Path, seeds: int, preset: Preset, folder: Path) -> list[dict[str, str]]:
    """Train on what was before the date, and predict what came after it; run it in a child process.

    Returns:
        A row a method: AUC for each outcome, cross-validated over the users, and the mean.
    """
    rows = pd.read_csv(csv, dtype=str)
    at = pd.to_datetime(rows["event_timestamp"].astype("int64"), unit="us")
    before = folder / preset / "before" / csv.name.removesuffix(".gz")
    before.parent.mkdir(parents=True, exist_ok=True)
    rows[at < DATE].to_csv(before, index=False)
    spec = prepare(before, before.parent)
    case = open_case(spec)
    who = np.flatnonzero(case.judged)
    ids = Dataset(spec.dataset, "bench").users[Users.USER_ID].to_numpy()[who]
    truth = outcomes(rows, at, ids)
    activity = {"activity": activity_of(case, who)}
    found: dict[str, list[np.ndarray]] = {"activity": [told(activity["activity"], truth)]}
    for method in (*SIMPLE, CASCADE):
        for seed in range(seeds if method == CASCADE else 1):
            place = folder_of(spec, method, seed)
            if not (place / "vectors.npz").exists():
                make(spec, method, seed, preset)
            vectors = mix(case, load(place), ViewWeights(), load_coverage(place))["users"][who]
            scaled = vectors / vectors.std()
            found.setdefault(method, []).append(told(scaled, truth))
            both = np.hstack([scaled, activity["activity"]])
            found.setdefault(f"{method}, with activity", []).append(told(both, truth))
    return table(found, truth)


def outcomes(rows: pd.DataFrame, at: pd.Series, ids: np.ndarray) -> dict[str, np.ndarray]:
    """Outcome → which of the users have it after the date: bool of shape (n_users,)."""

    def of(chosen: pd.Series) -> np.ndarray:
        return np.isin(ids, rows.loc[chosen, "user_pseudo_id"].unique())

    views = rows["event_name"] == "page_view"
    return {"returns": of(views & (at >= DATE + AWAY))} | {
        name: of((rows["event_name"] == name) & (at >= DATE)) for name in EVENTS
    }


def activity_of(case: Case, who: np.ndarray) -> np.ndarray:
    """Five standardised features of users: views, pages, sessions, days since the first and last view."""
    sequences = case.sequences
    first, last = sequences.timestamp[sequences.offsets[:-1]], sequences.timestamp[sequences.offsets[1:] - 1]
    days = (DATE.value // 1000 - np.stack([first, last])) / 86_400e6
    seen = pd.DataFrame({"user": sequences.user, "page": sequences.page, "session": sequences.session})
    counts = seen.groupby("user").agg({"page": ["size", "nunique"], "session": "nunique"}).to_numpy()
    features = np.log1p(np.column_stack([counts, np.maximum(days.T, 0)]))[who]
    scaled: np.ndarray = StandardScaler().fit_transform(features)
    return scaled


def told(
    features: np.ndarray | sparse.csr_array,
    truth: Mapping[str, np.ndarray],
    strengths: Sequence[float] = STRENGTHS,
) -> np.ndarray:
    """Cross-validated decision values for each outcome: float of shape (n_outcomes, n_users).

    Args:
        features: A row a user.
        truth: Outcome → bool of shape (n_users,).
        strengths: Values of C that the logistic regression chooses from.
    """
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    read = GridSearchCV(LogisticRegression(max_iter=2000), {"C": strengths}, scoring="roc_auc", cv=3)
    return np.array(
        [
            cross_val_predict(read, features, one, cv=folds, method="decision_function")
            for one in truth.values()
        ]
    )


def table(found: Mapping[str, list[np.ndarray]], truth: Mapping[str, np.ndarray]) -> list[dict[str, str]]:
    """Rows of the table: AUC of each outcome and their mean, with a percentile bootstrap over users.

    Args:
        found: Method → result of :func:`told` for each seed.
        truth: Outcome → bool of shape (n_users,).
    """
    n_users = len(next(iter(truth.values())))
    rng = np.random.default_rng(0)
    drawn = [np.arange(n_users), *rng.integers(n_users, size=(RESAMPLES, n_users))]
    rows = []
    for method, seeds in found.items():
        aucs = np.array([[aucs_of(one[:, users], truth, users) for one in seeds] for users in drawn]).mean(
            axis=1
        )
        low, high = np.quantile(aucs[1:].mean(axis=1), (0.025, 0.975))
        cells = {name: f"{value:.3f}" for name, value in zip(truth, aucs[0], strict=True)}
        rows.append(
            {"after the cut": method, **cells, "mean (95 %)": f"{aucs[0].mean():.3f} ({low:.3f}–{high:.3f})"}
        )
    return rows


def aucs_of(values: np.ndarray, truth: Mapping[str, np.ndarray], users: np.ndarray) -> list[float]:
    """AUC of each outcome among some users."""
    return [
        float(roc_auc_score(one[users], value)) for one, value in zip(truth.values(), values, strict=True)
    ]
