"""All figures that a fact lets one say, and whether a written number is one of them."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from core.facts.answer import Fact, Unit
from core.facts.measures import N_OF
from core.writing.prose.mentions import Kind, Mention
from core.writing.prose.number_words import OF_THE_TEXT
from core.writing.prose.numerals import Numeral, Written, find_numerals
from core.writing.prose.of_the_text import is_of_the_text
from core.writing.prose.spelling import parts

_HUNDREDFOLD: Final = (Unit.SHARE, Unit.POINTS)
_WRITTEN: Final = {
    Unit.COUNT: (Written.PLAIN,),
    Unit.NUMBER: (Written.PLAIN,),
    Unit.SHARE: (Written.PERCENT,),
    Unit.POINTS: (Written.POINTS,),
    Unit.RATIO: (Written.TIMES,),
    Unit.SECONDS: (Written.SECONDS, Written.PLAIN),
    Unit.MONEY: (Written.MONEY, Written.PLAIN),
    Unit.TEXT: (),
}
_LEVEL: Final = re.compile(
    r"\s?-?(?:confiden(?:t|ce)|certain|sure|credible|interval|ci\b|wilson)", re.IGNORECASE
)
_INTERVAL: Final = re.compile(
    r"\b(?:interval|ci|confidence|between|ranges?|lies|(?:low|lower|high|upper) end"
    r"|from [\d.]+\s?%? to)\b|±|[\d.]+\s?%?\s?(?:[–—-]|to)\s?[\d.]+\s?%"
    r"|[\[(]\s?[\d.]+\s?%?\s?(?:[,;–-]|to)\s?[\d.]+\s?%?\s?[\])]",
    re.IGNORECASE,
)
LOOSEST: Final = 0.1
"""Share of a value by which a number may be off that is said to be "about" it."""
_TINY: Final = 1e-9


@dataclass(frozen=True)
class Claim:
    """One figure of a fact.

    Args:
        fact: The fact.
        value: The figure, a share as a percentage.
        written: How it may be written.
        shown: The same as the app writes it, read back; may be rounded.
        metrics: What it may be called.
        is_end: Whether it is an end of an interval.
    """

    fact: Fact
    value: float
    written: tuple[Written, ...]
    shown: float | None
    metrics: frozenset[str]
    is_end: bool = False

    @property
    def key(self) -> tuple[frozenset[str], tuple[str, ...], float]:
        """What it has in common with a claim that says the same."""
        return self.metrics, self.fact.segments, self.value


def claims_of(fact: Fact) -> list[Claim]:
    """The value, the ends of its interval, and what it is of."""
    if isinstance(fact.value, str) or not math.isfinite(fact.value):
        return []
    metrics = frozenset(parts(fact.metric))
    written = _WRITTEN[fact.unit]
    shown = next((one.value for one in find_numerals(fact.text)), None)
    claims = [Claim(fact, _scaled(fact, fact.value), written, shown, metrics)]
    for end in (fact.low, fact.high):
        if end is not None:
            claims.append(Claim(fact, _scaled(fact, end), written, None, metrics, is_end=True))
    if fact.n and not fact.comparison:
        claims.append(
            Claim(fact, float(fact.n), (Written.PLAIN,), None, frozenset({N_OF.get(fact.metric, "users")}))
        )
    return claims


def by_writing(claims: Iterable[Claim]) -> dict[Written, list[Claim]]:
    """How a number is written → the claims that it may be; a plain ``0.124`` may be a share as well."""
    found: dict[Written, list[Claim]] = defaultdict(list)
    for claim in claims:
        plain = (Written.PLAIN,) if claim.fact.unit is Unit.SHARE else ()
        for written in {*claim.written, *plain}:
            found[written].append(claim)
    return dict(found)


def _scaled(fact: Fact, value: float) -> float:
    return 100 * value if fact.unit in _HUNDREDFOLD else value


def has_value(claim: Claim, numeral: Numeral, how: str) -> bool:
    """Whether a number, as exact as it is written, is a claim's.

    Args:
        claim: The figure.
        numeral: What is written.
        how: How exact the text says it is, see :func:`core.writing.prose.comparatives.about`.
    """
    value, written = claim.value, numeral.value
    if numeral.written not in claim.written:
        is_decimal_share = (
            claim.fact.unit is Unit.SHARE and numeral.written is Written.PLAIN and numeral.step < 1
        )
        if not is_decimal_share or Written.PERCENT not in claim.written:
            return False
        value /= 100
    elif how == "" and claim.shown is not None and written == abs(claim.shown) and not numeral.spelt:
        return _sign_agrees(claim, numeral)
    return _sign_agrees(claim, numeral) and _is_rounded(abs(value), written, numeral, how)


def _sign_agrees(claim: Claim, numeral: Numeral) -> bool:
    return not numeral.negative or claim.value < 0


def _is_rounded(value: float, written: float, numeral: Numeral, how: str) -> bool:
    step = max(numeral.step, numeral.zeros) if how else numeral.step
    if how and numeral.step < 1 and abs(value - written) <= numeral.step / 2 + _TINY:
        return True  # 3.4 pages over 2.61 sessions
    if how == "over":
        return written - _TINY <= value < written + step
    if how == "under":
        return written - step < value <= written + _TINY
    error = abs(value - written)
    exact = error <= numeral.step / 2 * (1 + 1e-6) + _TINY
    return exact or error <= min(step / 2, LOOSEST * value)


def units_of(numeral: Numeral) -> set[Unit]:
    """Units of the facts that a number written like this can be of."""
    units = {unit for unit, forms in _WRITTEN.items() if numeral.written in forms}
    if numeral.step >= 1 or numeral.written is not Written.PLAIN:
        return units
    return units - {Unit.COUNT} | ({Unit.SHARE} if numeral.value <= 1 else set())


def says_interval(text: str) -> bool:
    """Whether a sentence speaks of an interval."""
    return bool(_INTERVAL.search(text))


def numerals_of(
    text: str, mentions: Sequence[Mention], hidden: Sequence[tuple[int, int]] = ()
) -> list[Numeral]:
    """The numbers of a sentence that claim something: none in a name, nor the 95 % of "95 % interval".

    Args:
        text: The sentence.
        mentions: Names in it.
        hidden: Other spans that are not numbers, such as slots.
    """
    names = [(one.start, one.end) for one in mentions if one.kind is not Kind.METRIC]
    names += [*hidden, *(match.span() for match in OF_THE_TEXT.finditer(text))]
    return [
        one
        for one in find_numerals(text, names)
        if not is_of_the_text(text, one)
        and (one.written is not Written.PERCENT or not _LEVEL.match(text[one.end :]))
    ]


def is_more(fact: Fact) -> bool | None:
    """Whether a ratio or a difference says that there is more; None where it is neither, or equal."""
    if isinstance(fact.value, str):
        return None
    is_difference = fact.unit is Unit.POINTS or fact.metric.startswith("difference:")
    middle = 1.0 if fact.unit is Unit.RATIO else 0.0 if is_difference else None
    return None if middle is None or fact.value == middle else fact.value > middle
