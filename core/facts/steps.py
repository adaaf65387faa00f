"""The steps of a row, counted as the page Journeys counts them: starts, ends and reloads are steps."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.base.schema import UNKNOWN, View
from core.facts import items
from core.facts.answer import Fact
from core.facts.context import LEVEL_OF, Context
from core.facts.fact_maker import Figures
from core.journeys.moves import FROM, STEPS, TO, Moves
from core.profiles.profile_columns import Col
from core.profiles.user_items import Family


def step_view(context: Context) -> View:
    """View between whose values steps are listed: page types, or pages where no page has a type."""
    return View.TYPE if {*items.values(context, Family.TYPE)} - {UNKNOWN} else View.URL


def most_steps(
    context: Context, key: str, view: View, n: int, *, origin: int | None = None, target: int | None = None,
    between: bool = False,
) -> pd.DataFrame:  # fmt: skip
    """The most frequent steps of a row's users; steps of which neither end has a label are left out.

    Args:
        context: The segments and what was counted of them.
        key: Key of the row.
        view: Whether between pages, themes or types.
        n: Most steps.
        origin: Only steps from this code of :class:`core.journeys.moves.Moves`.
        target: Only steps to this code.
        between: Whether starts and ends of sessions are not listed; the column ``n`` still counts them.

    Returns:
        ``from``, ``to``, ``steps``, ``n`` (steps from ``origin``, to ``target``, or all), ``share`` of these,
        ``users``.
    """
    moves, steps = context.tables.basis.moves(view), context.tables.taken(key, view).steps
    wanted = steps.times > 0
    if origin is not None:
        wanted &= moves.left == origin
    if target is not None:
        wanted &= moves.reached == target
    whole = int(steps.times[wanted].sum())
    code = np.flatnonzero(wanted & _says_something(moves, between=between))
    code = code[np.argsort(-steps.times[code], kind="stable")][:n]
    return pd.DataFrame(
        {
            FROM: moves.called(moves.left[code]), TO: moves.called(moves.reached[code]),
            STEPS: steps.times[code], Col.N: whole, Col.SHARE: steps.times[code] / max(1, whole),
            Col.USERS: steps.users[code],
        }
    )  # fmt: skip


def session_ends(context: Context, key: str, kind: str, n: int) -> pd.DataFrame:
    """The pages with which most sessions of a row begin (``entry``) or end (``exit``), as steps."""
    moves = context.tables.basis.moves(View.URL)
    origin, target = (moves.start, None) if kind == "entry" else (None, moves.end)
    return most_steps(context, key, View.URL, n, origin=origin, target=target)


def end_facts(figures: Figures, key: str, kind: str, n: int) -> tuple[Fact, ...]:
    """Make facts of the most common first or last steps of sessions (:func:`session_ends`)."""
    table = session_ends(figures.context, key, kind, n)
    return tuple(figures.session_end(key, row, kind) for row in table.to_dict("records"))


def step_facts(figures: Figures, key: str, view: View, n: int, *, between: bool = False) -> tuple[Fact, ...]:
    """Make facts of the most frequent steps (:func:`most_steps`)."""
    table = most_steps(figures.context, key, view, n, between=between)
    return tuple(figures.step(key, row, LEVEL_OF[view]) for row in table.to_dict("records"))


def _says_something(moves: Moves, *, between: bool) -> np.ndarray:
    """Which steps have an end with a name (``between``: and no start or end): bool of shape (n_steps,)."""
    outside = [moves.start, moves.end]
    names = moves.places.names
    nameless = outside + ([names.index(UNKNOWN)] if UNKNOWN in names else [])
    found: np.ndarray = ~(np.isin(moves.left, nameless) & np.isin(moves.reached, nameless))
    if between:
        found &= (moves.left != moves.start) & (moves.reached != moves.end)
    return found
