"""What a tool found, and the small phrases that its sentences are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from core.base.errors import InputError
from core.facts.answer import Fact
from core.facts.context import Context
from core.facts.fact_book import slot


@dataclass(frozen=True, eq=False)
class Finding:
    """What a tool found.

    Args:
        text: Sentences with slots.
        facts: All that the text cites, and what may be cited as well.
        table: The rows behind it.
        query: What was asked of the data.
        chart: A chart of the table's columns.
    """

    text: str
    facts: tuple[Fact, ...]
    table: pd.DataFrame
    query: str
    chart: Mapping[str, Any] | None = None


def known(context: Context, key: str) -> str:
    """The key, if there is such a row.

    Raises:
        InputError: If there is none.
    """
    if key not in context.keys:
        raise InputError(f"There is no row {key!r}", allowed=", ".join(context.keys))
    return key


def segment_only(context: Context, key: str) -> str:
    """The key, if it is a segment's.

    Raises:
        InputError: If it is not.
    """
    if known(context, key) not in context.segment_keys:
        raise InputError(f"{context.title(key)} is no segment", allowed=", ".join(context.segment_keys))
    return key


def fact_table(context: Context, facts: Iterable[Fact | None]) -> pd.DataFrame:
    """Facts as rows: what they are about, the figure, its interval, and what it is of."""
    listed = [fact for fact in facts if fact is not None]
    return pd.DataFrame(
        {
            "about": [" against ".join(context.title(key) for key in fact.segments) for fact in listed],
            "item": [fact.item for fact in listed],
            "figure": [fact.label for fact in listed],
            "value": [fact.text for fact in listed],
            "low": pd.array([fact.low for fact in listed], dtype="Float64"),
            "high": pd.array([fact.high for fact in listed], dtype="Float64"),
            "n": [fact.n for fact in listed],
        }
    )


def listing(parts: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def items(facts: Iterable[Fact]) -> str:
    """``/cart (12.5 %), /sale (3.1 %)`` with slots."""
    return ", ".join(f"{fact.item} ({slot(fact)})" for fact in facts)


def bullets(heading: str, parts: Iterable[str]) -> str:
    """A heading and a list below it."""
    return "\n".join([heading, "", *(f"- {part}" for part in parts)])


def paragraphs(parts: Iterable[str]) -> str:
    """Short paragraphs, without those that say nothing."""
    return "\n\n".join(part for part in parts if part)


def present(facts: Iterable[Fact | None]) -> tuple[Fact, ...]:
    """Without those that are absent."""
    return tuple(fact for fact in facts if fact is not None)
