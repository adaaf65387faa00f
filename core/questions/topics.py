"""Topics: what a question asks that is no figure of a query, such as what a segment is like.

A topic is asked by a phrase of its own (``topics`` in ``words.yaml``); beside it may stand only whom it is
about, and words that ask nothing further. What each says comes from the rooms that draw the pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from core.base.errors import InputError
from core.base.safe_text import clean
from core.base.schema import View
from core.facts import items, like_tools, move_tools, other_tools, rule_tools, segment_tools
from core.facts.answer import Answer, Block, Contrast, FigureList, Reading, facts_of
from core.facts.context import ALL, PASTED, WITH, WITHOUT, Context
from core.facts.fact_maker import Figures, Finding, answer_of, notes, select, without_none
from core.facts.items import ItemMetric
from core.facts.segment_tools import is_rate
from core.facts.steps import step_view
from core.profiles.profile_columns import HEAT_MAP, Col
from core.query import answering
from core.query.query import By, Dimension, Quantity, Query, dimension_of
from core.questions import advice
from core.questions.terms import terms_of
from core.questions.words import Kind, QuestionTerm, file_of_words, listed

HELP: Final = str(file_of_words()["help"])


class TopicKind(StrEnum):
    """What can be asked that no query counts."""

    HELP = "help"
    DESCRIBE = "describe"
    PERSONA = "persona"
    WHY = "why"
    DIFFER = "differ"
    RULE = "rule"
    SURE = "sure"
    NEAREST = "nearest"
    LOOK_ALIKES = "look_alikes"
    CHANGED = "changed"
    SAMPLE = "sample"
    SEGMENTS = "segments"
    STEPS = "steps"
    MOVES = "moves"
    ROUTES = "routes"
    FUNNEL = "funnel"
    ADVISE = "advise"


@dataclass(frozen=True)
class TopicQuestion:
    """A topic, and whom it is asked of.

    Args:
        topic: What is asked.
        rows: Keys of rows of the segments table, in the order named; ``list`` for the pasted users.
        measure: Column of the segments table whose value is to be explained; empty for none.
        by: Whether steps are between pages, themes or types; empty for what the data has.
        number: How many to list; None if not said.
    """

    topic: TopicKind
    rows: tuple[str, ...] = ()
    measure: str = ""
    by: str = ""
    number: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it names as many rows as its topic needs."""
        topic = TOPICS[self.topic]
        return len(self.rows) >= topic.least or bool(topic.usual)


Run = Callable[[Figures, TopicQuestion], Finding]


@dataclass(frozen=True)
class _Answerer:
    """How a topic is answered.

    Args:
        run: Makes the figures.
        says: What it tells, for whoever chooses among topics.
        least: Fewest rows that it needs.
        usual: The row that it is about where none is named; empty for none.
        beside: Kinds of terms that may stand beside its phrase, apart from those of every topic.
    """

    run: Run
    says: str
    least: int = 0
    usual: str = ""
    beside: tuple[Kind, ...] = ()


# what each topic says


def _of_row(tool: Callable[[Figures, str], Finding]) -> Run:
    return lambda figures, asked: tool(figures, asked.rows[0])


def _of_all(tool: Callable[[Figures], Finding]) -> Run:
    return lambda figures, asked: tool(figures)


def _differ(figures: Figures, asked: TopicQuestion) -> Finding:
    """What sets one row apart, or two or all rows from each other; of more rows their usual figures."""
    if len(asked.rows) == 1 and asked.by:
        dimension = asked.by
        found = items.top(figures.context, asked.rows[0], dimension, ItemMetric.LIFT, asked.number or _LISTED)
        facts = without_none(figures.item(asked.rows[0], dimension, one, ItemMetric.LIFT) for one in found)
        query = select("value, lift", items.table_of(dimension), key=asked.rows[0])
        return Finding((FigureList(facts=facts),) if facts else notes(segment_tools.NOTHING_APART), query)
    if len(asked.rows) == 1:
        return segment_tools.why(figures, asked.rows[0], asked.measure or None)
    if len(asked.rows) == 2:
        return segment_tools.compare(figures, *asked.rows)
    if not asked.rows:
        return segment_tools.compare_all(figures)
    usual = [name for name in (Col.USERS, *HEAT_MAP) if figures.measure(ALL, name)]
    facts = tuple(fact for row in asked.rows for name in usual for fact in figures.each(row, name))
    return Finding(
        (FigureList(facts=facts),), select(", ".join(usual), "segments", key=", ".join(asked.rows))
    )


