"""A tool about funnels: the analyst's own, the usual way to the outcome, or steps asked for in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from core.base.errors import InputError
from core.facts.answer import ARROW, Block, Contrast, Fact, FigureList, Key, Steps, Unit, Within
from core.facts.context import OTHERS, Context
from core.facts.fact_maker import (
    Figures,
    Finding,
    contrast_of_shares,
    make_fact,
    notes,
    require_row,
    select,
    share_fact,
)
from core.facts.verbs import FUNNEL_LOST, FUNNEL_SHARE, FUNNEL_USERS
from core.journeys.funnel import USER, Funnel, FunnelStep, StepKind
from core.journeys.funnel_start import outcome_steps, usual_funnel
from core.journeys.funnel_table import DROPPED, NAME, ShareOf, count_takers, steps_table
from core.profiles.differences import Diff
from core.profiles.profile_columns import Col

OUTCOME: Final = "outcome"
"""Name of a funnel step that is the outcome."""
OWN_FUNNEL_NOTE: Final = "The funnel of Journeys"
USUAL: Final = "No funnel was built on Journeys, so this is the usual way to the outcome"
ASKED: Final = "Counted"
_FORM: Final = "pages, templates, themes, types or events of this data, or a text with *"
_CAME_SO_FAR: Final = "share of users who come as far as"
NOBODY_LOST: Final = "Nobody who takes the first step is lost."
_Row = Mapping[Any, Any]


def funnel(figures: Figures, segment: Key, steps: Steps = (), within: Within = "user") -> Finding:
    """How many users of a segment take each step of a funnel in order, and after which most are lost.

    Raises:
        InputError: If there is no such row, or nothing is called like a step.
        ArtifactError: If a step is an event and the data set does not say when events were done.
    """
    context, key = figures.context, require_row(figures.context, segment)
    if within == USER and (event := _alone(context, steps)):
        return _did(context, key, event)
    built, whose = _funnel(context, steps)
    built = built if within == USER else built.model_copy(update={"within": within})
    walk, users = context.tables.basis.walked(built), context.tables.members(key)
    rows = context.tables.rows
    others = (rows.place < rows.n_segments) & ~users
    table = steps_table(built, count_takers(walk, users), count_takers(walk, others), ShareOf.ALL)
    taken = table.to_dict("records")
    facts = FigureList(facts=(*_steps(key, taken), *_lost(key, taken)))
    against = (_against(key, taken),) if key in context.segment_keys and others.any() else ()
    whole = taken[0][Col.USERS] and taken[-1][Col.USERS] == taken[0][Col.USERS] and len(taken) > 1
    said = notes(NOBODY_LOST if whole else "", f"{whose}: {built.meaning}.")
    blocks: tuple[Block, ...] = (facts, *against, *said)
    return Finding(blocks, select("step, users, share, dropped", "funnel", key=key, steps=_way(taken)))


def _alone(context: Context, steps: Sequence[str]) -> str:
    """The event that is the only step; empty for any other funnel."""
    kind, _, called = steps[0].partition(":") if len(steps) == 1 else ("", "", "")
    return called if kind == StepKind.EVENT and called in context.tables.basis.data.outcomes else ""


def _did(context: Context, key: str, event: str) -> Finding:
    """Who did one thing at all, which is known without its times."""
    users, conversions = context.tables.members(key), context.tables.basis.data.outcomes[event]
    n, did = int(users.sum()), int(users[conversions.user[conversions.user < len(users)]].sum())
    step = {NAME: event, Col.USERS: did, Col.N: n}
    said = notes(f"{ASKED}: {event}, in the user's whole time.")
    query = select("users, share", "outcomes", key=key, event=event)
    return Finding((FigureList(facts=tuple(_steps(key, [step]))), *said), query)


def _funnel(context: Context, steps: Sequence[str]) -> tuple[Funnel, str]:
    """The funnel, and whose it is."""
    if steps:
        return Funnel(steps=tuple(step for name in steps for step in _step(context, name))), ASKED
    if context.funnel is not None:
        return context.funnel, OWN_FUNNEL_NOTE
    basis, chosen = context.tables.basis, context.tables.profiles.chosen
    return usual_funnel(basis.funnel_site, basis.data.outcomes, chosen), USUAL


def _step(context: Context, name: str) -> Sequence[FunnelStep]:
    """``type:Product``, ``/cart``, ``/product/*``, ``outcome``.

    Raises:
        InputError: If nothing is called so, or it is not known when users had the outcome.
        SettingsError: If the name is empty.
    """
    site, chosen = context.tables.basis.funnel_site, context.tables.profiles.chosen
    if name == OUTCOME and chosen:  # of several the first, as on Journeys
        if found := outcome_steps(chosen[0], site):
            return found
        raise InputError(
            "The data set does not say when users had the outcome", remedy="Load the export again"
        )
    kind, _, called = name.partition(":")
    kinds = [StepKind(level) for level in site.names] + [StepKind.EVENT]
    tried = [(StepKind(kind), called)] if kind in kinds and called else [(one, name) for one in kinds]
    for own, text in tried:
        step = FunnelStep.checked(kind=own, any_of=(text,))
        if site.marks(step).found:
            return (step,)
    if kind == StepKind.EVENT and called in context.tables.basis.data.outcomes:
        raise InputError(
            f"The data set does not say when users did {called!r}", remedy="Load the export again"
        )
    raise InputError(f"Nothing here is called {name!r}", allowed=_FORM)


def _way(steps: Sequence[_Row]) -> str:
    return ARROW.join(str(step[NAME]) for step in steps)


def _steps(key: str, steps: Sequence[_Row]) -> Iterator[Fact]:
    """Number and share of the users who come so far.

    What they show is done by those who take the step, and by those who took the one before and not this.
    """
    before = steps[0][Col.N]
    for number, step in enumerate(steps, start=1):
        users, way = step[Col.USERS], _way(steps[:number])
        told = min(users, before - users)
        yield make_fact(
            FUNNEL_USERS, "number of users who come as far as", (key,), users, Unit.COUNT, item=way,
            n=step[Col.N], users=told,
        )  # fmt: skip
        yield share_fact(FUNNEL_SHARE, _CAME_SO_FAR, key, users, step[Col.N], way, told)
        before = users


def _lost(key: str, steps: Sequence[_Row]) -> Iterator[Fact]:
    """After which step most go no further; nothing where nobody does."""
    place = max(range(len(steps)), key=lambda one: steps[one][DROPPED])
    lost, came = steps[place][DROPPED], steps[place][Col.USERS]
    if lost:
        way, label = _way(steps[: place + 1]), "share of users who go no further after"
        yield share_fact(FUNNEL_LOST, label, key, lost, came, way, min(lost, came - lost))


def _against(key: str, steps: Sequence[_Row]) -> Contrast:
    """Who comes to the end, beside the other clustered users."""
    last, way = steps[-1], _way(steps)
    sides = ((key, last[Col.USERS], last[Col.N]), (OTHERS, last[Col.REST_USERS], last[Col.REST_N]))
    first, second = (share_fact(FUNNEL_SHARE, _CAME_SO_FAR, row, users, n, way) for row, users, n in sides)
    return contrast_of_shares(first, second, last[Diff.DIFFERS])
