"""Blocks as sentences: the only place where figures become English.

A row has its title in full once and its name afterwards; a figure is said once; names in the plural have
their verbs in the plural; several items of one measure are a list, and so are several contrasts or rankings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import isinf
from operator import attrgetter
from typing import Final

from core.base.wording import capitalised, uncapitalised
from core.facts.answer import (
    QUERY,
    Block,
    Chart,
    Comment,
    Contrast,
    Fact,
    FigureList,
    FigureTable,
    Idea,
    Note,
    Ranking,
    Title,
    Unit,
    Verdict,
)
from core.facts.context import ALL, OTHERS
from core.facts.items import ItemMetric, plural_of
from core.facts.verbs import (
    LIKE_IN,
    LISTED,
    MORE,
    PRECISION,
    RECALL,
    RULE_USERS,
    Piece,
    commas,
    counted,
    does,
    end_of,
    kind_of,
    listing,
    measured,
    plural,
    subject,
    superlative,
    tied,
    verb,
    what_it_has,
    who_converted,
    with_interval,
)
from core.journeys.moves import END, START
from core.profiles.profile_columns import Col

_MEASURE: Final = attrgetter("measure")
_ENDS: Final = {"entry": "begin", "exit": "end"}
_RULE: Final = {
    RULE_USERS: (" It describes ", " clustered users."),
    PRECISION: (" Of those whom it describes, ", " belong to the segment (precision)."),
    RECALL: (" Of the segment, it finds ", " (recall)."),
}
"""Measure of a rule → text before and after its figure."""


@dataclass(frozen=True)
class Line:
    """One line of an answer: a sentence or two that belong together.

    Args:
        pieces: In order.
        bullet: Whether it is an item of a list; the line before the first one is its heading.
    """

    pieces: tuple[Piece, ...]
    bullet: bool = False

    @property
    def text(self) -> str:
        """The line as plain text, without any markup."""
        return "".join(piece if isinstance(piece, str) else piece.text for piece in self.pieces)


def say(blocks: Iterable[Block], titles: Mapping[str, Title]) -> list[Line]:
    """Put blocks into sentences; :class:`Comment`, :class:`Idea` and :class:`Chart` are shown apart.

    Args:
        blocks: In order.
        titles: Row key → title, of every row that they speak of.
    """
    speaker = _Speaker(titles)
    lines: list[Line] = []
    sayable = [block for block in blocks if not isinstance(block, Comment | Idea | Chart)]
    for kind, group in groupby(sayable, type):
        lines += speaker.group(kind, list(group))
    return lines


def plain(blocks: Iterable[Block], titles: Mapping[str, Title]) -> str:
    """Put blocks into sentences as :func:`say`: plain text, a line each; list items begin with ``-``."""
    return "\n".join(("- " if line.bullet else "") + line.text for line in say(blocks, titles))


def _with_base(fact: Fact) -> list[Piece]:
    """A figure with its interval; of a share also the counts behind it."""
    if fact.unit is not Unit.SHARE:
        return [fact]
    return [*with_interval(fact), f", {round(fact.value * fact.n):,} of {fact.n:,} {fact.currency}".rstrip()]


@dataclass
class _Speaker:
    titles: Mapping[str, Title]
    introduced: set[str] = field(default_factory=set)
    said: set[Fact] = field(default_factory=set)
    subject: str = ""
    """The row that the last sentence was about."""

    def group(self, kind: type, blocks: list[Block]) -> list[Line]:
        """Put blocks of one kind that follow each other into sentences."""
        if kind is not FigureList:
            self.subject = ""
        if kind is Note:
            return [Line((block.text,)) for block in blocks if isinstance(block, Note)]
        if kind is FigureList:
            return [
                line for block in blocks if isinstance(block, FigureList) for line in self._figures(block)
            ]
        if kind is FigureTable:
            return [line for block in blocks if isinstance(block, FigureTable) for line in self._table(block)]
        if kind is Contrast:
            return self._contrasts([block for block in blocks if isinstance(block, Contrast)])
        return self._rankings([block for block in blocks if isinstance(block, Ranking)])

    def _table(self, block: FigureTable) -> list[Line]:
        """What was asked, with its figure; or as a heading above a line for each row."""
        facts = block.facts
        if len(facts) == 1 and not facts[0].item and not facts[0].row.startswith("segment:"):
            return [Line((f"{block.heading}: ", *_with_base(facts[0]), "."))]
        rows = [
            Line((f"{fact.called or self._title(fact.row, start=True)}: ", *_with_base(fact)), bullet=True)
            for fact in facts
        ]
        return [Line((f"{block.heading}:",)), *rows]

    # rows

    def _title(self, row: str, *, start: bool = False) -> str:
        """The title of a row, in full the first time; a group's title is in lower case within a sentence."""
        title = self.titles[row]
        text = title.short if row in self.introduced else title.full
        self.introduced.add(row)
        return text if start or row.startswith("segment:") else uncapitalised(text)

    def _is_plural(self, row: str) -> bool:
        """Whether a row takes a verb in the plural."""
        title = self.titles[row]
        return not row.startswith("segment:") or (bool(title.name) and plural(title.name))

    # figures

    def _figures(self, block: FigureList) -> list[Line]:
        facts = [fact for fact in dict.fromkeys(block.facts) if fact not in self.said]
        self.said |= set(facts)
        lines: list[Line] = []
        asked = [fact for fact in facts if fact.measure.startswith(QUERY)]
        for _, group in groupby(asked, lambda fact: fact.label):
            own = tuple(group)
            lines += self._table(FigureTable(heading=capitalised(own[0].label), facts=own))
        facts = [fact for fact in facts if fact not in asked]
        for (row, has_item, many), group in groupby(facts, kind_of):
            listed_facts = list(group)
            if has_item:
                lines += self._items(listed_facts)
            elif many:
                lines += [
                    Line((*self._between(list(alike)),)) for _, alike in groupby(listed_facts, _MEASURE)
                ]
            else:
                lines.append(Line((*self._has(row, listed_facts),)))
            self.subject = row if not (has_item or many) else ""
        return _bulleted(lines) if len(lines) > 3 and not any(line.bullet for line in lines) else lines

    def _has(self, row: str, facts: Sequence[Fact]) -> list[Piece]:
        measures = [fact.measure for fact in facts]
        if measures[0] == Col.OUTCOME_USERS:
            who = [] if row == ALL else [f"{self._title(row, start=True)}: "]
            rest = [" ", *self._has(row, facts[1:])] if facts[1:] else []
            return [*who, *who_converted(facts[0]), ".", *rest]
        if row == ALL and set(measures) <= {Col.USERS, "segments"}:
            there = "There is " if facts[0].text == "1" else "There are "
            return [there, *listing([what_it_has(fact) for fact in facts]), "."]
        if measures[:2] == [Col.USERS, Col.SHARE]:
            size: list[Piece] = [*what_it_has(facts[0]), " (", facts[1], " of all users)"]
            objects = [size, *(what_it_has(fact) for fact in facts[2:])]
        else:
            objects = [what_it_has(fact) for fact in facts]
        if Col.USERS in measures or measures == [Col.SHARE]:  # users have no users
            return [f"{self._title(row, start=True)}: ", *listing(objects), "."]
        plural = self._is_plural(row)
        if row == self.subject:
            return ["They have " if plural else "It has ", *listing(objects), "."]
        return [f"{self._title(row, start=True)} {verb('have', plural=plural)} ", *listing(objects), "."]

    def _between(self, facts: Sequence[Fact]) -> list[Piece]:
        """Sentence on figures of one measure between a row and other rows."""
        row = self._title(facts[0].row)
        if facts[0].measure == LIKE_IN:
            where: list[list[Piece]] = [[fact, f" in {self._title(fact.segments[1])}"] for fact in facts]
            return ["Where they are: ", *listing(where), "."]
        parts: list[list[Piece]] = [[f"{self._title(fact.segments[1])} at ", fact] for fact in facts]
        what = f"Closest to {row}, by the" if facts[0].measure == "distance" else f"{row},"
        return [f"{what} {facts[0].label}: ", *commas(parts), "."]

    def _items(self, facts: Sequence[Fact]) -> list[Line]:
        """Sentences on items of one row: items of one measure as a list."""
        lines = [Line((*self._rule(rule),)) for rule in _rules(facts)]
        listed = [fact for fact in facts if fact.measure not in _RULE]
        for measure in dict.fromkeys(map(_MEASURE, listed)):
            items = [fact for fact in listed if fact.measure == measure]
            if len(items) == 1:
                lines.append(Line((*self._one_item(items[0]),)))
                continue
            parts: list[list[Piece]] = [[f"{fact.called} (", fact, ")"] for fact in items]
            lines.append(Line((f"{self._heading(items[0])}: ", *commas(parts), ".")))
        return lines

    def _rule(self, facts: Sequence[Fact]) -> list[Piece]:
        """Sentence with a rule and its measures."""
        pieces: list[Piece] = [f"A rule for {self._title(facts[0].row)}: {facts[0].called}."]
        for fact in facts:
            before, after = _RULE[fact.measure]
            pieces += [before, *with_interval(fact), counted(fact, after)]
        return pieces

    def _heading(self, fact: Fact) -> str:
        kind, _, rest = fact.measure.partition(":")
        dimension, _, of = rest.partition(":")
        row = self._title(fact.row)
        if kind in _ENDS:
            return f"Sessions of {row} {_ENDS[kind]} most often with"
        if kind == "step" and not of:
            return f"The most frequent steps of {row}"
        if kind == "move":
            return f"Steps of {row}, by share of the users who were there"
        if kind == "route":
            return f"The most common whole sessions of {row}"
        if kind == "moved":
            return "From where to where"
        if kind not in LISTED:  # of an older conversation
            return f"{capitalised(fact.label)}, of {row}"
        return capitalised(LISTED[kind].format(items=plural_of(dimension), row=row))

    def _one_item(self, fact: Fact) -> list[Piece]:
        """Sentence about a single item."""
        kind, _, rest = fact.measure.partition(":")
        row = self._title(fact.row)
        if kind in _ENDS:
            return [fact, f" of the sessions of {row} {_ENDS[kind]} with {fact.called}."]
        if kind == "step" and ":" not in rest:
            return [fact, f" of the steps of {row} lead from {end_of(fact, 0)} to {end_of(fact, 1)}."]
        if kind == "move":
            return [fact, f" of {row} {_moved(fact)}."]
        if kind == "route":
            return [fact, f" of {row} took the route {fact.called.removesuffix('.')}."]
        if kind == "moved":
            return [fact, f" users changed: {fact.called}."]
        if kind not in LISTED:  # of an older conversation
            return [f"{subject(fact)}, of {row}: ", fact, "."]
        who = f"{does(rest)} {fact.called}"
        if kind == ItemMetric.SHARE:
            return [fact, f" of {row} {who}."]
        if isinf(fact.value):
            return [f"Users that {who} are ", fact, f", in {row}, and not among the others."]
        return [f"The share of {row} that {who} is ", fact, " that of the others."]

    # contrasts

    def _contrasts(self, blocks: Sequence[Contrast]) -> list[Line]:
        """Sentences on contrasts; several against the other clustered users share a heading."""
        apart = [block for block in blocks if block.second.row == OTHERS and block.verdict.is_sure]
        apart = apart if len(apart) > 1 else []
        rest = [Line((*self._contrast(block),)) for block in blocks if block not in apart]
        if len(rest) > 2:
            rest = _bulleted(rest)
        return [*rest, *self._set_apart(apart)]

    def _set_apart(self, blocks: Sequence[Contrast]) -> list[Line]:
        """A line for each difference that sets one or several rows apart."""
        rows = list(dict.fromkeys(block.first.row for block in blocks))
        if not rows:
            return []
        who = self._title(rows[0]) if len(rows) == 1 else "them"
        lines = [Line((f"What sets {who} apart from {self._title(OTHERS)}:",))]
        for block in blocks:
            self.said |= {block.first, block.second, *([block.relation] if block.relation else [])}
            row = [] if len(rows) == 1 else [f"{self._title(block.first.row)}: "]
            lines.append(Line((*row, *_difference(block), "."), bullet=True))
        return lines

    def _contrast(self, block: Contrast) -> list[Piece]:
        self.said |= {block.first, block.second, *([block.relation] if block.relation else [])}
        against: list[Piece] = [block.first, " against ", block.second]
        if not block.verdict.is_sure:
            both = f"{self._title(block.first.row)} and {self._title(block.second.row)}"
            what = f"no difference between {both}"
            if block.verdict is Verdict.UNSURE:
                what = f"not shown to differ between {both}"
            values = [*with_interval(block.first), " against ", *with_interval(block.second)]
            least: list[Piece] = []
            if block.detectable:
                least = ["; a difference of ", block.detectable, " would have been seen"]
            return [f"{subject(block.first)}: {what}, ", *values, *least, "."]
        return [*self._direction(block), ": ", *against, *_related(block), "."]

    def _direction(self, block: Contrast) -> list[Piece]:
        fact, higher = block.first, block.verdict is Verdict.HIGHER
        row, other = fact.row, block.second.row
        if fact.item:
            more, less = ("more", "fewer") if fact.unit is Unit.COUNT else ("larger", "smaller")
            size = more if higher else less
            return [f"{subject(fact)}: {size} for {self._title(row)} than for {self._title(other)}"]
        plural = self._is_plural(row)
        title = self._title(row, start=True)
        if fact.measure in MORE:
            word, more, less = MORE[fact.measure]
            does = f"{verb(word, plural=plural)} {more if higher else less}"
        elif fact.unit is Unit.COUNT:
            does = f"{verb('have', plural=plural)} {'more' if higher else 'fewer'} {fact.label}"
        else:
            does = f"{verb('have', plural=plural)} a {'higher' if higher else 'lower'} {fact.label}"
        return [f"{title} {does} than {self._title(other)}"]

    # rankings

    def _rankings(self, blocks: Sequence[Ranking]) -> list[Line]:
        """Sentences on rankings: a single ranking in full, several by their first and last row as a list."""
        say = self._ends if len(blocks) > 1 and all(map(_is_whole, blocks)) else self._ranking
        return [Line((*say(block),), bullet=len(blocks) > 1) for block in blocks]

    def _ranking(self, block: Ranking) -> list[Piece]:
        self.said |= set(block.facts)
        if block.limit:
            return [f"{block.limit}: ", *(self._each(block.facts) if block.facts else ["no segment"]), "."]
        if block.reference:
            return self._beyond(block, block.reference)
        best, others = tied(block.facts)
        if not others and len(best) > 1 and _is_whole(block):
            return [f"{subject(best[0])}: the same for all, ", best[0], "."]
        plural = len(best) > 1 or self._is_plural(best[0].row)
        what = f"the {superlative(best[0], most=block.most)} {measured(best[0])}"
        who = listing([[self._title(fact.row, start=not place)] for place, fact in enumerate(best)])
        pieces: list[Piece] = [*who, f" {verb('have', plural=plural)} {what}: ", *with_interval(best[0]), "."]
        if others:
            pieces += [" Then come ", *self._each(others), "."]
        if not block.sure and len(best) == 1:
            pieces.append(" The first two are not shown to differ.")
        return pieces

    def _beyond(self, block: Ranking, reference: Fact) -> list[Piece]:
        side = "Above" if block.most else "Below"
        who = self._each(block.facts) if block.facts else ["no segment"]
        return [f"{subject(reference)} for all users: ", reference, f". {side} that: ", *who, "."]

    def _ends(self, block: Ranking) -> list[Piece]:
        best, others = tied(block.facts)
        worst, _ = tied(block.facts[::-1])
        self.said |= {*best, *worst}
        if not others:
            return [f"{subject(best[0])}: the same for all, ", best[0], "."]
        high, low = (best, worst[::-1]) if block.most else (worst[::-1], best)
        return [
            f"{subject(best[0])}: highest for ", *self._who(high), " with ", high[0], ", lowest for ",
            *self._who(low), " with ", low[0], ".",
        ]  # fmt: skip

    def _who(self, facts: Sequence[Fact]) -> list[Piece]:
        return listing([[self._title(fact.row)] for fact in facts])

    def _each(self, facts: Sequence[Fact]) -> list[Piece]:
        return listing([[f"{self._title(fact.row)} with ", fact] for fact in facts])


