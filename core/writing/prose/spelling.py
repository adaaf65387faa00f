"""How the words for a measure are spelt in a text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from core.facts.answer import Fact, Unit
from core.writing.prose.phrases import EXTRA_WORDS


def parts(metric: str) -> set[str]:
    """A metric and what it is made of: ``lift:page`` → itself, ``lift``, ``page``."""
    return {metric, *metric.split(":")}


def metric_phrases(facts: Iterable[Fact], metrics: Mapping[str, Sequence[str]]) -> dict[str, set[str]]:
    """Phrase → every metric that it may name."""
    found: dict[str, set[str]] = {}
    for table in (metrics, EXTRA_WORDS):
        for metric, words in table.items():
            for word in words:
                if word.startswith("percent "):  # 12 percent of users convert
                    continue
                for spelt in {word, word.replace(" per ", "/")}:
                    found.setdefault(plain(spelt), set()).add(metric)
    for fact in facts:
        if fact.unit is not Unit.TEXT:  # such as "most users", the name of a segment
            found.setdefault(plain(fact.label), set()).add(fact.metric)
    return found


def plain(text: str) -> str:
    """In lower case, with single blanks."""
    return " ".join(text.split()).casefold()


def flexible(phrase: str) -> str:
    """A pattern for a phrase: whole words, any white space, an optional plural s; ``n`` has no plural."""
    plural = r"(?:s(?!\w))?" if len(phrase) > 1 else ""
    words = r"\s+".join(map(re.escape, phrase.split()))
    return rf"(?<!\w){words}{plural}(?!\w|(?<=\d)[.,]\d|(?<=\d)\s(?:min|s|h)\b)"
