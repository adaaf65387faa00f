"""The 2-D map of all users: their places, a lasso around some, and the places of the segments' numbers.

There are two layouts: principal components at once, and a neighbour-preserving one (``neighbours.py``) that
takes up to two minutes and belongs in a background task. Distances between islands of the latter mean little;
``fidelity`` says how much of a user's true neighbourhood is still there.

Users with the very same vector are laid out once. Drawn as a single dot they would hide how many they are, so
each such group becomes a small disc whose area grows with the number of users (a sunflower: nothing about
it is random).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from core.base.errors import InputError
from core.base.progress import Progress
from core.base.schema import OUTSIDE
from core.segments.geometry import squared_distances, unique_rows
from core.segments.neighbours import place


def inside_polygon(polygon: Sequence[Sequence[float]] | np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Find the users within a lasso by the even-odd rule: a part that the line goes round twice is outside.

    Args:
        polygon: Corners, (m, 2), in drawing order; the last is joined to the first.
        xy: float of shape (n_users, 2).

    Returns:
        Indices of the users inside, ascending, int64; none where there are fewer than three corners.

    Raises:
        InputError: If the corners are not pairs of finite numbers.
    """
    corners = _corners(polygon)
    if len(corners) < 3:
        return np.empty(0, dtype=np.int64)
    low, high = corners.min(axis=0), corners.max(axis=0)
    near = np.flatnonzero(((xy >= low) & (xy <= high)).all(axis=1))  # the box first: a lasso is small
    x, y = xy[near].astype(np.float64).T
    odd = np.zeros(len(near), dtype=bool)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y1 != y2:
            crosses = (y1 > y) != (y2 > y)
            odd ^= crosses & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    return near[odd]


def _corners(polygon: Sequence[Sequence[float]] | np.ndarray) -> np.ndarray:
    try:
        corners = np.asarray(polygon, dtype=np.float64).reshape(len(polygon), 2)
    except (TypeError, ValueError) as error:
        raise InputError(f"The lasso is not a list of points: {error}", allowed="pairs of numbers") from error
    if not np.isfinite(corners).all():
        raise InputError("The lasso has a corner that is not a finite number", allowed="pairs of numbers")
    return corners


_PLACES_JUDGED: Final = 200
"""Users of a segment that are tried as places of its number, and as many of the others."""
_OUTSIDE: Final = 0.005
"""Share of the users at each end of an axis that may be outliers."""
_BESIDE: Final = 4
"""Farthest that a number stands from its segment's users, in numbers."""
_CLEAR: Final = 0.6
"""Distance of a number's middle from the nearest user, in numbers: its half, and room for a dot."""
_NEAR: Final = 0.1
"""Standard deviation of nearness on the map, whose longer side is 2."""


def number_places(
    xy: np.ndarray, labels: np.ndarray, corners: np.ndarray, size: np.ndarray
) -> dict[int, np.ndarray]:
    """Place the number of each segment on the map, so that no number lies on another.

    The smallest segment, which has the fewest places, chooses first: beside the user with the most users of
    the segment around and few of others, where no user lies under the number and the nearest is of the
    segment. Where the map is too full for that, it stands at such a user, or at the next free place.

    Args:
        xy: float of shape (n_users, 2).
        labels: int of shape (n_users,): the segment of each user, negative where there is none.
        corners: Lower left and upper right of the map, (2, 2).
        size: Width and height of a number, (2,), in coordinates of the map. All find a place while the map
            has room for nine numbers a segment.

    Returns:
        Segment → its place, float64 of shape (2,), by segment.
    """
    clustered = labels > OUTSIDE
    segments, users = np.unique(labels[clustered], return_counts=True)
    places: dict[int, np.ndarray] = {}
    tree = cKDTree(xy / size)
    for segment in segments[np.argsort(users, kind="stable")]:
        mine = labels == segment
        best_first = _best_first(xy[mine], xy[clustered & ~mine])
        beside = _beside(best_first[0], tree, labels == segment, corners, size)
        candidates = np.vstack([beside, best_first, _grid(best_first[0], corners, size)])
        free = np.ones(len(candidates), dtype=bool)
        for taken in places.values():
            free &= (np.abs(candidates - taken) >= size).any(axis=1)
        places[int(segment)] = candidates[free.argmax()]
    return {segment: places[segment] for segment in sorted(places)}


def without_outliers(xy: np.ndarray) -> np.ndarray:
    """Move users far from all others to the edge, so that the others fill at least half of each axis.

    Args:
        xy: float of shape (n_users, 2).

    Returns:
        The places to draw, of the same shape and type.
    """
    low, high = np.quantile(xy, (_OUTSIDE, 1 - _OUTSIDE), axis=0) if len(xy) else np.zeros((2, 2))
    reach = np.where(high > low, (high - low) / 2, np.inf)
    drawn: np.ndarray = np.clip(xy, low - reach, high + reach).astype(xy.dtype)
    return drawn


