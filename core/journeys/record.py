"""``journeys.json``: how the users of each segment move, beside the other clustered users, as plain data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from core.journeys.moves import Moves, Taken
from core.journeys.step_table import dead_ends, differing, return_table, step_table
from core.journeys.step_words import step_sentence
from core.profiles.profile_columns import Col
from core.profiles.rows import Rows

STEPS: Final = 15
DIFFERING: Final = 15
ENDS: Final = 8
"""Steps, steps that differ and places that are told of a segment, at most: so the file stays below 1 MB."""
DIGITS: Final = 5


def journeys(moves: Moves, rows: Rows, titles: Mapping[int, str]) -> dict[str, Any]:
    """How each segment moves.

    Args:
        moves: All steps, at one level.
        rows: Who belongs to which segment.
        titles: Segment → what it is called.

    Returns:
        ``level`` and, of each of the ``segments``, its ``users``, ``sessions`` and ``steps`` with records
        of the tables of :mod:`core.journeys.step_table`: ``top_steps``, ``differing`` (by which most users
        differ from the other clustered users, each with a ``text``), ``entries``, ``exits``, ``returns``,
        ``repeats`` and ``dead_ends``.
    """
    inside = rows.place < rows.n_segments
    told = []
    for row, segment in enumerate(rows.segments):
        users = rows.members(row)
        here, others = moves.taken(users), moves.taken(inside & ~users)
        told.append({"cluster": segment, "name": titles[segment]} | _told(moves, here, others))
    return {"level": moves.places.level.value, "segments": told}


def _told(moves: Moves, here: Taken, others: Taken) -> dict[str, Any]:
    steps = step_table(moves, here, others)
    apart = differing(steps, here).head(DIFFERING)
    apart = apart.assign(text=[step_sentence(step) for step in apart.to_dict("records")])
    taken = steps[steps[Col.USERS] > 0]
    entries, exits, repeats = (
        found[found[Col.USERS] > 0]  # not what only the others do
        for which in (moves.left == moves.start, moves.reached == moves.end, moves.left == moves.reached)
        for found in [step_table(moves, here, others, which, ENDS)]
    )
    return {
        "users": here.n_users, "sessions": here.n_sessions, "steps": here.n_steps,
        "top_steps": _records(taken, STEPS), "differing": _records(apart, DIFFERING),
        "entries": _records(entries, ENDS), "exits": _records(exits, ENDS),
        "returns": _records(return_table(moves, here, others, ENDS), ENDS),
        "repeats": _records(repeats, ENDS), "dead_ends": _records(dead_ends(moves, here), ENDS),
    }  # fmt: skip


def _records(table: pd.DataFrame, most: int) -> list[dict[str, Any]]:
    """Rows as plain data; an absent number is null."""
    return [
        {str(name): _plain(value) for name, value in row.items()}
        for row in table.head(most).to_dict("records")
    ]


def _plain(value: Any) -> Any:  # noqa: ANN401 - a cell of a table
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, DIGITS)
    return value
