"""A segment's name and description: the blocks a model chooses for it, or the app's own."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from core.facts.answer import Answer
from core.facts.describe import paragraph
from core.facts.fact_maker import Figures
from core.facts.finding import segment_only
from core.llm.chat_types import Capabilities
from core.naming.names import name_segments
from core.naming.words import LONGEST
from core.outgoing.quoting import clean
from core.profiles.profile_columns import Col
from core.writing import material, prompts
from core.writing.contract import Description
from core.writing.outbox import said_key
from core.writing.remarks import claims
from core.writing.task import Task, Way
from core.writing.turn import answer_of

_NUMBER: Final = re.compile(r"\d")


def taken(figures: Figures, key: str, more: Collection[str]) -> frozenset[str]:
    """Names that the segment must not get, in lower case.

    Raises:
        InputError: If there is no such segment.
    """
    context = figures.context
    own = int(context.row(segment_only(context, key))[Col.SEGMENT])
    others = [name for segment, name in context.names.items() if segment != own]
    return frozenset(clean(name).casefold() for name in (*others, *more))


def task_of(figures: Figures, key: str, can: Capabilities) -> Task:
    """What a model is asked for a segment.

    Raises:
        InputError: If there is no such segment.
    """
    known = paragraph(figures, segment_only(figures.context, key)).facts
    if can.is_weak:
        facts = material.brief(figures, known)
    else:
        facts = [*known, *material.overview(figures), *material.evidence(figures, key)]
        facts += material.neighbours(figures, key)
    question = prompts.DESCRIBED.format(who=said_key(key))
    way = Way.TOOLS if can.tools else Way.FACTS
    return Task(question, facts, way, can, named=not can.is_weak)


def offline(figures: Figures, key: str, names_taken: Collection[str], reason: str = "") -> Description:
    """From what sets the segment apart."""
    told = paragraph(figures, key)
    summary = answer_of(told.blocks, figures, query=told.query, reason=reason)
    return Description(own_name(figures, key, names_taken), summary)


def described(
    figures: Figures, key: str, names_taken: Collection[str], name: str, summary: Answer
) -> Description:
    """A model's choice, with the app's own name where its name may not stand."""
    plain = clean(name)
    own = "" if _may_stand(plain, names_taken) else own_name(figures, key, names_taken)
    return Description(own or plain, summary)


def own_name(figures: Figures, key: str, names_taken: Collection[str]) -> str:
    """A name that is free, from what sets the segment apart."""
    context = figures.context
    segment = int(context.row(key)[Col.SEGMENT])
    name = name_segments(context.tables.differences, context.tables.basis.site, context.names)[segment].text
    return name if name.casefold() not in names_taken else f"Segment {segment + 1}"


def _may_stand(name: str, names_taken: Collection[str]) -> bool:
    """One to five words, no number, nothing that compares or could mislead, and nobody else's."""
    fits = 1 <= len(name.split()) <= LONGEST and name.casefold() not in names_taken
    return fits and not _NUMBER.search(name) and not claims(name, {})
