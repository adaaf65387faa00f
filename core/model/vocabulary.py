"""Token ids of pages, page themes and page types: by rank of their views, never by a hash.

Ids are 0 padding, 1 unknown, then of pages an id a known directory and an id a page that is viewed often
enough; of themes and types an id a name, most viewed first. A page that is rare, or that the model has never
seen, takes the id of its nearest known directory. The map is saved with the model as URL text, so that any
later list of URLs gets the ids of the training.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import Any, Final, TypeAlias

import numpy as np

from core.base.errors import ArtifactError

PADDING: Final = 0
UNKNOWN: Final = 1
_FIRST_FREE_ID: Final = 2

_GROUP_SHARE: Final = 0.02
"""A directory (or a single page, such as the home page) with this share of all views is a page group."""
_MAX_GROUPS: Final = 64
_MAX_TRANSITIONS: Final = 512
"""Pairs of page groups that get an id, at most; all others are too rare to learn from."""
FIRST_VIEW: Final = 0
OTHER_TRANSITION: Final = 1

# after a single slash (not the two of "https://"), a question mark or an ampersand
_CUT = re.compile(r"(?<![:/])/(?!/)|[?&]")


def prefixes(url: str) -> list[str]:
    """The directories above a page, nearest last.

    >>> prefixes("https://shop.example/shoes/red?size=40")
    ['https://shop.example/', 'https://shop.example/shoes/', 'https://shop.example/shoes/red?']
    """
    return [url[: cut.end()] for cut in _CUT.finditer(url) if cut.end() < len(url)]


@dataclass(frozen=True)
class Vocabulary:
    """Token ids of the url view: directories, pages, and steps between page groups.

    Args:
        directories: URL prefixes with an id of their own, most viewed first.
        pages: URLs with an id of their own, most viewed first.
        groups: URL prefixes or whole URLs that are page groups, most viewed first; group 0 is every
            other page, group ``i + 1`` is ``groups[i]``.
        transitions: Pairs (group before, group of the page), most frequent first.
    """

    directories: tuple[str, ...]
    pages: tuple[str, ...]
    groups: tuple[str, ...]
    transitions: tuple[tuple[int, int], ...]

    @property
    def n_items(self) -> int:
        """Number of token ids, padding and unknown included."""
        return _FIRST_FREE_ID + len(self.directories) + len(self.pages)

    @property
    def n_transitions(self) -> int:
        """Number of transition ids, the first view's and the rare pairs' included."""
        return _FIRST_FREE_ID + len(self.transitions)

    @property
    def n_groups(self) -> int:
        """Number of page groups, that of all other pages included."""
        return 1 + len(self.groups)

    @cached_property
    def _directory_id(self) -> dict[str, int]:
        return {text: _FIRST_FREE_ID + rank for rank, text in enumerate(self.directories)}

    @cached_property
    def _page_id(self) -> dict[str, int]:
        first = _FIRST_FREE_ID + len(self.directories)
        return {text: first + rank for rank, text in enumerate(self.pages)}

    def item_ids(self, urls: Sequence[str]) -> np.ndarray:
        """Token id of each URL, known or not: int32 of shape (n_urls,)."""
        known = self._page_id
        ids = (known[url] if url in known else self._nearest_directory(url) for url in urls)
        return np.fromiter(ids, np.int32, len(urls))

    def coarse_ids(self) -> np.ndarray:
        """For each token id, the id it has when only its directory is known: int32 of shape (n_items,)."""
        coarse = np.arange(self.n_items, dtype=np.int32)
        coarse[len(coarse) - len(self.pages) :] = [self._nearest_directory(url) for url in self.pages]
        return coarse

    def group_ids(self, urls: Sequence[str]) -> np.ndarray:
        """Page group of each URL, that of the longest prefix that is one: int32 of shape (n_urls,)."""
        known = {text: number + 1 for number, text in enumerate(self.groups)}
        ids = (_longest(known, [*prefixes(url), url], missing=0) for url in urls)
        return np.fromiter(ids, np.int32, len(urls))

    def transition_ids(self, groups: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Id of the step that led to each page view.

        Args:
            groups: int of shape (n_views,), page group of each view, users one after the other.
            starts: int of shape (n_users,), where each user's views start.

        Returns:
            int32 of shape (n_views,); :data:`FIRST_VIEW` for the first view of a user.
        """
        return _look_up_transitions(groups, len(self.groups) + 1, self.transitions, starts)

    def _nearest_directory(self, url: str) -> int:
        return _longest(self._directory_id, prefixes(url), missing=UNKNOWN)

    def to_json(self) -> dict[str, Any]:
        """Plain data of pages for ``vocabulary.json``."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Vocabulary:
        """Build a vocabulary of pages from the data of :meth:`to_json`.

        Raises:
            ArtifactError: If something is missing, doubled or of the wrong kind.
        """
        try:
            if set(data) != {field.name for field in fields(cls)}:
                raise ValueError(f"it holds {sorted(data)}")
            texts = {name: _read_texts(data[name]) for name in ("directories", "pages", "groups")}
            pairs = _read_pairs(data["transitions"], n_groups=len(texts["groups"]) + 1)
        except (TypeError, ValueError) as error:
            raise ArtifactError(f"The vocabulary is damaged: {error}", remedy="Train again") from error
        return cls(**texts, transitions=pairs)


def build_vocabulary(
    urls: Sequence[str], pages: np.ndarray, starts: np.ndarray, min_count: int
) -> Vocabulary:
    """Rank pages, directories, page groups and steps between groups by how often they are viewed.

    Args:
        urls: n_pages canonical URLs.
        pages: int of shape (n_views,), index into ``urls``, users one after the other.
        starts: int of shape (n_users,), where each user's views start.
        min_count: Pages, directories and steps seen less often get no id of their own (a page: that of its
            nearest directory); groups also need :data:`_GROUP_SHARE` of all views.
    """
    views = np.bincount(pages, minlength=len(urls))
    counted = Counter(dict(zip(urls, views.tolist(), strict=True)))
    above: Counter[str] = Counter()
    for url, count in counted.items():
        for prefix in prefixes(url):
            above[prefix] += count
    smallest = max(min_count, _GROUP_SHARE * len(pages))
    vocabulary = Vocabulary(
        directories=_ranked(above, min_count),
        pages=_ranked(counted, min_count),
        groups=_ranked(counted + above, smallest)[:_MAX_GROUPS],
        transitions=(),
    )
    groups = vocabulary.group_ids(urls)[pages]
    steps = _rank_transitions(groups, len(vocabulary.groups) + 1, starts, min_count)
    return replace(vocabulary, transitions=steps)


def _rank_transitions(
    groups: np.ndarray, n_groups: int, starts: np.ndarray, min_count: int
) -> tuple[tuple[int, int], ...]:
    """Pairs (group before, group) of neighbouring views of a user, most frequent first.

    Args:
        groups: int of shape (n_views,), users one after the other.
        n_groups: Number of groups.
        starts: int of shape (n_users,), where each user's views start.
        min_count: Pairs seen less often are left out, and so are those after :data:`_MAX_TRANSITIONS`.
    """
    codes = np.delete(_pair_codes(groups, n_groups), starts)
    counts = np.bincount(codes, minlength=n_groups * n_groups)
    order = np.argsort(-counts, kind="stable")[:_MAX_TRANSITIONS]
    return tuple((int(code // n_groups), int(code % n_groups)) for code in order if counts[code] >= min_count)


def _look_up_transitions(
    groups: np.ndarray, n_groups: int, transitions: Sequence[tuple[int, int]], starts: np.ndarray
) -> np.ndarray:
    """Id of the step that led to each page view: int32 of shape (n_views,)."""
    table = np.full(n_groups * n_groups, OTHER_TRANSITION, dtype=np.int32)
    for rank, (before, after) in enumerate(transitions):
        table[before * n_groups + after] = _FIRST_FREE_ID + rank
    ids: np.ndarray = table[_pair_codes(groups, n_groups)]
    ids[starts] = FIRST_VIEW
    return ids


def _pair_codes(groups: np.ndarray, n_groups: int) -> np.ndarray:
    """(group before, group) of each view as one number; meaningless at a user's first view."""
    before = np.concatenate([groups[:1], groups[:-1]]).astype(np.int64)
    codes: np.ndarray = before * n_groups + groups
    return codes


