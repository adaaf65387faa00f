"""How users move: their most frequent steps and routes, and which steps differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from core.base.errors import InputError
from core.base.schema import View
from core.facts.answer import ARROW, Contrast, FigureList
from core.facts.context import LEVEL_OF, OTHERS, Context
from core.facts.fact_maker import (
    Figures,
    Finding,
    contrast_of_shares,
    notes,
    require_segment,
    select,
    share_fact,
)
from core.facts.items import plural_of
from core.facts.steps import step_facts
from core.journeys.flow import ROUTE
from core.journeys.moves import FROM, TO
from core.journeys.step_table import differing_step_table, step_table
from core.profiles.profile_columns import Col

_TOOK: Final = "share of users who took the route"
"""A session of whom was this, from its first stop to its end."""
_STEPPED: Final = "share of users there who ever took the step"
_VIEW_OF: Final = {level.value: view for view, level in LEVEL_OF.items()}


def steps(figures: Figures, key: str, by: str, n: int) -> Finding:
    """The most frequent steps of a row's users between pages, themes or types.

    Raises:
        InputError: If the data has no such labels.
    """
    context = figures.context
    facts = step_facts(figures, key, _view_of(context, by), n)
    query = f"{select('from, to, share', f'steps_{by}', key=key)} ORDER BY steps DESC LIMIT {n}"
    return Finding((FigureList(facts=facts),) if facts else notes(f"{context.title(key)}: no step."), query)


def routes(figures: Figures, key: str, by: str, n: int) -> Finding:
    """The most common whole sessions of a row's users, as routes between pages, themes or types.

    Raises:
        InputError: If the data has no such labels.
    """
    context = figures.context
    users = context.tables.members(key)
    table = context.tables.basis.routes(_view_of(context, by)).listed(users, np.zeros_like(users), None, n)
    facts = tuple(
        share_fact(f"route:{by}", _TOOK, key, row[Col.USERS], row[Col.N], str(row[ROUTE]))
        for row in table.to_dict("records")
    )
    query = f"{select('route, share', f'routes_{by}', key=key)} ORDER BY users DESC LIMIT {n}"
    return Finding((FigureList(facts=facts),), query)


def _view_of(context: Context, by: str) -> View:
    """Of pages, themes or types.

    Raises:
        InputError: If the data has none.
    """
    view = _VIEW_OF[by]
    if view not in context.tables.basis.views:
        raise InputError(f"This data has no {plural_of(by)}", remedy="Label the pages first")
    return view


def differing_steps(figures: Figures, segment: str, by: str, n: int) -> Finding:
    """Which steps the users of a segment take more or less often than the other clustered users.

    Steps are what the model has read, so that no test is told of them: the interval of the difference of the
    shares of users decides (:mod:`core.journeys.step_table`).

    Raises:
        InputError: If there is no such segment, or the data has no such labels.
    """
    context, key = figures.context, require_segment(figures.context, segment)
    view, rows = _view_of(context, by), context.tables.rows
    moves, inside = context.tables.basis.moves(view), rows.place < rows.n_segments
    here, others = context.tables.taken(key, view), moves.taken(inside & ~context.tables.members(key))
    steps = differing_step_table(step_table(moves, here, others), here).head(n).to_dict("records")
    told = tuple(_contrast(key, step, by) for step in steps)
    query = f"{select('from, to, share, rest_share', f'steps_{by}', key=key)} AND differs"
    none = f"{context.title(key)}: no step that clearly more or fewer of them take than of the others."
    return Finding(told or notes(none), f"{query} ORDER BY at_least DESC LIMIT {n}")


def _contrast(key: str, step: Mapping[Any, Any], by: str) -> Contrast:
    """Of the users who were where a step begins, who ever took it, here and among the others."""
    way = f"{step[FROM]}{ARROW}{step[TO]}"
    sides = ((key, step[Col.USERS], step[Col.N]), (OTHERS, step[Col.REST_USERS], step[Col.REST_N]))
    first, second = (share_fact(f"move:{by}", _STEPPED, row, users, n, way) for row, users, n in sides)
    return contrast_of_shares(first, second, differs=True)
