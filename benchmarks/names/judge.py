"""Names held against the raw tables: is each word carried, and do names find their own evidence again?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd

from benchmarks.names.raw import averages, evidence_list, over_represented, words

RULES: Final = {
    "by_rule": (0.5, 3.0, 1.5), "partly": (0.25, 1.5, 1.5), "slightly": (0.5, 1.2, 1.2),
}  # fmt: skip
"""Grade → share of the segment's users, lift, and low end of the lift from which an item carries a word."""
THEIRS: Final = 0.1
"""Share of a segment's users from which an item counts as theirs."""
FRAME: Final = words(
    "visitors viewers browsers shoppers readers users seekers searchers and of from by to the"
)
"""Words that say who, not what."""


@dataclass(frozen=True)
class Judged:
    """How true one name is.

    Args:
        site: The site.
        k: How many segments there are.
        name: The name.
        says: Whether it is more than a number.
        by_rule: Whether items that meet the rule carry each word that says something.
        partly: Whether such items do, or those of a quarter with a low end of 1.5.
        slightly: Whether these do, or those of half with a low end of 1.2.
        matched: Whether the name finds its own list of evidence, and no other one as well.
        foreign: Words of a theme that no page of the segment carries.
    """

    site: str
    k: int
    name: str
    says: bool
    by_rule: bool
    partly: bool
    slightly: bool
    matched: bool
    foreign: tuple[str, ...]


def judge(
    site: str, k: int, names: Mapping[int, str], table: pd.DataFrame, users: pd.DataFrame, segment: pd.Series
) -> list[Judged]:
    """Judge each name by what the users saw and have.

    Args:
        site: Where the names are from.
        k: How many segments there are.
        names: Segment → name.
        table: Result of :func:`benchmarks.names.raw.items`.
        users: The table of users.
        segment: User index → segment, of the clustered users.
    """
    shares = over_represented(table, segment)
    found = pd.concat([shares, averages(users, segment)])
    lists = {number: evidence_list(shares, number) for number in names}
    judged = []
    for number, name in names.items():
        own, numbered = found[found["segment"] == number], f", segment {number + 1}"
        says = words(name.removesuffix(numbered)) - FRAME  # a number tells two apart, and says nothing
        grades = [_carried(own, *rule) for rule in RULES.values()]
        held = [says <= frozenset().union(*grades[: at + 1]) for at in range(len(grades))]
        hits = {other: _hits(says, listed) for other, listed in lists.items()}
        first = [other for other, hit in hits.items() if hit == max(hits.values())]
        tells = name != f"Segment {number + 1}"
        judged.append(Judged(site, k, name, tells, *held, first == [number], _foreign(own, says)))
    return judged


def _hits(says: frozenset[str], listed: Counter[str]) -> tuple[int, int]:
    """How many of a name's words a list has, and how often: what every list has tells nothing."""
    return len(says & listed.keys()), sum(listed[word] for word in says)


def _carried(own: pd.DataFrame, share: float, lift: float, low: float) -> frozenset[str]:
    """Words of what enough of the segment's users have, enough times as often as the others."""
    enough = own[(own["share"] >= share) & (own["lift"] >= lift) & (own["low"] >= low)]
    return frozenset[str]().union(*map(words, enough["text"]))


def _foreign(own: pd.DataFrame, says: frozenset[str]) -> tuple[str, ...]:
    """Words of themes that nothing else of what the segment's users saw and have carries."""
    is_theme = own["family"] == "theme"
    theirs = own[~is_theme & (own["share"] >= THEIRS)]["text"]
    themes = frozenset[str]().union(*map(words, own[is_theme]["text"]))
    return tuple(sorted((says & themes) - frozenset[str]().union(*map(words, theirs))))
