"""What a filter leaves of a data set, in memory: to count anew what stays as it is, the segments above all.

Users are numbered anew, pages are not, so that labels fit as before. Nobody changes the group that they are
in: of a user in a segment, one page view may be left.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from core.periods.filter import CountFilter, FilteredRows, apply_filter
from core.periods.filtering import _events_left, _outcomes_left, _users_left, channels_left, renumbered
from core.storage.dataset import Dataset, TimedEvents
from core.storage.receipt import Receipt
from core.storage.sequences import UserSequences
from core.storage.store import content_key


@dataclass(frozen=True)
class DatasetPart(Dataset):
    """A data set of the users and days that a filter leaves, under a key of its own.

    What is not known by day (revenue, engaged time) is absent where days are left out, never guessed.

    Args:
        whole: The data set that it is a part of.
        chosen: The filter.
        who: Users of whom the filter's condition holds, bool of shape (n_users,); None where it has none.
    """

    whole: Dataset
    chosen: CountFilter
    who: np.ndarray | None = field(default=None, compare=False)

    @classmethod
    def of(cls, whole: Dataset, chosen: CountFilter, who: np.ndarray | None = None) -> DatasetPart:
        """Make the part of a data set that a filter leaves.

        Raises:
            SettingsError: If it leaves nobody.
        """
        key = content_key("part", chosen.model_dump(mode="json"), {"preprocess": whole.key})
        made = cls(whole.path, key, whole, chosen, who)
        _ = made.fit  # who is nobody is told now
        return made

    @cached_property
    def fit(self) -> FilteredRows:
        """Users and page views that fit, by the numbers of the whole data set."""
        whole = self.whole
        return apply_filter(self.chosen, whole.users, whole.sequences, self.receipt.clock, self.who)

    @property
    def by_day(self) -> bool:
        """Whether the filter leaves days out."""
        return self.chosen.within != (None, None)

    @cached_property
    def came_before(self) -> np.ndarray:
        """Which of the remaining users also came before the first day: bool of shape (n_users,)."""
        first, left = (one.timestamp[one.offsets[:-1]] for one in (self.whole.sequences, self.sequences))
        earlier: np.ndarray = first[self.fit.users] < left
        return earlier

    @cached_property
    def receipt(self) -> Receipt:
        """The receipt of the whole data set."""
        return self.whole.receipt

    @cached_property
    def sequences(self) -> UserSequences:
        """The page views that are left."""
        return self._renumbered(TimedEvents.none())[0]

    @cached_property
    def users(self) -> pd.DataFrame:
        """The users that are left."""
        return _users_left(self.whole.users, self.fit, self.sequences, self.by_day)

    @cached_property
    def pages(self) -> pd.DataFrame:
        """The pages of the whole data set."""
        return self.whole.pages

    @cached_property
    def page_events(self) -> pd.DataFrame:
        """The page events of the whole data set."""
        return self.whole.page_events

    @cached_property
    def outcomes(self) -> pd.DataFrame:
        """Outcomes of the remaining users on the remaining days.

        Raises:
            ArtifactError: If days are left out and the data set does not say when events were done.
        """
        counts_anew = self.by_day and len(self.whole.outcomes) > 0
        return _outcomes_left(self.whole.outcomes, self.fit, self.events if counts_anew else None)

    @cached_property
    def events(self) -> TimedEvents:
        """Timed events of the remaining users on the remaining days.

        Raises:
            ArtifactError: If it is a data set of an earlier release, which has none.
        """
        return self._renumbered(_events_left(self.whole.events, self.chosen, self.fit, self.receipt.clock))[1]

    @cached_property
    def session_channels(self) -> pd.DataFrame:
        """Channels of the sessions that are left."""
        whole = self.whole
        return channels_left(whole.session_channels, whole.sequences, self.fit, self.sequences)

    def _renumbered(self, events: TimedEvents) -> tuple[UserSequences, TimedEvents]:
        same = np.arange(len(self.whole.pages), dtype=np.int32)
        return renumbered(self.whole.sequences, events, self.fit, same)
