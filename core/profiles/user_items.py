"""The items of each user (pages, words, labels, sources, hours, …): one sparse bool matrix for each family.

Built once for a data set and its labels, so that changed segments cost only one sparse product a family.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd
from scipy import sparse

from core.base.attributes import ATTRIBUTES
from core.base.schema import RESERVED, PageLabels, Pages
from core.base.wording import common_origin, short_address
from core.labels.page_address import after_host
from core.labels.texts import url_words
from core.labels.words import words_of
from core.profiles.data import EncodedColumn, ProfileData, encode_column
from core.profiles.profile_columns import MetricRole
from core.profiles.rows import Rows
from core.profiles.two_shares import Z_95
from core.storage.dataset import Dataset
from core.storage.page_labels import LabelledPages
from core.storage.sequences import UserSequences

_MIN_USERS: Final = 3
"""Fewest users of an item; rarer items are left out."""
_MAX_ITEMS: Final = 1_000
"""Most items of a family, those of the most users."""
_EVERYWHERE: Final = 0.5
"""Share of the pages and of the page views above which a word is left out, like the site's name."""
_PREDICTED: Final = 50
"""Values that pages are asked to predict, at most; all rarer ones count as one, and so do users without."""
PAGES_AT_ONCE: Final = 1 << 16
"""Pairs of user and page whose odds of every value are in memory at once."""
_MAX_DEPTH: Final = 4
"""Deepest level of folders that are items."""
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MIN_LENGTH: Final = 3


class Family(StrEnum):
    """Kinds of items in which users can differ; each attribute of users is one more, by its column."""

    MEASURE = "measure"
    """A column of the segments table."""
    OUTCOME = "outcome"
    """An outcome that the user had."""
    PAGE = "page"
    FOLDER = "folder"
    """A folder of addresses, such as ``/shop/``, of which the user saw a page."""
    WORD = "word"
    """A word in the path or the title of pages that the user saw."""
    TEMPLATE = "template"
    """A path template, such as ``/shop/:slug``, of which the user saw a page."""
    THEME = "theme"
    TYPE = "type"
    ENTRY = "entry"
    """The first page of a session."""
    EXIT = "exit"
    """The last page of a session."""
    HOUR = "hour"
    """Hour of the user's first page view, UTC."""
    WEEKDAY = "weekday"
    """Day of the week of the user's first page view, UTC."""
    INTEREST = "interest"
    """The section that more than half of a user's page views are in."""
    STAGE = "stage"
    """A stage before the outcome that the user reached or passed; outcomes are another family."""
    RHYTHM = "rhythm"
    """When more than half of a user's page views are, by the clock of the export."""
    LEVEL = "level"
    """The user's level of any other facet."""


SEEN: Final = frozenset({*Family} - {Family.HOUR, Family.WEEKDAY, Family.RHYTHM})
"""Families that follow from the pages, which a model saw; it sees no attribute and none of the others."""
_GIVEN_AWAY: Final = 0.05
"""Result of :func:`_tells` from which on pages give away a user's hour or weekday, as dated articles or a
day's campaign do. News sites have .08 to .34, shops and synthetic sites .01."""


@dataclass(frozen=True, eq=False)
class ItemFamily:
    """Which user has which item of one family.

    Args:
        names: Names of the items, those of the most users first.
        has: bool CSR of shape (n_users, n_items).
        known: bool of shape (n_users,), users that count; others never sent such a value.
    """

    names: tuple[str, ...]
    has: sparse.csr_array
    known: np.ndarray


