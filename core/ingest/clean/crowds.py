"""Who saw something: enough to tell one user from several, small, and mergeable.

A value that one user alone ever saw is that user's own, or rare. One value does not tell which; the values of
one place together do. In public places popularity has a long tail: beside the pages that one user saw there are
those that two to five saw (by Zipf's law two for every three, and more of them in a larger export). Where all
see their own (a profile, an order, a greeting) these are missing. How many there are in the folders that are
surely public, because many saw several of their pages, is what a place is compared with: so an export in which
hardly anything is shared, being small, makes nothing personal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from scipy.special import bdtrc

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
UNKNOWN: Final = 0.75
"""… and this where no folder is surely public."""
BESIDE: Final = 3
"""Own values for each popular one: a folder of many public pages is public, whatever is rare in it."""
PUBLIC: Final = 10
"""Users from which on a text is no secret, nor are its words."""
DEVICES: Final = 2
"""Ids that may be one person."""
POPULAR_PAGES: Final = 3
"""Pages of a folder that more than :data:`FEW` users saw, from which on it is surely public."""
EACH: Final = 3
"""Values of one owner that count: a crawler alone in an archive makes no place personal."""

SQL: Final = """min(hash(user_key)) AS low, max(hash(user_key)) AS high,
    bit_or(1::UBIGINT << (hash(user_key) % 64)::UBIGINT) AS buckets"""
"""The users of a :class:`Crowd`, as aggregates over page views."""
MERGED_SQL: Final = "min(low) AS low, max(high) AS high, bit_or(buckets) AS buckets"


@dataclass(slots=True)
class Crowd:
    """The users who saw something.

    Args:
        views: Page views.
        first: Smallest hash of a user.
        last: Largest hash of a user.
        buckets: A bit for each remainder of a hash by 64: as many bits as users, nearly, while they are few.
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


@dataclass(frozen=True)
class Tail:
    """What the rare values of public places look like in an export.

    Args:
        owned: Share of the values of at most :data:`FEW` users that one user alone saw; None where nobody
            shares anything, and nothing can be told.
    """

    owned: float | None

    @classmethod
    def of(cls, folders: Iterable[Iterable[Crowd]]) -> Tail:
        """Look at the pages of every folder."""
        shared_at_all, own, few = False, 0, 0
        for folder in folders:
            counts = Counter("own" if page.alone else "few" if page.users <= FEW else "many" for page in folder)
            shared_at_all |= counts["few"] + counts["many"] > 0
            if counts["many"] >= POPULAR_PAGES:
                own += counts["own"]
                few += counts["few"]
        if not shared_at_all:
            return cls(None)
        return cls(max(RAREST, own / (own + few)) if own + few else UNKNOWN)

    def differs(self, values: Iterable[Crowd], chance: float = CHANCE) -> bool:
        """Say whether the values of a place belong to one user each.

        Args:
            values: The crowd of every value.
            chance: As :data:`CHANCE`.
        """
        owned: Counter[int] = Counter()
        shared = popular = 0
        for crowd in values:
            if crowd.alone:
                owned[crowd.first] += 1
            elif crowd.users <= FEW:
                shared += 1
            else:
                popular += 1
        own = sum(min(count, EACH) for count in owned.values())
        if self.owned is None or len(owned) < FEWEST_OWNERS or own < BESIDE * popular:
            return False
        enough = max(LEAST, 1 - CLEARER * (1 - self.owned)) * (own + shared)
        return own >= enough and bool(bdtrc(own - 1, own + shared, self.owned) <= chance)
