"""Are the views what they say? Purity, what each is about, and whether weights move users.

For one trained model and the hand-made views beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.quality import metrics
from benchmarks.quality.baselines import codes
from benchmarks.quality.case import Case, open_case
from benchmarks.quality.judge import Parts, agreement, mix, retrieval, twins
from benchmarks.quality.methods import embed_ours, load, load_coverage
from benchmarks.sets import SetSpec
from core.base.schema import NO_THEME, UNKNOWN, View
from core.base.settings import ViewWeights
from core.model.feature_blocks import bag
from core.segments.combination import combine

DEFAULT = "default"
RANDOM_WEIGHTS = 5
PURE_USERS = 2000
KMEANS_SEEDS = 3

Figures = dict[str, dict[str, float]]
"""Weights of the views, by name → figure → value."""


def judge_views(spec: SetSpec, ours: Path, hand: Path | None, source: str) -> Figures:
    """Judge every setting of the weights; child process.

    Args:
        spec: The set.
        ours: Folder of a trained model with its vectors.
        hand: Folder of the hand-made views with the same seed; None where there are none.
        source: Where the model's labels come from.
    """
    case, learned, spoken = open_case(spec), load(ours), load_coverage(ours)
    rows = _single_figures(case, learned, source, spoken)
    for view, share in purities(case, ours / "model", case.names[source]).items():
        rows[view]["pure"] = share
    rows |= {
        name: _scores(case, mix(case, learned, weights, spoken)) for name, weights in random_weights().items()
    }
    if hand:
        made = load(hand)
        for name, weights in {**single_weights(made), **random_weights()}.items():
            if name in rows:
                beside = _scores(case, mix(case, made, weights, {}))
                rows[name] |= {f"hand {figure}": value for figure, value in beside.items()}
    return rows


def single_weights(present: Collection[str]) -> dict[str, ViewWeights]:
    """Name → weights: the default, and each present view alone."""
    nothing = dict.fromkeys(("url", "theme", "type"), 0.0)
    alone = {name: ViewWeights(**(nothing | {name: 1.0})) for name in nothing if name in present}
    return {DEFAULT: ViewWeights()} | alone


def random_weights() -> dict[str, ViewWeights]:
    """Name → weights around the default: Dirichlet(5 * (.5, .3, .2)), the same in every run."""
    drawn = np.random.default_rng(0).dirichlet([2.5, 1.5, 1.0], RANDOM_WEIGHTS)
    return {
        f"random {n + 1} ({u:.2f}, {t:.2f}, {k:.2f})": ViewWeights(url=u, theme=t, type=k)
        for n, (u, t, k) in enumerate(drawn.tolist())
    }


def _single_figures(
    case: Case, views: Mapping[str, Parts], source: str, spoken: Mapping[View, float]
) -> Figures:
    """The default and each view alone: scores, twins, what the segments follow, who moved, shares."""
    theme = dominant_theme(case, source)[case.judged]
    users = {View(name): parts["users"] for name, parts in views.items()}
    shares = combine(users, ViewWeights(), case.inside, coverage=spoken).effective
    mixes = {name: mix(case, views, weights, spoken) for name, weights in single_weights(views).items()}
    default, other_seed = (_segments(case, mixes[DEFAULT], seed) for seed in (0, 1))
    rows = {}
    for name, parts in mixes.items():
        found = _segments(case, parts, 0)
        rows[name] = {
            **_scores(case, parts),
            **twins(case, parts["users"]),
            "AMI theme": metrics.agreement(theme, found)[1],
            "share": 1.0 if name == DEFAULT else shares.get(View(name), 0.0),
            "moved": metrics.moved(default, other_seed if name == DEFAULT else found),
        }
    return rows


def _scores(case: Case, parts: Parts) -> dict[str, float]:
    """Retrieval, and ARI where there is truth."""
    figures = agreement(case, [_segments(case, parts, seed) for seed in range(KMEANS_SEEDS)])
    return retrieval(case, parts) | {name: value for name, value in figures.items() if name == "ARI"}


def _segments(case: Case, parts: Parts, seed: int) -> np.ndarray:
    return metrics.clusters(parts["users"][case.judged], case.n_segments, seed)


def dominant_theme(case: Case, source: str) -> np.ndarray:
    """The theme that each user saw most, pages without one aside: int64 of shape (n_users,)."""
    names = np.asarray(case.names[source][View.THEME], dtype=object)
    numbers = codes(names)
    counts = bag(numbers[case.sequences.page], numbers.max() + 1, case.users).toarray()
    counts[:, numbers[np.isin(names, (NO_THEME, UNKNOWN))]] *= 1e-6  # for those who saw nothing else
    most: np.ndarray = np.argmax(counts, axis=1)
    return most


def purities(case: Case, model: Path, names: Mapping[View, Sequence[str]]) -> dict[str, float]:
    """View (theme, type) → share of users whose vector stays when pages are swapped within theme or type."""
    users = np.random.default_rng(3).permutation(np.flatnonzero(case.judged))[:PURE_USERS]
    runs, every = case.users[users], {View.URL: case.urls, **names}
    plain = embed_ours(model, case.sequences, every, runs)
    found = {}
    for view in (View.THEME, View.TYPE):
        if view in plain:
            swapped = replace(case.sequences, page=swap(case.sequences.page, every[view]))
            found[str(view)] = metrics.purity(plain[view], embed_ours(model, swapped, every, runs)[view])
    return found


def swap(page: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Replace the page of every view by a random page of the same name; the new pages."""
    numbers = codes(names)
    order, sizes = np.argsort(numbers, kind="stable"), np.bincount(numbers)
    first, of_view = np.cumsum(sizes) - sizes, numbers[page]
    drawn = (np.random.default_rng(4).random(len(page)) * sizes[of_view]).astype(np.int64)
    swapped: np.ndarray = order[first[of_view] + drawn].astype(page.dtype)
    return swapped
