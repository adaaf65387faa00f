"""The table of differences: every segment and group compared with the other clustered users in everything.

* A share of users (items, outcomes) has a risk difference and a ratio with their 95 % intervals
  (:mod:`core.profiles.two_shares`); for means see :mod:`core.profiles.means`.
* What the model never saw (*held out*) is tested, except an hour or weekday that pages give away, which is
  *derived*. q corrects p for the number of tests (Benjamini and Hochberg 1995), separately for segments and
  for groups made by rule: that users of one page differ must not make it easier for a segment to. Outcomes
  are corrected by themselves, so that hours and countries, which nobody asked for, do not hide them. Where
  the outcome made the rows and no model, everything else is tested.
* What the model saw (*input*) or what follows from it (*derived*) differs *by construction*: segments are
  made to differ in it, even where users have no kinds. Values, effects and intervals describe all sessions.
  Pages and their labels are tested for segments in sessions that did not make them
  (:mod:`core.profiles.other_sessions`), as far as users have several; their q is separate, and p is 1
  where these sessions point the other way.
* What is the *rule* that made a row is not tested either: page, source, device and engagement of segments of
  one-page users; outcome, revenue and stages before the outcome where the outcome made the rows.
* A row *differs* where its interval leaves out 0 and q < .05; ranks alone, of a mean whose interval holds 0,
  are not enough. Other tested rows are *not shown to differ*, with the least difference that would have been
  seen in 80 % of such samples. Where nothing was tested, ``differs`` is absent.
* Differences rank by the low end of their size in standard deviations (Cohen's h of shares, for means d
  by Cliff's delta); below a tenth they do not rank. What the model saw has no rank, tested or not, as all
  sessions exaggerate its size: :func:`top_differences` lists it among the findings as a description, by half
  that size. What is the rule is never listed there.

Last, :func:`distributions`: quantiles of each measure over the users of every row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
from scipy import sparse, stats

from core.base.schema import Users
from core.profiles import two_shares
from core.profiles.data import ProfileData
from core.profiles.means import (
    MANN_WHITNEY,
    SIGNIFICANCE,
    T_TEST,
    ComparedGroups,
    MeanComparisons,
    UserValues,
    compare_means,
    user_values,
)
from core.profiles.metrics import column_descriptions
from core.profiles.other_sessions import OTHER_SESSIONS
from core.profiles.outcomes import OutcomeRecord
from core.profiles.profile_columns import ROW, Col, MetricRole, RowKind
from core.profiles.rows import Rows
from core.profiles.two_shares import Z_95
from core.profiles.user_items import SEEN, Family, UserItems

_MIN_EFFECT: Final = 0.1
"""Least low end, in standard deviations, of a difference that ranks: half of Cohen's small effect."""
_DESCRIBED_WEIGHT: Final = 0.5
"""Weight of the size of what the model saw, relative to a finding, in :func:`top_differences`."""
MEASURES: Final = (
    Col.PAGE_VIEWS_MEAN, Col.SESSIONS_MEAN, Col.PAGES_PER_SESSION, Col.DIFFERENT_PAGES_MEAN,
    Col.ENGAGEMENT_NONE_SHARE, Col.ENGAGEMENT_MEAN, Col.SESSION_RATE, Col.REVENUE_PER_USER,
)  # fmt: skip
_RULES: Final = (Family.MEASURE, Users.SOURCE, Users.DEVICE)
"""Families that make segments of one-page users, beside the page; measures :data:`OF_OUTCOME` do not."""
OF_OUTCOME: Final = (Col.SESSION_RATE, Col.REVENUE_PER_USER)
"""Measures that follow from the outcome."""
_NO_OUTCOMES: Final[Mapping[str, OutcomeRecord]] = MappingProxyType({})
_UNTESTED: Final[Mapping[str, pd.DataFrame]] = MappingProxyType({})

_Matrix: TypeAlias = np.ndarray | sparse.csr_array
_Part: TypeAlias = dict[str, np.ndarray]


