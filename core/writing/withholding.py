"""Which figures give few users away: by themselves, or as a total that is left when its parts are known.

Who knows that 387 of 391 bought knows what 4 did; who knows all users and all segments but one knows that
one. So a figure counts the users it holds for and those it does not, and a total is withheld where the parts
that are withheld could be told from it. A row's devices add up to its users as rows add up to all: where
what is withheld along either could be told from the rest, the next smallest figure is withheld with it.
Several outcomes add up to the users with any of them.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np

from core.differences.user_items import Family
from core.facts.answer import Fact
from core.facts.context import ALL, UNSEEN
from core.facts.fact_maker import Figures
from core.facts.items import ATTRIBUTES, LIFTS, ItemMetric, item_rows, values
from core.facts.verbs import (
    AGAIN,
    CAME,
    FUNNEL_LOST,
    FUNNEL_SHARE,
    FUNNEL_USERS,
    LIKE,
    LIKE_IN,
    NOT,
    PRECISION,
    RECALL,
    RULE_USERS,
)
from core.profiles.profile_columns import Col

_CONVERTED: Final = (
    Col.OUTCOME_SESSIONS,
    Col.SESSION_RATE,
    Col.REVENUE,
    Col.NET_REVENUE,
    Col.REVENUE_PER_USER,
)
_ENGAGED: Final = (Col.ENGAGEMENT_MEAN, Col.ENGAGEMENT_MEDIAN)
_DOING: Final = {
    Col.OUTCOME_USERS: Col.OUTCOME_USERS, Col.OUTCOME_RATE: Col.OUTCOME_USERS,
    Col.ENGAGEMENT_USERS: Col.ENGAGEMENT_USERS, Col.ENGAGEMENT_NONE_SHARE: Col.ENGAGEMENT_USERS,
}  # fmt: skip
"""Measures that say how many users of a row do something."""
Cell: TypeAlias = tuple[str, str]
"""Row and value of an attribute, which each of its users has once."""
_ONE_EACH: Final = (*ATTRIBUTES, Family.HOUR, Family.WEEKDAY)
"""Families of which each user has one item."""
_OF_SOME: Final = (
    PRECISION, RECALL, RULE_USERS, FUNNEL_USERS, FUNNEL_SHARE, FUNNEL_LOST, LIKE, "move", CAME, AGAIN, "when",
)  # fmt: skip
"""Figures of some users of a row, or of several rows."""
_OF_USERS: Final = (ItemMetric.SHARE, ItemMetric.USERS, ItemMetric.LIFT)


@dataclass(frozen=True)
class Ends:
    """Whom a figure tells about.

    Args:
        inside: Users it holds for.
        outside: The others of its row; None where it says nothing of them.
    """

    inside: int
    outside: int | None = None

    def is_few(self, fewest: int) -> bool:
        """Whether either is fewer than allowed, nobody included."""
        return self.inside < fewest or (self.outside is not None and self.outside < fewest)


def gives_away(parts: Sequence[Ends], fewest: int) -> bool:
    """Whether a total less its parts that may be told gives away those that may not.

    Args:
        parts: All of them; they share no user.
        fewest: Users.
    """
    hidden = [part for part in parts if part.is_few(fewest)]
    outsides = [part.outside for part in hidden if part.outside is not None]
    together = Ends(sum(part.inside for part in hidden), sum(outsides) if outsides else None)
    return bool(hidden) and (len(hidden) == 1 or together.is_few(fewest))


def ends_of(figures: Figures, fact: Fact) -> Ends:
    """Whom a figure tells about; nobody where it is not counted who paid in a currency, or is in no row."""
    if fact.row == UNSEEN or (fact.currency and len(figures.currencies) > 1):
        return Ends(0)
    row = figures.context.row(fact.row)
    users, kind = int(row[Col.USERS]), fact.measure.removeprefix(NOT).partition(":")[0]
    if kind == LIKE_IN:  # parts of a total that may be told
        return Ends(0)
    if kind in _OF_SOME:
        return Ends(fact.users, fact.n - fact.users)
    if fact.item:
        inside = fact.users if fact.value else 0
        return Ends(inside, users - inside if kind in _OF_USERS else None)
    if kind in _DOING:
        doing = _counted(row, _DOING[kind])
        return Ends(doing, users - doing)
    if kind in _CONVERTED:
        return Ends(_counted(row, Col.OUTCOME_USERS))
    return Ends(_counted(row, Col.ENGAGEMENT_USERS) if kind in _ENGAGED else fact.users)


def _counted(row: Mapping[str, Any], column: str) -> int:
    """Users; nobody where the data do not say."""
    return 0 if math.isnan(row[column]) else int(row[column])


def is_few(figures: Figures, fact: Fact, fewest: int) -> bool:
    """Whether a figure is of few users, or of all but few of its row."""
    return ends_of(figures, fact).is_few(fewest)


def is_total(figures: Figures, fact: Fact, fewest: int) -> bool:
    """Whether a figure is a total, or gives one, from which a withheld part can be computed.

    A segment's share of all users gives all users; a lift and a share give what the others do.
    """
    if fact.measure == RULE_USERS:  # of one condition, what the segments' figures of its item add up to
        return True
    name, chosen = fact.measure.partition(":")[2], figures.context.tables.profiles.chosen
    if name in _ONE_EACH:
        listed = values(figures.context, Family(name))
        return _is_closed(figures, fact, fewest, listed, Col.USERS)
    if name == Family.OUTCOME and len(chosen) > 1:  # those with any are known, and each outcome is a part
        return _is_closed(figures, fact, fewest, chosen, Col.OUTCOME_USERS)
    everyone, lift = fact.row == ALL, fact.measure.partition(":")[0] in LIFTS
    if not (everyone or lift or fact.measure in (Col.SHARE, Col.SHARE_CLUSTERED)):
        return False
    context = figures.context
    parts = {
        key: ends_of(figures, part)
        for key in context.keys if key != ALL and (part := figures.same(fact, key))
    }  # fmt: skip
    segments = [ends for key, ends in parts.items() if key in context.segment_keys]
    unknown = everyone and not parts
    return unknown or gives_away([*parts.values()], fewest) or (not everyone and gives_away(segments, fewest))


def _is_closed(figures: Figures, fact: Fact, fewest: int, listed: Sequence[str], whole: str) -> bool:
    """Whether an item is withheld among those listed, which add up to the column ``whole`` of each row."""
    context, (kind, _, name) = figures.context, fact.measure.partition(":")
    if fact.item not in listed:  # one of the rare values that are a rest together
        return True
    users = {
        (key, value): int(row[Col.USERS])
        for value in listed
        for key, row in item_rows(context, Family(name), value).items()
    }
    cells = closed(users, {key: int(context.row(key)[whole]) for key in context.keys}, fewest)
    return any((row, fact.item) in cells for row in (context.keys if kind in LIFTS else (fact.row,)))


def closed(users: Mapping[Cell, int], wholes: Mapping[str, int], fewest: int) -> set[Cell]:
    """Cells that stay here: those of few users, or of all but few, and those that would give them away.

    A stranger knows every other cell, the users of each row, and that all is the sum of the other rows. Users
    of a row that are in no cell of it are one without a value, which is never told.

    Args:
        users: Of each row that has the value, all users among the rows.
        wholes: Users of each row that have one. Where a user has several (any outcomes count), their sum is
            more than that, which counts as few.
        fewest: Users.
    """
    rest = {(row, ""): n - sum(users[at] for at in users if at[0] == row) for row, n in wholes.items()}
    inside = {**users, **{cell: n for cell, n in rest.items() if n}}
    outside = {cell: wholes[cell[0]] - n for cell, n in inside.items()}
    few = {cell for cell, n in inside.items() if Ends(n, outside[cell]).is_few(fewest)}
    lines = [{cell for cell in inside if cell[at] == one} for at in (0, 1) for one in {c[at] for c in inside}]

    def is_told(hidden: set[Cell]) -> bool:
        rows = {row for row, _ in hidden}
        ends = (sum(side[cell] for cell in hidden) for side in (inside, outside))
        together = math.inf if ALL in rows and len(rows) > 1 else min(ends)
        return len(hidden) == 1 or (bool(hidden) and together < fewest)

    hidden, before = set(few), -1
    while before < (before := len(hidden)):
        for line in lines:
            shown = sorted(line - hidden, key=lambda cell: (cell[0] != ALL, inside[cell], cell))
            while shown and is_told(line & hidden):
                hidden.add(shown.pop(0))
    return set(inside) if few and few & _found_out(hidden) else hidden


def _found_out(hidden: Collection[Cell]) -> set[Cell]:
    """Cells that follow from the sums of all rows and values together, though from none alone."""
    cells = sorted(hidden)
    rows, found = {row for row, _ in cells}, {value for _, value in cells}
    of_row = [[row == one for row, _ in cells] for one in rows]
    of_value = [[(value == one) * (-1 if row == ALL else 1) for row, value in cells] for one in found]
    sums = np.array([*of_row, *of_value], dtype=float)
    free = np.linalg.svd(sums)[2][np.linalg.matrix_rank(sums) :]
    return {cell for cell, ways in zip(cells, free.T, strict=True) if np.allclose(ways, 0)}
