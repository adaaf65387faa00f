"""What tools can be asked for: types of their parameters, with what a language model is told of these."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from core.facts.measures import BY_KEY
from core.journeys.funnel import MOST_STEPS

Key: TypeAlias = Annotated[
    str, Field(description="a row as the facts name it: S1, S2, … for a segment, all for every user")
]
Whose: TypeAlias = Annotated[str, Field(description="S1, S2, … for a segment, or list")]
Metric = StrEnum("Metric", {key.upper(): key for key in BY_KEY})  # type: ignore[misc]  # mypy wants literal members
"""Columns of the segments table."""
Count: TypeAlias = Annotated[int, Field(ge=1, le=50)]
Called: TypeAlias = Annotated[str, Field(max_length=2000)]
Steps: TypeAlias = Annotated[
    tuple[Called, ...],
    Field(
        max_length=MOST_STEPS,
        description="names of pages, templates, themes, types or events, or outcome; none for the "
        "analyst's own funnel",
    ),
]
By: TypeAlias = Literal["page", "theme", "type"]
Where: TypeAlias = Literal["steps", "entry", "exit", "routes"]
About: TypeAlias = Literal["hours", "growth", "return"]
Within: TypeAlias = Literal["user", "session"]


class Order(StrEnum):
    """Which end of a ranking comes first."""

    MOST = "most"
    LEAST = "least"