def _rules(facts: Sequence[Fact]) -> list[list[Fact]]:
    """Group the facts about rules by rule."""
    rules: dict[str, list[Fact]] = {}
    for fact in facts:
        if fact.measure in _RULE:
            rules.setdefault(fact.item, []).append(fact)
    return [*rules.values()]


def _difference(block: Contrast) -> list[Piece]:
    """A figure beside that of the others: ``72% saw /cart, against 8%``."""
    fact = block.first
    kind, _, family = fact.measure.partition(":")
    if kind == "move":
        of = "" if fact.ends[0] == START else " of those"
        return [fact, f"{of} {_moved(fact)}, against ", block.second, *_related(block)]
    if kind == ItemMetric.SHARE and fact.item:
        return [fact, f" {does(family)} {fact.called}, against ", block.second, *_related(block)]
    return [f"{measured(fact)}: ", fact, " against ", block.second, *_related(block)]


def _moved(fact: Fact) -> str:
    """Verb phrase of a step, about users who were where it begins."""
    origin, target = fact.ends
    if origin == START:
        return f"began a session with {target}"
    if target == END:
        return f"who were at {origin} ended a session there"
    if origin == target:
        return f"who were at {origin} opened it again right away"
    return f"who were at {origin} went on to {target}"


def _related(block: Contrast) -> list[Piece]:
    return [" (", block.relation, ")"] if block.relation else []


def _is_whole(block: Ranking) -> bool:
    """Whether a ranking contains every row: only then are its first and last those of all."""
    return block.complete and block.reference is None and not block.limit


def _bulleted(lines: Sequence[Line]) -> list[Line]:
    return [Line(line.pieces, bullet=True) for line in lines]
