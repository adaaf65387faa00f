"""How long it takes until the outcome (Kaplan and Meier 1958).

The clock starts with a user's first page view. Users without the outcome are followed to the end of the data,
as an export holds what they did up to then: they had not had it yet. To stop at their last event instead
would count only those who were still around, as if whoever left might have bought as often as whoever stayed.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy import stats

from core.profiles.outcomes import OutcomeRecord
from core.profiles.profile_columns import Col
from core.storage.sequences import UserSequences

SECONDS, HAVE_HAD = "seconds", "have_had"
AT_RISK: Final = "at_risk"
_SECOND: Final = 1_000_000
"""A second in microseconds."""


@dataclass(frozen=True, eq=False)
class TimeToOutcome:
    """Share of some users who have had the outcome, by the time since their first page view.

    Args:
        followed: float64 of shape (n,), seconds that each user was followed without it, ascending.
        had: Users who had it.
        before: Users who had it before their first page view: they are not followed and not in ``followed``.
        seconds: float64 of shape (m,), when somebody had it, ascending.
        share: float64 of shape (m,), who have had it by then: 1 − the estimate of Kaplan and Meier.
        low: float64 of shape (m,), lower end of its 95 % interval: Greenwood's variance on the scale of
            log(−log) (Sawyer 2003), which stays between 0 and 1; NaN where all have had it.
        high: Upper end.
    """

    followed: np.ndarray
    had: int
    before: int
    seconds: np.ndarray
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def time_until(self, share: float) -> float | None:
        """Seconds until a share of the users have had the outcome, ½ for the median; None if never."""
        later = np.flatnonzero(self.share > share - 1e-9)  # a product of fractions is a half but for rounding
        return float(self.seconds[later[0]]) if len(later) else None

    @property
    def in_the_end(self) -> float:
        """The share of the users who have had the outcome when the data end."""
        return float(self.share[-1]) if len(self.share) else 0.0

    def at_risk(self, seconds: np.ndarray) -> np.ndarray:
        """Users followed at least so long without the outcome: int64, of the shape of ``seconds``."""
        found: np.ndarray = len(self.followed) - np.searchsorted(self.followed, seconds, side="left")
        return found

    def at(self, seconds: np.ndarray) -> pd.DataFrame:
        """Table of the curve at some times.

        Args:
            seconds: float64 of shape (k,), since the first page view, ascending.

        Returns:
            ``seconds``, ``have_had`` with ``low`` and ``high`` (0 to 1), ``at_risk``; as far as anybody was
            followed.
        """
        seconds = seconds[seconds <= self.followed.max(initial=-1)]
        place = np.searchsorted(self.seconds, seconds, side="right")
        columns = {HAVE_HAD: (0.0, self.share), Col.LOW: (np.nan, self.low), Col.HIGH: (np.nan, self.high)}
        read = {name: np.append(first, values)[place] for name, (first, values) in columns.items()}
        return pd.DataFrame({SECONDS: seconds} | read | {AT_RISK: self.at_risk(seconds)})


def _end_of(sequences: UserSequences, conversions: OutcomeRecord) -> int:
    """The end of the data, microseconds UTC: the last page view, or the last first outcome after it."""
    return int(max(sequences.timestamp.max(), conversions.first_ts.max(initial=0)))


def time_to_outcome(sequences: UserSequences, users: np.ndarray, conversions: OutcomeRecord) -> TimeToOutcome:
    """Estimate how long some users took until their first outcome.

    Args:
        sequences: Page views of all users.
        users: Users whose time counts, bool of shape (n_users,).
        conversions: Who had the outcome, of the users with a page view.
    """
    began, end = sequences.timestamp[sequences.offsets[:-1]], _end_of(sequences, conversions)
    until = np.full(len(users), end)
    until[conversions.user] = conversions.first_ts
    had = np.zeros(len(users), dtype=bool)
    had[conversions.user] = True
    took = (until - began) / _SECOND
    before = users & (took < 0)
    counted = users & ~before
    return _estimate(took[counted], had[counted], int(before.sum()))


def _estimate(took: np.ndarray, had: np.ndarray, before: int) -> TimeToOutcome:
    if not had.any():
        none = np.empty(0)
        return TimeToOutcome(np.sort(took), 0, before, none, none, none, none)
    found = stats.ecdf(stats.CensoredData(uncensored=took[had], right=took[~had])).sf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # undefined where nobody or everybody has had it
        interval = found.confidence_interval(method="log-log")
    own = np.isin(found.quantiles, took[had])
    return TimeToOutcome(
        np.sort(took), int(had.sum()), before, found.quantiles[own],
        *(1 - curve.probabilities[own] for curve in (found, interval.high, interval.low)),
    )  # fmt: skip
