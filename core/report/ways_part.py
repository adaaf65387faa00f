"""How the users of each segment move, and how long they take to the outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from core.base import wording
from core.data.sequences import UserSequences
from core.differences.table import Diff
from core.journeys.moves import FROM, STEPS, TO, Moves, Taken
from core.journeys.routes import ROUTE, Routes
from core.journeys.step_table import MoveCol, step_table
from core.journeys.survival import TimeToOutcome, time_to_outcome
from core.profiles.metrics import Profiles
from core.profiles.outcomes import Happened
from core.profiles.profile_columns import Col
from core.profiles.rows import Rows
from core.report.charts import Curve, time_curves
from core.report.model import ReportChart, Table

Parts = tuple[tuple[str, Table], ...]
STOPS: Final = 5
"""That a route is told apart by."""
ROUTES, STEPS_LISTED, ENDS = 5, 5, 3
DAY: Final = 86_400
POINTS: Final = 200
"""Moments of a curve at most."""


@dataclass(frozen=True, eq=False)
class WaysMaker:
    """Makes the part of a card about moves.

    Args:
        rows: Who belongs where.
        moves: All steps.
        routes: All routes.
        happened: The outcome; None without one.
    """

    rows: Rows
    moves: Moves
    routes: Routes
    happened: Happened | None

    @classmethod
    def of(cls, moves: Moves, sequences: UserSequences, profiles: Profiles) -> WaysMaker:
        """Lay out the routes between the same places."""
        return cls(profiles.rows, moves, Routes.of(sequences, moves.places, STOPS), profiles.happened)

    def parts(self, row: int) -> Parts:
        """Heading and table of each: routes, steps, where sessions begin and where they end.

        Args:
            row: The place of the segment among the rows.
        """
        users = self.rows.members(row)
        others = (self.rows.place < self.rows.n_segments) & ~users
        here, there = self.moves.taken(users), self.moves.taken(others)
        starts, ends = self.moves.left == self.moves.start, self.moves.reached == self.moves.end
        return (
            (f"Ways, by {self.routes.places.level}", self._routes(users, others)),
            ("Steps", self._steps(here, there, ~starts & ~ends)),
            ("Sessions begin with", self._of_sessions(here, there, starts, TO)),
            ("Sessions end with", self._of_sessions(here, there, ends, FROM)),
        )

    def _routes(self, users: np.ndarray, others: np.ndarray) -> Table:
        found = self.routes.listed(users, others, self.happened, ROUTES)
        columns = ("Whole session", "Users", "Others", "")
        if self.happened is None:
            return Table(columns, tuple(_shares(found, found[ROUTE])), numeric=(1, 2))
        rates = zip(found[Col.OUTCOME_RATE], found[Col.USERS], strict=True)
        lines = zip(_shares(found, found[ROUTE]), rates, strict=True)
        return Table(
            (*columns, "With outcome"),
            tuple((*line, f"{wording.percent(rate, 1, n)} of {n:,}") for line, (rate, n) in lines),
            numeric=(1, 2, 4),
        )

    def _steps(self, here: Taken, there: Taken, which: np.ndarray) -> Table:
        found = self._most(here, there, which, STEPS_LISTED)
        steps = [f"{left} → {reached}" for left, reached in zip(found[FROM], found[TO], strict=True)]
        columns = ("Of users who were there", "Users", "Others", "")
        return Table(columns, tuple(_shares(found, steps)), numeric=(1, 2))

    def _most(self, here: Taken, there: Taken, which: np.ndarray, count: int) -> pd.DataFrame:
        """The steps that these users take most: a table of steps begins with those of either side."""
        most = np.argsort(-np.where(which, here.steps.times, 0), kind="stable")[:count]
        wanted = np.isin(np.arange(len(which)), most) & (here.steps.times > 0)
        found = step_table(self.moves, here, there, wanted & which)
        return found.sort_values(STEPS, ascending=False, kind="stable")

    def _of_sessions(self, here: Taken, there: Taken, which: np.ndarray, column: str) -> Table:
        found = self._most(here, there, which, ENDS)
        lines = zip(found[column], found[STEPS], found[MoveCol.REST_STEPS], strict=True)
        n, rest_n = here.n_sessions, there.n_sessions
        made = ((name, _percent(steps, n), _percent(rest, rest_n)) for name, steps, rest in lines)
        return Table(("", "Sessions", "Others"), tuple(made), numeric=(1, 2))


def _shares(found: pd.DataFrame, said: Sequence[str] | pd.Series) -> list[tuple[str, ...]]:
    """What was done, by what share of the users, of the others, and whether these differ."""
    columns = (Col.USERS, Col.N, Col.REST_USERS, Col.REST_N, Diff.DIFFERS, Col.DIFFERENCE)
    lines = zip(said, *(found[name].tolist() for name in columns), strict=True)
    return [
        (
            what, _percent(users, n), _percent(rest, rest_n),
            ("more" if apart > 0 else "fewer") if differs else "",
        )
        for what, users, n, rest, rest_n, differs, apart in lines
    ]  # fmt: skip


def _percent(part: float, whole: float) -> str:
    return wording.percent(part / whole if whole else None, 1, whole)


def time_chart(sequences: UserSequences, profiles: Profiles, called: Mapping[str, str]) -> ReportChart | None:
    """Who have had the outcome by when, a curve a segment; None where nobody has it.

    Args:
        sequences: Page views of all users.
        profiles: The segments and the outcome.
        called: Row → what it is called.
    """
    rows, happened = profiles.rows, profiles.happened
    if happened is None or not len(happened.user):
        return None
    times = [time_to_outcome(sequences, rows.members(row), happened) for row in range(rows.n_segments)]
    heads = zip(rows.head[Col.KEY], rows.segments, times, strict=False)
    drawn = [(called[key], segment, one) for key, segment, one in heads]
    curves = [Curve(segment, name, *_points(one)) for name, segment, one in drawn]
    before = sum(one.before for one in times)
    left_out = f"; {wording.counted(before, 'user')} with it before that left out" if before else ""
    return ReportChart(
        "time", f"Time to {profiles.outcome}",
        f"Share of users who have had it, by the days since their first page view{left_out}",
        time_curves(curves), Table(
            ("", "Users", "By the end", "From", "To", "Half of these within"),
            tuple(_line(name, one) for name, _, one in drawn), numeric=(1, 2, 3, 4, 5),
        ),
        "Kaplan and Meier's estimate: users without the outcome are followed to the end of the data.",
    )  # fmt: skip


def _points(found: TimeToOutcome) -> tuple[list[float], list[float]]:
    """Days and shares, thinned out where they are more than can be told apart."""
    places = np.linspace(0, len(found.seconds) - 1, min(POINTS, len(found.seconds)))
    kept = np.unique(places.astype(int))
    last = found.followed[-1] if len(found.followed) else 0.0
    seconds = np.concatenate([[0.0], found.seconds[kept], [last]])
    shares = np.concatenate([[0.0], found.share[kept], [found.in_the_end]])
    return (seconds / DAY).round(3).tolist(), shares.round(5).tolist()


def _line(name: str, found: TimeToOutcome) -> tuple[str, ...]:
    n = len(found.followed)
    ends = [float(curve[-1]) if len(curve) else None for curve in (found.low, found.high)]
    half = found.time_until(found.in_the_end / 2) if found.had else None
    share, low, high = (wording.percent(value, 1, n) for value in (found.in_the_end, *ends))
    return name, f"{n:,}", share, low, high, wording.duration(half)
