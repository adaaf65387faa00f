"""Certificates: how sure each segment is to come again from other users, halves of these, or another seed.

The measure is the Jaccard index of a segment and the one most like it among segments of a resample (Hennig
2007): users in both by users in either. A resample draws half as many users, with replacement: its middles
lie as far from those of all users as two samples of all users lie from each other, so that low and high are
where the index of another sample of as many users is expected in 95 of 100 cases.

Two segments are really one where hardly anything is missing of their union, found again as one segment or as
two: users that each alone loses went to the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import compress
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from pydantic import TypeAdapter
from scipy.optimize import linear_sum_assignment

from core.base.progress import Progress, silent
from core.base.schema import OUTSIDE
from core.segments.edits import chosen_segments
from core.segments.geometry import repeatable, threads
from core.segments.levels import NOT_COMPARED, SegmentLevels, unsupported
from core.segments.partition import Partition

_STAGE: Final = "certify"
_FILE: Final = "certificates.json"
VERSION: Final = 3
"""Version, raised when the same segments would get other certificates, so that stored ones are made anew."""
_SAMPLE: Final = 10_000
"""Most users that are resampled; with more users than that, segments are surer than their certificates."""
_RESAMPLES, _FEW_RESAMPLES = 100, 39
_TAILS: Final = (2.5, 97.5)
_SPLITS: Final = 3
_SEEDS: Final = 4
_DOUBTFUL: Final = "doubtful"
GIVEN: Final = "given these vectors"
"""Condition stated with every certificate: users are drawn again and clustered, not trained on."""
NAMES_WITHHELD: Final = "Names are hidden: they would suggest kinds of users that are not there."
_PATTERNED, _STABLE = 0.6, 0.75
_WORDS: Final = ((0.85, "highly stable"), (_STABLE, "stable"), (_PATTERNED, "patterned"), (0.0, _DOUBTFUL))
"""Mean index from which on a segment is called by a word (Hennig 2007), highest first."""
_MISSED: Final = 0.25
"""Share, of what the surer of two segments lacks to an index of 1, that their union may lack where they are
really one. In a continuum, where borders with others move too, it was .44 or more."""
UNSUPPORTED: Final = "unsupported"
"""Word in place of "stable" and the like where users support no number of segments."""


@dataclass(frozen=True)
class Certificate:
    """How sure a segment is to come again.

    Args:
        segment: Id of the segment.
        users: Number of its users.
        jaccard: Mean index over the resamples, 0 to 1.
        low: Where the index of another sample of users is expected in 95 of 100 cases: lower end.
        high: Upper end.
        halves: Mean index over disjoint halves of the users.
        seeds: Mean index over other seeds.
        rival: The segment that its users move to most often; None where none ever moves.
        moves: Share of its users that are in the rival, mean over the resamples.
        same_as: The segment that it is really one with; None where there is none.
        together: Mean index of the union of the two, over the resamples; None where there is none.
        supported: False where these users are known to support no number of segments (:func:`with_verdict`).
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
        """Hennig's word for the index; where no number of segments is supported, none is called stable."""
        word = next(word for least, word in _WORDS if self.jaccard >= least)
        return word if self.supported or word == _DOUBTFUL else UNSUPPORTED

    @property
    def mark(self) -> str:
        """Mark beside the segment's name wherever it is shown: ``doubtful``, or empty."""
        return _DOUBTFUL if self.word == _DOUBTFUL else ""

    def sentence(self, names: Mapping[int, str]) -> str:
        """The certificate as sentences that an analyst can repeat.

        Args:
            names: Segment → its name.
        """
        to = "" if self.rival is None else f" Who leaves mostly moves to {names[self.rival]}."
        if self.same_as is not None:
            to += (
                f" It is really one with {names[self.same_as]}: together they overlap by {self.together:.0%}."
            )
        lead = f"{GIVEN.capitalize()}," if self.word == UNSUPPORTED else f"{self.word.capitalize()}, {GIVEN}:"
        return (
            f"{lead} it overlaps by {self.jaccard:.0%} with the segment that "
            f"other users would lead to ({self.low:.0%} to {self.high:.0%}).{to}"
        )

    def line(self, names: Mapping[int, str]) -> str:
        """The certificate in a few words: ``Stability .82 [.74–.90], given these vectors: stable · …``.

        Args:
            names: Segment → its name.
        """
        index, low, high = map(_two_digits, (self.jaccard, self.low, self.high))
        near = "" if self.rival is None else f" · nearest: {names[self.rival]}"
        called_sure = self.supported and not self.mark
        unsure = " on average" if called_sure and self.low < _PATTERNED else ""
        word = "" if self.word == UNSUPPORTED else f": {self.word}{unsure}"
        return f"Stability {index} [{low}–{high}], {GIVEN}{word}{near}"

    def to_dict(self) -> dict[str, Any]:
        """Fields of the certificate with ``word`` and ``condition``, as plain data."""
        return asdict(self) | {"word": self.word, "condition": GIVEN}


