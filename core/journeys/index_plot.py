"""A sequence index plot of some users: a strip each, with their page views in order.

Scherer (2001) and Brzinsky-Fay, Kohler and Luniak (2006) draw sequences so; too many strips hide each other,
so a few hundred are drawn at random and the picture says of how many.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from core.base.schema import Users
from core.journeys import moves
from core.journeys.moves import Places, SessionEnds
from core.storage.sequences import UserSequences

END, EMPTY = -1, -2
"""Codes of cells that are no page view: the end of a session, and a cell after the last one."""
STRIP, BEGIN, STOP, PLACE = "strip", "begin", "stop", "place"


class Strip(StrEnum):
    """What a strip shows: a session or all sessions of a user."""

    USER = "user"
    SESSION = "session"


class StripOrder(StrEnum):
    """Order of the strips in the plot."""

    FIRST = "first"
    """Strips that begin alike lie beside each other."""
    LENGTH = "length"
    """Strips are sorted by length, the longest first."""


@dataclass(frozen=True, eq=False)
class IndexPlot:
    """Strips, drawn at random, in order.

    Args:
        places: What a page view is of.
        cells: int32 of shape (n_strips, width), a place, ``END`` or ``EMPTY``.
        user: int64 of shape (n_strips,), user of each strip.
        of: Number of strips that these were drawn from.
        cut: Number of these that go on beyond the width.
        frequent: The places that these users see most, int64, at most as many as can be told apart.
    """

    places: Places
    cells: np.ndarray
    user: np.ndarray
    of: int
    cut: int
    frequent: np.ndarray

    def runs(self, sequences: UserSequences) -> pd.DataFrame:
        """Table of runs: consecutive cells of the same place, a row each.

        Returns:
            ``strip`` (from 1), ``user_id``, ``begin`` and ``stop`` (the first cell, from 0, and the one after
            the last) and ``place``, the end of a session among them.
        """
        n, width = self.cells.shape
        first = np.ones(self.cells.shape, dtype=bool)
        first[:, 1:] = self.cells[:, 1:] != self.cells[:, :-1]
        begin = np.flatnonzero(first)
        stop = np.append(begin[1:], n * width)
        code = self.cells.ravel()[begin]
        seen = code != EMPTY
        begin, stop, code = begin[seen], stop[seen], code[seen]
        strip = begin // width
        names = np.append(np.array(self.places.names, dtype=object), moves.END)
        return pd.DataFrame(
            {
                STRIP: strip + 1,
                Users.USER_ID: np.asarray(sequences.user_id.take(self.user), dtype=object)[strip],
                BEGIN: begin - strip * width, STOP: stop - strip * width,
                PLACE: pd.array(names[code], dtype="str"),
            }
        )  # fmt: skip


def index_plot(
    sequences: UserSequences, places: Places, users: np.ndarray, strip: Strip, order: StripOrder,
    *, most: int, width: int, colours: int, seed: int,
) -> IndexPlot:  # fmt: skip
    """Draw strips of some users at random.

    Args:
        sequences: Page views of all users.
        places: What a page view is of.
        users: Users whose page views count, bool of shape (n_users,).
        strip: What a strip shows; each is equally likely to be drawn.
        order: How they are sorted.
        most: Strips at most.
        width: Cells of a strip at most: page views, and ends of sessions.
        colours: Places that can be told apart.
        seed: Seed of the draw.
    """
    place, visited = places.of_views(sequences), SessionEnds.of(sequences)
    opening = visited.first if strip is Strip.SESSION else sequences.offsets[:-1]
    closing = np.append(opening[1:], sequences.n_views)
    theirs = np.flatnonzero(users[sequences.user[opening]])
    generator = np.random.default_rng(seed)
    drawn = np.sort(generator.choice(theirs, min(most, len(theirs)), replace=False, shuffle=False))
    cells, length = _cells(place, visited.last, opening[drawn], closing[drawn], width)
    ranked = np.lexsort((*cells.T[::-1], *([-length] if order is StripOrder.LENGTH else [])))
    seen = np.bincount(place[users[sequences.user]], minlength=1)
    frequent = np.argsort(-seen, kind="stable")[:colours]
    # what is no longer than a cell more loses the end of its last session, and no page view
    return IndexPlot(
        places, cells[ranked], sequences.user[opening[drawn[ranked]]].astype(np.int64), len(theirs),
        int((length > width + 1).sum()), frequent[seen[frequent] > 0],
    )  # fmt: skip


def _cells(
    place: np.ndarray, last: np.ndarray, opening: np.ndarray, closing: np.ndarray, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """Cells of each strip, with session ends in between, cut at the width; and the full length of each."""
    cells = np.full((len(opening), width), EMPTY, dtype=np.int32)
    length = np.empty(len(opening), dtype=np.int64)
    for row, (begin, end) in enumerate(zip(opening.tolist(), closing.tolist(), strict=True)):
        ends = last[slice(*np.searchsorted(last, [begin, end]))] + 1 - begin
        strip = np.insert(place[begin:end], ends, END)
        length[row] = len(strip)
        cells[row, : len(strip)] = strip[:width]
    return cells, length
