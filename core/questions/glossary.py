"""Say what a word means here: a measure and how it is counted, or a notion of the tool.

“What is the bounce rate?” asks for a figure and “What is a bounce rate?” for its meaning, so only questions
that surely ask for a meaning are answered here.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from core.facts.context import Context
from core.query.in_words import MEANINGS
from core.query.query import Quantity
from core.questions.lexicon import tokens
from core.questions.terms import terms_of
from core.questions.words import Kind, file_of_words

_ASKS: Final = re.compile(
    r"^\W*(?:can you\s+)?(?:"
    r"what(?:'s|\s+is|\s+are)\s+(?:meant\s+by\s+|the\s+(?:meaning|definition)\s+of\s+)?(?P<is>.+?)"
    r"|what\s+do(?:es)?\s+(?:you\s+mean\s+by\s+)?(?P<means>.+?)(?:\s+mean(?:\s+here)?)?"
    r"|how\s+(?:is|are|do\s+you|does\s+it|was)\s+(?P<counted>.+?)\s+"
    r"(?:counted|measured|calculated|computed|defined|worked\s+out)(?:\s+here)?"
    r"|how\s+do\s+you\s+(?:count|measure|calculate|compute|define)\s+(?P<count>.+?)"
    r"|(?:define|explain|(?:the\s+)?(?:meaning|definition)\s+of)\s+(?P<define>.+?)"
    r")\W*$",
    re.IGNORECASE,
)
_NOTHING: Final = re.compile(r"\bplease\s+", re.IGNORECASE)
"""An article of another language is read as “please”."""
_ARTICLE: Final = re.compile(r"^(?P<article>an?|the)\s+", re.IGNORECASE)
_OF_UNITS: Final = {"sessions": Quantity.SESSIONS, "views": Quantity.VIEWS, "engagement": Quantity.ENGAGEMENT}


def meaning(question: str, context: Context) -> str:
    """What the word that a question asks about means; empty where it asks for something else.

    Args:
        question: In English.
        context: The segments that it is about.
    """
    match = _ASKS.match(_NOTHING.sub("", question))
    if match is None:
        return ""
    asked = next(part for part in match.groups() if part)
    article = _ARTICLE.match(asked)
    word = asked[article.end() :] if article else asked
    own = _own().get(tuple(tokens(word)), "")
    if match["is"] and not re.search(r"\b(?:meant|meaning|definition)\b", question, re.IGNORECASE):
        is_figure = article is not None and article["article"].casefold() == "the"
        return "" if is_figure else own or (_of_measure(word, context) if article else "")
    return own or _of_measure(word, context)


def _of_measure(word: str, context: Context) -> str:
    """How a measure is counted; empty where the word is none."""
    said = [term for term in terms_of(word, context) if term.kind is not Kind.FILLER]
    if len(said) != 1 or said[0].kind not in (Kind.MEASURE, Kind.UNIT):
        return ""
    return MEANINGS.get(_OF_UNITS.get(said[0].value, said[0].value), "")


@cache
def _own() -> dict[tuple[str, ...], str]:
    """Words of each notion → what it means."""
    return {
        tuple(tokens(word)): str(text)
        for words, text in file_of_words()["glossary"].items()
        for word in words.split("|")
    }