def _best_first(own: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Sort users of a segment: those with the most of its users around and few of other segments first.

    The middle of a segment that lies on several islands may be an island of others. So: own · (own / (own +
    others))², each a sum of Gaussian weights of distance.
    """
    judged = own[:: max(1, len(own) // _PLACES_JUDGED)].astype(np.float64)
    mine, theirs = _around(judged, own), _around(judged, others)
    return judged[np.argsort(-mine * (mine / (mine + theirs)) ** 2, kind="stable")]


def _around(places: np.ndarray, users: np.ndarray) -> np.ndarray:
    judged = users[:: max(1, len(users) // _PLACES_JUDGED)]
    near = np.exp(-cdist(places, judged, "sqeuclidean") / (2 * _NEAR**2)).sum(axis=1)
    weighted: np.ndarray = near * len(users) / max(1, len(judged))
    return weighted


def _beside(
    start: np.ndarray, tree: cKDTree, own: np.ndarray, corners: np.ndarray, size: np.ndarray
) -> np.ndarray:
    """Places near ``start`` that cover nobody and whose nearest user is of the segment, nearest first."""
    steps = np.arange(-2 * _BESIDE, 2 * _BESIDE + 1) * size[:, None] / 2
    around = np.stack(np.meshgrid(*steps), axis=-1).reshape(-1, 2)
    places = start + around[np.argsort(((around / size) ** 2).sum(axis=1), kind="stable")]
    away, nearest = tree.query(places / size, p=np.inf)
    inside = ((places >= corners[0] + size / 2) & (places <= corners[1] - size / 2)).all(axis=1)
    found: np.ndarray = places[inside & (away >= _CLEAR) & own[nearest]]
    return found


def _grid(start: np.ndarray, corners: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Places over the whole map, the size of a number apart, nearest to ``start`` first."""
    across, up = (np.arange(low, high, step) for (low, high), step in zip(corners.T, size, strict=True))
    grid = np.stack(np.meshgrid(across[:-1], up[:-1]), axis=-1).reshape(-1, 2) + size / 2
    return grid[np.argsort(((grid - start) ** 2).sum(axis=1), kind="stable")]


__all__ = ["Layout", "inside_polygon", "neighbour_layout", "pca_layout"]

_STAGE: Final = "layout"
NEIGHBOURS: Final = 15
"""Nearest neighbours of a user, by vector, that the fidelity looks for on the map."""
_JUDGED: Final = 400
"""Users whose neighbours are looked up; the share found is then known to about ±0.01."""
BLOCK: Final = 25
"""Users compared with all others at a time: 27 MB at 270,000."""
LANDMARKS: Final = 100_000
"""Different users that PaCMAP lays out; more are placed between their nearest landmarks, which keeps as
many neighbours and bounds time and memory (docs/method.md)."""
_FEWEST: Final = 100
"""Fewest different users for PaCMAP; fewer are laid out by principal components."""
_COLUMNS: Final = 64
"""Principal components that neighbours are looked up in; 32 lose a sixth of the fidelity."""
DISC_SHARE: Final = 0.03
"""Share of the map that the discs of identical users would cover if no user were alone."""
_GOLDEN_ANGLE: Final = np.pi * (3 - np.sqrt(5))


@dataclass(frozen=True, eq=False)
class Layout:
    """The place of every user on the map, and how true it is.

    Args:
        xy: float32 of shape (n_users, 2), about the middle, the longer side from −1 to 1 (the discs of
            identical users may stand out a little).
        method: ``PCA``, ``PaCMAP``, or ``PaCMAP with landmarks``.
        fidelity: Share of a user's 15 nearest different users, by vector, that are among the 15 nearest on
            the map; mean over a seeded sample. 0 where there are too few users to tell.
    """

    xy: np.ndarray
    method: str
    fidelity: float

    def to_files(self, folder: Path) -> None:
        """Write ``xy.npy`` and ``layout.json`` into a folder."""
        np.save(folder / "xy.npy", self.xy, allow_pickle=False)
        facts = {"method": self.method, "fidelity": self.fidelity}
        (folder / "layout.json").write_text(json.dumps(facts))

    @classmethod
    def from_files(cls, folder: Path) -> Layout:
        """Read a layout that :meth:`to_files` wrote."""
        facts = json.loads((folder / "layout.json").read_text(encoding="utf-8"))
        return cls(np.load(folder / "xy.npy", allow_pickle=False), facts["method"], facts["fidelity"])


def pca_layout(vectors: np.ndarray) -> Layout:
    """Lay users out by their first two principal components: quick, and true to the large picture only.

    Args:
        vectors: float32 of shape (n_users, d).
    """
    first, group = unique_rows(vectors)
    different = np.asarray(vectors[first], dtype=np.float32)
    flat = principal_components(different, 2)
    return Layout(_spread(_scaled(flat), group), "PCA", fidelity(different, flat, seed=0))


def neighbour_layout(vectors: np.ndarray, seed: int, progress: Progress) -> Layout:
    """Lay users out so that neighbours stay neighbours: up to two minutes, for a background task.

    Args:
        vectors: float32 of shape (n_users, d); fewer than :data:`_FEWEST` different ones are laid out by
            :func:`pca_layout`.
        seed: Chooses landmarks and PaCMAP's pairs.
        progress: Where to report; may stop the layout.

    Raises:
        Cancelled: If ``progress`` says so.
    """
    first, group = unique_rows(vectors)
    if len(first) < _FEWEST:
        return pca_layout(vectors)
    different = np.asarray(vectors[first], dtype=np.float32)
    columns = principal_components(different, _COLUMNS)
    flat = place(columns, seed, lambda share, message: progress(_STAGE, 0.97 * share, message), LANDMARKS)
    progress(_STAGE, 0.97, "Comparing neighbours on the map with true ones")
    method = "PaCMAP" if len(first) <= LANDMARKS else "PaCMAP with landmarks"
    return Layout(_spread(_scaled(flat), group), method, fidelity(different, flat, seed))


def principal_components(rows: np.ndarray, n_columns: int) -> np.ndarray:
    """Coordinates on the directions of largest variance, each turned so that its largest part is positive.

    Args:
        rows: float32 of shape (n, d).
        n_columns: Directions wanted, two or more.

    Returns:
        float32 of shape (n, min(n_columns, d)), or of two columns where d is 1.
    """
    centred = rows - rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    _, directions = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    directions = directions[:, ::-1][:, :n_columns]
    largest = directions[np.abs(directions).argmax(axis=0), np.arange(directions.shape[1])]
    found = centred @ (directions * np.sign(largest)).astype(np.float32)
    return np.ascontiguousarray(np.pad(found, ((0, 0), (0, max(0, 2 - found.shape[1])))))


def fidelity(rows: np.ndarray, flat: np.ndarray, seed: int) -> float:
    """Measure the share of true neighbours that are neighbours on the map, see :class:`Layout`.

    Args:
        rows: float32 of shape (n, d), all different.
        flat: float32 of shape (n, 2), their places.
        seed: Chooses the users that are measured.
    """
    if len(rows) <= NEIGHBOURS + 1:
        return 0.0
    judged = np.random.default_rng(seed).choice(len(rows), min(_JUDGED, len(rows)), replace=False)
    on_map = cKDTree(flat).query(flat[judged], NEIGHBOURS + 1)[1]
    found = 0
    for start in range(0, len(judged), BLOCK):
        users = judged[start : start + BLOCK]
        distances = squared_distances(rows[users], rows)
        distances[np.arange(len(users)), users] = np.inf
        true = np.argpartition(distances, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
        for user, by_vector, by_place in zip(users, true, on_map[start : start + BLOCK], strict=True):
            near = by_place[by_place != user][:NEIGHBOURS]
            found += len(np.intersect1d(by_vector, near, assume_unique=True))
    return found / (NEIGHBOURS * len(judged))


def _scaled(flat: np.ndarray) -> np.ndarray:
    """Move a picture to the origin and scale its longer side to −1 to 1."""
    low, high = flat.min(axis=0), flat.max(axis=0)
    longest = float((high - low).max()) or 1.0  # all in one place
    scaled: np.ndarray = (flat - (low + high) / 2) * (2 / longest)
    return scaled


def _spread(flat: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Spread groups of identical users, a place each, into a place for each user.

    Args:
        flat: float32 of shape (n_groups, 2), within −1 to 1.
        group: int of shape (n_users,), the group of each user.

    Returns:
        float32 of shape (n_users, 2): the first user of a group in its place, the others around it.
    """
    order = np.argsort(group, kind="stable")
    starts = np.cumsum(np.bincount(group)) - np.bincount(group)
    rank = np.empty(len(group))
    rank[order] = np.arange(len(group)) - starts[group[order]]
    step = np.sqrt(4 * DISC_SHARE / (np.pi * max(1, len(group))))  # the map is 2 × 2
    radius, angle = step * np.sqrt(rank), _GOLDEN_ANGLE * rank
    around = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    places: np.ndarray = (flat[group] + around).astype(np.float32)
    return places
