"""A tool about look-alikes: how many users are like those of a segment or a list, and where they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import numpy as np

from core.base.errors import InputError
from core.facts.answer import Fact, FigureList, Unit
from core.facts.context import PASTED
from core.facts.fact_maker import Figures, Finding, make_fact, notes, require_segment, select
from core.facts.verbs import LIKE, LIKE_IN
from core.profiles.two_shares import wilson

if TYPE_CHECKING:
    from core.people.look_alikes import LookAlikes

HOW: Final = (
    "Counted are users who are nearer to these than to the others, users set aside among them. "
    "Users & rules has who they are, and more or fewer of them."
)
BY_HIDING: Final = (
    "Counted are as many as set hidden users of the list furthest apart from chance. Users & rules has who "
    "they are, and more or fewer of them."
)
NO_BETTER: Final = "Chance may find as many: the users of the list have too little in common, or are too few."


def look_alikes(figures: Figures, segment: str) -> Finding:
    """How many other users are like those of a segment, or of a pasted list, and in which segments.

    Raises:
        InputError: If there is no such segment, no list, or nobody else.
    """
    context = figures.context
    key = PASTED if segment == PASTED else require_segment(context, segment)
    if context.like is None:
        raise InputError("Look-alikes of these are not counted", remedy="Ask about a segment of the model")
    found = context.like(key)
    reach = found.usual_reach
    total = make_fact(
        LIKE, "number of look-alikes among the other clustered users", (key,), reach, Unit.COUNT,
        n=len(found.users), users=reach,
    )  # fmt: skip
    said = (BY_HIDING if len(found.ranks) else HOW, NO_BETTER if _is_chance(found, reach) else "")
    facts = (total, *_where(figures, key, found.users[:reach]))
    return Finding((FigureList(facts=facts), *notes(*said)), select("key, users", "look_alikes", of=key))


def _is_chance(found: LookAlikes, reach: int) -> bool:
    """Whether as many hidden users may be found by chance."""
    if not len(found.ranks):
        return False
    low, _ = wilson(np.array(found.found(reach)), np.array(len(found.ranks)))
    return float(low) <= reach / len(found.users)


def _where(figures: Figures, key: str, users: np.ndarray) -> Iterator[Fact]:
    """Users of each row, those with most first."""
    rows = figures.context.tables.rows
    counts = np.bincount(rows.place[users], minlength=rows.n_rows)
    for place in np.argsort(-counts, kind="stable").tolist():
        if counts[place]:
            yield make_fact(
                LIKE_IN, "number of look-alikes in it", (key, figures.context.keys[place]), counts[place],
                Unit.COUNT, n=len(users), users=counts[place],
            )  # fmt: skip