class Diff(StrEnum):
    """Columns that only this table has; others are in :class:`core.profiles.profile_columns.Col`."""

    FAMILY = "family"
    ITEM = "item"
    ROLE = "role"
    REST_VALUE = "rest_value"
    DIFFERENCE_LOW = "difference_low"
    DIFFERENCE_HIGH = "difference_high"
    RATIO = "ratio"
    RATIO_LOW = "ratio_low"
    RATIO_HIGH = "ratio_high"
    EFFECT = "effect"
    EFFECT_LOW = "effect_low"
    TEST = "test"
    P_VALUE = "p_value"
    Q_VALUE = "q_value"
    DIFFERS = "differs"
    DETECTABLE = "detectable"
    RANK = "rank"


COLUMNS: Final = (
    Col.KEY, Col.KIND, Col.SEGMENT, Diff.FAMILY, Diff.ITEM, Diff.ROLE, Col.USERS, Col.N, Col.VALUE,
    Col.REST_USERS, Col.REST_N, Diff.REST_VALUE, Col.DIFFERENCE, Diff.DIFFERENCE_LOW, Diff.DIFFERENCE_HIGH,
    Diff.RATIO, Diff.RATIO_LOW, Diff.RATIO_HIGH, Diff.EFFECT, Diff.EFFECT_LOW, Diff.TEST, Diff.P_VALUE,
    Diff.Q_VALUE, Diff.DIFFERS, Diff.DETECTABLE, Diff.RANK,
)  # fmt: skip


def differences(
    data: ProfileData,
    rows: Rows,
    items: UserItems,
    outcomes: Mapping[str, OutcomeRecord] = _NO_OUTCOMES,
    again: Mapping[str, pd.DataFrame] = _UNTESTED,
) -> pd.DataFrame:
    """Compare every segment and group with the other clustered users.

    Args:
        data: The users.
        rows: The row of each user.
        items: What each user did, saw or came with.
        outcomes: Name → who had it, the main one first.
        again: Tests in other sessions:
            :meth:`core.profiles.other_sessions.OtherSessions.scores`.

    Returns:
        A row for each row of the profiles and item, columns :data:`COLUMNS`: ``item`` is a column of the
        segments table in the family ``measure``, the outcome in ``outcome``. ``users`` of ``n`` have it;
        ``rest_…`` are the same of the others. Where nothing was tested ``test`` is empty, and ``p_value``,
        ``q_value``, ``differs`` and ``rank`` are absent. ``rank`` (from 1, within a row) is also absent for
        what the model saw, and where no difference was shown, or a too small one.
    """
    return _table(data, rows, ComparedGroups.of_rows(rows), range(rows.n_rows), items, outcomes, again)


def pair_differences(
    data: ProfileData,
    rows: Rows,
    pair: tuple[str, str],
    items: UserItems,
    outcomes: Mapping[str, OutcomeRecord] = _NO_OUTCOMES,
) -> pd.DataFrame:
    """Compare two rows with each other, as :func:`differences` does with the clustered users.

    Args:
        data: The users.
        rows: The row of each user.
        pair: Keys of two rows, neither of all users.
        items: What each user did, saw or came with.
        outcomes: Name → who had it, the main one first.

    Returns:
        The table of :func:`differences`: the first row against the second, then the second against the first.
    """
    first, second = (rows.head[Col.KEY].tolist().index(key) for key in pair)
    return _table(data, rows, ComparedGroups.of_pair(rows, first, second), (first, second), items, outcomes)


def top_differences(table: pd.DataFrame, key: str, count: int = 3) -> pd.DataFrame:
    """The strongest differences of a row: findings, and descriptions of what the model saw.

    The page ``/sale``, the folder ``/sale/`` and the word *sale* may be one thing: of differences with the
    same users on both sides only the strongest is listed, and of each family only one.

    Args:
        table: From :func:`differences`.
        key: Key of the row, such as ``segment:0``.
        count: Most differences.

    Returns:
        Rows of the table, the strongest first.
    """
    rows = table.loc[_strength(table[table[Col.KEY] == key]).dropna().index]
    return rows.drop_duplicates(Diff.FAMILY).drop_duplicates([Col.USERS, Col.REST_USERS]).head(count)


