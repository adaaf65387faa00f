"""Why a question is not answered, in one line, and which similar questions can be answered."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final

from core.base.safe_text import clean
from core.base.wording import capitalised, uncapitalised
from core.facts.answer import BY_KEY, Unit
from core.facts.context import Context
from core.facts.items import ATTRIBUTES, PLURAL, Dimension
from core.facts.verbs import DO
from core.profiles.profile_columns import Col
from core.questions.calls import BOUNCED, OVER_TIME
from core.questions.followups import FRAGMENT
from core.questions.lexicon import NO_PURCHASE, vocabulary
from core.questions.parsed import Parsed

_SEEN: Final = {
    "viewed", "interested", "after", "before", "lift", "apart", "entry", "exit", "often", "path", "routes",
    "never", "funnel",
}  # fmt: skip
"""Cues of questions about pages."""
_OF_TIME: Final = {
    "returns": "How many users come back?", "retention": "How many users come back?",
    "trend": "Which segment grows?", "when": "When do users come?",
}  # fmt: skip
"""Cue about time → question over all of the data that is answered instead."""
_HIGH: Final = {"most", "best", "biggest"}
_LOW: Final = {"least", "worst", "smallest"}
_SHOWN: Final = 5
_OFFERED: Final = 3
_TRIED: Final = 12
_PARTS: Final = re.compile(r"[^\w]+")
_NOT_SIZES: Final = "By what? Name a figure, such as the outcome rate, the sessions a user or the revenue."
_NOTHING: Final = "That is no question about these segments."
NOT_WHOLE: Final = "The words are understood, but not the question as a whole."
PART_ONLY: Final = "Figures of only some users of a segment, such as those with one device, are not counted."
_INTO_ROW: Final = (
    "What share of such users is in a segment is not counted; how many users of a segment converted or saw a "
    "page is."
)
_COUNTS: Final = {measure.label for measure in BY_KEY.values() if measure.unit is Unit.COUNT}
_USUAL: Final = (Col.OUTCOME_RATE, Col.SESSIONS_MEAN, Col.PAGE_VIEWS_MEAN)
"""Measures of the offered questions where the question names none."""


def problem(parsed: Parsed, context: Context) -> str:
    """Why the question cannot be answered as it stands, in a line; empty if an intent may fit."""
    if parsed.language:
        return parsed.language
    if parsed.missing:
        return _no_such_segment(parsed.missing, context)
    if parsed.asks:
        return " ".join(dict.fromkeys(parsed.asks))
    if untold := _untold(parsed, context):
        return untold
    if parsed.unknown:
        return _not_understood(parsed)
    alone = parsed.cues and parsed.cues <= {"why", "persona", "rule", "also"} and not parsed.topic
    walks = parsed.cues & {"after", "before", "entry", "exit"}  # “where do they leave”
    of_all = walks or parsed.cues & {"changed", "trust", "returns", "sample", *OVER_TIME}
    if ("pronoun" in parsed.cues or alone) and not of_all and not parsed.rows:
        return f"Which segment do you mean? {_numbered(context)}"
    if parsed.cues & _HIGH and parsed.cues & _LOW:
        return "Do you mean the most or the least?"
    if parsed.cues & {"biggest", "smallest"} and parsed.cues & {"best", "worst", "most", "least"}:
        return NOT_WHOLE
    if len(parsed.measures) > 1 and not parsed.fills & {"and", "or", "with"}:
        return NOT_WHOLE  # “sessions of buyers” is not both
    return _unnamed(parsed, context) or _guessed(parsed) or _denied(parsed) or _of_some(parsed)


def _untold(parsed: Parsed, context: Context) -> str:
    """Message on what the tables do not hold; empty if they hold everything that is asked for."""
    told = {"only"} if parsed.length <= FRAGMENT and not parsed.items else set()  # “only the revenue”
    told |= {"individual"} if "average" in parsed.cues else set()  # “what a user sees on average”
    told |= {"in_session"} if "funnel" in parsed.cues else set()
    if found := [says["says"] for cue, says in vocabulary()["untold"].items() if cue in parsed.cues - told]:
        return str(found[0])
    figures = parsed.items or parsed.dimensions or set(parsed.measures) - {Col.USERS, Col.SHARE}
    if figures and parsed.cues & OVER_TIME.keys():  # “does revenue grow”
        return str(vocabulary()["untold"]["time"]["says"])
    if NO_PURCHASE not in parsed.cues:
        return ""
    outcome = context.tables.profiles.outcome
    if outcome is None:
        return "Buying is not counted: no outcome is chosen."
    return f"Buying is not counted by itself: the outcome is “{clean(outcome)}”. Ask for its outcome rate."


def _unnamed(parsed: Parsed, context: Context) -> str:
    """Message on a word that needs another beside it, or has one that does not fit."""
    named = parsed.measures or ("interested" in parsed.cues and parsed.items)
    meant = parsed.meant and parsed.cues & {"most", "least"} and not parsed.measures
    if ("vague" in parsed.cues and not meant) or (not named and parsed.cues & _unsaid(parsed, context)):
        return _NOT_SIZES
    kinds = {dimension for dimension, _ in parsed.items}
    if kinds and kinds <= {*ATTRIBUTES} and Dimension.PAGE in parsed.dimensions:
        return PART_ONLY
    wrong = kinds and set(parsed.dimensions) - {*kinds, Dimension.PAGE}
    return f"That is no {parsed.dimensions[0]}." if wrong else ""


def _guessed(parsed: Parsed) -> str:
    """Message on pages named by words of their address alone, unless the question is about seeing pages."""
    seen = parsed.cues & _SEEN or Dimension.PAGE in parsed.dimensions or Col.PAGE_VIEWS in parsed.measures
    if seen or not parsed.guessed:
        return ""
    return f"Do you mean the page {clean(parsed.guessed[0])}? Then ask who saw it."


def _denied(parsed: Parsed) -> str:
    """Message on a negation of anything but items, which alone can be negated."""
    denies = {"not"} == parsed.cues & {"not", "trust"} and (
        not parsed.items or {*parsed.measures} - {Col.SHARE, Col.USERS}
    )
    return _not_understood(Parsed(unknown=["not"])) if denies else ""


def _of_some(parsed: Parsed) -> str:
    """Message on a share that the tables do not hold, by what it is of; empty where they do."""
    kinds = [*dict.fromkeys(parsed.order)]
    named = [kind for kind in kinds if kind not in ("share", "users")]
    if not kinds or not ("share" in parsed.cues or {*parsed.measures} & {Col.SHARE, Col.OUTCOME_RATE}):
        return ""
    into_row = parsed.is_in and (named[0] != "row" or len(parsed.rows) > 1)
    of_outcome = "outcome" in parsed.wholes and "item" not in parsed.wholes
    wrong = "outcome" in named and ("row" if of_outcome else "item") in named
    return _INTO_ROW if into_row else PART_ONLY if wrong else ""


def not_combined(parsed: Parsed) -> str:
    """Why a question of known words fits no intent, in a line."""
    if "rest" in parsed.cues or ("compare" in parsed.cues and len(parsed.rows) == 1):
        return "A segment is compared with another one or with all users: name both."
    if "bounce" in parsed.cues:
        return BOUNCED
    by_attribute = parsed.dimensions and {*parsed.dimensions} <= {*ATTRIBUTES}
    if (parsed.items and (parsed.measures or len(parsed.items) > 1)) or (by_attribute and parsed.measures):
        return PART_ONLY
    if not (parsed.cues or parsed.topic or parsed.rows):
        return _NOTHING
    return NOT_WHOLE


def nearest(parsed: Parsed, context: Context, understood: Callable[[str], bool]) -> tuple[str, ...]:
    """Up to three questions that can be answered, the most similar first.

    Args:
        parsed: The question that cannot be answered.
        context: The segments that it is about.
        understood: Whether a text would be answered.
    """
    offered = dict.fromkeys(islice(_candidates(parsed, context), _TRIED))
    return tuple(islice((text for text in offered if understood(text)), _OFFERED))


def _candidates(parsed: Parsed, context: Context) -> Iterator[str]:
    """Candidate questions: items, figures and lists of the rows named, then questions for any data.

    They are short, as each is a button of one line.
    """
    named = parsed.rows or [row for word in parsed.unknown for row in _rows(word, context)]
    rows = [_called(key, context) for key in named[:2]]
    measures = [BY_KEY[name].label for name in parsed.measures[:2] or _meant(parsed)]
    for text in (text for cue, text in _OF_TIME.items() if cue in parsed.cues):
        yield from [text.replace("users", f"users of {row}") for row in rows] or [text]
    for dimension, value in parsed.items[:_OFFERED]:
        does = f"{DO[dimension]} {value}"
        yield from (f"What comes {cue} {value}?" for cue in ("after", "before") if cue in parsed.cues)
        yield from (f"How many of {row} {does}?" for row in rows)
        if not rows:
            who = does.removeprefix("are ") if does.startswith("are ") else f"who {does}"
            yield f"Highest share {who}"
    if len(rows) == 2:
        yield from (f"Compare {rows[0]} and {rows[1]} by {measure}" for measure in measures)
        yield f"Compare {rows[0]} and {rows[1]}"
    yield from (f"{capitalised(measure)} of {row}" for measure in measures for row in rows[:1])
    kinds = parsed.dimensions or (ATTRIBUTES[2:] if "where" in parsed.cues else ())
    yield from (f"Top {PLURAL[kind]} of {row}" for kind in kinds for row in rows or ["all users"])
    yield from _usual(parsed, rows, measures)


def _usual(parsed: Parsed, rows: list[str], measures: list[str]) -> Iterator[str]:
    if "bounce" in parsed.cues:
        yield "What is the bounce rate?"
    if rows:
        yield from (f"Describe {rows[0]}", f"What sets {rows[0]} apart?", f"Top pages of {rows[0]}")
    order = "Lowest" if parsed.cues & {"least", "worst", "below", "smallest"} else "Highest"
    for measure in (*measures, *(BY_KEY[name].label for name in _USUAL)):
        counted = order == "Highest" and measure in _COUNTS
        yield f"{'Most' if counted else order} {measure}"
    yield from ("How do the segments differ?", "List the segments")


def _meant(parsed: Parsed) -> Sequence[str]:
    """Measures that may be meant where the question names none."""
    if "buys" in parsed.cues:
        return (Col.OUTCOME_RATE, Col.OUTCOME_USERS)
    if parsed.cues & {"many", "most", "least"} and Dimension.PAGE in parsed.dimensions:
        return (Col.PAGE_VIEWS_MEAN, Col.DIFFERENT_PAGES_MEAN)
    return _USUAL if parsed.cues & {"vague", "best", "worst"} else ()


def _called(key: str, context: Context) -> str:
    label = context.titled(key).label
    return label if key.startswith("segment:") else uncapitalised(label)


def _unsaid(parsed: Parsed, context: Context) -> set[str]:
    """Cues that need a measure beside them; those about buyers have the outcome's."""
    told = {"share", "many", "unconverted", "why", "most", "least", "each", "funnel"}
    counts = context.tables.profiles.outcome and (parsed.cues & told or parsed.limit)
    return {"best", "worst"} if counts else {"best", "worst", "buys", "above", "below"}


def _no_such_segment(missing: list[str], context: Context) -> str:
    listed = ", ".join(missing)
    first = " They are counted from 1: what the data calls cluster 0 is Segment 1." if "0" in missing else ""
    return f"There is no segment {listed}. {_numbered(context)}{first}"


def _numbered(context: Context) -> str:
    titles = [context.title(key) for key in context.segment_keys]
    return f"The segments are {', '.join(titles)}."


def _not_understood(parsed: Parsed) -> str:
    unknown = [*dict.fromkeys(parsed.unknown)][:_SHOWN]
    return f"I do not understand {', '.join(f'“{clean(word)}”' for word in unknown)}, so I do not answer."


def _rows(word: str, context: Context) -> list[str]:
    """Keys of the segments whose name contains a word."""
    return [key for key in context.segment_keys if word in _PARTS.split(context.titled(key).name.casefold())]
