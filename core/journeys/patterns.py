"""What makes the steps of a funnel: names that match patterns, and page views and events in one order.

Patterns with wild cards are matched once for each different name and never by a regular expression: a text is
taken apart at its ``*`` and its parts are looked for from left to right, so that no text can take longer than
its length times that of the name. ``Moments`` are the page views and events of all users in one order.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from os.path import commonprefix
from typing import Final

import numpy as np

from core.base.errors import SettingsError
from core.base.schema import Pages
from core.base.settings import IngestSettings, UrlSettings
from core.base.wording import common_origin, short_address
from core.ingest.clean.urls import canonicalise
from core.journeys.funnel import Funnel, FunnelStep, StepKind
from core.journeys.moves import Level, levels, levels_of
from core.profiles.outcomes import path_of
from core.storage.dataset import Dataset, TimedEvents
from core.storage.page_labels import LabelledPages
from core.storage.sequences import UserSequences
from core.storage.store import open_artifact


def matches(pattern: str, text: str) -> bool:
    """Whether a text matches a pattern in the same case, in which ``*`` stands for any text, also none."""
    first, *parts = pattern.split("*")
    if not parts:
        return text == first
    last = parts.pop()
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    at, end = len(first), len(text) - len(last)
    for part in parts:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def matching(patterns: Iterable[str], names: Sequence[str]) -> np.ndarray:
    """Which names match any of some patterns: bool of shape (n_names,).

    An address is matched with its host and without it.

    Args:
        patterns: Texts with ``*``; case does not matter.
        names: Names of pages or events.
    """
    wanted = [pattern.casefold() for pattern in patterns]
    answers = {
        name: any(matches(pattern, text) for pattern in wanted for text in _texts(name))
        for name in dict.fromkeys(names)
    }
    return np.fromiter((answers[name] for name in names), dtype=bool, count=len(names))


def _texts(name: str) -> set[str]:
    name = name.casefold()
    return {name, path_of(name)} if "/" in name else {name}


def prefix_patterns(inside: Iterable[str], outside: Iterable[str]) -> tuple[str, ...]:
    """The fewest patterns of the form ``/cart/*`` that match all names inside and none outside.

    Args:
        inside: Names to match; one that no other begins like stays as it is.
        outside: Names not to match.
    """
    others = sorted(name.casefold() for name in outside)
    alike: dict[str, list[str]] = {}
    for name in (name.casefold() for name in inside):
        at = bisect(others, name)
        beside = others[max(at - 1, 0) : at + 1]  # of all, these have most in common with it
        shared = max((len(commonprefix([name, other])) for other in beside), default=0)  # noqa: RUF071
        alike.setdefault(name[: shared + 1], []).append(name)
    return tuple(f"{commonprefix(own)}*" if len(own) > 1 else own[0] for own in alike.values())  # noqa: RUF071


@dataclass(frozen=True, eq=False)
class StepMarks:
    """The pages and events that make a step.

    Args:
        pages: bool of shape (n_pages,), the pages that do.
        events: bool, one for each name of an event, the events that do.
    """

    pages: np.ndarray
    events: np.ndarray

    @property
    def found(self) -> bool:
        """Whether any page or event makes the step."""
        return bool(self.pages.any() or self.events.any())


def any_of(marks: Sequence[StepMarks]) -> StepMarks:
    """The pages and events that make any of some steps."""
    pages, events = ([getattr(step, part) for step in marks] for part in ("pages", "events"))
    return StepMarks(np.logical_or.reduce(pages), np.logical_or.reduce(events))


_AS_USUAL: Final = UrlSettings()


def cleaned_by(dataset: Dataset) -> UrlSettings:
    """Settings by which the addresses of a data set were cleaned."""
    return IngestSettings.checked(**open_artifact(dataset.path).settings).url


@dataclass(frozen=True, eq=False)
class FunnelSite:
    """The names of a site's pages and events that steps can use.

    Args:
        names: Level → what each page is called there, by page index.
        events: Names of events.
    """

    names: Mapping[Level, Sequence[str]]
    events: tuple[str, ...] = ()
    origin: str = ""
    """Scheme and host that all addresses share, which their names leave out."""
    urls: UrlSettings = _AS_USUAL
    """Settings by which addresses were cleaned."""

    @classmethod
    def of(cls, dataset: Dataset, labels: LabelledPages | None, events: tuple[str, ...]) -> FunnelSite:
        """Lay out the site of a data set; without labels there are no themes and types."""
        origin = common_origin(dataset.pages[Pages.PAGE_LOCATION].tolist())
        return cls(levels_of(dataset.pages, labels), events, origin, cleaned_by(dataset))

    @classmethod
    def from_names(
        cls,
        addresses: Sequence[str],
        names: Mapping[str, Sequence[str]],
        events: tuple[str, ...],
        urls: UrlSettings = _AS_USUAL,
    ) -> FunnelSite:
        """Lay out a site by the addresses of its pages and the names of their templates, themes and types."""
        return cls(levels(addresses, names), events, common_origin(addresses), urls)

    def marks(self, step: FunnelStep) -> StepMarks:
        """Find the pages and events that make a step.

        Raises:
            SettingsError: If these pages have no names at its level.
        """
        pages = np.zeros(len(self.names[Level.PAGE]), dtype=bool)
        if step.kind is StepKind.EVENT:
            return StepMarks(pages, matching(step.any_of, self.events))
        names = self.names.get(Level(step.kind))
        if names is None:
            raise SettingsError(
                f"A step of a {step.kind} is not possible: these pages have none",
                allowed=", ".join([*self.names, StepKind.EVENT]), remedy="Label the pages, or name others",
            )  # fmt: skip
        patterns = [text for pattern in step.any_of for text in (pattern, self._cleaned(pattern))]
        return StepMarks(matching(patterns, names), np.zeros(len(self.events), dtype=bool))

    def _cleaned(self, pattern: str) -> str:
        """Clean a pattern that is a full address as the data's were cleaned; others stay as they are."""
        if "://" not in pattern:
            return pattern
        alone = self.urls.model_copy(update={"collapse_ids": False})  # ids are told apart by their crowd
        return short_address(canonicalise([pattern], alone).pages[0], self.origin)

    def different(self, step: FunnelStep, marks: StepMarks) -> int:
        """Number of different names of its kind that a step matches."""
        if step.kind is StepKind.EVENT:
            return int(marks.events.sum())
        names = self.names[Level(step.kind)]
        return len({names[page] for page in np.flatnonzero(marks.pages).tolist()})

    def marks_of(self, funnel: Funnel) -> list[StepMarks]:
        """Find the pages and events of every step of a funnel.

        Raises:
            SettingsError: If these pages have no names at the level of one.
        """
        return [self.marks(step) for step in funnel.steps]


@dataclass(frozen=True, eq=False)
class Moments:
    """Page views and some events, by user and in order; arrays of shape (n_moments,).

    Args:
        user: int32, user indices.
        session: int32, 0-based within the user.
        timestamp: int64, microseconds UTC.
        page: int32, the page of a page view; −1 of an event.
        event: int32, the name of an event; −1 of a page view.
        following: int32, index of the page view that comes next, of whichever user.
    """

    user: np.ndarray
    session: np.ndarray
    timestamp: np.ndarray
    page: np.ndarray
    event: np.ndarray
    following: np.ndarray

    @classmethod
    def of(cls, sequences: UserSequences, events: TimedEvents) -> Moments:
        """Merge page views and events in the order in which they happened."""
        at = sequences.offsets[events.user] + events.after
        is_event = np.zeros(sequences.n_views + len(at), dtype=bool)
        is_event[at + np.arange(len(at))] = True

        def put(views: np.ndarray, between: np.ndarray | int) -> np.ndarray:
            made = np.empty(len(is_event), dtype=views.dtype)
            made[~is_event], made[is_event] = views, between
            return made

        nothing = np.full(sequences.n_views, -1, dtype=np.int32)
        following = np.arange(1, sequences.n_views + 1, dtype=np.int32)
        return cls(
            user=put(sequences.user, events.user),
            session=put(sequences.session, events.session),
            timestamp=put(sequences.timestamp, events.timestamp),
            page=put(sequences.page, -1),
            event=put(nothing, events.name),
            following=put(following, at),
        )

    def only(self, which: np.ndarray) -> Moments:
        """Select moments by a mask, bool of shape (n_moments,), or by indices, int of shape (m,)."""
        return Moments(*(getattr(self, field.name)[which] for field in fields(self)))

    def by_session(self) -> Moments:
        """Sort the moments by session within each user, as sessions of a user can overlap."""
        key = self.user.astype(np.int64) * (int(self.session.max(initial=0)) + 1) + self.session
        return self if bool((np.diff(key) >= 0).all()) else self.only(np.argsort(key, kind="stable"))

    def matches(self, marks: StepMarks) -> np.ndarray:
        """Which moments make a step: bool of shape (n_moments,)."""
        pages, events = (np.append(part, False) for part in (marks.pages, marks.events))  # −1 is neither
        found: np.ndarray = pages[self.page] | events[self.event]
        return found

    def begins(self, *, sessions: bool) -> np.ndarray:
        """Which moments are the first of a user, or of a session: bool of shape (n_moments,)."""
        starts = np.ones(len(self.user), dtype=bool)
        starts[1:] = self.user[1:] != self.user[:-1]
        if sessions:
            starts[1:] |= self.session[1:] != self.session[:-1]
        return starts


def users_who(marks: StepMarks, sequences: UserSequences, events: TimedEvents) -> int:
    """Number of users who ever made a step.

    Args:
        marks: Pages and events that make the step.
        sequences: Page views of all users.
        events: Events of all users.
    """
    did = np.zeros(sequences.n_users, dtype=bool)
    did[sequences.user[marks.pages[sequences.page]]] = True
    did[events.user[marks.events[events.name]]] = True
    return int(did.sum())
