"""Tools about time within the data, as on the page Time: when users come, who grows, who comes again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from core.base.local_clock import hours
from core.facts.answer import About, Contrast, Fact, FigureList, Key, Unit
from core.facts.context import ALL, OTHERS, Context
from core.facts.fact_maker import (
    Figures,
    Finding,
    contrast_of_shares,
    make_fact,
    notes,
    require_segment,
    select,
    share_fact,
)
from core.facts.verbs import AGAIN, CAME, WHEN_DAY, WHEN_HOUR
from core.periods.calendar import Calendar, PeriodUnit
from core.periods.over_time import (
    AGE,
    CLOCK,
    IN_PART,
    PART,
    PERIOD,
    REST_PART,
    VALUE,
    WEEKDAY,
    WEEKDAYS,
    PeriodMeasure,
    curve,
    over_time,
)
from core.profiles.differences import Diff
from core.profiles.profile_columns import Col
from core.profiles.two_shares import difference_interval
from core.storage.sequences import UserSequences

_LISTED: Final = 3
"""Weekdays, and hours, of one segment."""
_USER: Final = "user"
_WHICH: Final = {PeriodUnit.DAY: "on", PeriodUnit.WEEK: "in the week from"}
_AFTER: Final = {PeriodUnit.DAY: "on", PeriodUnit.WEEK: "in"}
_BEGIN: Final = "A session counts when it begins, by the clock that the page Time names."
ONE_HOUR: Final = "All times are in the same hour of a day: the data seem to hold days only."
_FEW_PERIODS: Final = "There are no two whole {}s in the data, so that nothing can grow."
STEADY: Final = "No segment's share of the users is shown to differ between the first and the last whole {0}."
LARGEST_CHANGE_NOTE: Final = "These are the figures of the one whose share changed most."
_CHANCE: Final = (
    "Compared are the first and the last whole {0}: of many segments, one of 20 stands apart by chance. The "
    "page Time has all {0}s."
)
_FOLLOWED: Final = (
    "Of users with two page views or more in their first {0}, as far as the {0} after it is in the data. The "
    "page Time has later ones."
)
_NOBODY: Final = "Nobody can be followed: there is no whole {} after the first."


def over_the_data(figures: Figures, segment: Key = ALL, *, about: About) -> Finding:
    """When users of a segment come, whether its share of the users grows, or how many come again.

    Of each segment where none is named.

    Raises:
        InputError: If there is no such segment.
    """
    context = figures.context
    keys = context.segment_keys if segment == ALL else (require_segment(context, segment),)
    return _TOLD[about](context, keys)


def _when(context: Context, keys: Sequence[str]) -> Finding:
    basis = context.tables.basis
    begun = _begun(basis.sequences, basis.activity(PeriodUnit.DAY).calendar)
    listed, only_days = _LISTED if len(keys) == 1 else 1, begun[CLOCK].nunique() == 1
    facts = [
        fact
        for key in keys
        for measure, column in ((WHEN_DAY, WEEKDAY), *(() if only_days else ((WHEN_HOUR, CLOCK),)))
        for fact in _most(key, measure, begun[context.tables.members(key)[begun[_USER]]], column, listed)
    ]
    said = notes(ONE_HOUR if only_days else "", _BEGIN)
    return Finding((FigureList(facts=tuple(facts)), *said), select("sessions", "rhythm", key=keys[0]))


def _begun(sequences: UserSequences, calendar: Calendar) -> pd.DataFrame:
    """A row a session: whose, and the weekday and the hour on which it begins."""
    starts = sequences.session_starts
    starts = starts[calendar.place(sequences.timestamp[starts]) >= 0]
    day, clock = np.divmod(hours(sequences.timestamp[starts], calendar.clock), 24)
    return pd.DataFrame({_USER: sequences.user[starts], WEEKDAY: np.array(WEEKDAYS)[day], CLOCK: clock})


def _most(key: str, measure: str, own: pd.DataFrame, column: str, listed: int) -> Iterator[Fact]:
    """The weekdays, or the hours, on which most of the sessions begin."""
    sums = own.groupby(column)[_USER].agg(["size", "nunique"])
    for value, row in sums.sort_values("size", ascending=False, kind="stable").head(listed).iterrows():
        yield make_fact(
            measure, "share of sessions that begin", (key,), row["size"] / len(own), Unit.SHARE,
            item=f"{value}:00" if column == CLOCK else str(value), n=len(own), users=row["nunique"],
        )  # fmt: skip


def _growing(context: Context, keys: Sequence[str]) -> Finding:
    activity = context.tables.basis.activity(None)
    table = over_time(activity, context.tables.rows, PeriodMeasure.SHARE)
    whole = table[~table[IN_PART] & (table[Col.N] > 0)]
    unit, query = activity.calendar.unit, select("share", "over_time", key=keys[0])
    if whole[PERIOD].nunique() < 2:
        return Finding(notes(_FEW_PERIODS.format(unit)), query)
    ends = {key: _ends(whole[whole[Col.KEY] == key]) for key in keys}
    apart = {key: _apart(*of) for key, of in ends.items()}
    most = max(keys, key=lambda key: _change(*ends[key]))
    shown = [key for key in keys if apart[key]] or [most] * (len(keys) == 1 or _change(*ends[most]) > 0)
    facts = tuple(_came(key, row, unit) for key in shown for row in ends[key])
    told = {1: "larger at the end: {}.", -1: "smaller at the end: {}.", 0: "not shown to differ: {}."}
    said = [
        words.format("; ".join(context.title(key) for key in shown if apart[key] == way))
        for way, words in told.items() if any(apart[key] == way for key in shown)
    ]  # fmt: skip
    words = [f"Share of users {one}" for one in said]
    words = (
        words
        if len(keys) == 1 or any(apart.values())
        else [STEADY.format(unit), LARGEST_CHANGE_NOTE * bool(shown)]
    )
    return Finding((FigureList(facts=facts), *notes(*words, _CHANCE.format(unit))), query)


_Row = Mapping[Any, Any]


def _ends(own: pd.DataFrame) -> tuple[_Row, _Row]:
    first, last = own.sort_values(PERIOD).iloc[[0, -1]].to_dict("records")
    return first, last


def _change(first: _Row, last: _Row) -> float:
    return abs(float(last[VALUE] - first[VALUE]))


def _apart(first: _Row, last: _Row) -> int:
    """1 where the share is larger at the end, −1 where smaller, 0 where it is not shown to differ."""
    low, high = difference_interval(last[PART], last[Col.N], first[PART], first[Col.N])
    return int(low > 0) - int(high < 0)


def _came(key: str, row: _Row, unit: PeriodUnit) -> Fact:
    day = row[PERIOD]
    label = f"share of the users who came {_WHICH[unit]}"
    return share_fact(CAME, label, key, row[PART], row[Col.N], f"{day.day} {day:%b %Y}")


def _returning(context: Context, keys: Sequence[str]) -> Finding:
    activity = context.tables.basis.activity(None)
    table, unit = curve(activity, context.tables.rows), activity.calendar.unit
    rows = table[(table[AGE] == 1) & table[Col.KEY].isin(keys)].to_dict("records")
    query = select("share", "retention", key=keys[0], age="1")
    if not rows:
        return Finding(notes(_NOBODY.format(unit)), query)
    said = notes(_FOLLOWED.format(unit))
    facts, first = tuple(_again(row[Col.KEY], row[PART], row[Col.N], unit) for row in rows), rows[0]
    against: tuple[Contrast, ...] = ()
    if len(keys) == 1 and first[REST_PART] >= 0:
        others = _again(OTHERS, first[REST_PART], first[Col.REST_N], unit)
        against = (contrast_of_shares(facts[0], others, first[Diff.DIFFERS]),)
    return Finding((FigureList(facts=facts), *against, *said), query)


def _again(key: str, part: float, n: float, unit: PeriodUnit) -> Fact:
    label = f"share of users who come again {_AFTER[unit]}"
    return share_fact(AGAIN, label, key, part, n, f"the {unit} after their first")


_TOLD: Final[Mapping[str, Callable[[Context, Sequence[str]], Finding]]] = {
    "hours": _when, "growth": _growing, "return": _returning,
}  # fmt: skip
