"""Test whether segments differ in the items their users saw in sessions that did not make the segments.

That segments differ in what made them shows nothing. So the sessions of users who have several are split into
two parts. Users are assigned to segments by their first part alone, and who saw an item in the *second* part
is tested between these segments (Cochran 1954; Mantel and Haenszel 1959, with their correction), in strata of
the number of page views of that part: active users see more of everything. Users of one session are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy import sparse

from core.base.schema import OUTSIDE, View
from core.profiles.user_items import ItemFamily, items_of_pages
from core.storage.sequences import UserSequences

if TYPE_CHECKING:
    from core.segments.combination import Combined
    from core.segments.partition import Partition

OTHER_SESSIONS: Final = "Cochran–Mantel–Haenszel test of other sessions"
"""Name of the test in the table of differences."""
_MIN_USERS: Final = 10
"""Fewest users who saw an item in their second part for it to be tested."""
_MIN_VARIANCE: Final = 2.0
"""Least variance by chance of a segment's users who saw an item; below, the normal approximation is poor."""
_STRATA: Final = 4


@dataclass(frozen=True, eq=False)
class OtherSessions:
    """Users with several sessions, laid out once so that the test is fast whenever the segments change.

    Args:
        vectors: Learned view → vectors of the first parts, float32 of shape (m, d).
        first: Page views of the first parts.
        second: Family → which user saw which item in the second part; families without items are left out.
        stratum: int of shape (m,), 0 to :data:`_STRATA` − 1, by the page views of the second part.
    """

    vectors: Mapping[View, np.ndarray]
    first: UserSequences
    second: Mapping[str, ItemFamily]
    stratum: np.ndarray

    @classmethod
    def from_tables(
        cls,
        vectors: Mapping[View, np.ndarray],
        first: UserSequences,
        second: UserSequences,
        pages: pd.DataFrame,
        labels: Mapping[str, Sequence[str]],
    ) -> OtherSessions:
        """Lay out the page views of both parts of the sessions of m users.

        Args:
            vectors: Learned view → vectors of the first parts, float32 of shape (m, d).
            first: Page views of the first parts.
            second: Page views of the second parts.
            pages: All pages (:class:`core.base.schema.Pages`).
            labels: Name of a family → label of each page (:func:`core.profiles.user_items.labels_of`).
        """
        bounds = np.quantile(second.lengths, np.arange(1, _STRATA) / _STRATA)
        made = items_of_pages(pages, second, labels).items()
        seen = {family: items for family, items in made if items.names}
        return cls(vectors, first, seen, np.searchsorted(bounds, second.lengths))

    def scores(self, combined: Combined, partition: Partition) -> dict[str, pd.DataFrame]:
        """Test how far segments differ from chance in their users' other sessions.

        Args:
            combined: The mix of views that the segments were made from.
            partition: The segments.

        Returns:
            Family → z-scores (standard normal under chance), a row a segment (its id) and a column an item,
            above 0 where more of its users saw it; NaN where too few did. Empty where users were chosen by
            hand, since first parts cannot be assigned then.

        Raises:
            ArtifactError: If the vectors are of another model.
        """
        from core.segments.activity import with_activity
        from core.segments.clustering import assign
        from core.segments.combination import mix_like
        from core.segments.edits import chosen_segments

        if chosen_segments(partition.edits):
            return {}
        views = with_activity(self.vectors, self.first, combined.activity)
        mixed = mix_like(views, combined.counted, combined.means)
        place = assign(mixed, partition)
        taking = np.flatnonzero(place > OUTSIDE)
        row = np.searchsorted(partition.ids, place[taking])
        return {
            family: pd.DataFrame(
                stratified_scores(row, self.stratum[taking], len(partition.ids), items.has[taking]),
                index=partition.ids, columns=list(items.names),
            )
            for family, items in self.second.items()
        }  # fmt: skip


def stratified_scores(row: np.ndarray, stratum: np.ndarray, n_rows: int, has: sparse.csr_array) -> np.ndarray:
    """Test each row of users against the others, item by item, with the Mantel–Haenszel test.

    Args:
        row: int of shape (m,), 0 to n_rows − 1, the row of each user.
        stratum: int of shape (m,), from 0.
        n_rows: Number of rows.
        has: bool of shape (m, n_items), which user has which item.

    Returns:
        float64 of shape (n_rows, n_items): the signed root of the statistic; NaN of items of too few users
        (:data:`_MIN_USERS`) or too little variance (:data:`_MIN_VARIANCE`).
    """
    n_strata = int(stratum.max(initial=0)) + 1
    cell, m = stratum * n_rows + row, len(row)
    one_hot = sparse.csr_array((np.ones(m), (cell, np.arange(m))), (n_strata * n_rows, m))
    seen = (one_hot @ has).toarray().reshape(n_strata, n_rows, -1)
    users = np.bincount(cell, minlength=n_strata * n_rows).reshape(n_strata, n_rows, 1)
    all_seen, n = seen.sum(axis=1, keepdims=True), users.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = users * all_seen / n
        varies = expected * (n - users) * (n - all_seen) / (n * (n - 1))
        apart = np.nansum(seen - expected, axis=0)
        variance = np.nansum(varies, axis=0)
        score = np.sign(apart) * np.maximum(np.abs(apart) - 0.5, 0) / np.sqrt(variance)
    enough = (all_seen.sum(axis=0) >= _MIN_USERS) & (variance >= _MIN_VARIANCE)
    made: np.ndarray = np.where(enough, score, np.nan)
    return made
