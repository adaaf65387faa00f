"""Learn the tables and weights of next pages from a data set and its model, without looking ahead.

Tables are counted from the users that the model learned from. Weights are fitted on users that it never
saw: page views after the first half of a user's are predicted from the page views before, and the vector by
which neighbours are found is embedded anew from these alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa

from core.base.progress import Progress, silent
from core.model.population import choose_users
from core.people.next_page_candidates import KnownMoments, Reach, candidates, fit_head
from core.people.next_page_tables import PageTables, SeenPages, count_tables
from core.people.next_pages import NextPages
from core.storage.sequences import UserSequences

_MAX_USERS: Final = 1_500
"""Most users that weights are fitted on, drawn at random."""
_MAX_MOMENTS: Final = 4
"""Most moments of a user, drawn at random from the page views after the first half."""
_LATEST: Final = 1_024
"""Most page views before a moment that are read: twice what any model reads."""
_SEED: Final = 0
_STAGE: Final = "next pages"


@dataclass(frozen=True, eq=False)
class LearnedFrom:
    """The data set, vectors and model that next pages are learned from.

    Args:
        sequences: Page views of all users.
        names: Canonical page of each page index.
        functional: bool of shape (n_pages,), pages that are never suggested.
        vectors: float32 of shape (n_users, d), combined.
        inside: bool of shape (n_users,), the clustered users.
        people: bool of shape (n_users,), users that are counted where they are not held out: no robots.
        embed: Makes combined vectors of other sequences of the same pages, by the same model.
        asking: bool of shape (n_users,), users that weights are fitted on; by default those held out from the
            training, of whom there are none among few users. Nothing is counted from held-out users.

    Raises:
        InputError: If there are too few users or pages to have learned from.
    """

    sequences: UserSequences
    names: Sequence[str]
    functional: np.ndarray
    vectors: np.ndarray
    inside: np.ndarray
    people: np.ndarray
    embed: Callable[[UserSequences], np.ndarray]
    asking: np.ndarray | None = None
    held_out: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "held_out", choose_users(self.sequences).held_out)


def learn(source: LearnedFrom, progress: Progress = silent) -> NextPages:
    """Count the tables of next pages, and fit the weights of the sources.

    Args:
        source: The data set, vectors and model.
        progress: Where to report.
    """
    progress(_STAGE, 0.0, "Counting which page follows which")
    counted = source.people & ~source.held_out
    tables = count_tables(
        source.sequences, source.names, source.functional, source.vectors, counted, source.inside
    )
    progress(_STAGE, 0.2, "Embedding what users had done before each moment")
    asking = source.held_out if source.asking is None else source.asking
    moments = choose_moments(source.sequences, asking & source.inside)
    vectors = source.embed(moments.before) if len(moments.at) else source.vectors[:0]
    heads = {}
    for number, reach in enumerate(Reach):
        progress(_STAGE, 0.4 + 0.3 * number, "Weighing the sources")
        heads[reach] = fit_head(candidates_at(tables, source, moments, vectors, reach), reach)
    progress(_STAGE, 1.0)
    return NextPages(tables, heads)


@dataclass(frozen=True, eq=False)
class NextMoments:
    """Moments at which a next page came, with the page views before them.

    Args:
        at: int64 of shape (n,), the page view that came, as its place among all page views; ascending.
        user: int64 of shape (n,), the user who viewed it.
        before: The page views before each moment, as sequences of a user a moment.
    """

    at: np.ndarray
    user: np.ndarray
    before: UserSequences


def choose_moments(sequences: UserSequences, asking: np.ndarray, most: int = _MAX_USERS) -> NextMoments:
    """Draw page views after the first half of each user's, at most a few a user.

    Args:
        sequences: Page views of all users.
        asking: bool of shape (n_users,), users that may be drawn.
        most: Most users that are drawn.
    """
    rng = np.random.default_rng(_SEED)
    able = np.flatnonzero(asking & (sequences.lengths >= 2))
    chosen = np.zeros(sequences.n_users, dtype=bool)
    chosen[rng.permutation(able)[:most]] = True
    user = sequences.user
    place = np.arange(sequences.n_views) - sequences.offsets[user]
    later = np.flatnonzero(chosen[user] & (place >= np.maximum(1, sequences.lengths[user] / 2)))
    later = rng.permutation(later)
    later = later[np.argsort(user[later], kind="stable")]
    _, first = np.unique(user[later], return_index=True)
    number = np.arange(len(later)) - np.repeat(first, np.diff([*first, len(later)]))
    at = np.sort(later[number < _MAX_MOMENTS])
    return NextMoments(at, user[at].astype(np.int64), _before(sequences, at, user[at]))


def _before(sequences: UserSequences, at: np.ndarray, user: np.ndarray) -> UserSequences:
    length = np.minimum(at - sequences.offsets[user], _LATEST)
    offsets = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    where = np.arange(offsets[-1]) + np.repeat(at - length - offsets[:-1], length)
    ids = pa.array([f"{number:09d}" for number in range(len(at))], pa.string())
    session = sequences.session[where]
    return UserSequences(ids, offsets, sequences.page[where], sequences.timestamp[where], session)


def candidates_at(
    tables: PageTables, source: LearnedFrom, moments: NextMoments, vectors: np.ndarray, reach: Reach
) -> KnownMoments:
    """List the candidates at the moments whose next page may come.

    Args:
        tables: Counts of earlier users.
        source: The data set.
        moments: Moments at which a next page came.
        vectors: float32 of shape (n, d), combined vectors of the page views before each.
        reach: Which pages may come; moments with another next page are left out.
    """
    target = source.sequences.page[moments.at]
    may = np.ones(len(target), dtype=bool)
    if reach is Reach.NEW:
        moment = moments.before.user
        again = np.bincount(moment, moments.before.page == target[moment], minlength=len(target)) > 0
        may = ~again & ~source.functional[target]
    columns = tables.columns(source.names)
    seen = SeenPages.of(moments.before, columns, tables.n_columns).some(np.flatnonzero(may))
    _, user = np.unique(moments.user[may], return_inverse=True)
    return KnownMoments(candidates(tables, seen, vectors[may], reach), columns[target[may]], user)
