"""When users did what is no page view, between the page views that are used."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from core.base.schema import EventTimes, page_outcome
from core.ingest.observe.behaviour import Behaviour
from core.ingest.observe.page_views import Deeds, PageViews
from core.ingest.output import Used
from core.ingest.output_tables import EVENTS


def events_table(behaviour: Behaviour, stripped: PageViews, used: Used) -> pa.Table:
    """Events of the users with a page view that is used, and views of pages that are left out, in order.

    Args:
        behaviour: What all users did.
        stripped: Page views on pages that are left out.
        used: The page views that are used.
    """
    names = behaviour.outcomes.names.to_pylist()
    pages, page = np.unique(stripped.page, return_inverse=True)
    names += [page_outcome(behaviour.locations.pages[number]) for number in pages]
    deeds = _both(behaviour.deeds, stripped, page + len(behaviour.outcomes.names))
    row = np.searchsorted(used.numbers, deeds.user)
    there = used.numbers[np.minimum(row, len(used.numbers) - 1)] == deeds.user
    deeds, row = Deeds(*(column[there] for column in vars(deeds).values())), row[there]
    columns = {
        EventTimes.USER: row,
        EventTimes.EVENT_NAME: pa.array(names, pa.string()).take(pa.array(deeds.name)),
        EventTimes.TIMESTAMP: deeds.timestamp,
        EventTimes.SESSION: _sessions(deeds, row, used),
        EventTimes.AFTER: np.searchsorted(used.views.place, deeds.before) - used.offsets[row],
    }
    return pa.table(columns).cast(EVENTS)


def _both(deeds: Deeds, stripped: PageViews, names: np.ndarray) -> Deeds:
    """Page views that are left out, put between the deeds; one comes after what was done before it."""
    if not len(stripped):
        return deeds
    views = Deeds(stripped.user, names, stripped.timestamp, stripped.session, stripped.place)
    pairs = zip(vars(deeds).values(), vars(views).values(), strict=True)
    columns = [np.concatenate(pair) for pair in pairs]
    order = np.argsort(2 * columns[-1] + (np.arange(len(columns[-1])) >= len(deeds.user)), kind="stable")
    return Deeds(*(column[order] for column in columns))


def _sessions(deeds: Deeds, row: np.ndarray, used: Used) -> np.ndarray:
    """The number of each deed's session; those without a page view come after the user's others."""
    known, first = np.unique(used.views.session, return_index=True)
    place = np.minimum(np.searchsorted(known, deeds.session), len(known) - 1)
    number = used.sessions.number[first[place]].astype(np.int64)
    lost = np.flatnonzero(known[place] != deeds.session)
    alone, place, again = np.unique(deeds.session[lost], return_index=True, return_inverse=True)
    owner = row[lost[place]]  # ascending: the keys of sessions ascend with their users
    rank = np.arange(len(alone)) - np.searchsorted(owner, owner)
    last = used.sessions.number[used.offsets[1:] - 1]
    number[lost] = (last[owner] + 1 + rank)[again]
    return number
