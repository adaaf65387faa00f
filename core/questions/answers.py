"""Answer a question without a language model: exactly, or not at all.

A question asks for a topic (:mod:`core.questions.topics`), or is read as a query
(:mod:`core.questions.reading`); one in two parts is answered part by part. Anything else is declined with
the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import Final

from core.base.errors import Beha2VecError
from core.base.safe_text import clean
from core.base.wording import capitalised, pluralise
from core.facts.answer import Answer, Chart, ChartMark, Note, OtherReading, Reading
from core.facts.context import Context
from core.facts.fact_maker import notes
from core.profiles.profile_columns import Col
from core.query import answering
from core.query.in_words import by_words, sentence
from core.query.query import OF_TIME, By, Is, Quantity, Query
from core.questions import topics
from core.questions.changes import proposed
from core.questions.glossary import meaning
from core.questions.languages import in_english
from core.questions.lexicon import tokens
from core.questions.reading import NotRead, read
from core.questions.terms import terms_of
from core.questions.words import Kind, QuestionTerm, expand_chat_spelling

MAX_LENGTH: Final = 200
"""Length of a question in words, at most."""
_LONGEST: Final = 2_000
"""Length of a question in letters, at most."""
_ENDS: Final = re.compile(r"[?!;]\s+(?=\S)")
"""Where one question surely ends and another one begins."""
_JOINS: Final = re.compile(
    r",?\s+and\s+(?=(?:how|which|what|where|when|why|describe|compare)\b)", re.IGNORECASE
)
"""Where another question may begin."""
_GOES_ON: Final = re.compile(
    r"\s*(?:(?:only|just) (?!show|count)|(?:leave|filter|take) out|exclude|hide|make (?:it|that|them))\b",
    re.IGNORECASE,
)
"""How a change of the screen begins that may also be one of the last question."""
_SUBJECTS: Final = (Kind.NOUN, Kind.SEGMENT, Kind.TOTAL, Kind.DIMENSION)
_IT: Final = re.compile(r"\bits\b|\b(?:does|is|did|has) it\b(?!\s+takes?)", re.IGNORECASE)
_EVERYBODY: Final = frozenset({Kind.TOTAL, Kind.AVERAGE})
_IDLE: Final = frozenset({Kind.AND, Kind.FILLER, Kind.PREPOSITION})
_REFERS: Final = re.compile(r"\b(?:it|its|they|them|their)\b", re.IGNORECASE)
_BIGGEST: Final = re.compile(
    r"\b(?P<before>of|in|about|for|from|describe|with) the (?P<size>biggest|largest|smallest)"
    r" (?:segment|cluster|group)\b",
    re.IGNORECASE,
)
_CHARTS: Final = re.compile(r"\b(?:chart|plot|draw)\b")
_OFFERED: Final = 3
_ASKS_IF_SIGNIFICANT: Final = re.compile(
    r"\W*(?:(?:and|but|so)\s+)?(?:is|are|was|were)\s+(?:it|this|that|these|those|they|the\s+differences?)\s+"
    r"(?:(?:statistically|really|still)\s+)*significant(?:ly\s+different)?\W*",
    re.IGNORECASE,
)
NOT_COMPARED: Final = (
    "Whether two figures differ is tested where they are compared: ask for “conversion rate of segment 1 "
    "compared with segment 2”. A figure by itself has an interval, and nothing that it differs from."
)


def ask(question: str, context: Context, last: Reading | None = None) -> Answer:
    """Answer a question, or decline it with a reason and similar questions that can be answered.

    Args:
        question: In the analyst's words.
        context: The segments that it is about.
        last: What the question before was understood to ask, for one that goes on with it.
    """
    question = " ".join(question.split())
    if len(question) > _LONGEST:
        said = f"A question has at most {MAX_LENGTH} words, and {_LONGEST:,} letters."
        return Answer(notes(said), declined=True, suggestions=_nearest("", context))
    question = _with_biggest(expand_chat_spelling(in_english(question)), context)
    try:
        change = proposed(question, context)
        if change is None:
            return _answered(question, context, last)
        if _query(last) and _GOES_ON.match(question):
            with suppress(Beha2VecError):  # both: “only mobile” after “conversion rate by week”
                made = _answered(question, context, last)
                added = tuple(block for block in change.blocks if isinstance(block, Note))
                return replace(made, blocks=(*made.blocks, *added), change=change.change)
        return replace(change, reading=last)
    except Beha2VecError as error:
        said = _in_words(error.problem if error.problem.endswith(("?", ".")) else str(error))
        return Answer(notes(said), declined=True, suggestions=_nearest(question, context))


def _in_words(said: str) -> str:
    """A refusal with words in the place of names of measures and dimensions: ``order value``."""
    said = _NAMES.sub(lambda match: _WORDS[match.group()], said)
    return capitalised(said.replace("needs “of”: ", "needs "))


_WORDS: Final = {str(one): one.replace("_", " ") for one in Quantity if "_" in one} | {
    str(By.N_SESSIONS): by_words(By.N_SESSIONS),
    str(Quantity.TIME_TO): "time until a step",
}
_NAMES: Final = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b")


def _with_biggest(question: str, context: Context) -> str:
    """Put a segment in the place of “the biggest segment”, where something else is asked about it."""
    sizes = {key: context.row(key)[Col.USERS] for key in context.segment_keys}

    def named(match: re.Match[str]) -> str:
        first = max if match["size"].casefold() in ("biggest", "largest") else min
        return f"{match['before']} {context.titled(first(sizes, key=lambda key: sizes[key])).label}"

    return _BIGGEST.sub(named, question) if sizes else question


def _answered(question: str, context: Context, last: Reading | None) -> Answer:
    """Answer a question as a whole, or in two parts where another one begins within it.

    Raises:
        Beha2VecError: If it cannot be answered.
    """
    if len(tokens(question)) > MAX_LENGTH:
        raise NotRead(f"A question has at most {MAX_LENGTH} words.")
    ends, joins = _ENDS.search(question), _JOINS.search(question)
    for cut in (joins, None, ends) if ends else (joins, None):
        with suppress(Beha2VecError):
            if cut is None:
                return _whole(question, context, last)
            return _both(question[: cut.start()], question[cut.end() :], context, last)
    return _whole(question, context, last)


def _both(first: str, second: str, context: Context, last: Reading | None) -> Answer:
    """Answer two questions, of which the second may go on with the first.

    Raises:
        Beha2VecError: If either cannot be answered, or it is not clear whom the second is about.
    """
    left = _whole(first, context, last)
    right = _answered(second, context, left.reading)
    of_some = (one := _query(left.reading)) is not None and one.where is not None
    said = terms_of(second, context)
    if of_some and not _REFERS.search(second) and not any(term.kind in _SUBJECTS for term in said):
        # “of buyers, how many … and how many …”
        raise NotRead("It is not clear whom the second question is about.")
    return replace(
        right, blocks=(*left.blocks, *right.blocks), titles={**left.titles, **right.titles},
        query="\n".join(dict.fromkeys((left.query, right.query))), readings=(*left.readings, *right.readings),
    )  # fmt: skip


def _whole(question: str, context: Context, last: Reading | None) -> Answer:
    """Answer a question as a topic or a query.

    Raises:
        Beha2VecError: If it is neither, or the data cannot tell it.
    """
    if _ASKS_IF_SIGNIFICANT.fullmatch(question):
        compared = _query(last)
        if compared is None or compared.compare is None:
            raise NotRead(NOT_COMPARED)
        return answering.answer(compared, context)  # says whether they are shown to differ
    if said := meaning(question, context):
        return Answer(notes(said))
    terms = terms_of(question, context)
    asked = topics.read_topic(terms, context, last)
    if asked:
        made = topics.answer(asked, context)
    else:
        drawn = any(_CHARTS.search(term.text) for term in terms)
        before, kinds = _before(question, last), {term.kind for term in terms}
        readings: tuple[OtherReading, ...] = ()
        if before is not None and kinds & _EVERYBODY and kinds <= _EVERYBODY | _IDLE:
            query = before.model_copy(update={"where": None})  # “and overall?”
        elif before is not None and drawn and kinds <= {Kind.LIST, *_IDLE}:
            query = before  # “as a chart”
        else:
            possible = read(question, context, before)
            query, readings = possible.queries[0], _computed(possible.queries[1:], context)
            if possible.open_word and readings:
                said = f"“{clean(possible.open_word)}” names several things here. Which do you mean?"
                readings = (*_computed((query,), context), *readings)
                return Answer(notes(said), declined=True, readings=readings)
        if drawn and query.by is None and not query.compare:
            query = Query.checked(**{**dict(query), "by": By.SEGMENT})
        made = replace(answering.answer(query, context), readings=readings)
        if drawn:
            mark = ChartMark.LINE if query.by in OF_TIME else ChartMark.BAR
            made = replace(made, blocks=(*made.blocks, Chart(facts=made.facts, mark=mark)))
    return replace(made, blocks=(*notes(*_only_suggested(terms, context)), *made.blocks))


def _computed(queries: Iterable[Query], context: Context) -> tuple[OtherReading, ...]:
    """What a question can mean, each with its figure; without what has no answer."""
    found = []
    for query in queries:
        with suppress(Beha2VecError):
            made = answering.answer(query, context)
            figure = made.facts[0].text if len(made.facts) == 1 else pluralise(len(made.facts), "row")
            asked = query.model_dump_json(exclude_none=True)
            found.append(OtherReading(query=asked, text=sentence(query, context.title), figure=figure))
    return tuple(found)


def _query(reading: Reading | None) -> Query | None:
    return Query.model_validate_json(reading.query) if reading and reading.query else None


def _before(question: str, last: Reading | None) -> Query | None:
    """The last question as a query; of one about a topic, or where “it” is said, users of its segments."""
    segments = tuple(row for row in last.rows if row.startswith("segment:")) if last else ()
    query = _query(last)
    if not segments or (query and not (len(segments) == 1 and _IT.search(question))):
        return query
    return Query(where=Is(dimension=By.SEGMENT, any_of=segments))


def _only_suggested(terms: Sequence[QuestionTerm], context: Context) -> Iterator[str]:
    """Sentences on segments that were named by a name that was only suggested."""
    for term in terms:
        for key in term.value if term.kind is Kind.SEGMENT else ():
            if not key.startswith("segment:"):
                continue
            segment = int(context.row(key)[Col.SEGMENT])
            name = "" if context.names.get(segment) else context.suggested.get(segment, "")
            is_label = name.casefold() == context.titled(key).label.casefold()
            if name and not is_label and tokens(name) == tokens(term.text):
                yield f"“{clean(name)}” is only suggested as the name of {context.titled(key).label}."


# what can be asked instead


def _nearest(question: str, context: Context) -> tuple[str, ...]:
    """Questions that can be answered: the question without what is not understood, then usual ones."""
    offered = dict.fromkeys(_candidates(question, context))
    return tuple(islice((one for one in offered if _is_read(one, context)), _OFFERED))


def _candidates(question: str, context: Context) -> Iterator[str]:
    segments: list[str] = []
    with suppress(Beha2VecError):
        terms = terms_of(question, context)
        unknown = {term.text for term in terms if term.kind is Kind.UNKNOWN}
        known = (term.text for term in terms if term.kind is not Kind.UNKNOWN)
        kept = [text for text in known if text != "please"]  # what stands for a filler of another language
        if unknown and len(kept) > 1:
            yield " ".join(kept)
        segments = [key for term in terms if term.kind is Kind.SEGMENT for key in term.value]
    for key in segments[:2]:
        label = context.titled(key).label
        yield from (f"Describe {label}", f"What sets {label} apart?", f"Conversion rate of {label}")
    yield from (
        "Which segment has the highest conversion rate?", "How many users are there by device?",
        "How many sessions are there by week?", "How do the segments differ?",
    )  # fmt: skip


def _is_read(question: str, context: Context) -> bool:
    """Whether a question is understood; it is not answered, which may be slow."""
    try:
        asked = topics.read_topic(terms_of(question, context), context, None)
        return asked.is_whole if asked else bool(read(question, context))
    except Beha2VecError:
        return False
