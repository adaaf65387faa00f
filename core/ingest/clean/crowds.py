"""Who saw something: enough to tell one user from several, small, and mergeable.

A value that one user alone ever saw is that user's own, or rare. One value does not tell which; the values of
one place together do. In public places popularity has a long tail: beside the pages that one user saw there
are those that two to five saw (by Zipf's law two for every three, and more of them in a larger export). Where
all see their own (a profile, an order, a greeting) these are missing. How many there are in folders that are
surely public, as several of their pages are shared, is what a place is compared with: so an export in which
hardly anything is shared, being small, makes nothing personal.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

FEW: Final = 5
"""A value that so many users saw at most belongs to the tail."""
FEWEST_OWNERS: Final = 3
"""Different users who each alone saw a value of a place, from which on it can be a personal one."""
CHANCE: Final = 1e-4
"""Greatest probability that so many values of a public place had one owner."""
CLEARER: Final = 0.4
"""Largest share of what is shared in public tails that may be left: a place must not only differ for sure but
by far."""
LEAST: Final = 0.75
"""Share of the tail that must be owned in any case."""
RAREST: Final = 0.15
"""Share of the public tail that is owned: so much is assumed at least, …"""
UNKNOWN: Final = 0.9
"""… and this where nothing is known, …"""
WEIGHT: Final = 4
"""… which counts as much as so many values."""
SURELY_PUBLIC: Final = 3
"""Pages of a folder that several users saw, from which on it is public, …"""
SHARED: Final = 0.2
"""… if they are also so many for each page that one user alone saw."""
BESIDE: Final = 3
"""Own values for each popular one: a folder of many public pages is public, whatever is rare in it."""
PUBLIC: Final = 10
"""Users from which on a text is no secret, nor are its words, …"""
PUBLIC_SHARE: Final = 0.005
"""… or this share of the users, in a small export, …"""
FEWEST_PUBLIC: Final = 3
"""… but not fewer than so many."""
DEVICES: Final = 2
"""Ids that may be one person."""
EACH: Final = 3
"""Values of one owner that count: a crawler alone in an archive makes no place personal."""

SQL: Final = """min(digest) AS low, max(digest) AS high,
    bit_or(1::UBIGINT << digest % 64) AS buckets"""
"""The users of a :class:`Crowd`, as aggregates over page views with the ``digest`` of each user."""
MERGED_SQL: Final = "min(low) AS low, max(high) AS high, bit_or(buckets) AS buckets"


@dataclass(slots=True)
class Crowd:
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
        return self.users <= DEVICES

    @property
    def users(self) -> int:
        """Users: exact for one, a little low for a few, at most 64."""
        return 1 if self.alone else max(2, self.buckets.bit_count())


def merged(crowds: Iterable[Crowd]) -> Crowd:
    """The users of several crowds together; there must be one at least."""
    first, *rest = crowds
    whole = Crowd(first.views, first.first, first.last, first.buckets)
    for crowd in rest:
        whole.views += crowd.views
        whole.first = min(whole.first, crowd.first)
        whole.last = max(whole.last, crowd.last)
        whole.buckets |= crowd.buckets
    return whole


def merged_by(items: Iterable[tuple[str, Crowd]]) -> dict[str, Crowd]:
    """Names → all who saw something of that name."""
    groups: defaultdict[str, list[Crowd]] = defaultdict(list)
    for name, crowd in items:
        groups[name].append(crowd)
    return {name: merged(members) for name, members in groups.items()}


def public_from(n_users: int) -> int:
    """Users from which on a text is public, in an export of so many users."""
    return min(PUBLIC, max(FEWEST_PUBLIC, round(PUBLIC_SHARE * n_users)))


@dataclass(frozen=True)
class Tail:
    """What the rare values of public places look like in an export.

    Args:
        owned: Share of the values of at most :data:`FEW` users that one user alone saw; None where nobody
            shares anything, and nothing can be told.
        owned_again: The same of values that were seen more than once: an export may be too small for a page
            to be seen by two, but who has a page of their own comes back to it.
    """

    owned: float | None
    owned_again: float = UNKNOWN

    @classmethod
    def of(cls, folders: Iterable[Iterable[Crowd]]) -> Tail:
        """Look at the pages of every folder."""
        shared_at_all = False
        pages: list[Crowd] = []
        for folder in map(list, folders):
            shared = sum(not page.alone for page in folder)
            shared_at_all |= shared > 0
            if shared >= max(SURELY_PUBLIC, SHARED * (len(folder) - shared)):
                pages += [page for page in folder if page.users <= FEW]
        again = [page for page in pages if page.views > 1]
        return cls(_owned(pages), _owned(again)) if shared_at_all else cls(None)

    def differs(self, values: Iterable[Crowd], chance: float = CHANCE) -> bool:
        """Say whether the values of a place belong to one user each.

        Args:
            values: The crowd of every value.
            chance: As :data:`CHANCE`.
        """
        values = list(values)
        again = [crowd for crowd in values if crowd.views > 1]
        return self.owned is not None and (
            _differs(values, self.owned, chance) or _differs(again, self.owned_again, chance)
        )


def _owned(pages: list[Crowd]) -> float:
    own = sum(page.alone for page in pages)
    return max(RAREST, (own + WEIGHT * UNKNOWN) / (len(pages) + WEIGHT))


def _differs(values: list[Crowd], owned_elsewhere: float, chance: float) -> bool:
    owned = Counter(crowd.first for crowd in values if crowd.alone)
    own = sum(min(count, EACH) for count in owned.values())
    popular = sum(crowd.users > FEW for crowd in values)
    tail = own + sum(not crowd.alone for crowd in values) - popular
    if len(owned) < FEWEST_OWNERS or own < BESIDE * popular:
        return False
    from scipy.special import bdtrc  # takes a tenth of a second to load, and few exports ask it

    enough = max(LEAST, 1 - CLEARER * (1 - owned_elsewhere)) * tail
    return own >= enough and bool(bdtrc(own - 1, tail, owned_elsewhere) <= chance)
