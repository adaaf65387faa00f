"""Audiences (compact sets of the users who saw a value), and the test whether a place is personal.

A value that a single user ever saw is personal, or just rare. A single value does not tell which; all values
of a place together do. In public places popularity has a long tail: beside pages that a single user saw there
are pages that two to five saw. Where all users see their own values (a profile, an order, a greeting) these
are missing, and users come back to theirs. A place is compared with the public pages of the same export in
both respects; the result is a log odds, to which other evidence can be added.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

FEW: Final = 5
"""Most users of a value that counts as rare, in the tail of popularity."""
MIN_OWNERS: Final = 3
"""Fewest owners (users who alone saw a value) of a place that can be personal."""
_PERSONAL: Final = (8.0, 1.0)
"""Parameters of the beta distribution of the share of a personal place's rare values that one user saw."""
_ALIKE: Final = 10.0
"""Sum of the same parameters for a public place: how similar the public places of a site are."""
_UNKNOWN: Final = 0.75
"""Prior share of the rare values of public places that a single user saw."""
_WEIGHT: Final = 4
"""Weight of that prior, in values."""
_BOUNDS: Final = (0.3, 0.9)
"""Least and largest estimate of that share."""
_AGAIN: Final = 0.2
"""Prior share of the views of a public page that repeat a view of the same user."""
_AGAIN_WEIGHT: Final = 20
"""Weight of that prior, in views."""
_OFTEN: Final = 5
"""Most views of a value that count, so that a user's habit does not dominate."""
_CLEAR: Final = 6.0
"""Largest log odds that repeated views can add."""
_STAFF: Final = 0.15
"""Least share of the values of a place that a member of staff saw together with one other user."""
UNLIKELY: Final = 2.5
"""Prior log odds that a place is not personal."""
_SURELY_PUBLIC: Final = 3
"""Fewest pages of a public folder that several users saw."""
SHARED: Final = 0.2
"""Least number of pages that several users saw, per page that a single user saw, in a public folder."""
_BESIDE: Final = 3
"""Fewest owned values per popular one: a folder of many public pages is public, whatever is rare in it."""
PUBLIC: Final = 10
"""Number of users from which on a text and its words are public."""
_PUBLIC_SHARE: Final = 0.005
"""Share of the users from which on a text is public, in a small export."""
MIN_PUBLIC: Final = 3
"""Fewest users of a public text in any export."""
_DEVICES: Final = 2
"""Most ids that may be the same person."""
EACH: Final = 3
"""Most values of an owner that count: a crawler alone in an archive makes no place personal."""

SQL: Final = """min(digest) AS low, max(digest) AS high,
    bit_or(1::UBIGINT << digest % 64) AS buckets"""
"""SQL aggregates that make an :class:`Audience` from page views with the ``digest`` of each user."""
MERGED_SQL: Final = "min(low) AS low, max(high) AS high, bit_or(buckets) AS buckets"


@dataclass(slots=True)
class Audience:
    """The users who saw a value, in a form that can be merged.

    Args:
        views: Number of page views.
        first: Smallest digest of a user.
        last: Largest digest of a user.
        buckets: A bit for each remainder of a digest by 64: nearly as many bits as users, while they are few.
    """

    views: int
    first: int
    last: int
    buckets: int

    @property
    def alone(self) -> bool:
        """Whether a single user saw it."""
        return self.first == self.last

    @property
    def rare(self) -> bool:
        """Whether so few ids saw it that they may be one person with two devices."""
        return self.users <= _DEVICES

    @property
    def users(self) -> int:
        """Estimated number of users: exact for 1, a little low for a few, at most 64."""
        return 1 if self.alone else max(2, self.buckets.bit_count())


def merged(audiences: Iterable[Audience]) -> Audience:
    """Merge audiences, of which there must be at least one."""
    first, *rest = audiences
    whole = Audience(first.views, first.first, first.last, first.buckets)
    for audience in rest:
        whole.views += audience.views
        whole.first = min(whole.first, audience.first)
        whole.last = max(whole.last, audience.last)
        whole.buckets |= audience.buckets
    return whole


