"""Match segments with earlier ones, to keep number, colour and name after a change or a training."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from core.base.errors import ArtifactError
from core.base.schema import OUTSIDE
from core.segments.certificate import jaccard
from core.segments.edits import made_segments
from core.segments.partition import Partition

DISSOLVED: Final = 0.5
"""Jaccard index up to which a segment has dissolved (Hennig 2008); above it at most one can be the same."""
_DRAWS: Final = 99
_ANY: Final = np.array(True)
RECOVERED: Final = 0.75
"""Jaccard index from which on a segment is the same, and keeps a name that was given to it."""


@dataclass(frozen=True)
class Match:
    """The current segments under the ids of the previous ones.

    Args:
        partition: The current partition, relabelled; ids stay ascending, so centroids may change places.
        moved: Number of users who are in another segment than before.
        new: Ids that no previous segment had.
        gone: Ids of previous segments that none of the current ones continues.
    """

    partition: Partition
    moved: int
    new: tuple[int, ...]
    gone: tuple[int, ...]


def match(previous: Partition, current: Partition) -> Match:
    """Give the current segments the ids of the previous ones they share most users with.

    The pairing with the most shared users in all is taken (Hungarian method, Kuhn 1955). A segment that
    shares nobody with its partner, or is left over, is new and takes the lowest id that neither was in
    use before nor is now.

    Args:
        previous: The segments before the move.
        current: The segments after it, of the same users.

    Raises:
        ArtifactError: If they are not of the same users.
    """
    shared = overlap(previous, current)
    kept = {
        int(current.ids[after]): int(previous.ids[before])
        for before, after in zip(*linear_sum_assignment(shared, maximize=True), strict=True)
        if shared[before, after] > 0
    }
    old_ids = set(previous.ids.tolist())
    fresh = [segment for segment in current.ids.tolist() if segment not in kept]
    free = (number for number in range(len(old_ids) + len(fresh)) if number not in old_ids)
    names = kept | dict(zip(fresh, free, strict=False))
    relabelled = _relabelled(current, names)
    return Match(
        partition=relabelled,
        moved=moved(previous, relabelled),
        new=tuple(sorted(names[segment] for segment in fresh)),
        gone=tuple(sorted(old_ids - set(kept.values()))),
    )


def recovery(partition: Partition, vectors: np.ndarray) -> dict[int, float]:
    """Measure how well each segment is found again by clustering other vectors of the same users.

    Args:
        partition: The segments.
        vectors: float32 of shape (n_users, d), for example of another training.

    Returns:
        Segment → its Jaccard index with the most similar segment that the same settings lead to; without
        segments made by hand, which clustering cannot lead to.

    Raises:
        InputError: If fewer than two of these vectors differ.
        SettingsError: If there are more segments than different vectors.
    """
    from core.segments.clustering import fit  # late: stage names need no scikit-learn

    other = fit(vectors, partition.labels != OUTSIDE, partition.settings)
    best = jaccard_matrix(partition, other).max(axis=1)
    found = zip(partition.ids.tolist(), best.tolist(), strict=True)
    return {segment: index for segment, index in found if segment not in made_segments(partition.edits)}


@dataclass(frozen=True)
class Continued:
    """The segments of a new model under the ids of those of an earlier one, where they are the same.

    Args:
        partition: The current partition, relabelled.
        quality: Id → Jaccard index with the earlier segment of that id, of those that continue one.
    """

    partition: Partition
    quality: Mapping[int, float]


def continued(
    previous: Partition,
    current: Partition,
    above: float = DISSOLVED,
    taken: Collection[int] = (),
    may_be: np.ndarray = _ANY,
) -> Continued:
    """Give segments of a new model the id of the earlier one that they are the same as, by their users.

    Vectors of two trainings cannot be compared, users can. Segments that continue none take the lowest free
    ids, without a name.

    Args:
        previous: The segments of the earlier model.
        current: The segments of the new model, of the same users.
        above: Jaccard index above which a segment is the same; no less than ``DISSOLVED``, below which
            several can be.
        taken: Ids that segments without an earlier one must not take.
        may_be: Which pairs may be the same: bool of shape (k_previous, k_current).

    Raises:
        ArtifactError: If they are not of the same users.
    """
    index = np.where(may_be, jaccard_matrix(previous, current), 0)
    same = {
        int(current.ids[after]): (int(previous.ids[before]), float(index[before, after]))
        for before, after in zip(*np.nonzero(index > above), strict=True)
    }
    kept = {segment: earlier for segment, (earlier, _) in same.items()}
    used = {*kept.values(), *taken}
    free = (number for number in range(len(current.ids) + len(used)) if number not in used)
    names = {segment: kept[segment] if segment in kept else next(free) for segment in current.ids.tolist()}
    return Continued(_relabelled(current, names), dict(sorted(same.values())))


def jaccard_matrix(previous: Partition, current: Partition) -> np.ndarray:
    """Jaccard index of each pair of segments: float of shape (k_previous, k_current).

    Raises:
        ArtifactError: If the partitions are not of the same users.
    """
    return jaccard(_shared(previous, current))[:-1, :-1]


def chance(previous: Partition, current: Partition, seed: int = 0, draws: int = _DRAWS) -> float:
    """Jaccard index that the two most similar segments would exceed in 5 % of cases by chance alone.

    Measured on ``draws`` shuffles of the clustered users of ``current``: large segments overlap much anyway.

    Raises:
        ArtifactError: If the partitions are not of the same users.
    """
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        inside = np.flatnonzero(current.labels != OUTSIDE)
        labels = current.labels.copy()
        labels[inside] = labels[rng.permutation(inside)]
        found.append(jaccard_matrix(previous, replace(current, labels=labels)).max())
    return float(np.quantile(found, 0.95))


def moved(previous: Partition, current: Partition) -> int:
    """Count the users who are in a segment both before and now, but in ones with different ids.

    Raises:
        ArtifactError: If the partitions are not of the same users.
    """
    _check_same_users(previous, current)
    both = (previous.labels > OUTSIDE) & (current.labels > OUTSIDE)
    return int((both & (previous.labels != current.labels)).sum())


def overlap(previous: Partition, current: Partition) -> np.ndarray:
    """Count the users that each pair of segments shares: int64 of shape (k_previous, k_current).

    Raises:
        ArtifactError: If the partitions are not of the same users.
    """
    return _shared(previous, current)[:-1, :-1]


def _shared(previous: Partition, current: Partition) -> np.ndarray:
    """Count shared users, int of shape (k_previous + 1, k_current + 1); users set aside come last."""
    _check_same_users(previous, current)
    both = (previous.labels != OUTSIDE) & (current.labels != OUTSIDE)
    before, after = (_places(partition, both) for partition in (previous, current))
    shape = len(previous.ids) + 1, len(current.ids) + 1
    return np.bincount(before * shape[1] + after, minlength=shape[0] * shape[1]).reshape(shape)


def _places(partition: Partition, which: np.ndarray) -> np.ndarray:
    labels = partition.labels[which]
    return np.where(labels > OUTSIDE, np.searchsorted(partition.ids, labels), len(partition.ids))


def _check_same_users(previous: Partition, current: Partition) -> None:
    before, after = len(previous.labels), len(current.labels)
    if before != after:
        raise ArtifactError(
            f"Segments of {before} users cannot be matched with segments of {after}",
            remedy="Fit again from scratch",
        )


def _relabelled(partition: Partition, names: dict[int, int]) -> Partition:
    """Give segments other ids, and sort them by id."""
    renamed = np.array([names[segment] for segment in partition.ids.tolist()], dtype=np.int32)
    order = np.argsort(renamed)
    labels = partition.labels.copy()
    inside = labels > OUTSIDE
    labels[inside] = renamed[np.searchsorted(partition.ids, labels[inside])]
    return replace(partition, labels=labels, ids=renamed[order], centroids=partition.centroids[order])
