"""Propose a first funnel: the usual way of users with the outcome to that outcome."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from core.base.schema import PAGE_OUTCOME, TEMPLATE_OUTCOME, UNKNOWN
from core.journeys.funnel import MAX_PATTERNS, Funnel, FunnelStep, StepKind
from core.journeys.moves import Level
from core.journeys.patterns import FunnelSite, prefix_patterns
from core.profiles.outcomes import OutcomeIndex, OutcomeRecord, path_of
from core.storage.sequences import UserSequences

_BEFORE: Final = 3
"""Steps before the outcome, at most; without an outcome, steps in all."""
_TRIED: Final = 5
"""Places that the way is searched among: those seen by most users."""
_FEWEST: Final = 3
"""Different names that a level needs, at least, to be used for steps."""
_LEVELS: Final = (Level.TYPE, Level.TEMPLATE, Level.THEME, Level.PAGE)
"""Levels that steps may have, the most readable first."""


def usual_funnel(site: FunnelSite, outcomes: OutcomeIndex, chosen: Sequence[str]) -> Funnel:
    """Propose the usual way to the first chosen outcome, without pages that give it away.

    Args:
        site: What steps can be made of.
        outcomes: Index of the possible outcomes, with the page views.
        chosen: The outcomes; without any it is the way of all users.

    Raises:
        KeyError: If the first outcome is not in the data.
    """
    if not chosen:
        return usual_way(site, outcomes.sequences, None, None)
    away = np.isin(np.asarray(outcomes.pages, dtype=object).astype(str), outcomes.leaks(chosen[:1]))
    return usual_way(site, outcomes.sequences, chosen[0], outcomes[chosen[0]], away)


def usual_way(
    site: FunnelSite,
    sequences: UserSequences,
    outcome: str | None,
    conversions: OutcomeRecord | None,
    gives_away: np.ndarray | None = None,
) -> Funnel:
    """Propose the longest way that half of the users with the outcome take before it, ending with it.

    Without an outcome it is the two steps that most users take in order, and a third one if half of these do.

    Args:
        site: What steps can be made of.
        sequences: Page views of all users.
        outcome: The outcome as text; None without one, when the way of all users is taken.
        conversions: Who had it, and when first; None without one.
        gives_away: bool of shape (n_pages,), pages that are as good as the outcome, such as a thank-you page:
            these are in no step before it. None for none.
    """
    level = next((one for one in _LEVELS if len(set(site.names.get(one, ()))) >= _FEWEST), Level.PAGE)
    names, code = np.unique(np.asarray(site.names[level], dtype=object).astype(str), return_inverse=True)
    last = [] if outcome is None else outcome_steps(outcome, site)
    late = np.zeros(len(code), dtype=bool) if gives_away is None else gives_away.copy()
    for step in last:
        late |= site.marks(step).pages
    before = _before(sequences, conversions)
    views = np.flatnonzero(before & ~late[sequences.page] & (names != UNKNOWN)[code][sequences.page])
    enough = None if conversions is None else len(np.unique(sequences.user[before])) / 2
    way = _way(sequences.user[views], code[sequences.page[views]], enough)
    steps = [_step_at(place, level, code, late, site) for place in way]
    first = [] if way or last else [FunnelStep(kind=StepKind(level), any_of=(str(names[0]),))]
    return Funnel(steps=(*steps, *first, *last))


def outcome_steps(outcome: str, site: FunnelSite) -> list[FunnelStep]:
    """The funnel step of an outcome, in a list; empty where it is an event without known times."""
    if outcome in site.events:  # also a page that was left out
        return [FunnelStep(kind=StepKind.EVENT, any_of=(outcome,))]
    for kind, said in ((StepKind.PAGE, PAGE_OUTCOME), (StepKind.TEMPLATE, TEMPLATE_OUTCOME)):
        if outcome.startswith(said):
            text = outcome.removeprefix(said)
            there = text in site.names.get(Level(kind), ())
            return [FunnelStep(kind=kind, any_of=(text if there else path_of(text),))]
    return []


def _before(sequences: UserSequences, conversions: OutcomeRecord | None) -> np.ndarray:
    """Which page views are of users with the outcome, before they had it: bool of shape (n_views,)."""
    if conversions is None:
        return np.ones(sequences.n_views, dtype=bool)
    until = np.full(sequences.n_users, np.iinfo(np.int64).min)
    inside = conversions.user < sequences.n_users
    until[conversions.user[inside]] = conversions.first_ts[inside]
    found: np.ndarray = sequences.timestamp <= until[sequences.user]
    return found


def _way(user: np.ndarray, place: np.ndarray, enough: float | None) -> list[int]:
    """The longest way that enough users take; where there is none, the most common of the shortest ways.

    Args:
        user: int of shape (n,), ascending; page views in order.
        place: int of shape (n,), where each was.
        enough: Users that a way needs; None for two steps at least, and half of those who take them.
    """
    width = int(place.max(initial=0)) + 1
    seen = np.sort(user.astype(np.int64) * width + place, kind="stable")  # np.unique hashes: slower
    users = np.bincount(seen[np.flatnonzero(np.diff(seen, prepend=-1))] % width)
    tried = [p for p in np.argsort(-users, kind="stable")[:_TRIED].tolist() if users[p]]
    best = _commonest(user, [np.flatnonzero(place == p) for p in tried])
    least = 1 if enough is not None else 2
    if enough is None:
        enough = best[1][0] / 2 if len(best) > 1 else 0
    taken = [way for n, way in best[:least]] + [way for n, way in best[least:] if n >= enough]
    return [tried[one] for one in taken[-1]] if taken else []


def _commonest(user: np.ndarray, views: list[np.ndarray]) -> list[tuple[int, tuple[int, ...]]]:
    """The most common way of each length with its number of users; of two, the one of the commoner start."""
    firsts = [view[np.diff(user[view], prepend=-1) != 0] for view in views]
    ways: dict[tuple[int, ...], tuple[np.ndarray, tuple[int, ...]]] = {
        (one,): (at, (len(at),)) for one, at in enumerate(firsts)
    }
    found = []
    for _ in range(min(_BEFORE, len(views))):
        way = max(ways, key=lambda one: ways[one][1])
        if not ways[way][1][0]:
            break
        found.append((ways[way][1][0], way))
        longer = {(*way, one): ways[way] for way in ways for one in range(len(views)) if one not in way}
        moved = {way: (_next(user, at, views[way[-1]]), counts) for way, (at, counts) in longer.items()}
        ways = {way: (at, (len(at), *counts)) for way, (at, counts) in moved.items()}
    return found


def _next(user: np.ndarray, at: np.ndarray, views: np.ndarray) -> np.ndarray:
    """For each page view, the same user's next one among some others, where there is one."""
    place = np.searchsorted(views, at, side="right")
    inside = place < len(views)
    after, at = views[place[inside]], at[inside]
    found: np.ndarray = after[user[after] == user[at]]
    return found


def _step_at(place: int, level: Level, code: np.ndarray, late: np.ndarray, site: FunnelSite) -> FunnelStep:
    """A place as a step, at a finer level where a page of it gives the outcome away.

    Where that takes too many names, by the beginnings of the addresses; where that fails too, the place as a
    whole: a step never leaves out pages silently.
    """
    pages, finer = (
        (code == place) & ~late,
        [one for one in _LEVELS[_LEVELS.index(level) :] if one in site.names],
    )
    named = {one: np.asarray(site.names[one], dtype=object).astype(str) for one in finer}
    apart = (one for one in finer if not set(named[one][pages]) & set(named[one][late]))
    told = [(one, tuple(dict.fromkeys(named[one][pages].tolist()))) for one in apart]
    told.append((Level.PAGE, prefix_patterns(named[Level.PAGE][pages], named[Level.PAGE][~pages])))
    whole = level, tuple(named[level][pages][:1].tolist())
    kind, names = next((one for one in told if len(one[1]) <= MAX_PATTERNS), whole)
    return FunnelStep(kind=StepKind(kind), any_of=names)
