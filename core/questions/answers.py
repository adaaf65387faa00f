"""Answer a question without a language model: exactly, or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeAlias

from core.base.errors import Beha2VecError, InputError
from core.facts import items
from core.facts.answer import Answer, Note, Reading, Title
from core.facts.context import ALL, Context, Tables
from core.facts.contrasting import sentence_on_tests
from core.facts.fact_maker import Figures, Finding, notes, with_bases
from core.facts.items import ATTRIBUTES, Dimension
from core.query import answering
from core.query.query import Query, composes
from core.questions.calls import merge_findings, only_nth
from core.questions.followups import OVER_ALL, reading, readings
from core.questions.grammar import CHOICES, parse
from core.questions.intents import Intent, choose_all
from core.questions.lexicon import expand_chat_spelling, vocabulary
from core.questions.parsed import SINGLE_FIGURE, Parsed, beside_outcome, goes_on, of_converted
from core.questions.reading import GOES_ON, NOT_UNDERSTOOD, NotRead, read
from core.questions.refusals import NOT_WHOLE, PART_ONLY, nearest, not_combined, problem
from core.questions.resolve import combine_words, reading_notes

HELP: Final = str(vocabulary()["help"])
_CUT: Final = re.compile(r"[?!;]\s+(?=\S)|\.\s+|,\s*(?:and\s+)?|\s+and\s+", re.IGNORECASE)
_Cut: TypeAlias = re.Match[str]
_CUTS: Final = 5
"""Most places at which a question is tried to be split into two."""
_ASKING: Final = re.compile(
    r"\s*(?:and\s+)?(?:what|which|who|how|where|why|do|does|is|are|show|list|give|tell|compare|describe|plot"
    r"|chart|rank|name)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Told:
    finding: Finding
    reading: Reading
    titles: dict[str, Title]


def ask(question: str, context: Context, last: Reading | None = None) -> Answer:
    """Answer a question, ask back, or decline with a reason and similar questions that can be answered.

    Args:
        question: In the analyst's words.
        context: The segments that it is about.
        last: What the question before was understood to ask, for one that goes on with it.
    """
    query = _read(question, context, last)
    if isinstance(query, Query) and (composes(query) or (last and last.query)):
        with suppress(Beha2VecError):
            return answering.answer(query, context)
    found = _by_intent(expand_chat_spelling(question), context, last)
    if found.declined and isinstance(query, Query):
        with suppress(Beha2VecError):
            return answering.answer(query, context)
    outdated = found.declined and any(isinstance(one, Note) and one.text in _OUTDATED for one in found.blocks)
    if outdated and isinstance(query, NotRead) and not str(query).startswith(NOT_UNDERSTOOD):
        return replace(found, blocks=notes(_line(query)))
    return found


_OUTDATED: Final = frozenset(
    (PART_ONLY, *(str(vocabulary()["untold"][cue]["says"]) for cue in ("time", "in_session", "threshold")))
)
"""Refusals of the older kinds of questions that queries have made untrue."""


def _read(question: str, context: Context, last: Reading | None) -> Query | Beha2VecError:
    """The question as a query, or why it is none."""
    before = Query.model_validate_json(last.query) if last and last.query else None
    if last and not last.query and question.casefold().strip().startswith(GOES_ON):
        return NotRead("It goes on with a question that was no query.")
    try:
        return read(question, context, before)
    except Beha2VecError as error:
        return error


def _by_intent(question: str, context: Context, last: Reading | None) -> Answer:
    """Answer a question of one of the kinds of :mod:`core.questions.intents`, or decline it."""
    parsed, figures = parse(question, context), Figures(context)
    offered = next(readings(parsed, _held(last, context)))
    if "help" in parsed.cues and not (parsed.unknown or parsed.topic):
        return Answer((Note(text=HELP),), suggestions=_near(offered, figures))
    try:
        told = _told(question, parsed, figures, last)
    except Beha2VecError as error:
        said = " ".join([*([] if parsed.language else parsed.notes), _line(error)])
        meant = _chosen_words(question, parsed, figures) or _near(offered, figures)
        return Answer(notes(said), declined=True, suggestions=meant)
    blocks, found = with_bases(told.finding.blocks, context), told.finding
    population = context.population_of(found.facts)
    return Answer(blocks, told.titles, found.query, reading=told.reading, population=population)


def _held(last: Reading | None, context: Context) -> Reading | None:
    """The reading of the question before, if its rows still exist."""
    return last if last and {*last.rows, *last.focus} <= {*context.keys} else None


def _chosen_words(question: str, parsed: Parsed, figures: Figures) -> tuple[str, ...]:
    """The question with an ambiguous word replaced by each of its meanings, where that can be answered."""
    for text, values in parsed.choices.items():
        words = re.compile(r"\W+".join(map(re.escape, text.split())), re.IGNORECASE)
        meant = (words.sub(value.replace("\\", r"\\"), question, count=1) for value in values[:CHOICES])
        return tuple(one for one in meant if _understood(one, figures))
    return ()


def _line(error: Beha2VecError) -> str:
    return error.problem if error.problem.endswith(("?", ".")) else str(error)


def _near(parsed: Parsed, figures: Figures) -> tuple[str, ...]:
    """Similar questions that can be answered; they are checked without running them, which may be slow."""
    return nearest(parsed, figures.context, partial(_understood, figures=figures))


def _understood(question: str, figures: Figures) -> bool:
    try:
        chosen = _chosen(parse(question, figures.context), figures)
    except InputError:
        return False
    return all(_has_all(one, figures) for _, one in chosen)


def _has_all(parsed: Parsed, figures: Figures) -> bool:
    """Whether the data have the measures and kinds of items, and segments to rank."""
    context = figures.context
    kinds = {*parsed.dimensions} - {Dimension.PAGE}
    return (
        all(figures.measure(ALL, name) for name in parsed.measures)
        and all(items.values(context, kind) for kind in kinds)
        and (bool(parsed.rows) or len(context.segment_keys) > 1)
    )


def _told(question: str, parsed: Parsed, figures: Figures, last: Reading | None) -> _Told:
    """Answer a question as a whole or part by part; what surely is several questions is never read as one.

    Raises:
        InputError: If it is not understood in full.
    """
    cuts = [cut for cut in _CUT.finditer(question) if _says(question[: cut.start()], figures.context)][:_CUTS]
    several = any(_is_sure(cut, question) for cut in cuts)
    if several and (told := _parts(question, cuts, figures, last)):
        return told
    try:
        if not several or parsed.unknown or parsed.missing or parsed.asks:
            return _whole(parsed, figures, last)
        raise InputError(_not_all(question, cuts, figures, last))
    except InputError:
        if not several and (told := _parts(question, cuts, figures, last)):
            return told
        raise


def _says(text: str, context: Context) -> bool:
    """Whether a text says anything beyond filler words such as a greeting."""
    parsed = parse(text, context)
    return bool(parsed.length or parsed.unknown or parsed.missing)


def _is_sure(cut: _Cut, question: str) -> bool:
    """Whether one question surely ends at a cut and another one begins."""
    return cut.group()[0] in "?!;" or bool(
        "and" in cut.group().casefold() and _ASKING.match(question[cut.end() :])
    )


def _parts(question: str, cuts: Sequence[_Cut], figures: Figures, last: Reading | None) -> _Told | None:
    """Answer a question in two parts, the first of which may be split again; None where a part is unclear."""
    for place, cut in reversed([*enumerate(cuts)]):
        left, right = (
            parse(text, figures.context) for text in (question[: cut.start()], question[cut.end() :])
        )
        if not (_is_sure(cut, question) or (_stands(right) and not left.leans)):
            continue  # “of those who saw /cart, what share …”
        if (
            right.rows
            and not _ASKING.match(question[cut.end() :])
            and not (left.rows or left.cues & OVER_ALL)
        ):
            left = replace(left, rows=right.rows)
        try:
            first = _first(question[: cut.start()], left, cuts[:place], figures, last)
            second = _whole(right, figures, first.reading)
        except Beha2VecError:
            continue
        titles = first.titles | second.titles
        return _Told(merge_findings([first.finding, second.finding]), second.reading, titles)
    return None


def _first(text: str, parsed: Parsed, cuts: Sequence[_Cut], figures: Figures, last: Reading | None) -> _Told:
    try:
        return _whole(parsed, figures, last)
    except Beha2VecError:
        if told := _parts(text, cuts, figures, last):
            return told
        raise


def _stands(parsed: Parsed) -> bool:
    """Whether a part without a question word is a question by itself, apart from the part before."""
    asks = bool(parsed.cues - {"viewed", "also", "pronoun"} or parsed.measures or parsed.dimensions)
    ordered = parsed.cues & OVER_ALL and (parsed.measures or parsed.cues <= OVER_ALL)
    return asks and not parsed.of_row and bool(parsed.rows or ordered or "pronoun" in parsed.cues)


def _not_all(question: str, cuts: Sequence[_Cut], figures: Figures, last: Reading | None) -> str:
    """Message on which part of several is not understood, and why."""
    for cut in (cut for cut in cuts if _is_sure(cut, question)):
        for text in (question[: cut.start()], question[cut.end() :]):
            try:
                _whole(parse(text, figures.context), figures, last)
            except Beha2VecError as error:
                return f"Not all of it is understood: “{' '.join(text.split())}”. {_line(error)}"
    return "These are several questions, and not all of them are understood. Ask them one by one."


def _whole(parsed: Parsed, figures: Figures, last: Reading | None) -> _Told:
    """Answer a question as a whole.

    Raises:
        InputError: If it is not understood, or a figure is absent.
    """
    problems = []
    for meant, asked in _meanings(parsed, figures, last):
        try:
            chosen = _chosen(meant, asked)
        except InputError as error:
            problems.append(error)
            continue
        found = merge_findings([intent.run(asked, one) for intent, one in chosen])
        made = combine_words(meant, asked.context)
        said = notes(*meant.notes, *reading_notes(meant, made))
        told = replace(found, blocks=(*said, *only_nth(found.blocks, made.nth)))
        if "trust" in meant.cues:  # “is the difference real”
            told = replace(told, blocks=(*told.blocks, *notes(sentence_on_tests(asked.context, told.blocks))))
        if asked is not figures:
            told = replace(told, blocks=beside_outcome(told.blocks))
        rows = dict.fromkeys(row for fact in told.facts for row in fact.segments)
        return _Told(told, reading(made, found.blocks), asked.context.titles(rows))
    raise problems[0]


def _meanings(parsed: Parsed, figures: Figures, last: Reading | None) -> Iterator[tuple[Parsed, Figures]]:
    """Readings of a question with the rows they are about, the likelier first.

    “Buyers” are read as a figure first; as a row first only where it is asked how they differ.
    """
    context, follows = figures.context, goes_on(parsed, last)
    as_figure = iter(
        [] if follows else [(meant, figures) for meant in readings(parsed, _held(last, context))]
    )
    if "differ" not in parsed.cues:
        yield from as_figure
    of_them = [*readings(parsed, last)] if follows else [of_converted(parsed, context)]
    if any(of_them) and context.tables.by_outcome:
        yield from ((meant, _of_converted(meant, context.tables)) for meant in of_them if meant)
    elif follows:  # whom it is about is gone
        yield parsed, figures
    yield from as_figure


def _of_converted(meant: Parsed, tables: Tables) -> Figures:
    return Figures(
        Context((tables.converted if meant.cues <= SINGLE_FIGURE else tables.by_outcome) or tables)
    )


def _chosen(meant: Parsed, figures: Figures) -> list[tuple[Intent, Parsed]]:
    """The intents that a question matches, each with the parts it runs on.

    Raises:
        InputError: If it is not understood.
    """
    wrong = problem(meant, figures.context)
    made = combine_words(meant, figures.context)
    chosen = [] if wrong else choose_all(made)
    unclear = (said for pair in chosen if (said := _unclear(*pair)))
    if wrong := wrong or next(unclear, "" if chosen else not_combined(made)):
        raise InputError(wrong)
    return chosen


def _unclear(intent: Intent, parsed: Parsed) -> str:
    """Message on what an intent needs and the question does not say; empty where nothing is missing."""
    if intent.name == "size" and not parsed.rows and not parsed.nouns:
        return "How many of what? Name users, sessions or another figure."
    if intent.name == "saw" and parsed.items[0][0] in ATTRIBUTES:
        return PART_ONLY
    of_whom = {"which", "who"} & parsed.fills or parsed.cues & {"segments", "share", "many"}
    if intent.name == "rank_item" and "what" in parsed.fills and not of_whom:
        return NOT_WHOLE
    return ""
