"""A segment's name and description by a model, and without one."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from typing import Final

from pydantic import BaseModel, Field

from core.base.errors import ResourceError
from core.facts.answer import Answer, MarkKind
from core.facts.describe import paragraph
from core.facts.fact_maker import Figures
from core.facts.finding import fact_table, segment_only
from core.facts.measures import clean
from core.facts.naming import LONGEST, names
from core.facts.render import cited
from core.llm.chat_types import Capabilities, ChatReply
from core.profiles.profile_columns import Col
from core.writing import material, prompts, specs
from core.writing.checking import Checker, Draft
from core.writing.contract import Description
from core.writing.outbox import Outbox
from core.writing.privacy import Payload, said_key
from core.writing.prose.comparatives import find_comparatives
from core.writing.prose.numerals import find_numerals
from core.writing.prose.sentence import split_sentences
from core.writing.talk import Talk
from core.writing.turn import does_not_hold, without_figures

MOST_TEXTS: Final = 5
"""Caveats, and facts that set a segment apart."""
LONGEST_NAME, LONGEST_SUMMARY = 32, 160
"""Characters of a sketch: a small model fills what it may."""


class Described(BaseModel):
    """What the model is asked for."""

    name: str
    summary: str
    distinguishing: list[str] = Field(max_length=MOST_TEXTS)
    caveats: list[str] = Field(max_length=MOST_TEXTS)
    action: str


class Sketch(BaseModel):
    """What a weak model is asked for."""

    name: str = Field(max_length=LONGEST_NAME)
    summary: str = Field(max_length=LONGEST_SUMMARY)


def taken(figures: Figures, key: str, more: Collection[str]) -> frozenset[str]:
    """Names that the segment must not get, in lower case.

    Raises:
        InputError: If there is no such segment.
    """
    context = figures.context
    own = int(context.row(segment_only(context, key))[Col.SEGMENT])
    others = [name for segment, name in context.names.items() if segment != own]
    return frozenset(clean(name).casefold() for name in (*others, *more))


def by_model(
    key: str,
    outbox: Outbox,
    talk: Talk,
    names_taken: Collection[str],
    can: Capabilities,
    *,
    host: str,
    model: str,
) -> Description:
    """One call, and one more to repair it; of a weak model one only.

    Raises:
        Beha2VecError: If nothing came that may be shown; the message says why.
    """
    figures, question = outbox.figures, prompts.DESCRIBED.format(who=said_key(key))
    payload = first(key, outbox, can, host=host, model=model)
    system = payload.system
    checker = Checker(outbox, question, slots=can.slots)
    if can.is_weak:
        sketch = talk.parse(system, payload.user, Sketch)
        return _sketched(sketch, checker, figures, key, names_taken, model)
    described = talk.parse(system, payload.user, Described)
    if complaint := complaints(described, checker, outbox, names_taken):
        outbox.check(ChatReply(described.model_dump_json()))
        again = {"your_answer": described.model_dump(), "problem": prompts.WRONG.format(complaint=complaint)}
        user = f"{payload.user}\n{json.dumps(again, ensure_ascii=False)}"
        described = talk.parse(system, user, Described)
        complaint = complaints(described, checker, outbox, names_taken)
    if complaint:
        raise does_not_hold(model, len(complaint.splitlines()))
    talk.keep()
    return _description(described, checker, figures, model)


def first(key: str, outbox: Outbox, can: Capabilities, *, host: str, model: str) -> Payload:
    """The message that a description begins with."""
    figures, question = outbox.figures, prompts.DESCRIBED.format(who=said_key(key))
    if can.is_weak:
        few = material.brief(figures, paragraph(figures, key))
        shape = specs.as_json(Sketch.model_json_schema())
        said = prompts.BRIEF + prompts.BRIEFLY
        return outbox.first(said, question, few, host=host, model=model, schemas=shape, brief=True)
    facts = [*material.overview(figures), *material.evidence(figures, key), *material.contrast(figures, key)]
    system = prompts.ABOUT + (prompts.SLOTS if can.slots else prompts.DIGITS) + prompts.DESCRIBE
    schemas = specs.as_json(Described.model_json_schema())
    return outbox.first(system, question, facts, host=host, model=model, schemas=schemas)


def offline(figures: Figures, key: str, names_taken: Collection[str], reason: str = "") -> Description:
    """From what sets the segment apart, by templates."""
    told = paragraph(figures, key)
    segment = int(figures.context.row(key)[Col.SEGMENT])
    name = names(figures)[segment]
    free = name if name.casefold() not in names_taken else f"Segment {segment + 1}"
    apart = [fact.id for fact in told.facts if fact.comparison and fact.id in cited(told.text)]
    summary = Answer(told.text, told.facts, told.table, told.query, reason=reason)
    return Description(free, summary, tuple(apart))


def complaints(described: Described, checker: Checker, outbox: Outbox, names_taken: Collection[str]) -> str:
    """What is wrong with a description, one line a problem; empty if it may be shown."""
    found = [checker.draft(described.summary).complaint, *_name_problems(described.name, names_taken)]
    found += [_plain(checker.draft(text)) for text in (*described.caveats, described.action)]
    sent = {fact.id for fact in outbox.sent}
    unknown = [name for name in described.distinguishing if name not in sent]
    found += [f"- {', '.join(unknown)}: no such fact"] if unknown else []
    return "\n".join(one for one in found if one)


def _name_problems(name: str, names_taken: Collection[str]) -> list[str]:
    plain = clean(name)
    found = []
    if not 1 <= len(plain.split()) <= LONGEST:
        found.append(f"- {plain!r}: a name has one to {LONGEST} words")
    if find_numerals(plain) or re.search(r"\b[SP]\d", plain):
        found.append(f"- {plain!r}: a name has no numbers")
    if find_comparatives(plain):
        found.append(f"- {plain!r}: a name does not compare")
    if plain.casefold() in names_taken:
        found.append(f"- {plain!r}: another segment has this name")
    return found


def _plain(draft: Draft) -> str:
    """A caveat or an action says no value: it stands where no fact can be shown."""
    said = draft.complaint or draft.facts or any(mark.kind is MarkKind.UNVERIFIED for mark in draft.marks)
    return (draft.complaint or f"- {draft.text!r}: no value may stand here") if said else ""


def _sketched(
    sketch: Sketch, checker: Checker, figures: Figures, key: str, names_taken: Collection[str], model: str
) -> Description:
    """A weak model's words with the app's own name where its name may not stand.

    The app's own paragraph says more, and all of it is true: words with a number struck through, or broken
    off, are no better.

    Raises:
        ResourceError: If its words may not stand.
    """
    draft = checker.draft(_whole_sentences(sketch.summary))
    unverified = sum(mark.kind is MarkKind.UNVERIFIED for mark in draft.marks)
    if draft.complaint or unverified:
        raise does_not_hold(model, len(draft.complaint.splitlines()) or unverified, tries=1)
    if not draft.text:
        raise ResourceError(f"The language model {model!r} did not come to the end of a sentence")
    if not draft.facts:
        raise without_figures(model)
    wrong = _name_problems(sketch.name, names_taken)
    name = offline(figures, key, names_taken).name if wrong else clean(sketch.name)
    summary = Answer(
        draft.text, draft.facts, fact_table(figures.context, draft.facts), "", model, marks=draft.marks
    )
    return Description(name, summary, tuple(fact.id for fact in draft.facts if fact.comparison))


def _whole_sentences(text: str) -> str:
    """Without what comes after the last sentence that ends: a small model stops where its room ends."""
    ends = [
        end for start, end in split_sentences(text) if text[start:end].rstrip("\"'”’ ")[-1:] in tuple(".!?")
    ]
    return text[: ends[-1]] if ends else ""


def _description(described: Described, checker: Checker, figures: Figures, model: str) -> Description:
    draft = checker.draft(described.summary)
    table = fact_table(figures.context, draft.facts)
    summary = Answer(draft.text, draft.facts, table, "", model, marks=draft.marks)
    said: Sequence[str] = [checker.draft(text).text for text in described.caveats]
    return Description(
        clean(described.name), summary, tuple(dict.fromkeys(described.distinguishing)), tuple(said),
        checker.draft(described.action).text,
    )  # fmt: skip
