"""Next pages of users and segments, with the part of each source, as files beside a model, and in words.

A user's next pages are the best candidates of the blended sources. A segment's are the pages that would be
suggested to most of its users, compared with the other segments' users. In words: which sources suggest a
page, and how often suggestions are right.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
import pandas as pd
import pyarrow as pa
from pydantic import TypeAdapter
from scipy import sparse

from core.base.errors import ArtifactError
from core.base.wording import common_origin, percent, pluralise, short_address
from core.people.next_page_candidates import (
    MIN_JUDGED,
    SOURCES,
    Head,
    Measured,
    Reach,
    Source,
    candidates,
    top_candidates,
)
from core.people.next_page_tables import UNKNOWN_PAGE, PageTables, SeenPages, Sparse
from core.profiles.differences import Diff
from core.profiles.profile_columns import Col
from core.profiles.two_shares import difference_interval, wilson
from core.storage.disk import disk_errors, load_arrays
from core.storage.sequences import UserSequences

FACTS: Final = "next_pages.json"
TABLES: Final = "next_pages.npz"
_FORMAT: Final = 1
_NEXT_COLUMNS: Final = ("next_pages", "next_scores")
AT_ONCE: Final = 2_000
"""Users worked on at a time, so that memory does not grow with their number."""
_HEADS: Final = TypeAdapter(dict[Reach, Head])
_MATRICES: Final = ("follows", "lagged", "viewed")
_ARRAYS: Final = ("allowed", "popular", "near")


@dataclass(frozen=True)
class NextPage:
    """A page that a user is likely to view next.

    Args:
        page: Canonical page.
        score: Its probability among the pages that may come, 0 to 1.
        parts: Source → its fraction of the score; they add up to 1.
    """

    page: str
    score: float
    parts: Mapping[Source, float]

    def to_dict(self) -> dict[str, Any]:
        """Page, score and parts of the sources, as plain data."""
        parts = {source.value: share for source, share in self.parts.items()}
        return {"page": self.page, "score": self.score, "parts": parts}


@dataclass(frozen=True, eq=False)
class Suggestions:
    """Next pages of n users, at most k a user.

    Args:
        pages: Canonical page of each column of the tables.
        column: int64 of shape (n, k), columns of the pages, best first; −1 where there are fewer.
        score: float64 of shape (n, k), probability of each page.
        parts: float32 of shape (n, k, S), each source's fraction of the score, in the order of ``sources``.
        sources: The sources with a weight.
    """

    pages: Sequence[str]
    column: np.ndarray
    score: np.ndarray
    parts: np.ndarray
    sources: tuple[Source, ...]

    def of(self, user: int) -> list[NextPage]:
        """Next pages of a single user, best first."""
        return [
            NextPage(
                self.pages[column], float(score), dict(zip(self.sources, map(float, parts), strict=True))
            )
            for column, score, parts in zip(
                self.column[user], self.score[user], self.parts[user], strict=True
            )
            if column != UNKNOWN_PAGE
        ]

    def lists(self) -> dict[str, pa.Array]:
        """Columns of a file, a row a user: ``next_pages``, the best first, and their ``next_scores``."""
        there = self.column != UNKNOWN_PAGE
        ends = np.concatenate([[0], np.cumsum(there.sum(axis=1))]).astype(np.int32)
        pages = pa.array(self.pages, pa.string()).take(pa.array(self.column[there]))
        scores = pa.array(self.score[there].astype(np.float32))
        lists = (pa.ListArray.from_arrays(ends, values) for values in (pages, scores))
        return dict(zip(_NEXT_COLUMNS, lists, strict=True))


def no_lists(n_users: int) -> dict[str, pa.Array]:
    """The columns of :meth:`Suggestions.lists`, absent for everybody."""
    types = (pa.list_(pa.string()), pa.list_(pa.float32()))
    return {name: pa.nulls(n_users, kind) for name, kind in zip(_NEXT_COLUMNS, types, strict=True)}


@dataclass(frozen=True, eq=False)
class NextPages:
    """Tables and weights by which next pages of any user are suggested.

    Args:
        tables: Counts of earlier users.
        heads: Reach → weights of the sources.
    """

    tables: PageTables
    heads: Mapping[Reach, Head]

    def of(
        self,
        pages: Sequence[str],
        vector: np.ndarray | None = None,
        n: int = 10,
        reach: Reach = Reach.NEW,
    ) -> list[NextPage]:
        """Suggest next pages of a single user, best first; fewer than ``n`` where fewer are left.

        Args:
            pages: Canonical pages viewed so far, oldest first; those that the tables do not know are skipped.
            vector: The user's combined vector, float of shape (d,); without it there are no neighbours.
            n: How many are wanted.
            reach: Which pages may come.

        Raises:
            ArtifactError: If the vector is of another model.
        """
        column = self.tables.columns(pages)
        column = column[column != UNKNOWN_PAGE]
        seen = SeenPages(np.array([0, len(column)]), column, self.tables.n_columns)
        width = self.tables.near.shape[1]
        known = np.zeros(width) if vector is None else np.asarray(vector)
        return self.suggest(seen, known[None], n, reach).of(0)

    def of_many(
        self,
        sequences: UserSequences,
        names: Sequence[str],
        vectors: np.ndarray,
        n: int = 10,
        reach: Reach = Reach.NEW,
    ) -> Suggestions:
        """Suggest next pages of all users of a data set; see :meth:`of`.

        Args:
            sequences: Page views of the users.
            names: Canonical page of each page index.
            vectors: float32 of shape (n_users, d), combined.
            n: How many are wanted a user.
            reach: Which pages may come.
        """
        return self.suggest(self.seen(sequences, names), vectors, n, reach)

    def seen(self, sequences: UserSequences, names: Sequence[str]) -> SeenPages:
        """Look up the pages that all users of a data set saw, for :meth:`suggest`.

        Args:
            sequences: Page views of the users.
            names: Canonical page of each page index; views of pages that the tables do not know are left out.
        """
        return SeenPages.of(sequences, self.tables.columns(names), self.tables.n_columns)

    def suggest(
        self, seen: SeenPages, vectors: np.ndarray, n: int = 10, reach: Reach = Reach.NEW
    ) -> Suggestions:
        """Suggest next pages of users whose pages are looked up already; see :meth:`of_many`."""
        self._check(vectors)
        sources = tuple(source for source in SOURCES[reach] if self.heads[reach].weights.get(source, 0) > 0)
        blocks = [
            self._block(seen.some(slice(start, start + AT_ONCE)), vectors[start : start + AT_ONCE], n, reach)
            for start in range(0, max(1, len(seen)), AT_ONCE)
        ]
        column, score, parts = (np.concatenate(arrays) for arrays in zip(*blocks, strict=True))
        return Suggestions(self.tables.pages, column, score, parts, sources)

    def _block(
        self, seen: SeenPages, vectors: np.ndarray, n: int, reach: Reach
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        weights = self.heads[reach].weights
        listed = candidates(self.tables, seen, vectors, reach)
        scores = listed.scores(weights)
        place = top_candidates(listed, scores, n)
        there = place >= 0
        column, score = np.full(place.shape, UNKNOWN_PAGE, dtype=np.int64), np.zeros(place.shape)
        column[there], score[there] = listed.column[place[there]], scores[place[there]]
        counting = [number for number, source in enumerate(listed.sources) if weights.get(source, 0) > 0]
        parts = np.zeros((*place.shape, len(counting)), dtype=np.float32)
        terms = listed.given[place[there]][:, counting] * [weights[listed.sources[one]] for one in counting]
        parts[there] = terms / terms.sum(axis=1, keepdims=True)
        return column, score, parts

    def _check(self, vectors: np.ndarray) -> None:
        width, given = self.tables.near.shape[1], vectors.shape[1]
        if width != given:
            raise ArtifactError(
                f"A vector has {given} numbers, and those beside the model have {width}",
                remedy="Embed with the model that the next pages were made with",
            )

    @staticmethod
    def is_in(folder: Traversable) -> bool:
        """Whether a model folder has next pages; those of earlier releases have none."""
        return (folder / FACTS).is_file()

    def save(self, folder: Path) -> None:
        """Write ``next_pages.json`` and ``next_pages.npz`` into a folder.

        Raises:
            ResourceError: If the disk is full.
        """
        facts = {
            "format": _FORMAT,
            "pages": list(self.tables.pages),
            "heads": _HEADS.dump_python(dict(self.heads), mode="json"),
        }
        arrays = {name: getattr(self.tables, name) for name in _ARRAYS}
        for name in _MATRICES:
            arrays |= _flat(name, getattr(self.tables, name))
        with disk_errors():
            np.savez_compressed(folder / TABLES, allow_pickle=False, **arrays)
            text = json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False)
            (folder / FACTS).write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Traversable) -> NextPages:
        """Read next pages that :meth:`save` wrote.

        Raises:
            ArtifactError: If a file is missing or damaged.
        """
        try:
            facts = json.loads((folder / FACTS).read_bytes())
            arrays = load_arrays(folder / TABLES)
            pages = tuple(map(str, facts["pages"]))
            width = {"follows": len(pages), "lagged": len(pages), "viewed": len(arrays["near"])}
            matrices = {name: _matrix(name, arrays, (width[name], len(pages))) for name in _MATRICES}
            tables = PageTables(pages, **{name: arrays[name] for name in _ARRAYS}, **matrices)
            heads = _HEADS.validate_python(facts["heads"])
            if facts["format"] != _FORMAT or set(heads) != set(Reach):
                raise ValueError("of another release")
            return cls(tables, heads)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, BadZipFile) as error:
            raise ArtifactError(
                f"{folder} holds no next pages ({error.__class__.__name__})",
                allowed="OUT/model of a run of this release", remedy="Run it again",
            ) from error  # fmt: skip


def _flat(name: str, matrix: Sparse) -> dict[str, np.ndarray]:
    return {
        f"{name}_data": matrix.data.astype(np.float32),
        f"{name}_indices": matrix.indices.astype(np.int32),
        f"{name}_indptr": matrix.indptr.astype(np.int64),
    }


def _matrix(name: str, arrays: Mapping[str, np.ndarray], shape: tuple[int, int]) -> Sparse:
    parts = (arrays[f"{name}_{part}"] for part in ("data", "indices", "indptr"))
    matrix = sparse.csr_array(tuple(parts), shape=shape)
    matrix.check_format(full_check=True)
    return matrix


_MAX_ASKED: Final = 20_000
"""Most clustered users that pages are suggested to, drawn at random where there are more."""
FIRST: Final = 3
"""Suggestions to a user that count: later ones are popular pages that everybody gets."""
LISTED: Final = 10
"""Most pages of each segment in the table."""
_SEED: Final = 0
_COLUMNS: Final = (
    Col.SEGMENT, Col.PAGE_LOCATION, Col.USERS, Col.N, Col.SHARE, Col.LOW, Col.HIGH,
    Col.REST_USERS, Col.REST_N, Col.REST_SHARE, Diff.DIFFERS, *(source.value for source in Source),
)  # fmt: skip


def next_pages_of_segments(
    model: NextPages, seen: SeenPages, vectors: np.ndarray, labels: np.ndarray
) -> pd.DataFrame:
    """Table with a row a segment and next page, first the page suggested to most of its users.

    Args:
        model: Tables and weights of next pages.
        seen: Pages that all users saw.
        vectors: float32 of shape (n_users, d), combined.
        labels: int32 of shape (n_users,), the segment of each user; below 0 for those in none.

    Returns:
        Columns :data:`_COLUMNS`: of ``n`` users drawn in the segment, ``users`` have the page among their
        first three suggestions, a ``share`` with its Wilson interval (``low``, ``high``); the same of the
        other segments' users; ``differs`` where the interval of the difference leaves out 0, a description,
        as the model read these pages. Last, each source's fraction of the scores: they add up to 1.
    """
    inside = np.flatnonzero(labels >= 0)
    sampled = np.sort(np.random.default_rng(_SEED).permutation(inside)[:_MAX_ASKED])
    ids, place = np.unique(labels[sampled], return_inverse=True)
    suggested = model.suggest(seen.some(sampled), vectors[sampled], FIRST)
    n_columns = len(suggested.pages)
    code = (place[:, None] * n_columns + suggested.column)[suggested.column != UNKNOWN_PAGE]
    users = np.bincount(code, minlength=len(ids) * n_columns).reshape(len(ids), n_columns)
    score = _summed(code, suggested.score[suggested.column != UNKNOWN_PAGE], users.shape)
    order = np.lexsort((-score, -users), axis=1)[:, :LISTED]
    row, column = np.repeat(np.arange(len(ids)), order.shape[1]), order.ravel()
    row, column = row[(shown := users[row, column] > 0)], column[shown]
    counted = _shares(users, np.bincount(place, minlength=len(ids)), row, column)
    table = pd.DataFrame({
        Col.SEGMENT: ids[row], Col.PAGE_LOCATION: [suggested.pages[one] for one in column.tolist()],
        **counted, **_parts(suggested, code, row * n_columns + column),
    })  # fmt: skip
    return table[list(_COLUMNS)]


def _shares(users: np.ndarray, n: np.ndarray, row: np.ndarray, column: np.ndarray) -> dict[str, np.ndarray]:
    here, rest = users[row, column], users.sum(axis=0)[column] - users[row, column]
    n, rest_n = n[row], n.sum() - n[row]
    low, high = wilson(here, n)
    least, most = difference_interval(here, n, rest, rest_n)
    return {
        Col.USERS: here, Col.N: n, Col.SHARE: here / n, Col.LOW: low, Col.HIGH: high, Col.REST_USERS: rest,
        Col.REST_N: rest_n, Col.REST_SHARE: rest / np.where(rest_n > 0, rest_n, np.nan),
        Diff.DIFFERS: (least > 0) | (most < 0),
    }  # fmt: skip


def _parts(suggested: Suggestions, code: np.ndarray, wanted: np.ndarray) -> dict[str, np.ndarray]:
    """Each source's part in the scores of a segment and page; 0 for a source without weight."""
    there = suggested.column != UNKNOWN_PAGE
    size = (int(code.max(initial=0)) + 1,)
    whole = _summed(code, suggested.score[there], size)
    parts = {source.value: np.zeros(len(wanted)) for source in Source}
    for number, source in enumerate(suggested.sources):
        part = _summed(code, (suggested.score * suggested.parts[..., number])[there], size)
        parts[source.value] = part[wanted] / whole[wanted]
    return parts


