"""Questions about who has the outcome, whatever the segment: a row that is held against the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from core.differences.user_items import Family
from core.facts.answer import Block, Contrast, Fact, FigureList, Reading, facts_of
from core.facts.context import ALL, WITH, WITHOUT, Context
from core.facts.finding import notes
from core.outgoing.quoting import clean
from core.profiles.profile_columns import Col
from core.questions.parsed import Parsed

AGAINST: Final = frozenset({"compare", "differ", "rest"})
"""Cues that hold them against the others."""
ALONE: Final = frozenset(
    {"share", "many", "viewed", "never", "not", "mostly", "list", "where", "pronoun", "also", "total"}
)
"""Cues of figures that are held against nobody: only then all of them count, and not the clustered ones."""
AT_ANY_TIME: Final = "What they saw at any time is counted, also after it."
CONVERTED: Final = "That they converted is what makes them this row; none of the others did."
RATES: Final = (Col.OUTCOME_RATE, Col.SESSION_RATE, Col.OUTCOME_USERS)
"""Figures that are all or nothing of who has the outcome."""


def of_converted(parsed: Parsed, context: Context) -> Parsed | None:
    """The question as one about the users with the outcome; None where it is about none or some of them."""
    who = {"who", "that", "those"} & parsed.fills
    names_them = Col.OUTCOME_USERS in parsed.measures or ("buys" in parsed.cues and who)
    if not names_them or {*parsed.rows} - {ALL} or parsed.cues & {"segments", "each", "chart", "unconverted"}:
        return None
    measures = [name for name in parsed.measures if name != Col.OUTCOME_USERS]
    cues = parsed.cues - {"buys"}
    if "similar" in cues:  # what they have in common
        cues = cues - {"similar"} | {"describe"}
    outcome = clean(context.tables.profiles.outcome or "")
    which = "those" if cues <= ALONE else "the clustered ones"
    said = [f"Converted users are {which} with {outcome}, whatever their segment."]
    if "before" in cues and not parsed.items:
        cues, said = cues - {"before"}, [*said, AT_ANY_TIME]
    rows = [WITH, WITHOUT] if cues & AGAINST else [WITH]
    cues = cues - {"rest"} | ({"compare"} if cues & AGAINST == {"rest"} else set())
    return replace(parsed, rows=rows, measures=measures, cues=cues, notes=[*parsed.notes, *said])


def goes_on(parsed: Parsed, last: Reading | None) -> bool:
    """Whether a question goes on with one about them: ``where do they leave``."""
    is_of_them = last is not None and {WITH, WITHOUT} & {*last.rows}
    return bool(is_of_them and not parsed.rows and parsed.cues & {"pronoun", "also"})


def beside_outcome(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Without how often they converted, which makes them the row that they are."""
    kept: list[Block] = []
    for block in blocks:
        if isinstance(block, FigureList):
            kept.append(FigureList(facts=tuple(fact for fact in block.facts if not _is_rate(fact))))
        elif not (isinstance(block, Contrast) and _is_rate(block.first)):
            kept.append(block)
    told = tuple(block for block in kept if not isinstance(block, FigureList) or block.facts)
    return told if facts_of(told) or not facts_of(blocks) else (*told, *notes(CONVERTED))


def _is_rate(fact: Fact) -> bool:
    return fact.measure in RATES or fact.measure.endswith(f":{Family.OUTCOME}")
