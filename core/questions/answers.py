"""Answer a question without a model: exactly, or not at all."""

from __future__ import annotations

import re
from typing import Final

from core.base.errors import Beha2VecError
from core.facts import items
from core.facts.answer import Answer
from core.facts.context import Context
from core.facts.fact_book import FactBook
from core.facts.fact_maker import Figures
from core.facts.items import Dimension
from core.facts.measures import clean
from core.profiles.profile_columns import Col
from core.questions.grammar import Parsed, parse
from core.questions.intents import Intent, choose

HELP: Final = (
    "You can ask for: a figure (“outcome rate of segment 2”), a ranking (“which segment has the most "
    "sessions”), a comparison (“compare segment 1 and 2”), top pages, themes, page types, devices, browsers, "
    "countries or sources (“top pages of segment 3”), what sets a segment apart, a share (“share of "
    "mobile users in segment 2”), paths (“what comes after /cart in segment 2”, “where do users of "
    "segment 1 enter”), a description, a persona, the most similar segments, what changed, who is "
    "above average (“segments above average in sessions a user”), or a chart (“chart the outcome rate by "
    "segment”)."
)
SHOWN: Final = 5
PURCHASE: Final = "purchase"
BETTER: Final = {"best": "most", "worst": "least"}
PARTS: Final = re.compile(r"[^\w]+")


def ask(
    question: str, context: Context, book: FactBook | None = None, parsed: Parsed | None = None
) -> Answer:
    """Answer a question, ask back, or say what can be asked.

    Args:
        question: In the analyst's words.
        context: What it is about.
        book: Where the facts of the turn are entered; a new one when None.
        parsed: What the question says, where it was read before.
    """
    parsed = parsed or parse(question, context)
    if "help" in parsed.cues and not parsed.unknown:
        return Answer(HELP)
    if problem := _problem(parsed, context):
        return Answer(problem, declined=True)
    intent = choose(_settled(parsed, context))
    if intent is None or (intent.name.endswith("_size") and not _about_size(parsed)):
        return Answer(_not_combined(parsed, context), declined=True)
    if intent.name == "rank_item" and not _says_of_what(parsed):
        return Answer("Do you mean the number of users, or their share of the segment?", declined=True)
    return _answer(intent, parsed, Figures(context, book or FactBook(context.tables.digest)))


def _answer(intent: Intent, parsed: Parsed, figures: Figures) -> Answer:
    try:
        found = intent.run(figures, parsed)
    except Beha2VecError as error:
        return Answer(" ".join([*parsed.notes, str(error)]), declined=True)
    text = " ".join([*parsed.notes, found.text])
    return Answer(text, found.facts, found.table, found.query, chart=found.chart)


def _problem(parsed: Parsed, context: Context) -> str:
    """Why the question cannot be answered as it stands; empty if it can."""
    if parsed.missing:
        return _no_such_segment(parsed.missing, context)
    if parsed.asks:
        return " ".join(dict.fromkeys(parsed.asks))
    if parsed.unknown:
        return _not_understood(parsed, context)
    if "pronoun" in parsed.cues and not parsed.rows and "changed" not in parsed.cues:
        return f"Which segment do you mean? {_numbered(context)}"
    if {"most", "least"} <= parsed.cues:
        return "Do you mean the most or the least?"
    named = parsed.metrics or ("interested" in parsed.cues and parsed.items)
    if "vague" in parsed.cues or (not named and parsed.cues & _unsaid(parsed, context)):
        return (
            "By what? Name a figure, such as the outcome rate, the revenue a user, the sessions a user, the "
            "page views a user or the engagement time."
        )
    wrong = [
        dimension for dimension, _ in parsed.items if set(parsed.dimensions) - {dimension, Dimension.PAGE}
    ]
    return f"That is no {parsed.dimensions[0]}. {HELP}" if wrong else ""


def _unsaid(parsed: Parsed, context: Context) -> set[str]:
    """Words that need a figure beside them; a share or number of those who buy is the outcome's."""
    counts = context.tables.profiles.outcome == PURCHASE and parsed.cues & {"share", "many"}
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
    return " ".join([f"I do not understand {words}, so I do not answer.", *dict.fromkeys(hints), HELP])


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


def _settled(parsed: Parsed, context: Context) -> Parsed:
    """Without words that add nothing beside what else was said; “best” is most of the figure named."""
    parsed.cues -= {"pronoun"}
    parsed.cues = {BETTER.get(cue, cue) for cue in parsed.cues}
    if "buys" in parsed.cues and not parsed.metrics and not parsed.items:
        share = "share" in parsed.cues
        parsed.cues -= {"buys", "share", "many"}
        parsed.metrics.append(Col.OUTCOME_RATE if share else Col.OUTCOME_USERS)
    if parsed.rows:
        parsed.cues -= {"segments"}
    if {"bar", "line", "point"} & parsed.cues:
        parsed.cues.add("chart")
    return parsed


def _about_size(parsed: Parsed) -> bool:
    """Most of what? Of users, if they are spoken of or the segment is called big or small."""
    return parsed.nouns or bool(parsed.cues & {"biggest", "smallest"})


def _says_of_what(parsed: Parsed) -> bool:
    return parsed.nouns or bool(parsed.metrics) or bool(parsed.cues & {"share", "many"})


def _not_combined(parsed: Parsed, context: Context) -> str:
    if "rest" in parsed.cues or ("compare" in parsed.cues and len(parsed.rows) == 1):
        return "I can compare a segment with another one or with all users: name both."
    if not (parsed.cues or parsed.metrics or parsed.rows or parsed.items or parsed.dimensions):
        return HELP
    return f"I understand the words, but not the question as a whole. {HELP}"
