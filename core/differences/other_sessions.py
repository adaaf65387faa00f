"""Whether segments differ in what their users saw also in sessions that did not decide who belongs where.

That segments differ in what made them shows nothing. So the sessions of users who have several are dealt into
two parts. Users are placed by their first part alone, and who saw an item in the *second* part is tested
between these segments (Cochran 1954; Mantel and Haenszel 1959, with their correction), in strata of the
number of page views of that part: who comes often sees more of everything. Users of one session take no part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy import sparse

from core.base.schema import OUTSIDE, View
from core.data.dataset import UserSequences
from core.differences.user_items import Family, ItemFamily, items_of_pages

if TYPE_CHECKING:
    from core.segments.combination import Combined
    from core.segments.partition import Partition

OTHER_SESSIONS: Final = "Cochran–Mantel–Haenszel test of other sessions"
"""What the test is called."""
FEWEST_USERS: Final = 10
"""Who saw an item in their second part, from which on it is tested."""
LEAST_VARIANCE: Final = 2.0
"""Of the users of a segment who saw it, by chance: below, the normal distribution says too little."""
_STRATA: Final = 4


@dataclass(frozen=True, eq=False)
class OtherSessions:
    """Users who came several times, laid out once for every move of a slider.

    Args:
        vectors: Of their first parts, float32 of shape (m, d) a learned view.
        first: Page views of the first parts.
        second: Family → who of them saw which item in the second part; a family without any is left out.
        stratum: int of shape (m,), 0 to :data:`_STRATA` − 1, by the page views of the second part.
    """

    vectors: Mapping[View, np.ndarray]
    first: UserSequences
    second: Mapping[Family, ItemFamily]
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
        """Lay out the page views of both parts; tables and labels as of :class:`UserItems`."""
        bounds = np.quantile(second.lengths, np.arange(1, _STRATA) / _STRATA)
        made = items_of_pages(pages, second, labels).items()
        seen = {family: items for family, items in made if items.names}
        return cls(vectors, first, seen, np.searchsorted(bounds, second.lengths))

    def scores(self, combined: Combined, partition: Partition) -> dict[Family, pd.DataFrame]:
        """How far segments lie from chance in their users' other sessions.

        Args:
            combined: The mix that the segments were cut from.
            partition: The segments.

        Returns:
            Family → standard normal scores under chance, a row a segment (its id) and a column an item, above
            0 where more of its users saw it; NaN where too few did. Nothing where users were chosen by hand:
            no first part tells whom.

        Raises:
            ArtifactError: If the vectors are of another model.
        """
        from core.segments.activity import with_activity
        from core.segments.clustering import assign
        from core.segments.combination import mixed_as_before
        from core.segments.edits import chosen

        if chosen(partition.edits):
            return {}
        views = with_activity(self.vectors, self.first, combined.activity)
        mixed = mixed_as_before(views, combined.counted, combined.means)
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
    """Each row of users against the others, in what they have, by the test of Mantel and Haenszel.

    Args:
        row: int of shape (m,), 0 to n_rows − 1.
        stratum: int of shape (m,), from 0.
        n_rows: Rows.
        has: bool of shape (m, n_items).

    Returns:
        float64 of shape (n_rows, n_items): the signed root of its statistic; NaN of items of too few users
        (:data:`FEWEST_USERS`) and where by chance too little would vary (:data:`LEAST_VARIANCE`).
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
    enough = (all_seen.sum(axis=0) >= FEWEST_USERS) & (variance >= LEAST_VARIANCE)
    made: np.ndarray = np.where(enough, score, np.nan)
    return made
