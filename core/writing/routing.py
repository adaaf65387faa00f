"""Who answers a question: the grammar where it can, a model where it cannot."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from core.base.errors import Beha2VecError
from core.facts.answer import Answer, Reading
from core.facts.compare_segments import compared
from core.facts.describe import persona
from core.facts.fact_maker import Figures
from core.questions.answers import ask
from core.questions.followups import reading
from core.questions.grammar import parse
from core.writing.turn import answer_of

_IDEAS: Final = re.compile(
    r"\b(?:personas?|campaigns?|ideas?|suggest\w*|recommend\w*|slogans?|adverts?|ads?|newsletters?|e-?mails?"
    r"|headlines?|strateg\w+|tactics?|brainstorm|should we|could we|can we do"
    r"|how (?:do|can|could|should) we)\b",
    re.IGNORECASE,
)
_REASONS: Final = re.compile(r"\b(?:why|explain|reasons?|how come)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Route:
    """Where a question goes.

    Args:
        offline: The answer without a model.
        reading: What was understood to be asked, as far as it was.
        needs_model: Whether a model could say more.
        wants_ideas: Whether it asks for what no figure can say.
    """

    offline: Answer
    reading: Reading
    needs_model: bool
    wants_ideas: bool


def route(question: str, figures: Figures, last: Reading | None = None) -> Route:
    """Answer without a model, and tell whether one is needed.

    A segment that does not exist, or a word with two meanings, is for the analyst to settle and for nobody to
    guess.

    Args:
        question: In the analyst's words.
        figures: Where facts come from.
        last: What the question before asked, for one that goes on with it.
    """
    parsed = parse(question, figures.context)
    offline = ask(question, figures.context, last)
    ideas = bool(_IDEAS.search(question))
    settled = not parsed.missing and not parsed.asks
    wants = offline.declined or ideas or bool(_REASONS.search(question))
    return Route(offline, offline.reading or reading(parsed, ()), settled and wants, ideas)


def without_model(found: Route, figures: Figures) -> Answer:
    """The answer if no model's can be shown: the grammar's, else what the data say of the named segment."""
    if not found.offline.declined or not found.reading.rows:
        return found.offline
    rows = found.reading.rows
    try:
        told = persona(figures, rows[0]) if len(rows) == 1 else compared(figures, rows)
    except Beha2VecError:
        return found.offline
    return answer_of(told.blocks, figures, query=told.query)
