"""Funnels of a data set, counted, and as plain data for whoever reads them elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.data.dataset import Dataset
from core.data.page_labels import LabelledPages
from core.data.timed_events import TimedEvents
from core.differences.table import Diff
from core.journeys.funnel import Funnel, StepKind
from core.journeys.funnel_table import REST_SECONDS, ShareOf, side_by_side, with_times
from core.journeys.funnel_walk import FunnelWalk, walk
from core.journeys.patterns import FunnelSite
from core.profiles.profile_columns import ROW, Col
from core.profiles.rows import Rows

NO_STEP = (Col.KIND, Col.SEGMENT)
"""Columns that say what a row is and that its key says already."""


@dataclass(frozen=True, eq=False)
class CountedFunnel:
    """A funnel, and how far each user comes in it."""

    funnel: Funnel
    walk: FunnelWalk


def require_steps(funnels: Iterable[Funnel], dataset: Dataset, labels: LabelledPages | None) -> None:
    """Say at once what cannot be counted: before a training, not after it.

    Raises:
        SettingsError: If these pages have no names at the level of a step.
        ArtifactError: If a step is an event and the data set does not say when events were done.
    """
    _marked(tuple(funnels), dataset, labels)


def count_funnels(
    funnels: Iterable[Funnel], dataset: Dataset, labels: LabelledPages | None
) -> tuple[CountedFunnel, ...]:
    """Follow all users.

    Raises:
        SettingsError: If these pages have no names at the level of a step.
        ArtifactError: If a step is an event and the data set does not say when events were done.
    """
    asked = tuple(funnels)
    site, events = _marked(asked, dataset, labels)
    return tuple(
        CountedFunnel(one, walk(one, site.marks_of(one), dataset.sequences, events)) for one in asked
    )


def _marked(
    funnels: tuple[Funnel, ...], dataset: Dataset, labels: LabelledPages | None
) -> tuple[FunnelSite, TimedEvents]:
    asks_events = any(step.kind is StepKind.EVENT for funnel in funnels for step in funnel.steps)
    events = dataset.events if asks_events else TimedEvents.none()
    site = FunnelSite.of(dataset, labels, events.names)
    for funnel in funnels:
        site.marks_of(funnel)
    return site, events


def to_plain(counted: CountedFunnel, rows: Rows, called: Mapping[str, str]) -> dict[str, Any]:
    """A counted funnel as JSON: its settings, and every row of the profiles with its steps.

    Args:
        counted: The funnel.
        rows: Who belongs where.
        called: Key of a row → what it is called.
    """
    funnel = counted.funnel
    of_all = side_by_side(funnel, counted.walk, rows, ShareOf.ALL)
    before = side_by_side(funnel, counted.walk, rows, ShareOf.BEFORE)
    figures = (Col.N, Col.SHARE, Col.LOW, Col.HIGH, Diff.DIFFERS)
    columns = {f"{name}_of_step_before": before[name] for name in figures}
    table = of_all.assign(**columns).drop(columns=list(NO_STEP))
    nobody = np.zeros(len(counted.walk.depth), dtype=bool)
    found = []
    for row, (key, part) in enumerate(table.groupby(Col.KEY, sort=False)):
        timed = with_times(part, counted.walk, rows.members(row), nobody)
        steps = timed.drop(columns=[*set(ROW) - set(NO_STEP), REST_SECONDS])
        found.append({"key": key, "name": called.get(str(key), str(key)), "steps": _records(steps)})
    plain = funnel.model_dump(mode="json") | {"title": funnel.title, "meaning": funnel.meaning}
    return plain | {"rows": found}


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain data, None where a figure is absent."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]
