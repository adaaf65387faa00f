"""Find the users of whom the conditions of a query hold."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Final, assert_never

import numpy as np

from core.base.errors import InputError
from core.base.safe_text import clean
from core.facts.context import Tables
from core.journeys.funnel import FunnelStep, StepKind, StepOrder
from core.journeys.funnel_table import steps_reached
from core.journeys.moves import Level
from core.journeys.patterns import Moments, StepMarks, any_of, matching
from core.periods.over_time import distinct
from core.profiles.profile_columns import RowKind
from core.query.in_words import by_words
from core.query.layout import AGAIN, EVERYTHING, MANY_SESSIONS, ONCE, Names, QueryData, Scope
from core.query.query import All, Any, By, Came, Condition, Did, Dimension, Has, Is, Not, Range

_NEAREST: Final = 3
_LOOKED_AT: Final = 5_000
"""Most frequent names among which those like an unknown one are looked for."""


@dataclass(frozen=True, eq=False)
class People:
    """Answers of whom a condition holds, for one partition of the users and one period.

    Args:
        layout: The data set.
        tables: Its segments.
        scope: What the period leaves; days of the data outside it are not looked at.
    """

    layout: QueryData
    tables: Tables
    scope: Scope = EVERYTHING
    _kept: dict[Condition, np.ndarray] = field(default_factory=dict)

    def holds(self, condition: Condition) -> np.ndarray:
        """Of whom a condition holds: bool of shape (n_users,), not to be changed.

        Raises:
            InputError: If it names what is not in the data.
        """
        if condition not in self._kept:
            self._kept[condition] = self._holds(condition)
        return self._kept[condition]

    def _holds(self, condition: Condition) -> np.ndarray:
        found: np.ndarray
        match condition:
            case All():
                found = np.logical_and.reduce([self.holds(part) for part in condition.of])
            case Any():
                found = np.logical_or.reduce([self.holds(part) for part in condition.of])
            case Not():
                found = np.logical_not(self.holds(condition.of))
            case Did():
                found = self._did(condition)
            case Is():
                found = self._is(condition)
            case Has():
                found = condition.range.holds(self.counts(condition.count))
            case Came():
                inside = People(self.layout, self.tables, self.layout.in_period(condition.period))
                found = inside.seen & self.seen
            case _:
                assert_never(condition)
        return found

    @property
    def seen(self) -> np.ndarray:
        """Users with a page view in the period: bool of shape (n_users,)."""
        views = self.scope.views
        if views is None:
            return np.ones(self.layout.n_users, dtype=bool)
        found = np.zeros(self.layout.n_users, dtype=bool)
        found[self.layout.user[views]] = True
        return found

    # what they did

    def marks(self, step: FunnelStep) -> StepMarks:
        """The pages and events that make a step.

        Raises:
            InputError: If there are none.
        """
        site = self.layout.basis.funnel_site
        if step.kind is StepKind.EVENT and not site.events:
            raise InputError(
                "No times of events are known here, only of page views", remedy="Load the export again"
            )
        if step.kind is not StepKind.EVENT and Level(step.kind) not in site.names:
            raise InputError(f"Pages have no {step.kind} here", remedy="Label the pages first")
        marks = self.layout.marks(step)
        if not marks.found:
            events = step.kind is StepKind.EVENT
            known = site.events if events else dict.fromkeys(site.names[Level(step.kind)])
            near = get_close_matches(step.any_of[0], [*known][:_LOOKED_AT], _NEAREST, 0.5)
            raise InputError(
                f"There is no {step.kind} {clean(step.title)!r}",
                allowed=", ".join(map(clean, near)) if near else f"a name of {step.kind}s of this data",
            )
        return marks

    def views_of(self, marks: StepMarks, at: str = "any") -> np.ndarray:
        """Which page views in the period are of some pages: bool of shape (n_views,).

        Args:
            marks: The pages.
            at: ``entry`` or ``exit`` for the first or last page views of sessions only.
        """
        found: np.ndarray = marks.pages[self.layout.page]
        if self.scope.views is not None:
            found &= self.scope.views
        if at != "any":
            found &= self.layout.ends_of_sessions(at)
        return found

    def events_of(self, marks: StepMarks) -> np.ndarray:
        """Which events in the period are of some names: bool of shape (n_events,)."""
        if not marks.events.any():
            return np.zeros(0, dtype=bool)
        found: np.ndarray = marks.events[self.layout.events.name]
        return found if self.scope.events is None else found & self.scope.events

    def times(self, marks: StepMarks, at: str = "any") -> np.ndarray:
        """How often each user saw some pages or did some events: int64 of shape (n_users,).

        Args:
            marks: The pages and events.
            at: ``entry`` or ``exit`` counts pages only as the first or last of a session.
        """
        counts = np.zeros(self.layout.n_users, dtype=np.int64)
        if marks.pages.any():
            counts += np.bincount(self.layout.user[self.views_of(marks, at)], minlength=len(counts))
        if marks.events.any():
            done = self.layout.events.user[self.events_of(marks)]
            counts += np.bincount(done, minlength=len(counts))
        return counts

    def _did(self, condition: Did) -> np.ndarray:
        if (users := self._timeless(condition)) is not None:
            return users
        if len(condition.steps) == 1:
            counts = self.times(self.marks(condition.steps[0]), condition.at)
            return (condition.times or Range(above=0)).holds(counts)
        complete: np.ndarray = self.reached(condition) == len(condition.steps)
        return complete

    def _timeless(self, condition: Did) -> np.ndarray | None:
        """Who ever did an event, where it is not known when events were done; None for anything else."""
        (step, *more), outcomes = condition.steps, self.layout.basis.data.outcomes.events
        named = matching(step.any_of, list(outcomes)) if step.kind is StepKind.EVENT else np.zeros(0, bool)
        dated = self.layout.basis.funnel_site.events or self.scope.views is not None
        if more or dated or condition.times or not named.any():
            return None
        found = np.zeros(self.layout.n_users, dtype=bool)
        for had, wanted in zip(outcomes.values(), named.tolist(), strict=True):
            found[had.user[had.user < len(found)]] |= wanted
        return found

    def reached(self, condition: Did) -> np.ndarray:
        """Steps that each user reaches, one after the other: int32 of shape (n_users,)."""
        marks = [self.marks(step) for step in condition.steps]
        return steps_reached(condition.funnel, marks, self._moments(condition, marks), self.layout.n_users)

    def _moments(self, condition: Did, marks: list[StepMarks]) -> Moments:
        """Page views and events in the period that count for the steps, in order.

        Where steps have to follow each other, page views outside the period stay, as views of no page.
        """
        layout, wanted, scope = self.layout, any_of(marks), self.scope
        moments = layout.moments if wanted.events.any() else layout.view_moments
        is_view = moments.page >= 0
        kept = np.ones(len(is_view), dtype=bool)
        if wanted.events.any():
            named = wanted.events[layout.events.name]
            kept[~is_view] = named if scope.events is None else named & scope.events
        if condition.order is StepOrder.LOOSE:  # what makes no step is in nobody's way
            kept[is_view] = self.views_of(wanted)
        elif scope.views is not None:
            page = moments.page.copy()
            page[is_view] = np.where(scope.views, layout.page, len(wanted.pages))
            moments = replace(moments, page=page)
        return moments.only(kept)

    # what they are

    def _is(self, condition: Is) -> np.ndarray:
        if condition.dimension is By.SEGMENT:
            inside: np.ndarray = np.logical_or.reduce([self._row(key) for key in condition.any_of])
            return inside
        names = self.of_users(condition.dimension)
        wanted = matching(condition.any_of, names.names)
        if not wanted.any():
            value = condition.any_of[0]
            near = get_close_matches(value, names.names[:_LOOKED_AT], _NEAREST, 0.4) or names.names[:_NEAREST]
            raise InputError(
                f"No {by_words(condition.dimension)} is {clean(value)!r}", allowed=", ".join(map(clean, near))
            )
        found: np.ndarray = np.append(wanted, False)[names.code]
        return found

    def _row(self, key: str) -> np.ndarray:
        keys = list(self.tables.records)
        if key not in keys:
            raise InputError(f"There is no segment {clean(key)!r}", allowed=", ".join(keys))
        return self.tables.rows.members(keys.index(key))

    def of_users(self, by: Dimension) -> Names:
        """What users are called in a dimension of users; segments by the keys of their rows."""
        if by is By.SEGMENT:
            keys = [key for key, row in self.tables.records.items() if row["kind"] == RowKind.SEGMENT]
            place = self.tables.rows.place
            return Names(np.where(place < len(keys), place, -1), tuple(keys))
        if by is By.VISITOR:
            return Names((self.counts("sessions") > 1).astype(np.int32), (ONCE, AGAIN))
        if by is By.N_SESSIONS:
            capped = np.minimum(self.counts("sessions"), MANY_SESSIONS).astype(np.int32) - 1
            return Names(capped, (*map(str, range(1, MANY_SESSIONS)), f"{MANY_SESSIONS} or more"))
        column = self.layout.attribute(by)
        return Names(column.codes, column.values)

    def counts(self, what: str) -> np.ndarray:
        """Views, sessions, days, different pages or seconds of engagement of each user: (n_users,)."""
        layout, data = self.layout, self.layout.basis.data
        if what == "engagement":
            return data.engagement_s
        if what == "pages" and self.scope.views is None:
            return data.different_pages
        if what == "views":
            return np.bincount(self._inside(layout.user), minlength=layout.n_users)
        unit = {"sessions": layout.session, "days": layout.day, "pages": layout.page}[what]
        user, unit = self._inside(layout.user), self._inside(unit)
        width = int(unit.max(initial=0)) + 1
        pairs = distinct(user.astype(np.int64) * width + unit)
        return np.bincount(pairs // width, minlength=layout.n_users)

    def _inside(self, values: np.ndarray) -> np.ndarray:
        return values if self.scope.views is None else values[self.scope.views]


def _happened(moments: Moments, wanted: StepMarks) -> np.ndarray:
    if wanted.events.any():
        return moments.matches(wanted)
    found: np.ndarray = wanted.pages[moments.page]
    return found
