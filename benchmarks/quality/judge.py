"""What the vectors of a method are worth: all figures of one seed, in a child process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.quality import metrics
from benchmarks.quality.case import Case, open_case
from benchmarks.quality.methods import load, load_coverage
from benchmarks.quality.next_page import hits_with, simple_hits, tables
from benchmarks.sets import SetSpec
from core.base.schema import View
from core.base.settings import ViewWeights
from core.segments.combination import combine, mix_like, scaled_weights

LABELS = "labels.npy"
KMEANS_SEEDS = 5
TWINS = {
    "order twin": ("compare_then_read", "read_then_compare"),
    "tempo twin": ("quick_checker", "slow_considerer"),
}
"""What tells two segments of the truth apart → these two."""

Parts = Mapping[str, np.ndarray]
"""Name of a set of runs (:func:`benchmarks.quality.methods.judged_runs`) → their vectors."""


def judge(spec: SetSpec, folder: Path, seed: int) -> dict[str, float]:
    """Judge what one method made with one seed; child process.

    Args:
        spec: The set.
        folder: Has ``vectors.npz``; gets ``labels.npy``, the segments that stability compares.
        seed: Of the training. Its K-Means has the same one, so that stability is what somebody sees who
            starts all over.
    """
    case = open_case(spec)
    parts = mix(case, load(folder), ViewWeights(), load_coverage(folder))
    vectors, judged = parts["users"], case.judged
    labels = [metrics.clusters(vectors[judged], case.n_segments, one) for one in range(KMEANS_SEEDS)]
    np.save(folder / LABELS, labels[seed % KMEANS_SEEDS], allow_pickle=False)
    lengths, learns = case.sequences.lengths[judged], ~case.held_out[judged]
    return {
        **retrieval(case, parts),
        **agreement(case, labels),
        **twins(case, vectors),
        "length R2": metrics.length_r2(vectors[judged], lengths, learns),
        "other K-Means seed": float(np.mean(metrics.pairwise_ari(labels))),
        **hits_with(case, tables(case), vectors, parts["next"]),
    }


def stability(folders: Sequence[Path]) -> list[float]:
    """Adjusted Rand index between the segments of every two training seeds; child process."""
    return metrics.pairwise_ari([np.load(folder / LABELS) for folder in folders])


def about(spec: SetSpec) -> dict[str, float]:
    """What a set is like, and next page by tables alone; child process."""
    case = open_case(spec)
    sizes = {
        "users": case.sequences.n_users,
        "page views": case.sequences.n_views,
        "pages": len(case.urls),
        "clustered": int(case.judged.sum()),
        "clustered and held out": int((case.judged & case.held_out).sum()),
        "K": case.n_segments,
        **{f"{name} queries": len(cut.query) for name, cut in case.cuts.items()},
        **{f"{name} candidates": len(cut.answer) for name, cut in case.cuts.items()},
    }
    return sizes | simple_hits(case, tables(case))


def mix(
    case: Case, views: Mapping[str, Parts], weights: ViewWeights, coverage: Mapping[View, float]
) -> Parts:
    """Combine the views into one vector a run; centred on the means over the clustered users, as in the app.

    Args:
        case: The set.
        views: View → its vectors; with a view ``all`` these are returned.
        weights: Weights of the views.
        coverage: View → how far it counts.
    """
    if "all" in views:
        return views["all"]
    named = {View(name): parts for name, parts in views.items()}
    first = combine({view: parts["users"] for view, parts in named.items()}, weights, case.inside)
    frozen, counts = first.means, scaled_weights(weights, coverage)
    return {
        run: mix_like({view: parts[run] for view, parts in named.items()}, counts, frozen)
        for run in next(iter(named.values()))
    }


def retrieval(case: Case, parts: Parts) -> dict[str, float]:
    """``MRR`` and name of a cut → mean reciprocal rank of the users' own second parts."""
    return {
        f"MRR {name}": metrics.retrieval(parts[f"{name} query"], parts[f"{name} answer"])
        for name in case.cuts
    }


def agreement(case: Case, labels: Sequence[np.ndarray]) -> dict[str, float]:
    """ARI and AMI of segments with the truth, mean over clusterings; empty without truth."""
    if case.truth is None:
        return {}
    truth, held = case.truth[case.judged], case.held_out[case.judged]
    of_held = [metrics.agreement(truth[held], found[held]) for found in labels]
    ari, ami = np.mean(of_held, axis=0).tolist()
    return {
        "ARI": ari,
        "AMI": ami,
        "ARI all": float(np.mean([metrics.agreement(truth, found)[0] for found in labels])),
    }


def twins(case: Case, vectors: np.ndarray) -> dict[str, float]:
    """Name of a twin pair → AUC with which vectors tell the two segments apart; empty without truth."""
    if case.truth is None:
        return {}
    figures = {}
    for name, pair in TWINS.items():
        who = np.flatnonzero(case.judged & np.isin(case.truth, pair))
        figures[name] = metrics.separation(vectors[who], case.truth[who] == pair[0], ~case.held_out[who])
    return figures