def merged_by(items: Iterable[tuple[str, Audience]]) -> dict[str, Audience]:
    """Merge all audiences of each name: name → one audience."""
    groups: defaultdict[str, list[Audience]] = defaultdict(list)
    for name, audience in items:
        groups[name].append(audience)
    return {name: merged(members) for name, members in groups.items()}


def public_from(n_users: int) -> int:
    """Number of users from which on a text is public, in an export of ``n_users``."""
    return min(PUBLIC, max(MIN_PUBLIC, round(_PUBLIC_SHARE * n_users)))


@dataclass(frozen=True)
class Tail:
    """Statistics of rare values in public places (positions in addresses) of an export.

    Args:
        owned: Share of the values with at most :data:`FEW` users that a single user saw; None if users share
            no value, so that this share says nothing.
        again: Share of their views that repeat a view of the same user.
    """

    owned: float | None
    again: float = _AGAIN

    @classmethod
    def of(cls, folders: Iterable[Iterable[Audience]]) -> Tail:
        """Estimate the statistics, given for each folder of the site the audiences of its pages."""
        shared_at_all = False
        pages: list[Audience] = []
        for folder in map(list, folders):
            shared = sum(not page.alone for page in folder)
            shared_at_all |= shared > 0
            if shared >= max(_SURELY_PUBLIC, SHARED * (len(folder) - shared)):
                pages += [page for page in folder if page.users <= FEW]
        if not shared_at_all:
            return cls(None)
        views, users = sum(page.views for page in pages), sum(page.users for page in pages)
        again = (views - users + _AGAIN_WEIGHT * _AGAIN) / (views + _AGAIN_WEIGHT)
        owned = (sum(page.alone for page in pages) + _WEIGHT * _UNKNOWN) / (len(pages) + _WEIGHT)
        return cls(min(_BOUNDS[1], max(_BOUNDS[0], owned)), again)

    def differs(self, values: Iterable[Audience]) -> bool:
        """Whether a place is personal (a value is of one user each), judging by audiences of its values."""
        return self.log_odds(values) > UNLIKELY

    def log_odds(self, values: Iterable[Audience]) -> float:
        """Log odds that a place is personal rather than public, given the audiences of its values.

        Args:
            values: The audience of every value of the place.

        Returns:
            Log odds; minus infinity where too few users own a value.
        """
        audiences = list(values)
        if self.owned is None or sum(audience.rare for audience in audiences) < MIN_OWNERS:
            return -math.inf
        owners = Counter(_owners(audiences))
        own = sum(min(count, EACH) for count in owners.values())
        popular = sum(audience.users > FEW for audience in audiences)
        if len(owners) < MIN_OWNERS or own < _BESIDE * popular:
            return -math.inf
        shared = len(audiences) - popular - owners.total()
        public = (_ALIKE * self.owned, _ALIKE * (1 - self.owned))
        return (
            _log_chance(own, shared, *_PERSONAL) - _log_chance(own, shared, *public) + self._again(audiences)
        )

    def _again(self, audiences: Iterable[Audience]) -> float:
        """Log odds added by repeated views of values that a single user saw."""
        views = [min(audience.views, _OFTEN) for audience in audiences if audience.alone]
        theirs = (1 + self.again) / 2
        odds = len(views) * math.log((1 - theirs) / (1 - self.again))
        return min(_CLEAR, max(0.0, odds + (sum(views) - len(views)) * math.log(theirs / self.again)))


def _owners(audiences: Sequence[Audience]) -> Iterator[int]:
    """Yield the owner of each rare value that a single user saw, apart from staff that sees many."""
    ends = Counter(
        end for audience in audiences if 1 < audience.users <= FEW for end in (audience.first, audience.last)
    )
    staff = {end for end, count in ends.items() if count >= max(MIN_OWNERS, _STAFF * len(audiences))}
    for audience in audiences:
        others = {audience.first, audience.last} - staff
        if audience.alone:
            yield audience.first
        elif audience.users <= _DEVICES and len(others) == 1:
            yield others.pop()


def _log_chance(own: int, shared: int, a: float, b: float) -> float:
    """Log probability of owned and shared values if the share of owned ones has a beta distribution."""
    return _log_beta(a + own, b + shared) - _log_beta(a, b)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
