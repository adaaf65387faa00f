"""Which facts the values of a text are: each its own, by how well its sentence reads as saying it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from core.facts.answer import Unit
from core.facts.measures import N_OF
from core.profiles.profile_columns import Col
from core.writing.prose.claims import Claim
from core.writing.prose.mentions import ALL, Kind
from core.writing.prose.sentence import Place
from core.writing.prose.signs import is_whole
from core.writing.prose.ties import Tie

MARGIN: Final = 3.0
"""Log-odds by which another reading may be better before a value is doubted."""
_SURE: Final = 1e-9


def assigned(ties: Sequence[Tie]) -> list[Claim | None]:
    """The claim of each value of a text, best reading first; None where none reads well enough.

    A claim that one value has is there for a value of another sentence only if that reads best as well; two
    that are written alike in one sentence are both left without, as one of them is wrong.
    """
    found: list[Claim | None] = [None] * len(ties)
    holders: dict[object, list[int]] = {}
    contested: set[int] = set()
    pairs = [
        (max(tie.score(claim), *_by_neighbour(ties, place, claim)), place, claim)
        for place, tie in enumerate(ties)
        for claim in tie.said.claims
    ]
    for score, place, claim in sorted(pairs, key=lambda pair: -pair[0]):
        if score < -MARGIN or found[place] is not None:
            continue
        others = holders.setdefault(claim.key, [])
        beside = [other for other in others if ties[other].is_beside(ties[place])]
        contested.update((place, *beside) if beside else ())
        if not others or (score >= -_SURE and not beside):
            found[place] = claim
            others.append(place)
    return [None if place in contested else claim for place, claim in enumerate(found)]


def _by_neighbour(ties: Sequence[Tie], place: int, claim: Claim) -> tuple[float, float]:
    """How well a claim reads as the whole of the value before, and as a part of the one after."""
    before = ties[place - 1] if place and _is_part(ties[place - 1], ties[place]) else None
    after = ties[place + 1] if place + 1 < len(ties) and _is_part(ties[place], ties[place + 1]) else None
    return _as_whole(ties[place], claim, before), _as_part(ties[place], claim, after)


def _is_part(part: Tie, whole: Tie) -> bool:
    """``19 of 743 users``."""
    return part.sentence is whole.sentence and is_whole(
        part.sentence.between(part.said.place.end, whole.said.place.start)
    )


def _as_whole(tie: Tie, claim: Claim, part: Tie | None) -> float:
    """How well a claim reads as the whole of a part: the same of all users, or what that is a share of."""
    own = tie.of_measure(claim)
    if part is None or own < -2 * MARGIN or claim.is_end:
        return -math.inf
    read = [part.of_segment(one.fact) for one in part.said.claims if _is_of(one, claim)]
    return max(read, default=-math.inf) + max(own, -MARGIN / 2)


def _as_part(tie: Tie, claim: Claim, whole: Tie | None) -> float:
    """How well a claim reads as a part of the whole: ``19 of the 900 buyers``, ``19 of 743 users``."""
    if whole is None or claim.is_end:
        return -math.inf
    own = Place(tie.said.place.end, whole.said.place.start)
    named = any(own.start <= one.start < own.end for one in tie.sentence.of(Kind.METRIC))
    read = [
        whole.of_measure(one)
        for one in whole.said.claims
        if _is_of(claim, one) and (one.metrics & claim.metrics or not (named or one.fact.segments == (ALL,)))
    ]
    return tie.of_segment(claim.fact) + max(read, default=-math.inf)


def _is_of(one: Claim, whole: Claim) -> bool:
    """Whether one figure is a part of another: of the same of all users, or of the users it is counted of."""
    every = whole.fact.segments == (ALL,)
    if every and (one.metrics & whole.metrics or (Col.SHARE in one.metrics and Col.USERS in whole.metrics)):
        return True
    of = {N_OF.get(metric, Col.USERS) for metric in one.metrics} - one.metrics
    whose = one.fact.segments == whole.fact.segments or (every and one.fact.unit is Unit.COUNT)
    return whose and not of.isdisjoint(whole.metrics)
