"""The tools by name: what a language model may call, and what the grammar calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from inspect import signature
from typing import Any, Final

from pydantic import create_model

from core.base.errors import InputError
from core.base.settings import Settings
from core.facts import (
    funnel_tools,
    item_tools,
    like_tools,
    move_tools,
    other_tools,
    rule_tools,
    segment_tools,
    time_tools,
)
from core.facts.fact_maker import Figures, Finding


@dataclass(frozen=True)
class Tool:
    """A function that reads the data and changes nothing, as a model and the grammar call it.

    Args:
        name: The name it is called by.
        run: Takes :class:`Figures`, then its arguments; a model reads the first line of its docstring.
    """

    name: str
    run: Callable[..., Finding]

    @property
    def description(self) -> str:
        """The description by which a model chooses the tool: one sentence."""
        return (self.run.__doc__ or "").partition("\n")[0]

    @cached_property
    def arguments(self) -> type[Settings]:
        """The tool's arguments as a model: the parameters after the figures."""
        _, *asked = signature(self.run, eval_str=True).parameters.values()
        fields: Any = {
            one.name: (one.annotation, ... if one.default is one.empty else one.default) for one in asked
        }
        return create_model(self.name, __base__=Settings, __doc__=self.description, **fields)


_RUN: Final[Mapping[str, Callable[..., Finding]]] = {
    "list_segments": segment_tools.list_segments, "segment_profile": segment_tools.paragraph,
    "top_items": item_tools.top_items, "compare": segment_tools.compare,
    "rank_segments": segment_tools.rank_segments, "metric": segment_tools.one_metric,
    "item_share": item_tools.item_share, "transitions": move_tools.transitions,
    "differing_steps": move_tools.differing_steps, "funnel": funnel_tools.funnel,
    "over_time": time_tools.over_the_data, "look_alikes": like_tools.look_alikes,
    "persona_facts": segment_tools.persona, "nearest_segments": other_tools.nearest_segments,
    "how_sure": other_tools.how_sure, "segment_rule": rule_tools.segment_rule,
    "what_changed": other_tools.what_changed, "chart": segment_tools.chart,
}  # fmt: skip
TOOLS: Final = {name: Tool(name, run) for name, run in _RUN.items()}


def call(figures: Figures, name: str, values: Mapping[str, Any]) -> Finding:
    """Run a tool by its name.

    Args:
        figures: Where facts come from.
        name: The tool.
        values: Argument → value as it came, unchecked.

    Raises:
        InputError: If there is no such tool or row, or a figure is absent.
        SettingsError: If an argument is missing, unknown or not possible.
    """
    tool = TOOLS.get(name)
    if tool is None:
        raise InputError(f"There is no tool {name!r}", allowed=", ".join(TOOLS))
    return tool.run(figures, **dict(tool.arguments.checked(**values)))
