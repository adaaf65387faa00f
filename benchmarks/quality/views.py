"""Are the views what they say? Purity, what each is about, and whether weights move users.

In a child process, for one trained model and the hand-made views beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.quality.sets import SetSpec

if TYPE_CHECKING:
    import numpy as np

    from benchmarks.quality.case import Case
    from core.base.schema import View
    from core.base.settings import ViewWeights

RANDOM_WEIGHTS = 5
PURE_USERS = 2000


def judge_views(spec: SetSpec, ours: str, hand: str | None, source: str) -> dict[str, dict[str, float]]:
    """Rows of the report: a setting of the weights → figure → value.

    Args:
        spec: The set.
        ours: Folder of a trained model with its vectors.
        hand: Folder of the hand-made views with the same seed; None where there are none.
        source: Where the model's labels come from.
    """
    from benchmarks.quality.case import open_case
    from benchmarks.quality.judge import load

    case = open_case(spec)
    learned = load(ours)
    pure = purities(case, Path(ours) / "model", case.names[source])
    rows = {
        name: one | ({"pure": pure[name]} if name in pure else {})
        for name, one in settings_figures(case, learned, source).items()
    }
    for number, weights in enumerate(random_weights()):
        name = f"random {number + 1} ({weights.url:.2f}, {weights.theme:.2f}, {weights.type:.2f})"
        rows[name] = scored(case, learned, weights)
        if hand:
            rows[name] |= {f"hand {key}": value for key, value in scored(case, load(hand), weights).items()}
    if hand:
        made = load(hand)
        for name, weights in single_weights(learned.keys() & made.keys()).items():
            rows[name] |= {f"hand {key}": value for key, value in scored(case, made, weights).items()}
    return rows


def single_weights(present: Collection[str]) -> dict[str, ViewWeights]:
    """The default and each view alone that is present."""
    from core.base.settings import ViewWeights

    nothing = dict.fromkeys(("url", "theme", "type"), 0.0)
    alone = {name: ViewWeights(**(nothing | {name: 1.0})) for name in nothing if name in present}
    return {"default": ViewWeights()} | alone


def random_weights() -> list[ViewWeights]:
    """Around the default: Dirichlet(5 * (.5, .3, .2)), the same in every run."""
    import numpy as np

    from core.base.settings import ViewWeights

    drawn = np.random.default_rng(0).dirichlet([2.5, 1.5, 1.0], RANDOM_WEIGHTS)
    return [ViewWeights(url=u, theme=t, type=k) for u, t, k in drawn.tolist()]


def settings_figures(
    case: Case, views: Mapping[str, Mapping[str, np.ndarray]], source: str
) -> dict[str, dict[str, float]]:
    """The default and each view alone: scores, twins, what the segments follow, who moved, shares."""
    from benchmarks.quality import metrics
    from benchmarks.quality.judge import ORDER_TWINS, TEMPO_TWINS, mix, twin

    theme = dominant_theme(case, source)[case.judged]
    rows, partitions = {}, {}
    alone = single_weights(views)
    for name, weights in alone.items():
        vectors = mix(case, views, weights)["users"]
        partitions[name] = metrics.clusters(vectors[case.judged], case.n_segments, 0)
        rows[name] = scored(case, views, weights) | {
            "AMI theme": metrics.agreement(theme, partitions[name])[1],
            "moved": metrics.moved(partitions["default"], partitions[name]),
            "share": effective(case, views, weights, name),
        }
        if case.truth is not None:
            rows[name]["order twin"] = twin(case, vectors, ORDER_TWINS)
            rows[name]["tempo twin"] = twin(case, vectors, TEMPO_TWINS)
    again = mix(case, views, alone["default"])["users"][case.judged]
    other = metrics.clusters(again, case.n_segments, 1)
    rows["default"]["moved"] = metrics.moved(partitions["default"], other)
    return rows


def effective(
    case: Case, views: Mapping[str, Mapping[str, np.ndarray]], weights: ViewWeights, view: str
) -> float:
    """The share that a view has of the default mix; 1 for the default itself."""
    from core.base.schema import View
    from core.base.settings import ViewWeights
    from core.segments.combination import combine

    if view == "default":
        return 1.0
    users = {View(name): parts["users"] for name, parts in views.items()}
    return combine(users, ViewWeights(), case.inside).effective.get(View(view), 0.0)


def scored(
    case: Case, views: Mapping[str, Mapping[str, np.ndarray]], weights: ViewWeights
) -> dict[str, float]:
    """MRR of a random cut, and ARI (mean of three K-Means seeds) where there is truth."""
    import numpy as np

    from benchmarks.quality import metrics
    from benchmarks.quality.judge import mix

    parts = mix(case, views, weights)
    figures = {
        f"MRR {name}": metrics.retrieval(parts[f"{name} query"], parts[f"{name} answer"])
        for name in case.cuts
    }
    if case.truth is not None:
        truth, held = case.truth[case.judged], case.held_out[case.judged]
        made = [metrics.clusters(parts["users"][case.judged], case.n_segments, seed) for seed in range(3)]
        figures["ARI"] = float(np.mean([metrics.agreement(truth[held], one[held])[0] for one in made]))
    return figures


def dominant_theme(case: Case, source: str) -> np.ndarray:
    """The theme that each user saw most, pages without one aside: int64 of shape (n_users,)."""
    import numpy as np

    from benchmarks.quality.features import bag, codes
    from core.base.schema import View

    names = case.names[source][View.THEME]
    numbers, count = codes(names)
    counts = bag(numbers[case.sequences.page], count, case.users).toarray()
    nothing = sorted({int(number) for number, name in zip(numbers, names, strict=True) if name in NO_THEMES})
    counts[:, nothing] = counts[:, nothing] * 1e-6  # counts only for those who saw nothing else
    most: np.ndarray = np.argmax(counts, axis=1)
    return most


NO_THEMES = ("No theme", "Unknown")


def purities(case: Case, model: Path, names: Mapping[View, Sequence[str]]) -> dict[str, float]:
    """Share of users whose theme (type) vector stays the same when pages are swapped within theme (type)."""
    import numpy as np

    from benchmarks.quality.metrics import purity
    from benchmarks.quality.ours import embed_ours
    from core.base.schema import View

    users = np.random.default_rng(3).permutation(np.flatnonzero(case.judged))[:PURE_USERS]
    spans = case.users[users]
    every = {View.URL: case.urls} | {view: list(one) for view, one in names.items()}
    plain = embed_ours(model, case.sequences, every, spans)
    found = {}
    for view in (View.THEME, View.TYPE):
        if view not in plain:
            continue
        swapped = replace(case.sequences, page=swap(case.sequences.page, every[view]))
        found[str(view)] = purity(plain[view], embed_ours(model, swapped, every, spans)[view])
    return found


def swap(page: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Every page view becomes one of a random page of the same name."""
    import numpy as np

    from benchmarks.quality.features import codes

    numbers, count = codes(names)
    order = np.argsort(numbers, kind="stable")
    sizes = np.bincount(numbers, minlength=count)
    first = np.cumsum(sizes) - sizes
    of_view = numbers[page]
    drawn = (np.random.default_rng(4).random(len(page)) * sizes[of_view]).astype(np.int64)
    swapped: np.ndarray = order[first[of_view] + drawn].astype(page.dtype)
    return swapped
