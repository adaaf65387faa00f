"""Read a text as a change of the screen: the filter of users, the outcome, the number of segments, a weight.

A text asks for a change if one of the templates of ``changes`` in ``words.yaml`` matches the whole of it, and
every word in the place of ``{}`` names something that the control takes. Nothing is changed here: the answer
says what would be, and carries the change, which the screen applies on a click.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

from core.base.safe_text import clean
from core.base.schema import View, page_outcome
from core.base.wording import pluralise
from core.facts.answer import Answer, FigureTable, ScreenChange
from core.facts.context import Context
from core.facts.fact_maker import notes
from core.journeys.funnel import StepKind
from core.periods.filter import CountFilter
from core.profiles.outcomes import label_of
from core.query import answering
from core.query.in_words import when, who
from core.query.query import All, Is, Period, Query, condition_of, is_attribute
from core.questions.lexicon import NUMBERS
from core.questions.terms import terms_of
from core.questions.words import Kind, file_of_words

_BESIDE: Final = frozenset(
    {Kind.FILLER, Kind.NOUN, Kind.PREPOSITION, Kind.AND, Kind.OR, Kind.RELATIVE, Kind.ARE, Kind.CAME}
)
"""Kinds of terms that may stand beside what a filter takes: “users who are on”."""
_BESIDE_OUTCOME: Final = frozenset({Kind.FILLER, Kind.AND, Kind.OR, Kind.DIMENSION})
_POLITE: Final = (
    r"(?:(?:please|now|ok|okay|can you|could you|would you|let's|let us|i want to|i would like to)\b\W*)*"
)
_END: Final = r"(?:\s+(?:please|now|again|instead|for me|thanks))*\s*[.!?]*"
_SLOTS: Final = {
    "{}": r"(?P<what>.+?)", "{n}": rf"(?P<what>\d{{1,9}}|{'|'.join(NUMBERS)})",
    "segments": "(?:segments|clusters|groups)",
    "outcome": "(?:outcome|goal|conversion|target)",
}  # fmt: skip


def proposed(text: str, context: Context) -> Answer | None:
    """Say what a change of the screen would do, or what is possible; None for a text that asks for none.

    Args:
        text: In the analyst's words, in English.
        context: The segments on screen; of one without a screen, nothing is a change.
    """
    if context.counted is None:
        return None
    for kind, pattern in _templates():
        match = pattern.fullmatch(text.strip())
        if match and (found := _PROPOSALS[kind](match.groupdict().get("what") or "", context)):
            return found
    return None


@cache
def _templates() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Kind of change → a pattern of a whole text that asks for it; articles may stand anywhere."""
    found = []
    for kind, texts in file_of_words()["changes"].items():
        for text in texts.split("|"):
            words = [_SLOTS.get(word, re.escape(word)) for word in text.split()]
            between = r"\s+(?:(?:the|a|an|our)\s+)*".join(words)
            found.append((kind, re.compile(_POLITE + between + _END, re.IGNORECASE)))
    return tuple(found)


def _only(what: str, context: Context) -> Answer | None:
    terms = [term for term in terms_of(what, context) if term.kind not in _BESIDE]
    named: dict[str, list[str]] = {}
    days: Period | None = None
    for term in terms:
        if term.kind is Kind.ATTRIBUTE and is_attribute(term.value[0]):
            own = [other[1] for kind, other in term.others if kind is Kind.ATTRIBUTE]
            named.setdefault(term.value[0], []).extend((term.value[1], *own))
        elif term.kind is Kind.PERIOD and days is None and not (term.value.weekdays or term.value.hours):
            days = term.value
        else:
            return None
    if not (named or days):
        return None
    assert context.counted is not None
    bounds = {"first_day": days.first_day, "last_day": days.last_day} if days else {}
    values = {name: tuple(dict.fromkeys(own)) for name, own in named.items()}
    return _filtered(context.counted.with_values(values, **bounds), context)


def _leave_out(what: str, context: Context) -> Answer | None:
    """Leave out users by all other values of their attribute; of pages, say where that is done."""
    terms = [term for term in terms_of(what, context) if term.kind not in _BESIDE]
    if terms and all(term.kind is Kind.STEP and term.value.kind is StepKind.PAGE for term in terms):
        return Answer(notes(PREPARED), change=ScreenChange(label="Prepare again", page="data"))
    out = {term.value for term in terms if term.kind is Kind.ATTRIBUTE}
    columns = {column for column, _ in out}
    if len(out) != len(terms) or len(columns) != 1 or not all(map(is_attribute, columns)):
        return None
    (column,) = columns
    assert context.counted is not None
    there = context.counted.values.get(column) or context.tables.basis.data.attributes[column].values
    left = tuple(value for value in there if (column, value) not in out)
    if not left:
        return Answer(notes(f"Nobody would be left without {clean(what)}."))
    return _filtered(context.counted.with_values({column: left}), context)


PREPARED: Final = (
    "Pages are left out when the data are prepared, as segments are learned from all that remain: on Data, "
    "prepare the export again with “Pages to leave out”, then train."
)