def _sure(figures: Figures, asked: TopicQuestion) -> Finding:
    """How sure the first named segment is, where that was measured; else the verdict on all segments."""
    measured = {f"segment:{segment}" for segment in figures.context.certificates}
    for row in asked.rows:
        if row in measured:
            return other_tools.how_sure(figures, row)
    verdict = figures.context.verdict
    return Finding(notes(verdict or TRUST, HOW_SURE if verdict else "", TESTED))


TRUST: Final = (
    "Whether these segments are there at all, and how sure one is, is measured under Segments, Trust, not "
    "here."
)
HOW_SURE: Final = "How sure one of them is, is measured under Segments, Trust."
TESTED: Final = "Whether two of them differ in a figure is tested where they are compared."
_LISTED: Final = 5
"""Entries of a list where the question does not say how many."""
_NEAREST: Final = 3


def _nearest(figures: Figures, asked: TopicQuestion) -> Finding:
    """The segments nearest to one; without one the two that are nearest to each other."""
    if asked.rows:
        return other_tools.nearest_segments(figures, asked.rows[0], asked.number or _NEAREST)
    near = [fact for key in figures.context.segment_keys for fact in figures.nearest(key, 1)]
    if not near:
        raise InputError("There are not two segments to compare")
    closest = min(near, key=lambda fact: fact.value)
    return Finding((FigureList(facts=(closest,)),), select("key, other, distance", "centroids"))


def _steps(figures: Figures, asked: TopicQuestion) -> Finding:
    by = asked.by or _usual_steps(figures)
    return move_tools.steps(figures, asked.rows[0], by, asked.number or _LISTED)


def _moves(figures: Figures, asked: TopicQuestion) -> Finding:
    by = asked.by or _usual_steps(figures)
    return move_tools.differing_steps(figures, asked.rows[0], by, asked.number or _LISTED)


def _usual_steps(figures: Figures) -> str:
    return "type" if step_view(figures.context) is View.TYPE else "page"


def _routes(figures: Figures, asked: TopicQuestion) -> Finding:
    return move_tools.routes(figures, asked.rows[0], asked.by or "page", asked.number or _LISTED)


def _funnel(figures: Figures, asked: TopicQuestion) -> Finding:
    """The funnel that the analyst built on Journeys, or the usual way to the outcome, as a query."""
    context = figures.context
    steps, users = advice.funnel_steps(context), advice.users_of(asked.rows[0])
    found = answering.answer(Query(measure=Quantity.FUNNEL, of=steps, where=users), context)
    return Finding((*found.blocks, *notes(OWN_FUNNEL if context.funnel else USUAL_FUNNEL)), found.query)


def _advise(figures: Figures, asked: TopicQuestion) -> Finding:
    rows = [row for row in asked.rows if row != ALL]
    if len(rows) > 1:
        raise InputError("What to do is told of one segment at a time")
    return advice.advise(figures, *(rows or [""]))


OWN_FUNNEL: Final = "This is the funnel of Journeys."
USUAL_FUNNEL: Final = "No funnel was built on Journeys, so this is the usual way to the outcome."

