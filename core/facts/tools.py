"""The tools by name: what a language model may call, and what the grammar calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from core.base.errors import InputError
from core.base.settings import Settings
from core.facts import (
    arguments,
    compare_segments,
    describe,
    funnel_tools,
    item_tools,
    like_tools,
    move_tools,
    other_tools,
    rule_tools,
    segment_tools,
    time_tools,
)
from core.facts.fact_maker import Figures
from core.facts.finding import Finding


@dataclass(frozen=True)
class Tool:
    """Something that can be asked of the data; it reads, and changes nothing.

    Args:
        name: What it is called by.
        arguments: The model of its arguments; its docstring says what the tool does.
        run: What it does.
    """

    name: str
    arguments: type[Settings]
    run: Callable[[Figures, Any], Finding]

    @property
    def description(self) -> str:
        """One sentence for whoever chooses a tool."""
        return self.arguments.__doc__ or ""


def _profile(figures: Figures, asked: arguments.SegmentProfile) -> Finding:
    return describe.paragraph(figures, asked.segment)


def _persona(figures: Figures, asked: arguments.PersonaFacts) -> Finding:
    return describe.persona(figures, asked.segment)


TOOLS: Final = {
    tool.name: tool
    for tool in (
        Tool("list_segments", arguments.ListSegments, segment_tools.list_segments),
        Tool("segment_profile", arguments.SegmentProfile, _profile),
        Tool("top_items", arguments.TopItems, item_tools.top_items),
        Tool("compare", arguments.Compare, compare_segments.compare),
        Tool("rank_segments", arguments.RankSegments, segment_tools.rank_segments),
        Tool("metric", arguments.OneMetric, segment_tools.metric),
        Tool("item_share", arguments.ItemShare, item_tools.item_share),
        Tool("transitions", arguments.Transitions, move_tools.transitions),
        Tool("differing_steps", arguments.MoveFacts, move_tools.differing_steps),
        Tool("funnel", arguments.FunnelFacts, funnel_tools.funnel),
        Tool("over_time", arguments.TimeFacts, time_tools.over_the_data),
        Tool("look_alikes", arguments.LikeFacts, like_tools.look_alikes),
        Tool("persona_facts", arguments.PersonaFacts, _persona),
        Tool("nearest_segments", arguments.NearestSegments, other_tools.nearest_segments),
        Tool("how_sure", arguments.SureFacts, other_tools.how_sure),
        Tool("segment_rule", arguments.RuleFacts, rule_tools.segment_rule),
        Tool("what_changed", arguments.WhatChanged, other_tools.what_changed),
        Tool("chart", arguments.ChartSpec, segment_tools.chart),
    )
}


def call(figures: Figures, name: str, values: Mapping[str, Any]) -> Finding:
    """Run a tool.

    Args:
        figures: Context and facts of the turn.
        name: The tool.
        values: Its arguments, as they came.

    Raises:
        InputError: If there is no such tool or row, or a figure is absent.
        SettingsError: If an argument is not possible.
    """
    tool = TOOLS.get(name)
    if tool is None:
        raise InputError(f"There is no tool {name!r}", allowed=", ".join(TOOLS))
    return tool.run(figures, tool.arguments.checked(**values))
