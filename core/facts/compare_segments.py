"""What is different and what is not shown to differ between two rows, and over all segments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from core.base.errors import InputError
from core.differences.table import is_apart
from core.facts.answer import Contrast
from core.facts.arguments import Key, Metric
from core.facts.context import ALL
from core.facts.describe import doubts
from core.facts.differing import addresses, differing, pair_differing, q_values
from core.facts.fact_maker import Figures, select
from core.facts.finding import Finding, known, notes
from core.facts.measures import BY_KEY
from core.facts.segment_tools import of_segments
from core.profiles.profile_columns import HEAT_MAP, Col

NOT_SHOWN: Final = "Not shown to differ between any segment and the others: {}."


def compare(figures: Figures, a: Key, b: Key, metrics: tuple[Metric, ...] = ()) -> Finding:
    """Two segments side by side.

    What differs most, then the usual measures; as many are looked at, q decides.

    Raises:
        InputError: If there is no such row, both are the same, or a metric asked for is absent.
    """
    context = figures.context
    first, second = known(context, a), known(context, b)
    if first == second:
        raise InputError(f"{context.title(first)} cannot be compared with itself", allowed="two segments")
    names = [metric.value for metric in metrics] or _present(figures, (first, second))
    apart: tuple[Contrast, ...] = ()
    tested: dict[tuple[str, str], float] = {}
    if not metrics:
        other = {first: second, second: first}.get(ALL)
        table = context.tables.differences if other else context.tables.pair(first, second)
        tested = q_values(context, table, other or first)
        apart = differing(figures, other) if other else pair_differing(figures, first, second)
    told = {block.first.measure for block in apart}
    contrasts = [
        figures.contrast(fact, second, tested.get((name, "")))
        for name in names if name not in told
        for fact in figures.each(first, name)
    ]  # fmt: skip
    query = select(", ".join(names), "segments", key=f"{first}, {second}")
    contrasts.sort(key=lambda one: not one.verdict.is_sure)
    return Finding((*doubts(context, first, second), *apart, *contrasts), query)


def compare_all(figures: Figures) -> Finding:
    """All segments: who has most and least of what differs, and what sets each apart most.

    Raises:
        InputError: If there are not two segments.
    """
    keys = figures.context.segment_keys
    if len(keys) < 2:
        raise InputError("There are not two segments to compare")
    table = figures.context.tables.differences
    differs = set(addresses(figures.context, table[is_apart(table) & table[Col.KEY].isin(keys)]))
    present = _present(figures, keys)
    ranked = [figures.ranking(of_segments(figures, name)) for name in present if (name, "") in differs]
    alike = ", ".join(BY_KEY[name].label for name in present if (name, "") not in differs)
    unshown = notes(NOT_SHOWN.format(alike)) if alike else ()
    apart = [block for key in keys for block in differing(figures, key, 1)]
    said = doubts(figures.context, *keys)
    return Finding((*said, *ranked, *unshown, *apart), select("*", "segments", kind="segment"))


def compared(figures: Figures, rows: Sequence[str]) -> Finding:
    """Two rows, or all segments where it is not two that are named.

    Raises:
        InputError: If there is no such row, or nothing to compare.
    """
    return compare(figures, rows[0], rows[1]) if len(rows) == 2 else compare_all(figures)


def _present(figures: Figures, keys: Iterable[str]) -> list[str]:
    listed = list(keys)
    return [name for name in HEAT_MAP if all(figures.measure(key, name) for key in listed)]
