"""Print how well groups of users tell an outcome on users held out: facets and segments beside simple scores.

    python -m benchmarks.outcomes --work DIR

A row a line, which is a real export and an outcome: an event, or one of its most viewed pages where it has
fewer than two. Pages that are the outcome, or give it away, are left out before anything is counted. Of all
clustered users half are held out; AUC with its 95 % interval. Facet, segments, groups, folders (that of most
views): the rate of a user's group among the others; the facet is the best one on these. Scores: logistic
regressions on recency and frequency (days since the last visit, visits, page views), and on TF-IDF of pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click
import numpy as np
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler, normalize

from benchmarks.quality.maker_sets import REAL_SETS
from benchmarks.tables import markdown
from core.base.local_clock import DAY
from core.base.progress import silent
from core.base.schema import PAGE_OUTCOME, Pages
from core.base.settings import (
    AnalyzeSettings,
    ClusterSettings,
    IngestSettings,
    Preset,
    TrainSettings,
    ViewWeights,
)
from core.profiles.facets import ShareInterval, find_facets, learning_half, outcome_auc
from core.profiles.outcome_prediction import OutcomePrediction, predict_outcome
from core.profiles.outcomes import OutcomeIndex, OutcomeRecord
from core.profiles.user_items import folders
from core.runs import pipeline
from core.storage.dataset import Dataset, is_clustered
from core.storage.store import Store

LEAST: Final = 2
"""Least outcomes an export; its most viewed pages fill up its events."""
K: Final = 6
NARROW: Final = 64


def lines(store: Store) -> Iterator[tuple[str, str]]:
    """Each real export that is at hand, by name, with each of its outcomes."""
    for name, path in REAL_SETS.items():
        if path.exists():
            made = pipeline.preprocess(store, [path], IngestSettings(), silent)
            offered = OutcomeIndex.of(made, None).offered(10_000)
            events = [one for one in offered if ":" not in one]
            pages = [one for one in offered if one.startswith(PAGE_OUTCOME)]
            outcomes = [*events, *pages][: max(LEAST, len(events))]
            yield from ((name, one) for one in outcomes)


def without_what_tells(store: Store, name: str, outcome: str) -> tuple[Dataset, OutcomeRecord]:
    """The export without the pages that are the outcome, or give it away; and who had the outcome."""
    made = pipeline.preprocess(store, [REAL_SETS[name]], IngestSettings(), silent)
    index = OutcomeIndex.of(made, None)
    (record,) = index.inside(AnalyzeSettings.checked(outcome=(outcome,))).values()
    left_out = (
        *index.leaks((outcome,)),
        *([outcome.removeprefix(PAGE_OUTCOME)] if outcome.startswith(PAGE_OUTCOME) else []),
    )
    kept = pipeline.preprocess(store, [REAL_SETS[name]], IngestSettings(strip_pages=left_out), silent)
    ids = made.sequences.user_id.to_numpy(zero_copy_only=False)[record.user]
    user = np.flatnonzero(np.isin(kept.sequences.user_id.to_numpy(zero_copy_only=False), ids))
    unknown = np.full(len(user), np.nan)
    return kept, OutcomeRecord(user, unknown, np.zeros(len(user), dtype=np.int64), {})


def told(score: np.ndarray, had: np.ndarray, judged: np.ndarray) -> float:
    """AUC of a score on the judged users."""
    return float(roc_auc_score(had[judged], score[judged]))


def regression(columns: np.ndarray, had: np.ndarray, learners: np.ndarray) -> np.ndarray:
    """Score all users by a logistic regression that is fitted to the learners."""
    scaled = StandardScaler().fit(columns[learners]).transform(columns)
    model = LogisticRegression(max_iter=2_000).fit(scaled[learners], had[learners])
    score: np.ndarray = model.decision_function(scaled)
    return score


def activity(dataset: Dataset) -> np.ndarray:
    """Logarithms of days since the last visit, visits and page views: float64 of shape (n_users, 3)."""
    sequences = dataset.sequences
    last = sequences.timestamp[sequences.offsets[1:] - 1]
    visits = np.bincount(sequences.user[sequences.session_starts], minlength=sequences.n_users)
    logs: np.ndarray = np.log1p(
        np.column_stack([(last.max() - last) / DAY, visits, sequences.lengths]).astype(np.float64)
    )
    return logs


def pages_of(dataset: Dataset) -> np.ndarray:
    """TF-IDF of each user's pages, in few dimensions: float64 of shape (n_users, d)."""
    sequences = dataset.sequences
    shape = (sequences.n_users, len(dataset.pages))
    counts = sparse.csr_array((np.ones(sequences.n_views), (sequences.user, sequences.page)), shape=shape)
    weighed = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
    narrow: np.ndarray = TruncatedSVD(min(NARROW, shape[1] - 1), random_state=0).fit_transform(weighed)
    rows: np.ndarray = normalize(narrow)
    return rows


