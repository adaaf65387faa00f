"""Sessions: (user, ``ga_session_id``), or a gap of inactivity where there is no id."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.ingest.observe.page_views import PageViews


@dataclass(frozen=True, eq=False)
class Sessions:
    """Which session of its user each page view belongs to.

    Args:
        number: int32 of shape (n_views,), 0-based within a user, ascending within a user.
        total: Sessions with at least one page view.
        by_gap: Those of them that were cut by inactivity.
    """

    number: np.ndarray
    total: int
    by_gap: int


def number_sessions(views: PageViews) -> Sessions:
    """Number the sessions of every user in the order in which they begin.

    Sessions of one user can overlap (two devices behind one user id, timestamps rounded by a spreadsheet).
    A page view of an earlier session that comes after a later one has begun counts to the later one, so that
    numbers ascend; each session keeps a page view of its own, its first, so their count is exact.
    """
    if not len(views):
        return Sessions(np.zeros(0, np.int32), 0, 0)
    appearance, _ = pd.factorize(views.session)  # 0, 1, 2, … in order of appearance, over all users
    latest = np.maximum.accumulate(appearance)
    begins = np.concatenate(([True], latest[1:] != latest[:-1]))
    first = np.flatnonzero(views.begins_user)
    before = latest[first]  # a user's first page view always begins a session
    number = latest - np.repeat(before, np.diff(np.append(first, len(views))))
    return Sessions(number.astype(np.int32), int(begins.sum()), int((begins & views.by_gap).sum()))
