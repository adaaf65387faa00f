"""What is said of a later export: has it changed, what has, and is it time to train again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from core.base.wording import counted, number, percent, short_address
from core.periods.drift import (
    AFTER_VALUE,
    ALPHA,
    BEFORE_VALUE,
    FIGURE,
    ITEM,
    PERMUTATIONS,
    SHARES,
    Drift,
    DriftFigure,
)
from core.periods.migration import Migration
from core.periods.placed_users import FAR_SHARE
from core.periods.retraining import FAR_FROM, FEWEST_USERS, UNKNOWN_MORE, Wear, Worn
from core.profiles.profile_columns import Col

FALSE_ALARMS: Final = (
    f"Where nothing has changed, about one later export in {round(1 / ALPHA)} raises this alarm, however "
    f"many figures are looked at ({PERMUTATIONS} permutations: who is in both exports swaps them, the others "
    "are dealt anew). Distances to the segments are told and not tested: the segments were fitted to the "
    "users of the training period, so any others are farther. Nor is tested whether other users come again."
)
CALLED: Final = {
    DriftFigure.NONE: "In no segment", DriftFigure.FAR: "Far from every segment",
    DriftFigure.DISTANCE: "Distance to the nearest segment",
    DriftFigure.UNKNOWN: "Share of a user's views on pages the model does not know",
    DriftFigure.VIEWS: "Page views a user (log2)",
}  # fmt: skip


def headline(found: Drift) -> str:
    """The alarm in a sentence."""
    if found.alarm:
        return "What users do has changed since the training period"
    return "No sign that what users do has changed"


TENTH: Final = 0.1


def least_line(found: Drift) -> str:
    """What the alarm could have seen."""
    least = found.least_seen(TENTH)
    before, after = found.users
    return (
        f"With {before:,} and {after:,} users it sees, in 80 of 100 cases, that a segment of {TENTH:.0%} of "
        f"the users changes by {100 * least:.1f} points."
    )


def figure_name(
    row: Mapping[Any, Any], segments: Sequence[str], pages: Sequence[str], origin: str = ""
) -> str:
    """What a figure is called.

    Args:
        row: A row of :attr:`Drift.table`.
        segments: What the segments are called, by position.
        pages: The pages by column.
        origin: What all addresses begin with.
    """
    figure, item = DriftFigure(row[FIGURE]), int(row[ITEM])
    if figure is DriftFigure.SEGMENT:
        return segments[item]
    if figure is DriftFigure.PAGE:
        return f"See {short_address(pages[item], origin)}"
    if figure is DriftFigure.DIRECTION:
        return f"Direction {item + 1} of the vectors"
    return CALLED[figure]


def figure_values(row: Mapping[Any, Any]) -> tuple[str, str]:
    """The figure before and after, written out."""
    share = DriftFigure(row[FIGURE]) in (*SHARES, DriftFigure.UNKNOWN)
    pairs = (row[BEFORE_VALUE], row[Col.REST_N]), (row[AFTER_VALUE], row[Col.N])
    before, after = (percent(value, 1, n) if share else number(value, 2) for value, n in pairs)
    return before, after


def told(row: Mapping[Any, Any], name: str) -> str:
    """A figure in a sentence: ``Browsers: 24.1% before, 29.8% now``."""
    before, after = figure_values(row)
    return f"{name}: {before} before, {after} now"


def wear_answer(found: Wear) -> str:
    """Whether to train again."""
    return "Train again" if found.by else "No need to train again"


def wear_figures(found: Wear) -> tuple[str, ...]:
    """The figures behind the answer, each with the limit that it is held against."""
    unknown = (
        f"{percent(found.unknown)} of all page views are on pages the model does not know; in the training "
        f"period {percent(found.unknown_before)} would have been. {_limit(Worn.UNKNOWN, found)}: "
        f"{UNKNOWN_MORE * 100:.0f} points more"
    )
    far = (
        f"{percent(found.far)} of the clustered users are farther from every segment than "
        f"{1 - FAR_SHARE:.0%} were. "
    )
    few = (
        f"With fewer than {FEWEST_USERS} users of the training period a segment it is held against no limit, "
        "because any other users would be far"
    )
    return unknown, far + (f"{_limit(Worn.FAR, found)}: {FAR_FROM:.0%}" if found.enough else few)


def _limit(one: Worn, found: Wear) -> str:
    return "Beyond the limit" if one in found.by else "Limit"


def migration_line(found: Migration) -> str:
    """How many stayed, beside how many do without any change."""
    if not found.users:
        return (
            "None of the ids of the first export is in the later one: other people, or the same ones under "
            "another key. Who moved cannot be said; everything else can."
        )
    if not found.told:
        return (
            f"{percent(found.stayed, 1, found.users)} of them are where they were. Too few users came twice "
            "in the training period to say how many are without change."
        )
    whom = "them" if found.told == found.users else f"the {found.told:,} whose place tells what to expect"
    return (
        f"{percent(found.stayed, 1, found.told)} of {whom} are where they were; without any change "
        f"{percent(found.expected, 1, found.told)} would be, as between two random parts of the sessions of "
        f"{counted(found.halves, 'user')} of the training period."
    )
