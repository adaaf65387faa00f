"""Every method by name: train it on a set and write the vectors of all runs that are judged."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from benchmarks.quality.baselines import Embed, hand_made, hand_views, markov_svd, tfidf_svd, word2vec_mean
from benchmarks.quality.case import Case, open_case
from benchmarks.quality.original import original
from benchmarks.sets import SetSpec
from core.base.schema import View
from core.base.settings import Preset, TrainSettings
from core.base.workers import workers
from core.model.embedding import embed_runs
from core.model.inputs import Spans, view_factors, view_streams
from core.model.model_files import load_model, load_vocabularies
from core.model.training import train
from core.storage.sequences import UserSequences

COVERAGE = "coverage.json"
Views = Mapping[str, np.ndarray]
"""View → vectors; a method without views has the one view ``all``."""

SIMPLE: Mapping[str, Callable[[Case, int], Embed]] = {
    "TF-IDF + SVD": tfidf_svd,
    "Markov + SVD": markov_svd,
    "word2vec mean": word2vec_mean,
    "w2v + Markov + tempo": hand_made,
}
HAND_VIEWS, ORIGINAL = "hand-made views", "original recipe"
TRUTH, CASCADE = "ours 3 views (truth)", "ours 3 views (ladder)"
OURS = {"ours url": None, TRUTH: "truth", CASCADE: "cascade"}
"""Name of a variant of our model → where its labels come from; None for none."""
METHODS = (*SIMPLE, HAND_VIEWS, ORIGINAL, *OURS)


def why_not(spec: SetSpec, method: str) -> str:
    """Why a method cannot be run on a set; empty where it can."""
    if method == TRUTH and spec.truth is None:
        return "the set has no true labels"
    if method == CASCADE and spec.cascade is None:
        return "its pages are not labelled"
    if method in ("word2vec mean", "w2v + Markov + tempo", HAND_VIEWS) and find_spec("gensim") is None:
        return "gensim is not installed (requirements-bench.txt)"
    return ""


def folder_of(spec: SetSpec, method: str, seed: int) -> Path:
    """Where :func:`make` leaves ``vectors.npz``, and ``model`` where there is one."""
    plain = "".join(sign if sign.isalnum() else "-" for sign in method)
    return spec.work / "made" / f"{plain}-{seed}"


def make(spec: SetSpec, method: str, seed: int, preset: Preset = Preset.BALANCED) -> dict[str, float]:
    """Train a method on a set, and write the vectors of all runs; run it in a child process.

    Returns:
        Name of a figure → value: CPU seconds, and users a second.
    """
    case, folder = open_case(spec), folder_of(spec, method, seed)
    folder.mkdir(parents=True, exist_ok=True)
    cpu = time.process_time()
    embed, figures = _trained(case, method, seed, folder, preset)
    figures = {"train CPU-s": time.process_time() - cpu} | figures
    runs = judged_runs(case)
    wall, cpu = time.perf_counter(), time.process_time()
    made = {"users": embed(runs.pop("users"))}
    figures["embed users/s"] = len(case.users) / (time.perf_counter() - wall)
    figures["embed users/CPU-s"] = len(case.users) / (time.process_time() - cpu)
    made |= {name: embed(spans) for name, spans in runs.items()}
    flat = {f"{view}/{name}": rows for name, views in made.items() for view, rows in views.items()}
    np.savez(folder / "vectors.npz", allow_pickle=False, **flat)
    if method in OURS:
        model = folder / "model"
        streams = view_streams(case.sequences, _names(case, method), load_vocabularies(model))
        (folder / COVERAGE).write_text(json.dumps(view_factors(streams)))
    return figures


def load_coverage(folder: Path) -> dict[View, float]:
    """View → how far it counts, as :func:`make` left it; empty for a method without such views."""
    path = folder / COVERAGE
    return (
        {View(view): share for view, share in json.loads(path.read_text()).items()} if path.exists() else {}
    )


def load(folder: Path) -> dict[str, dict[str, np.ndarray]]:
    """What :func:`make` left: view → name of the runs → vectors."""
    views: dict[str, dict[str, np.ndarray]] = {}
    with np.load(folder / "vectors.npz") as arrays:
        for name in arrays:
            view, part = name.split("/", 1)
            views.setdefault(view, {})[part] = arrays[name]
    return views


def judged_runs(case: Case) -> dict[str, Spans]:
    """Name → runs whose vectors are judged: whole users, parts of cuts, and what was before a next page."""
    runs = {"users": case.users, "next": case.next_page.prefix}
    for name, cut in case.cuts.items():
        runs |= {f"{name} query": cut.query, f"{name} answer": cut.answer}
    return runs


def embed_ours(
    model: Path, sequences: UserSequences, names: Mapping[View, Sequence[str]], runs: Spans
) -> dict[str, np.ndarray]:
    """View → vectors of any runs by a trained model (its folder): float of shape (n, d)."""
    trained = load_model(model)
    streams = view_streams(sequences, names, trained.vocabularies)
    with workers(torch.device("cpu")) as threads:
        return {
            str(view): embed_runs(trained.network, trained.heads[view], stream, runs, threads)
            for view, stream in streams.items()
        }


def _names(case: Case, method: str) -> dict[View, list[str]]:
    return {View.URL: case.urls, **case.names.get(OURS[method] or "", {})}


def _trained(
    case: Case, method: str, seed: int, folder: Path, preset: Preset
) -> tuple[Callable[[Spans], Views], dict[str, float]]:
    if method in OURS:
        names = _names(case, method)
        report = train(case.sequences, names, TrainSettings.preset(preset, seed=seed), folder / "model")
        rate = report.steps * report.batch_size / max(report.seconds, 1e-9)
        return (lambda runs: embed_ours(folder / "model", case.sequences, names, runs)), {
            "train users/s": rate
        }
    if method == HAND_VIEWS:
        views = hand_views(case, seed)
        return (lambda runs: {view: embed(runs) for view, embed in views.items()}), {}
    embed, figures = original(case, seed) if method == ORIGINAL else (SIMPLE[method](case, seed), {})
    return (lambda runs: {"all": embed(runs)}), figures