@dataclass(frozen=True, eq=False)
class UserItems:
    """What each user saw, did or came with (an *item*: a page, a source, an hour), by family.

    Args:
        families: Family, or attribute of users, → its items; one without any is left out.
        given_away: Families that no model sees, but that the pages of a first session give away.
    """

    families: Mapping[str, ItemFamily]
    given_away: frozenset[str] = frozenset()

    @classmethod
    def from_dataset(cls, dataset: Dataset, labels: LabelledPages | None = None) -> UserItems:
        """Lay out a preprocessed export, and the labels of its pages."""
        data = ProfileData.from_dataset(dataset)
        return cls.from_tables(data, dataset.pages, dataset.sequences, labels_of(labels))

    @classmethod
    def from_tables(
        cls,
        data: ProfileData,
        pages: pd.DataFrame,
        sequences: UserSequences,
        labels: Mapping[str, Sequence[str]] = MappingProxyType({}),
        levels: Mapping[Family, Sequence[np.ndarray]] = MappingProxyType({}),
    ) -> UserItems:
        """Lay out tables in the columns of ``core/base/schema.py``.

        Args:
            data: The users.
            pages: All pages.
            sequences: Page views.
            labels: Name of a family → label of each page, see :func:`labels_of`.
            levels: Family → each user's level of each facet: object of shape (n_users,), empty text if none.
        """
        made = items_of_pages(pages, sequences, labels)
        first = pd.to_datetime(pd.Series(sequences.timestamp[sequences.offsets[:-1]]), unit="us", utc=True)
        times: dict[str, EncodedColumn] = {
            Family.HOUR: encode_column(first.dt.hour.map("{0:02d}:00–{0:02d}:59".format)),
            Family.WEEKDAY: encode_column(first.dt.day_of_week.map(_DAYS.__getitem__)),
        }
        of_users = {**data.attributes, **times}
        made |= {family: _of_users(values) for family, values in of_users.items()}
        made |= {family: _of_levels(facets) for family, facets in levels.items()}
        begun = _seen(sequences, _first_sessions(sequences), len(pages))
        given_away = {
            family for family, values in of_users.items()
            if family not in ATTRIBUTES and _tells(begun, values) >= _GIVEN_AWAY
        }  # fmt: skip
        if given_away & {*times}:
            given_away.add(Family.RHYTHM)
        kept = MappingProxyType({family: items for family, items in made.items() if items.names})
        return cls(kept, frozenset(given_away))

    def role_of(self, family: str, rows: Rows) -> MetricRole:
        """How the items of a family relate to what made the rows; stages are the rule if an outcome did."""
        if family == Family.STAGE and rows.by_outcome:
            return MetricRole.RULE
        if family in (*self.given_away, Family.INTEREST, Family.STAGE, Family.LEVEL):
            return rows.role_of(MetricRole.DERIVED)
        return rows.role_of(MetricRole.INPUT if family in SEEN else MetricRole.HELD_OUT)


def items_of_pages(
    pages: pd.DataFrame, sequences: UserSequences, labels: Mapping[str, Sequence[str]]
) -> dict[str, ItemFamily]:
    """Lay out which user saw which page, folder, word and label, and where sessions began and ended.

    Args:
        pages: :class:`core.base.schema.Pages`.
        sequences: Page views of users.
        labels: Name of a family → label of each page, see :func:`labels_of`.
    """
    addresses: list[str] = pages[Pages.PAGE_LOCATION].tolist()
    origin = common_origin(addresses)
    short = [short_address(address, origin) for address in addresses]
    called = [[address] for address in short]
    of_page: dict[Family, Sequence[Iterable[str]]] = {
        Family.PAGE: called,
        Family.FOLDER: [folders(address) for address in short],
        Family.WORD: _words(short, pages),
    }
    of_page |= {Family(name): _labels(own, origin) for name, own in labels.items()}
    starts = sequences.session_starts
    ends = np.append(starts[1:], sequences.n_views) - 1
    seen = _seen(sequences, slice(None), len(pages))
    made: dict[str, ItemFamily] = {family: _of_pages(seen, names) for family, names in of_page.items()}
    for family, views in ((Family.ENTRY, starts), (Family.EXIT, ends)):
        made[family] = _of_pages(_seen(sequences, views, len(pages)), called)
    return made


def labels_of(labels: LabelledPages | None) -> dict[str, list[str]]:
    """``template``, ``theme``, ``type`` → that of each page, by page index; empty for unlabelled pages."""
    columns = {
        Family.TEMPLATE: PageLabels.TEMPLATE, Family.THEME: PageLabels.THEME, Family.TYPE: PageLabels.TYPE,
    }  # fmt: skip
    return {} if labels is None else {family: labels.table[name].tolist() for family, name in columns.items()}


def folders(address: str) -> list[str]:
    """Folders that contain a page: ``/shop/rain/p41`` → ``/shop/``, ``/shop/rain/``."""
    parts = [part for part in after_host(address).partition("?")[0].split("/") if part]
    return ["/" + "/".join(parts[: depth + 1]) + "/" for depth in range(min(len(parts) - 1, _MAX_DEPTH))]


def _words(addresses: Sequence[str], pages: pd.DataFrame) -> list[list[str]]:
    """Words of each page's path and title, sorted, without those that are on most pages."""
    titles = pages[Pages.PAGE_TITLE].fillna("").astype(str)
    found = [
        {word for word in words_of(f"{url_words(address)} {title}") if _says_something(word)}
        for address, title in zip(addresses, titles, strict=True)
    ]
    table = pd.DataFrame({"word": found, "views": pages[Pages.VIEWS].to_numpy()}).explode("word")
    by_word = table.groupby("word")["views"]
    often = (by_word.size() > _EVERYWHERE * len(pages)) & (
        by_word.sum() > _EVERYWHERE * pages[Pages.VIEWS].sum()
    )
    everywhere = set(often.index[often])
    return [sorted(words - everywhere) for words in found]


