"""Combine the analyst's names with those from the data, and check whether the analyst's still fit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import pandas as pd

from core.base import wording
from core.profiles.difference_words import USERS, in_words
from core.profiles.differences import Diff, top_differences
from core.profiles.name_candidates import NameEvidence, nameable_rows
from core.profiles.name_words import HABITS, SiteWords
from core.profiles.names import SegmentName, name_segments
from core.profiles.profile_columns import Col

_ENOUGH: Final = 0.5
"""Least part of a given name's evidence that must still hold for the name to fit."""
_UNNAMED: Final = "Nothing is common and different enough to name it by"


@dataclass(frozen=True)
class CurrentName:
    """The current name of a segment, with its evidence.

    Args:
        text: The analyst's name, else the name from the data.
        evidence: What the name rests on; for an analyst's name, at the time it was given.
        is_given: Whether it is the analyst's name.
        better: A name that fits, where the analyst's no longer does.
        kept_back: Whether the segment is called by its number and no reason is given.
        chosen: Whether its users were chosen by hand: what they have in common is no finding of the data.
        nearest: The strongest difference in words, where it is too weak to name the segment by.
    """

    text: str
    evidence: tuple[NameEvidence, ...] = ()
    is_given: bool = False
    better: SegmentName | None = None
    kept_back: bool = False
    chosen: bool = False
    nearest: str = ""

    @property
    def says_something(self) -> bool:
        """Whether the name is more than the segment's number."""
        return self.is_given or bool(self.evidence)

    def title(self, segment: int) -> str:
        """Unique title with the segment's number: ``3 · Bargain hunters``, or ``Segment 3``."""
        return f"{segment + 1} · {self.text}" if self.says_something else self.text


def current_names(
    table: pd.DataFrame, site: SiteWords, given: Mapping[int, SegmentName], chosen: Collection[int] = ()
) -> dict[int, CurrentName]:
    """The current name of every segment.

    Args:
        table: From :func:`core.profiles.differences.differences`.
        site: How the site writes its words.
        given: Segment → the analyst's name, with its evidence at the time it was given.
        chosen: Segments whose users were chosen by hand, see :func:`core.segments.edits.chosen_segments`.
    """
    made = name_segments(table, site, {segment: name.text for segment, name in given.items()})
    return {
        segment: replace(_held(table, segment, own, given.get(segment)), chosen=segment in chosen)
        for segment, own in made.items()
    }


def only_given(current_names: Mapping[int, CurrentName]) -> dict[int, CurrentName]:
    """Keep the analyst's names only: all other segments are called by their numbers."""
    given = {segment: replace(name, better=None) for segment, name in current_names.items() if name.is_given}
    return numbered_only(current_names) | given


def numbered_only(segments: Iterable[int]) -> dict[int, CurrentName]:
    """Names of segments by their numbers alone, without evidence."""
    return {segment: CurrentName(f"Segment {segment + 1}", kept_back=True) for segment in segments}


def _held(table: pd.DataFrame, segment: int, own: SegmentName, given: SegmentName | None) -> CurrentName:
    if given is None:
        return CurrentName(own.text, own.evidence, nearest="" if own.evidence else _nearest(table, segment))
    fit = fits(table, segment, given.evidence)
    return CurrentName(given.text, given.evidence, is_given=True, better=None if fit else own)


def fits(table: pd.DataFrame, segment: int, evidence: Collection[NameEvidence]) -> bool:
    """Whether at least half of a given name's evidence still sets the segment apart.

    By the rule by which names are made (:data:`core.profiles.name_candidates.RULES`). A name without evidence
    always fits.

    Args:
        table: From :func:`core.profiles.differences.differences`, of the segments now.
        segment: Its id.
        evidence: What the name rested on when it was given.
    """
    rows = nameable_rows(table[table[Col.SEGMENT] == segment])
    differing = set(zip(rows[Diff.FAMILY].astype(str), rows[Diff.ITEM], rows["less"], strict=True))
    still = [(one.family, one.item, _is_less(one)) in differing for one in evidence]
    return sum(still) >= _ENOUGH * len(still)


def reason(name: CurrentName) -> str:
    """Explain a name: "Named for the word sale: 72 % of its users, 9.3× the others."; empty if kept back."""
    if name.kept_back:
        return ""
    told = "; ".join(_told(one, name.chosen) for one in name.evidence)
    if name.is_given:
        told = told and f"When it was named: {told}."
        return f"{told} This no longer fits; “{name.better.text}” does." if name.better else told
    if told:
        return f"Named for {told}."
    return f"{_UNNAMED}; nearest: {name.nearest}." if name.nearest else "Nothing sets it apart."


def _nearest(table: pd.DataFrame, segment: int) -> str:
    """The strongest difference in words: ``17.9% saw /sale, against 0.9%``; empty without one."""
    found = in_words(top_differences(table, f"segment:{segment}", 1))
    if found.empty:
        return ""
    what, here, others = found.loc[:, ["what", "here", "others"]].iloc[0]
    did = what.removeprefix(USERS)
    return f"{here} {did}, against {others}" if did != what else f"{what} {here}, against {others}"


def _told(one: NameEvidence, chosen: bool) -> str:
    times = "nobody else" if one.lift is None else f"{wording.lift(one.lift)} the others"
    times = "as they were chosen" if chosen else times
    if one.share is None:
        return f"{HABITS[one.item][int(_is_less(one))]}: {times}"
    return f"the {one.family} {one.item}: {wording.percent(one.share, 0)} of its users, {times}"


def _is_less(one: NameEvidence) -> bool:
    return one.share is None and one.lift is not None and one.lift < 1
