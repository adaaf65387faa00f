"""Lay out the visits of a data set for facets, whole or in two parts by day whose levels are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from core.base.errors import ArtifactError
from core.base.local_clock import LocalClock, days_of
from core.base.schema import Outcomes, Pages, Users
from core.profiles.outcomes import PURCHASE
from core.profiles.user_items import Family, labels_of
from core.storage.dataset import Dataset, TimedEvents, dimensions_of
from core.storage.page_labels import LabelledPages

BOUGHT: Final = (PURCHASE, "in_app_purchase")
"""Events of an order that was paid for."""


@dataclass(frozen=True, eq=False)
class SiteVisits:
    """Page views and other events of a site, each with its session.

    Args:
        n_users: Number of users with a page view.
        user: int32 of shape (n_views,), the user of each page view, ascending.
        page: int32 of shape (n_views,), index into ``urls``.
        timestamp: int64 of shape (n_views,), microseconds UTC.
        session: int64 of shape (n_views,), ascending; numbered over all users.
        events: Other events.
        event_session: int64 of shape (n_events,), the session; −1 of events in sessions without a page view.
        session_user: int64 of shape (n_sessions,), the user of each session.
        session_day: int64 of shape (n_sessions,), local day on which each begins, in days since 1970.
        urls: Address of each page.
        labels: ``theme`` and ``type`` of each page, where pages are labelled.
        attributes: ``device``, a channel or a dimension → object of shape (n_users,), the value of each user;
            None where it is not known.
        clock: Local clock of the export.
        days_only: Whether times are rounded to days.
        order_value: float64 of shape (n_users,), mean gross value of each user's orders; 0 without one.
        currencies: Currencies of the orders; "" for orders without one.
    """

    n_users: int
    user: np.ndarray
    page: np.ndarray
    timestamp: np.ndarray
    session: np.ndarray
    events: TimedEvents
    event_session: np.ndarray
    session_user: np.ndarray
    session_day: np.ndarray
    urls: Sequence[str]
    labels: Mapping[str, Sequence[str]]
    attributes: Mapping[str, np.ndarray]
    clock: LocalClock
    days_only: bool
    order_value: np.ndarray
    currencies: tuple[str, ...]

    @classmethod
    def of(cls, dataset: Dataset, labels: LabelledPages | None = None) -> SiteVisits:
        """Lay out a preprocessed export; one made by an earlier release has no events."""
        sequences = dataset.sequences
        starts = sequences.session_starts
        begins = np.zeros(sequences.n_views, dtype=bool)
        begins[starts] = True
        try:
            events = dataset.events
        except ArtifactError:
            events = TimedEvents.none()
        session_user = sequences.user[starts].astype(np.int64)
        first = np.searchsorted(session_user, np.arange(sequences.n_users + 1))
        place = first[events.user] + events.session
        return cls(
            n_users=sequences.n_users,
            user=sequences.user,
            page=sequences.page,
            timestamp=sequences.timestamp,
            session=np.cumsum(begins) - 1,
            events=events,
            event_session=np.where(place < first[events.user + 1], place, -1),
            session_user=session_user,
            session_day=days_of(sequences.timestamp[starts], dataset.receipt.clock),
            urls=dataset.pages[Pages.PAGE_LOCATION].tolist(),
            labels={name: names for name, names in labels_of(labels).items() if name != Family.TEMPLATE},
            attributes={
                name: _known(dataset.users[name]) for name in (Users.DEVICE, *dimensions_of(dataset.users))
            },
            clock=dataset.receipt.clock,
            days_only=dataset.receipt.rounded_times,
            **_orders(dataset.outcomes, sequences.n_users),
        )

    @property
    def n_sessions(self) -> int:
        """Number of sessions of all users, including those that :meth:`part` leaves out."""
        return len(self.session_user)

    def part(self, which: int) -> SiteVisits:
        """Visits on every other day of each user: 0 the first, third, …; 1 the second, fourth, …."""
        new_user = np.diff(self.session_user, prepend=-1) != 0
        new_day = new_user | (np.diff(self.session_day, prepend=-1) != 0)
        day_number = np.cumsum(new_day)
        return self._only((day_number - day_number[new_user][np.cumsum(new_user) - 1]) % 2 == which)

    def until(self, day: int) -> SiteVisits:
        """Visits that begin on a day or before it."""
        return self._only(self.session_day <= day)

    def _only(self, kept: np.ndarray) -> SiteVisits:
        views = kept[self.session]
        inside = (self.event_session >= 0) & kept[self.event_session]
        return replace(
            self,
            user=self.user[views],
            page=self.page[views],
            timestamp=self.timestamp[views],
            session=self.session[views],
            events=self.events.only(inside),
            event_session=self.event_session[inside],
        )

    def sessions_with(self, events: Sequence[str] = (), pages: np.ndarray | None = None) -> np.ndarray:
        """Which sessions have any of some events or pages: bool of shape (n_sessions,).

        Args:
            events: Names of events.
            pages: bool of shape (n_pages,); None for no page.
        """
        found = np.zeros(self.n_sessions + 1, dtype=bool)  # the last one is of events outside sessions
        named = np.isin(np.asarray(self.events.names, dtype=object), list(events))
        if named.any():
            found[self.event_session[named[self.events.name]]] = True
        if pages is not None:
            found[self.session[pages[self.page]]] = True
        return found[:-1]

    @property
    def seen_sessions(self) -> np.ndarray:
        """Indices of the sessions with a page view in this part: int64, ascending."""
        return np.unique(self.session)


def _orders(outcomes: pd.DataFrame, n_users: int) -> dict[str, Any]:
    """``order_value`` and ``currencies`` of :class:`SiteVisits`."""
    paid = outcomes[outcomes[Outcomes.EVENT_NAME].isin(BOUGHT) & (outcomes[Outcomes.USER] < n_users)]
    paid = paid[paid[Outcomes.REVENUE] > 0]
    total, orders = (
        np.bincount(paid[Outcomes.USER], paid[column], minlength=n_users)
        for column in (Outcomes.REVENUE, Outcomes.EVENTS)
    )
    currencies = tuple(sorted(paid[Outcomes.CURRENCY].fillna("").unique()))
    return {"order_value": total / np.maximum(orders, 1), "currencies": currencies}


def _known(values: pd.Series) -> np.ndarray:
    """The values of a text column, None where there is none: object array of shape (n_users,)."""
    texts = values.astype(object)
    known: np.ndarray = texts.where(texts.notna() & (texts != ""), None).to_numpy()
    return known
