"""What the vectors of a method are worth: all figures of one seed, in a child process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.quality.sets import SetSpec

if TYPE_CHECKING:
    import numpy as np

    from benchmarks.quality.case import Case
    from benchmarks.quality.next_page import Tables

LABELS = "labels.npy"
KMEANS_SEEDS = 5
ORDER_TWINS = ("compare_then_read", "read_then_compare")
TEMPO_TWINS = ("quick_checker", "slow_considerer")


def judge(spec: SetSpec, folder: str, seed: int) -> dict[str, float]:
    """Judge what one method made with one seed; child process.

    Args:
        spec: The set.
        folder: Has ``vectors.npz``; gets ``labels.npy``, the segments that stability compares.
        seed: Of the training. Its K-Means has the same one, so that stability is what somebody sees who
            starts all over.
    """
    import numpy as np

    from benchmarks.quality.case import open_case
    from benchmarks.quality.next_page import tables

    case = open_case(spec)
    parts = default_mix(case, load(folder))
    labels, figures = _segments(case, parts["users"][case.judged])
    np.save(Path(folder) / LABELS, labels[seed % KMEANS_SEEDS], allow_pickle=False)
    return figures | _judge_one(case, tables(case), parts)


def stability(folders: Sequence[str]) -> list[float]:
    """Adjusted Rand index between the segments of every two training seeds; child process."""
    import numpy as np

    from benchmarks.quality import metrics

    return metrics.pairwise_ari([np.load(Path(folder) / LABELS) for folder in folders])


def simple_next_page(spec: SetSpec) -> dict[str, float]:
    """Next page by tables alone, and what the set is like."""
    from benchmarks.quality.case import open_case
    from benchmarks.quality.next_page import simple_hits, tables

    case = open_case(spec)
    sizes = {f"{name} queries": len(cut.query) for name, cut in case.cuts.items()}
    sizes |= {f"{name} candidates": len(cut.answer) for name, cut in case.cuts.items()}
    sizes |= {"users": case.sequences.n_users, "judged": int(case.judged.sum())}
    sizes |= {"judged held out": int((case.judged & case.held_out).sum()), "K": case.n_segments}
    sizes |= {"page views": case.sequences.n_views, "pages": len(case.urls)}
    return simple_hits(case, tables(case)) | {name: float(value) for name, value in sizes.items()}


def load(folder: str) -> dict[str, dict[str, np.ndarray]]:
    """View → name of the runs → vectors."""
    import numpy as np

    views: dict[str, dict[str, Any]] = {}
    with np.load(Path(folder) / "vectors.npz") as arrays:
        for name in arrays:
            view, part = name.split("/", 1)
            views.setdefault(view, {})[part] = arrays[name]
    return views


def default_mix(case: Case, views: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """One vector a run, by the default weights where there are views."""
    from core.base.settings import ViewWeights

    return mix(case, views, ViewWeights())


def mix(case: Case, views: Mapping[str, Mapping[str, np.ndarray]], weights: Any) -> dict[str, np.ndarray]:  # noqa: ANN401
    """One vector a run; views are centred on their means over the clustered users, as in the app."""
    from core.base.schema import View
    from core.segments.combination import combine

    if "all" in views:
        return dict(views["all"])
    named = {View(name): parts for name, parts in views.items()}
    users = {view: parts["users"] for view, parts in named.items()}
    first = combine(users, weights, case.inside)
    runs = next(iter(named.values()))
    return {
        run: combine({view: parts[run] for view, parts in named.items()}, weights, means=first.means).vectors
        for run in runs
    }


def _judge_one(case: Case, made: Tables, parts: Mapping[str, np.ndarray]) -> dict[str, float]:
    from benchmarks.quality import metrics
    from benchmarks.quality.next_page import hits_with

    figures = {
        f"MRR {name}": metrics.retrieval(parts[f"{name} query"], parts[f"{name} answer"])
        for name in case.cuts
    }
    judged, vectors = case.judged, parts["users"]
    lengths, learns = case.sequences.lengths[judged], ~case.held_out[judged]
    figures["length R2"] = metrics.length_r2(vectors[judged], lengths, learns)
    for name, pair in (("order twin", ORDER_TWINS), ("tempo twin", TEMPO_TWINS)):
        figures |= {name: twin(case, vectors, pair)} if case.truth is not None else {}
    return figures | hits_with(case, made, vectors, parts["next"])


def twin(case: Case, vectors: np.ndarray, pair: tuple[str, str]) -> float:
    """AUC of two segments that differ in one thing."""
    import numpy as np

    from benchmarks.quality import metrics

    assert case.truth is not None
    who = np.flatnonzero(case.judged & np.isin(case.truth, pair))
    return metrics.separation(vectors[who], case.truth[who] == pair[0], ~case.held_out[who])


def _segments(case: Case, vectors: np.ndarray) -> tuple[list[np.ndarray], dict[str, float]]:
    """K-Means labels of several seeds, and how they agree with each other and with the truth."""
    import numpy as np

    from benchmarks.quality import metrics

    labels = [metrics.clusters(vectors, case.n_segments, seed) for seed in range(KMEANS_SEEDS)]
    figures = {"K-Means noise": float(np.mean(metrics.pairwise_ari(labels)))}
    if case.truth is not None:
        truth, held = case.truth[case.judged], case.held_out[case.judged]
        of_held = [metrics.agreement(truth[held], one[held]) for one in labels]
        figures["ARI"], figures["AMI"] = (float(one) for one in np.mean(of_held, axis=0))
        figures["ARI all"] = float(np.mean([metrics.agreement(truth, one)[0] for one in labels]))
    return labels, figures
