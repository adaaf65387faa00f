"""Numbers of segments measured on a data set and its vectors, beside shuffled users."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

import numpy as np
from sklearn.metrics import davies_bouldin_score, pairwise_distances, silhouette_score

from core.base.progress import Progress, silent
from core.base.schema import View
from core.base.settings import ViewWeights
from core.data.sequences import UserSequences
from core.model.embedding import embed
from core.model.view_streams import Names
from core.segments.agreement import agreement, labels_over_k
from core.segments.combination import combine
from core.segments.evidence import KEvidence, KMeasure, judge, users_needed
from core.segments.geometry import count_different, repeatable, threads
from core.trust.case import SEED, drawn
from core.trust.page_halves import page_halves
from core.trust.shuffled import shuffled_users

STAGE: Final = "choose_k"
NUMBERS: Final = range(2, 16)
USERS: Final = 10_000
"""Users that halves are made of, at most."""
PLACED: Final = 2_000
"""Of them, users that figures of the vectors on screen are taken on, shuffled ones included."""
PLACED_DRAWS: Final = 10
"""Of the draws, those that the frozen model places: its figures decide nothing."""
SPLITS: Final = 6
N_INIT: Final = 3
"""Starts of K-Means for the figures of the vectors on screen; they decide nothing."""
DRAWS: Final = 20
"""Times that the users are shuffled: 1 in 21 is the 5 % that is risked of seeing segments in chance."""
FEWEST_PER_SEGMENT: Final = 15
"""Users a segment and half, below which halves differ by chance alone."""

_Result = TypeVar("_Result")
_Figures: TypeAlias = dict[KMeasure, np.ndarray]


@dataclass(frozen=True, eq=False)
class KSubject:
    """What segments are made of.

    Args:
        sequences: Page views of all users.
        names: What each view calls each page.
        model: The model's folder.
        views: The vectors of all users, float32 of shape (n_users, d) a view.
        inside: bool of shape (n_users,), who is clustered.
        weights: How much each view counts.
    """

    sequences: UserSequences
    names: Names
    model: Path
    views: Mapping[View, np.ndarray]
    inside: np.ndarray
    weights: ViewWeights

    def mixed(self, views: Mapping[View, np.ndarray]) -> np.ndarray:
        """Views of the same users, mixed by the weights: float32 of shape (n, d)."""
        return combine(views, self.weights).vectors


def measure(subject: KSubject, progress: Progress = silent, draws: int = DRAWS) -> KEvidence:
    """Compare numbers of segments.

    Args:
        subject: What segments are made of.
        progress: Where to report; may stop the work.
        draws: Times that the users are shuffled, at least 3.

    Raises:
        ArtifactError: If the model is missing or damaged.
        Cancelled: If ``progress`` says so.
    """
    users = drawn(np.flatnonzero(subject.inside), USERS, SEED)
    placed = drawn(users, PLACED, SEED)
    own = subject.mixed({view: np.ascontiguousarray(array[placed]) for view, array in subject.views.items()})
    ks = _possible(len(users), own)
    if not ks:
        return KEvidence(rows=(), users=len(users), draws=0)
    whole, some = subject.sequences.of_users(users), subject.sequences.of_users(placed)
    with repeatable(), threads() as pool:
        found, chance = _halves(pool, whole, ks, draws, progress)
        few = min(draws, PLACED_DRAWS)
        vectors = _vectors(subject, own, some, few, progress)
        jobs = pool.map(partial(_of_vectors, ks=ks), vectors)
        rest = list(_counted(jobs, 1 + few, progress, (0.6, 0.95)))
        found |= {which: figures[None] for which, figures in rest[0].items()}
        chance |= {which: np.stack([figures[which] for figures in rest[1:]]) for which in rest[0]}
        judged = judge(ks, found, chance, len(users))
        if judged.suggested_k is None:
            judged = judged.model_copy(update={"needed_users": _needed(judged, whole)})
    progress(STAGE, 1.0, "")
    return judged


def judge_pages(
    users: UserSequences, ks: Sequence[int], progress: Progress = silent, draws: int = DRAWS
) -> KEvidence:
    """What decides of :func:`measure`, without the vectors on screen: halves of the users beside chance.

    Args:
        users: Page views of the users to be clustered.
        ks: Numbers of segments.
        progress: Where to report; may stop the work.
        draws: Times that the users are shuffled, at least 3.
    """
    with repeatable(), threads() as pool:
        return judge(ks, *_halves(pool, users, ks, draws, progress), users.n_users)


def _halves(
    pool: ThreadPoolExecutor, users: UserSequences, ks: Sequence[int], draws: int, progress: Progress
) -> tuple[_Figures, _Figures]:
    """Agreement of halves, of the users as they are and shuffled."""
    jobs = [(users, split) for split in range(SPLITS)]
    jobs += [(shuffled_users(users, draw), draw) for draw in range(draws)]
    cuts = pool.map(lambda job: page_halves(job[0], ks, [job[1]]), jobs)
    halves = np.concatenate(list(_counted(cuts, len(jobs), progress, (0.0, 0.45))))
    return {KMeasure.SPLIT_HALF: halves[:SPLITS]}, {KMeasure.SPLIT_HALF: halves[SPLITS:]}


def _possible(n: int, vectors: np.ndarray) -> list[int]:
    """Numbers that two halves have enough users for, who differ."""
    different = count_different(vectors, enough=NUMBERS.stop + 1)
    return [k for k in NUMBERS if n >= 2 * FEWEST_PER_SEGMENT * k and k <= different]


def _vectors(
    subject: KSubject, own: np.ndarray, users: UserSequences, draws: int, progress: Progress
) -> Iterator[np.ndarray]:
    """The vectors on screen, then those that the frozen model makes of shuffled users."""
    yield own
    for draw in range(draws):
        progress(STAGE, 0.45 + 0.15 * draw / draws, "Placing shuffled users")
        yield subject.mixed(embed(subject.model, shuffled_users(users, draw), subject.names))


def _of_vectors(rows: np.ndarray, ks: Sequence[int]) -> _Figures:
    """What K-Means makes of given vectors: float of shape (n_ks,) a measure."""
    half = np.random.default_rng(SEED).permutation(len(rows)) < len(rows) // 2
    cut = partial(labels_over_k, ks=ks, n_init=N_INIT)
    labels = cut(rows, rows)
    distances = pairwise_distances(rows)
    apart, widths = np.zeros((2, labels.shape[1]))  # 0 where everybody is left together
    for place in np.flatnonzero(np.ptp(labels, axis=0)):
        apart[place] = silhouette_score(distances, labels[:, place], metric="precomputed")
        widths[place] = davies_bouldin_score(rows, labels[:, place])
    return {
        KMeasure.SAME_VECTORS: agreement(*(cut(rows[part], rows) for part in (half, ~half))),
        KMeasure.SEEDS: agreement(labels, cut(rows, rows, seed=1)),
        KMeasure.SILHOUETTE: apart,
        KMeasure.DAVIES_BOULDIN: widths,
    }


def _needed(judged: KEvidence, users: UserSequences) -> int | None:
    """Users at which the best number would be supported, by what half of these users show."""
    best = judged.best
    if best is None or best.halves.value <= best.halves.null_high:
        return None
    few = users.of_users(np.arange(0, users.n_users, 2))
    at_half = page_halves(few, [best.k], range(SPLITS))
    return users_needed(users.n_users, best.halves.value, float(at_half.mean()), best.halves.spread)


def _counted(
    results: Iterable[_Result], total: int, progress: Progress, part: tuple[float, float]
) -> Iterator[_Result]:
    """The same results, with a report after each; ``part`` is where of the whole work they stand."""
    for number, result in enumerate(results, start=1):
        share = part[0] + (part[1] - part[0]) * number / total
        progress(STAGE, share, "Comparing halves of the users, and shuffled ones")
        yield result