_FIGURES: Final = (Kind.MEASURE, Kind.OUTCOME, Kind.UNIT, Kind.MOST, Kind.LEAST, Kind.STEP, Kind.THAN)
TOPICS: Final[Mapping[TopicKind, _Answerer]] = {
    TopicKind.HELP: _Answerer(_of_all(lambda figures: Finding(notes(HELP))), "what can be asked"),
    TopicKind.DESCRIBE: _Answerer(_of_row(segment_tools.paragraph), "all that describes one segment", 1),
    TopicKind.PERSONA: _Answerer(_of_row(segment_tools.persona), "what a buyer persona of it may rest on", 1),
    TopicKind.WHY: _Answerer(_differ, "what sets one segment apart from the others", 1, beside=_FIGURES),
    TopicKind.DIFFER: _Answerer(
        _differ, "what two segments differ in; of none, all segments", beside=(Kind.COMPARE, Kind.OTHERS)
    ),
    TopicKind.RULE: _Answerer(
        _of_row(rule_tools.segment_rule), "one segment as a few conditions, with precision and recall", 1,
        beside=(Kind.MOST,),
    ),
    TopicKind.SURE: _Answerer(_sure, "how sure a segment is, or whether there are any"),
    TopicKind.NEAREST: _Answerer(
        _nearest, "the segments most like one; of none, the two most alike", beside=(Kind.MOST,)
    ),
    TopicKind.LOOK_ALIKES: _Answerer(
        _of_row(like_tools.look_alikes), "how many other users are like those of a segment", 1, PASTED,
        beside=(Kind.MANY, Kind.MOST),
    ),
    TopicKind.CHANGED: _Answerer(
        _of_all(other_tools.what_changed), "who changed the segment at the last move of a slider",
        beside=(Kind.MANY, Kind.SHARE),
    ),
    TopicKind.SAMPLE: _Answerer(
        _of_all(other_tools.who_is_counted), "whether all users of the export are counted",
        beside=(Kind.MANY, Kind.SHARE),
    ),
    TopicKind.SEGMENTS: _Answerer(_of_all(segment_tools.list_segments), "all segments and their sizes"),
    TopicKind.STEPS: _Answerer(
        _steps, "the most frequent steps between pages or types", 1, ALL, beside=(Kind.MOST, Kind.TOP)
    ),
    TopicKind.MOVES: _Answerer(
        _moves, "steps that its users take more or less often than the others", 1, beside=(Kind.MOST,)
    ),
    TopicKind.ROUTES: _Answerer(
        _routes, "the most common whole sessions", 1, ALL, beside=(Kind.MOST, Kind.TOP)
    ),
    TopicKind.FUNNEL: _Answerer(
        _funnel, "users by step of the analyst's funnel, or of the usual one", 1, ALL,
        beside=(Kind.STEP_BY_STEP, Kind.MANY, Kind.LEFT),
    ),
    TopicKind.ADVISE: _Answerer(
        _advise, "what to try for a segment, or for more of the outcome", beside=(Kind.OUTCOME, Kind.MOST)
    ),
}  # fmt: skip


# answering


def answer(asked: TopicQuestion, context: Context) -> Answer:
    """Answer a question about a topic.

    Raises:
        InputError: If it needs a segment and has none, or the data cannot tell it.
    """
    topic = TOPICS[asked.topic]
    rows = asked.rows or ((topic.usual,) if topic.usual else ())
    if len(rows) < topic.least:
        raise InputError(f"Which segment do you mean? {numbered(context)}")
    if {WITH, WITHOUT} & {*rows}:
        return _of_converted(replace(asked, rows=rows), context)
    found = topic.run(Figures(context), replace(asked, rows=rows))
    made = answer_of(found.blocks, context, query=found.query)
    return replace(made, reading=Reading(topic=asked.topic, rows=asked.rows or _focus(found.blocks)))


def numbered(context: Context) -> str:
    """Sentence that names the segments."""
    return f"The segments are {', '.join(map(context.title, context.segment_keys))}."


def _focus(blocks: Sequence[Block]) -> tuple[str, ...]:
    """The segment that an answer speaks of first."""
    rows = (fact.row for fact in facts_of(blocks) if fact.row.startswith("segment:"))
    return tuple(dict.fromkeys(rows))[:1]


# users with the outcome, whatever their segment

CONVERTED: Final = "That they converted is what makes them this row; none of the others did."


def _of_converted(asked: TopicQuestion, context: Context) -> Answer:
    """Answer about the clustered users with the outcome as a row of their own, in place of segments."""
    tables = context.tables.by_outcome
    if tables is None:
        raise InputError("Either nobody in a segment has the outcome, or everybody has")
    if asked.topic in (TopicKind.WHY, TopicKind.DIFFER):
        asked = replace(asked, rows=(WITH, WITHOUT), measure="")
    about = Context(tables)
    found = TOPICS[asked.topic].run(Figures(about), asked)
    outcome = clean(context.tables.profiles.outcome or "")
    said = notes(f"Converted users are the clustered ones with {outcome}, whatever their segment.")
    made = answer_of((*said, *_beside_outcome(found.blocks)), about, query=found.query)
    return replace(
        made, population=context.population_of(made.facts), reading=Reading(topic=asked.topic, rows=(WITH,))
    )


