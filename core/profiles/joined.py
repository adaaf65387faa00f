"""Users of several data sets, laid out as one: each user is in one of them.

What is kept of a user is no page view but the first, and 12 bytes for each different page that they saw. So
users of whom only a part fits into memory as sequences are still counted exactly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
import pyarrow as pa

from core.data.sequences import UserSequences
from core.profiles.data import ATTRIBUTES, MOST_PAGES, Coded, ProfileData, Seen
from core.profiles.outcomes import Happened, OutcomeIndex


@dataclass(eq=False)
class JoinedUsers:
    """Takes data sets one after another.

    Args:
        whole: What can be the outcome, of the data set that the model was trained on.
        chosen: Which of it are counted.
    """

    whole: OutcomeIndex
    chosen: Sequence[str]
    _parts: list[ProfileData] = field(default_factory=list)

    def add(self, data: ProfileData) -> None:
        """Add the users of a data set, after those that are there.

        Args:
            data: Its outcomes are replaced by those that are counted.
        """
        index, seen = data.outcomes.part_of(self.whole, self.chosen), data.outcomes.sequences
        first = seen.offsets[:-1]
        alone = UserSequences(
            pa.nulls(data.n_users, pa.string()), np.arange(data.n_users + 1), seen.page[first],
            seen.timestamp[first], np.zeros(data.n_users, np.int32),
        )  # fmt: skip
        events = {name: index[name] for name in self.chosen}
        kept = {name: getattr(data, name) for name in data.__dataclass_fields__}
        counted = OutcomeIndex(data.n_users, events, alone, (), ())
        self._parts.append(ProfileData(**{**kept, "outcomes": counted}))

    @property
    def n_users(self) -> int:
        """Users so far."""
        return sum(part.n_users for part in self._parts)

    def data(self) -> ProfileData:
        """All of them; the parts are let go."""
        parts, self._parts = self._parts, []
        starts = np.cumsum([0, *(part.n_users for part in parts)])
        locations, titles, seen = _pages(parts, starts)
        both = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in ("group", "page_views", "sessions", "different_pages", "engagement_s")
        }
        return ProfileData(
            **both,
            attributes=MappingProxyType(
                {name: _coded([part.attributes[name] for part in parts]) for name in ATTRIBUTES}
            ),
            outcomes=_outcomes(parts, starts, self.whole),
            seen=seen,
            page_location=locations,
            page_title=titles,
        )


def _coded(parts: Sequence[Coded]) -> Coded:
    """Texts of all parts numbered anew, most frequent first, equally frequent ones by name."""
    counts: Counter[str] = Counter()
    for part in parts:
        users = np.bincount(part.codes[part.codes >= 0], minlength=len(part.values))
        counts.update(dict(zip(part.values, users.tolist(), strict=True)))
    values = tuple(sorted(counts, key=lambda text: (-counts[text], text)))
    place = {text: number for number, text in enumerate(values)}
    codes = [np.array([*(place[text] for text in part.values), -1], np.int32)[part.codes] for part in parts]
    return Coded(np.concatenate(codes), values)


def _pages(
    parts: list[ProfileData], starts: np.ndarray
) -> tuple[tuple[str, ...], tuple[str | None, ...], Seen]:
    """The most viewed pages of all parts, and who saw them; the parts lose what is then known of all."""
    views: Counter[str] = Counter()
    titles: dict[str, str | None] = {}
    for part in parts:
        of_page = np.bincount(part.seen.page, part.seen.views, minlength=len(part.page_location))
        views.update(dict(zip(part.page_location, of_page.astype(np.int64).tolist(), strict=True)))
        titles |= dict(zip(part.page_location, part.page_title, strict=True))
    listed = sorted(views, key=lambda page: (-views[page], page))[:MOST_PAGES]
    place = {page: number for number, page in enumerate(listed)}
    columns: list[tuple[np.ndarray, ...]] = []
    nothing = np.zeros(0, np.int32)
    for number, (part, start) in enumerate(zip(parts, starts, strict=False)):
        page = np.array([place.get(text, -1) for text in part.page_location], np.int32)[part.seen.page]
        order = np.lexsort((page, part.seen.user))
        order = order[page[order] >= 0]
        user = (part.seen.user[order] + start).astype(np.int32)
        columns.append((user, page[order], part.seen.views[order]))
        parts[number] = replace(part, seen=Seen(nothing, nothing, nothing))
    seen = Seen(*(np.concatenate(column) for column in zip(*columns, strict=True)))
    return tuple(listed), tuple(titles[page] for page in listed), seen


def _outcomes(parts: Sequence[ProfileData], starts: np.ndarray, whole: OutcomeIndex) -> OutcomeIndex:
    """Who did what; users without a page view come after all others."""
    n_users = int(starts[-1])
    others, moved = n_users, []
    for part, start in zip(parts, starts, strict=False):
        alone = [happened.user[happened.user >= part.n_users] for happened in part.outcomes.values()]
        known = np.unique(np.concatenate([np.zeros(0, np.int64), *alone]))
        moved.append((part.n_users, int(start), known, others))
        others += len(known)
    names = list(parts[0].outcomes)
    events = {
        name: _joined([_moved(part.outcomes[name], *how) for part, how in zip(parts, moved, strict=True)])
        for name in names
    }
    firsts = [part.outcomes.sequences for part in parts]
    page, timestamp = (
        np.concatenate([getattr(one, name) for one in firsts]) for name in ("page", "timestamp")
    )
    sequences = UserSequences(
        pa.nulls(n_users, pa.string()), np.arange(n_users + 1), page, timestamp, np.zeros(n_users, np.int32)
    )
    return OutcomeIndex(n_users, events, sequences, (), (), whole)


def _moved(happened: Happened, n_users: int, start: int, known: np.ndarray, others: int) -> Happened:
    """The same users by their numbers among all."""
    inside = happened.user < n_users
    user = np.where(inside, happened.user + start, others + np.searchsorted(known, happened.user))
    return Happened(user, happened.sessions, happened.first_ts, happened.money)


def _joined(parts: Sequence[Happened]) -> Happened:
    user = np.concatenate([part.user for part in parts])
    order = np.argsort(user, kind="stable")
    currencies = dict.fromkeys(currency for part in parts for currency in part.money)
    money: Mapping[str, np.ndarray] = {
        currency: np.concatenate(
            [part.money.get(currency, np.full(len(part.user), np.nan)) for part in parts]
        )[order]
        for currency in currencies
    }
    sessions, first = (
        np.concatenate([getattr(part, name) for part in parts])[order] for name in ("sessions", "first_ts")
    )
    return Happened(user[order], sessions, first, money)
