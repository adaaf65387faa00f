"""``periods.json``: the segments by week, and who comes again, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from core.data.dataset import Dataset
from core.periods.activity import Activity
from core.periods.beside import PART, VALUE
from core.periods.calendar import PeriodUnit, calendar
from core.periods.over_time import IN_PART, PERIOD, PeriodMeasure, over_time
from core.periods.retention import AGE, curve, left_out
from core.profiles.profile_columns import Col
from core.profiles.rows import Rows

DIGITS: Final = 5
_NAMES: Final = {PART: "users", Col.N: "of", VALUE: "share", Col.LOW: "low", Col.HIGH: "high"}


def periods(dataset: Dataset, rows: Rows, titles: Mapping[int, str]) -> dict[str, Any]:
    """Each segment by week, from Monday on by the clock of the export.

    Args:
        dataset: The export.
        rows: Who belongs to which segment.
        titles: Segment → what it is called.

    Returns:
        ``time_zone`` and, of each of the ``segments``, ``weeks`` (``from``, ``in_part``, ``users`` of all in
        segments who came, ``share`` with its 95 % interval) and ``retention`` (``weeks`` since the first one,
        how many ``users`` came ``of`` those who are known so long; ``retention_left_out`` users had a single
        page view in their first week).
    """
    days = calendar(dataset, PeriodUnit.WEEK)
    activity = Activity.of(dataset.sequences, days, np.ones(dataset.sequences.n_users, dtype=bool))
    shares, again = over_time(activity, rows, PeriodMeasure.SHARE), curve(activity, rows)
    shares["from"] = shares[PERIOD].dt.strftime("%Y-%m-%d")
    again = again.rename(columns={AGE: "weeks"})
    told = [
        {"cluster": segment, "name": titles[segment]}
        | {"weeks": _records(shares, segment, ("from", IN_PART))}
        | {"retention": _records(again, segment, ("weeks",)), "retention_left_out": once}
        for segment, once in zip(rows.segments, left_out(activity, rows).tolist(), strict=True)
    ]
    return {"time_zone": dataset.receipt.time_zone, "segments": told}


def _records(table: pd.DataFrame, segment: int, own: tuple[str, ...]) -> list[dict[str, Any]]:
    """Rows of a segment as plain data; the share of a week in which nobody came is null."""
    made = table.loc[table[Col.SEGMENT] == segment, [*own, *_NAMES]].rename(columns=_NAMES).round(DIGITS)
    made = made.astype({"users": int, "of": int, **dict.fromkeys(("share", "low", "high"), object)})
    plain = made.where(made.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in plain]
