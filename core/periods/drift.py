"""Compare a later export with the training period: the alarm, changed pages, and whether to train again.

The alarm asks whether the users are still like those of the training period. Every figure is a mean over
users: in segment 3 or not, sees page 7 or not, share of page views on unknown pages, and so on. Each is
compared with what permutations would show: who is in both exports swaps the two, the others are dealt anew.
The largest of all, by standard errors, is the alarm, so that its rate of false ones is that of one test
however many figures are looked at (single-step maxT, Westfall and Young 1993). Distances are told and not
tested: the segments were fitted to the users of the training period, who lie nearer to them than any others,
so no permutation is like what was seen.

Whether to train again is answered with figures and stated limits, none of them a test. A changed mix of users
is no reason: the model places them as well as before, and that they moved is the finding. A model is worn out
where it does not know the pages, or where users lie far from all it has seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd

from core.base.schema import RARE_BELOW_USERS
from core.periods.placed_users import FAR_SHARE, MIN_USERS, RARE, PlacedUsers, in_both
from core.periods.training_period import DriftFigure, TrainingPeriod, drawn_users
from core.profiles.differences import Diff
from core.profiles.profile_columns import Col
from core.profiles.two_shares import NO_COMPARISON, Z_95, difference_interval
from core.segments.geometry import repeatable

ALPHA: Final = 0.05
"""Rate of false alarms: share of unchanged later exports that raise the alarm."""
PERMUTATIONS: Final = 999
_AT_ONCE: Final = 64
_POWER_80: Final = 0.8416
"""The 80 % quantile of the standard normal distribution."""
_PAGES: Final = 30
"""Number of most seen pages that are figures of the alarm."""
UNTESTED: Final = (DriftFigure.FAR, DriftFigure.DISTANCE)
"""Figures without a test: smaller in the training period because the segments were fitted to its users."""
_OF_KNOWN_PAGES: Final = (DriftFigure.SEGMENT, DriftFigure.UNKNOWN, DriftFigure.DIRECTION)
"""Figures that depend on pages that the model knows; without meaning where pages live for days."""
_ONLY_MORE: Final = (DriftFigure.UNKNOWN,)
"""Figures tested on one side: of the training's own visits the model knows more than of others."""
SHARES: Final = (DriftFigure.SEGMENT, DriftFigure.NONE, DriftFigure.FAR, DriftFigure.PAGE)
"""Figures that are shares of users."""
FIGURE, ITEM = "figure", "item"
BEFORE_VALUE, AFTER_VALUE, ERRORS = "before_value", "after_value", "standard_errors"


@dataclass(frozen=True, eq=False)
class Drift:
    """Comparison of a later export with the training period.

    Args:
        table: One row a figure: ``figure``, ``item``, ``before_value`` of ``rest_n`` users, ``after_value``
            of ``n``, their ``difference`` with its 95 % interval, whether it ``differs``, how many standard
            errors apart they are, and ``p_value``, adjusted for all figures; the largest first. Last those
            that are not tested, whose interval, standard errors and p are NaN.
        pages: Pages that are figures; the ``item`` of such a figure is its place here.
        limit: Distance to the nearest centroid above which a user is far.
        users: How many of each export the alarm looked at: before, after.
        days: Number of days that each export covers.
        alike_days: How many days the later one may cover (:attr:`TrainingPeriod.alike_days`), else nothing
            is tested.
        critical: Standard errors from which on a figure raises the alarm.
        error: The standard error of a share of users (in a segment, or of a section), in standard deviations
            of it.
    """

    table: pd.DataFrame
    pages: tuple[str, ...]
    limit: float
    users: tuple[int, int]
    days: tuple[int, int]
    alike_days: range
    critical: float
    error: float

    @property
    def comparable(self) -> bool:
        """Whether the two exports cover about as many days."""
        return self.days[1] in self.alike_days

    @property
    def p_value(self) -> float:
        """The alarm's p: how often unchanged exports would differ as much; NaN where nothing is tested."""
        return float(self.table[Diff.P_VALUE].min()) if len(self.table) else 1.0

    @property
    def alarm(self) -> bool:
        """Whether the users are shown to differ from those of the training period."""
        return self.p_value <= ALPHA

    def of(self, figure: DriftFigure) -> tuple[float, float]:
        """The values, before and after, of a figure without items, of which there is one."""
        row = self.table[self.table[FIGURE] == figure]
        return float(row[BEFORE_VALUE].iloc[0]), float(row[AFTER_VALUE].iloc[0])

    def least_seen(self, share: float) -> float:
        """Least change of a share of users, 0 to 1, that raises the alarm in 80 of 100 cases."""
        return float((self.critical + _POWER_80) * self.error * np.sqrt(share * (1 - share)))

    @property
    def tested(self) -> int:
        """Number of figures that are tested together."""
        return int(self.table[Diff.P_VALUE].notna().sum())

    @property
    def reasons(self) -> pd.DataFrame:
        """Rows of the figures that raised the alarm."""
        return self.table[self.table[Diff.P_VALUE] <= ALPHA]


