"""The places of a site and all steps between them, laid out once a level: users only have to be summed.

Places are pages, or what pages have in common (template, theme, type). A session of v page views is v + 1
steps: one from its start to its first place, one between any two that follow each other, also where a place
repeats, and one from its last place to its end. So all that leaves a place adds up to its page views, and all
that leaves the start to the sessions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd

from core.base.schema import UNKNOWN, PageLabels, Pages
from core.base.wording import common_origin, short_address
from core.storage.dataset import Dataset
from core.storage.page_labels import LabelledPages
from core.storage.sequences import UserSequences

READ_AT_ONCE: Final = 12
"""Number of places that a picture of steps has room for."""
_READABLE: Final = 0.6
"""Share of page views that the places in a picture should have for its level to be readable."""


_NOT_KNOWN: Final = 0.15
"""Largest share of the page views without a known type with which types are the level to read."""
_SEVERAL: Final = (4, 0.02)
"""Fewest types that should each have this share of the page views."""
_ALONE: Final = 0.6
"""Largest share of the page views that one type, or place, may have."""
OTHER_PLACES: Final = "(other places)"
"""Name of all places that are not shown apart."""


class Level(StrEnum):
    """How finely pages are told apart."""

    PAGE = "page"
    TEMPLATE = "template"
    THEME = "theme"
    TYPE = "type"


@dataclass(frozen=True, eq=False)
class Places:
    """The places of one level, those with the most page views first.

    Args:
        level: How finely pages are told apart.
        names: What each is called; a label that is not known is a place like any other.
        of_page: int32 of shape (n_pages,), the place of each page.
    """

    level: Level
    names: tuple[str, ...]
    of_page: np.ndarray

    @classmethod
    def from_names(cls, level: Level, names: Sequence[str], sequences: UserSequences) -> Places:
        """Number the different names of pages as places, by page views.

        Args:
            level: How finely pages are told apart.
            names: Of each page, by page index.
            sequences: Page views of all users.
        """
        different, code = np.unique(np.asarray(names, dtype=object).astype(str), return_inverse=True)
        views = np.bincount(code[sequences.page], minlength=len(different))
        order = np.argsort(-views, kind="stable")  # equally many: by name
        rank = np.empty(len(different), dtype=np.int32)
        rank[order] = np.arange(len(different))
        return cls(level, tuple(str(different[place]) for place in order), rank[code])

    def of_views(self, sequences: UserSequences) -> np.ndarray:
        """The place of every page view: int32 of shape (n_views,)."""
        places: np.ndarray = self.of_page[sequences.page]
        return places

    def share_of_views(self, sequences: UserSequences) -> dict[str, float]:
        """Name of each place → its share of the page views."""
        views = np.bincount(self.of_views(sequences), minlength=len(self.names))
        return dict(zip(self.names, (views / max(1, views.sum())).tolist(), strict=True))


def levels(addresses: Sequence[str], names: Mapping[str, Sequence[str]]) -> dict[Level, Sequence[str]]:
    """Names of each page at each level of a data set; addresses without the origin that all pages share.

    A level other than that of pages is left out where all pages have one name.

    Args:
        addresses: Of each page, by page index.
        names: ``template``, ``theme`` and ``type`` of each page, as far as pages are labelled.
    """
    origin = common_origin(addresses)
    called = {
        level: [short_address(name, origin) for name in names[level]] for level in Level if level in names
    }
    several = {level: level_names for level, level_names in called.items() if len(set(level_names)) > 1}
    return {Level.PAGE: [short_address(address, origin) for address in addresses], **several}


def levels_of(pages: pd.DataFrame, labels: LabelledPages | None) -> dict[Level, Sequence[str]]:
    """Names of each page at each level, from the tables of pages and labels (:func:`levels`).

    Args:
        pages: One row a page (:class:`core.base.schema.Pages`).
        labels: What they are about; None where they are not labelled.
    """
    columns = {
        Level.TEMPLATE: PageLabels.TEMPLATE, Level.THEME: PageLabels.THEME, Level.TYPE: PageLabels.TYPE,
    }  # fmt: skip
    named: dict[str, Sequence[str]] = {}
    if labels is not None:
        named = {level.value: labels.table[name].tolist() for level, name in columns.items()}
    return levels(pages[Pages.PAGE_LOCATION].tolist(), named)


def most_readable_level(candidates: Sequence[Places], sequences: UserSequences) -> Level:
    """The level at which steps between places read best.

    Page types where they are known of nearly all page views and tell these apart; else the finest level whose
    top places have :data:`_READABLE` of the page views, none of them :data:`_ALONE`; else the level where two
    page views differ most often, all places beyond the top counting as a single one.

    Args:
        candidates: The levels, the finest first.
        sequences: Page views of all users.
    """
    for places in candidates:
        if places.level is Level.TYPE and _tells_apart(places.share_of_views(sequences)):
            return Level.TYPE
    differ = {}
    for places in candidates:
        shares = np.sort([*places.share_of_views(sequences).values()])[::-1]
        top, rest = shares[:READ_AT_ONCE], shares[READ_AT_ONCE:].sum()
        if top.sum() >= _READABLE and top[0] <= _ALONE:
            return places.level
        differ[places.level] = 1 - float((top**2).sum() + rest**2)
    return max(differ, key=differ.__getitem__)


def _tells_apart(views: Mapping[str, float]) -> bool:
    """Whether page types (with their shares of the views) are known, several, and none has most of all."""
    several = sum(share >= _SEVERAL[1] for share in views.values()) >= _SEVERAL[0]
    return views.get(UNKNOWN, 0.0) <= _NOT_KNOWN and several and max(views.values()) <= _ALONE


def most_readable_places(dataset: Dataset, labels: LabelledPages | None) -> Places:
    """The places of a data set at its most readable level (:func:`most_readable_level`).

    Args:
        dataset: The export.
        labels: What its pages are about; None where they are not labelled.
    """
    named = levels_of(dataset.pages, labels)
    by_level = [Places.from_names(level, names, dataset.sequences) for level, names in named.items()]
    level = most_readable_level(by_level, dataset.sequences)
    return next(places for places in by_level if places.level is level)


START, END = "(start)", "(end of session)"
FROM, TO, STEPS, SESSIONS, SESSIONS_N = "from", "to", "steps", "sessions", "sessions_n"
"""Columns of tables of sessions and of the steps within them."""
_NODES: Final = 2
"""Ends of steps that are no places: the start and the end of a session, coded after the places."""


@dataclass(frozen=True, eq=False)
class SessionEnds:
    """First and last page view of each session of all users.

    Args:
        first: int64 of shape (n_sessions,), the first view of each.
        last: int64 of shape (n_sessions,), its last view.
        user: int32 of shape (n_sessions,), whose it is, ascending.
        of_view: int64 of shape (n_views,), the session of each view.
    """

    first: np.ndarray
    last: np.ndarray
    user: np.ndarray
    of_view: np.ndarray

    @classmethod
    def of(cls, sequences: UserSequences) -> SessionEnds:
        """Find the sessions among all page views."""
        first = sequences.session_starts
        last = np.append(first[1:], sequences.n_views) - 1
        of_view = np.repeat(np.arange(len(first)), last - first + 1)
        return cls(first, last, sequences.user[first], of_view)

    def around(self, place: np.ndarray, session: np.ndarray, at: np.ndarray, count: int) -> np.ndarray:
        """The places of consecutive page views of sessions, from a given view on.

        Args:
            place: int of shape (n_views,), the place of each view.
            session: int of shape (m,), sessions.
            at: int of shape (m,), a view of each.
            count: Views, the first one among them; backwards where it is negative.

        Returns:
            int32 of shape (abs(count), m); −1 before the session began and after it has ended.
        """
        places = np.full((abs(count), len(session)), -1, dtype=np.int32)
        first, last = self.first[session], self.last[session]
        for step, row in enumerate(places):
            view = at + step * np.sign(count)
            inside = (view >= first) & (view <= last)
            row[inside] = place[view[inside]]
        return places


@dataclass(frozen=True, eq=False)
class OccurrenceCounts:
    """Counts of each different thing: times, users and sessions; int64 arrays of one shape."""

    times: np.ndarray
    users: np.ndarray
    sessions: np.ndarray


@dataclass(frozen=True, eq=False)
class Occurrences:
    """Occurrences of things, such as steps, by their code; sorted by code, user and session.

    Args:
        different: int64 of shape (n_things,), the code of each different thing that happened, ascending.
        thing: int32 of shape (n,), place in ``different`` of each occurrence.
        user: int32 of shape (n,).
        new_user: Whether the user had not done the thing before, bool of shape (n,).
        new_session: Whether it had not happened in the session before, bool of shape (n,).
    """

    different: np.ndarray
    thing: np.ndarray
    user: np.ndarray
    new_user: np.ndarray
    new_session: np.ndarray

    @classmethod
    def of(cls, code: np.ndarray, user: np.ndarray, session: np.ndarray) -> Occurrences:
        """Sort occurrences by what happened, and mark the first of each user and of each session.

        Args:
            code: int of shape (n,), what happened.
            user: int of shape (n,), whose it is; ascending within a code.
            session: int of shape (n,), in which session of all users; ascending within a code.
        """
        order = np.argsort(code, kind="stable")
        code, user, session = code[order], user[order], session[order]
        new = np.diff(code, prepend=-1) != 0
        return cls(
            code[new].astype(np.int64), (np.cumsum(new) - 1).astype(np.int32), user,
            new | (np.diff(user, prepend=-1) != 0), new | (np.diff(session, prepend=-1) != 0),
        )  # fmt: skip

    def tallied(self, users: np.ndarray) -> OccurrenceCounts:
        """Count the occurrences of some users.

        Args:
            users: Users who count, bool of shape (n_users,).
        """
        counts = users[self.user]
        return OccurrenceCounts(
            *(np.bincount(self.thing[which], minlength=len(self.different))
              for which in (counts, counts & self.new_user, counts & self.new_session))
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Moves:
    """All steps of all users between the places of a level, and from the start and to the end of sessions.

    Args:
        places: What steps go from and to; a step may lead from a place to itself.
        steps: Steps taken; ``different`` has each different pair, as origin × :attr:`width` + target.
        visits: Page views by place.
        returns: Places left and come back to over one other in between, coded as the step that left.
        visited: Where sessions begin and end.
        place: int32 of shape (n_views,), the place of each view.
    """

    places: Places
    steps: Occurrences
    visits: Occurrences
    returns: Occurrences
    visited: SessionEnds
    place: np.ndarray

    @classmethod
    def of(cls, sequences: UserSequences, places: Places) -> Moves:
        """Lay out all steps between places.

        Args:
            sequences: Page views of all users.
            places: What each page counts as.
        """
        place, visited = places.of_views(sequences).astype(np.int64), SessionEnds.of(sequences)
        user, session, n = sequences.user, visited.of_view, len(places.names)
        following = np.append(place[1:], n + 1)
        following[visited.last] = n + 1
        code = np.concatenate([n * (n + _NODES) + place[visited.first], place * (n + _NODES) + following])
        who = np.concatenate([visited.user, user])
        when = np.concatenate([np.arange(len(visited.first)), session])
        back = np.flatnonzero(
            (session[:-2] == session[2:]) & (place[:-2] == place[2:]) & (place[:-2] != place[1:-1])
        )
        return cls(
            places,
            Occurrences.of(code, who, when),
            Occurrences.of(place, user, session),
            Occurrences.of(place[back] * (n + _NODES) + place[back + 1], user[back], session[back]),
            visited,
            place.astype(np.int32),
        )  # fmt: skip

    @property
    def width(self) -> int:
        """Number of codes: places, the start and the end of a session."""
        return len(self.places.names) + _NODES

    @property
    def start(self) -> int:
        """Code of the start of a session."""
        return len(self.places.names)

    @property
    def end(self) -> int:
        """Code of the end of a session."""
        return len(self.places.names) + 1

    @cached_property
    def left(self) -> np.ndarray:
        """Place, or start, that each different step leaves: int64, a code for each ``steps.different``."""
        places: np.ndarray = self.steps.different // self.width
        return places

    @cached_property
    def reached(self) -> np.ndarray:
        """Place, or end, that each different step leads to: int64, a code for each ``steps.different``."""
        places: np.ndarray = self.steps.different % self.width
        return places

    def called(self, codes: np.ndarray) -> list[str]:
        """Names of codes: places, the start and the end of a session."""
        return [self._names[code] for code in codes.tolist()]

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return (*self.places.names, START, END)

    def taken(self, users: np.ndarray) -> StepCounts:
        """Count the steps of some users.

        Args:
            users: Users who count, bool of shape (n_users,).
        """
        seen = self.visits.tallied(users)
        n, n_sessions = int(users.sum()), int(users[self.visited.user].sum())
        whole = [n_sessions, n, n_sessions]
        left = [np.zeros(self.width, dtype=np.int64) for _ in whole]
        for counts, own, of_all in zip(left, (seen.times, seen.users, seen.sessions), whole, strict=True):
            counts[self.visits.different] = own
            counts[self.start] = of_all
        return StepCounts(
            self.steps.tallied(users), self.returns.tallied(users), OccurrenceCounts(*left), n, n_sessions
        )


@dataclass(frozen=True, eq=False)
class StepCounts:
    """Counts of the steps of some users.

    Args:
        steps: Of each different step of :attr:`Moves.steps`.
        returns: Of each different return of :attr:`Moves.returns`.
        left: Of each place and the start, shape (``Moves.width``,): steps that leave it, and who was there.
        n_users: Number of these users.
        n_sessions: Number of their sessions.
    """

    steps: OccurrenceCounts
    returns: OccurrenceCounts
    left: OccurrenceCounts
    n_users: int
    n_sessions: int

    @property
    def n_steps(self) -> int:
        """Number of all steps of these users, each as often as it was taken."""
        return int(self.left.times.sum())