def _says_something(word: str) -> bool:
    return (len(word) >= _MIN_LENGTH or not word.isascii()) and not any(letter.isdigit() for letter in word)


def _labels(names: Sequence[str], origin: str) -> list[list[str]]:
    """The label of each page as its item, templates without the common origin; none if not labelled."""
    return [[] if name in RESERVED else [short_address(name, origin)] for name in names]


def _seen(sequences: UserSequences, views: slice | np.ndarray, n_pages: int) -> sparse.csr_array:
    user, page = sequences.user[views], sequences.page[views]
    return sparse.csr_array((np.ones(len(user), np.int32), (user, page)), (sequences.n_users, n_pages))


def _first_sessions(sequences: UserSequences) -> np.ndarray:
    """Indices of the page views of every user's first session."""
    starts = sequences.session_starts
    ends = np.append(starts, sequences.n_views)[np.searchsorted(starts, sequences.offsets[:-1]) + 1]
    return np.flatnonzero(np.arange(sequences.n_views) < np.repeat(ends, sequences.lengths))


def _tells(seen: sparse.csr_array, made: EncodedColumn) -> float:
    """How well pages predict a value of their users, by naive Bayes trained on all other users.

    The lower bound of the share of users predicted beyond the most frequent value, of those who do not have
    it: 1 if always right, 0 if the most frequent value is right as often.
    """
    if len(made.values) < 2:
        return 0.0
    codes = np.minimum(made.codes, _PREDICTED - 1)
    codes = np.where(codes < 0, codes.max() + 1, codes)
    share = np.bincount(codes) / len(codes)
    users, starts = len(codes), seen.indptr
    own = sparse.csr_array((np.ones(users), codes, np.arange(users + 1)), (users, len(share)))
    of_page, hits = ((seen > 0).T @ own).toarray(), 0
    cuts = np.searchsorted(starts, np.arange(0, seen.nnz, PAGES_AT_ONCE))
    for begin, end in pairwise(np.unique(np.append(cuts, users))):
        page = seen.indices[starts[begin] : starts[end]]
        code = np.repeat(codes[begin:end], np.diff(starts[begin : end + 1]))
        counts = of_page[page] - np.eye(len(share))[code]
        odds = np.log((counts + share) / (counts.sum(axis=1, keepdims=True) + 1) / share)
        by_user = np.add.reduceat(odds, starts[begin:end] - starts[begin])
        likely = (np.log(share) + by_user).argmax(axis=1)
        hits += int(np.count_nonzero(likely == codes[begin:end]))
    most = share.max()
    chance = Z_95 * np.sqrt(most * (1 - most) / users)
    return float((hits / users - most - chance) / (1 - most))


def _of_pages(seen: sparse.csr_array, names: Sequence[Iterable[str]]) -> ItemFamily:
    """Items of pages: a user who saw a page has all its items."""
    found = [(page, name) for page, own in enumerate(names) for name in own]
    codes, different = pd.factorize(np.array([name for _, name in found], dtype=object))
    page = np.array([page for page, _ in found], dtype=np.int64)
    has = sparse.csr_array((np.ones(len(page), np.int32), (page, codes)), (len(names), len(different)))
    return _kept(seen @ has, [str(name) for name in different], np.ones(seen.shape[0], dtype=bool))


def _of_users(made: EncodedColumn) -> ItemFamily:
    """Items of an attribute: each user has at most one value."""
    known = made.codes >= 0
    user = np.flatnonzero(known)
    shape = (len(known), len(made.values))
    has = sparse.csr_array((np.ones(len(user), np.int32), (user, made.codes[known])), shape)
    return _kept(has, made.values, known)


def _of_levels(facets: Sequence[np.ndarray]) -> ItemFamily:
    """Items of facets: each user has at most one level of a facet."""
    texts, n_users = np.concatenate(facets), len(facets[0])
    named = np.flatnonzero(texts != "")
    codes, names = pd.factorize(texts[named])
    has = sparse.csr_array((np.ones(len(named), np.int32), (named % n_users, codes)), (n_users, len(names)))
    return _kept(has, names.tolist(), np.ones(n_users, dtype=bool))


def _kept(has: sparse.csr_array, names: Sequence[str], known: np.ndarray) -> ItemFamily:
    users = np.bincount(has.indices, minlength=has.shape[1])
    order = np.argsort(-users, kind="stable")[:_MAX_ITEMS]
    order = order[users[order] >= _MIN_USERS]
    return ItemFamily(tuple(names[place] for place in order), has[:, order].astype(bool), known)
