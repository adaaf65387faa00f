"""What may be said: facts, and the answers made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import pandas as pd

from core.llm.chat_types import Usage


class Unit(StrEnum):
    """How a value is written."""

    COUNT = "count"
    NUMBER = "number"
    SHARE = "share"
    """From 0 to 1; written as a percentage."""
    RATIO = "ratio"
    """Times another value; written as 1.8×."""
    POINTS = "points"
    """Difference of two shares, from -1 to 1; written in percentage points."""
    SECONDS = "seconds"
    MONEY = "money"
    TEXT = "text"
    """A name, such as that of a page: no number."""


@dataclass(frozen=True)
class Fact:
    """One figure that the app can say, computed by the functions that draw the profiles.

    Args:
        id: ``F1``, ``F2``, … unique within a turn.
        metric: Key of the metric, such as ``outcome_rate`` or ``lift:page``.
        label: The metric in words.
        segments: Keys of the rows it is about, as profiles spell them (``segment:0``, ``group:one_page``,
            ``all``); two for a comparison, the one that is compared first.
        value: The figure; for :attr:`Unit.TEXT` the name.
        unit: How it is written.
        text: The value as it is written everywhere, unit included.
        item: What within the segment it is about (a page, a theme, a browser); empty for the segment itself.
        low: Lower end of the 95 % interval; None if absent.
        high: Upper end.
        n: Users (or page views) that it counts.
        comparison: Whether it may back a comparative such as "more" or "twice".
        query: Hash of what computed it: data set, labels and arguments.
    """

    id: str
    metric: str
    label: str
    segments: tuple[str, ...]
    value: float | str
    unit: Unit
    text: str
    item: str = ""
    low: float | None = None
    high: float | None = None
    n: int = 0
    comparison: bool = False
    query: str = ""


class MarkKind(StrEnum):
    """What has to be said of a stretch of text."""

    SUGGESTION = "suggestion"
    """The model's own words; no fact stands behind them."""
    UNVERIFIED = "unverified"
    """A number or comparison that no fact backs."""


@dataclass(frozen=True)
class Mark:
    """A stretch of an answer's text: ``text[start:end]``, before values are filled in."""

    start: int
    end: int
    kind: MarkKind


@dataclass(frozen=True, eq=False)
class Answer:
    """What is shown for one question.

    Args:
        text: Sentences with ``[[F12]]`` where a value stands; rendered with the facts.
        facts: All that the text cites, and may be cited next.
        table: The rows behind it; empty where there are none.
        query: What was asked of the data, in words or SQL.
        source: ``rules`` or the model's name.
        declined: True where the question could not be answered; the text then says what can be asked.
        chart: A chart over the columns of ``table`` (``core/facts/segment_tools.py``); None if absent.
        marks: What has to be said of parts of the text, from left to right; they do not overlap.
        reason: Why the answer is not the model's; empty if it is, or if no model was needed.
        usage: What the model used for it; no calls where none was asked.
        cost: Of that, in the currency of the price table; None if the model has no price.
    """

    text: str
    facts: tuple[Fact, ...] = ()
    table: pd.DataFrame | None = None
    query: str = ""
    source: str = "rules"
    declined: bool = False
    chart: Mapping[str, Any] | None = None
    marks: tuple[Mark, ...] = ()
    reason: str = ""
    usage: Usage = field(default_factory=Usage)
    cost: float | None = None
