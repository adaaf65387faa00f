"""Sentences about a later export: whether it has changed, what has, and whether to train again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from core.base.schema import RARE_BELOW_USERS
from core.base.wording import common_origin, number, percent, pluralise, short_address
from core.periods.drift import (
    AFTER_VALUE,
    ALPHA,
    BEFORE_VALUE,
    CHANGE,
    FAR_FROM,
    FIGURE,
    ITEM,
    MIN_FOR_RETRAINING,
    PAGE,
    PERMUTATIONS,
    SHARES,
    UNKNOWN_MORE,
    Drift,
    PageChange,
    RetrainingReason,
    Wear,
)
from core.periods.migration import Migration
from core.periods.placed_users import FAR_SHARE
from core.periods.training_period import DriftFigure
from core.profiles.profile_columns import Col

ALARM: Final = (
    "Shares of segments and of the most seen pages, unknown pages, page views and directions of the vectors, "
    f"each a mean over users, are held against {PERMUTATIONS} permutations of who came when: who is in both "
    "exports swaps them, the others are dealt anew. The largest difference counts, so that the rate of false "
    "alarms is that of one test (maxT, Westfall and Young 1993). Distances are told and not tested: the "
    "segments were fitted to the users of the training period, so any others are farther. Nor is it tested "
    "whether other users come again."
)
_REASONS: Final = 4
"""Figures that are listed as reasons, at most."""
_LISTED: Final = 8
"""Changed pages that are listed, at most."""
_CALLED: Final = {
    DriftFigure.NONE: "In no segment", DriftFigure.FAR: "Far from every segment",
    DriftFigure.DISTANCE: "Distance to the nearest segment",
    DriftFigure.UNKNOWN: "Share of a user's views on pages the model does not know",
    DriftFigure.VIEWS: "Page views a user (log2)",
}  # fmt: skip


def headline(found: Drift) -> str:
    """Sentence on whether the alarm is raised."""
    if not found.comparable:
        before, now = found.days
        return (
            f"Whether users changed cannot be told: this export covers {pluralise(now, 'day')}, the training "
            f"{before:,}"
        )
    if found.alarm:
        return "What users do has changed since the training period"
    return "No sign that what users do has changed"


_TENTH: Final = 0.1


def how_sure(found: Drift) -> str:
    """Sentence on the alarm's p and what it could detect; or why the exports cannot be compared."""
    if not found.comparable:
        return why_not(found)
    least = found.least_seen(_TENTH)
    before, after = found.users
    return (
        f"p = {found.p_value:.3f}. Where nothing has changed, about one in {round(1 / ALPHA)} later exports "
        f"of as many days raises this alarm, however many figures are looked at (here {found.tested}). "
        f"With {before:,} users before and {after:,} now it sees, in 80 of 100 cases, that a share of "
        f"{_TENTH:.0%} of the users (a segment, say) grows or shrinks by {100 * least:.1f} points."
    )


def why_not(found: Drift) -> str:
    """Sentence on why exports of different lengths are not compared, and what to do."""
    (before, now), least, most = found.days, found.alike_days[0], found.alike_days[-1]
    way = "less" if now < before else "more"
    return (
        f"People do {way} in {pluralise(now, 'day')} than in {before:,}, so that segments and pages would "
        f"differ without any change, and no alarm is raised. Hold {least:,} to {most:,} days against it."
    )


def reasons(found: Drift, names: Sequence[str]) -> list[str]:
    """Lines on the figures that raised the alarm, the surest first.

    Args:
        found: The later export beside the training period.
        names: Names of the rows of :attr:`Drift.reasons`, in their order, as by :func:`figure_name`.
    """
    raised = found.reasons.assign(called=list(names)[: len(found.reasons)])  # the largest first
    told = raised[raised[FIGURE] != DriftFigure.DIRECTION].head(_REASONS)
    if len(raised) and told.empty:
        return ["The mix of pages as a whole, no segment and no single page"]
    return [figure_line(row, row["called"]) for row in told.to_dict("records")]


def alarm_lines(found: Drift, names: Sequence[str]) -> list[str]:
    """Lines on the alarm, what raised it and how sure it is; arguments as of :func:`reasons`."""
    return [headline(found), *(f"- {line}" for line in reasons(found, names)), how_sure(found)]


