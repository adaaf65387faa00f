"""One figure of two rows held against each other, by the functions and the rule of the table.

A question about one figure is one test and is judged by its p; in the table, where many are looked at, q
takes its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from core.differences.means import MANN_WHITNEY, T_TEST, UserValues, compare_means, compare_ranks
from core.differences.sides import Sides
from core.profiles import two_shares
from core.profiles.profile_columns import MetricRole

SURE: Final = 0.05
"""p, and q, below which a difference is called one."""


@dataclass(frozen=True)
class SingleDifference:
    """Whether two figures differ.

    Args:
        differs: The interval leaves out 0 (of medians: it would), and so does the test of what is held out.
        test: Its name; empty where nothing was tested.
        p_value: Two-sided; None where nothing was tested.
        detectable: The least difference that would have been seen in 80 % of samples; NaN of medians.
    """

    differs: bool
    test: str
    p_value: float | None
    detectable: float


def decide_shares(users: float, n: float, rest: float, rest_n: float, role: MetricRole) -> SingleDifference:
    """Whether two shares of users differ.

    Args:
        users: Who does it.
        n: Of how many.
        rest: Who does it on the other side.
        rest_n: Of how many.
        role: How the figure relates to what made the segments.
    """
    four = [np.array([count], dtype=np.float64) for count in (users, n, rest, rest_n)]
    (p,), (is_fisher,) = two_shares.test_shares(*four)
    (low,), (high,) = two_shares.difference_interval(*four)
    test = two_shares.FISHER if is_fisher else two_shares.CHI_SQUARE
    return _decision(role, low > 0 or high < 0, test, p, two_shares.least_difference(*four)[0])


def decide_values(values: UserValues, sides: Sides, role: MetricRole) -> SingleDifference:
    """Whether a measure differs between the first row and what it is held against."""
    if values.is_share:
        users, rest = sides.both((values.part > 0)[:, None])
        n, rest_n = sides.both((values.whole > 0)[:, None])
        return decide_shares(users[0, 0], n[0, 0], rest[0, 0], rest_n[0, 0], role)
    if values.is_median:
        return _decide_medians(values, sides, role)
    found = compare_means(values, sides)
    leaves_out_0 = found.difference_low[0] > 0 or found.difference_high[0] < 0
    test = MANN_WHITNEY if values.by_rank else T_TEST
    return _decision(role, leaves_out_0, test, found.p_value[0], found.detectable[0])


def _decide_medians(values: UserValues, sides: Sides, role: MetricRole) -> SingleDifference:
    """By ranks alone, whose interval leaves out "equally often higher" just where p is below 5 %.

    Ranks that lean against the medians say nothing for them.
    """
    (p, *_), (effect, *_), _ = compare_ranks(values, sides)
    counted = values.whole > 0
    groups = [values.part[counted & chosen] for chosen in (sides.place == 0, sides.others_of_first)]
    if not all(map(len, groups)) or effect * (np.median(groups[0]) - np.median(groups[1])) < 0:
        return _decision(role, False, MANN_WHITNEY, 1, np.nan)
    return _decision(role, p < SURE, MANN_WHITNEY, p, np.nan)


def _decision(
    role: MetricRole, leaves_out_0: bool, test: str, p: float, detectable: float
) -> SingleDifference:
    if role is not MetricRole.HELD_OUT:
        return SingleDifference(bool(leaves_out_0), "", None, float(detectable))
    p = 1.0 if np.isnan(p) else float(p)
    return SingleDifference(bool(leaves_out_0) and p < SURE, test, p, float(detectable))
