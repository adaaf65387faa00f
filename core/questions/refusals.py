"""Why a question is not answered, in one line, and which near ones would be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from core.facts import items
from core.facts.context import Context
from core.facts.items import ATTRIBUTES, PLURAL, Dimension
from core.facts.measures import BY_KEY
from core.facts.verbs import DO
from core.outgoing.quoting import clean
from core.profiles.columns import Col
from core.questions.grammar import Parsed
from core.questions.lexicon import vocabulary

SHOWN: Final = 5
OFFERED: Final = 3
TRIED: Final = 12
PURCHASE: Final = "purchase"
PARTS: Final = re.compile(r"[^\w]+")
NOT_SIZES: Final = "By what? Name a figure, such as the outcome rate, the sessions a user or the revenue."
NOTHING: Final = "That is no question about these segments."
NOT_WHOLE: Final = "The words are understood, but not the question as a whole."
PART_ONLY: Final = "Figures of only some users of a segment, such as those with one device, are not counted."
USUAL: Final = (Col.OUTCOME_RATE, Col.SESSIONS_MEAN, Col.PAGE_VIEWS_MEAN)
"""What is offered where no figure was named."""


def problem(parsed: Parsed, context: Context) -> str:
    """Why the question cannot be answered as it stands; empty if it can."""
    if parsed.language:
        return parsed.language
    if parsed.missing:
        return _no_such_segment(parsed.missing, context)
    if parsed.asks:
        return " ".join(dict.fromkeys(parsed.asks))
    if untold := [says["says"] for cue, says in vocabulary()["untold"].items() if cue in parsed.cues]:
        return str(untold[0])
    if parsed.unknown:
        return _not_understood(parsed, context)
    alone = parsed.cues and parsed.cues <= {"why", "describe", "persona", "also"} and not parsed.topic
    if ("pronoun" in parsed.cues or alone) and not parsed.rows and "changed" not in parsed.cues:
        return f"Which segment do you mean? {_numbered(context)}"
    if {"most", "least"} <= parsed.cues:
        return "Do you mean the most or the least?"
    named = parsed.measures or ("interested" in parsed.cues and parsed.items)
    if "vague" in parsed.cues or (not named and parsed.cues & _unsaid(parsed, context)):
        return NOT_SIZES
    kinds = {dimension for dimension, _ in parsed.items}
    wrong = kinds and set(parsed.dimensions) - {*kinds, Dimension.PAGE}
    return f"That is no {parsed.dimensions[0]}." if wrong else ""


def not_combined(parsed: Parsed) -> str:
    """Why words that are understood make no question."""
    if "rest" in parsed.cues or ("compare" in parsed.cues and len(parsed.rows) == 1):
        return "A segment is compared with another one or with all users: name both."
    if parsed.items and (parsed.measures or len(parsed.items) > 1):
        return PART_ONLY
    if not (parsed.cues or parsed.topic or parsed.rows):
        return NOTHING
    return NOT_WHOLE


def nearest(parsed: Parsed, context: Context, understood: Callable[[str], bool]) -> tuple[str, ...]:
    """Up to three questions that are answered, those that share most with what was asked first."""
    offered = dict.fromkeys(islice(_candidates(parsed, context), TRIED))
    return tuple(islice((text for text in offered if understood(text)), OFFERED))


def _candidates(parsed: Parsed, context: Context) -> Iterator[str]:
    """With items, then figures, then lists, of the rows named; then what can be asked of any data."""
    rows = [_called(key, context) for key in parsed.rows[:2]]
    measures = [BY_KEY[name].label for name in parsed.measures[:2]]
    for dimension, value in parsed.items[:2]:
        does = f"{DO[dimension][0]} {value}"
        yield from (f"What share of {row} {does}?" for row in rows or ["all users"])
        if not rows:
            yield f"Which segment has the highest share of users who {does}?"
    if len(rows) == 2:
        yield from (f"Compare {rows[0]} and {rows[1]} by {measure}" for measure in measures)
        yield f"Compare {rows[0]} and {rows[1]}"
    yield from (f"{_upper(measure)} of {row}" for measure in measures for row in rows[:1])
    kinds = parsed.dimensions or (ATTRIBUTES[2:] if "where" in parsed.cues else ())
    yield from (f"Top {PLURAL[kind]} of {row}" for kind in kinds for row in rows or ["all users"])
    yield from _usual(parsed, rows, measures)


def _usual(parsed: Parsed, rows: list[str], measures: list[str]) -> Iterator[str]:
    if "bounce" in parsed.cues:
        yield "What is the bounce rate?"
    if rows:
        yield from (f"Describe {rows[0]}", f"What sets {rows[0]} apart?", f"Top pages of {rows[0]}")
    order = "lowest" if parsed.cues & {"least", "worst", "below", "smallest"} else "highest"
    named = measures or ([BY_KEY[Col.OUTCOME_USERS].label] if "buys" in parsed.cues else [])
    yield from (f"Which segment has the {order} {measure}?" for measure in named)
    yield from (f"Which segment has the {order} {BY_KEY[name].label}?" for name in USUAL)
    yield from ("How do the segments differ?", "List the segments")


def _called(key: str, context: Context) -> str:
    label = context.titled(key).label
    return label if key.startswith("segment:") else label[:1].lower() + label[1:]


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _unsaid(parsed: Parsed, context: Context) -> set[str]:
    """Words that need a figure beside them; a share or number of those who buy is the outcome's."""
    counts = context.tables.profiles.outcome == PURCHASE and parsed.cues & {"share", "many", "never"}
    return {"best", "worst"} if counts else {"best", "worst", "buys", "above", "below"}


def _no_such_segment(missing: list[str], context: Context) -> str:
    listed = ", ".join(missing)
    first = " They are counted from 1: what the data calls cluster 0 is Segment 1." if "0" in missing else ""
    return f"There is no segment {listed}. {_numbered(context)}{first}"


def _numbered(context: Context) -> str:
    titles = [context.title(key) for key in context.segment_keys]
    return f"The segments are {', '.join(titles)}."


def _not_understood(parsed: Parsed, context: Context) -> str:
    unknown = [*dict.fromkeys(parsed.unknown)][:SHOWN]
    words = ", ".join(f"“{clean(word)}”" for word in unknown)
    hints = [hint for word in unknown if (hint := _hint(word, context))]
    return " ".join([f"I do not understand {words}, so I do not answer.", *dict.fromkeys(hints)])


def _hint(word: str, context: Context) -> str:
    """Rows and values of the data whose name has the word; nothing where too many have."""
    named = [
        context.title(key)
        for key in context.segment_keys
        if word in context.names.get(int(context.row(key)[Col.SEGMENT]), "").casefold().split()
    ]
    named += [
        f"the {dimension} “{clean(value)}”"
        for dimension in Dimension
        for value in items.values(context, dimension)
        if word in PARTS.split(value.casefold())
    ]
    return f"Do you mean {' or '.join(named)}?" if 0 < len(named) <= SHOWN else ""
