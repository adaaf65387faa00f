"""A small quality check for every build: fails on a real regression, not on noise.

Measured with the code of 2026-11-25 on 3,000 demo users, generator seeds 6 to 10, one training seed, as a
multiple of TF-IDF with truncated SVD:

* MRR of a random cut 1.38, 1.67, 1.70, 2.25, 1.51 (standard deviation .33);
* ARI over all users with three page views or more 1.21, 1.57, 1.48, 1.39, 1.28 (.15);
* AUC of the order twins 1.39, 1.64, 1.34, 1.36, 1.98 (.27; few users are held out).

The floors lie below anything seen, 1.6 to 3.3 deviations below the mean, and above what a broken model gives:
the original recipe, which learns little but length, has .17, .24 and .97 (20,000 users, seed 5).
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.measure import measure
from benchmarks.quality.judge import judge
from benchmarks.quality.methods import folder_of, make
from benchmarks.quality.sets import DEMO_SEED, demo_shop, prepare

USERS = 3000
FLOORS = {"MRR random": 1.0, "ARI all": 0.9, "order twin": 1.1}
"""Least ratio of ours (URL view, one seed) to TF-IDF with truncated SVD."""
OURS, BASE = "ours url", "TF-IDF + SVD"


def small_quality(folder: Path, demo_seed: int = DEMO_SEED) -> dict[str, float]:
    """Ratio of ours to TF-IDF for each figure that has a floor."""
    csv, truth = measure(demo_shop, USERS, demo_seed, folder).value
    spec = measure(prepare, f"small {demo_seed}", csv, truth, folder).value
    figures = {}
    for method in (OURS, BASE):
        measure(make, spec, method, 0, None)
        figures[method] = measure(judge, spec, str(folder_of(spec, method, 0)), 0).value
    return {name: figures[OURS][name] / figures[BASE][name] for name in FLOORS}


def broken(ratios: dict[str, float]) -> list[str]:
    """One sentence for each figure below its floor."""
    return [
        f"{name}: {ratios[name]:.2f} × {BASE}, at least {floor} is expected"
        for name, floor in FLOORS.items()
        if ratios[name] < floor
    ]