def _weight(what: str, context: Context) -> Answer | None:
    """Set the weight of one view; the others share the rest in the ratio that they have."""
    match = _WEIGHT.fullmatch(what)
    if match is None:
        return None
    view = next(view for view, word in _VIEWS.items() if re.fullmatch(word, match["view"], re.IGNORECASE))
    number = float(match["number"])
    percent = round(number * (100 if number <= 1 and not match["percent"] else 1))
    name = VIEW_TITLES[view]
    if view not in context.weighable:
        return Answer(notes(f"{name} have no weight here: the model was made without them."))
    if not 0 <= percent <= 100:
        return Answer(notes("A weight is from 0 to 100 %."))
    said = f"{name} would count {percent} % of what sets users apart; the others share the rest."
    return Answer(notes(said), change=ScreenChange(label=f"{name} at {percent} %", weight=(view, percent)))


_VIEWS: Final = {
    View.URL: "pages?|urls?|addresses", View.THEME: "(?:page )?(?:themes?|topics?)",
    View.TYPE: "(?:page )?types?", View.ACTIVITY: "activity",
}  # fmt: skip
VIEW_TITLES: Final = {
    View.URL: "Pages", View.THEME: "Page themes", View.TYPE: "Page types", View.ACTIVITY: "Activity",
}  # fmt: skip
_WEIGHT: Final = re.compile(
    rf"(?P<view>{'|'.join(_VIEWS.values())})\s+(?:(?:at|to|by|with)\s+)?"
    r"(?P<number>\d*\.?\d+)\s*(?P<percent>%|percent)?",
    re.IGNORECASE,
)


def _everybody(_what: str, context: Context) -> Answer | None:
    return _filtered(CountFilter(), context)


def _filtered(chosen: CountFilter, context: Context) -> Answer:
    """What a filter leaves, which is counted as the same query is."""
    conditions = [
        *([condition_of(chosen.where)] if chosen.where else []),
        *(Is(dimension=column, any_of=values) for column, values in chosen.values.items()),
    ]
    where = All.checked(of=tuple(conditions)) if len(conditions) > 1 else next(iter(conditions), None)
    days = {"first_day": chosen.first_day, "last_day": chosen.last_day}
    period = Period.checked(**days) if any(days.values()) else None
    counted = answering.answer(Query(where=where, period=period), context)
    if not any(fact.value for fact in counted.facts):
        return Answer(notes(f"Nobody is left by that filter: {clean(chosen.in_words)}."))
    heading = "Count all users"
    if chosen.is_set:
        those = [f"who {who(where, context.title)}"] if where else []
        those += [f"seen {when(period)}"] if period else []
        users = pluralise(context.tables.profiles.n_users, "user")
        heading = f"Of {users}, count only those {', '.join(those)}"
    said = (FigureTable(heading=heading, facts=counted.facts),)
    label = "Count only them" if chosen.is_set else "Count everybody"
    change = ScreenChange(label=label, counted=chosen)
    return Answer((*said, *notes(HOLDS)), counted.titles, change=change)


HOLDS: Final = "The filter holds on Profiles, Journeys and Time, and moves no segment."


def _segments(what: str, context: Context) -> Answer:
    number = NUMBERS.index(what.casefold()) + 1 if what.casefold() in NUMBERS else int(what)
    if not 2 <= number <= context.most_segments:
        return Answer(notes(f"From 2 to {context.most_segments} segments are possible here."))
    now = len(context.segment_keys)
    if number == now:
        return Answer(notes(f"The users are in {now} segments already."))
    said = f"The users would be in {number} segments, in place of {now}."
    return Answer(notes(said), change=ScreenChange(label=f"Make {number} segments", n_clusters=number))


def _outcome(what: str, context: Context) -> Answer | None:
    index, chosen = context.tables.basis.data.outcomes, list[str]()
    for term in terms_of(what, context):
        if term.kind in _BESIDE_OUTCOME:
            continue
        if term.kind is not Kind.STEP or term.value.kind not in (StepKind.EVENT, StepKind.PAGE):
            return None
        is_event, name = term.value.kind is StepKind.EVENT, term.value.any_of[0]
        outcome = name if is_event else page_outcome(name)
        if outcome not in index.events and (is_event or not index.pages_of(outcome)):
            return None
        chosen.append(outcome)
    if not chosen:
        return None
    label = clean(label_of(chosen))
    beside = f" {pluralise(len(index[chosen[0]].user), 'user')} had it." if len(chosen) == 1 else ""
    change = ScreenChange(label=f"Take {label} as the outcome", outcomes=tuple(dict.fromkeys(chosen)))
    return Answer(notes(f"The outcome would be {label}.{beside} It moves no segment."), change=change)


_PROPOSALS: Final[Mapping[str, Callable[[str, Context], Answer | None]]] = {
    "everybody": _everybody, "only": _only, "alone": _only, "leave_out": _leave_out, "weights": _weight,
    "segments": _segments, "outcome": _outcome,
}  # fmt: skip
