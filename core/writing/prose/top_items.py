"""Superlatives of things within a segment: ``its largest source is X``, ``S1 is most interested in X``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from core.facts.answer import Fact
from core.writing.prose.binding import Keys, best
from core.writing.prose.comparatives import Comparative
from core.writing.prose.mentions import Kind, Mention
from core.writing.prose.number_words import SMALL
from core.writing.prose.sentence import Place, Sentence

_SHARES: Final = frozenset({"share", "view_share"})
_LIFTS: Final = frozenset({"lift", "view_lift"})
_THINGS: Final[Mapping[str, str]] = {
    "page": r"pages?", "theme": r"themes?|topics?|subjects?|categor(?:y|ies)", "type": r"types?|kinds?",
    "source": r"(?:traffic\s)?(?:sources?|channels?)", "device": r"devices?", "browser": r"browsers?",
    "country": r"countr(?:y|ies)|markets?",
}  # fmt: skip
"""Last part of a metric → what its things are called."""
_NOUN: Final = re.compile(
    r"(?:\s(?:\w+ed|common|popular|important|traffic|page))?\s(?:"
    + "|".join(f"(?P<{key}>{words})" for key, words in _THINGS.items())
    + r"|(?P<lift>lifts?))\b(?!\s(?:views\b|per\b|an?\b|each\b))",
    re.IGNORECASE,
)
"""Behind a superlative: what it is of."""
_LIKED: Final = re.compile(r"\s(?:interested\sin|drawn\sto|keen\son|focused\son)\b", re.IGNORECASE)
_COUNT: Final = re.compile(r"\b(?P<count>\w+)\s$")
_IS: Final = re.compile(r"\b(?:is|are|as|being)\s(?:\w+['’]?s?\s){0,3}$", re.IGNORECASE)


def is_top_item(sentence: Sentence, word: Comparative, facts: Iterable[Fact]) -> bool | None:
    """Whether the things that a superlative is said of have the most of their kind in their segment.

    Facts may leave out things with little, so that nothing is said of the least.

    Args:
        sentence: Where the word stands.
        word: A word that compares.
        facts: Those of the turn.

    Returns:
        None where the word is of no things or no facts rank them; and where a segment may be what has most:
        ``of all, S1 is most interested in X``.
    """
    noun, liked = _NOUN.match(sentence.text, word.end), _LIKED.match(sentence.text, word.end)
    if not (noun or liked) or not (word.of_all and word.up):
        return None
    own = best(sentence, Place(word.start, word.end), Kind.SEGMENT, head="extreme")
    kinds = _LIFTS if noun and noun["lift"] else _SHARES | _LIFTS if liked else _SHARES
    thing = str(noun.lastgroup) if noun and not noun["lift"] else ""
    values = _values(own, kinds, thing, facts)
    count = _COUNT.search(sentence.text[: word.start])
    named = _named(sentence, word, {item for each in values.values() for item in each})
    n = int(SMALL.get(count["count"].lower(), 1)) if count else 1
    ranked = [each for each in values.values() if len(each) > n and set(named[:n]) <= each.keys()]
    if not ranked or len(named) < n:
        return None
    return any(_are_top(each, named[:n]) for each in ranked) or (None if liked else False)


def _values(
    own: Keys, kinds: frozenset[str], thing: str, facts: Iterable[Fact]
) -> dict[str, dict[str, float]]:
    """Metric → thing → value, in one segment."""
    found: dict[str, dict[str, float]] = {}
    for fact in facts:
        kind, _, of = fact.metric.partition(":")
        is_ranked = fact.item and fact.segments == own and kind in kinds and thing in ("", of)
        if is_ranked and not isinstance(fact.value, str):
            found.setdefault(fact.metric, {})[fact.item] = fact.value
    return found


def _named(sentence: Sentence, word: Comparative, items: set[str]) -> list[str]:
    """The things that a superlative is said of, nearest first: ``X is the largest``, ``the largest is X``."""
    named = [one for one in sentence.of(Kind.ITEM) if not items.isdisjoint(one.keys)]
    behind = [one for one in named if one.start >= word.end]
    ahead = [one for one in named if one.end <= word.start][::-1]
    first, last = (ahead, behind) if ahead and _IS.search(sentence.text[: word.start]) else (behind, ahead)
    return _keys(first or last)


def _keys(named: Sequence[Mention]) -> list[str]:
    return list(dict.fromkeys(key for one in named for key in one.keys))


def _are_top(values: Mapping[str, float], named: Sequence[str]) -> bool:
    others = [value for item, value in values.items() if item not in named]
    return min(values[item] for item in named) >= max(others)
