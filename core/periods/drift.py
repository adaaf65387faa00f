"""Are the users of a later export still like those of the training period? One alarm, and what raised it.

Every figure is a mean over users: in segment 3 or not, sees page 7 or not, share of page views on unknown
pages, and so on. Each is held against what permutations would show: who is in both exports swaps the two,
the others are dealt anew. The largest of all, by standard errors, is the alarm, so that its rate of false
ones is that of one test however many figures are looked at (single-step maxT, Westfall and Young 1993).

Distances are told and not tested: the segments were fitted to the users of the training period, who lie
nearer to them than any others, so no permutation is like what was seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd

from core.differences.table import Diff
from core.periods.migration import in_both
from core.periods.placed_users import PlacedUsers, far_limit
from core.profiles.profile_columns import Col
from core.profiles.two_shares import difference_interval
from core.profiles.wilson import Z_95
from core.segments.geometry import repeatable
from core.segments.principal import along, principal_axes

ALPHA: Final = 0.05
"""Share of later exports without any change that raise the alarm."""
MOST_USERS: Final = 20_000
"""Users of each export that the alarm looks at, drawn at random: with more, differences that matter to
nobody would raise it."""
PERMUTATIONS: Final = 999
AT_ONCE: Final = 64
POWER_80: Final = 0.8416
"""Standard normal quantile that 80 % lie below."""
PAGES: Final = 30
"""The most seen pages of both exports, each a figure."""
DIRECTIONS: Final = 8
"""Principal components of the vectors, each a figure."""


class DriftFigure(StrEnum):
    """What is held against the training period."""

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
    """Share of users who saw a page; the item is its column."""
    DIRECTION = "direction"
    """Mean along a direction in which vectors differ; the item is its rank."""


UNTESTED: Final = (DriftFigure.FAR, DriftFigure.DISTANCE)
"""Figures that users of the training period have smaller because the segments were fitted to them."""
SHARES: Final = (DriftFigure.SEGMENT, DriftFigure.NONE, DriftFigure.FAR, DriftFigure.PAGE)
"""Figures that are shares of users."""
FIGURE, ITEM = "figure", "item"
BEFORE_VALUE, AFTER_VALUE, ERRORS = "before_value", "after_value", "standard_errors"


@dataclass(frozen=True, eq=False)
class Drift:
    """A later export beside the training period.

    Args:
        table: One row a figure: ``figure``, ``item``, ``before_value`` of ``rest_n`` users, ``after_value``
            of ``n``, their ``difference`` with its 95 % interval, whether it ``differs``, how many standard
            errors apart they are, and ``p_value``, adjusted for all figures; the largest first. Last those of
            :data:`UNTESTED`, whose interval, standard errors and p are NaN.
        limit: The distance called far.
        users: How many of each export the alarm looked at.
        critical: Standard errors from which on a figure raises it.
        error: The standard error of a segment's share, in standard deviations of it.
    """

    table: pd.DataFrame
    limit: float
    users: tuple[int, int]
    critical: float
    error: float

    @property
    def p_value(self) -> float:
        """How often exports without change would look as different."""
        return float(self.table[Diff.P_VALUE].min()) if len(self.table) else 1.0

    @property
    def alarm(self) -> bool:
        """Whether the users are not those of the training period any more."""
        return self.p_value <= ALPHA

    def least_seen(self, share: float) -> float:
        """By how much a share of the users has to change to raise the alarm in 80 of 100 cases."""
        return float((self.critical + POWER_80) * self.error * np.sqrt(share * (1 - share)))

    @property
    def tested(self) -> int:
        """How many figures the alarm stands for."""
        return int(self.table[Diff.P_VALUE].notna().sum())

    @property
    def reasons(self) -> pd.DataFrame:
        """The figures that raised it."""
        return self.table[self.table[Diff.P_VALUE] <= ALPHA]


def drift(
    before: PlacedUsers, after: PlacedUsers, k: int, seed: int = 0, permutations: int = PERMUTATIONS
) -> Drift:
    """Hold a later export against the training period.

    Args:
        before: The users of the training period.
        after: Those of the later export.
        k: Number of segments.
        seed: Of the draw of users and of the permutations.
        permutations: How many.
    """
    rng = np.random.default_rng(seed)
    limit = far_limit(before)
    chosen = [_drawn(len(side.place), rng) for side in (before, after)]
    found = _figures((before, after), chosen, k, limit)
    tested = np.array([name not in UNTESTED for name, _ in found.names])
    both = in_both(*(side.user_id.take(users) for side, users in zip((before, after), chosen, strict=True)))
    moving = _moving([side[:, tested] for side in found.sides], both)
    errors, p, critical = _adjusted(moving, rng, permutations)
    table = _table(found, tested)
    table.loc[tested, [ERRORS, Diff.P_VALUE]] = np.column_stack([errors, p])
    order = np.argsort(-table[ERRORS].abs(), kind="stable")
    n = len(chosen[0]), len(chosen[1])
    typical = float(np.sqrt((moving.spread[:k] ** 2).mean())) * (1 / max(n[0], 1) + 1 / max(n[1], 1))
    return Drift(table.iloc[order].reset_index(drop=True), limit, n, critical, typical)


def _drawn(n: int, rng: np.random.Generator) -> np.ndarray:
    return np.sort(rng.permutation(n)[:MOST_USERS])


@dataclass(frozen=True, eq=False)
class _Figures:
    """A row a figure in ``names``, and a column in the values of both sides; NaN where it says nothing."""

    names: list[tuple[DriftFigure, int]]
    sides: list[np.ndarray]


def _figures(
    sides: tuple[PlacedUsers, PlacedUsers], chosen: list[np.ndarray], k: int, limit: float
) -> _Figures:
    seen = sum(side.pages.users / max(len(side.place), 1) for side in sides)
    pages = np.argsort(-np.asarray(seen), kind="stable")[:PAGES]
    before = sides[0].vectors[chosen[0]][sides[0].clustered[chosen[0]]]
    axes = principal_axes(before, DIRECTIONS)
    names = [(DriftFigure.SEGMENT, place) for place in range(k)]
    names += [
        (one, 0)
        for one in (
            DriftFigure.NONE,
            DriftFigure.FAR,
            DriftFigure.DISTANCE,
            DriftFigure.UNKNOWN,
            DriftFigure.VIEWS,
        )
    ]
    names += [(DriftFigure.PAGE, int(page)) for page in pages]
    names += [(DriftFigure.DIRECTION, rank) for rank in range(len(axes["axes"]))]
    found = [_values(side, users, k, limit, pages, axes) for side, users in zip(sides, chosen, strict=True)]
    return _Figures(names, found)


def _values(
    side: PlacedUsers, users: np.ndarray, k: int, limit: float, pages: np.ndarray, axes: dict[str, np.ndarray]
) -> np.ndarray:
    """float64 of shape (n_users, n_figures)."""
    inside, distance = side.clustered[users], side.distance[users].astype(np.float64)
    views = np.maximum(side.pages.views[users], 1)
    columns = [
        np.eye(k + 1)[side.place[users]],
        np.where(inside, distance > limit, np.nan), distance, side.unknown[users] / views, np.log2(views),
        side.pages.seen[users][:, pages].toarray() > 0,
        np.where(inside[:, None], along(side.vectors[users], axes), np.nan),
    ]  # fmt: skip
    return np.column_stack(columns).astype(np.float64)


def _filled(values: np.ndarray) -> np.ndarray:
    """Standardised; what a figure does not speak of counts as its mean, which no permutation changes."""
    counted = ~np.isnan(values)
    n = np.maximum(counted.sum(axis=0), 1)
    mean = np.where(counted, values, 0).sum(axis=0) / n
    apart = np.where(counted, values - mean, 0)
    spread = np.sqrt((apart**2).sum(axis=0) / len(values))
    filled: np.ndarray = (apart / np.where(spread > 0, spread, 1)).astype(np.float32)
    return filled


@dataclass(frozen=True, eq=False)
class _Moving:
    """What a permutation moves the difference of the means by, in standard errors.

    Args:
        rows: float32 of shape (m + n, n_figures): half the difference of each of m users in both exports,
            whose sign turns, then n users of one export, who are dealt.
        swapped: m.
        dealt: How many of the n are of the first export, and how many of the later one.
        spread: Of the rows' sum, float of shape (n_figures,), in standard deviations of the figure.
    """

    rows: np.ndarray
    swapped: int
    dealt: tuple[int, int]
    spread: np.ndarray

    @property
    def seen(self) -> np.ndarray:
        """The difference that was seen, in standard errors."""
        signs = np.repeat([1, 0, 1], [self.swapped, *self.dealt])
        found: np.ndarray = signs @ self.rows.astype(np.float64)
        return found


def _moving(sides: list[np.ndarray], both: tuple[np.ndarray, np.ndarray]) -> _Moving:
    """Lay out the standardised values of two exports by who is in both.

    Who is dealt counts from the mean of those who are: what they differ by from users in both is no change.
    """
    filled = np.split(_filled(np.concatenate(sides)), [len(sides[0])])
    pairs = (filled[1][both[1]] - filled[0][both[0]]) / 2
    alone = [np.delete(side, users, axis=0) for side, users in zip(filled, both, strict=True)]
    rest, dealt = np.concatenate(alone), (len(alone[0]), len(alone[1]))
    rest = rest - rest.mean(axis=0, dtype=np.float64) if len(rest) else rest
    each = dealt[0] * dealt[1] / max(len(rest) * (len(rest) - 1), 1)
    spread = np.sqrt((pairs**2).sum(axis=0, dtype=np.float64) + each * (rest**2).sum(axis=0))
    rows = np.concatenate([pairs, rest]) / np.where(spread > 0, spread, 1)
    return _Moving(rows.astype(np.float32), len(pairs), dealt, spread)


def _adjusted(
    moving: _Moving, rng: np.random.Generator, permutations: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """Standard errors between the means of each column, p adjusted for all of them, and where it is ALPHA."""
    errors = moving.seen
    with repeatable():
        most = np.concatenate([
            np.abs(signs @ moving.rows).max(axis=1) for signs in _deals(moving, rng, permutations)
        ])  # fmt: skip
    reached = (most[:, None] >= np.abs(errors) - 1e-4).sum(axis=0)
    return errors, (1 + reached) / (1 + permutations), float(np.quantile(most, 1 - ALPHA))


def _deals(moving: _Moving, rng: np.random.Generator, permutations: int) -> Iterator[np.ndarray]:
    """−1 or 1 of who is in both, 0 or 1 of the others: float32 of shape (at most AT_ONCE, m + n)."""
    labels = np.repeat(np.arange(2, dtype=np.float32), moving.dealt)
    for start in range(0, permutations, AT_ONCE):
        rows = min(AT_ONCE, permutations - start)
        signs = 2 * rng.integers(0, 2, (rows, moving.swapped), dtype=np.int8) - np.float32(1)
        yield np.hstack([signs, rng.permuted(np.broadcast_to(labels, (rows, len(labels))), axis=1)])


def _table(found: _Figures, tested: np.ndarray) -> pd.DataFrame:
    (rest, rest_n, rest_error), (mean, n, error) = (_means(values) for values in found.sides)
    low, high = difference_interval(mean * n, n, rest * rest_n, rest_n)
    share = np.array([name in SHARES for name, _ in found.names])
    spread = Z_95 * np.hypot(rest_error, error)
    low = np.where(tested, np.where(share, low, mean - rest - spread), np.nan)
    high = np.where(tested, np.where(share, high, mean - rest + spread), np.nan)
    return pd.DataFrame(
        {
            FIGURE: [name.value for name, _ in found.names], ITEM: [item for _, item in found.names],
            BEFORE_VALUE: rest, AFTER_VALUE: mean, Col.N: n, Col.REST_N: rest_n,
            Col.DIFFERENCE: mean - rest, Diff.DIFFERENCE_LOW: low, Diff.DIFFERENCE_HIGH: high,
            Diff.DIFFERS: (low > 0) | (high < 0), ERRORS: np.nan, Diff.P_VALUE: np.nan,
        }
    )  # fmt: skip


def _means(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean of each column, how many users it speaks of, and its standard error."""
    counted = ~np.isnan(values)
    n = counted.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(counted, values, 0).sum(axis=0) / n
        variance = (np.where(counted, values - mean, 0) ** 2).sum(axis=0) / np.maximum(n - 1, 1)
        return mean, n, np.sqrt(variance / n)
