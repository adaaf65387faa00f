"""Print how often the verdict on segments is right, and how often a certificate's interval holds.

    python -m benchmarks.evidence [--seeds N] [--users N] [--worlds N]

Planted: users of four kinds, each at home in a part of the site, three views in ten elsewhere. Shuffled: the
same users with their pages dealt anew. Intervals: segments of Gaussian groups, whose index with the segments
of fresh users is known.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import click
import numpy as np
import pandas as pd
import pyarrow as pa

from core.base.settings import ClusterSettings
from core.segments.certificate import certify
from core.segments.clustering import assign, fit
from core.segments.level_search import measure_levels
from core.storage.sequences import UserSequences

KINDS, PAGES_A_KIND, AT_HOME = 4, 15, 0.7
ADDRESSES = [f"https://site.example/{page // PAGES_A_KIND}/{page}" for page in range(KINDS * PAGES_A_KIND)]
FRESH = 8
"""Fresh draws of users that each interval is held against."""
WORLDS = ((1000, 4, 0.35), (600, 5, 0.3))
"""Users, groups, and the width of a group beside their distance: well apart, and overlapping."""


def planted(users: int, seed: int, kind: np.ndarray | None = None) -> UserSequences:
    """Draw users of four kinds; popularity of pages falls as 1 / rank, lengths are 3 to 20 page views.

    Args:
        users: Number of users.
        seed: Seed of all that is drawn.
        kind: int of shape (users,), the kind of each, 0 to 3; drawn when None.
    """
    rng = np.random.default_rng(seed)
    lengths = np.clip(rng.geometric(1 / 7, users) + 2, 3, 20)
    owner = np.repeat(rng.integers(0, KINDS, users) if kind is None else kind, lengths)
    away = rng.random(len(owner)) > AT_HOME
    part = np.where(away, rng.integers(0, KINDS, len(owner)), owner)
    popular = 1 / np.arange(1, PAGES_A_KIND + 1)
    page = part * PAGES_A_KIND + rng.choice(PAGES_A_KIND, len(owner), p=popular / popular.sum())
    return UserSequences(
        user_id=pa.array([f"u{number:06d}" for number in range(users)]),
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        page=page.astype(np.int32),
        timestamp=np.arange(len(page)) * 1_000_000,
        session=np.zeros(len(page), dtype=np.int32),
    )


def verdicts(users: int, seeds: Sequence[int]) -> pd.DataFrame:
    """Find segments on planted and shuffled sites: columns ``site``, ``seed``, ``verdict`` and ``k``."""
    rows = []
    for seed in seeds:
        there = planted(users, seed)
        shuffled = replace(there, page=np.random.default_rng(1000 + seed).permutation(there.page))
        for name, site in (("planted", there), ("shuffled", shuffled)):
            levels = measure_levels(site, np.arange(users), ADDRESSES, {})
            rows.append((name, seed, str(levels.verdict), levels.suggested_k))
    return pd.DataFrame(rows, columns=["site", "seed", "verdict", "k"])


def world(users: int, groups: int, width: float, rng: np.random.Generator) -> np.ndarray:
    """Draw unit vectors around ``groups`` axes; the second group is twice as large as the first, etc."""
    sizes = np.arange(1, groups + 1) / np.arange(1, groups + 1).sum()
    rows = np.eye(16)[rng.choice(groups, users, p=sizes)] + width * rng.normal(size=(users, 16))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def coverage(users: int, groups: int, width: float, worlds: int) -> tuple[float, int]:
    """Share of cases where the index with segments of fresh users is within the certificate's interval.

    Returns:
        The share, and the number of cases (segment and fresh draw of users).
    """
    held, total = 0, 0
    settings = ClusterSettings(n_clusters=groups)
    for seed in range(worlds):
        rng = np.random.default_rng(seed)
        rows = world(users, groups, width, rng)
        everybody = np.ones(users, dtype=bool)
        partition = fit(rows, everybody, settings)
        own, sure = partition.labels, certify(rows, partition)
        for _ in range(FRESH):
            place = assign(rows, fit(world(users, groups, width, rng), everybody, settings))
            shared = pd.crosstab(own, place)
            either = pd.Series(own).value_counts()[shared.index].to_numpy()[:, None] - shared
            either += pd.Series(place).value_counts()[shared.columns].to_numpy()
            found = (shared / either).max(axis=1)
            held += sum(sure[s].low <= index <= sure[s].high for s, index in found.items())
            total += len(sure)
    return held / max(total, 1), total


@click.command(help=__doc__)
@click.option("--seeds", type=int, default=20, show_default=True, help="Sites of each kind.")
@click.option("--users", type=int, default=400, show_default=True)
@click.option("--worlds", type=int, default=0, show_default=True, help="For the intervals.")
def main(seeds: int, users: int, worlds: int) -> None:
    """Print what is asked for."""
    began = time.process_time()
    if seeds:
        found = verdicts(users, range(seeds))
        print(found.groupby(["site", "verdict"]).size().to_string())
        print(f"suggested where planted: {found[found['site'] == 'planted']['k'].value_counts().to_dict()}")
        print(f"{time.process_time() - began:.0f} CPU-s", flush=True)
    for size, groups, width in WORLDS if worlds else ():
        share, total = coverage(size, groups, width, worlds)
        print(f"{size} users, {groups} groups, width {width}: {share:.1%} of {total} within", flush=True)


if __name__ == "__main__":
    main()
