"""Count what users do as tokens, in two halves of the page views of each user.

A token is one of several alternatives in a context: which page of a part of the site, whether the next page
view is of another part, which part users arrive at, in which third of a session they view a part, how long
until the next page view. The probabilities of the tokens of a context sum to 1. Parts are branches of the
tree of addresses: a folder, whatever its depth, or a single page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import zip_longest
from typing import Final

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.special import entr

from core.base.local_clock import DAY
from core.storage.sequences import UserSequences

MAX_LENGTH: Final = 64
"""Latest page views of a user that are read."""
MAX_PARTS: Final = 12
"""Most parts that a site is cut into."""
_MAX_DEPTH: Final = 16
"""Most levels of the tree of addresses; what lies deeper is a single branch."""
_MAX_PAGES: Final = 1_500
"""Most viewed pages with a token; all others of a part share a token."""
_MAX_LABELS: Final = 40
MAX_REPEATS: Final = 8
"""Most times that a token of a user counts in a half."""
BUCKETS: Final = 32
"""Buckets of times, and of page views a session."""
_MICROSECONDS: Final = 1_000_000


class Aspect(StrEnum):
    """Aspect of what users do, by which they are compared."""

    PAGES = "pages"
    ORDER = "order"
    TEMPO = "tempo"
    ACTIVITY = "activity"
    RETURNS = "returns"
    LABELS = "labels"


@dataclass(frozen=True, eq=False)
class HalfCounts:
    """Tokens counted in two halves of the page views of each user.

    Args:
        first: csr of shape (n_users, n_tokens), counts in the first half.
        second: csr of the same shape, counts in the second half.
        context: int of shape (n_tokens,), the context of each token.
    """

    first: sparse.csr_array
    second: sparse.csr_array
    context: np.ndarray

    def __len__(self) -> int:
        """Number of users who are counted."""
        return int(self.first.shape[0])

    @cached_property
    def both(self) -> sparse.csr_array:
        """Counts in the two halves together."""
        return self.first + self.second

    @property
    def comparable(self) -> np.ndarray:
        """Which users have a token in both halves: bool of shape (n_users,)."""
        both: np.ndarray = np.diff(self.first.indptr) * np.diff(self.second.indptr) > 0
        return both

    def of_comparable_users(self) -> HalfCounts:
        """Leave out users without a token in one of the halves."""
        users = np.flatnonzero(self.comparable)
        return HalfCounts(self.first[users], self.second[users], self.context)


def half_counts(
    sequences: UserSequences,
    urls: Sequence[str],
    labels: Mapping[str, Sequence[str]],
    like: UserSequences | None = None,
    *,
    by_session: bool = False,
) -> tuple[HalfCounts, dict[Aspect, HalfCounts]]:
    """Count tokens by halves: those of pages, order and tempo together, and those of each aspect alone.

    Only the last :data:`MAX_LENGTH` page views of each user count.

    Args:
        sequences: Page views of users with two or more each.
        urls: Address of each page.
        labels: Theme and type of each page, "" where it is not known; empty where pages are not labelled.
        like: Users whose parts and most viewed pages are tokens; if None, those of ``sequences``.
        by_session: Halve the sessions of each user instead of the page views; a single session is second.
    """
    views = _Views(_latest(sequences), by_session=by_session)
    ranks = views if like is None else _Views(_latest(like))
    part = _parts(urls, ranks)
    page = _pages_in(part, ranks)
    parts, at = np.arange(int(part.max()) + 1), part[views.page]
    context_of_page = np.zeros(int(page.max()) + 1, dtype=np.int64)
    context_of_page[page] = part
    previous = np.roll(at, 1)
    leaves = previous != at
    of_part = views.counted(page[views.page], context_of_page)
    counts = {
        Aspect.PAGES: joined([views.counted(at, np.zeros_like(parts)), of_part]),
        Aspect.ORDER: joined(
            [
                views.counted(previous * 2 + leaves, np.repeat(parts, 2), ~views.begins_part),
                views.counted(at, np.zeros_like(parts), views.begins_part | leaves),
                views.counted(at * 3 + views.third, np.repeat(parts, 3), ~views.is_whole_session),
            ]
        ),
        Aspect.TEMPO: views.counted(
            _bucket(views.gap / _MICROSECONDS), np.zeros(BUCKETS, dtype=np.int64), ~views.begins_part
        ),
        **views.sessions_counted(),
    }
    named = [
        _ranked(pd.factorize(np.asarray(names, dtype=object))[0], ranks, _MAX_LABELS)
        for names in labels.values()
    ]
    known = [np.asarray(names, dtype=object) != "" for names in labels.values()]
    if named:
        counts[Aspect.LABELS] = joined(
            [
                views.counted(
                    code[views.page], np.zeros(int(code.max()) + 1, dtype=np.int64), which[views.page]
                )
                for code, which in zip(named, known, strict=True)
            ]
        )
    together = joined([of_part, counts[Aspect.ORDER], counts[Aspect.TEMPO]])  # arrivals imply parts
    return together, counts


def joined(many: Sequence[HalfCounts]) -> HalfCounts:
    """Put counts of the same users side by side, as tokens of different contexts."""
    sizes = [int(part.context.max()) + 1 for part in many]
    starts = np.cumsum([0, *sizes[:-1]])
    return HalfCounts(
        sparse.hstack([part.first for part in many], format="csr"),
        sparse.hstack([part.second for part in many], format="csr"),
        np.concatenate([part.context + start for part, start in zip(many, starts, strict=True)]),
    )


class _Views:
    """Page views of users, with the half of its user's and the session that each is in."""

    def __init__(self, sequences: UserSequences, *, by_session: bool = False) -> None:
        self.n_users, self.page, self.user = sequences.n_users, sequences.page, sequences.user
        self.timestamp = sequences.timestamp
        place = np.arange(sequences.n_views) - np.repeat(sequences.offsets[:-1], sequences.lengths)
        at, middle = place, sequences.lengths // 2
        if by_session:
            at = sequences.session
            middle = (at[sequences.offsets[:-1]] + at[sequences.offsets[1:] - 1] + 1) // 2
        self.second = at >= np.repeat(middle, sequences.lengths)
        self.begins_user = place == 0
        self.begins_half = self.begins_user | (np.diff(self.second, prepend=False) & self.second)
        self.begins_session = self.begins_user | (np.diff(sequences.session, prepend=-1) != 0)
        self.begins_part = self.begins_half | self.begins_session
        """Whether a page view begins the part of a session that lies in a single half."""

    @cached_property
    def gap(self) -> np.ndarray:
        """Microseconds since the page view before, float64 of shape (n_views,)."""
        return np.diff(self.timestamp, prepend=self.timestamp[:1]).astype(np.float64)

    @cached_property
    def _part(self) -> tuple[np.ndarray, np.ndarray]:
        number = np.cumsum(self.begins_part) - 1
        return np.arange(len(number)) - np.flatnonzero(self.begins_part)[number], np.bincount(number)[number]

    @property
    def third(self) -> np.ndarray:
        """Third of its part of a session that a page view stands in: 0, 1 or 2."""
        place, length = self._part
        third: np.ndarray = (3 * (place + 0.5) / length).astype(np.int64)
        return third

    @property
    def is_whole_session(self) -> np.ndarray:
        """Whether a page view is the only one of its part of a session."""
        alone: np.ndarray = self._part[1] == 1
        return alone

    def counted(self, token: np.ndarray, context: np.ndarray, kept: np.ndarray | None = None) -> HalfCounts:
        """Count a token for each kept page view, in each half of each user's page views."""
        kept = np.ones(len(token), dtype=bool) if kept is None else kept
        return self._halves(self.user, token, self.second, kept, context)

    def sessions_counted(self) -> dict[Aspect, HalfCounts]:
        """Count page views a session, and days since the one before, in each half of each user's sessions."""
        starts = np.flatnonzero(self.begins_session)
        user, size = self.user[starts], np.diff(starts, append=len(self.page))
        first = np.flatnonzero(np.diff(user, prepend=-1))
        number = np.arange(len(user)) - np.repeat(first, np.diff(first, append=len(user)))
        half = (np.bincount(user) // 2)[user]
        second = number >= half
        days, several = np.diff(self.timestamp[starts], prepend=0) / DAY, number > 0
        several[number == half] = False  # this gap lies between the halves
        both, context = np.ones(len(user), dtype=bool), np.zeros(BUCKETS, dtype=np.int64)
        return {
            Aspect.ACTIVITY: self._halves(user, _bucket(size), second, both, context),
            Aspect.RETURNS: self._halves(user, _bucket(days), second, several, context),
        }

    def _halves(
        self, user: np.ndarray, token: np.ndarray, second: np.ndarray, kept: np.ndarray, context: np.ndarray
    ) -> HalfCounts:
        def count(which: np.ndarray) -> sparse.csr_array:
            places = (user[which], token[which])
            shape = (self.n_users, len(context))
            counted = sparse.coo_array((np.ones(int(which.sum())), places), shape=shape).tocsr()
            counted.data = np.minimum(counted.data, MAX_REPEATS)
            return counted

        return HalfCounts(count(kept & ~second), count(kept & second), context)


def _latest(sequences: UserSequences) -> UserSequences:
    """The last :data:`MAX_LENGTH` page views of each user."""
    place = np.arange(sequences.n_views)
    kept = place >= np.repeat(sequences.offsets[1:] - MAX_LENGTH, sequences.lengths)
    offsets = np.concatenate([[0], np.cumsum(np.minimum(sequences.lengths, MAX_LENGTH))])
    return UserSequences(
        sequences.user_id, offsets, sequences.page[kept], sequences.timestamp[kept], sequences.session[kept]
    )


def _bucket(amount: np.ndarray) -> np.ndarray:
    """Bucket that each amount falls in, two to double it, after a normal shift of one bucket at random.

    With fixed borders users who always do about the same, such as coming every third day, would be of one
    kind on one side of a border and of another on the other. The shift makes their buckets a bell around what
    they do, and a normal trait, which tilts the logarithms of all buckets, moves a bell.

    Returns:
        int of the shape of ``amount``.
    """
    shift = np.random.default_rng(0).normal(0.5, 1.0, len(amount))
    place = 2 * np.log2(1 + np.maximum(amount, 0)) + shift
    bucket: np.ndarray = np.clip(place, 0, BUCKETS - 1).astype(np.int64)
    return bucket


def _ranked(code: np.ndarray, views: _Views, most: int) -> np.ndarray:
    """Number groups of pages from the most viewed; all after the first ``most`` share a number."""
    order = np.argsort(-np.bincount(code[views.page], minlength=int(code.max()) + 1), kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    ranked: np.ndarray = np.minimum(rank, most)[code]
    return ranked


def _parts(urls: Sequence[str], views: _Views) -> np.ndarray:
    """Divide a site into branches of the tree of addresses, numbered from the most viewed.

    The branch that tells most about where page views are (most entropy) is cut off first.

    Returns:
        The part of each page: int of shape (n_pages,).
    """
    tree, viewed = _tree(urls), np.bincount(views.page, minlength=len(urls)).astype(np.float64)
    nodes, rows, depth = int(tree.max()) + 1, np.arange(len(urls)), np.zeros(len(urls), dtype=np.int64)
    for _ in range(MAX_PARTS - 1):
        part = tree[rows, depth]
        page, level = np.nonzero((np.arange(tree.shape[1]) > depth[:, None]) & (tree >= 0))
        branch, of = tree[page, level], np.zeros(nodes, dtype=np.int64)
        of[branch] = part[page]
        inside = np.bincount(branch, viewed[page], minlength=nodes)
        whole = np.bincount(part, viewed, minlength=nodes)[of]
        gain = np.where(inside > 0, entr(inside) + entr(whole - inside) - entr(whole), 0)
        if gain.max() <= 0:
            break
        cut = branch == gain.argmax()
        depth[page[cut]] = level[cut]
    return _ranked(np.unique(tree[rows, depth], return_inverse=True)[1], views, MAX_PARTS)


def _tree(urls: Sequence[str]) -> np.ndarray:
    """Number the branches that an address lies in, from the root, then -1: int of shape (n_pages, depth)."""
    numbers: dict[tuple[int, str], int] = {}
    paths = []
    for url in urls:
        path = [0]
        for name in url.split("/", _MAX_DEPTH):
            path.append(numbers.setdefault((path[-1], name), len(numbers) + 1))
        paths.append(path)
    return np.array(list(zip(*zip_longest(*paths, fillvalue=-1), strict=True)), dtype=np.int64)


def _pages_in(part: np.ndarray, views: _Views) -> np.ndarray:
    """Number pages from the most viewed; after the first :data:`_MAX_PAGES`, by their part."""
    rank = _ranked(np.arange(len(part)), views, len(part))
    page: np.ndarray = np.where(rank < _MAX_PAGES, rank, _MAX_PAGES + part)
    return np.unique(page, return_inverse=True)[1]
