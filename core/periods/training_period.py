"""What is kept of the users of a training, so that later ones can be compared without their data.

Every figure is a mean over users of something: in segment 3 or not, sees a page or not, and so on. Kept are
the figures of up to 20,000 users drawn at random (segment, distance, page views, directions of their vector),
which pages each of them saw, and how many of all users saw each: no id, no time, no order, and no page that
hardly anybody saw. A row is a person's all the same: who knows some of their pages may find it
(docs/threats.md), so a model folder is personal data like the export.

``halves_of`` deals each user's sessions into two random parts: what moves between them moves without change.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
import pyarrow as pa
from scipy import sparse

from core.base.errors import ArtifactError
from core.base.schema import RARE_BELOW_USERS
from core.periods.placed_users import PlacedUsers, Sparse, distance_limit, in_both
from core.storage.disk import disk_errors, load_arrays
from core.storage.sequences import UserSequences

MAX_USERS: Final = 20_000
"""Users of each export that figures are made of, at most; with more, differences that matter to
nobody would raise an alarm."""
_DIRECTIONS: Final = 8
"""Number of principal components of the vectors, each a figure."""
_OTHER_DAYS: Final = 8
"""Divisor of tolerance: a compared export may differ by one in so many days (docs/method.md)."""
FACTS, ROWS, _FORMAT = "training_period.json", "training_period.npz", 1


class DriftFigure(StrEnum):
    """Figure that is compared with the training period."""

    SEGMENT = "segment"
    """Share of users in a segment; the item is its position."""
    NONE = "none"
    """Share of users in no segment: one page view, looks automated, or fits none."""
    FAR = "far"
    """Share of clustered users far from every centroid."""
    DISTANCE = "distance"
    """Mean distance of clustered users to the nearest centroid."""
    UNKNOWN = "unknown"
    """Mean share of a user's page views that are on pages the model does not know."""
    VIEWS = "views"
    """Page views a user, mean of their log2."""
    PAGE = "page"
    """Share of users who saw one of the most seen pages of both exports; the item is its rank."""
    DIRECTION = "direction"
    """Mean along a direction in which vectors differ; the item is its rank."""


_ALONE: Final = (
    DriftFigure.NONE, DriftFigure.FAR, DriftFigure.DISTANCE, DriftFigure.UNKNOWN, DriftFigure.VIEWS,
)  # fmt: skip
"""Figures without items."""