def folders_of(dataset: Dataset) -> np.ndarray:
    """The folder of most page views of each user, as a number: int64 of shape (n_users,)."""
    first = [next(iter(folders(url)), "") for url in dataset.pages[Pages.PAGE_LOCATION]]
    _, folder = np.unique(np.array(first), return_inverse=True)
    sequences = dataset.sequences
    counts = sparse.csr_array(
        (np.ones(sequences.n_views), (sequences.user, folder[sequences.page])),
        shape=(sequences.n_users, int(folder.max()) + 1),
    )
    most: np.ndarray = counts.toarray().argmax(axis=1)
    return most


def row(store: Store, name: str, outcome: str, preset: Preset) -> list[str]:
    """A row of the table."""
    dataset, record = without_what_tells(store, name, outcome)
    inside = np.asarray(is_clustered(dataset.users))
    found = find_facets(dataset, None, {outcome: record})
    half = learning_half(len(inside))
    learners, judged = inside & half, inside & ~half
    model = pipeline.train(store, dataset, None, TrainSettings.preset(preset), silent)
    vectors = pipeline.embed(store, dataset, None, model, silent)
    combined = pipeline.combine(vectors, ViewWeights())
    partition = pipeline.cluster(combined, vectors.inside, ClusterSettings(n_clusters=K))
    both = predict_outcome(found, partition)
    pages, had = pages_of(dataset), found.had
    groups = {
        "TF-IDF groups": KMeans(K, n_init=4, random_state=0).fit(pages[inside]).predict(pages),
        "folders": folders_of(dataset),
    }
    grouped = {name: outcome_auc(one, learners, judged, had) for name, one in groups.items()}
    scores = {
        "R, F": regression(activity(dataset), had, learners),
        "TF-IDF": regression(pages, had, learners),
    }
    cells = [_best(both), _auc(both.segments if both else None)]
    cells += [_auc(one) for one in grouped.values()]
    cells += [f"{told(one, had, judged):.2f}" for one in scores.values()]
    return [f"{name}, {outcome.rpartition('/')[2]}", f"{had[judged].sum():,} of {judged.sum():,}", *cells]


def _best(both: OutcomePrediction | None) -> str:
    return "–" if both is None else f"{both.kind} {_auc(both.facet)}"


def _auc(share: ShareInterval | None) -> str:
    return "–" if share is None else f"{share.value:.2f} ({share.low:.2f}–{share.high:.2f})"


COLUMNS: Final[Sequence[str]] = (
    "export, outcome", "with it", "best facet", "segments", "TF-IDF groups", "folders", "R, F", "TF-IDF",
)  # fmt: skip


@click.command(help=__doc__)
@click.option("--work", type=click.Path(path_type=Path), required=True)
@click.option("--preset", type=click.Choice([one.value for one in Preset]), default=Preset.BAG.value)
def main(work: Path, preset: str) -> None:
    """Print the table, a row as soon as it is known."""
    store = Store(work)
    print(markdown(list(COLUMNS), []), flush=True)
    for name, outcome in lines(store):
        print(markdown(row(store, name, outcome, Preset(preset)), []).splitlines()[0], flush=True)


if __name__ == "__main__":
    main()
