"""Print how well look-alikes find the other half of a planted kind, beside a bag of pages.

    python -m benchmarks.lookalikes [--users N] [--site NAME]... [--seeds N] [--speed N] --work DIR

Of each kind with enough clustered users a part is the list of ids; the rest of it is to be found among all
other clustered users. Precision is at equal reach: as many users as are to be found, so that it is the
recall, too; the base rate is what a list at random has. Mean over kinds and training seeds, and their range.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click
import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression

from benchmarks.sets import DEMO_SEED, demo_shop
from benchmarks.sites.write import write_site
from benchmarks.tables import markdown
from core.base.progress import silent
from core.base.schema import Users
from core.base.settings import IngestSettings, Preset, TrainSettings, ViewWeights
from core.ingest.sample import truth_path
from core.labels.label_settings import LabelSettings
from core.model.feature_blocks import bag, normalised
from core.model.inputs import latest_views
from core.people.look_alikes import look_alikes
from core.runs import pipeline
from core.storage.dataset import Dataset
from core.storage.store import Store

NO_KIND = ("", "bot", "internal", "debug")
FEWEST = 30
"""Fewest clustered users of a kind that is looked for."""
NEIGHBOURS, RANK, MAX_LENGTH = 10, 64, 64
UNTOLD = "half of the kind, among users of no half"
SIZES = {"half of the kind": None, "20 ids": 20, "1 id": 1}
Rank = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Seeds and others → the others, most like the seeds first."""


