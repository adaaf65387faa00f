"""Who saw something: enough to tell one user from several, small, and mergeable.

A value that one user alone ever saw is that user's own, or rare. One value does not tell which; the values of
one place together do. In public places popularity has a long tail: for every three pages that one user saw
there is about one that two users saw (Zipf's law: N2 = N1/3), and more that three to five did. In a place
where all see their own (a profile, an order, a greeting) the twos are missing, however many users there are.
In an export so small that hardly any page is shared the same holds for every place; so how often users share
pages at all decides how many owners a verdict needs.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

FEWEST_OWNERS: Final = 8
"""Different users who each alone saw a value of a place, from which on it can be a personal one."""
CHANCE: Final = 1e-8
"""Greatest probability of a wrong verdict if the views of that many users were independent; they are not, as
what is rare in one place is rare together, hence so small a number."""
FEW: Final = 5
"""A value that two to so many users saw belongs to the tail of what is public."""
OWN_SHARE: Final = 0.95
"""Share of the values with one owner among all values of at most :data:`FEW` users."""
INF: Final = math.inf
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


def owners_needed(pages: Collection[Crowd]) -> float:
    """How many owners a personal place must have in this export; infinite where nothing can be told.

    Args:
        pages: The crowd of every page.
    """
    views = sum(page.views for page in pages)
    alone = sum(page.views for page in pages if page.alone)
    if alone == views:  # nobody shares anything: a single user, or a handful
        return INF
    by_chance = math.log(CHANCE) / math.log(alone / views) if alone else 0.0
    return max(FEWEST_OWNERS, math.ceil(by_chance))


def is_personal(values: Iterable[Crowd], needed: float) -> bool:
    """Say whether the values of a place belong to one user each.

    Args:
        values: The crowd of every value.
        needed: As :func:`owners_needed` has it.
    """
    owned: Counter[int] = Counter()
    shared = 0
    for crowd in values:
        if crowd.alone:
            owned[crowd.first] += 1
        elif crowd.users <= FEW:
            shared += 1
    own = sum(min(count, EACH) for count in owned.values())
    return len(owned) >= needed and own >= OWN_SHARE * (own + shared)
