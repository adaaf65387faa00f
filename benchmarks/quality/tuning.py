"""Tune the baselines on a demo shop that is never reported.

    python -m benchmarks.quality.tuning [--users 20000] [--work FOLDER]

Every setting of a grid is judged as the model's settings were: the geometric mean of both retrievals and the
adjusted Rand index. The best one is written down as the default in ``baselines.py``.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import measure
from benchmarks.quality import metrics
from benchmarks.quality.baselines import Embed, markov_svd, tfidf_svd, word2vec_mean
from benchmarks.quality.case import Case, open_case
from benchmarks.quality.ledger import Ledger
from benchmarks.quality.report import table
from benchmarks.quality.sets import TUNING_SEED, SetSpec, demo_shop, prepare

GRIDS: Mapping[str, tuple[Callable[..., Embed], Mapping[str, tuple[Any, ...]]]] = {
    "TF-IDF + SVD": (tfidf_svd, {"rank": (32, 64, 128), "sublinear": (False, True)}),
    "Markov + SVD": (markov_svd, {"rank": (32, 64, 128)}),
    "word2vec mean": (word2vec_mean, {"size": (64, 128), "window": (5, 10), "epochs": (10, 30)}),
}
KMEANS_SEEDS = 3


def settings_of(grid: Mapping[str, tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    """Every combination."""
    for values in product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


def score(case: Case, embed: Embed) -> dict[str, float]:
    """What a setting is chosen by, and what that is made of."""
    figures = {
        f"MRR {name}": metrics.retrieval(embed(cut.query), embed(cut.answer))
        for name, cut in case.cuts.items()
    }
    assert case.truth is not None  # a demo shop knows
    vectors, truth, held = embed(case.users)[case.judged], case.truth[case.judged], case.held_out[case.judged]
    labels = [metrics.clusters(vectors, case.n_segments, seed) for seed in range(KMEANS_SEEDS)]
    figures["ARI"] = float(np.mean([metrics.agreement(truth[held], one[held])[0] for one in labels]))
    return figures | {"score": math.prod(figures.values()) ** (1 / len(figures))}


def try_one(spec: SetSpec, method: str, settings: Mapping[str, Any]) -> dict[str, float]:
    """Train and score one setting; child process."""
    case = open_case(spec)
    return score(case, GRIDS[method][0](case, 0, **settings))


def main() -> None:
    """Try everything, print it best first."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--work", type=Path, help="keep data and scores in this folder")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.work or Path(temporary)
        csv, truth = measure(demo_shop, args.users, TUNING_SEED, folder).value
        spec = measure(prepare, f"tuning {args.users}", csv, truth, folder).value
        ledger = Ledger(folder / "tuning.json")
        for method, (_, grid) in GRIDS.items():
            rows = [(settings, _tried(ledger, spec, method, settings)) for settings in settings_of(grid)]
            print(f"\n{method}\n\n{markdown(rows)}", flush=True)


def _tried(ledger: Ledger, spec: SetSpec, method: str, settings: Mapping[str, Any]) -> dict[str, float]:
    key = f"{method} {dict(settings)}"
    return ledger.once(key, lambda: measure(try_one, spec, method, settings).value)


def markdown(rows: list[tuple[dict[str, Any], dict[str, float]]]) -> str:
    """Settings and their scores, best first."""
    best_first = sorted(rows, key=lambda row: -row[1]["score"])
    names, figures = list(rows[0][0]), list(rows[0][1])
    cells = [
        [*(str(settings[name]) for name in names), *(f"{found[name]:.3f}" for name in figures)]
        for settings, found in best_first
    ]
    return table([*names, *figures], cells)


if __name__ == "__main__":
    main()