def by_score(score: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Rank:
    """Make a ranking from a function (seeds, others) → score of each of the others; the highest first."""
    return lambda seeds, others: others[np.argsort(-score(seeds, others), kind="stable")]


def to_the_middle(rows: np.ndarray) -> Rank:
    """Make a ranking by the cosine to the mean of the seeds; ``rows`` are unit vectors of all users."""
    return by_score(
        lambda seeds, others: np.asarray(rows[others] @ np.asarray(rows[seeds].mean(axis=0)).ravel())
    )


def to_the_nearest(rows: np.ndarray) -> Rank:
    """Make a ranking by the mean cosine to the nearest seeds; ``rows`` are unit vectors of all users."""

    def score(seeds: np.ndarray, others: np.ndarray) -> np.ndarray:
        like = np.asarray(rows[others] @ rows[seeds].T)
        few = min(NEIGHBOURS, len(seeds))
        mean: np.ndarray = np.partition(like, -few, axis=1)[:, -few:].mean(axis=1)
        return mean

    return by_score(score)


def by_regression(rows: sparse.csr_array) -> Rank:
    """Make a ranking by a logistic regression on sparse rows, with scikit-learn's own regularisation."""

    def score(seeds: np.ndarray, others: np.ndarray) -> np.ndarray:
        both, is_seed = np.append(seeds, others), np.arange(len(seeds) + len(others)) < len(seeds)
        learned = LogisticRegression(class_weight="balanced", max_iter=300).fit(rows[both], is_seed)
        found: np.ndarray = learned.decision_function(rows[others])
        return found

    return by_score(score)


def as_the_app(rows: np.ndarray) -> Rank:
    """Make the app's own ranking of vectors."""
    inside = np.ones(len(rows), dtype=bool)
    return lambda seeds, others: look_alikes(rows, inside, seeds, hide=False).users


def methods(ours: np.ndarray, pages: sparse.csr_array) -> dict[str, Rank]:
    """Name of a method → its ranking, by our vectors or by the TF-IDF of pages."""
    reduced = normalised(TruncatedSVD(RANK, random_state=0).fit_transform(pages).astype(np.float32))
    return {
        "vectors, as the app": as_the_app(ours),
        "vectors, cosine to the middle": to_the_middle(ours),
        f"vectors, {NEIGHBOURS} nearest ids": to_the_nearest(ours),
        "TF-IDF, logistic regression": by_regression(pages),
        "TF-IDF, cosine to the middle": to_the_middle(pages),
        "TF-IDF + SVD, as the app": as_the_app(reduced),
    }


def tf_idf(dataset: Dataset, inside: np.ndarray) -> sparse.csr_array:
    """TF-IDF of pages with 1 + log counts: a row a clustered user."""
    counts = bag(dataset.sequences.page, len(dataset.pages), latest_views(dataset.sequences, MAX_LENGTH))
    return sparse.csr_array(TfidfTransformer(sublinear_tf=True).fit_transform(counts[inside]))


def figures(store: Store, csv: Path, kinds: pd.Series, seeds: Sequence[int]) -> pd.DataFrame:
    """Train with each seed and look for the rest of every kind.

    Args:
        store: Where the stages are kept.
        csv: The export.
        kinds: User id → kind.
        seeds: Seeds of the training; each also draws other lists.

    Returns:
        A row for each kind, size of the list and method: ``ids`` (the size in words), ``kind``, ``seed``,
        ``method``, ``precision``, and ``base``, the precision by chance.
    """
    dataset = pipeline.preprocess(store, [csv], IngestSettings(), silent)
    labels = pipeline.label(store, dataset, LabelSettings(), silent)
    truth = kinds.reindex(dataset.users[Users.USER_ID]).fillna("").to_numpy(dtype=object)
    rows = []
    for seed in seeds:
        settings = TrainSettings.preset(Preset.BALANCED, seed=seed)
        model = pipeline.train(store, dataset, labels, settings, silent)
        made = pipeline.embed(store, dataset, labels, model, silent)
        ours = pipeline.combine(made, ViewWeights()).vectors[made.inside]
        pages = tf_idf(dataset, made.inside)
        rows += judged(methods(ours, pages), truth[made.inside], seed)
        rows += ceiling(ours, pages, truth[made.inside], seed)
    return pd.DataFrame(rows, columns=["ids", "kind", "seed", "method", "precision", "base"])


def lists(truth: np.ndarray, seed: int) -> Iterator[tuple[str, np.ndarray]]:
    """Each kind with the indices of its users, in random order."""
    for kind, n in pd.Series(truth).value_counts().items():
        yield str(kind), np.random.default_rng([seed, int(n)]).permutation(np.flatnonzero(truth == kind))


def judged(ways: dict[str, Rank], truth: np.ndarray, seed: int) -> list[tuple[object, ...]]:
    """Precision of each ranking for each kind and size of the list: rows of the table of :func:`figures`."""
    rows: list[tuple[object, ...]] = []
    for kind, members in lists(truth, seed):
        n = len(members)
        if n < FEWEST or kind in NO_KIND:
            continue
        for name, size in SIZES.items():
            seeds = np.sort(members[: min(size or n, n // 2)])
            others = np.setdiff1d(np.arange(len(truth)), seeds)
            reach = n - len(seeds)
            for way, rank in ways.items():
                precision = float((truth[rank(seeds, others)[:reach]] == kind).mean())
                rows.append((name, kind, seed, way, precision, reach / len(others)))
    return rows


def ceiling(
    ours: np.ndarray, pages: sparse.csr_array, truth: np.ndarray, seed: int
) -> list[tuple[object, ...]]:
    """Rows of :func:`figures` for the app, and for a classifier that knows the kinds of half of everybody.

    It reads vectors and pages. Both look for the rest among the users of no half, so that their base rate is
    twice as high.
    """
    halves = {kind: members[: len(members) // 2] for kind, members in lists(truth, seed)}
    told = np.sort(np.concatenate(list(halves.values())))
    untold = np.setdiff1d(np.arange(len(truth)), told)
    both = sparse.csr_array(sparse.hstack([sparse.csr_array(ours), pages]))
    learned = LogisticRegression(max_iter=300).fit(both[told], truth[told])
    chance = learned.predict_proba(both[untold])
    rows: list[tuple[object, ...]] = []
    for place, kind in enumerate(learned.classes_):
        hit, reach = truth[untold] == kind, int((truth[untold] == kind).sum())
        if kind in NO_KIND or reach + len(halves[kind]) < FEWEST:
            continue
        ranked = as_the_app(ours)(np.sort(halves[kind]), np.setdiff1d(np.arange(len(truth)), halves[kind]))
        first = {
            "vectors, as the app": ranked[np.isin(ranked, untold)],
            "told the kinds of half of all": untold[np.argsort(-chance[:, place], kind="stable")],
        }
        rows += [
            (UNTOLD, kind, seed, way, float((truth[users[:reach]] == kind).mean()), hit.mean())
            for way, users in first.items()
        ]
    return rows


def summary(found: pd.DataFrame) -> str:
    """Mean precision over kinds and seeds, its range over seeds, and how many times chance it is."""
    by_seed = found.groupby(["ids", "method", "seed"], sort=False)["precision"].mean()
    spread = by_seed.groupby(level=["ids", "method"], sort=False).agg(["mean", "min", "max"])
    base = found.groupby("ids")["base"].mean()
    lines = [
        (ids, method, f"{mean:.3f} ({low:.3f}–{high:.3f})", f"{mean / base[ids]:.1f}×")
        for (ids, method), (mean, low, high) in spread.iterrows()
    ]
    return markdown(["list", "method", "precision", "of the base rate"], lines)


def by_kind(found: pd.DataFrame) -> str:
    """Precision by kind, with half of it as the list."""
    half = found[found["ids"] == next(iter(SIZES))]
    table = half.pivot_table("precision", "kind", "method", sort=False).round(2)
    return markdown(["kind", *table.columns], table.itertuples())


def speed(users: int) -> str:
    """Milliseconds for the look-alikes of lists of several lengths among so many users."""
    rng = np.random.default_rng(0)
    rows = normalised(rng.normal(size=(users, 192)).astype(np.float32))
    inside, lines = np.ones(users, dtype=bool), []
    for size in (1, 100, 1_000, 10_000):
        seeds = np.sort(rng.permutation(users)[:size])
        took = {}
        for hide in (False, True):
            look_alikes(rows, inside, seeds, hide=hide)
            began = time.perf_counter()
            look_alikes(rows, inside, seeds, hide=hide)
            took[hide] = f"{1000 * (time.perf_counter() - began):.0f} ms"
        lines.append((f"{size:,}", took[False], took[True]))
    return markdown(["ids", "scores of all others", "with each fifth hidden in turn"], lines)


@click.command(help=__doc__)
@click.option("--users", type=int, default=3000, show_default=True, help="Of the demo shop; 0 for none.")
@click.option("--site", "sites", multiple=True, help="Name of a site of benchmarks/sites.")
@click.option("--seeds", type=int, default=3, show_default=True, help="Of the training.")
@click.option("--speed", "many", type=int, default=0, help="Users to rank for the time it takes.")
@click.option("--work", type=click.Path(path_type=Path), required=True, help="Keep data and models here.")
def main(users: int, sites: Sequence[str], seeds: int, many: int, work: Path) -> None:
    """Print what is asked for."""
    work.mkdir(parents=True, exist_ok=True)
    store, exports = Store(work / "store"), {}
    if users:
        csv = demo_shop(users, DEMO_SEED, work)
        exports[csv] = pd.read_csv(truth_path(csv), dtype=str, index_col=0)["segment"]
    for site in sites:
        files = write_site(site, work)
        exports[files.csv] = pd.read_csv(files.users, dtype=str, index_col=0)["kind"]
    for csv, kinds in exports.items():
        found = figures(store, csv, kinds, range(seeds))
        print(f"\n## {csv.stem}\n\n{summary(found)}\n\n{by_kind(found)}", flush=True)
    if many:
        print(f"\n{many:,} users, {os.cpu_count()} cores\n\n{speed(many)}")


if __name__ == "__main__":
    main()
