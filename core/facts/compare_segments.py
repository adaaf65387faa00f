"""What is different and what is not shown to differ between two rows, and over all segments."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pandas as pd

from core.base.errors import InputError
from core.differences.table import Diff
from core.differences.user_items import Family
from core.facts import arguments
from core.facts.answer import Block, Contrast, FigureList, Verdict
from core.facts.evidence import Evidence
from core.facts.fact_maker import Figures, select
from core.facts.finding import Finding, known, notes
from core.facts.items import Dimension
from core.facts.measures import BY_KEY
from core.facts.segment_tools import of_segments
from core.profiles.profile_columns import HEAT_MAP, Col

NOT_SHOWN: Final = "Not shown to differ between any segment and the others: {}."


def compare(figures: Figures, asked: arguments.Compare) -> Finding:
    """Two rows side by side, differences first; as many are looked at, q decides.

    Raises:
        InputError: If there is no such row, both are the same, or a metric asked for is absent.
    """
    context = figures.context
    first, second = known(context, asked.a), known(context, asked.b)
    if first == second:
        raise InputError(f"{context.title(first)} cannot be compared with itself", allowed="two segments")
    names = [metric.value for metric in asked.metrics] or _present(figures, (first, second))
    q_values = (
        {} if asked.metrics or "all" in (first, second) else _q_values(context.tables.pair(first, second))
    )
    contrasts = [figures.contrast(figures.needed(first, name), second, q_values.get(name)) for name in names]
    apart = () if asked.metrics else _apart(figures, (first, second))
    query = select(", ".join(names), "segments", key=f"{first}, {second}")
    return Finding((*sorted(contrasts, key=_is_unsure), *apart), query)


def compare_all(figures: Figures) -> Finding:
    """All segments: who has most and least of what differs, and what each views more often than the others.

    Raises:
        InputError: If there are not two segments.
    """
    keys = figures.context.segment_keys
    if len(keys) < 2:
        raise InputError("There are not two segments to compare")
    table = figures.context.tables.differences
    differs = set(_measures(table[table[Diff.DIFFERS] & table[Col.KEY].isin(keys)]))
    present = _present(figures, keys)
    ranked = [figures.ranking(of_segments(figures, name)) for name in present if name in differs]
    alike = ", ".join(BY_KEY[name].label for name in present if name not in differs)
    unshown = notes(NOT_SHOWN.format(alike)) if alike else ()
    return Finding((*ranked, *unshown, *_apart(figures, keys)), select("*", "segments", kind="segment"))


def _measures(table: pd.DataFrame) -> list[str]:
    """The column of the segments table that each row is about; the outcome's rate has a family of its own."""
    about = table[Diff.ITEM].where(table[Diff.FAMILY] != Family.OUTCOME, Col.OUTCOME_RATE)
    return about[table[Diff.FAMILY].isin([Family.MEASURE, Family.OUTCOME])].tolist()


def _q_values(pair: pd.DataFrame) -> dict[str, float]:
    """Measure → q among all that was tested between two rows."""
    tested = pair[pair[Diff.Q_VALUE].notna() & pair[Diff.FAMILY].isin([Family.MEASURE, Family.OUTCOME])]
    return dict(zip(_measures(tested), tested[Diff.Q_VALUE], strict=True))


def _is_unsure(contrast: Contrast) -> bool:
    return contrast.verdict in (Verdict.UNSURE, Verdict.SAME)


def _present(figures: Figures, keys: Iterable[str]) -> list[str]:
    listed = list(keys)
    return [name for name in HEAT_MAP if all(figures.measure(key, name) for key in listed)]


def _apart(figures: Figures, keys: Iterable[str]) -> tuple[Block, ...]:
    """The strongest theme, type and page of each."""
    made = [
        fact
        for key in keys if key != "all"
        for dimension in (Dimension.THEME, Dimension.TYPE, Dimension.PAGE)
        for fact in Evidence(figures, key, fewest=1).lifts_of(dimension, 1)[:1]
    ]  # fmt: skip
    return (FigureList(facts=tuple(made)),) if made else ()
