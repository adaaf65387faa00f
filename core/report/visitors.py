"""Example visitors: what real people did, session by session, without their ids."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from core.base.local_clock import LocalClock
from core.base.schema import Pages
from core.base.wording import common_ending, common_origin, counted, duration, minute, short_address
from core.data.sequences import UserSequences
from core.report.model import SampledView, Session, Visitor

SHOWN_SESSIONS: Final = 3
SHOWN_STEPS: Final = 10


class PageNames:
    """What to call a page.

    Args:
        pages: The page table (:class:`core.base.schema.Pages`), in index order.
    """

    def __init__(self, pages: pd.DataFrame) -> None:
        self._addresses: list[str] = pages[Pages.PAGE_LOCATION].tolist()
        self._titles: list[str] = pages[Pages.PAGE_TITLE].fillna("").tolist()
        self._origin = common_origin(self._addresses)
        self._ending = common_ending([title for title in self._titles if title])

    def address(self, page: int) -> str:
        """The address, without the origin that all pages share."""
        return short_address(self._addresses[page], self._origin)

    def title(self, page: int) -> str:
        """The title, or the address where there is none."""
        return self._titles[page] or self.address(page)

    def short_title(self, page: int) -> str:
        """The title without the ending that most pages share."""
        return self.title(page).removesuffix(self._ending) or self.title(page)


def visitor(sequences: UserSequences, names: PageNames, user: int, label: str, at: LocalClock) -> Visitor:
    """One user's first sessions, each with its first pages.

    Args:
        sequences: Page views of all users.
        names: What to call pages.
        user: Index of the user.
        label: What to call the user.
        at: The clock of the times.
    """
    span = slice(int(sequences.offsets[user]), int(sequences.offsets[user + 1]))
    session = sequences.session[span]
    starts = np.flatnonzero(np.diff(session, prepend=-1))
    ends = np.append(starts[1:], len(session))
    shown = [
        _session(names, sequences.page[span][begin:end], sequences.timestamp[span][begin:end], at)
        for begin, end in zip(starts[:SHOWN_SESSIONS], ends[:SHOWN_SESSIONS], strict=True)
    ]
    summary = f"{counted(len(session), 'page view')} in {counted(len(starts), 'session')}"
    return Visitor(label, summary, tuple(shown), more=len(starts) - len(shown))


def _session(names: PageNames, pages: np.ndarray, times: np.ndarray, at: LocalClock) -> Session:
    waits = [duration(float(wait) / 1e6) for wait in np.diff(times)]
    steps = [
        SampledView(names.short_title(int(page)), names.address(int(page)), wait)
        for page, wait in zip(pages[:SHOWN_STEPS], [*waits, ""][:SHOWN_STEPS], strict=True)
    ]
    return Session(minute(int(times[0]), at), tuple(steps), more=len(pages) - len(steps))