def same_pairs(certificates: Mapping[int, Certificate]) -> list[tuple[Certificate, Certificate]]:
    """Pairs of segments that are really one, each pair once, the lower id first."""
    return [
        (certificate, certificates[certificate.same_as])
        for certificate in certificates.values()
        if certificate.same_as is not None and certificate.segment < certificate.same_as
    ]


def pair_sentence(one: Certificate, other: Certificate, names: Mapping[int, str]) -> str:
    """Say that two segments are really one, with the indices together and alone.

    Args:
        one: Certificate of a segment.
        other: Certificate of the segment that it is really one with.
        names: Segment → its name.
    """
    together, alone, beside = map(_two_digits, (one.together or 0.0, one.jaccard, other.jaccard))
    return (
        f"{names[one.segment]} and {names[other.segment]} are really one: together their stability "
        f"is {together}, alone {alone} and {beside}, {GIVEN}."
    )


def _two_digits(index: float) -> str:
    return f"{index:.2f}".removeprefix("0")


def marked_names(names: Mapping[int, str], certificates: Mapping[int, Certificate]) -> dict[int, str]:
    """Names of segments for display, with "doubtful" beside those that are."""
    marks = {segment: certificate.mark for segment, certificate in certificates.items() if certificate.mark}
    return {
        segment: f"{name} ({marks[segment]})" if segment in marks else name for segment, name in names.items()
    }


def with_verdict(
    certificates: Mapping[int, Certificate], levels: SegmentLevels | None
) -> Mapping[int, Certificate]:
    """Set ``supported`` to False in all certificates where users support no number of segments."""
    if not unsupported(levels):
        return certificates
    return {segment: replace(certificate, supported=False) for segment, certificate in certificates.items()}


def verdict_text(
    levels: SegmentLevels | None, certificates: Mapping[int, Certificate], *, kept_back: bool = False
) -> str:
    """The verdict on the segments as a whole, for the app, the report, ``clusters.json`` and the chat.

    Args:
        levels: Numbers of segments that users support; None where none were compared.
        certificates: Certificates of the segments; empty where they were not measured.
        kept_back: Whether names are withheld (:func:`core.segments.levels.withheld`).
    """
    said = [levels.sentence if levels else NOT_COMPARED, mostly_doubtful(certificates)]
    if levels and levels.levels:
        said.reverse()  # that users support so many segments misleads where these would not come again
    return " ".join(filter(None, (*said, NAMES_WITHHELD if kept_back else "")))


def mostly_doubtful(certificates: Mapping[int, Certificate]) -> str:
    """Say that more than half of the segments are doubtful; empty where they are not."""
    doubtful, n = (
        sum(certificate.mark == _DOUBTFUL for certificate in certificates.values()),
        len(certificates),
    )
    if 2 * doubtful <= n:
        return ""
    return f"{doubtful} of these {n} segments are doubtful: other users would lead to others, {GIVEN}."


def coarser_that_holds(
    levels: SegmentLevels, k: int, cut: Callable[[int], Partition], vectors: np.ndarray
) -> int | None:
    """Find the finest supported level below a number of segments at which most segments are not doubtful.

    Args:
        levels: Numbers of segments that users support.
        k: The number of segments.
        cut: Clusters the users into so many segments.
        vectors: float32 of shape (n_users, d), what is clustered.

    Returns:
        The number of segments of that level; None where there is none.
    """
    coarser = [level.k for level in reversed(levels.levels) if level.k < k]
    held = (n for n in coarser if not mostly_doubtful(certify(vectors, cut(n), resamples=_FEW_RESAMPLES)))
    return next(held, None)


def write_certificates(folder: Path, certificates: Mapping[int, Certificate]) -> None:
    """Write certificates into ``certificates.json`` of a folder."""
    (folder / _FILE).write_bytes(_json().dump_json(certificates))


def read_certificates(folder: Path) -> Mapping[int, Certificate]:
    """Read what :func:`write_certificates` wrote: segment → its certificate."""
    return _json().validate_json((folder / _FILE).read_bytes())