def listed_differences(table: pd.DataFrame, key: str) -> pd.DataFrame:
    """Rows of a key worth listing, the strongest first: all that may lead or that the model did not see."""
    strength = _strength(table[table[Col.KEY] == key])
    rows = table.loc[strength.index]
    return rows[strength.notna() | ~rows[Diff.ROLE].isin([MetricRole.INPUT, MetricRole.RULE])]


def is_apart(table: pd.DataFrame) -> pd.Series:
    """Whether each row differs: a held-out one by its test, others where their interval leaves out 0."""
    beyond = (table[Diff.DIFFERENCE_LOW] > 0) | (table[Diff.DIFFERENCE_HIGH] < 0)
    return table[Diff.DIFFERS].where(table[Diff.ROLE] == MetricRole.HELD_OUT, beyond).astype(bool)


def _strength(rows: pd.DataFrame) -> pd.Series:
    """Strength of each difference for :func:`top_differences`, descending; NaN for those that do not lead."""
    is_finding, effect = rows[Diff.RANK].notna(), rows[Diff.EFFECT_LOW]
    described = ~rows[Diff.ROLE].isin([MetricRole.HELD_OUT, MetricRole.RULE]) & is_apart(rows)
    described &= effect >= _MIN_EFFECT
    strength = effect.where(is_finding, effect * _DESCRIBED_WEIGHT).where(is_finding | described)
    return strength.sort_values(ascending=False, kind="stable")


@dataclass(frozen=True, eq=False)
class _Shares:
    """Counts of users with each item of a family, and of all users; arrays of shape (n_rows, n_items)."""

    family: str
    names: Sequence[str]
    role: MetricRole
    users: np.ndarray
    n: np.ndarray
    rest: np.ndarray
    rest_n: np.ndarray

    @classmethod
    def of(
        cls, family: str, names: Sequence[str], role: MetricRole, has: _Matrix, known: np.ndarray,
        sides: ComparedGroups,
    ) -> _Shares:  # fmt: skip
        (users, rest), (n, rest_n) = sides.both(has), sides.both(known[:, None])
        wide = users.shape
        return cls(family, names, role, users, np.broadcast_to(n, wide), rest, np.broadcast_to(rest_n, wide))


