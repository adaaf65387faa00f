"""A funnel to begin with: the usual way to the outcome."""

from __future__ import annotations

from typing import Final

import numpy as np

from core.base.schema import PAGE_OUTCOME, TEMPLATE_OUTCOME
from core.data.sequences import UserSequences
from core.journeys.funnel import Funnel, FunnelStep, StepKind
from core.journeys.patterns import FunnelSite
from core.journeys.places import Level
from core.labels.label_settings import UNKNOWN
from core.profiles.outcomes import Happened, path_of

BETWEEN: Final = 2
"""Steps between where users enter and the outcome, at most."""
FEWEST: Final = 3
"""Names that a level needs to tell steps apart."""
LEVELS: Final = (Level.TYPE, Level.TEMPLATE, Level.PAGE)


def usual_way(
    site: FunnelSite, sequences: UserSequences, outcome: str | None, happened: Happened | None
) -> Funnel:
    """Where users with the outcome enter most often, what most of them see on the way, and the outcome.

    Args:
        site: What steps can be made of.
        sequences: Page views of all users.
        outcome: The outcome as text; None without one, when the way of all users is taken.
        happened: Who had it, and when first.
    """
    level = next((one for one in LEVELS if len(set(site.names.get(one, ()))) >= FEWEST), Level.PAGE)
    names, code = np.unique(np.asarray(site.names[level], dtype=object).astype(str), return_inverse=True)
    last = [] if outcome is None else outcome_steps(outcome, site)
    views = np.flatnonzero(_before(sequences, happened))
    way = _way(sequences, views, code, names) if len(views) else [0]
    steps = [FunnelStep(kind=StepKind(level), any_of=(str(names[place]),)) for place in way]
    return Funnel(steps=tuple(dict.fromkeys([*steps, *last])))


def outcome_steps(outcome: str, site: FunnelSite) -> list[FunnelStep]:
    """The step that an outcome is; none where it is an event whose times are not known."""
    if outcome in site.events:  # also a page that was left out
        return [FunnelStep(kind=StepKind.EVENT, any_of=(outcome,))]
    for kind, said in ((StepKind.PAGE, PAGE_OUTCOME), (StepKind.TEMPLATE, TEMPLATE_OUTCOME)):
        if outcome.startswith(said):
            text = outcome.removeprefix(said)
            there = text in site.names.get(Level(kind), ())
            return [FunnelStep(kind=kind, any_of=(text if there else path_of(text),))]
    return []


def _before(sequences: UserSequences, happened: Happened | None) -> np.ndarray:
    """Page views of users with the outcome until they had it: bool of shape (n_views,)."""
    if happened is None:
        return np.ones(sequences.n_views, dtype=bool)
    until = np.full(sequences.n_users, np.iinfo(np.int64).min)
    inside = happened.user < sequences.n_users
    until[happened.user[inside]] = happened.first_ts[inside]
    found: np.ndarray = sequences.timestamp <= until[sequences.user]
    return found


def _way(sequences: UserSequences, views: np.ndarray, code: np.ndarray, names: np.ndarray) -> list[int]:
    """The place that most enter by, and those that most see, in the order in which they are first seen."""
    user, place = sequences.user[views].astype(np.int64), code[sequences.page[views]]
    pairs, first = np.unique(user * len(names) + place, return_index=True)
    seen = pairs % len(names)
    users = np.bincount(seen, minlength=len(names))
    rank = np.bincount(seen, views[first] - sequences.offsets[user[first]], minlength=len(names))
    entry = int(np.bincount(place[np.diff(user, prepend=-1) != 0]).argmax())
    known = [p for p in np.argsort(-users, kind="stable").tolist() if p != entry and names[p] != UNKNOWN]
    most = [p for p in known[:BETWEEN] if users[p] > 0]
    return [entry, *sorted(most, key=lambda p: float(rank[p] / users[p]))]
