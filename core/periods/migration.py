"""Segments of two exports beside each other: who moved between them, and which are the same after a training.

Users of the same behaviour land in other segments when other visits of theirs are seen. How often, is
measured in the training period: each user's sessions are dealt into two random parts, as unequal as the two
exports (:mod:`core.periods.training_period`), and the model places both. Fewer page views make a place less
sure, so the parts count by how many page views the users in question have in each export
(post-stratification, Holt and Smith 1979).

Vectors and centroids of two trainings cannot be compared, but the earlier model can place the users of the
later export too, by its centroids: the same users, cut in two ways. Nobody has to be in both exports. A
segment is the same one where the users overlap (:func:`core.segments.identity.continued`), more than chance
alone would have it, and where the same pages set it apart then and now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from core.base.schema import OUTSIDE, SET_ASIDE
from core.periods.placed_users import Pairs, PlacedUsers
from core.profiles.differences import Diff
from core.profiles.profile_columns import Col
from core.profiles.two_shares import difference_interval
from core.segments.identity import DISSOLVED, chance, continued, jaccard_matrix
from core.segments.partition import Partition

BEFORE, AFTER = "before", "after"
"""Columns with the segment of a user in each export."""


@dataclass(frozen=True, eq=False)
class Migration:
    """Moves of users between segments, from one export to another.

    A place is the position of a segment, or the number of segments for users in none.

    Args:
        table: One row a pair of places: ``before``, ``after``, ``users``, of ``n`` that were there before,
            their ``share``; the same of the halves (``rest_…``, users as they count); ``difference`` with its
            95 % interval (Newcombe 1998), and whether it ``differs``.
        users: Users in both.
        halves: Users of the training period whose sessions were dealt into halves.
        told: Users in both from a place that users of the halves are in too: what to expect there is known.
        stayed: Share of those who are in the same place; of all in both where ``told`` is 0.
        expected: The same if nobody had changed, at the places they came from; NaN where ``told`` is 0.
    """

    table: pd.DataFrame
    users: int
    halves: int
    told: int
    stayed: float
    expected: float


def migration(pairs: Pairs, halves: Pairs, k: int) -> Migration:
    """Count who moved between segments, beside the moves between random halves of the training period.

    Args:
        pairs: Segments of the users in both exports, before and after.
        halves: Segments of users of the training period, by either random half of their sessions.
        k: Number of segments; place k is "in none".
    """
    side, weight = k + 1, _weights(pairs.views, halves.views)
    counts = _counted(pairs, np.ones(len(pairs.views)), side)
    base, squares = _counted(halves, weight, side), _counted(halves, weight**2, side)
    n = counts.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        effective = base.sum(axis=1, keepdims=True) ** 2 / squares.sum(axis=1, keepdims=True)  # Kish 1965
        expected = base / base.sum(axis=1, keepdims=True)
        share = counts / n
    effective = np.nan_to_num(effective)
    rest = np.nan_to_num(expected * effective)
    low, high = difference_interval(counts, n, rest, effective)
    cells = {
        Col.USERS: counts.astype(np.int64), Col.N: n.astype(np.int64), Col.SHARE: share, Col.REST_USERS: rest,
        Col.REST_N: effective, Col.REST_SHARE: expected, Col.DIFFERENCE: share - expected,
        Diff.DIFFERENCE_LOW: low, Diff.DIFFERENCE_HIGH: high, Diff.DIFFERS: (low > 0) | (high < 0),
    }  # fmt: skip
    before, after = np.divmod(np.arange(side * side), side)
    columns = {name: np.broadcast_to(part, (side, side)).ravel() for name, part in cells.items()}
    users = len(pairs.views)
    came, tells = counts.sum(axis=1), effective[:, 0] > 0
    some = tells if came[tells].any() else np.ones(side, dtype=bool)
    told, stayed = came[some].sum(), np.diag(counts)[some].sum()
    stays = (came * np.diag(expected))[some & (came > 0)].sum()
    return Migration(
        pd.DataFrame({BEFORE: before, AFTER: after, **columns}), users, len(halves.views),
        int(came[tells].sum()), float(stayed / told) if told else float("nan"),
        float(stays / told) if told else float("nan"),
    )  # fmt: skip


def _counted(pairs: Pairs, weight: np.ndarray, side: int) -> np.ndarray:
    code = pairs.before * side + pairs.after
    return np.bincount(code, weight, minlength=side * side).reshape(side, side)


_MAX_BIN: Final = 6
"""Highest bin, of log2 of the page views: from 64 on, more make a user's segment no surer."""


