"""Segments over time in the report: who came, who came again, and on which days of the week."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from core.base.wording import percent
from core.data.dataset import Dataset
from core.differences.table import Diff
from core.periods.activity import Activity
from core.periods.beside import PART, REST_VALUE, VALUE
from core.periods.calendar import Calendar, PeriodUnit, calendar
from core.periods.over_time import IN_PART, PERIOD, PeriodMeasure, over_time
from core.periods.retention import AGE, curve
from core.periods.rhythm import WEEKDAY, rhythm
from core.profiles.profile_columns import Col
from core.profiles.rows import Rows
from core.report.model import Cell, FunnelPart, HeatRow

MOST: Final = 12
"""Columns of a table: the last periods, and the first ones after the first visit."""
CAME: Final = (
    "Of the users in segments who came, how many are of each; colour: it differs from its share in all other "
    "{unit}s, as one cell in 20 does by chance. * in part only."
)
AGAIN: Final = (
    "Of users with two page views or more in their first {unit}, how many came again so many {unit}s later; "
    "colour: it differs from the other clustered users, as one cell in 20 does by chance. A dash: not known "
    "yet."
)
DAYS: Final = "Sessions by the weekday on which they begin, by the clock of the export."


def time_parts(dataset: Dataset, rows: Rows, called: Mapping[str, str]) -> tuple[FunnelPart, ...]:
    """Tables of segments over time.

    Args:
        dataset: The export.
        rows: Who belongs where.
        called: Key of a row → what it is called.
    """
    everybody = np.ones(dataset.sequences.n_users, dtype=bool)
    days = calendar(dataset, None)
    activity, unit = Activity.of(dataset.sequences, days, everybody), days.unit
    came, again = over_time(activity, rows, PeriodMeasure.SHARE), curve(activity, rows)
    parts = [
        _part(f"Who came, by {unit}", CAME.format(unit=unit) + _last(days), _came(came, days), called),
        _part(f"Who came again, by {unit}s since their first", AGAIN.format(unit=unit),
              again.assign(column=again[AGE].astype(str))[again[AGE] <= MOST], called),
        _part("When they come", DAYS, _weekdays(dataset, rows, everybody), called),
    ]  # fmt: skip
    return tuple(part for part in parts if part.rows)


def _last(days: Calendar) -> str:
    """That a table does not hold all periods; nothing where it does."""
    return f" Only the last {MOST} of {days.n_periods:,} {days.unit}s." if days.n_periods > MOST else ""


def _came(table: pd.DataFrame, days: Calendar) -> pd.DataFrame:
    kept = table[table[PERIOD].isin(pd.to_datetime(days.dates[-MOST:]))]
    named = [
        f"{day.day} {day:%b}{'*' if part else ''}"
        for day, part in zip(kept[PERIOD], kept[IN_PART], strict=True)
    ]
    return kept.assign(column=named)


def _weekdays(dataset: Dataset, rows: Rows, everybody: np.ndarray) -> pd.DataFrame:
    days = calendar(dataset, PeriodUnit.DAY)
    table = rhythm(dataset.sequences, days, everybody, rows, sessions=True)
    sums = table.groupby([Col.KEY, Col.SEGMENT, WEEKDAY], sort=False, as_index=False).agg(
        {PART: "sum", Col.N: "first", REST_VALUE: "sum"}
    )
    with np.errstate(invalid="ignore"):
        sums[VALUE] = sums[PART] / sums[Col.N].where(sums[Col.N] > 0)
    nothing = {Col.LOW: np.nan, Col.HIGH: np.nan, Diff.DIFFERS: False}
    return sums.assign(column=sums[WEEKDAY].str[:3], **nothing)


def _part(title: str, meaning: str, table: pd.DataFrame, called: Mapping[str, str]) -> FunnelPart:
    columns: Sequence[str] = list(dict.fromkeys(table["column"]))
    rows = tuple(
        HeatRow(int(own[Col.SEGMENT].iloc[0]), called[str(key)], tuple(_cells(own, columns)))
        for key, own in table.groupby(Col.KEY, sort=False)
    )
    return FunnelPart(title=title, meaning=meaning, steps=tuple(columns), rows=rows)


def _cells(own: pd.DataFrame, columns: Sequence[str]) -> list[Cell]:
    by_column: dict[str, Any] = {str(row["column"]): row for row in own.to_dict("records")}
    return [_cell(by_column[one]) if one in by_column else Cell("–", None, "") for one in columns]


def _cell(row: Mapping[str, float]) -> Cell:
    n, share = int(row[Col.N]), None if np.isnan(row[VALUE]) else row[VALUE]
    low, high = (percent(row[end], n=n) for end in (Col.LOW, Col.HIGH))
    ends = "" if np.isnan(row[Col.LOW]) else f", 95 % interval {low} to {high}"
    strength = float(row[VALUE] - row[REST_VALUE]) if row[Diff.DIFFERS] else None
    return Cell(percent(share, n=n), strength, f"{int(row[PART]):,} of {n:,}{ends}")