def _summed(code: np.ndarray, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return np.bincount(code, values, minlength=int(np.prod(shape))).reshape(shape)


CALLED: Final = {
    Source.BIGRAM: "followed the last page",
    Source.LAG: "followed within five views",
    Source.NEIGHBOURS: "viewed by similar users",
    Source.HISTORY: "viewed before",
    Source.POPULARITY: "popular",
}
"""Reason that each source gives for a page, in words."""
_SAID_FROM: Final = 0.1
"""Share of a score from which on a source is named."""
_HEARD: Final = "What next, with the share of users who have the page among their first three suggestions"
_TOLD: Final = 3
"""Most pages of a segment in its sentence."""
NO_PAGE: Final = "No page is left to suggest: what these users have not seen is functional, or too rare."


def why(parts: Mapping[Source, float]) -> str:
    """Name the sources of a tenth of a score or more: ``followed the last page 62 %, viewed before 30 %``."""
    named = sorted((source for source in parts if parts[source] >= _SAID_FROM), key=lambda one: -parts[one])
    return ", ".join(f"{CALLED[source]} {percent(parts[source], 0)}" for source in named)


def hit_rate_sentence(head: Head, reach: Reach) -> str:
    """Say how often the next page is among ten suggestions, by the blend and by the plain way."""
    page = "next new page" if reach is Reach.NEW else "next page"
    before = "" if reach is Reach.NEW else ", was viewed before"
    plain = f"what follows the last page{before} or is popular"
    if head.judged is None:
        return (
            f"Fewer than {MIN_JUDGED} users were kept out of the training, too few to weigh the sources: "
            f"suggested is {plain}, with fixed weights."
        )
    judged = head.judged
    sentence = (
        f"For {pluralise(judged.users, 'user')} that nothing was learned from, the {page} is among ten "
        f"suggestions {in_percent(judged.hits if head.blended else judged.plain)} of the time"
    )
    if not head.blended:
        return f"{sentence}. Other sources find no more, so suggested is {plain}."
    return f"{sentence}; by {plain} {in_percent(judged.plain)}, a difference of {in_points(judged.gain)}."


def segments_in_words(table: pd.DataFrame) -> dict[int, str]:
    """Segment → sentence with its first three next pages; a segment without any is left out.

    Args:
        table: From :func:`next_pages_of_segments`.
    """
    origin = common_origin(table[Col.PAGE_LOCATION].tolist())
    first = table.groupby(Col.SEGMENT, sort=False).head(_TOLD)
    lines: dict[int, list[str]] = {}
    for segment, page, share, others in zip(
        *(first[name].tolist() for name in (Col.SEGMENT, Col.PAGE_LOCATION, Col.SHARE, Col.REST_SHARE)),
        strict=True,
    ):
        beside = "" if math.isnan(others) else f", others {percent(others, 0)}"
        lines.setdefault(segment, []).append(f"{short_address(page, origin)} ({percent(share, 0)}{beside})")
    return {segment: f"{_HEARD}: {', '.join(pages)}." for segment, pages in lines.items()}


def in_percent(figure: Measured) -> str:
    """Write a share with its interval, in percent."""
    return f"{percent(figure.value, 0)} ({percent(figure.low, 0)} to {percent(figure.high, 0)})"


def in_points(figure: Measured) -> str:
    """Write a difference of shares with its interval, in percentage points."""
    value, low, high = (f"{100 * end:+.1f}" for end in (figure.value, figure.low, figure.high))
    return f"{value} points ({low} to {high})"