def _ranked(counts: Mapping[str, float], smallest: float) -> tuple[str, ...]:
    """Texts counted at least ``smallest`` times, most frequent first, then by name."""
    enough = [text for text, count in counts.items() if count >= smallest]
    return tuple(sorted(enough, key=lambda text: (-counts[text], text)))


def _longest(known: Mapping[str, int], candidates: Sequence[str], *, missing: int) -> int:
    return next((known[text] for text in reversed(candidates) if text in known), missing)


def _read_texts(values: Iterable[object]) -> tuple[str, ...]:
    """Read a list of distinct texts from JSON.

    Raises:
        ValueError: If one is doubled or not text.
    """
    texts = tuple(value for value in values if isinstance(value, str))
    if len(set(texts)) != len(list(values)):
        raise ValueError("a name is doubled or not text")
    return texts


def _read_pairs(values: Iterable[Sequence[int]], n_groups: int) -> tuple[tuple[int, int], ...]:
    """Read pairs of page groups from JSON.

    Raises:
        TypeError: If one is no pair of numbers.
        ValueError: If one names a group that is not there.
    """
    pairs = tuple((int(before), int(after)) for before, after in values)
    if not all(0 <= group < n_groups for pair in pairs for group in pair):
        raise ValueError("a transition names a page group that is not there")
    return pairs


