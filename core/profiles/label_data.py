"""Themes and types of the pages that users looked at, laid out once a data set and its labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from core.base.schema import View
from core.data.sequences import UserSequences
from core.profiles.data import coded
from core.profiles.tally import Tally, tally


@dataclass(frozen=True, eq=False)
class LabelData:
    """Page views by label.

    Args:
        views: Theme and type → who looked at which how often; values most viewed first.
        page_of: Theme and type → place of each page's label in the tally's values, int32 of (n_pages,).
        n_users: Users of the data set.
    """

    views: Mapping[View, Tally]
    page_of: Mapping[View, np.ndarray]
    n_users: int

    @classmethod
    def from_names(cls, sequences: UserSequences, names: Mapping[str, Sequence[str]]) -> LabelData:
        """Lay out what was looked at.

        Args:
            sequences: Page views of all users.
            names: Theme and type → what each page is, by page index; others are left out.
        """
        tallies, places = {}, {}
        for view in (View.THEME, View.TYPE):
            if view in names:
                labels = coded(pd.Series(list(names[view]), dtype="str").iloc[sequences.page])
                place = {value: number for number, value in enumerate(labels.values)}
                places[view] = np.array([place.get(name, -1) for name in names[view]], dtype=np.int32)
                tallies[view] = tally(sequences.user, labels.codes, labels.values, sequences.n_users)
        return cls(MappingProxyType(tallies), MappingProxyType(places), sequences.n_users)

    def times(self, view: View, value: str) -> np.ndarray:
        """Page views of a theme or type, float64 of shape (n_users,)."""
        made = self.views[view]
        own = made.code == made.values.index(value)
        return np.bincount(made.user[own], made.times[own], minlength=self.n_users).astype(np.float64)
