"""One table over sites of many makers: the model beside the simple ways, with intervals.

    python -m benchmarks.quality.makers [SET]... [--users N] [--fresh N] [--seeds N] [--preset P] --work DIR

Sets are the demo shop, the made-up sites and the real exports, of so many users each; all without any. Twins
are told apart among users whom no method has seen. What lies in DIR already is not trained again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import click
import numpy as np

from benchmarks.measure import measure
from benchmarks.quality import metrics
from benchmarks.quality.case import Case
from benchmarks.quality.future import future
from benchmarks.quality.judge import KMEANS_SEEDS, Parts, mix
from benchmarks.quality.maker_sets import REAL_SETS, SETS, open_made, written
from benchmarks.quality.methods import CASCADE, SIMPLE, folder_of, load, load_coverage, make
from benchmarks.quality.prefix import OUTCOMES, later
from benchmarks.quality.twins import told_apart
from benchmarks.sets import SetSpec
from benchmarks.tables import markdown
from core.base.settings import Preset, ViewWeights
from core.segments.level_search import measure_levels

URL_ALONE: Final = ViewWeights(url=1, theme=0, type=0)
RESAMPLES: Final = 2000
CUT_IN_TIME: Final = "deskdrop_2016"


@click.command(help=__doc__)
@click.argument("names", nargs=-1, type=click.Choice(SETS), metavar="[SET]...")
@click.option("--users", default=4000, show_default=True)
@click.option("--fresh", default=16_000, show_default=True, help="Users among whom twins are told apart.")
@click.option("--seeds", default=3, show_default=True, help="Of the training.")
@click.option("--preset", type=click.Choice([one.value for one in Preset]), default="balanced")
@click.option("--work", type=click.Path(path_type=Path), required=True)
def main(names: Sequence[str], users: int, fresh: int, seeds: int, preset: str, work: Path) -> None:
    """Print a row as soon as it is known; last, what deskdrop's users do after a date."""
    asked = [name for name in names or SETS if name not in REAL_SETS or REAL_SETS[name].exists()]
    for number, name in enumerate(asked):
        found = measure(row, name, users, fresh, seeds, Preset(preset), work).value
        lines = markdown(list(found), [list(found.values())]).splitlines()
        print("\n".join(lines[2 * bool(number) :]), flush=True)
    if CUT_IN_TIME in asked:
        found = measure(future, REAL_SETS[CUT_IN_TIME], seeds, Preset(preset), work).value
        print("\n" + markdown(list(found[0]), [list(line.values()) for line in found]), flush=True)


def row(name: str, users: int, fresh: int, seeds: int, preset: Preset, folder: Path) -> dict[str, str]:
    """Train, embed and judge on one set: column → what it says; child process."""
    made = written(name, users, 0, folder)
    spec, case = open_made(made, folder / preset)
    ours, url = (
        [vectors(spec, case, CASCADE, seed, preset, weights) for seed in range(seeds)]
        for weights in (ViewWeights(), URL_ALONE)
    )
    simple = {method: vectors(spec, case, method, 0, preset) for method in SIMPLE}
    found = {"set": name, "users": f"{case.judged.sum():,}"}
    for cut in ("random", "cross-session"):
        found |= retrieval(case, cut, ours, url, simple)
    found |= segments(case, ours, simple) | steadiness(case, ours)
    models = [folder_of(spec, CASCADE, seed) for seed in range(seeds)]
    if made.twins:
        found |= told_apart(written(name, fresh, 1, folder), case, models, folder)
    if event := OUTCOMES.get(name):
        found |= later(event, written(name, fresh, 1, folder), case, models[0], folder)
    return found


def vectors(
    spec: SetSpec, case: Case, method: str, seed: int, preset: Preset, weights: ViewWeights | None = None
) -> Parts:
    """Mixed vectors of a method on a set, which are made unless they are on disk."""
    folder = folder_of(spec, method, seed)
    if not (folder / "vectors.npz").exists():
        make(spec, method, seed, preset)
    return mix(case, load(folder), weights or ViewWeights(), load_coverage(folder))