def _beside_outcome(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """The blocks without conversion rates, which are 0 or 100 % of converted users by definition."""
    kept: list[Block] = []
    for block in blocks:
        if isinstance(block, FigureList):
            block = FigureList(facts=tuple(fact for fact in block.facts if not is_rate(fact)))
            kept += [block] if block.facts else []
        elif not (isinstance(block, Contrast) and is_rate(block.first)):
            kept.append(block)
    return tuple(kept) if facts_of(kept) or not facts_of(blocks) else (*kept, *notes(CONVERTED))


# reading

_BESIDE: Final = (
    Kind.FILLER, Kind.WHICH, Kind.PREPOSITION, Kind.NOUN, Kind.LIST, Kind.AND, Kind.OR, Kind.ARE, Kind.DID,
    Kind.RELATIVE, Kind.TOTAL, Kind.SEGMENT, Kind.OTHERS, Kind.NUMBER, Kind.CAME, Kind.AVERAGE, Kind.PER_USER,
)  # fmt: skip
"""Kinds of terms that may stand beside every topic: they ask for no figure."""
_COLUMNS: Final = {
    "users": Col.USERS, "sessions": Col.SESSIONS, "sessions_per_user": Col.SESSIONS_MEAN,
    "views": Col.PAGE_VIEWS, "views_per_user": Col.PAGE_VIEWS_MEAN,
    "views_per_session": Col.PAGES_PER_SESSION, "pages_per_user": Col.DIFFERENT_PAGES_MEAN,
    "engagement": Col.ENGAGEMENT_MEAN, "revenue": Col.REVENUE, "net_revenue": Col.NET_REVENUE,
    "revenue_per_user": Col.REVENUE_PER_USER, "session_rate": Col.SESSION_RATE, "share": Col.OUTCOME_RATE,
}  # fmt: skip
"""Measure of a query → column of the segments table."""
_STEPS_BY: Final[Mapping[str, str]] = {By.PAGE: "page", By.THEME: "theme", By.TYPE: "type"}
_OF_ALL: Final = (TopicKind.HELP, TopicKind.CHANGED, TopicKind.SAMPLE, TopicKind.SEGMENTS)
"""Topics that are asked of no segment."""
_BY_PAGE: Final = (TopicKind.STEPS, TopicKind.MOVES, TopicKind.ROUTES, TopicKind.WHY)
"""Topics that can be asked of pages, themes or types."""
_LISTS: Final = (TopicKind.NEAREST, TopicKind.STEPS, TopicKind.MOVES, TopicKind.ROUTES)
"""Topics of which a question can say how many to list."""
_LIKE: Final = "like"
"""Value of a phrase that describes, or asks for what is like a segment, by the words before it."""


def read_topic(terms: Sequence[QuestionTerm], context: Context, last: Reading | None) -> TopicQuestion | None:
    """The topic that a question asks, and of whom; None where it asks for none, or for something beside it.

    Args:
        terms: The question, cut into terms.
        context: The segments that it is about.
        last: What the question before was understood to ask.
    """
    said = [term for term in terms if _topics(term)]
    rows = _rows(terms, context)
    if not said:
        return _going_on(terms, rows, last)
    topic = _chosen(said, terms, rows)
    if (rows and topic in _OF_ALL) or (WITH in rows and topic is TopicKind.ADVISE):
        return None
    allowed = (*_BESIDE, *TOPICS[topic].beside)
    beside = [term for term in terms if term not in said]
    if not all(_may_stand(term, topic, allowed) or _is_row(term, rows, context) for term in beside):
        return None
    measure = next(filter(None, (_column(term, context) for term in beside)), "")
    of_it = TOPICS[topic].least or (topic in _OF_IT and _says_it(terms))
    if last is not None and of_it and not (rows or TOPICS[topic].usual):
        rows, measure = _spoken_of(last, context), measure or _measure_of(last)
    topic, rows = _settled(topic, rows, terms, _spoken_of(last, context) if last else ())
    by = next((_STEPS_BY[dimension] for term in terms if (dimension := _by(term) or "") in _STEPS_BY), "")
    numbers = [int(term.value) for term in terms if term.kind is Kind.NUMBER]
    of_items = topic in (TopicKind.WHY, TopicKind.DIFFER) and bool(by) and len(rows) == 1
    if len(numbers) > (topic in _LISTS or of_items):
        raise InputError(f"The number {numbers[-1]} has no place in what I read, so I do not answer.")
    number = numbers[0] if numbers else None
    return TopicQuestion(topic, rows, measure if topic is TopicKind.WHY else "", by, number)


def rows_named(question: str, context: Context) -> tuple[str, ...]:
    """Keys of the segments that a question names.

    Raises:
        SettingsError: If one does not exist.
    """
    return _rows(terms_of(question, context), context)


def _settled(
    topic: TopicKind, rows: tuple[str, ...], terms: Sequence[QuestionTerm], spoken: tuple[str, ...]
) -> tuple[TopicKind, tuple[str, ...]]:
    """The topic and the rows, with those that “it”, “all users” and “the segments” stand for."""
    it = terms[0].text == "and" or _says_it(terms)
    if topic is TopicKind.DIFFER and len(rows) == 1 and it:
        rows = tuple(dict.fromkeys((*spoken[:1], *rows)))  # “compare it with segment 4”
    if any(term.kind in (Kind.TOTAL, Kind.AVERAGE) for term in terms) and len(rows) < 2:
        if rows and topic in (TopicKind.WHY, TopicKind.DIFFER):
            return TopicKind.DIFFER, (*rows, ALL)
        rows = rows or (ALL,)
    if not rows and any(_by(term) is By.SEGMENT for term in terms):
        topic = {TopicKind.DESCRIBE: TopicKind.SEGMENTS, TopicKind.WHY: TopicKind.DIFFER}.get(topic, topic)
    return topic, rows


def _going_on(
    terms: Sequence[QuestionTerm], rows: tuple[str, ...], last: Reading | None
) -> TopicQuestion | None:
    """A question that is only a segment: what the last topic says of it, or what it is like."""
    kinds = [term.kind for term in terms if term.kind is not Kind.FILLER]
    if kinds == [Kind.WHICH, Kind.ARE, Kind.SEGMENT] and terms[0].text == "who" and len(rows) == 1:
        return TopicQuestion(TopicKind.DESCRIBE, rows)  # “who are the loyal readers”
    if not rows or any(kind not in _GOING_ON for kind in kinds):
        return None
    if last is not None and last.topic:
        of_both = last.topic == TopicKind.DIFFER and len(last.rows) == 2 and len(rows) == 1
        return TopicQuestion(TopicKind(last.topic), (last.rows[0], *rows) if of_both else rows)
    alone = last is None and all(term.kind in (Kind.SEGMENT, Kind.FILLER) for term in terms)
    return TopicQuestion(TopicKind.DESCRIBE, rows) if len(rows) == 1 and alone else None


def _may_stand(term: QuestionTerm, topic: TopicKind, allowed: Sequence[Kind]) -> bool:
    """Whether a term may stand beside the phrase of a topic."""
    idle = term.kind is Kind.UNKNOWN and term.text in listed("beside_topics")
    return idle or term.kind in allowed or _is_named(term, topic)


def _says_it(terms: Sequence[QuestionTerm]) -> bool:
    """Whether a question refers to what the last answer spoke of."""
    return any(word in _IT for term in terms for word in term.text.split())


_IT: Final = ("it", "its", "them", "they")
_OF_IT: Final = (TopicKind.ADVISE, TopicKind.SURE)
"""Topics of no segment in particular, unless a question refers to one."""
_GOING_ON: Final = (Kind.FILLER, Kind.PREPOSITION, Kind.AND, Kind.SEGMENT, Kind.OUTCOME, Kind.NOUN)


def _topics(term: QuestionTerm) -> list[str]:
    """The topics that a term can ask for."""
    own = [term.value] if term.kind is Kind.TOPIC else []
    return [*own, *_others(term, Kind.TOPIC)]


def _others(term: QuestionTerm, kind: Kind) -> list[Any]:
    """What else of a kind the words of a term can name."""
    return [pair[1] for pair in term.others if isinstance(pair, tuple) and pair[0] is kind]


def _chosen(said: Sequence[QuestionTerm], terms: Sequence[QuestionTerm], rows: Sequence[str]) -> TopicKind:
    """The topic of a question with several phrases for topics: the most special one."""
    named = [value for term in said for value in _topics(term)]
    before = list(terms[: list(terms).index(said[0])])
    if _LIKE in named:
        named.remove(_LIKE)
        of_segments = any(_by(term) is By.SEGMENT for term in before)
        of_users = any(term.kind in (Kind.NOUN, Kind.MANY) for term in before)
        following = any(term.kind is Kind.SEGMENT or term.text == "list" for term in terms[len(before) :])
        like = TopicKind.NEAREST if of_segments else TopicKind.LOOK_ALIKES if of_users else TopicKind.DESCRIBE
        named.append(like if following or like is TopicKind.NEAREST else TopicKind.DESCRIBE)
    topics = sorted((TopicKind(value) for value in named), key=_SPECIAL.index)
    if topics[0] is TopicKind.NEAREST and len(rows) > 1:
        return TopicKind.DIFFER
    return topics[0]


_SPECIAL: Final = (
    TopicKind.ADVISE, TopicKind.SURE, TopicKind.SAMPLE, TopicKind.CHANGED, TopicKind.PERSONA, TopicKind.RULE,
    TopicKind.LOOK_ALIKES, TopicKind.NEAREST, TopicKind.ROUTES, TopicKind.MOVES, TopicKind.STEPS,
    TopicKind.FUNNEL, TopicKind.WHY, TopicKind.DIFFER, TopicKind.SEGMENTS, TopicKind.DESCRIBE, TopicKind.HELP,
)  # fmt: skip
"""All topics, the most special first."""


def _rows(terms: Sequence[QuestionTerm], context: Context) -> tuple[str, ...]:
    named = [key for term in terms if term.kind is Kind.SEGMENT for key in term.value]
    if not named and any(_is_converted(term, context) for term in terms):
        return (WITH,)
    return tuple(dict.fromkeys(named))


def _is_row(term: QuestionTerm, rows: Sequence[str], context: Context) -> bool:
    return term.kind is Kind.SEGMENT or (WITH in rows and _is_converted(term, context))


def _is_converted(term: QuestionTerm, context: Context) -> bool:
    """Whether a term stands for the users with the outcome: ``buyers``, ``converted users``."""
    if term.kind is Kind.OUTCOME:
        return bool(term.value == "did")
    return term.kind is Kind.STEP and term.value.any_of == context.tables.profiles.chosen


def _is_named(term: QuestionTerm, topic: TopicKind) -> bool:
    """Whether a dimension belongs to a topic: segments to each, pages to steps."""
    by = _by(term)
    return by is By.SEGMENT or (topic in _BY_PAGE and by in _STEPS_BY)


def _by(term: QuestionTerm) -> Dimension | None:
    if term.kind is Kind.DIMENSION:
        return dimension_of(term.value)
    return next(map(dimension_of, _others(term, Kind.DIMENSION)), None)


def _column(term: QuestionTerm, context: Context) -> str:
    """The column of the segments table that a term names; empty for none."""
    if term.kind is Kind.OUTCOME or _is_converted(term, context):
        return Col.OUTCOME_RATE
    return _COLUMNS.get(str(term.value), "") if term.kind in (Kind.MEASURE, Kind.UNIT) else ""


def _spoken_of(last: Reading, context: Context) -> tuple[str, ...]:
    """The rows that the last answer spoke of, if they still exist."""
    known = {*context.keys, WITH, PASTED}
    return tuple(row for row in last.rows if row in known)


def _measure_of(last: Reading) -> str:
    """The column of the last question's measure; empty where there is none."""
    return _COLUMNS.get(Query.model_validate_json(last.query).measure, "") if last.query else ""
