"""How sure each segment is: would other users, halves of these, or another start have led to it?

The measure is the Jaccard index of a segment and the one most like it among segments of a resample (Hennig
2007): users in both by users in either. A resample draws half as many users, with replacement: its middles
lie as far from those of all users as two samples of all users lie from each other, so that low and high are
where the index of another sample of as many users is expected in 95 of 100 cases.

Two segments are really one where hardly anything is missed of their union, which is found again as one
segment or as two: users that each alone loses went to the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import compress
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from core.base.progress import Progress, silent
from core.base.schema import OUTSIDE
from core.base.wording import sentence
from core.segments.edits import chosen
from core.segments.geometry import repeatable, threads
from core.segments.levels import NOT_COMPARED, SegmentLevels, unsupported
from core.segments.partition import Partition

STAGE: Final = "certify"
VERSION: Final = 3
"""Raised when the same segments would get other certificates: those that are kept are made anew."""
SAMPLE: Final = 10_000
"""Users that are resampled, at most; with more users than that, segments are surer than is said."""
RESAMPLES: Final = 100
TAILS: Final = (2.5, 97.5)
_SPLITS: Final = 3
SEEDS: Final = 4
_DOUBTFUL: Final = "doubtful"
GIVEN: Final = "given these vectors"
"""Said with every certificate: users are drawn again and clustered, not trained on."""
KEPT_BACK: Final = "Names are kept back: they would tell of kinds of users that are not there."
_PATTERNED, _STABLE = 0.6, 0.75
WORDS: Final = ((0.85, "highly stable"), (_STABLE, "stable"), (_PATTERNED, "patterned"), (0.0, _DOUBTFUL))
"""From which mean index on a segment is called what (Hennig 2007)."""
_MISSED: Final = 0.25
"""What the union of two that are really one misses of an index of 1, at most: this part of what the surer of
the two misses alone. In a continuum, where borders with others move too, it was .44 or more."""
UNSUPPORTED: Final = "comes back"
"""In place of a word that calls a segment stable where no number of segments is."""


@dataclass(frozen=True)
class Certificate:
    """How sure a segment is.

    Args:
        segment: Its id.
        users: Its size.
        jaccard: Mean index over the resamples, 0 to 1.
        low: Where the index of another sample of users is expected in 95 of 100 cases: lower end.
        high: Upper end.
        halves: Mean index over disjoint halves of the users.
        seeds: Mean index over other seeds.
        rival: The segment that its users move to most often; None where none ever moves.
        moves: Share of its users that are in the rival, mean over the resamples.
        same_as: The segment that it is really one with; None where there is none.
        together: Mean index of the union of the two, over the resamples; None where there is none.
        supported: Whether these users are not known to support no number of segments (:func:`with_verdict`).
    """

    segment: int
    users: int
    jaccard: float
    low: float
    high: float
    halves: float
    seeds: float
    rival: int | None
    moves: float
    same_as: int | None = None
    together: float | None = None
    supported: bool = True

    @property
    def word(self) -> str:
        """How Hennig calls an index like this; where no segments are supported, none is called stable."""
        word = next(word for least, word in WORDS if self.jaccard >= least)
        return word if self.supported or word == _DOUBTFUL else UNSUPPORTED

    @property
    def mark(self) -> str:
        """What is said with its name wherever somebody reads it: ``doubtful``, or nothing."""
        return _DOUBTFUL if self.word == _DOUBTFUL else ""

    def sentence(self, names: Mapping[int, str]) -> str:
        """In words that an analyst can repeat.

        Args:
            names: Segment → what it is called.
        """
        to = "" if self.rival is None else f" Who leaves mostly moves to {names[self.rival]}."
        if self.same_as is not None:
            to += (
                f" It is really one with {names[self.same_as]}: together they overlap by {self.together:.0%}."
            )
        return (
            f"{self.word.capitalize()}, {GIVEN}: it overlaps by {self.jaccard:.0%} with the segment that "
            f"other users would lead to ({self.low:.0%} to {self.high:.0%}).{to}"
        )

    def line(self, names: Mapping[int, str]) -> str:
        """Say how sure it is in a few words: ``Stable, given these vectors: .82 [.74–.90] · nearest: …``.

        Args:
            names: Segment → what it is called.
        """
        index, low, high = map(_two_digits, (self.jaccard, self.low, self.high))
        near = "" if self.rival is None else f" · nearest: {names[self.rival]}"
        called_sure = self.supported and not self.mark
        unsure = " on average" if called_sure and self.low < _PATTERNED else ""
        return f"{sentence(self.word)}{unsure}, {GIVEN}: {index} [{low}–{high}]{near}"

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self) | {"word": self.word, "condition": GIVEN}


def pairs(certificates: Mapping[int, Certificate]) -> list[tuple[Certificate, Certificate]]:
    """Segments that are really one, two by two."""
    return [
        (one, certificates[one.same_as])
        for one in certificates.values()
        if one.same_as is not None and one.segment < one.same_as
    ]


def pair_sentence(one: Certificate, other: Certificate, names: Mapping[int, str]) -> str:
    """That two segments are really one, with how each comes again.

    Args:
        one: A segment.
        other: The one that it is really one with.
        names: Segment → what it is called.
    """
    together, alone, beside = map(_two_digits, (one.together or 0.0, one.jaccard, other.jaccard))
    return (
        f"{names[one.segment]} and {names[other.segment]} are really one: together they come again at "
        f"{together}, alone at {alone} and {beside}, {GIVEN}."
    )


def _two_digits(index: float) -> str:
    return f"{index:.2f}".removeprefix("0")


def marked(names: Mapping[int, str], certificates: Mapping[int, Certificate]) -> dict[int, str]:
    """What segments are called where somebody reads it: a doubtful one says so, whoever named it."""
    marks = {segment: one.mark for segment, one in certificates.items() if one.mark}
    return {
        segment: f"{name} ({marks[segment]})" if segment in marks else name for segment, name in names.items()
    }


def with_verdict(
    certificates: Mapping[int, Certificate], levels: SegmentLevels | None
) -> Mapping[int, Certificate]:
    """Certificates by the verdict on numbers of segments: where none is supported, none is stable."""
    if not unsupported(levels):
        return certificates
    return {segment: replace(one, supported=False) for segment, one in certificates.items()}


def verdict_text(
    levels: SegmentLevels | None, certificates: Mapping[int, Certificate], *, kept_back: bool = False
) -> str:
    """What is said of the segments as a whole in the app, the report, ``clusters.json`` and the chat.

    Args:
        levels: Numbers of segments that users support; None where none were compared.
        certificates: Of the segments; empty where they were not measured.
        kept_back: Whether names are not told (:func:`core.segments.levels.withheld`).
    """
    first = levels.sentence if levels else NOT_COMPARED
    return " ".join(filter(None, (first, mostly_doubtful(certificates), KEPT_BACK if kept_back else "")))


def mostly_doubtful(certificates: Mapping[int, Certificate]) -> str:
    """That more than half of the segments are doubtful; empty where they are not."""
    doubtful, found = sum(one.mark == _DOUBTFUL for one in certificates.values()), len(certificates)
    if 2 * doubtful <= found:
        return ""
    return (
        f"But {doubtful} of these {found} segments are doubtful: other users would lead to others, {GIVEN}."
    )


def table(certificates: Mapping[int, Certificate]) -> pd.DataFrame:
    """A row a segment: the fields of :class:`Certificate`, ``word`` and ``condition``."""
    return pd.DataFrame([one.to_dict() for one in certificates.values()])


def certify(
    vectors: np.ndarray, partition: Partition, progress: Progress = silent, resamples: int = RESAMPLES
) -> dict[int, Certificate]:
    """Cluster other draws of the users, and find each segment again.

    Segments that were changed by hand are found by changing what the draws lead to in the same way: what goes
    on as a merged segment is merged, and what goes on as a split one is split anew, by the draw. There is
    nothing to be sure of in a segment of chosen users, nor in a part of one or one that it was merged into.

    Args:
        vectors: float32 of shape (n_users, d), what was clustered.
        partition: The segments.
        progress: Where to report; may stop the work.
        resamples: How many, at least 39 for an interval of 95 %.

    Returns:
        Segment → its certificate, but for segments with chosen users (:func:`core.segments.edits.chosen`).

    Raises:
        Cancelled: If ``progress`` says so.
    """
    rng = np.random.default_rng(partition.settings.seed)
    clustered = np.flatnonzero(partition.labels != OUTSIDE)
    inside = rng.permutation(clustered)[:SAMPLE]
    rows = np.ascontiguousarray(vectors[inside])
    n, seed = len(rows), partition.settings.seed
    sought = _sought(rows, inside, partition)
    everybody = np.arange(n)
    orders = [rng.permutation(n) for _ in range(_SPLITS)]
    jobs = [(rng.integers(0, n, max(2, n // 2)), seed) for _ in range(resamples)]
    jobs += [(part, seed) for order in orders for part in (order[: n // 2], order[n // 2 :])]
    jobs += [(everybody, seed + 1 + other) for other in range(SEEDS)]
    found = []
    with repeatable(), threads() as pool:
        for shared in pool.map(partial(_again, rows, sought), jobs):
            found.append(shared)
            progress(STAGE, len(found) / len(jobs), "Finding each segment again among other users")
    return _certificates(partition, found, resamples)


def jaccard(shared: np.ndarray) -> np.ndarray:
    """Index of each pair of groups: float of shape (k_one, k_other).

    Args:
        shared: int of shape (k_one, k_other), users in both; every user is in one group of each side.
    """
    either = shared.sum(axis=1)[:, None] + shared.sum(axis=0) - shared
    index: np.ndarray = shared / np.maximum(either, 1)
    return index


@dataclass(frozen=True)
class _Sought:
    """What is to be found again.

    Args:
        partition: The segments.
        users: int of shape (n,), places of the rows.
        own: int of shape (n,), the place of each one's segment among ``ids``; that of users in none is last.
        cut: The same as clustering left it, before any change by hand.
        cut_ids: Ids of that.
    """

    partition: Partition
    users: np.ndarray
    own: np.ndarray
    cut: np.ndarray
    cut_ids: np.ndarray

    @property
    def k(self) -> int:
        """Segments."""
        return len(self.partition.ids)

    def changed(self, place: np.ndarray, rows: np.ndarray, learns: np.ndarray) -> np.ndarray:
        """Where users who were placed again end by the changes by hand: int of shape (n,), −1 in none."""
        from core.segments.by_hand import follow

        shared = _shared(self.cut, len(self.cut_ids), place)
        before, after = linear_sum_assignment(shared[:-1, :-1], maximize=True)
        named = self.cut_ids[before[np.argsort(after)]]
        labels = follow(named[place], rows, self.partition, self.users, learns)
        return _places(labels, self.partition.ids, none=-1)


def _sought(rows: np.ndarray, users: np.ndarray, partition: Partition) -> _Sought:
    from core.segments.clustering import assign  # scikit-learn, which stages are named without

    own = _places(partition.labels[users], partition.ids, none=len(partition.ids))
    if not partition.edits:
        return _Sought(partition, users, own, own, partition.ids)
    ids = partition.learned["ids"]
    cut = assign(rows, replace(partition, edits=()))
    return _Sought(partition, users, own, _places(cut, ids, none=len(ids)), ids)


def _places(labels: np.ndarray, ids: np.ndarray, none: int) -> np.ndarray:
    return np.where(labels > OUTSIDE, np.searchsorted(ids, labels), none)


def _again(rows: np.ndarray, sought: _Sought, job: tuple[np.ndarray, int]) -> np.ndarray:
    """Users that each segment shares with each one that some users teach; those in none come last.

    Returns:
        int of shape (k + 1, k_found + 1).
    """
    from core.segments.kmeans import labels_by  # scikit-learn, which stages are named without

    learns, seed = job
    place = labels_by(rows[learns], rows, len(sought.cut_ids), seed)
    if sought.partition.edits:
        place = sought.changed(place, rows, np.unique(learns))
    return _shared(sought.own, sought.k, place)


def _shared(own: np.ndarray, k: int, place: np.ndarray) -> np.ndarray:
    found = max(int(place.max()) + 1, 1)
    code = own * (found + 1) + np.where(place < 0, found, place)
    return np.bincount(code, minlength=(k + 1) * (found + 1)).reshape(k + 1, found + 1)


def _certificates(
    partition: Partition, found: Sequence[np.ndarray], resamples: int
) -> dict[int, Certificate]:
    indices = np.array([jaccard(shared)[:-1, :-1].max(axis=1) for shared in found])  # (jobs, k)
    drawn, halves, seeds = np.split(indices, [resamples, resamples + 2 * _SPLITS])
    low, high = np.percentile(drawn, TAILS, axis=0, method="weibull")
    moves = np.mean([_moves(shared) for shared in found[:resamples]], axis=0)  # (k, k)
    means, union = drawn.mean(axis=0), np.mean([unions(shared) for shared in found[:resamples]], axis=0)
    sizes, made = partition.sizes, {}
    measured = [segment not in chosen(partition.edits) for segment in partition.ids]
    for place, segment in compress(enumerate(partition.ids.tolist()), measured):
        rival = int(moves[place].argmax())
        made[segment] = Certificate(
            segment=segment, users=sizes[segment], jaccard=float(means[place]),
            low=float(low[place]), high=float(high[place]), halves=float(halves[:, place].mean()),
            seeds=float(seeds[:, place].mean()),
            rival=int(partition.ids[rival]) if moves[place, rival] > 0 else None,
            moves=float(moves[place, rival]),
        )  # fmt: skip
    # two segments that are all there are together everybody, who always come again
    union = np.where(np.outer(measured, measured), union, 0.0)
    for place, other in _really_one(means, union) if sum(measured) > 2 else ():
        one, two, together = int(partition.ids[place]), int(partition.ids[other]), float(union[place, other])
        made[one] = replace(made[one], same_as=two, together=together)
        made[two] = replace(made[two], same_as=one, together=together)
    return made


def unions(shared: np.ndarray) -> np.ndarray:
    """Index of the union of each two segments and the group, or union of two groups, most like it.

    Args:
        shared: int of shape (k + 1, k_found + 1), users in both; those in none come last.

    Returns:
        float of shape (k, k), zero but above the diagonal.
    """
    sought, found = (_ones_and_twos(number - 1) for number in shared.shape)
    both = sought @ shared[:-1, :-1] @ found.T
    either = (sought @ shared[:-1].sum(axis=1))[:, None] + found @ shared[:, :-1].sum(axis=0) - both
    best = np.zeros((len(shared) - 1,) * 2)
    best[np.triu_indices(len(best))] = (both / np.maximum(either, 1)).max(axis=1)
    return np.triu(best, 1)


def _ones_and_twos(k: int) -> np.ndarray:
    """Who is in each one of k groups and each union of two: float of shape (k (k + 1) / 2, k), 0 or 1."""
    one, other = np.triu_indices(k)
    members = np.eye(k)
    return np.maximum(members[one], members[other])


def _really_one(alone: np.ndarray, union: np.ndarray) -> list[tuple[int, int]]:
    """Places of segments that are really one, two by two; each in one pair, the surest first.

    Args:
        alone: Index of each segment, float of shape (k,).
        union: From :func:`unions`.
    """
    unsure = np.minimum.outer(alone, alone) < _STABLE
    misses_alone = 1 - np.maximum.outer(alone, alone)
    places = np.argwhere(unsure & (1 - union <= _MISSED * misses_alone))
    found: list[tuple[int, int]] = []
    for one, other in sorted(places.tolist(), key=lambda pair: -union[tuple(pair)]):
        if not {one, other} & {place for pair in found for place in pair}:
            found.append((one, other))
    return found


def _moves(shared: np.ndarray) -> np.ndarray:
    """Share of each segment's users that are in what continues another one: float of shape (k, k)."""
    segment, continues = linear_sum_assignment(shared[:-1, :-1], maximize=True)
    moved = np.zeros((len(shared) - 1, len(shared) - 1))
    moved[:, segment] = shared[:-1, continues] / np.maximum(shared[:-1].sum(axis=1), 1)[:, None]
    np.fill_diagonal(moved, 0.0)
    return moved
