"""Every method by name: train it on a set and write the vectors of all runs that are judged, in one process.

Functions here run in child processes; what is heavy is imported inside them, so that a child's peak memory
is its own.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.quality.sets import SetSpec

if TYPE_CHECKING:
    import numpy as np

    from benchmarks.quality.baselines import Embed
    from benchmarks.quality.case import Case
    from core.model.inputs import Spans

OURS = {"ours url": None, "ours 3 views (truth)": "truth", "ours 3 views (ladder)": "ladder"}
"""Name of a variant → where its labels come from."""
HAND_VIEWS = "hand-made views"
COLES = "GRU + CoLES"
ORIGINAL = "original recipe"
SIMPLE = ("TF-IDF + SVD", "Markov + SVD", "word2vec mean", "w2v + Markov + tempo")
METHODS = (*SIMPLE, HAND_VIEWS, ORIGINAL, COLES, *OURS)


@dataclass(frozen=True)
class Made:
    """What training one method with one seed left.

    Args:
        path: Folder with ``vectors.npz``, and ``model`` where there is one.
        figures: CPU seconds, users a second and the like.
    """

    path: str
    figures: dict[str, float]


def available(spec: SetSpec, peer: str | None) -> dict[str, str]:
    """Method → why it cannot be run, empty where it can."""
    reasons = dict.fromkeys(METHODS, "")
    if spec.truth is None:
        reasons["ours 3 views (truth)"] = "the set has no true labels"
    if spec.ladder is None:
        reasons["ours 3 views (ladder)"] = "its pages are not labelled"
    if peer is None:
        reasons[COLES] = "no Python with pytorch-lifestream was given (--peer)"
    if not _importable("gensim"):
        for name in ("word2vec mean", "w2v + Markov + tempo", HAND_VIEWS):
            reasons[name] = "gensim is not installed (requirements-bench.txt)"
    return reasons


def _importable(name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(name) is not None


def make(spec: SetSpec, method: str, seed: int, peer: str | None) -> Made:
    """Train and embed; child process."""
    import numpy as np

    from benchmarks.quality.case import open_case

    case = open_case(spec)
    folder = Path(spec.work) / "made" / f"{METHODS.index(method)}-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    if method == COLES:
        return Made(str(folder), _run_peer(case, seed, folder, str(peer)))
    wall, cpu = time.perf_counter(), time.process_time()
    embed, figures = _trained(case, method, seed, folder)
    train = {"train_cpu": time.process_time() - cpu, "train_s": time.perf_counter() - wall}
    wall, cpu = time.perf_counter(), time.process_time()
    runs = judged_runs(case)
    first = embed(runs["users"])
    n = len(runs["users"])
    speed = {
        "embed_users_per_s": n / (time.perf_counter() - wall),
        "embed_cpu_rate": n / (time.process_time() - cpu),
    }
    parts = {"users": first} | {name: embed(spans) for name, spans in runs.items() if name != "users"}
    flat = {f"{view}/{name}": one for name, views in parts.items() for view, one in views.items()}
    np.savez(folder / "vectors.npz", allow_pickle=False, **flat)
    return Made(str(folder), train | speed | figures)


def judged_runs(case: Case) -> dict[str, Spans]:
    """All runs whose vectors are judged, by name."""
    runs = {"users": case.users, "next": case.next_page.prefix}
    for name, cut in case.cuts.items():
        runs |= {f"{name} query": cut.query, f"{name} answer": cut.answer}
    return runs


def _trained(
    case: Case, method: str, seed: int, folder: Path
) -> tuple[Callable[[Spans], Mapping[str, np.ndarray]], dict[str, float]]:
    """A function from runs to vectors by view; a method without views has the one view ``all``."""
    from benchmarks.quality import baselines, original, ours
    from core.schema import View

    if method in OURS:
        source = OURS[method]
        names = {View.URL: case.urls} | (dict(case.names[source]) if source else {})
        figures = ours.train_ours(case, names, seed, folder / "model")
        return (lambda spans: ours.embed_ours(folder / "model", case.sequences, names, spans)), figures
    if method == HAND_VIEWS:
        views = baselines.hand_views(case, seed)
        return (lambda spans: {view: embed(spans) for view, embed in views.items()}), {}
    if method == ORIGINAL:
        embed, figures = original.original(case, seed)
        return _alone(embed), figures
    simple = dict(
        zip(
            SIMPLE,
            (baselines.tfidf_svd, baselines.markov_svd, baselines.word2vec_mean, baselines.hand_made),
            strict=True,
        )
    )
    return _alone(simple[method](case, seed)), {}


def _alone(embed: Embed) -> Callable[[Spans], Mapping[str, np.ndarray]]:
    return lambda spans: {"all": embed(spans)}


def _run_peer(case: Case, seed: int, folder: Path, peer: str) -> dict[str, float]:
    import numpy as np

    np.savez(folder / "arrays.npz", **_peer_arrays(case))
    command = [peer, str(Path(__file__).with_name("coles.py"))]
    subprocess.run([*command, str(folder / "arrays.npz"), str(folder / "peer.npz"), str(seed)], check=True)
    with np.load(folder / "peer.npz") as found:
        figures = {name.removeprefix("figure:"): float(found[name]) for name in found if "figure:" in name}
        parts = {f"all/{name}": found[name] for name in found if "figure:" not in name}
    np.savez(folder / "vectors.npz", **parts)
    return figures


def _peer_arrays(case: Case) -> Mapping[str, Any]:
    import numpy as np

    from benchmarks.quality.features import codes
    from core.model.inputs import Spans, gap_buckets
    from core.model.triplets import random_cut

    sequences = case.sequences
    able = np.flatnonzero(~case.held_out & (sequences.lengths >= 4))
    rng = np.random.default_rng(0)
    aside = np.isin(able, rng.permutation(able[sequences.lengths[able] >= 6])[:500])
    whole = Spans(sequences.offsets[able], sequences.lengths[able])
    runs = {"learn": whole[~aside]} | dict(zip(("vq", "va"), random_cut(whole[aside], rng), strict=True))
    runs |= {f"out:{name}": spans for name, spans in judged_runs(case).items()}
    arrays = {"page": sequences.page, "gap": gap_buckets(sequences.timestamp, sequences.offsets[:-1])}
    arrays |= {f"page_{view}": codes(names)[0][sequences.page] for view, names in case.labels().items()}
    for name, spans in runs.items():
        arrays |= {f"{name}_begin": spans.begin, f"{name}_length": spans.length}
    return arrays
