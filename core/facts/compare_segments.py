"""What is different and what is not surely different between two rows, and over all segments."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from core.base.errors import InputError
from core.facts import arguments
from core.facts.answer import Block, Contrast, FigureList, Verdict
from core.facts.evidence import Evidence
from core.facts.fact_maker import Figures, select
from core.facts.finding import Finding, known
from core.facts.items import Dimension
from core.facts.segment_tools import of_segments
from core.profiles.profile_columns import HEAT_MAP, Col

COMPARED: Final = (Col.USERS, *HEAT_MAP)


def compare(figures: Figures, asked: arguments.Compare) -> Finding:
    """Two rows side by side, sure differences first.

    Raises:
        InputError: If there is no such row, both are the same, or a metric asked for is absent.
    """
    context = figures.context
    first, second = known(context, asked.a), known(context, asked.b)
    if first == second:
        raise InputError(f"{context.title(first)} cannot be compared with itself", allowed="two segments")
    names = [metric.value for metric in asked.metrics] or _present(figures, (first, second))
    contrasts = [figures.contrast(figures.needed(first, name), second) for name in names]
    apart = () if asked.metrics else _apart(figures, (first, second))
    query = select(", ".join(names), "segments", key=f"{first}, {second}")
    return Finding((*sorted(contrasts, key=_is_unsure), *apart), query)


def compare_all(figures: Figures) -> Finding:
    """All segments: who has most and least of each metric, and what each views more often than the others.

    Raises:
        InputError: If there are not two segments.
    """
    keys = figures.context.segment_keys
    if len(keys) < 2:
        raise InputError("There are not two segments to compare")
    ranked = [figures.ranking(of_segments(figures, name)) for name in _present(figures, keys)]
    return Finding((*ranked, *_apart(figures, keys)), select("*", "segments", kind="segment"))


def _is_unsure(contrast: Contrast) -> bool:
    return contrast.verdict in (Verdict.UNSURE, Verdict.SAME)


def _present(figures: Figures, keys: Iterable[str]) -> list[str]:
    listed = list(keys)
    return [name for name in COMPARED if all(figures.measure(key, name) for key in listed)]


def _apart(figures: Figures, keys: Iterable[str]) -> tuple[Block, ...]:
    """The strongest theme, type and page of each."""
    made = [
        fact
        for key in keys if key != "all"
        for dimension in (Dimension.THEME, Dimension.TYPE, Dimension.PAGE)
        for fact in Evidence(figures, key, fewest=1).lifts_of(dimension, 1)[:1]
    ]  # fmt: skip
    return (FigureList(facts=tuple(made)),) if made else ()
