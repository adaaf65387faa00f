"""Every method by name: train it on a set and write the vectors of all runs that are judged, in one process.

Functions here run in child processes; what is heavy is imported inside them, so that a child's peak memory
is its own.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.quality.sets import SetSpec

if TYPE_CHECKING:
    import numpy as np

    from benchmarks.quality.baselines import Embed
    from benchmarks.quality.case import Case
    from core.model.inputs import Spans

LADDER = "ours 3 views (ladder)"
OURS = {"ours url": None, "ours 3 views (truth)": "truth", LADDER: "ladder"}
"""Name of a variant → where its labels come from."""
HAND_VIEWS = "hand-made views"
COLES = "GRU + CoLES"
ORIGINAL = "original recipe"
FUSED = "fused encoder (truth)"
WORD2VEC = ("word2vec mean", "w2v + Markov + tempo", HAND_VIEWS)
SIMPLE = ("TF-IDF + SVD", "Markov + SVD", "word2vec mean", "w2v + Markov + tempo")
METHODS = (*SIMPLE, HAND_VIEWS, ORIGINAL, COLES, FUSED, *OURS)


def available(spec: SetSpec, peer: str | None) -> dict[str, str]:
    """Method → why it cannot be run, empty where it can."""
    reasons = dict.fromkeys(METHODS, "")
    if spec.truth is None:
        for name in (FUSED, "ours 3 views (truth)"):
            reasons[name] = "the set has no true labels"
    if spec.ladder is None:
        reasons[LADDER] = "its pages are not labelled"
    if peer is None:
        reasons[COLES] = "no Python with pytorch-lifestream was given (--peer)"
    if not _importable("gensim"):
        for name in WORD2VEC:
            reasons[name] = "gensim is not installed (requirements-bench.txt)"
    return reasons


def _importable(name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(name) is not None


def folder_of(spec: SetSpec, method: str, seed: int) -> Path:
    """Where :func:`make` leaves ``vectors.npz``, and ``model`` where there is one."""
    plain = "".join(sign if sign.isalnum() else "-" for sign in method)
    return Path(spec.work) / "made" / f"{plain}-{seed}"


def make(spec: SetSpec, method: str, seed: int, peer: str | None) -> dict[str, float]:
    """Train and embed; child process.

    Returns:
        CPU seconds, users a second and the like.
    """
    import numpy as np

    from benchmarks.quality.baselines import word2vec_cpu
    from benchmarks.quality.case import open_case

    case = open_case(spec)
    folder = folder_of(spec, method, seed)
    folder.mkdir(parents=True, exist_ok=True)
    if method == COLES:
        return _run_peer(case, seed, folder, str(peer))
    shared = (
        word2vec_cpu(case, seed) if method in WORD2VEC else 0.0
    )  # made for another method, counts as well
    cpu = time.process_time()
    embed, figures = _trained(case, method, seed, folder)
    train = {"train_cpu": time.process_time() - cpu + shared}
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
    return train | speed | figures


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
    from benchmarks.quality import baselines, fused, original, ours
    from core.base.schema import View
    from core.base.settings import Preset, TrainSettings

    if method in OURS:
        source = OURS[method]
        names = {View.URL: case.urls} | (dict(case.names[source]) if source else {})
        figures = ours.train_ours(case, names, seed, folder / "model")
        return (lambda spans: ours.embed_ours(folder / "model", case.sequences, names, spans)), figures
    if method == FUSED:
        settings = TrainSettings.preset(Preset.BALANCED, seed=seed)
        embed, figures = fused.train_fused(case, {View.URL: case.urls, **case.labels()}, settings)
        return _alone(embed), figures
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