def figure_name(
    row: Mapping[Any, Any], segments: Sequence[str], pages: Sequence[str], origin: str = ""
) -> str:
    """The name of a figure, for a list.

    Args:
        row: A row of :attr:`Drift.table`.
        segments: Titles of the segments, by position.
        pages: :attr:`Drift.pages`.
        origin: What all addresses begin with.
    """
    figure, item = DriftFigure(row[FIGURE]), int(row[ITEM])
    if figure is DriftFigure.SEGMENT:
        return segments[item]
    if figure is DriftFigure.PAGE:
        return f"See {short_address(pages[item], origin)}"
    if figure is DriftFigure.DIRECTION:
        return f"Direction {item + 1} of the vectors"
    return _CALLED[figure]


def _figure_values(row: Mapping[Any, Any]) -> tuple[str, str]:
    """The values of a figure before and after, written with their unit."""
    share = DriftFigure(row[FIGURE]) in (*SHARES, DriftFigure.UNKNOWN)
    pairs = (row[BEFORE_VALUE], row[Col.REST_N]), (row[AFTER_VALUE], row[Col.N])
    before, after = (percent(value, 1, n) if share else number(value, 2) for value, n in pairs)
    return before, after


def figure_line(row: Mapping[Any, Any], name: str) -> str:
    """Line on a figure: ``Browsers: 24.1% before, 29.8% now``."""
    before, after = _figure_values(row)
    return f"{name}: {before} before, {after} now"


def wear_answer(found: Wear) -> str:
    """The answer on whether to train again."""
    return "Train again" if found.by else "The model still fits these users: no need to train again"


def wear_lines(found: Wear) -> list[str]:
    """Lines with the answer on training again and the figures behind it."""
    return [wear_answer(found), *(f"- {line}" for line in wear_figures(found))]


def wear_figures(found: Wear) -> tuple[str, ...]:
    """Sentences on the figures behind :func:`wear_answer`, each with its limit."""
    unknown = (
        f"Of a user's page views, {percent(found.unknown)} are on pages the model does not know, on average; "
        f"in the training period {percent(found.unknown_before)} would have been. "
        f"{_limit(RetrainingReason.UNKNOWN, found)}: {UNKNOWN_MORE * 100:.0f} points more"
    )
    far = (
        f"{percent(found.far)} of the clustered users are farther from every segment than "
        f"{1 - FAR_SHARE:.0%} were. "
    )
    few = (
        f"With fewer than {MIN_FOR_RETRAINING} users of the training period a segment it is held "
        "against no limit, because any other users would be far"
    )
    return unknown, far + (f"{_limit(RetrainingReason.FAR, found)}: {FAR_FROM:.0%}" if found.enough else few)


_CHANGES: Final = {
    PageChange.NEW: "new", PageChange.MORE: "seen more", PageChange.LESS: "seen less",
    PageChange.GONE: "gone",
}  # fmt: skip


def page_counts(table: pd.DataFrame) -> str:
    """Count the changed pages of each kind in words: ``3 new, 1 seen more, 0 seen less, 2 gone``."""
    return ", ".join(f"{int((table[CHANGE] == change).sum()):,} {name}" for change, name in _CHANGES.items())


def page_lines(table: pd.DataFrame) -> list[str]:
    """Lines on changed pages (:func:`core.periods.drift.page_changes`), the surest first."""
    if table.empty:
        return ["No page is shown to be seen by a larger or smaller share of the users"]
    origin, lines = common_origin(table[PAGE].tolist()), [f"Pages: {page_counts(table)}"]
    for row in table.head(_LISTED).to_dict("records"):
        share, now = percent(row[Col.REST_SHARE], 1, row[Col.REST_N]), percent(row[Col.SHARE], 1, row[Col.N])
        before = (
            f"{share} of the users"
            if row[Col.REST_USERS] >= RARE_BELOW_USERS
            else f"fewer than {RARE_BELOW_USERS} users"
        )
        page = short_address(row[PAGE], origin)
        lines.append(f"- {_CHANGES[row[CHANGE]].capitalize()}: {page}, {before} before, {now} now")
    return lines


def _limit(one: RetrainingReason, found: Wear) -> str:
    return "Beyond the limit" if one in found.by else "Limit"


def migration_line(found: Migration) -> str:
    """Sentence on how many users stayed in their segment, beside how many would without any change."""
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
    whom = "them" if found.told == found.users else f"the {found.told:,} whose segment tells what to expect"
    return (
        f"{percent(found.stayed, 1, found.told)} of {whom} are where they were. Had nobody changed, about "
        f"{percent(found.expected, 1, found.told)} would be, because the same person lands elsewhere with "
        f"other visits: measured on two random parts of the visits of {pluralise(found.halves, 'user')} "
        f"of the "
        "training period."
    )
