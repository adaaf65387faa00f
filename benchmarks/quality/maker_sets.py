"""Sets of many makers: the demo shop, the made-up sites, real exports, each of so many users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from benchmarks.quality.case import NO_SEGMENT, Case, open_case
from benchmarks.quality.judge import TWINS
from benchmarks.sets import DEMO_SEED, REAL, SetSpec, demo_shop, prepare
from benchmarks.sites import DEV, HELD, write_site
from core.base.schema import Users
from core.storage.dataset import Dataset

DEMO: Final = "demo"
REAL_SETS: Final = {
    path.name.split(".")[0]: path for path in (*REAL, REAL[0].with_name("deskdrop_2016.csv.gz"))
}
SETS: Final = (DEMO, *DEV, *HELD, *REAL_SETS)


@dataclass(frozen=True)
class Made:
    """An export, and what its maker knows.

    Args:
        csv: The export.
        kinds: CSV of user and kind; None where nobody knows.
        twins: What alone tells two kinds apart → the two kinds.
    """

    csv: Path
    kinds: Path | None
    twins: Mapping[str, Sequence[str]]


def written(name: str, users: int, seed: int, folder: Path) -> Made:
    """Write a set of so many users, others for each seed, unless it is there."""
    place = folder / f"{users}-{seed}"
    place.mkdir(parents=True, exist_ok=True)
    if name == DEMO:
        csv = demo_shop(users, DEMO_SEED + seed, place)
        return Made(csv, csv.with_name(f"{csv.stem}.truth.csv"), TWINS)
    if name in REAL_SETS:
        return Made(some_users(REAL_SETS[name], users, place), None, {})
    files = write_site(name, place, users, 1 + seed)
    return Made(files.csv, files.users, files.twins)


def some_users(csv: Path, users: int, folder: Path) -> Path:
    """The export of some of the users, drawn at random."""
    rows = pd.read_csv(csv, dtype=str)
    ids = pd.Series(rows["user_pseudo_id"].unique())
    kept = ids.sample(min(users, len(ids)), random_state=0)
    out = folder / csv.name.removesuffix(".gz")
    rows[rows["user_pseudo_id"].isin(kept)].to_csv(out, index=False)
    return out


def open_made(made: Made, folder: Path) -> tuple[SetSpec, Case]:
    """Prepare and open a set: labels are the cascade's, the truth of users is the maker's."""
    spec = replace(prepare(made.csv, folder), truth=None)
    case = open_case(spec)
    if made.kinds is None:
        return spec, case
    truth = kinds_of(made.kinds, Dataset(spec.dataset, "bench"))
    return spec, replace(case, truth=truth, judged=case.judged & (truth != ""))


def kinds_of(path: Path, dataset: Dataset) -> np.ndarray:
    """The kind of each user, empty where there is none: object of shape (n_users,)."""
    kinds = pd.read_csv(path, dtype=str).set_index("user_pseudo_id").iloc[:, 0]
    found = kinds.reindex(dataset.users[Users.USER_ID]).fillna("").to_numpy(dtype=object)
    return np.where(np.isin(found, NO_SEGMENT), "", found)
