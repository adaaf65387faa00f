"""Why a user is in a segment: distances of the same user without a page, or a session, on the frozen model.

What changes without a part of the input says what the part did (occlusion, Zeiler and Fergus 2014). A part is
a page with all its views, or a session; each shortened sequence is embedded, mixed as all users are, and held
against the middles of the user's own segment and of the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from core.base.errors import InputError
from core.base.schema import OUTSIDE
from core.segments.clustering import assign
from core.segments.combination import FrozenMix
from core.segments.geometry import repeatable, squared_distances
from core.segments.partition import Partition
from core.storage.sequences import UserSequences

LATEST: Final = 1_024
"""Latest page views of a user that are read: twice what any model reads, as earlier ones move up."""
KIND, PART, VIEWS = "kind", "part", "views"
DISTANCE, NEXT_DISTANCE, EFFECT, PLACED = "distance", "next_distance", "effect", "placed"


class PartKind(StrEnum):
    """Kind of part that is left out of a user."""

    PAGE = "page"
    SESSION = "session"


@dataclass(frozen=True, eq=False)
class Reasons:
    """Which parts of a user hold them in their segment, and which pull towards the next one.

    Args:
        own: The user's segment; the nearest segment for a user who was set aside.
        following: The segment whose middle is the nearest of the others.
        distance: To the middle of ``own``.
        next_distance: To the middle of ``following``.
        parts: One row a part: ``kind``, ``part`` (page index; session, from 0), ``views`` in it, ``distance``
            and ``next_distance`` without it, and ``effect``, what is lost of the lead: above 0 the part holds
            the user here, below 0 it pulls away. Also ``placed``, the segment without it or ``SET_ASIDE``,
            but only where assignment puts the whole user into their segment, which it may not where users
            were chosen by hand.
    """

    own: int
    following: int
    distance: float
    next_distance: float
    parts: pd.DataFrame

    @property
    def lead(self) -> float:
        """How much nearer the user is to the middle of their segment than to that of the next one."""
        return self.next_distance - self.distance

    def of(self, kind: PartKind) -> pd.DataFrame:
        """The pages or the sessions, those that hold the user most first."""
        return self.parts[self.parts[KIND] == kind].sort_values(EFFECT, ascending=False, kind="stable")


@dataclass(frozen=True, eq=False)
class FrozenSegments(FrozenMix):
    """The frozen mix of views and the segments, by which any user is placed."""

    partition: Partition


def reasons(user: int, sequences: UserSequences, frozen: FrozenSegments) -> Reasons:
    """Measure a user's distances without each page and each session in turn, embedding all at once.

    Args:
        user: Index of a clustered user.
        sequences: Page views of all users.
        frozen: The frozen mix and segments.

    Raises:
        InputError: If the user is not clustered, or looked at one page in one session only, or if there is no
            second segment.
        ArtifactError: If the model is missing or damaged.
    """
    if frozen.partition.labels[user] == OUTSIDE:
        raise InputError("This user is not clustered, so there is no reason to be found")
    own = _latest(sequences.of_users(np.array([user])))
    keep, parts = _without_each(own)
    if not len(parts):
        raise InputError("This user saw a single page in one session: nothing can be left out")
    vectors = frozen.vectors(_shortened(own, keep))
    here, following = _nearest_two(vectors[0], frozen, user)
    with repeatable():
        apart = np.sqrt(np.maximum(squared_distances(vectors, frozen.partition.centroids), 0))
    ids = frozen.partition.ids
    distance, next_distance = apart[:, here].astype(np.float64), apart[:, following].astype(np.float64)
    lead = next_distance - distance
    measured = {DISTANCE: distance[1:], NEXT_DISTANCE: next_distance[1:], EFFECT: lead[0] - lead[1:]}
    placed = assign(vectors, frozen.partition)
    if placed[0] == frozen.partition.labels[user]:
        measured[PLACED] = placed[1:]
    return Reasons(
        int(ids[here]), int(ids[following]), float(distance[0]), float(next_distance[0]),
        parts.assign(**measured),
    )  # fmt: skip


def _latest(own: UserSequences) -> UserSequences:
    """The last :data:`LATEST` page views of a single user."""
    kept = slice(-LATEST, None)
    page = own.page[kept]
    return UserSequences(own.user_id, np.array([0, len(page)]), page, own.timestamp[kept], own.session[kept])


def _without_each(own: UserSequences) -> tuple[np.ndarray, pd.DataFrame]:
    """Which page views are kept, bool of shape (1 + n_parts, n_views), first all; and what each part is.

    A part that is the whole of a user is not left out.
    """
    keep, parts = [np.ones((1, own.n_views), dtype=bool)], []
    for kind, of_view in ((PartKind.PAGE, own.page), (PartKind.SESSION, own.session)):
        values, views = np.unique(of_view, return_counts=True)
        if len(values) > 1:
            keep.append(of_view != values[:, None])
            parts.append(pd.DataFrame({KIND: kind, PART: values, VIEWS: views}))
    return np.concatenate(keep), pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _shortened(own: UserSequences, keep: np.ndarray) -> UserSequences:
    """Make a user of the page views that each row of ``keep`` keeps."""
    _, view = np.nonzero(keep)
    offsets = np.concatenate([[0], np.cumsum(keep.sum(axis=1))])
    ids = pa.array([f"{number:06d}" for number in range(len(keep))])
    return UserSequences(ids, offsets, own.page[view], own.timestamp[view], own.session[view])


def _nearest_two(vector: np.ndarray, frozen: FrozenSegments, user: int) -> tuple[int, int]:
    """Positions of the user's segment (the nearest if set aside) and of the nearest other segment."""
    partition = frozen.partition
    nearest: Sequence[int] = np.argsort(squared_distances(vector[None], partition.centroids)[0]).tolist()
    own = np.flatnonzero(partition.ids == partition.labels[user]).tolist() or nearest[:1]
    others = [place for place in nearest if place != own[0]]
    if not others:
        raise InputError("There is one segment only, so nothing pulls to another", remedy="Cut into more")
    return own[0], others[0]
