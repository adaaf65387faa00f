"""A sentence with the names and values in it, and which segments are in it only to be compared with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

from core.writing.prose.averages import AGAINST, ARTICLE
from core.writing.prose.mentions import ALL, REST, Kind, Mention

Group = tuple[Mention, ...]
"""Segments that are named together: ``segments 1 and 2``."""

_LIKENESS: Final = (
    r"than|unlike|in comparison (?:to|with)|versus|vs\.?|compared (?:to|with)|in contrast to|relative to"
    r"|against|(?<=\w )as"
    r"|(?:times|[x×]) (?:what|that|those|the \w+)(?: of)?|ahead of|below|above|differs? from"
    r"|different from|(?:is|are|comes?|falls?|lags?|far|well|just|slightly|remains?|stays?|trails?) behind"
    r"|beats?|beating|outperforms?|outnumbers?|exceeds?"
    r"|trails?|surpass(?:es)?|dwarfs?|overtakes?|tops|(?<!\bis )(?<!\bare )(?<!\bwas )(?:that|those) of"
    r"|rather than|leads|similar to|like(?: it)? is|(?<=most )like|closest to|resembles?|next to|beside"
    r"|alongside|(?:set|measured) against|as opposed to|on top of"
)
_BEFORE_REFERENCE: Final = re.compile(
    rf"(?:^|(?<=\W))(?:{_LIKENESS})\s+(?:(?:in|of|for|from|the|those|that|is|does|did|it|an?|typical|users?"
    rf"|visitors|people|what"
    r"|with|rate|one|ones|found)\s+)*[\"“'(*_]*$",
    re.IGNORECASE,
)
_ASIDE_ENDS: Final = re.compile(
    r"[\s*_\"”')]*[,)–—](?!\s*(?:which|who|that|whose|where|with|at|and)\b)", re.IGNORECASE
)
PRONOUN: Final = re.compile(
    r"\b(?:they|their|them|it|its|she|her|he|his|(?:these|those) (?:users|visitors|people|customers|members)"
    r"|(?:this|the) (?:segment|cluster|group|audience)(?!\s+(?:with|that|which|whose|of)\b))\b",
    re.IGNORECASE,
)
"""What may stand for the segment that the text went on about."""
MOST_VALUES: Final = 20
"""In a sentence that is understood; the time to read it grows with their cube."""
_AGAINST_VALUE: Final = re.compile(
    rf"{AGAINST}{ARTICLE}\S+(?:\s%)?\s+(?:of|over|for|among|across)\s+$", re.IGNORECASE
)
"""Before all users: ``against 8 % of``."""
LIST: Final = re.compile(
    r"[\s,*_\"“”)]*(?:,|and|&|or|/|as well as|plus|versus|vs\.?)?\s*(?:the\s)?[\s*_\"“”]*", re.IGNORECASE
)
_SENTENCE_END: Final = re.compile(
    r"\n+|(?<!\bvs)(?<!\be\.g)(?<!\bi\.e)(?<!\bno)(?<!\bseg)(?<!\bca)(?<!\bc)(?<!\bconv)(?<!\bresp)(?<!\bincl)(?<!\bapprox)(?<!\bp\.p)"
    r"[.!?][\"”’)*_]*\s+(?=[^a-z|])"
)
_AND: Final = re.compile(r"\band\b|&|\bor\b|/|\bas well as\b|\bplus\b|\bversus\b|\bvs\b", re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """Where a value stands in a sentence."""

    start: int
    end: int


@dataclass(frozen=True)
class About:
    """What the text was about before a sentence.

    Args:
        segments: Keys; empty where none was named.
        metrics: What the last measure may mean.
        others: Keys of what those segments were compared with.
        items: The pages, themes or other things of the last sentence that named any.
        series: What each measure of the last sentence may mean, in order.
        ranked: Whether it is about places in a ranking, as the column of a table may be.
        pair: Keys of the two segments that were named last.
    """

    segments: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    series: tuple[tuple[str, ...], ...] = ()
    ranked: bool = False
    pair: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Sentence:
    """A sentence, the names in it, and the values.

    Args:
        text: The sentence; places count from its start.
        mentions: Names, from left to right.
        values: Numbers or slots, from left to right.
        before: What it goes on about.
    """

    text: str
    mentions: Sequence[Mention]
    values: Sequence[Place]
    before: About = About()

    @cached_property
    def names(self) -> list[tuple[int, int]]:
        """Where segments and things are named: nothing in there is a number or compares."""
        return [(one.start, one.end) for one in self.mentions if one.kind is not Kind.METRIC]

    def of(self, kind: Kind) -> list[Mention]:
        """The names of one kind."""
        return [one for one in self.mentions if one.kind is kind]

    @cached_property
    def groups(self) -> list[Group]:
        """Segments, those named together as one."""
        named = self.of(Kind.SEGMENT)
        if any(not one.weak for one in named):
            named = [one for one in named if not one.weak]
        rows: list[Group] = []
        for one in named:
            if rows and LIST.fullmatch(self.text[rows[-1][-1].end : one.start]):
                rows[-1] = (*rows[-1], one)
            else:
                rows.append((one,))
        return [group for row in rows for group in self._parted(row)]

    def _parted(self, row: Group) -> list[Group]:
        """``Next to segments 1 and 2, segment 3``: without a final "and" the comma does not list."""
        joins = [self.text[one.end : other.start] for one, other in pairwise(row)]
        ands = [place for place, join in enumerate(joins, start=1) if not join or _AND.search(join)]
        end = ands[-1] + 1 if ands else 1
        return [row[:end], *((one,) for one in row[end:])]

    @cached_property
    def subjects(self) -> list[Group]:
        """Groups that something is said of, not only compared with; all of them if there is nothing else."""
        return [group for group in self.groups if not self.is_reference(group)]

    def is_reference(self, group: Group) -> bool:
        """Whether a group is only what something else is compared with."""
        if group[0].keys == (REST,):
            return True
        before = self.text[: group[0].start]
        if group[0].keys == (ALL,) and _AGAINST_VALUE.search(before):
            return True
        return bool(_BEFORE_REFERENCE.search(before))

    def is_aside(self, one: Mention) -> bool:
        """Whether a name is only set aside: ``segment 1, unlike segment 2, has 743 users``."""
        return self._before_aside(one).endswith((",", "(", "–", "—"))

    def opens(self, one: Mention) -> bool:
        """Whether a name is only set aside at the start: ``unlike segment 2, segment 1 has 743 users``."""
        return self._before_aside(one) == "^"

    def _before_aside(self, one: Mention) -> str:
        """What stands before an aside, ``^`` for nothing; empty where a name is in none."""
        begins = _BEFORE_REFERENCE.search(self.text[: one.start])
        aside = begins and _ASIDE_ENDS.match(self.text, one.end)
        return self.text[: begins.start()].rstrip(" *_\n") or "^" if begins and aside else ""

    @property
    def is_crowded(self) -> bool:
        """Whether there are too many values to tell what each is of: no writer's sentence, but a loop."""
        return len(self.values) > MOST_VALUES

    def between(self, start: int, end: int) -> str:
        """A stretch of text in which each segment is a sign."""
        text = self.text[start:end]
        inside = [one for one in self.of(Kind.SEGMENT) if start <= one.start and one.end <= end]
        for one in reversed(inside):
            text = f"{text[: one.start - start]}§{text[one.end - start :]}"
        return text


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Where sentences begin and end; a line end always ends one."""
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    spans = zip([0, *ends], [*ends, len(text)], strict=True)
    return [(start, end) for start, end in spans if text[start:end].strip()]


def about_of(text: str, mentions: Sequence[Mention], before: About) -> About:
    """What the next sentence goes on about: names without those that are only compared with."""
    sentence = Sentence(text, mentions, ())
    groups = sentence.groups
    own = keys_of(group for group in groups if not sentence.is_reference(group))
    own = tuple(key for key in own if key != ALL) or own  # what is beside it is only the yardstick
    if before.segments and all(one.weak for group in groups for one in group):
        own = ()
    others = keys_of(group for group in groups if sentence.is_reference(group))
    metrics = [one.keys for one in sentence.of(Kind.METRIC)]
    items = tuple(dict.fromkeys(key for one in sentence.of(Kind.ITEM) for key in one.keys))
    return About(
        own or before.segments,
        metrics[-1] if metrics else before.metrics,
        others if own or others else before.others,
        items or before.items,
    )


def keys_of(groups: Iterable[Group]) -> tuple[str, ...]:
    """Keys of some groups, each once."""
    return tuple(dict.fromkeys(key for group in groups for one in group for key in one.keys))
