"""Who saw something: enough to tell one user from several, small, and mergeable.

A value that one user alone ever saw is that user's own, or rare. One value does not tell which; the values of
one place together do. In public places popularity has a long tail: beside the pages that one user saw there
are those that two to five saw. Where all see their own (a profile, an order, a greeting) these are missing,
and who has one comes back to it. A place is held against the public pages of the same export in both; the
result is a logarithm of odds, to which other evidence can be added.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

FEW: Final = 5
"""A value that so many users saw at most belongs to the tail."""
FEWEST_OWNERS: Final = 3
"""Different users who each alone saw a value of a place, from which on it can be a personal one."""
_PERSONAL: Final = (8.0, 1.0)
"""Parameters of the beta distribution of the share of a personal place's rare values that one user saw."""
_ALIKE: Final = 10.0
"""Sum of these parameters for a public place: how much alike public places of a site are."""
_UNKNOWN: Final = 0.75
"""Share of the rare values of public places that one user alone saw, where nothing is known, …"""
_WEIGHT: Final = 4
"""… which counts as much as so many values."""
_BOUNDS: Final = (0.3, 0.9)
"""Between these it is in any case."""
_AGAIN: Final = 0.2
"""Share of the views of a public page that repeat one of the same user, where nothing is known, …"""
_AGAIN_WEIGHT: Final = 20
"""… which counts as much as so many views."""
_OFTEN: Final = 5
"""Views of a value that count: one user's habit."""
_CLEAR: Final = 6.0
"""Log odds that coming back can add at most."""
_STAFF: Final = 0.15
"""Share of the values of a place that a user saw together with one other, from which on it is staff."""
UNLIKELY: Final = 2.5
"""Log odds that a place is none of somebody's, before anything is known of it."""
_SURELY_PUBLIC: Final = 3
"""Pages of a folder that several users saw, from which on it is public, …"""
SHARED: Final = 0.2
"""… if they are also so many for each page that one user alone saw."""
_BESIDE: Final = 3
"""Own values for each popular one: a folder of many public pages is public, whatever is rare in it."""
PUBLIC: Final = 10
"""Users from which on a text is no secret, nor are its words, …"""
_PUBLIC_SHARE: Final = 0.005
"""… or this share of the users, in a small export, …"""
FEWEST_PUBLIC: Final = 3
"""… but not fewer than so many."""
_DEVICES: Final = 2
"""Ids that may be one person."""
EACH: Final = 3
"""Values of one owner that count: a crawler alone in an archive makes no place personal."""

SQL: Final = """min(digest) AS low, max(digest) AS high,
    bit_or(1::UBIGINT << digest % 64) AS buckets"""
"""The users of a :class:`Audience`, as aggregates over page views with the ``digest`` of each user."""
MERGED_SQL: Final = "min(low) AS low, max(high) AS high, bit_or(buckets) AS buckets"


@dataclass(slots=True)
class Audience:
    """The users who saw something.

    Args:
        views: Page views.
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
        """Whether it was one user."""
        return self.first == self.last

    @property
    def rare(self) -> bool:
        """Whether it may have been one person with two devices."""
        return self.users <= _DEVICES

    @property
    def users(self) -> int:
        """Users: exact for one, a little low for a few, at most 64."""
        return 1 if self.alone else max(2, self.buckets.bit_count())


def merged(audiences: Iterable[Audience]) -> Audience:
    """The users of several audiences together; there must be one at least."""
    first, *rest = audiences
    whole = Audience(first.views, first.first, first.last, first.buckets)
    for audience in rest:
        whole.views += audience.views
        whole.first = min(whole.first, audience.first)
        whole.last = max(whole.last, audience.last)
        whole.buckets |= audience.buckets
    return whole


def merged_by(items: Iterable[tuple[str, Audience]]) -> dict[str, Audience]:
    """Names → all who saw something of that name."""
    groups: defaultdict[str, list[Audience]] = defaultdict(list)
    for name, audience in items:
        groups[name].append(audience)
    return {name: merged(members) for name, members in groups.items()}


def public_from(n_users: int) -> int:
    """Users from which on a text is public, in an export of so many users."""
    return min(PUBLIC, max(FEWEST_PUBLIC, round(_PUBLIC_SHARE * n_users)))


@dataclass(frozen=True)
class Tail:
    """What the rare values of public places look like in an export.

    Args:
        owned: Share of the values of at most :data:`FEW` users that one user alone saw; None where nobody
            shares anything, and nothing can be told.
        again: Share of their views that repeat one of the same user.
    """

    owned: float | None
    again: float = _AGAIN

    @classmethod
    def of(cls, folders: Iterable[Iterable[Audience]]) -> Tail:
        """Look at the pages of every folder."""
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
        """Say whether the values of a place belong to one user each, where nothing else is known of it."""
        return self.log_odds(values) > UNLIKELY

    def log_odds(self, values: Iterable[Audience]) -> float:
        """How much more likely it is that a personal place was seen so than a public one, as a logarithm.

        Args:
            values: The audience of every value of the place.

        Returns:
            Minus infinity where too few users have a value of their own.
        """
        audiences = list(values)
        if self.owned is None or sum(audience.rare for audience in audiences) < FEWEST_OWNERS:
            return -math.inf
        owners = Counter(_owners(audiences))
        own = sum(min(count, EACH) for count in owners.values())
        popular = sum(audience.users > FEW for audience in audiences)
        if len(owners) < FEWEST_OWNERS or own < _BESIDE * popular:
            return -math.inf
        shared = len(audiences) - popular - owners.total()
        public = (_ALIKE * self.owned, _ALIKE * (1 - self.owned))
        return (
            _log_chance(own, shared, *_PERSONAL) - _log_chance(own, shared, *public) + self._again(audiences)
        )

    def _again(self, audiences: Iterable[Audience]) -> float:
        """What coming back to what one user alone saw adds: not all come back to their own."""
        views = [min(audience.views, _OFTEN) for audience in audiences if audience.alone]
        theirs = (1 + self.again) / 2
        odds = len(views) * math.log((1 - theirs) / (1 - self.again))
        return min(_CLEAR, max(0.0, odds + (sum(views) - len(views)) * math.log(theirs / self.again)))


def _owners(audiences: Sequence[Audience]) -> Iterator[int]:
    """Whose each rare value is, where it is one user's, apart from the staff that sees those of many."""
    ends = Counter(
        end for audience in audiences if 1 < audience.users <= FEW for end in (audience.first, audience.last)
    )
    staff = {end for end, count in ends.items() if count >= max(FEWEST_OWNERS, _STAFF * len(audiences))}
    for audience in audiences:
        others = {audience.first, audience.last} - staff
        if audience.alone:
            yield audience.first
        elif audience.users <= _DEVICES and len(others) == 1:
            yield others.pop()


def _log_chance(own: int, shared: int, a: float, b: float) -> float:
    """Logarithm of the chance of values in this order if their share has a beta distribution."""
    return _log_beta(a + own, b + shared) - _log_beta(a, b)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
