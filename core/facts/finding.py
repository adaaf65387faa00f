"""What a tool found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from core.base.errors import InputError
from core.differences.user_items import Family
from core.facts.answer import Block, Fact, Note, facts_of
from core.facts.context import Context


@dataclass(frozen=True)
class Finding:
    """What a tool found.

    Args:
        blocks: What can be said of it.
        query: What was asked of the data.
    """

    blocks: tuple[Block, ...]
    query: str = ""

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Every fact of the blocks, each once."""
        return facts_of(self.blocks)


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


def notes(*texts: str) -> tuple[Note, ...]:
    """Sentences of the app's own, without those that say nothing."""
    return tuple(Note(text=text) for text in texts if text)


def with_bases(blocks: Iterable[Block], context: Context) -> tuple[Block, ...]:
    """The blocks, and behind a figure of a source what sources were taken from."""
    said, told = tuple(blocks), context.tables.basis.data.source_basis
    of_source = any(f":{Family.SOURCE}" in fact.measure for fact in facts_of(said))
    return (*said, *notes(told)) if of_source else said


def present(facts: Iterable[Fact | None]) -> tuple[Fact, ...]:
    """Without those that are absent."""
    return tuple(fact for fact in facts if fact is not None)
