"""What each tool can be asked for."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from core.base.settings import Settings
from core.facts.answer import ChartMark
from core.facts.context import ALL, PASTED
from core.facts.items import Dimension, ItemMetric
from core.facts.measures import BY_KEY
from core.journeys.funnel import MOST_STEPS

Key = Annotated[
    str, Field(description="a row as the facts name it: S1, S2, … for a segment, all for every user")
]
Metric = StrEnum("Metric", {key.upper(): key for key in BY_KEY})  # type: ignore[misc]  # mypy wants literal members
"""Columns of the segments table."""
Count = Annotated[int, Field(ge=1, le=50)]


class Order(StrEnum):
    """Which end of a ranking comes first."""

    MOST = "most"
    LEAST = "least"


class ListSegments(Settings):
    """All segments, the groups made by rule and all users, with their keys and sizes."""


class SegmentProfile(Settings):
    """Everything that describes one segment."""

    segment: Key


class TopItems(Settings):
    """The top pages, themes, page types, browsers, devices, countries or sources of a segment."""

    dimension: Dimension
    segment: Key
    metric: ItemMetric
    n: Count = 5


class Compare(Settings):
    """Two segments side by side."""

    a: Key
    b: Key
    metrics: tuple[Metric, ...] = ()


class RankSegments(Settings):
    """All segments in the order of a metric."""

    metric: Metric
    order: Order = Order.MOST


class OneMetric(Settings):
    """One figure of one segment."""

    segment: Key
    metric: Metric


class ItemShare(Settings):
    """How many users of a segment saw a page, theme or type, or have a browser, device, country or source."""

    segment: Key
    dimension: Dimension
    value: Annotated[str, Field(max_length=2000)]
    metric: ItemMetric = ItemMetric.SHARE


class Transitions(Settings):
    """What page, theme or type follows which, where sessions begin and end, or whole sessions as routes."""

    segment: Key
    by: Literal["page", "theme", "type"] = "page"
    where: Literal["steps", "entry", "exit", "routes"] = "steps"
    origin: str | None = None
    target: str | None = None
    n: Count = 5


class MoveFacts(Settings):
    """Which steps the users of a segment take more or less often than the other clustered users."""

    segment: Key
    by: Literal["page", "theme", "type"] = "page"
    n: Count = 5


class PersonaFacts(Settings):
    """The facts that a buyer persona may rest on."""

    segment: Key


class SureFacts(Settings):
    """How sure a segment is: how much of it comes back with other users, and where the others go."""

    segment: Key


class RuleFacts(Settings):
    """A segment as a rule of a few conditions, by which its users are reached, with precision and recall."""

    segment: Key


class FunnelFacts(Settings):
    """How many users of a segment take each step of a funnel in order, and after which most are lost."""

    segment: Key
    steps: Annotated[
        tuple[Annotated[str, Field(max_length=2000)], ...],
        Field(
            max_length=MOST_STEPS,
            description="names of pages, templates, themes, types or events, or outcome; none for the "
            "analyst's own funnel",
        ),
    ] = ()
    within: Literal["user", "session"] = "user"


class TimeFacts(Settings):
    """When users of a segment come, whether its share of the users grows, or how many come again."""

    segment: Key = ALL
    about: Literal["hours", "growth", "return"]


class LikeFacts(Settings):
    """How many other users are like those of a segment, or of a pasted list, and in which segments."""

    segment: Annotated[str, Field(description="S1, S2, … for a segment, or list")] = PASTED


class NearestSegments(Settings):
    """The segments most like one."""

    segment: Key
    n: Count = 3


class WhatChanged(Settings):
    """How many users changed their segment at the last move of a slider."""


class ChartSpec(Settings):
    """A chart of one metric over the segments."""

    metric: Metric
    mark: ChartMark = ChartMark.BAR
