"""Where visits begin and end, and which page follows which.

A step goes from one page to another within a session; a page shown twice in a row is a reload and no step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from core.base.schema import View
from core.data.sequences import UserSequences
from core.profiles.label_data import LabelData
from core.profiles.profile_columns import ROW, Col
from core.profiles.rows import Rows
from core.profiles.tally import Tally, tally

MOST_STEPS: Final = 20_000
"""Different steps that can be listed, the most frequent ones."""
SESSIONS: Final = "sessions"
SESSIONS_N: Final = "sessions_n"
FROM, TO, STEPS = "from", "to", "steps"


@dataclass(frozen=True, eq=False)
class Steps:
    """Steps between pages, themes or types.

    Args:
        pairs: Who took which step how often; the most frequent ones.
        origin: int32 of shape (n_pairs,), where each step starts, place in ``values``.
        target: int32 of shape (n_pairs,), where it leads.
        origins: Who left what how often, by any step.
        targets: Who came to what how often, by any step.
        values: The pages, themes or types.
    """

    pairs: Tally
    origin: np.ndarray
    target: np.ndarray
    origins: Tally
    targets: Tally
    values: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class PathData:
    """How people move.

    Args:
        entry: Who began how many sessions with which page.
        exit: Who ended them where.
        steps: View → its steps; ``url`` for pages.
    """

    entry: Tally
    exit: Tally
    steps: Mapping[View, Steps]

    @classmethod
    def from_sequences(
        cls, sequences: UserSequences, pages: Sequence[str], labels: LabelData | None = None
    ) -> PathData:
        """Lay out the moves of all users.

        Args:
            sequences: Their page views.
            pages: What to call each page, by page index.
            labels: Themes and types of the pages.
        """
        user, page = sequences.user, sequences.page
        starts = np.zeros(len(page), dtype=bool)
        starts[sequences.session_starts] = True
        ends = np.append(starts[1:], True)
        n_users = sequences.n_users
        moved = np.flatnonzero(~starts[1:] & (page[1:] != page[:-1]))
        walker, left, reached = user[moved], page[moved], page[moved + 1]
        steps = {View.URL: _steps(walker, left, reached, pages, n_users)}
        if labels is not None:
            for view, place in labels.page_of.items():
                values = labels.views[view].values
                steps[view] = _steps(walker, place[left], place[reached], values, n_users)
        return cls(
            entry=tally(user[starts], page[starts], pages, n_users),
            exit=tally(user[ends], page[ends], pages, n_users),
            steps=MappingProxyType(steps),
        )


def _steps(
    user: np.ndarray, left: np.ndarray, reached: np.ndarray, values: Sequence[str], n_users: int
) -> Steps:
    width = max(1, len(values))
    pairs, place, often = np.unique(
        left.astype(np.int64) * width + reached, return_inverse=True, return_counts=True
    )
    order = np.argsort(-often, kind="stable")  # equally frequent: the page with more views first
    rank = np.empty(len(pairs), dtype=np.int64)
    rank[order] = np.arange(len(pairs))
    code = rank[place]
    listed = code < MOST_STEPS
    origin, target = np.divmod(pairs[order[:MOST_STEPS]], width)
    names = [f"{values[a]} → {values[b]}" for a, b in zip(origin.tolist(), target.tolist(), strict=True)]
    return Steps(
        pairs=tally(user[listed], code[listed], names, n_users),
        origin=origin.astype(np.int32),
        target=target.astype(np.int32),
        origins=tally(user, left, values, n_users),
        targets=tally(user, reached, values, n_users),
        values=tuple(values),
    )


def session_ends(made: Tally, rows: Rows, count: int) -> pd.DataFrame:
    """The pages with which most sessions begin (or end).

    Args:
        made: ``entry`` or ``exit`` of :class:`PathData`.
        rows: Who belongs where.
        count: Pages a row.

    Returns:
        One row a row and page, most frequent first: the columns that say what a row is, ``rank`` (from 1),
        ``page``, ``value``, ``sessions``, ``sessions_n`` (of all), ``share`` (of sessions) and ``users``.
    """
    sessions, users = rows.with_all(made.sums(rows)), rows.with_all(made.users(rows))
    whole = sessions.sum(axis=1)
    row, rank, code = _most(sessions, count)
    columns = {
        Col.RANK: rank,
        Col.PAGE: code,
        Col.VALUE: pd.array([made.values[place] for place in code], dtype="str"),
        SESSIONS: sessions[row, code].astype(np.int64),
        SESSIONS_N: whole[row].astype(np.int64),
        Col.SHARE: sessions[row, code] / whole[row],
        Col.USERS: users[row, code].astype(np.int64),
    }
    return rows.frame(columns, [*ROW, *columns], row)


@dataclass(frozen=True, eq=False)
class StepCounts:
    """Steps of each row, the totals last.

    Args:
        steps: What was counted.
        rows: Who belongs where.
        times: float64 of shape (n_rows + n_totals, n_pairs).
        users: float64 of shape (n_rows + n_totals, n_pairs).
        left: float64 of shape (n_rows + n_totals, n_values), steps from each.
        reached: float64 of shape (n_rows + n_totals, n_values), steps to each.
    """

    steps: Steps
    rows: Rows
    times: np.ndarray
    users: np.ndarray
    left: np.ndarray
    reached: np.ndarray

    @classmethod
    def of(cls, steps: Steps, rows: Rows) -> StepCounts:
        """Count once a partition."""
        return cls(
            steps, rows,
            rows.with_all(steps.pairs.sums(rows)), rows.with_all(steps.pairs.users(rows)),
            rows.with_all(steps.origins.sums(rows)), rows.with_all(steps.targets.sums(rows)),
        )  # fmt: skip

    def most(
        self, row: int, count: int, origin: int | None = None, target: int | None = None
    ) -> pd.DataFrame:
        """The most frequent steps of a row.

        Args:
            row: Its place, totals last.
            count: Steps at most.
            origin: Only those from here, place in ``steps.values``.
            target: Only those to here.

        Returns:
            ``rank``, ``from``, ``to``, ``steps``, ``n`` (steps from ``origin``, to ``target``, or all),
            ``share`` of these, ``users``.
        """
        steps = self.steps
        wanted = np.ones(len(steps.origin), dtype=bool)
        if origin is not None:
            wanted &= steps.origin == origin
        if target is not None:
            wanted &= steps.target == target
        whole = self._whole(row, origin, target)
        code = np.flatnonzero(wanted & (self.times[row] > 0))
        code = code[np.argsort(-self.times[row, code], kind="stable")][:count]
        return pd.DataFrame(
            {
                Col.RANK: np.arange(1, len(code) + 1),
                FROM: pd.array([steps.values[place] for place in steps.origin[code]], dtype="str"),
                TO: pd.array([steps.values[place] for place in steps.target[code]], dtype="str"),
                STEPS: self.times[row, code].astype(np.int64),
                Col.N: np.full(len(code), int(whole)),
                Col.SHARE: self.times[row, code] / whole if whole else np.full(len(code), np.nan),
                Col.USERS: self.users[row, code].astype(np.int64),
            }
        )

    def _whole(self, row: int, origin: int | None, target: int | None) -> float:
        if origin is not None:
            return float(self.left[row, origin])
        return float(self.reached[row, target] if target is not None else self.left[row].sum())


def _most(counts: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row, rank and column of the largest counts above 0 of each row."""
    order = np.argsort(-counts, axis=1, kind="stable")[:, :count]
    row = np.repeat(np.arange(len(counts)), order.shape[1])
    rank, code = np.tile(np.arange(1, order.shape[1] + 1), len(counts)), order.ravel()
    kept = counts[row, code] > 0
    return row[kept], rank[kept], code[kept]