def drift(
    period: TrainingPeriod, after: PlacedUsers, seed: int = 0, permutations: int = PERMUTATIONS
) -> Drift:
    """Test by permutation whether figures of a later export differ from those of the training period.

    Where the two do not cover about as many days, figures are told and none is tested.

    Users of both exports are compared with themselves where the users of the training are at hand; a model
    folder keeps no ids of them, so all users of the later export then count as others.

    Args:
        period: The training period.
        after: The users of the later export; their pages include all that are counted there.
        seed: Of the draw of users and of the permutations.
        permutations: Number of permutations.
    """
    rng = np.random.default_rng(seed)
    users = drawn_users(len(after.place), rng)
    pages = _most_seen(period, after)
    saw = after.pages.seen[users][:, pages].toarray() > 0
    called = tuple(after.pages.names[page] for page in pages)
    sides = [np.hstack([period.values, period.saw(called)]), np.hstack([period.values_of(after, users), saw])]
    figures = period.figures + [(DriftFigure.PAGE, rank) for rank in range(len(pages))]
    untested = (*UNTESTED, *_OF_KNOWN_PAGES) if period.by_section else UNTESTED
    tested = np.array([name not in untested for name, _ in figures])
    moving = _moving([side[:, tested] for side in sides], period.known_again(after.user_id.take(users)))
    only_more = np.array([name in _ONLY_MORE for name, _ in figures])[tested]
    errors, p, critical = _adjusted(moving, only_more, rng, permutations)
    table = _table(figures, sides, tested)
    if after.days in period.alike_days:
        table.loc[tested, [ERRORS, Diff.P_VALUE]] = np.column_stack([errors, p])
    order = np.lexsort([-table[ERRORS].abs(), table[Diff.P_VALUE]])  # NaN last
    n = len(sides[0]), len(sides[1])
    shares = DriftFigure.PAGE if period.by_section else DriftFigure.SEGMENT
    spread = moving.spread[np.array([name is shares for name, _ in figures])[tested]]
    typical = float(np.sqrt((spread**2).mean())) * (1 / max(n[0], 1) + 1 / max(n[1], 1))
    return Drift(
        table.iloc[order].reset_index(drop=True), called, period.limit, n, (period.days, after.days),
        period.alike_days, critical, typical,
    )  # fmt: skip


def _most_seen(period: TrainingPeriod, after: PlacedUsers) -> np.ndarray:
    """Columns of the pages seen most in both exports together: no permutation changes the choice."""
    sides = (after.pages.users, len(after.place)), (period.users_of(after.pages.names), period.sizes.sum())
    share = sum(users / max(int(n), 1) for users, n in sides)
    return np.argsort(-share, kind="stable")[:_PAGES]


def _filled(values: np.ndarray) -> np.ndarray:
    """Standardised values; missing ones are replaced by the mean, which no permutation changes."""
    counted = ~np.isnan(values)
    n = np.maximum(counted.sum(axis=0), 1)
    mean = np.where(counted, values, 0).sum(axis=0, dtype=np.float64) / n
    apart = np.where(counted, values - mean, 0)
    spread = np.sqrt((apart**2).sum(axis=0) / len(values))
    filled: np.ndarray = (apart / np.where(spread > 1e-9, spread, 1)).astype(np.float32)
    return filled


