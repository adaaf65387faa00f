"""Kinds of users that one thing alone tells apart, read from users whom no method has seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from benchmarks.quality.baselines import MIN_COUNT, codes, tempo
from benchmarks.quality.case import MAX_LENGTH, MIN_JUDGED, Case
from benchmarks.quality.maker_sets import Made, kinds_of
from benchmarks.quality.methods import embed_ours, load, load_coverage
from core.base.progress import silent
from core.base.schema import UNKNOWN, Pages, View
from core.base.settings import IngestSettings, ViewWeights
from core.model.feature_blocks import positions, unit_rows
from core.model.inputs import Spans, latest_views
from core.model.vocabulary import build_vocabulary
from core.runs.pipeline import preprocess
from core.segments.combination import combine, mix_like, scaled_weights
from core.storage.dataset import Dataset
from core.storage.sequences import UserSequences
from core.storage.store import Store

STRENGTH: Final = 0.05
"""C of the logistic regression on 128 numbers and a thousand users; a bag has the best of several."""
STRENGTHS: Final = (0.05, 1.0, 10.0)


def told_apart(fresh: Made, case: Case, trained: Sequence[Path], folder: Path) -> dict[str, str]:
    """How well each pair of twins is told apart: by the vectors, and by a bag of what makes them differ.

    Args:
        fresh: An export of other users of the same site.
        case: The set that the models were trained on.
        trained: Folder of each training.
        folder: Where to prepare the fresh users.
    """
    dataset = preprocess(Store(folder / "fresh"), [fresh.csv], IngestSettings(), silent)
    assert fresh.kinds is not None  # whoever made twins knows them
    kinds, sequences = kinds_of(fresh.kinds, dataset), dataset.sequences
    names = names_of(dataset, case)
    runs, found = latest_views(sequences, MAX_LENGTH), {}
    enough = sequences.lengths >= MIN_JUDGED
    for twin, pair in fresh.twins.items():
        who = np.flatnonzero(enough & np.isin(kinds, pair))
        first = kinds[who] == pair[0]
        vectors = [mixed(case, one, sequences, names, runs[who]) for one in trained]
        aucs = [read(one / np.std(one), first, STRENGTH) for one in vectors]
        if "tempo" in twin:
            bags = [tempo(sequences, runs[who])]
        else:
            bags = [bag_of_steps(sequences, items, runs[who]) for items in types_and_groups(sequences, names)]
        best = max(read(one, first, strength) for one in bags for strength in STRENGTHS)
        name = twin.split()[0]
        found[f"{name} twins, by a bag"] = f"{np.mean(aucs):.3f}, {best:.3f} ({len(who):,})"
    return found


def names_of(dataset: Dataset, case: Case) -> dict[View, list[str]]:
    """View → address or label of each page of other users; ``Unknown`` labels where the training lacks it."""
    urls = dataset.pages[Pages.PAGE_LOCATION].tolist()
    known = {view: dict(zip(case.urls, names, strict=True)) for view, names in case.labels().items()}
    return {View.URL: urls} | {
        view: [labels.get(url, UNKNOWN) for url in urls] for view, labels in known.items()
    }


def mixed(
    case: Case, trained: Path, sequences: UserSequences, names: dict[View, list[str]], runs: Spans
) -> np.ndarray:
    """Vectors of other users at the default weights, centred as those of the training."""
    users = {View(view): parts["users"] for view, parts in load(trained).items()}
    views = {View(view): rows for view, rows in embed_ours(trained / "model", sequences, names, runs).items()}
    means = combine(users, ViewWeights(), case.inside).means
    return mix_like(views, scaled_weights(ViewWeights(), load_coverage(trained)), means)


def types_and_groups(sequences: UserSequences, names: dict[View, list[str]]) -> list[np.ndarray]:
    """Type of every page view, and its group by address: two arrays, int of shape (n_views,)."""
    vocabulary = build_vocabulary(names[View.URL], sequences.page, sequences.offsets[:-1], MIN_COUNT)
    return [
        table[sequences.page] for table in (codes(names[View.TYPE]), vocabulary.group_ids(names[View.URL]))
    ]


def bag_of_steps(sequences: UserSequences, items: np.ndarray, runs: Spans) -> sparse.csr_array:
    """Square roots of how often each step between items is taken within a session, rows of length 1."""
    n_items = int(items.max()) + 1
    rows, where, place = positions(runs)
    inside = (place > 0) & (sequences.session[where] == sequences.session[where - 1])
    rows, where = rows[inside], where[inside]
    steps = items[where - 1].astype(np.int64) * n_items + items[where]
    counts = sparse.csr_array((np.ones(len(rows)), (rows, steps)), shape=(len(runs), n_items**2))
    return unit_rows(counts.sqrt())


def read(features: np.ndarray | sparse.csr_array, first: np.ndarray, strength: float) -> float:
    """AUC of a logistic regression of strength C, fitted on half of the users and judged on the others."""
    learn, judge = train_test_split(np.arange(len(first)), test_size=0.5, random_state=1, stratify=first)
    model = LogisticRegression(C=strength, max_iter=2000).fit(features[learn], first[learn])
    return float(roc_auc_score(first[judge], model.decision_function(features[judge])))