def _weights(wanted: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Weights of the halves that match their page views in both parts to those of the users in question.

    Bins are 1, 2–3, 4–7 … page views of each part; who has two numbers that no halves have counts for the
    nearest bins that some have, the one of fewer page views of several.
    """
    if not len(found) or not len(wanted):
        return np.ones(len(found))
    (mine, users), (bins, have) = (_binned(views) for views in (wanted, found))
    apart = np.abs(mine[:, None] - bins).sum(axis=2) + bins.sum(axis=1) / 100
    own = apart.argmin(axis=1)[users]
    ratio = np.bincount(own, minlength=len(bins)) / np.bincount(have, minlength=len(bins))
    weight: np.ndarray = ratio[have] * len(found) / len(wanted)
    return weight


def _binned(views: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different bins of page views, and the index of each row's bin."""
    bins = np.minimum(np.log2(np.maximum(views, 1)).astype(int), _MAX_BIN)
    found, which = np.unique(bins, axis=0, return_inverse=True)
    return found, which.ravel()


EARLIER, LATER, STAYED = "earlier", "later", "kept_as"
OVERLAP, PAGES_ALIKE, SAME = "overlap", "pages_alike", "same"
EARLIER_USERS = "earlier_users"
SIMILAR: Final = 0.7
"""Correlation of page profiles from which two segments can be the same."""


@dataclass(frozen=True, eq=False)
class SameSegments:
    """Segments of a later training, with the ids of the earlier one where they are the same.

    Args:
        table: One row a pair, or a segment without one: ``earlier`` and ``later`` id (absent where there is
            none), ``kept_as``, the later one's id from now on, ``earlier_users`` and ``users`` of the later
            export in each, their ``overlap`` (Jaccard index), how far their ``pages_alike`` (correlation of
            how many more of their users than of all saw each page, then and now), and whether they are the
            ``same``.
        partition: The later segments, relabelled.
        quality: Id → overlap, of the same ones.
        least: The overlap above which two are the same, if their pages are alike.
    """

    table: pd.DataFrame
    partition: Partition
    quality: Mapping[int, float]
    least: float


def same_segments(
    before: PlacedUsers, after: PlacedUsers, frozen: Partition, current: Partition
) -> SameSegments:
    """Match the segments of a later training with those of an earlier one.

    Args:
        before: The users of the training period in the frozen segments.
        after: Those of the later export in the frozen segments.
        frozen: The earlier model's segments.
        current: The later model's segments, of the users of the later export.

    Raises:
        ArtifactError: If the segments are not of those users.
    """
    k = len(frozen.ids)
    labels = np.where(after.place < k, frozen.ids[np.minimum(after.place, k - 1)], SET_ASIDE)
    placed = replace(frozen, labels=np.where(current.labels == OUTSIDE, OUTSIDE, labels).astype(np.int32))
    least = max(DISSOLVED, chance(placed, current))
    index, pages = jaccard_matrix(placed, current), _alike(before, after, k, current)
    found = continued(placed, current, least, frozen.ids.tolist(), pages >= SIMILAR)
    one, other = _pairs(index)
    beyond = ((0, 1), (0, 1))  # a row and a column of nobody, at −1
    table = pd.DataFrame({
        EARLIER: one, LATER: other,
        OVERLAP: np.pad(index, beyond, constant_values=np.nan)[one, other],
        PAGES_ALIKE: np.pad(pages, beyond, constant_values=np.nan)[one, other],
    })  # fmt: skip
    for column, ids in ((EARLIER, frozen.ids), (LATER, current.ids)):
        table[column] = table[column].map(dict(enumerate(ids.tolist()))).astype("Int32")
    table[STAYED] = table[LATER].map(_renamed(current, found.partition)).astype("Int32")
    table[EARLIER_USERS] = table[EARLIER].map(placed.sizes).astype("Int64")
    table[Col.USERS] = table[LATER].map(current.sizes).astype("Int64")
    table[SAME] = (table[OVERLAP] > least) & (table[PAGES_ALIKE] >= SIMILAR)
    return SameSegments(table, found.partition, found.quality, least)


def _pairs(index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Best matching of segments by position (Kuhn 1955), then segments without a partner, beside −1."""
    before, after = linear_sum_assignment(index, maximize=True)
    gone = np.setdiff1d(np.arange(index.shape[0]), before)
    new = np.setdiff1d(np.arange(index.shape[1]), after)
    nobody = [np.full(len(part), -1) for part in (gone, new)]
    return np.concatenate([before, gone, nobody[1]]), np.concatenate([after, nobody[0], new])


def _renamed(current: Partition, under: Partition) -> dict[int, int]:
    """Id before → id after a relabelling of segments."""
    inside = np.flatnonzero(current.labels > OUTSIDE)
    pairs = np.unique(np.stack([current.labels[inside], under.labels[inside]]), axis=1)
    return dict(zip(*pairs.tolist(), strict=True))


def _alike(before: PlacedUsers, after: PlacedUsers, k: int, current: Partition) -> np.ndarray:
    """Correlation of page profiles: float of shape (k, k_current), NaN where a profile says nothing."""
    place = np.where(current.labels > OUTSIDE, np.searchsorted(current.ids, current.labels), len(current.ids))
    profiles = [_profiles(before, before.place, k), _profiles(after, place, len(current.ids))]
    units = []
    for profile in profiles:
        apart = profile - profile.mean(axis=1, keepdims=True)
        length = np.linalg.norm(apart, axis=1, keepdims=True)
        units.append(np.divide(apart, length, out=np.full(apart.shape, np.nan), where=length > 0))
    found: np.ndarray = units[0] @ units[1].T
    return found


def _profiles(side: PlacedUsers, place: np.ndarray, k: int) -> np.ndarray:
    """Page profile of each segment: its share of users who saw each page, minus that of all clustered."""
    n_pages = len(side.pages.names)
    chosen = [np.flatnonzero(place == segment) for segment in range(k)] + [np.flatnonzero(place < k)]
    shares = np.array([
        np.bincount(side.pages.seen[users].indices, minlength=n_pages) / max(len(users), 1)
        for users in chosen
    ])  # fmt: skip
    apart: np.ndarray = shares[:-1] - shares[-1]
    return apart