@dataclass(frozen=True, eq=False)
class _Moving:
    """Contributions of users to the difference of the means, which permutations turn or deal anew.

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
        """The observed difference of each figure, in standard errors."""
        signs = np.repeat([1, 0, 1], [self.swapped, *self.dealt])
        sums: np.ndarray = signs @ self.rows.astype(np.float64)
        return sums


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
    moving: _Moving, only_more: np.ndarray, rng: np.random.Generator, permutations: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """Difference of each column in standard errors, p adjusted for all columns, and the critical value."""
    errors = moving.seen
    with repeatable():
        most = np.concatenate([
            _apart(signs @ moving.rows, only_more).max(axis=1)
            for signs in _deals(moving, rng, permutations)
        ])  # fmt: skip
    reached = (most[:, None] >= _apart(errors, only_more) - 1e-4).sum(axis=0)
    return errors, (1 + reached) / (1 + permutations), float(np.quantile(most, 1 - ALPHA))


def _apart(errors: np.ndarray, only_more: np.ndarray) -> np.ndarray:
    return np.where(only_more, errors, np.abs(errors))


def _deals(moving: _Moving, rng: np.random.Generator, permutations: int) -> Iterator[np.ndarray]:
    """Random signs of users in both exports and labels of the others: float32, (at most _AT_ONCE, m + n)."""
    labels = np.repeat(np.arange(2, dtype=np.float32), moving.dealt)
    for start in range(0, permutations, _AT_ONCE):
        rows = min(_AT_ONCE, permutations - start)
        signs = 2 * rng.integers(0, 2, (rows, moving.swapped), dtype=np.int8) - np.float32(1)
        yield np.hstack([signs, rng.permuted(np.broadcast_to(labels, (rows, len(labels))), axis=1)])


def _table(
    figures: list[tuple[DriftFigure, int]], sides: list[np.ndarray], tested: np.ndarray
) -> pd.DataFrame:
    (rest, rest_n, rest_error), (mean, n, error) = (_means(values.astype(np.float64)) for values in sides)
    low, high = difference_interval(mean * n, n, rest * rest_n, rest_n)
    share = np.array([name in SHARES for name, _ in figures])
    spread = Z_95 * np.hypot(rest_error, error)
    low = np.where(tested, np.where(share, low, mean - rest - spread), np.nan)
    high = np.where(tested, np.where(share, high, mean - rest + spread), np.nan)
    return pd.DataFrame(
        {
            FIGURE: [name.value for name, _ in figures], ITEM: [item for _, item in figures],
            BEFORE_VALUE: rest, AFTER_VALUE: mean, Col.N: n, Col.REST_N: rest_n,
            Col.DIFFERENCE: mean - rest, Diff.DIFFERENCE_LOW: low, Diff.DIFFERENCE_HIGH: high,
            Diff.DIFFERS: (low > 0) | (high < 0), ERRORS: np.nan, Diff.P_VALUE: np.nan,
        }
    )  # fmt: skip


def _means(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean of each column, its number of users with a value, and its standard error."""
    counted = ~np.isnan(values)
    n = counted.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(counted, values, 0).sum(axis=0) / n
        variance = (np.where(counted, values - mean, 0) ** 2).sum(axis=0) / np.maximum(n - 1, 1)
        return mean, n, np.sqrt(variance / n)


CHANGE, PAGE, KNOWN = "change", "page", "known"


class PageChange(StrEnum):
    """How the audience of a page changed."""

    NEW = "new"
    """Fewer than :data:`RARE_BELOW_USERS` users saw the page before."""
    MORE = "more"
    LESS = "less"
    GONE = "gone"
    """Nobody sees the page any more."""