def retrieval(
    case: Case, cut: str, ours: Sequence[Parts], url: Sequence[Parts], simple: Mapping[str, Parts]
) -> dict[str, str]:
    """Columns on one cut: mean reciprocal ranks of ours, the URL view and the best simple way, and ratios.

    The best simple way is the best on these very users.
    """
    columns = ("queries", "URL", "mix", "best simple way", "mix / it (95 %)", "mix / URL (95 %)")
    if cut not in case.cuts:
        return {f"{cut}: {column}": "–" for column in columns}
    found = [np.mean([found_at(one, cut) for one in many], axis=0) for many in (url, ours)]
    beside = {method: found_at(one, cut) for method, one in simple.items()}
    best = max(beside, key=lambda method: float(beside[method].mean()))
    cells = (
        f"{len(found[0]):,}",
        *(f"{one.mean():.3f}" for one in found),
        f"{beside[best].mean():.3f} {best}",
        ratio(found[1], beside[best]),
        ratio(found[1], found[0]),
    )
    return {f"{cut}: {column}": cell for column, cell in zip(columns, cells, strict=True)}


def found_at(parts: Parts, cut: str) -> np.ndarray:
    """1 / rank of each query's own answer: float of shape (n_queries,)."""
    query, answer = parts[f"{cut} query"], parts[f"{cut} answer"]
    found: np.ndarray = 1 / metrics.mean_rank(query @ answer.T, np.arange(len(query)))
    return found


def ratio(mine: np.ndarray, other: np.ndarray) -> str:
    """Ratio of two means over the same users, with a percentile bootstrap over them."""
    drawn = np.random.default_rng(0).integers(len(mine), size=(RESAMPLES, len(mine)))
    low, high = np.quantile(mine[drawn].mean(axis=1) / other[drawn].mean(axis=1), (0.025, 0.975))
    return f"{mine.mean() / other.mean():.2f} ({low:.2f}–{high:.2f})"


def segments(case: Case, ours: Sequence[Parts], simple: Mapping[str, Parts]) -> dict[str, str]:
    """Columns on segments: agreement with the truth, of halves and of trainings, and R² of the length."""
    judged, k = case.judged, case.n_segments
    labels = [
        [metrics.clusters(one["users"][judged], k, seed) for seed in range(KMEANS_SEEDS)] for one in ours
    ]
    same = metrics.pairwise_ari([one[seed] for seed, one in enumerate(labels)])
    learns, lengths = ~case.held_out[judged], case.sequences.lengths[judged]
    r2 = [metrics.length_r2(one["users"][judged], lengths, learns) for one in ours]
    found = {"K": str(k), "ARI": "–", "ARI, best simple way": "–"}
    if case.truth is not None:
        truth = case.truth[judged]

        def ari(many: Sequence[np.ndarray]) -> float:
            return float(np.mean([metrics.agreement(truth, one)[0] for one in many]))

        beside = {
            method: ari([metrics.clusters(one["users"][judged], k, seed) for seed in range(KMEANS_SEEDS)])
            for method, one in simple.items()
        }
        best = max(beside, key=lambda method: beside[method])
        aris, tfidf = [ari(one) for one in labels], next(iter(beside.values()))
        found["ARI"] = f"{spread(aris)}, {np.mean(aris) / tfidf:.2f} × TF-IDF"
        found["ARI, best simple way"] = f"{beside[best]:.2f} {best}"
    halves = {
        method: metrics.halves_agree(one["users"][judged], k)
        for method, one in simple.items()
        if len(np.unique(one["users"][judged], axis=0)) > k  # a site without types has no steps between them
    }
    best = max(halves, key=lambda method: halves[method])
    found["halves agree at K"] = f"{metrics.halves_agree(ours[0]['users'][judged], k):.2f}"
    found["halves, best simple way"] = f"{halves[best]:.2f} {best}"
    return found | {"agreement of trainings": spread(same), "R² of length": spread(r2)}


def steadiness(case: Case, ours: Sequence[Parts]) -> dict[str, str]:
    """Columns on the number of segments that the users support, and how trainings agree at it."""
    users = np.flatnonzero(case.inside)
    levels = measure_levels(case.sequences, users, case.urls, {})
    k = levels.described_k
    labels = [metrics.clusters(one["users"][users], k, seed) for seed, one in enumerate(ours)]
    return {
        "suggested K": str(levels.suggested_k or f"none ({k})"),
        "trainings agree at it": spread(metrics.pairwise_ari(labels)),
    }


def spread(values: Sequence[float]) -> str:
    """Format the mean of values, and their range; a dash without any."""
    if not len(values):
        return "–"
    return f"{np.mean(values):.2f}" + (f" ({min(values):.2f}–{max(values):.2f})" if len(values) > 1 else "")


if __name__ == "__main__":
    main()