def _json() -> TypeAdapter[Mapping[int, Certificate]]:
    return TypeAdapter(dict[int, Certificate])


def table(certificates: Mapping[int, Certificate]) -> pd.DataFrame:
    """Table with a row a segment: the fields of :class:`Certificate`, ``word`` and ``condition``."""
    return pd.DataFrame([certificate.to_dict() for certificate in certificates.values()])


def certify(
    vectors: np.ndarray, partition: Partition, progress: Progress = silent, resamples: int = _RESAMPLES
) -> dict[int, Certificate]:
    """Measure certificates: cluster resamples of :data:`_SAMPLE` users at most, and find each segment again.

    Changes by hand are applied to the segments of a resample in the same way: what continues a merged segment
    is merged, and what continues a split one is split anew, by the resample. A segment of chosen users, or
    one that was split or merged from it, has no certificate.

    Args:
        vectors: float32 of shape (n_users, d), what was clustered.
        partition: The segments.
        progress: Where to report; may stop the work.
        resamples: Number of resamples, at least 39 for an interval of 95 %.

    Returns:
        Segment → its certificate, but for segments with chosen users
        (:func:`core.segments.edits.chosen_segments`).

    Raises:
        Cancelled: If ``progress`` says so.
    """
    rng = np.random.default_rng(partition.settings.seed)
    clustered = np.flatnonzero(partition.labels != OUTSIDE)
    inside = rng.permutation(clustered)[:_SAMPLE]
    rows = np.ascontiguousarray(vectors[inside])
    n, seed = len(rows), partition.settings.seed
    sought = _sought(rows, inside, partition)
    everybody = np.arange(n)
    orders = [rng.permutation(n) for _ in range(_SPLITS)]
    jobs = [(rng.integers(0, n, max(2, n // 2)), seed) for _ in range(resamples)]
    jobs += [(part, seed) for order in orders for part in (order[: n // 2], order[n // 2 :])]
    jobs += [(everybody, seed + 1 + other) for other in range(_SEEDS)]
    matches = []
    with repeatable(), threads() as pool:
        for shared in pool.map(partial(_again, rows, sought), jobs):
            matches.append(shared)
            progress(_STAGE, len(matches) / len(jobs), "Finding each segment again among other users")
    return _certificates(partition, matches, resamples)


def jaccard(shared: np.ndarray) -> np.ndarray:
    """Jaccard index of each pair of groups: float of shape (k_one, k_other).

    Args:
        shared: int of shape (k_one, k_other), users in both; every user is in one group of each side.
    """
    either = shared.sum(axis=1)[:, None] + shared.sum(axis=0) - shared
    index: np.ndarray = shared / np.maximum(either, 1)
    return index


@dataclass(frozen=True)
class _Sought:
    """Segments that resamples are compared with, as positions of users' segments.

    Args:
        partition: The segments.
        users: int of shape (n,), index of each row among all users.
        own: int of shape (n,), position of each row's segment among ``ids``; last for users in none.
        cut: As ``own``, among the segments that clustering led to, before any change by hand.
        cut_ids: Ids of these segments.
    """

    partition: Partition
    users: np.ndarray
    own: np.ndarray
    cut: np.ndarray
    cut_ids: np.ndarray

    @property
    def k(self) -> int:
        """Number of segments that are compared."""
        return len(self.partition.ids)

    def changed(self, place: np.ndarray, rows: np.ndarray, learns: np.ndarray) -> np.ndarray:
        """Apply the changes by hand to segments of a resample: int of shape (n,), −1 in none."""
        from core.segments.editing import apply_edits

        shared = _shared(self.cut, len(self.cut_ids), place)
        before, after = linear_sum_assignment(shared[:-1, :-1], maximize=True)
        named = self.cut_ids[before[np.argsort(after)]]
        labels = apply_edits(named[place], rows, self.partition, self.users, learns)
        return _places(labels, self.partition.ids, none=-1)


def _sought(rows: np.ndarray, users: np.ndarray, partition: Partition) -> _Sought:
    from core.segments.clustering import assign  # late: stage names need no scikit-learn

    own = _places(partition.labels[users], partition.ids, none=len(partition.ids))
    if not partition.edits:
        return _Sought(partition, users, own, own, partition.ids)
    ids = partition.learned["ids"]
    cut = assign(rows, replace(partition, edits=()))
    return _Sought(partition, users, own, _places(cut, ids, none=len(ids)), ids)


def _places(labels: np.ndarray, ids: np.ndarray, none: int) -> np.ndarray:
    return np.where(labels > OUTSIDE, np.searchsorted(ids, labels), none)


def _again(rows: np.ndarray, sought: _Sought, job: tuple[np.ndarray, int]) -> np.ndarray:
    """Cluster by some users, and count the users that each segment shares with each cluster; none is last.

    Returns:
        int of shape (k + 1, k_found + 1).
    """
    from core.segments.kmeans import labels_by  # late: stage names need no scikit-learn

    learns, seed = job
    place = labels_by(rows[learns], rows, len(sought.cut_ids), seed)
    if sought.partition.edits:
        place = sought.changed(place, rows, np.unique(learns))
    return _shared(sought.own, sought.k, place)


def _shared(own: np.ndarray, k: int, place: np.ndarray) -> np.ndarray:
    n_groups = max(int(place.max()) + 1, 1)
    code = own * (n_groups + 1) + np.where(place < 0, n_groups, place)
    return np.bincount(code, minlength=(k + 1) * (n_groups + 1)).reshape(k + 1, n_groups + 1)


def _certificates(
    partition: Partition, matches: Sequence[np.ndarray], resamples: int
) -> dict[int, Certificate]:
    indices = np.array([jaccard(shared)[:-1, :-1].max(axis=1) for shared in matches])  # (jobs, k)
    drawn, halves, seeds = np.split(indices, [resamples, resamples + 2 * _SPLITS])
    low, high = np.percentile(drawn, _TAILS, axis=0, method="weibull")
    moves = np.mean([_moves(shared) for shared in matches[:resamples]], axis=0)  # (k, k)
    means, union = drawn.mean(axis=0), np.mean([unions(shared) for shared in matches[:resamples]], axis=0)
    sizes, certificates = partition.sizes, {}
    measured = [segment not in chosen_segments(partition.edits) for segment in partition.ids]
    for place, segment in compress(enumerate(partition.ids.tolist()), measured):
        rival = int(moves[place].argmax())
        certificates[segment] = Certificate(
            segment=segment, users=sizes[segment], jaccard=float(means[place]),
            low=float(low[place]), high=float(high[place]), halves=float(halves[:, place].mean()),
            seeds=float(seeds[:, place].mean()),
            rival=int(partition.ids[rival]) if moves[place, rival] > 0 else None,
            moves=float(moves[place, rival]),
        )  # fmt: skip
    # of two segments in all the union is everybody, who always come again
    union = np.where(np.outer(measured, measured), union, 0.0)
    for place, other in _really_one(means, union) if sum(measured) > 2 else ():
        one, two, together = int(partition.ids[place]), int(partition.ids[other]), float(union[place, other])
        certificates[one] = replace(certificates[one], same_as=two, together=together)
        certificates[two] = replace(certificates[two], same_as=one, together=together)
    return certificates


def unions(shared: np.ndarray) -> np.ndarray:
    """Jaccard index of the union of each two segments and the group, or union of two groups, most like it.

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
    """Members of each of k groups and each union of two: float of shape (k (k + 1) / 2, k), 0 or 1."""
    one, other = np.triu_indices(k)
    members = np.eye(k)
    return np.maximum(members[one], members[other])


def _really_one(alone: np.ndarray, union: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of positions of segments that are really one; each segment in at most one pair, surest first.

    Args:
        alone: Index of each segment, float of shape (k,).
        union: From :func:`unions`.
    """
    unsure = np.minimum.outer(alone, alone) < _STABLE
    misses_alone = 1 - np.maximum.outer(alone, alone)
    places = np.argwhere(unsure & (1 - union <= _MISSED * misses_alone))
    joined: list[tuple[int, int]] = []
    for one, other in sorted(places.tolist(), key=lambda pair: -union[tuple(pair)]):
        if not {one, other} & {place for pair in joined for place in pair}:
            joined.append((one, other))
    return joined


def _moves(shared: np.ndarray) -> np.ndarray:
    """Share of each segment's users who are in the continuation of another: float of shape (k, k)."""
    segment, continues = linear_sum_assignment(shared[:-1, :-1], maximize=True)
    moved = np.zeros((len(shared) - 1, len(shared) - 1))
    moved[:, segment] = shared[:-1, continues] / np.maximum(shared[:-1].sum(axis=1), 1)[:, None]
    np.fill_diagonal(moved, 0.0)
    return moved
