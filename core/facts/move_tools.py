"""A tool about how users move that is not how others do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.facts import arguments
from core.facts.answer import ARROW, Contrast, Fact, Unit, Verdict
from core.facts.context import OTHERS
from core.facts.fact_maker import Figures, make_fact, relation, select
from core.facts.finding import Finding, notes, segment_only
from core.facts.item_tools import view_of
from core.journeys.step_table import differing, step_table
from core.profiles.paths import FROM, TO
from core.profiles.profile_columns import Col
from core.profiles.wilson import wilson


def differing_steps(figures: Figures, asked: arguments.MoveFacts) -> Finding:
    """The steps by which most users of a segment differ from the other clustered users.

    Steps are what the model has read, so that no test is told of them: the interval of the difference of the
    shares of users decides (:mod:`core.journeys.step_table`).

    Raises:
        InputError: If there is no such segment, or the data has no such labels.
    """
    context, key = figures.context, segment_only(figures.context, asked.segment)
    moves, rows = context.tables.basis.moves(view_of(context, asked.by)), context.tables.rows
    users, inside = rows.members(context.place(key)), rows.place < rows.n_segments
    here, others = moves.taken(users), moves.taken(inside & ~users)
    steps = differing(step_table(moves, here, others), here).head(asked.n).to_dict("records")
    told = tuple(_contrast(key, step, asked.by) for step in steps)
    query = f"{select('from, to, share, rest_share', f'steps_{asked.by}', key=key)} AND differs"
    none = f"{context.title(key)}: no step that clearly more or fewer of them take than of the others."
    return Finding(told or notes(none), f"{query} ORDER BY at_least DESC LIMIT {asked.n}")


def _contrast(key: str, step: Mapping[Any, Any], by: str) -> Contrast:
    first = _fact(key, step, by, (Col.SHARE, Col.USERS, Col.N))
    second = _fact(OTHERS, step, by, (Col.REST_SHARE, Col.REST_USERS, Col.REST_N))
    verdict = Verdict.HIGHER if step[Col.DIFFERENCE] > 0 else Verdict.LOWER
    return Contrast(first=first, second=second, verdict=verdict, relation=relation(first, second))


def _fact(key: str, step: Mapping[Any, Any], by: str, columns: tuple[str, str, str]) -> Fact:
    """Of the users who were where a step begins, who ever took it."""
    share, users, n = (step[column] for column in columns)
    low, high = wilson(users, n)
    return make_fact(
        f"move:{by}", "share of users there who ever took the step", (key,), float(share), Unit.SHARE,
        item=f"{step[FROM]}{ARROW}{step[TO]}", interval=(float(low), float(high)), n=n, users=users,
    )  # fmt: skip