def _table(
    data: ProfileData, rows: Rows, sides: ComparedGroups, about: Sequence[int], items: UserItems,
    outcomes: Mapping[str, OutcomeRecord], again: Mapping[str, pd.DataFrame] = _UNTESTED,
) -> pd.DataFrame:  # fmt: skip
    head = rows.head.iloc[list(about)]
    counted = [
        _Shares.of(family, made.names, items.role_of(family, rows), made.has, made.known, sides)
        for family, made in items.families.items()
    ]
    shares = [*_outcomes(data, sides, outcomes), *counted]
    parts = [*_measures(data, rows, sides, outcomes), *([_of_shares(shares)] if shares else [])]
    # (n_rows, items of all parts) → one row a row and item, a row's items beside each other
    columns = {name: np.concatenate([part[name] for part in parts], axis=1).ravel() for name in parts[0]}
    place = np.repeat(np.arange(len(head)), len(columns[Diff.ITEM]) // max(1, len(head)))
    columns |= {name: head[name].to_numpy()[place] for name in (Col.KEY, Col.KIND, Col.SEGMENT)}
    columns |= {
        name: columns[name].astype(np.int64) for name in (Col.USERS, Col.N, Col.REST_USERS, Col.REST_N)
    }
    columns |= _tested_again(columns, again)
    columns |= _untested(columns, _made_by(columns, rows))
    made = columns | _decided(columns, place)
    return pd.DataFrame({str(name): made[name] for name in COLUMNS})


def _measures(
    data: ProfileData, rows: Rows, sides: ComparedGroups, outcomes: Mapping[str, OutcomeRecord]
) -> Iterable[_Part]:
    conversions = next(iter(outcomes.values()), None)
    fields = column_descriptions(
        conversions.money if conversions else (), seen=data.outcomes.is_read(tuple(outcomes))
    )
    role_of_measure = {field.field: field.evidence for field in fields}
    for measure in MEASURES:
        values, role = user_values(data, conversions, measure), rows.role_of(role_of_measure[measure])
        if values is None or not values.whole.any():
            continue
        if values.is_share:
            known = values.whole > 0
            has = (values.part > 0)[:, None]
            yield _of_shares([_Shares.of(Family.MEASURE, (measure,), role, has, known, sides)])
        else:
            yield _of_means(measure, role, values, compare_means(values, sides), sides)


def _outcomes(
    data: ProfileData, sides: ComparedGroups, outcomes: Mapping[str, OutcomeRecord]
) -> Iterable[_Shares]:
    for outcome, conversions in outcomes.items():
        values = user_values(data, conversions, Col.OUTCOME_RATE)
        assert values is not None  # asked for by name
        parts = [outcome] if outcome in data.outcomes.events or len(outcomes) == 1 else outcomes
        role = MetricRole.INPUT if data.outcomes.is_read(tuple(parts)) else MetricRole.HELD_OUT
        has, known = values.part[:, None], values.whole > 0
        yield _Shares.of(Family.OUTCOME, (outcome,), role, has, known, sides)


def _of_shares(blocks: Sequence[_Shares]) -> _Part:
    """Columns of the table for shares of users, all families at once."""
    four = [
        np.concatenate([getattr(block, side) for block in blocks], axis=1)
        for side in ("users", "n", "rest", "rest_n")
    ]
    wide = [len(block.names) for block in blocks]
    role = np.repeat([block.role.value for block in blocks], wide)
    shape = four[0].shape
    held_out = np.broadcast_to(role == MetricRole.HELD_OUT, shape)
    p, test = np.full(shape, np.nan), np.full(shape, "", dtype=object)
    p[held_out], is_fisher = two_shares.test_shares(*(part[held_out] for part in four))
    test[held_out] = np.where(is_fisher, two_shares.FISHER, two_shares.CHI_SQUARE)
    named = {
        Diff.FAMILY: np.repeat([str(block.family) for block in blocks], wide),
        Diff.ITEM: np.array([name for block in blocks for name in block.names], dtype=object),
        Diff.ROLE: role, Diff.TEST: test, Diff.P_VALUE: p,
    }  # fmt: skip
    return share_columns(*four) | {name: np.broadcast_to(made, shape) for name, made in named.items()}


def share_columns(users: np.ndarray, n: np.ndarray, rest: np.ndarray, rest_n: np.ndarray) -> _Part:
    """Columns of the table for shares of users: values, intervals and effects, for arrays of one shape.

    Args:
        users: Users with the item.
        n: Users who count.
        rest: Other users with the item; NaN where there are no others.
        rest_n: Other users who count.
    """
    four = (users, n, rest, rest_n)
    low, high = two_shares.difference_interval(*four)
    ratio_low, ratio_high = two_shares.ratio_interval(*four)
    effect, error = two_shares.effect_size(*four)
    with np.errstate(divide="ignore", invalid="ignore"):
        value, rest_value = users / n, rest / rest_n
    return _part(users.shape, {
        Col.USERS: users, Col.N: n, Col.VALUE: value, Col.REST_USERS: rest, Col.REST_N: rest_n,
        Diff.REST_VALUE: rest_value, Diff.DIFFERENCE_LOW: low, Diff.DIFFERENCE_HIGH: high,
        Diff.RATIO_LOW: ratio_low, Diff.RATIO_HIGH: ratio_high, Diff.EFFECT: effect, Diff.EFFECT_LOW: error,
        Diff.DETECTABLE: two_shares.least_difference(*four),
    })  # fmt: skip


def _of_means(
    measure: str, role: MetricRole, values: UserValues, means: MeanComparisons, sides: ComparedGroups
) -> _Part:
    users, rest = (side[:, 0] for side in sides.both((values.part > 0)[:, None]))
    test = MANN_WHITNEY if values.by_rank else T_TEST
    held_out = role is MetricRole.HELD_OUT
    columns = {
        Col.USERS: users, Col.N: means.n, Col.VALUE: means.value, Col.REST_USERS: rest,
        Col.REST_N: means.rest_n, Diff.REST_VALUE: means.rest_value,
        Diff.DIFFERENCE_LOW: means.difference_low, Diff.DIFFERENCE_HIGH: means.difference_high,
        Diff.RATIO_LOW: means.ratio_low, Diff.RATIO_HIGH: means.ratio_high, Diff.EFFECT: means.effect,
        Diff.EFFECT_LOW: means.error, Diff.P_VALUE: np.where(held_out, means.p_value, np.nan),
        Diff.DETECTABLE: means.detectable,
    }  # fmt: skip
    named = {
        Diff.FAMILY: Family.MEASURE.value, Diff.ITEM: measure, Diff.ROLE: role.value,
        Diff.TEST: test if held_out else "",
    }  # fmt: skip
    wide = (len(users), 1)
    return _part(wide, {name: values_of[:, None] for name, values_of in columns.items()} | {
        name: np.array([text], dtype=object) for name, text in named.items()
    })  # fmt: skip


def _part(shape: tuple[int, ...], columns: Mapping[str, np.ndarray]) -> _Part:
    """Add difference, ratio and ``effect_low`` to columns; ``effect_low`` is given as the standard error."""
    wide = {name: np.broadcast_to(values, shape) for name, values in columns.items()}
    size = np.abs(wide[Diff.EFFECT]) - Z_95 * wide[Diff.EFFECT_LOW]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = wide[Col.VALUE] / wide[Diff.REST_VALUE]
    return wide | {
        Diff.EFFECT_LOW: np.maximum(size, 0),
        Col.DIFFERENCE: wide[Col.VALUE] - wide[Diff.REST_VALUE],
        Diff.RATIO: ratio,
    }


def _tested_again(columns: Mapping[str, np.ndarray], again: Mapping[str, pd.DataFrame]) -> _Part:
    """Test what the model saw of segments in other sessions: p, or 1 where these point the other way."""
    p, test = columns[Diff.P_VALUE].copy(), columns[Diff.TEST].copy()
    is_input = (columns[Diff.ROLE] == MetricRole.INPUT) & (columns[Col.KIND] == RowKind.SEGMENT)
    for family, scores in again.items():
        rows = np.flatnonzero(is_input & (columns[Diff.FAMILY] == family))
        segment = scores.index.get_indexer(pd.Index(columns[Col.SEGMENT][rows]))
        item = scores.columns.get_indexer(pd.Index(columns[Diff.ITEM][rows]))
        score = np.where((segment >= 0) & (item >= 0), scores.to_numpy()[segment, item], np.nan)
        rows, score = rows[~np.isnan(score)], score[~np.isnan(score)]
        agrees = score * columns[Col.DIFFERENCE][rows] >= 0
        p[rows], test[rows] = np.where(agrees, 2 * stats.norm.sf(np.abs(score)), 1.0), OTHER_SESSIONS
    return {Diff.P_VALUE: p, Diff.TEST: test}


def _made_by(columns: Mapping[str, np.ndarray], rows: Rows) -> np.ndarray:
    """Which differences are the rule that made their row: bool of shape (n,).

    A page that all users with the outcome saw, and nobody else, counts as the outcome.
    """
    family, users, n = columns[Diff.FAMILY], columns[Col.USERS], columns[Col.N]
    rest, rest_n = columns[Col.REST_USERS], columns[Col.REST_N]
    parted = ((users == n) & (rest == 0)) | ((users == 0) & (rest == rest_n))
    is_outcome = (family == Family.OUTCOME) | np.isin(columns[Diff.ITEM], OF_OUTCOME)
    is_made = is_outcome | (parted & np.isin(family, list(SEEN)))
    by_outcome = is_made & (columns[Col.KIND] == RowKind.SEGMENT) & rows.by_outcome
    of_rule = np.isin(family, _RULES) | (columns[Diff.ROLE] != MetricRole.HELD_OUT)
    by_rule = of_rule & ~is_outcome & (columns[Col.KIND] == RowKind.ONE_PAGE)
    made: np.ndarray = by_outcome | by_rule
    return made


def _untested(columns: Mapping[str, np.ndarray], made: np.ndarray) -> _Part:
    """Columns role, p and test, where differences that are the rule of their row are marked, not tested."""
    return {
        Diff.ROLE: np.where(made, MetricRole.RULE.value, columns[Diff.ROLE]),
        Diff.P_VALUE: np.where(made, np.nan, columns[Diff.P_VALUE]),
        Diff.TEST: np.where(made, "", columns[Diff.TEST]),
    }


def _decided(columns: Mapping[str, np.ndarray], place: np.ndarray) -> dict[str, Any]:
    """Columns q, whether a difference is shown, and its rank from 1 within each row."""
    p = columns[Diff.P_VALUE]
    tested, q = ~np.isnan(p), np.full(len(p), np.nan)
    held_out, is_outcome = columns[Diff.ROLE] == MetricRole.HELD_OUT, columns[Diff.FAMILY] == Family.OUTCOME
    for kind in np.unique(columns[Col.KIND]):
        for family in (held_out & is_outcome, held_out & ~is_outcome, ~held_out):
            rows = tested & family & (columns[Col.KIND] == kind)
            q[rows] = stats.false_discovery_control(p[rows])
    leaves_out_0 = (columns[Diff.DIFFERENCE_LOW] > 0) | (columns[Diff.DIFFERENCE_HIGH] < 0)
    differs, effect = leaves_out_0 & (q < SIGNIFICANCE), columns[Diff.EFFECT_LOW]
    size = pd.Series(np.where(differs & held_out & (effect >= _MIN_EFFECT), effect, np.nan))
    return {
        Diff.Q_VALUE: q,
        Diff.DIFFERS: pd.arrays.BooleanArray(differs, ~held_out & ~tested),
        Diff.RANK: size.groupby(place).rank(ascending=False, method="first").astype("Int32"),
    }


_QUANTILES: Final = {"p05": 0.05, "p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95}
"""Column → level of the quantile: the share of users that have no more."""
_MEAN: Final = "mean"


def distributions(data: ProfileData, rows: Rows, conversions: OutcomeRecord | None) -> pd.DataFrame:
    """Quantiles of each measure that is no share of users, over the users of each row that count in it.

    Args:
        data: The users.
        rows: The row of each user.
        conversions: Who converted; None where there is no outcome.

    Returns:
        A row for each row and measure: the columns that say what a row is, ``metric``, ``n``, ``mean`` and
        :data:`_QUANTILES`. The mean is that of the segments table; for a ratio, the ratio of the sums.
    """
    parts = []
    for measure in MEASURES:
        values = user_values(data, conversions, measure)
        if values is None or values.is_share or not values.whole.any():
            continue
        counted = values.whole > 0
        each = values.part[counted] / values.whole[counted]
        groups = [each[rows.members(row)[counted]] for row in range(len(rows.head))]
        part, whole = (rows.with_all(rows.count(weights=side)) for side in (values.part, values.whole))
        mean = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
        parts.append(rows.head.assign(**_spread(groups), **{_MEAN: mean, Col.METRIC: measure}))
    table = pd.concat(parts, ignore_index=True)
    return table[table[Col.N] > 0][[*ROW, Col.METRIC, Col.N, _MEAN, *_QUANTILES]].reset_index(drop=True)


def _spread(groups: list[np.ndarray]) -> dict[str, np.ndarray]:
    levels = list(_QUANTILES.values())
    quantiles = np.array(
        [np.quantile(values, levels) if len(values) else np.full(len(levels), np.nan) for values in groups]
    )
    return {
        Col.N: np.array([len(values) for values in groups]),
        **dict(zip(_QUANTILES, quantiles.T, strict=True)),
    }
