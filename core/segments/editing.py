"""Change segments by hand: merge, split, set aside, make of chosen users, or of the levels of a facet.

Each change gives a new partition, which carries all changes since clustering and what decided them, so that
the last one can be taken back and new users go the same way: first to where the clustering puts them, then
through each change. An id goes on with the segment that it stands for; new segments take ids that none had.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from core.base.errors import InputError, SettingsError
from core.base.schema import OUTSIDE, SET_ASIDE
from core.base.wording import pluralise
from core.segments.edits import Edit, Gather, Merge, Regroup, SetAside, Split, made_segments, segment_numbers
from core.segments.geometry import (
    count_different,
    inertia,
    nearest,
    repeatable,
    segment_means,
    squared_distances,
)
from core.segments.kmeans import fit_centroids
from core.segments.partition import Partition

_FEWEST: Final = 2
"""Fewest segments that a change must leave: a single one has no others to differ from."""
MAX_PARTS: Final = 10


def merge(partition: Partition, vectors: np.ndarray, segments: Sequence[int]) -> Partition:
    """Merge several segments into a single one, which keeps the id of the largest.

    Args:
        partition: The segments.
        vectors: float32 of shape (n_users, d), what they were cut from; so in all of these functions.
        segments: Ids of two or more segments.

    Raises:
        SettingsError: If there is no such segment, fewer than two are named, or only one would be left.
    """
    together, sizes = _known(partition, segments), partition.sizes
    if len(together) < 2:
        raise SettingsError(
            f"Segment {segment_numbers(together)} alone cannot be merged", allowed="two segments or more",
            remedy="Choose the segments that are to be one",
        )  # fmt: skip
    largest = max(together, key=lambda segment: (sizes[segment], -segment))
    users = sum(sizes[segment] for segment in together)
    return _changed(partition, vectors, Merge(segments=together, kept=largest, users=users), {})


def split(partition: Partition, vectors: np.ndarray, segment: int, into: int = 2) -> Partition:
    """Split a segment by K-Means among its users; the largest part keeps its id.

    Args:
        partition: The segments.
        vectors: What they were cut from.
        segment: Id of the segment.
        into: Number of parts, 2 to 10.

    Raises:
        SettingsError: If there is no such segment, or its users do not differ enough.
    """
    _known(partition, [segment])
    rows = np.ascontiguousarray(vectors[partition.labels == segment])
    different = count_different(rows, enough=into)
    if not 2 <= into <= min(MAX_PARTS, different):
        raise SettingsError(
            f"Segment {segment + 1} cannot be split into {into} parts: "
            f"{pluralise(len(rows), 'user')}, of whom {different} differ",
            allowed=f"2 to {min(MAX_PARTS, different)} parts"
            if different > 1
            else "segments of users who differ",
            remedy="Choose fewer parts, or another segment",
        )
    with repeatable():
        middles = _middles(rows, into, partition, partition.settings.seed)
    parts = (segment, *_free(partition, len(middles) - 1))
    step = Split(segment=segment, parts=parts, users=len(rows))
    return _changed(partition, vectors, step, {"middles": middles})


def set_aside(partition: Partition, vectors: np.ndarray, segments: Sequence[int]) -> Partition:
    """Set segments aside: their users are in none, and are counted as a separate group.

    Args:
        partition: The segments.
        vectors: What they were cut from.
        segments: Ids of the segments.

    Raises:
        SettingsError: If there is no such segment, none is named, or fewer than two would be left.
    """
    out, sizes = _known(partition, segments), partition.sizes
    step = SetAside(segments=out, users=sum(sizes[segment] for segment in out))
    return _changed(partition, vectors, step, {})


def from_users(partition: Partition, vectors: np.ndarray, users: np.ndarray, why: str = "") -> Partition:
    """Make a segment of chosen users, who leave their segments; a segment left empty is removed.

    Args:
        partition: The segments.
        vectors: What they were cut from.
        users: bool of shape (n_users,). Whoever is outside clustering stays there, and whoever was set aside
            stays so, unless nobody else is chosen.
        why: How they were chosen.

    Raises:
        InputError: If the mask does not fit the users of the segments.
        SettingsError: If no chosen user takes part in clustering, or fewer than two segments would be left.
    """
    joins = would_join(partition, users)
    if not joins.any():
        raise SettingsError(
            f"Of {pluralise(int(users.sum()), 'chosen user')}, nobody takes part in clustering",
            allowed="users with two page views or more who do not look automated",
            remedy="Choose other users",
        )
    beside = np.vstack([vectors[joins].mean(axis=0), partition.centroids]).astype(np.float32)
    aside = bool((partition.labels[joins] == SET_ASIDE).all())
    step = Gather(made=_free(partition, 1)[0], why=why, users=int(joins.sum()), aside=aside)
    return _changed(partition, vectors, step, {"users": np.packbits(joins), "middles": beside})


def regroup(partition: Partition, vectors: np.ndarray, level: np.ndarray, why: str) -> Partition:
    """Replace all segments by one for each level of a facet.

    Args:
        partition: The segments.
        vectors: What they were cut from.
        level: int of shape (n_users,), the level of each user, 0 and up; whoever is outside clustering or set
            aside stays so.
        why: What the facet asks.

    Raises:
        InputError: If the levels do not fit the users of the segments.
        SettingsError: If all users are on one level.
    """
    if level.shape != partition.labels.shape:
        raise InputError(
            f"Levels of {pluralise(len(level), 'user')} are not those of "
            f"{pluralise(len(partition.labels), 'user')}",
            remedy="Find the facets of this data set",
        )
    inside = np.flatnonzero((partition.labels != OUTSIDE) & (partition.labels != SET_ASIDE))
    _, codes = np.unique(level[inside], return_inverse=True)
    middles, _ = segment_means(vectors[inside], codes, int(codes.max()) + 1)
    parts = tuple(_free(partition, len(middles)))
    moved = np.full(len(level), OUTSIDE, dtype=np.int32)
    moved[inside] = codes
    step = Regroup(parts=parts, why=why, users=len(inside))
    return _changed(partition, vectors, step, {"codes": moved, "middles": middles})


def would_join(partition: Partition, users: np.ndarray) -> np.ndarray:
    """Which of the chosen users would be in a segment made of them: bool of shape (n_users,).

    Users outside clustering are not, and users set aside only if all are, as a lasso takes up any dot.

    Raises:
        InputError: If the mask does not fit the users of the segments.
    """
    if users.shape != partition.labels.shape or users.dtype != bool:
        raise InputError(
            f"A choice of shape {users.shape} and type {users.dtype} is not one of "
            f"{pluralise(len(partition.labels), 'user')}",
            allowed=f"true or false for each of {len(partition.labels):,}",
        )
    chosen: np.ndarray = users & (partition.labels != OUTSIDE)
    in_use = chosen & (partition.labels != SET_ASIDE)
    return in_use if in_use.any() else chosen


def first_changes(cut: Partition, changed: Partition, vectors: np.ndarray, count: int) -> Partition:
    """Take back all changes by hand but the first ``count``.

    Args:
        cut: The segments as clustering left them.
        changed: The segments after all changes.
        vectors: What they were cut from.
        count: Changes that stay; 0 gives ``cut`` itself.
    """
    now = cut
    for number, edit in enumerate(changed.edits[:count]):
        now = _changed(now, vectors, edit, _decided_by(changed, number))
    return now


def apply_edits(
    labels: np.ndarray,
    vectors: np.ndarray,
    partition: Partition,
    users: np.ndarray | None = None,
    learns: np.ndarray | None = None,
) -> np.ndarray:
    """Apply all changes by hand to users whom the clustering placed, and return where they end.

    Args:
        labels: int32 of shape (n,), ids of the segments that clustering led to, or ``OUTSIDE``.
        vectors: float32 of shape (n, d).
        partition: Segments that were changed by hand.
        users: int of shape (n,), index of each row among the users of the partition. None for new users, who
            join a segment of chosen users where its middle is nearer than those of the segments beside it.
        learns: Indices of the rows that splits are learned from anew; None to keep the splits as they were.

    Returns:
        int32 of shape (n,), ids of the segments as they are now, ``OUTSIDE`` or ``SET_ASIDE``.
    """
    for number, edit in enumerate(partition.edits):
        decided_by = dict(_decided_by(partition, number))
        if isinstance(edit, Split) and learns is not None:
            theirs = vectors[learns[labels[learns] == edit.segment]]
            decided_by["middles"] = _learned_again(theirs, decided_by["middles"], partition)
        labels = _moved_on(labels, vectors, edit, decided_by, users)
    return labels


def _moved_on(
    labels: np.ndarray,
    vectors: np.ndarray,
    edit: Edit,
    decided_by: Mapping[str, np.ndarray],
    users: np.ndarray | None,
) -> np.ndarray:
    labels = labels.copy()
    match edit:
        case Merge():
            labels[np.isin(labels, edit.segments)] = edit.kept
        case SetAside():
            labels[np.isin(labels, edit.segments)] = SET_ASIDE
        case Split():
            rows = np.flatnonzero(labels == edit.segment)
            place, _ = nearest(vectors[rows], decided_by["middles"])
            labels[rows] = np.array(edit.parts, dtype=np.int32)[place]
        case Gather() if users is None:
            near = nearest(vectors, decided_by["middles"])[0] == 0
            labels[near & (labels != OUTSIDE) & (edit.aside | (labels != SET_ASIDE))] = edit.made
        case Regroup():
            codes = (
                nearest(vectors, decided_by["middles"])[0] if users is None else decided_by["codes"][users]
            )
            moves = (labels != OUTSIDE) & (labels != SET_ASIDE) & (codes >= 0)
            labels[moves] = np.array(edit.parts, dtype=np.int32)[codes[moves]]
        case Gather():
            labels[np.unpackbits(decided_by["users"]).view(bool)[users]] = edit.made
    return labels


def _changed(
    partition: Partition, vectors: np.ndarray, edit: Edit, decided_by: Mapping[str, np.ndarray]
) -> Partition:
    """Apply another change; segments that nobody left or joined keep their centroid to the bit."""
    before = partition.labels
    with repeatable():
        labels = _moved_on(before, vectors, edit, decided_by, np.arange(len(before)))
        ids = np.unique(labels[labels > OUTSIDE]).astype(np.int32)
        if len(ids) < _FEWEST:
            raise SettingsError(
                f"This would leave {pluralise(len(ids), 'segment')}", allowed=f"at least {_FEWEST} segments",
                remedy="Leave some segments as they are",
            )  # fmt: skip
        moved = labels != before
        touched = np.unique([labels[moved], before[moved]])
        centroids = _centroids(partition, vectors, labels, ids, touched)
        spread = _spread(vectors, labels, ids, centroids, touched)
        spread -= _spread(vectors, before, partition.ids, partition.centroids, touched)
    cut = {} if partition.edits else {"centroids": partition.centroids, "ids": partition.ids}
    number = len(partition.edits)
    arrays = {f"edit{number}_{name}": values for name, values in decided_by.items()}
    return replace(
        partition, labels=labels, ids=ids, centroids=centroids, inertia=partition.inertia + spread,
        edits=(*partition.edits, edit), learned=cut | dict(partition.learned) | arrays,
    )  # fmt: skip


def _centroids(
    partition: Partition, vectors: np.ndarray, labels: np.ndarray, ids: np.ndarray, touched: np.ndarray
) -> np.ndarray:
    """Centroids after a change: kept where nobody left or joined, means of the users elsewhere."""
    rows = np.flatnonzero(np.isin(labels, touched) & (labels > OUTSIDE))
    new, place = np.unique(labels[rows], return_inverse=True)
    same = np.setdiff1d(ids, new)
    centroids = np.empty((len(ids), vectors.shape[1]), dtype=np.float32)
    centroids[np.searchsorted(ids, same)] = partition.centroids[np.searchsorted(partition.ids, same)]
    centroids[np.searchsorted(ids, new)] = segment_means(vectors[rows], place, len(new))[0]
    return centroids


def _spread(
    vectors: np.ndarray, labels: np.ndarray, ids: np.ndarray, centroids: np.ndarray, touched: np.ndarray
) -> float:
    """Inertia of the touched segments alone."""
    rows = np.flatnonzero(np.isin(labels, touched) & (labels > OUTSIDE))
    return inertia(vectors[rows], centroids, np.searchsorted(ids, labels[rows]))


def _decided_by(partition: Partition, number: int) -> dict[str, np.ndarray]:
    """Arrays that a change was decided by, by name."""
    mine = f"edit{number}_"
    return {name.removeprefix(mine): v for name, v in partition.learned.items() if name.startswith(mine)}


def _middles(rows: np.ndarray, into: int, partition: Partition, seed: int) -> np.ndarray:
    """Centroids of the parts that K-Means finds among users, largest first: float32 of shape (into, d)."""
    settings = partition.settings.model_copy(update={"n_clusters": into, "seed": seed})
    middles = fit_centroids(rows.copy(), settings)[0]
    sizes = np.bincount(nearest(rows, middles)[0], minlength=into)
    order = np.argsort(-sizes, kind="stable")
    sorted_middles: np.ndarray = middles[order[sizes[order] > 0]]
    return sorted_middles


def _learned_again(rows: np.ndarray, before: np.ndarray, partition: Partition) -> np.ndarray:
    """Learn centroids of a split from other users, matched with those before; these if users are too few."""
    if count_different(rows, enough=len(before)) < len(before):
        return before
    again = _middles(np.ascontiguousarray(rows), len(before), partition, partition.settings.seed)
    if len(again) < len(before):
        return before
    matched: np.ndarray = again[linear_sum_assignment(squared_distances(before, again))[1]]
    return matched


def _known(partition: Partition, segments: Sequence[int]) -> tuple[int, ...]:
    """Check that segments exist, and return each id once, ascending."""
    there, named = set(partition.ids.tolist()), sorted(set(segments))
    if not named or not there.issuperset(named):
        missing = sorted(set(named) - there)
        raise SettingsError(
            f"There is no segment {segment_numbers(missing)}" if missing else "No segment is named",
            allowed=f"segments {segment_numbers(partition.ids.tolist())}", remedy="Choose one of these",
        )  # fmt: skip
    return tuple(named)


def _free(partition: Partition, count: int) -> list[int]:
    """Lowest ids that no segment has, nor had since clustering: an id never stands for two segments."""
    cut = partition.learned.get("ids", partition.ids)
    taken = {*partition.ids.tolist(), *cut.tolist()} | made_segments(partition.edits)
    free = (number for number in range(len(taken) + count) if number not in taken)
    return [next(free) for _ in range(count)]