def page_changes(period: TrainingPeriod, after: PlacedUsers) -> pd.DataFrame:
    """Table of pages that a larger or smaller share of the users sees than before.

    Args:
        period: The training period.
        after: The users of the later export; their pages include all that are counted there.

    Returns:
        One row a page of :data:`MIN_USERS` or more, whose interval leaves out 0, the surest change first:
        ``change``, ``page``, whether it is ``known`` to the model, ``users`` of ``n`` who saw it and their
        ``share``, the same before (``rest_…``, at most: :meth:`TrainingPeriod.users_of`), the
        ``difference`` with its 95 % interval (Newcombe 1998). No row where the two do not cover about as many
        days (:attr:`TrainingPeriod.alike_days`).
    """
    users, rest = after.pages.users, period.users_of(after.pages.names)
    n, rest_n = len(after.place), int(period.sizes.sum())
    table = _compared(users, n, rest, rest_n, _of_the_same(period.placed, after, rest))
    more = users > rest * n / max(rest_n, 1)
    kinds = [rest < RARE_BELOW_USERS, users == 0, more]
    change = np.select(kinds, [PageChange.NEW, PageChange.GONE, PageChange.MORE], PageChange.LESS)
    table.insert(0, CHANGE, change)
    table.insert(1, PAGE, after.pages.names)
    table.insert(2, KNOWN, after.pages.known)
    enough = (np.where(more, users, rest) >= MIN_USERS) & (after.days in period.alike_days)
    return _surest(table[table[Diff.DIFFERS] & enough])


def _of_the_same(before: PlacedUsers | None, after: PlacedUsers, rest: np.ndarray) -> np.ndarray:
    """Correlation of the two shares of each page that users in both exports cause: float of shape (n_pages,).

    It is that of the users in both, times the part of the two exports that they make up.
    """
    if before is None:
        return np.zeros(len(rest))
    first, second = in_both(before.user_id, after.user_id)
    early, late = before.pages.seen[first] > 0, after.pages.seen[second] > 0
    one, other, each = (np.asarray(part.sum(axis=0)).ravel() for part in (early, late, early * late))
    shares = after.pages.users / max(len(after.place), 1), rest / max(len(before.place), 1)
    spread = np.sqrt(np.prod([share * (1 - share) for share in shares], axis=0))
    m, sizes = len(first), len(before.place) * len(after.place)
    together = (each - one * other / max(m, 1)) / np.sqrt(max(sizes, 1))
    correlation: np.ndarray = np.divide(together, spread, out=np.zeros(len(rest)), where=spread > 0)
    return correlation.clip(-1, 1)


def _compared(
    users: np.ndarray, n: int, rest: np.ndarray, rest_n: int, correlation: np.ndarray = NO_COMPARISON
) -> pd.DataFrame:
    low, high = difference_interval(users, np.array(n), rest, np.array(rest_n), correlation)
    share, rest_share = users / max(n, 1), rest / max(rest_n, 1)
    return pd.DataFrame(
        {
            Col.USERS: users, Col.N: n, Col.SHARE: share, Col.REST_USERS: rest, Col.REST_N: rest_n,
            Col.REST_SHARE: rest_share, Col.DIFFERENCE: share - rest_share, Diff.DIFFERENCE_LOW: low,
            Diff.DIFFERENCE_HIGH: high, Diff.DIFFERS: (low > 0) | (high < 0),
        }
    )  # fmt: skip


def _surest(table: pd.DataFrame) -> pd.DataFrame:
    """Sort rows by the end of the difference's interval that is nearer to 0, the farthest first."""
    surely = table[[Diff.DIFFERENCE_LOW, Diff.DIFFERENCE_HIGH]].abs().min(axis=1)
    return table.iloc[np.argsort(-surely.to_numpy(), kind="stable")].reset_index(drop=True)


_MAX_GROUPS: Final = 6
"""Groups that users far from every segment are clustered into, at most."""
_MIN_FAR: Final = 20
"""Far users for each group on average, at least."""
_PAGES_OF: Final = 3
GROUP, TYPICAL = "group", "typical_pages"


