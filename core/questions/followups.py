"""Follow-up questions: they change a part of what the question before asked, and keep the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from core.facts.answer import ARROW, Block, Ranking, Reading, facts_of
from core.facts.context import ALL
from core.facts.items import Dimension
from core.journeys.moves import END
from core.profiles.profile_columns import Col
from core.questions.grammar import SIZE_OF
from core.questions.parsed import TOPICS, Parsed

ORDER: Final = frozenset({
    "most", "least", "biggest", "smallest", "best", "worst", "above", "below", "rank", "longest", "shortest",
})  # fmt: skip
"""Cues that rank or filter rows."""
OVER_ALL: Final = ORDER | {"segments", "each"}
"""Cues of questions about every segment."""
_AMOUNTS: Final = frozenset({"many", "share"})
"""Cues by which an item is counted: as a number of users, or as their share."""
COMPARING: Final = frozenset({"compare", "differ", "similar"})
_ABOUT_ONE: Final = frozenset({"why", "describe", "persona", "apart", "like"})
"""Cues of questions about a single row; after a ranking it is the first."""
CHART: Final = frozenset({"chart", "bar", "line", "point"})
_ALONE: Final = frozenset({
    "also", "pronoun", "list", "average", "often", "only", "per_user", "per_session", "median", "never",
    "unconverted",
})  # fmt: skip
"""Cues that only qualify a question and ask nothing by themselves."""
_THERE: Final = frozenset({"is", "are", "was", "were", "there"})
"""Words that turn a figure into a whole question."""
FRAGMENT: Final = 3
"""Phrases with a meaning that a question may have, at most, to be read as a part of the one before."""


def reading(parsed: Parsed, blocks: Sequence[Block]) -> Reading:
    """Record how a question was understood, for a follow-up; ``blocks``: the answer."""
    return Reading(
        rows=tuple(parsed.rows), measures=tuple(parsed.measures), dimensions=tuple(parsed.dimensions),
        items=tuple((dimension.value, value) for dimension, value in parsed.items),
        cues=tuple(sorted(parsed.cues)), number=parsed.number, focus=_focus(parsed, blocks),
        onward=_onward(blocks),
    )  # fmt: skip


def _focus(parsed: Parsed, blocks: Iterable[Block]) -> tuple[str, ...]:
    ranking = next((block for block in blocks if isinstance(block, Ranking)), Ranking(facts=()))
    rows = tuple(fact.row for fact in ranking.facts)
    tied = len(rows) > 1 and ranking.facts[0].value == ranking.facts[1].value
    return rows if ranking.limit else tuple(parsed.rows) or (() if tied else rows[:1])


def _onward(blocks: Iterable[Block]) -> tuple[tuple[str, str], ...]:
    """Dimension and place that the most frequent step to another place leads to; empty without one."""
    for fact in facts_of(blocks):
        kind, *rest = fact.measure.split(":")
        origin, _, target = fact.item.partition(ARROW)
        if kind == "step" and rest[1:] == ["from"] and target not in (origin, END):
            return ((rest[0], target),)
    return ()


def readings(parsed: Parsed, last: Reading | None) -> Iterator[Parsed]:
    """Possible readings of a question that follows another, the likelier first: by itself, or as its edit."""
    if last is None:
        yield parsed
        return
    if {"funnel"} <= {*last.cues} and "exit" in parsed.cues and not parsed.topic:
        parsed = replace(parsed, rows=parsed.rows or [*last.rows], cues=parsed.cues | {"funnel"})
        _take_topic(parsed, last)
    of_that = "share" in parsed.cues and not (parsed.topic or parsed.nouns or parsed.rows)
    if "pronoun" in parsed.cues:
        parsed = _with_rows(parsed, last)
    if of_that:
        yield _edited(parsed, last)  # a share of what was asked, or of nothing
        return
    there = "there" in parsed.fills and parsed.rows and parsed.cues & ORDER and not parsed.topic
    opened = (
        there
        or "ones" in parsed.fills
        or "also" in parsed.cues
        or (_is_part(parsed) and parsed.length <= FRAGMENT)
    )
    whole = bool(parsed.rows and (parsed.topic or _verbs(parsed))) or bool(
        "segments" in parsed.cues and parsed.cues & ORDER and (parsed.topic or parsed.nouns)
    )
    if opened and not whole:
        yield from (_edited(parsed, last), parsed)
    else:
        yield parsed
        if opened or (0 < parsed.length <= FRAGMENT and not (parsed.nouns and parsed.topic)):
            yield _edited(parsed, last)


def _is_part(parsed: Parsed) -> bool:
    """Whether a question is no whole one: ``by revenue``, ``as a chart``, ``what share is on mobile``."""
    alone = not parsed.topic and parsed.cues & (CHART | {"rank", "describe"})
    bare = parsed.topic == "measures" and not parsed.cues and parsed.fills <= {"the", "a"}
    of_all = parsed.nouns or (
        parsed.topic == "measures" and parsed.fills & _THERE
    )  # “how many buyers are there”
    nobody = parsed.topic and parsed.cues & _AMOUNTS and not of_all
    return bool(parsed.leans or alone or bare or nobody)


def _verbs(parsed: Parsed) -> set[str]:
    """Cues of a question that ask for something by themselves."""
    return parsed.cues - OVER_ALL - _ALONE


def _with_rows(parsed: Parsed, last: Reading) -> Parsed:
    """Replace pronouns such as ``they`` and ``its`` by the rows that the last answer names first."""
    if last.items and not parsed.topic and not parsed.rows and {"segments", "viewed"} <= parsed.cues:
        items = [(Dimension(name), value) for name, value in last.items]  # “which segment reads it”
        return replace(parsed, items=items, cues=parsed.cues - {"pronoun"})
    compared = parsed.cues & (COMPARING | ORDER) and "apart" not in parsed.cues
    if not parsed.rows:
        rows = [] if parsed.cues & CHART else [*last.focus]
    elif compared and len(parsed.rows) == 1 and last.focus[:1] != (parsed.rows[0],):
        rows = [*last.focus[:1], *parsed.rows]
    else:
        rows = parsed.rows
    measures = [*last.measures[:1]] if "why" in parsed.cues and not parsed.topic else parsed.measures
    known = {"pronoun"} if rows or parsed.cues & CHART else set()
    return replace(parsed, rows=rows, measures=measures, cues=parsed.cues - known)


def _edited(parsed: Parsed, last: Reading) -> Parsed:
    """The last question, changed by what this one says."""
    if "average" in parsed.cues and not parsed.topic and not parsed.rows:
        parsed = replace(parsed, rows=[ALL], cues=parsed.cues - {"average"})
    verbs = _verbs(parsed)
    if "onward" in parsed.cues and last.onward:
        items = [(Dimension(name), value) for name, value in last.onward]
        return replace(
            parsed, rows=_rows(parsed, last), items=items, cues=parsed.cues - {"also", "onward"} | {"after"}
        )
    made = replace(parsed, rows=_rows(parsed, last), cues=parsed.cues - {"also"})
    size = parsed.cues & set(SIZE_OF)
    named = "segments" in parsed.cues and not parsed.fills & {"which", "what", "who"}  # “the biggest segment”
    sized = size and not named and not set(last.cues) & ORDER
    if size and not named and not sized:
        made.cues = {SIZE_OF.get(cue, cue) for cue in made.cues}
    sized = sized or (parsed.cues & {"best", "worst"} and last.measures == (Col.USERS,))  # of what?
    counts = parsed.nouns and not parsed.rows and _topic(last) != "items"
    if not parsed.topic and counts:
        made.measures = [Col.USERS]
    elif not parsed.topic and not sized:
        _take_topic(made, last)
    elif parsed.topic == "items" and _topic(last) != "items" and not verbs:
        made.measures = [*last.measures]  # of some of the users: no table holds that, and it is refused
        made.dimensions = [Dimension(name) for name in last.dimensions]
    if not verbs - _AMOUNTS:
        made.cues |= _kept_cues(parsed, last)
    return made


def _take_topic(made: Parsed, last: Reading) -> None:
    """Copy measures, dimensions and items of the last question, as far as this one can be about them."""
    if made.cues & (_ABOUT_ONE - {"why"}):
        return
    made.measures = [*(last.measures[:1] if "why" in made.cues else last.measures)]
    if not made.cues & (CHART | {"why"}):
        made.number = made.number or last.number
        made.dimensions = [Dimension(name) for name in last.dimensions]
        made.items = [(Dimension(name), value) for name, value in last.items]


def _rows(parsed: Parsed, last: Reading) -> list[str]:
    compares = set(last.cues) & COMPARING and len(last.rows) == 2
    if parsed.rows:
        against = parsed.cues & (COMPARING | {"most", "least", "biggest", "smallest"})
        first = last.rows[:1] if compares else last.focus[:1] if against else ()
        return [*dict.fromkeys((*first, *parsed.rows))] if len(parsed.rows) == 1 else parsed.rows
    if parsed.cues & _ABOUT_ONE:
        return [*last.focus]
    of_it = compares or (parsed.cues & {"above", "below"} and "segments" not in parsed.cues)
    return [*last.rows] if of_it or not parsed.cues & (OVER_ALL | CHART) else []


def _kept_cues(parsed: Parsed, last: Reading) -> set[str]:
    """Cues of the last question that still hold."""
    kept = set(last.cues)
    if parsed.topic and parsed.topic != _topic(last):
        kept &= OVER_ALL | COMPARING
    if parsed.cues & ORDER:
        kept -= ORDER
    if parsed.cues & _AMOUNTS:
        kept -= _AMOUNTS | ({"never", "unconverted"} if parsed.topic else set())  # “how many bought”
    if parsed.rows and not kept & COMPARING:
        kept -= OVER_ALL
    return kept


def _topic(last: Reading) -> str:
    return next((part for part in TOPICS if getattr(last, part)), "")