_NO_NAME: Final = "Unknown"
"""Label of a page without a theme or type; its id is :data:`UNKNOWN`."""


@dataclass(frozen=True)
class LabelVocabulary:
    """Token ids of the theme or the type view: labels, and steps between them.

    Args:
        labels: Names with an id of their own, most viewed first.
        transitions: Pairs (id before, id) of neighbouring views, most frequent first.
    """

    labels: tuple[str, ...]
    transitions: tuple[tuple[int, int], ...]

    @property
    def n_items(self) -> int:
        """Number of token ids of labels, padding and unknown included."""
        return _FIRST_FREE_ID + len(self.labels)

    @property
    def n_transitions(self) -> int:
        """Number of transition ids between labels, the first view's and the rare pairs' included."""
        return _FIRST_FREE_ID + len(self.transitions)

    @property
    def n_groups(self) -> int:
        """Number of groups that steps lead between: that of token ids."""
        return self.n_items

    def item_ids(self, names: Sequence[str]) -> np.ndarray:
        """Token id of each name, known or not: int32 of shape (n_names,)."""
        ids = {name: _FIRST_FREE_ID + rank for rank, name in enumerate(self.labels)}
        return np.fromiter((ids.get(name, UNKNOWN) for name in names), np.int32, len(names))

    def group_ids(self, names: Sequence[str]) -> np.ndarray:
        """Group of each name, which is its token id: int32 of shape (n_names,)."""
        return self.item_ids(names)

    def transition_ids(self, groups: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Id of the step that led to each page view; see :meth:`Vocabulary.transition_ids`."""
        return _look_up_transitions(groups, self.n_items, self.transitions, starts)

    def to_json(self) -> dict[str, Any]:
        """Plain data of labels for ``vocabulary.json``."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> LabelVocabulary:
        """Build a vocabulary of labels from the data of :meth:`to_json`.

        Raises:
            ArtifactError: If something is missing, doubled or of the wrong kind.
        """
        try:
            labels = _read_texts(data["labels"])
            pairs = _read_pairs(data["transitions"], n_groups=_FIRST_FREE_ID + len(labels))
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(f"The vocabulary is damaged: {error}", remedy="Train again") from error
        return cls(labels, pairs)


ItemVocabulary: TypeAlias = Vocabulary | LabelVocabulary
"""Vocabulary of a view, whose items are pages, themes or types."""


def build_label_vocabulary(
    names: Sequence[str], pages: np.ndarray, starts: np.ndarray, min_count: int
) -> LabelVocabulary:
    """Rank labels, and the steps between them, by how often they are viewed.

    Args:
        names: Label of each of n_pages pages.
        pages: int of shape (n_views,), index into ``names``, users one after the other.
        starts: int of shape (n_users,), where each user's views start.
        min_count: Labels and steps seen less often get no id of their own.
    """
    counted: Counter[str] = Counter()
    for name, views in zip(names, np.bincount(pages, minlength=len(names)).tolist(), strict=True):
        counted[name] += views
    del counted[_NO_NAME]
    vocabulary = LabelVocabulary(_ranked(counted, max(min_count, 1)), ())
    items = vocabulary.item_ids(names)[pages]
    steps = _rank_transitions(items, vocabulary.n_items, starts, min_count)
    return replace(vocabulary, transitions=steps)
