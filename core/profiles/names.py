"""Name each segment by one or two claims about it: at most five words, and no name twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import pandas as pd

from core.base.wording import capitalised
from core.labels.texts import url_words
from core.labels.words import roots
from core.profiles.name_candidates import (
    SHARE_TOLERANCE,
    SURE_LIFT,
    CandidateStrength,
    NameCandidate,
    NameEvidence,
    name_candidates,
)
from core.profiles.name_words import MAX_NAME_WORDS, PEOPLE, SUBJECTS, SiteWords
from core.profiles.user_items import Family

_LAST: Final = (len(CandidateStrength) + 1, 0, 0.0, 0, "")
"""Sort key of segments without claims, after all others (:attr:`NameCandidate.order`)."""


@dataclass(frozen=True)
class SegmentName:
    """The name of a segment, with its evidence.

    Args:
        text: At most five words.
        evidence: What the words rest on; empty where nothing sets the segment apart.
    """

    text: str
    evidence: tuple[NameEvidence, ...] = ()


def name_segments(
    table: pd.DataFrame, site: SiteWords, taken: Mapping[int, str] | None = None
) -> dict[int, SegmentName]:
    """Name every segment.

    A name follows from the rows of its segment alone. Where another segment would get the same words, or
    these and more, the name gets a second claim, even a less sure one; of segments without a second claim,
    the one with the strongest first claim keeps the name.

    Args:
        table: From :func:`core.profiles.differences.differences`.
        site: How the site writes its words.
        taken: Segment → name given by the analyst, which no other segment gets.

    Returns:
        Segment (0-based) → name; ``Segment 3`` where nothing sets it apart.
    """
    known = name_candidates(table, site)
    firsts = {segment: _key(next(_choices(segment, own, site)).text) for segment, own in known.items()}
    shared = {segment for segment, key in firsts.items() if sum(map(key.issubset, firsts.values())) > 1}
    used = {_key(name): segment for segment, name in (taken or {}).items()}
    found: dict[int, SegmentName] = {}
    for segment in sorted(known, key=lambda s: (known[s][0].order if known[s] else _LAST, s)):
        others = {key for key, owner in used.items() if owner != segment}
        others |= set(firsts.values()) - {firsts[segment]}
        choices = _choices(segment, known[segment], site, segment in shared)
        free = (name for name in choices if _key(name.text) not in others)
        found[segment] = next(free, SegmentName(f"Segment {segment + 1}"))
        used[_key(found[segment].text)] = segment
    return dict(sorted(found.items()))


def _key(name: str) -> frozenset[str]:
    """Set of a name's words, by which two names are compared."""
    return roots([name]) or frozenset([name.casefold()])


def _choices(
    segment: int, own: Sequence[NameCandidate], site: SiteWords, is_shared: bool = False
) -> Iterator[SegmentName]:
    """Possible names of a segment, best first; the last has its number and is unique."""
    firsts = [claim for claim in own if claim.step < CandidateStrength.PARTLY]
    for first in firsts:
        seconds = [second for second in own if _add_to(first, second, own, site)]
        enough = [second for second in seconds if is_shared or _is_sure(first, second, own)]
        yield from (name for second in enough[:1] if (name := _name(first, second, own, site)))
        yield SegmentName(capitalised(first.text), (first.evidence,))
        yield from (name for second in seconds if (name := _name(first, second, own, site)))
    number = f"segment {segment + 1}"
    if firsts and len(firsts[0].text.split()) <= MAX_NAME_WORDS - 2:
        yield SegmentName(capitalised(f"{firsts[0].text}, {number}"), (firsts[0].evidence,))
    yield SegmentName(capitalised(number))


def _is_sure(first: NameCandidate, second: NameCandidate, own: Sequence[NameCandidate]) -> bool:
    """Whether a second claim is sure enough to be added even if the first is unique.

    To the section that users mostly look at, only what they do there is added (that they read or buy, not
    where they came from), or the part of the section that sets them apart.
    """
    family, people = second.evidence.family, second.text.split()[-1]
    is_done = family == Family.OUTCOME or (family not in SUBJECTS and people in PEOPLE.values())
    is_more = is_done or first.step is not CandidateStrength.MOSTLY or _is_core(first, second, own)
    return second.step < CandidateStrength.HABIT and second.evidence.low >= SURE_LIFT and is_more


