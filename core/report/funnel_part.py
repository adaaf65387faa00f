"""Funnels in the report: every segment beside the others, step by step."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from core.base.wording import duration, percent
from core.differences.table import Diff
from core.journeys.counted_funnels import CountedFunnel
from core.journeys.funnel_table import REST_SECONDS, SECONDS_MEDIAN, ShareOf, side_by_side, with_times
from core.journeys.funnel_words import sentences
from core.profiles.profile_columns import Col, RowKind
from core.profiles.rows import Rows
from core.report.model import Cell, FunnelPart, HeatRow


def funnel_part(counted: CountedFunnel, rows: Rows, called: Mapping[str, str]) -> FunnelPart:
    """A funnel as the report sets it.

    Args:
        counted: The funnel, and how far each user comes.
        rows: Who belongs where.
        called: Key of a row → what it is called.
    """
    funnel = counted.funnel
    table = side_by_side(funnel, counted.walk, rows, ShareOf.ALL)
    parts = [part for _, part in table.groupby(Col.KEY, sort=False)]
    everybody = parts[-1].reset_index(drop=True)
    kept = [part for part in parts if part[Col.KIND].iloc[0] != RowKind.ONE_PAGE]
    said = sentences(everybody, called.get("all", "All users"), "")
    return FunnelPart(
        title=funnel.title,
        meaning=f"{len(funnel.steps)} steps, {funnel.meaning}. {' '.join(said)}{_times(counted, everybody)}",
        steps=tuple(f"{number}. {step.title}" for number, step in enumerate(funnel.steps, start=1)),
        rows=tuple(_row(part, called) for part in kept),
    )


def _times(counted: CountedFunnel, everybody: pd.DataFrame) -> str:
    users = np.ones(len(counted.walk.depth), dtype=bool)
    medians = with_times(everybody, counted.walk, users, ~users).drop(columns=REST_SECONDS)[SECONDS_MEDIAN]
    known = [(place, one) for place, one in enumerate(medians.tolist()) if not np.isnan(one)]
    steps = counted.funnel.steps
    told = [f"{steps[place - 1].title} → {steps[place].title}: {duration(one)}" for place, one in known]
    return f" Half took the next step within: {'; '.join(told)}." if told else ""


def _row(part: pd.DataFrame, called: Mapping[str, str]) -> HeatRow:
    first = part.iloc[0]
    segment = int(first[Col.SEGMENT]) if first[Col.KIND] == RowKind.SEGMENT else None
    name = called.get(str(first[Col.KEY]), str(first[Col.LABEL]))
    return HeatRow(segment, name, tuple(_cell(row) for _, row in part.iterrows()))


def _cell(row: pd.Series) -> Cell:
    n = int(row[Col.N])
    ends = f"{percent(row[Col.LOW], n=n)} to {percent(row[Col.HIGH], n=n)}"
    rest = percent(row[Col.REST_SHARE], n=row[Col.REST_N])
    hint = f"{int(row[Col.USERS]):,} of {n:,} users, 95 % interval {ends}; the others {rest}"
    strength = float(row[Col.DIFFERENCE]) if row[Diff.DIFFERS] else None
    return Cell(percent(row[Col.SHARE], n=n), strength, hint)
