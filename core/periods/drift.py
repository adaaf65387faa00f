"""Are the users of a later export still like those of the training period? One alarm, and what raised it.

Every figure is a mean over users: in segment 3 or not, sees page 7 or not, share of page views on unknown
pages, and so on. Each is held against what permutations of the users of both exports would show; the largest
of all, by standard errors, is the alarm, so that its rate of false ones is that of one test however many
figures are looked at (single-step maxT, Westfall and Young 1993).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd

from core.differences.table import Diff
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
            errors apart they are, and ``p_value``, adjusted for all figures; the largest first.
        limit: The distance called far.
        users: How many of each export the alarm looked at.
        critical: Standard errors from which on a figure raises it.
    """

    table: pd.DataFrame
    limit: float
    users: tuple[int, int]
    critical: float

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
        spread = np.sqrt(share * (1 - share) * (1 / max(self.users[0], 1) + 1 / max(self.users[1], 1)))
        return float((self.critical + POWER_80) * spread)

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
    values = np.concatenate([found.sides[0], found.sides[1]])
    n = len(chosen[0]), len(chosen[1])
    errors, p, critical = _adjusted(_filled(values), n, rng, permutations)
    table = _table(found).assign(**{ERRORS: errors, Diff.P_VALUE: p})
    order = np.argsort(-np.abs(errors), kind="stable")
    return Drift(table.iloc[order].reset_index(drop=True), limit, n, critical)


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


def _adjusted(
    values: np.ndarray, n: tuple[int, int], rng: np.random.Generator, permutations: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """Standard errors between the means of each column, p adjusted for all of them, and where it is ALPHA."""
    error = np.sqrt(1 / max(n[0], 1) + 1 / max(n[1], 1))
    total = values.sum(axis=0, dtype=np.float64)

    def apart(after: np.ndarray) -> np.ndarray:
        found: np.ndarray = (after / max(n[1], 1) - (total - after) / max(n[0], 1)) / error
        return found

    errors = apart(values[n[0] :].sum(axis=0, dtype=np.float64))
    with repeatable():
        most = np.concatenate([
            np.abs(apart(dealt @ values)).max(axis=1) for dealt in _deals(n, rng, permutations)
        ])  # fmt: skip
    reached = (most[:, None] >= np.abs(errors) - 1e-6).sum(axis=0)
    return errors, (1 + reached) / (1 + permutations), float(np.quantile(most, 1 - ALPHA))


def _deals(n: tuple[int, int], rng: np.random.Generator, permutations: int) -> Iterator[np.ndarray]:
    """Whom each permutation calls later: 0 or 1, float32 of shape (at most AT_ONCE, n_before + n_after)."""
    labels = np.repeat(np.arange(2, dtype=np.float32), n)
    for start in range(0, permutations, AT_ONCE):
        rows = min(AT_ONCE, permutations - start)
        yield rng.permuted(np.broadcast_to(labels, (rows, len(labels))), axis=1)


def _table(found: _Figures) -> pd.DataFrame:
    (rest, rest_n, rest_error), (mean, n, error) = (_means(values) for values in found.sides)
    low, high = difference_interval(mean * n, n, rest * rest_n, rest_n)
    share = np.array([name in SHARES for name, _ in found.names])
    spread = Z_95 * np.hypot(rest_error, error)
    low = np.where(share, low, mean - rest - spread)
    high = np.where(share, high, mean - rest + spread)
    return pd.DataFrame(
        {
            FIGURE: [name.value for name, _ in found.names], ITEM: [item for _, item in found.names],
            BEFORE_VALUE: rest, AFTER_VALUE: mean, Col.N: n, Col.REST_N: rest_n,
            Col.DIFFERENCE: mean - rest, Diff.DIFFERENCE_LOW: low, Diff.DIFFERENCE_HIGH: high,
            Diff.DIFFERS: (low > 0) | (high < 0),
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
