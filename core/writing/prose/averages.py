"""Where a text speaks of averages: of a session, of the middle user, of all users."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from core.writing.prose.phrases import MEDIANS

Span = tuple[int, int]
"""Start and end of a stretch of text."""
AGAINST: Final = (
    r"\b(?:against|versus|vs\.?|compared (?:to|with)|than|above|below|behind|exceeds?|beats?|ahead of"
    r"|close to)\s+"
)
"""Before what something is compared with."""
ARTICLE: Final = r"(?:the\s+|an?\s+)?(?:(?:overall|site)\s+)?"
_EACH_SESSION: Final = re.compile(
    r"\b(?:(?:per|each|every|an? average|(?:a|the) (?:typical|usual|single)|the average|a"
    r"|(?:each|every) (?:one )?of (?:those|these|the|their|its))"
    r" (?:session|visit)s?|(?:each|every) time|when (?:they|users|people|visitors)\b[^,.]{0,40} visit)\b"
    r"|\b(?:session|visit)s? (?:are|is|averaged?|averages|consists? of|covers?|includes?|contains?"
    r"|comprises?|runs? to)\b",
    re.IGNORECASE,
)
_MEDIAN_USER: Final = re.compile(
    r"\b(?:median|middle) (?:user|visitor|person|member)\b[^,;.\n]*"
    r"|\b(?:the|its|their) medians? (?:is|are)\b[^,;\n]*",
    re.IGNORECASE,
)
_OTHER_MEAN: Final = re.compile(
    r"\b(?:(?:the|its|their|a|an) )?(?:(?P<median>medians?)|means?|averages?)\b"
    r"(?=\W*(?:\d|\[\[|(?:is|are|was|were|of|at|being|comes? to|stands? at|only|just)\b))",
    re.IGNORECASE,
)
"""Beside the measure that it is of: ``the median is 9 pages, the mean 13.9``."""
_CLAUSE: Final = re.compile(r"[^;\n]+")
_THAN_AVERAGE: Final = re.compile(
    rf"{AGAINST}(?P<all>{ARTICLE}(?:averages?|mean))\b(?!\s+(?:suggests?|imply|implies|of|for|across|among|over|[a-z]+\s+(?:of|rate|time|user)\b))",
    re.IGNORECASE,
)
"""``more sessions than average``: the average of all users."""
_MEANS: Final = {median: mean for mean, median in MEDIANS.items()}


def each_session(text: str, measures: Sequence[Span]) -> list[Span]:
    """``Per session, they open 5.7 pages``: clauses in which pages are those of a session.

    Args:
        text: A sentence.
        measures: Where it names measures; ``page views a session`` speaks of itself alone.
    """
    free = text
    for start, end in measures:
        if _EACH_SESSION.search(text[start:end]):
            free = free[:start] + "\x1f" * (end - start) + free[end:]
    spans = (match.span() for match in _CLAUSE.finditer(text))
    return [span for span in spans if _EACH_SESSION.search(free[slice(*span)])]


def median_users(text: str) -> list[Span]:
    """``The median user views 13 pages``: what the middle user does."""
    return [match.span() for match in _MEDIAN_USER.finditer(text)]


def other_means(text: str) -> Iterator[tuple[int, int, Mapping[str, str]]]:
    """``The median is 9 pages, the mean 13.9``: where, and what each measure before it is then."""
    for match in _OTHER_MEAN.finditer(text):
        yield *match.span(), MEDIANS if match["median"] else _MEANS


def than_average(text: str) -> list[Span]:
    """``More sessions than average``: the average of all users."""
    return [match.span("all") for match in _THAN_AVERAGE.finditer(text)]