def far_groups(before: PlacedUsers, after: PlacedUsers, limit: float, seed: int = 0) -> pd.DataFrame:
    """Cluster the users far from every segment, and compare the size of each group with before.

    The far users of both exports are cut together, so that the cut knows nothing of the time: a group that
    makes up more of the far users of the later export is behaviour that is new. That there are more of them
    is not: segments lie nearest to the users they were fitted to.

    Args:
        before: The users of the training period.
        after: Those of the later export.
        limit: The distance called far (:func:`core.periods.placed_users.distance_limit`).
        seed: Seed of K-Means.

    Returns:
        One row a group: ``group``, ``users`` of the ``n`` far ones and their ``share``, the same before
        (``rest_…``), ``difference`` with its interval, whether it ``differs``, and ``typical_pages``: those
        that most more of its users see than of all clustered users. The largest difference first.
    """
    far = [np.flatnonzero(side.far(limit)) for side in (before, after)]
    rows = np.concatenate([before.vectors[far[0]], after.vectors[far[1]]])
    k = min(_MAX_GROUPS, len(rows) // _MIN_FAR)
    if k == 0:
        return pd.DataFrame(columns=[GROUP, Col.USERS, Col.SHARE, Diff.DIFFERS, TYPICAL])
    group = _cut(rows, k, seed)
    parts = group[: len(far[0])], group[len(far[0]) :]
    rest, users = (np.bincount(part, minlength=k) for part in parts)
    table = _compared(users, len(far[1]), rest, len(far[0]))
    table.insert(0, GROUP, np.arange(k))
    seen = [_seen_share([(before, far[0][parts[0] == g]), (after, far[1][parts[1] == g])]) for g in range(k)]
    everybody = _seen_share([(side, np.flatnonzero(side.clustered)) for side in (before, after)])
    table[TYPICAL] = [_typical(share - everybody, after.pages.names) for share in seen]
    return table.sort_values(Col.DIFFERENCE, ascending=False, kind="stable").reset_index(drop=True)


def _cut(rows: np.ndarray, k: int, seed: int) -> np.ndarray:
    from sklearn.cluster import KMeans

    with repeatable():
        labels: np.ndarray = KMeans(k, n_init=5, random_state=seed).fit_predict(rows)
    return labels


def _seen_share(sides: list[tuple[PlacedUsers, np.ndarray]]) -> np.ndarray:
    """Share of some users of both exports who saw each page: float of shape (n_pages,)."""
    n_pages = len(sides[0][0].pages.names)
    seen = [np.bincount(side.pages.seen[users].indices, minlength=n_pages) for side, users in sides]
    share: np.ndarray = np.sum(seen, axis=0) / max(1, sum(len(users) for _, users in sides))
    return share


def _typical(apart: np.ndarray, names: tuple[str, ...]) -> tuple[str, ...]:
    most = np.argsort(-apart, kind="stable")[:_PAGES_OF]
    return tuple(names[page] for page in most if apart[page] > 0 and names[page] != RARE)


UNKNOWN_MORE: Final = 0.1
"""Rise in the share of a user's page views on unknown pages from which to train again."""
FAR_FROM: Final = 2 * FAR_SHARE
"""Share of clustered users far from every centroid from which to train again."""
MIN_FOR_RETRAINING: Final = 100
"""Users a segment in the training period below which far users are no reason: centroids lie so near
to the few that they are means of that any other users are far (measured: docs/method.md)."""


class RetrainingReason(StrEnum):
    """Reason to train a model again."""

    UNKNOWN = "unknown"
    FAR = "far"


@dataclass(frozen=True)
class Wear:
    """Figures on whether a model needs another training.

    Args:
        unknown: Share of a user's page views that are on pages the model does not know, mean over the users.
        unknown_before: The same in the training period, of a model of all the other users.
        far: Share of the clustered users who are far from every centroid; :data:`FAR_SHARE` before.
        enough: Whether the training had users enough a segment for far users to be a reason.
    """

    unknown: float
    unknown_before: float
    far: float
    enough: bool

    @property
    def by(self) -> tuple[RetrainingReason, ...]:
        """The reasons to train again; empty where the model is still good."""
        reasons = {
            RetrainingReason.UNKNOWN: self.unknown >= self.unknown_before + UNKNOWN_MORE,
            RetrainingReason.FAR: self.enough and self.far >= FAR_FROM,
        }
        return tuple(reason for reason, true in reasons.items() if true)


def wear(period: TrainingPeriod, comparison: Drift) -> Wear:
    """Figures on whether a model needs another training, taken from those of the drift.

    Args:
        period: The training period.
        comparison: The later export beside it.
    """
    unknown_before, unknown = comparison.of(DriftFigure.UNKNOWN)
    _, far = comparison.of(DriftFigure.FAR)
    return Wear(unknown, unknown_before, far, enough=period.clustered >= MIN_FOR_RETRAINING * period.k)