@dataclass(frozen=True, eq=False)
class TrainingPeriod:
    """Figures of the users of a training, with which later users are compared.

    Args:
        values: float32 of shape (n_drawn, n_figures), a row a user; NaN where a figure does not apply to one.
            Pages are not among them: they are chosen with the later export, because those that were seen
            most before, and chosen for that, are seen less by anybody else.
        pages: Those that :data:`RARE_BELOW_USERS` or more users saw.
        users: int64 of shape (n_pages,), number of users who saw each of them.
        seen: Sparse bool of shape (n_drawn, n_pages), who of those drawn saw which.
        axes: Directions of the vectors (:func:`core.segments.principal.principal_axes`).
        limit: Distance to the nearest centroid above which a user is far.
        sizes: int64 of shape (k + 1,), all users by segment and, last, in none.
        clustered: How many of them took part in clustering.
        days: Number of days that they cover.
        placed: All users; None where this was read from a folder, so that nobody is known again.
        drawn: int64 of shape (n_drawn,), whose rows the values are; empty where that is not known.
        by_section: Whether its pages are sections (:mod:`core.periods.placed_users`).
    """

    values: np.ndarray
    pages: tuple[str, ...]
    users: np.ndarray
    seen: Sparse
    axes: Mapping[str, np.ndarray]
    limit: float
    sizes: np.ndarray
    clustered: int
    days: int
    placed: PlacedUsers | None
    drawn: np.ndarray
    by_section: bool = False

    @classmethod
    def of(cls, before: PlacedUsers, k: int, seed: int = 0, *, by_section: bool = False) -> TrainingPeriod:
        """Measure the users of a training.

        Args:
            before: The users of the training, placed in its segments.
            k: Number of segments.
            seed: Of the draw of users.
            by_section: Whether the pages that they saw are sections.
        """
        from core.segments.principal import principal_axes

        drawn = drawn_users(len(before.place), np.random.default_rng(seed))
        users = before.pages.users
        named = np.flatnonzero(users >= RARE_BELOW_USERS)
        axes = principal_axes(before.vectors[drawn][before.clustered[drawn]], _DIRECTIONS)
        limit, inside = distance_limit(before), int(before.clustered.sum())
        values = _values(before, drawn, k, axes, limit)
        seen = before.pages.seen[drawn][:, named] > 0
        by_pages = seen @ np.random.default_rng(seed).random(len(named))
        order = np.lexsort([by_pages, *values.T])  # by what they are, so that it says nothing of who they are
        return cls(
            values[order], tuple(before.pages.names[page] for page in named), users[named], seen[order],
            axes, limit, before.sizes(k), inside, before.days, before, drawn[order], by_section,
        )  # fmt: skip

    @property
    def k(self) -> int:
        """Number of segments of the model."""
        return len(self.sizes) - 1

    @property
    def alike_days(self) -> range:
        """Days that a comparable export covers: as many as this, give or take an eighth (1 at least)."""
        apart = max(1, self.days // _OTHER_DAYS)
        return range(max(1, self.days - apart), self.days + apart + 1)

    @property
    def figures(self) -> list[tuple[DriftFigure, int]]:
        """Figure and item of each column of :attr:`values`."""
        found = [(DriftFigure.SEGMENT, place) for place in range(self.k)] + [(one, 0) for one in _ALONE]
        return found + [(DriftFigure.DIRECTION, rank) for rank in range(len(self.axes["axes"]))]

    def values_of(self, side: PlacedUsers, users: np.ndarray) -> np.ndarray:
        """Figures of some users of another export, by their indices: float32 of shape (n, n_figures)."""
        return _values(side, users, self.k, self.axes, self.limit)

    def users_of(self, pages: Sequence[str]) -> np.ndarray:
        """Number of users who saw each page, int64; the most it can be for a page too rare to be kept."""
        if self.placed is None:
            found, else_ = dict(zip(self.pages, self.users.tolist(), strict=True)), RARE_BELOW_USERS - 1
        else:
            mine = self.placed.pages
            found, else_ = dict(zip(mine.names, mine.users.tolist(), strict=True)), 0
        return np.fromiter((found.get(page, else_) for page in pages), np.int64, len(pages))

    def saw(self, pages: Sequence[str]) -> np.ndarray:
        """Which drawn users saw each page: float32 of shape (n_drawn, n); 0 of pages not kept."""
        named, seen = self.pages, self.seen
        if self.placed is not None:
            named, seen = self.placed.pages.names, self.placed.pages.seen[self.drawn] > 0
        column = {page: place for place, page in enumerate(named)}
        found = np.zeros((len(self.values), len(pages)), dtype=np.float32)
        there = [place for place, page in enumerate(pages) if page in column]
        found[:, there] = seen[:, [column[pages[place]] for place in there]].toarray()
        return found

    def known_again(self, user_id: pa.StringArray) -> tuple[np.ndarray, np.ndarray]:
        """Match ids with the drawn users: rows here and positions in the ids, two int64 of shape (m,)."""
        if self.placed is None:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        return in_both(self.placed.user_id.take(self.drawn), user_id)

    def save(self, folder: Path) -> None:
        """Write ``training_period.json`` and ``training_period.npz`` into a folder.

        Raises:
            ResourceError: If the disk refuses.
        """
        facts = {
            "format": _FORMAT, "limit": self.limit, "sizes": self.sizes.tolist(), "clustered": self.clustered,
            "days": self.days, "users": dict(zip(self.pages, self.users.tolist(), strict=True)),
            "by_section": self.by_section,
        }  # fmt: skip
        places = {"indices": self.seen.indices.astype(np.int32), "indptr": self.seen.indptr.astype(np.int64)}
        with disk_errors():
            np.savez_compressed(folder / ROWS, allow_pickle=False, values=self.values, **self.axes, **places)
            (folder / FACTS).write_text(json.dumps(facts, indent=1, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Traversable) -> TrainingPeriod | None:
        """Read what :meth:`save` wrote; None from a folder of an earlier release, which has none.

        Raises:
            ArtifactError: If it is damaged.
        """
        if not (folder / FACTS).is_file():
            return None
        try:
            return cls._read(json.loads((folder / FACTS).read_bytes()), folder / ROWS)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, BadZipFile) as error:
            raise ArtifactError(
                f"What {folder} keeps of its training period is damaged ({error.__class__.__name__})",
                remedy="Run it again",
            ) from error

    @classmethod
    def _read(cls, facts: dict[str, Any], rows: Traversable) -> TrainingPeriod:
        arrays = load_arrays(rows)
        pages, values, indices = facts["users"], arrays["values"], arrays["indices"]
        parts = np.ones(len(indices), dtype=bool), indices, arrays["indptr"]
        seen = sparse.csr_array(parts, shape=(len(values), len(pages)))
        seen.check_format(full_check=True)
        users, sizes = (np.array(part, dtype=np.int64) for part in (list(pages.values()), facts["sizes"]))
        made = cls(
            values, tuple(pages), users, seen, {name: arrays[name] for name in ("mean", "axes")},
            float(facts["limit"]), sizes, int(facts["clustered"]), int(facts["days"]), None,
            np.zeros(0, dtype=np.int64), bool(facts.get("by_section")),  # an earlier release had pages only
        )  # fmt: skip
        if facts["format"] != _FORMAT or values.shape[1:] != (len(made.figures),):
            raise ValueError("of another release")
        return made


def drawn_users(n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw at most :data:`MAX_USERS` of n users at random: int64, ascending."""
    return np.sort(rng.permutation(n)[:MAX_USERS])


def _values(
    side: PlacedUsers, users: np.ndarray, k: int, axes: Mapping[str, np.ndarray], limit: float
) -> np.ndarray:
    """Values of all figures: float32 of shape (n_users, n_figures), as in :attr:`TrainingPeriod.figures`."""
    from core.segments.principal import project

    inside, distance = side.clustered[users], side.distance[users]
    views = np.maximum(side.pages.views[users], 1)
    columns = [
        np.eye(k + 1)[side.place[users]],
        np.where(inside, distance > limit, np.nan), distance, side.unknown[users] / views, np.log2(views),
        np.where(inside[:, None], project(side.vectors[users], axes), np.nan),
    ]  # fmt: skip
    return np.column_stack(columns).astype(np.float32)


EVEN: Final = np.array([0.5])


def halves_of(
    sequences: UserSequences, which: np.ndarray, first: np.ndarray = EVEN, seed: int = 0
) -> tuple[np.ndarray, UserSequences]:
    """Deal the sessions of users who have several into two parts, as if they were two users.

    Args:
        sequences: Page views of all users.
        which: Who may be dealt, bool of shape (n_users,).
        first: Shares of the sessions that the first part may have, float in (0, 1); each user has one of
            them at random. Nobody's part is empty.
        seed: Of the draw of users (:func:`drawn_users`), and of the parts.

    Returns:
        The users who were dealt, int64 of shape (m,), ascending, and page views of 2 m users: the first
        parts of all of them, then the second ones. Where half is asked for, they are at most one apart.
    """
    rng = np.random.default_rng(seed)
    starts = sequences.session_starts
    owner = sequences.user[starts]
    several = np.flatnonzero(which & (np.bincount(owner, minlength=sequences.n_users) > 1))
    users = several[drawn_users(len(several), rng)]
    side = _dealt(owner, rng.choice(first, sequences.n_users), rng)
    session = np.repeat(side, np.diff(starts, append=sequences.n_views))
    mine = np.full(sequences.n_users, -1)
    mine[users] = np.arange(len(users))
    row = mine[sequences.user]
    order = np.flatnonzero(row >= 0)
    half = row[order] + len(users) * session[order]
    order = order[np.argsort(half, kind="stable")]
    return users, _sequences(sequences, order, np.sort(half), 2 * len(users))


def _dealt(owner: np.ndarray, first: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Part of each session, 0 or 1: of each user the asked share, rounded at random, is 0."""
    n = len(owner)
    order = np.lexsort((rng.random(n), owner))
    begin = np.flatnonzero(np.diff(owner[order], prepend=-1))
    sessions = np.diff(begin, append=n)
    wanted = np.floor(first[owner[order][begin]] * sessions + rng.random(len(begin)))
    rank = np.arange(n) - np.repeat(begin, sessions)
    side = np.empty(n, dtype=np.int64)
    side[order] = rank >= np.repeat(np.clip(wanted, 1, np.maximum(sessions - 1, 1)), sessions)
    return side


def _sequences(source: UserSequences, views: np.ndarray, row: np.ndarray, n: int) -> UserSequences:
    offsets = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n))])
    return UserSequences(
        pa.array([str(number) for number in range(n)], pa.string()), offsets, source.page[views],
        source.timestamp[views], source.session[views],
    )  # fmt: skip