def _is_core(first: NameCandidate, second: NameCandidate, own: Sequence[NameCandidate]) -> bool:
    """Whether a second claim is the part of a section that sets the segment apart, not the section itself.

    As many users saw it as look mostly at the section, nearly all who saw a folder that it lies in, and that
    folder is not sure to set the segment apart.
    """
    folders = [one for one in own if one.evidence.family == Family.FOLDER and one is not second]
    above = [one for one in folders if second.evidence.item.startswith(one.evidence.item)]
    return (
        _is_part(first, second)
        and bool(above)
        and (second.evidence.share or 0) >= (first.evidence.share or 0)
        and all(second.users[0] >= (1 - SHARE_TOLERANCE) * one.users[0] for one in above)
        and all(one.evidence.low < SURE_LIFT for one in above)
    )


def _add_to(
    first: NameCandidate, second: NameCandidate, own: Sequence[NameCandidate], site: SiteWords
) -> bool:
    """Whether a second claim adds something to the first."""
    words = product(roots([first.text]), roots([second.text]))
    if any(one.startswith(other) or other.startswith(one) for one, other in words):
        return _is_within(first, second)
    if (
        second.evidence.family == Family.PAGE
        and second.step is CandidateStrength.PARTLY
        and _is_part(first, second)
    ):
        return False  # one page stands for the section only where half of them saw it
    if Family.MEASURE in (first.evidence.family, second.evidence.family):
        return True
    return not first.is_same_as(second) or bool(_phrase(first, second, own, site))


def _phrase(
    first: NameCandidate, second: NameCandidate, own: Sequence[NameCandidate], site: SiteWords
) -> str:
    """Two word claims as one phrase of the site, such as ``spring sale``; empty if users did not see it.

    Who saw ``sleeping`` and who saw ``sale`` need not have seen a sleeping sale: either the same users saw
    both, or half of those who saw the rarer word saw a page or folder with both.
    """
    if not first.evidence.family == second.evidence.family == Family.WORD:
        return ""
    if first.is_same_as(second):
        return site.phrase(first.text, second.text)
    words, half = roots([first.text, second.text]), min(first.users[0], second.users[0]) / 2
    saying = (claim for claim in own if claim.evidence.family in (Family.PAGE, Family.FOLDER))
    return next((one.text for one in saying if roots([one.text]) == words and one.users[0] >= half), "")


def _is_within(first: NameCandidate, second: NameCandidate) -> bool:
    """Whether a second claim is a page whose words include those of the first: ``trousers A13``."""
    return second.evidence.family == Family.PAGE and roots([first.text]) < roots([second.text])


def _is_part(first: NameCandidate, second: NameCandidate) -> bool:
    """Whether a second claim is a page or folder within the section that the first names, as ``/jobs/``."""
    above = second.evidence.item.rstrip("/").rpartition("/")[0]
    is_place = second.evidence.family in (Family.PAGE, Family.FOLDER)
    return is_place and first.evidence.family in SUBJECTS and roots([first.text]) <= roots([url_words(above)])


def _name(
    first: NameCandidate, second: NameCandidate, own: Sequence[NameCandidate], site: SiteWords
) -> SegmentName | None:
    text = _joined(first, second, own, site)
    if len(text.split()) > MAX_NAME_WORDS:
        return None
    return SegmentName(capitalised(text), (first.evidence, second.evidence))


def _joined(
    first: NameCandidate, second: NameCandidate, own: Sequence[NameCandidate], site: SiteWords
) -> str:
    if second.evidence.family in SUBJECTS and first.evidence.family not in SUBJECTS:
        first, second = second, first
    if _is_within(first, second):
        return second.text
    if _is_part(first, second):
        return f"{first.text}: {second.text}"
    if second.evidence.family in SUBJECTS:
        return _phrase(first, second, own, site) or f"{first.text} and {second.text}"
    if first.evidence.family in SUBJECTS and second.evidence.family == Family.OUTCOME:
        return f"{second.text} of {first.text}"
    return f"{first.text}, {second.text}"
