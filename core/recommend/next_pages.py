"""Next pages of users: the sources blended by the head, with each one's part; as a file beside a model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
import pyarrow as pa
from pydantic import TypeAdapter
from scipy import sparse

from core.base.errors import ArtifactError
from core.data.sequences import UserSequences
from core.recommend.candidates import SOURCES, Reach, Source, best, candidates
from core.recommend.head import Head
from core.recommend.page_tables import PageTables
from core.recommend.seen_pages import UNKNOWN_PAGE, SeenPages, Sparse
from core.storage.disk import disk_errors, load_arrays

FACTS: Final = "next_pages.json"
TABLES: Final = "next_pages.npz"
FORMAT: Final = 1
NEXT_COLUMNS: Final = ("next_pages", "next_scores")
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
        parts: Source → its share of the score; they add up to 1.
    """

    page: str
    score: float
    parts: Mapping[Source, float]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        parts = {source.value: share for source, share in self.parts.items()}
        return {"page": self.page, "score": self.score, "parts": parts}


@dataclass(frozen=True, eq=False)
class Suggestions:
    """Next pages of n users, at most k each.

    Args:
        pages: What each column of the tables is.
        column: int64 of shape (n, k), best first; −1 where there are fewer.
        score: float64 of shape (n, k).
        parts: float32 of shape (n, k, S), each source's share of the score, in the order of ``sources``.
        sources: Which.
    """

    pages: Sequence[str]
    column: np.ndarray
    score: np.ndarray
    parts: np.ndarray
    sources: tuple[Source, ...]

    def of(self, user: int) -> list[NextPage]:
        """Those of one user, best first."""
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
        return dict(zip(NEXT_COLUMNS, lists, strict=True))


def no_lists(n_users: int) -> dict[str, pa.Array]:
    """The columns of :meth:`Suggestions.lists`, absent for everybody."""
    types = (pa.list_(pa.string()), pa.list_(pa.float32()))
    return {name: pa.nulls(n_users, kind) for name, kind in zip(NEXT_COLUMNS, types, strict=True)}


@dataclass(frozen=True, eq=False)
class NextPages:
    """What is needed to say what a user is likely to view next.

    Args:
        tables: What was counted of earlier users.
        heads: How much each source counts.
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
        """Next pages of one user, best first; fewer than ``n`` where fewer are left.

        Args:
            pages: Canonical pages viewed so far, oldest first; those that the tables do not know are skipped.
            vector: The user's combined vector, float of shape (d,); without it nobody is near.
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
        """Next pages of all users of a data set; see :meth:`of`.

        Args:
            sequences: Their page views.
            names: Canonical page of each page index.
            vectors: float32 of shape (n_users, d), combined.
            n: How many are wanted a user.
            reach: Which pages may come.
        """
        return self.suggest(self.seen(sequences, names), vectors, n, reach)

    def seen(self, sequences: UserSequences, names: Sequence[str]) -> SeenPages:
        """What all users of a data set saw, as :meth:`suggest` takes it."""
        return SeenPages.of(sequences, self.tables.columns(names), self.tables.n_columns)

    def suggest(
        self, seen: SeenPages, vectors: np.ndarray, n: int = 10, reach: Reach = Reach.NEW
    ) -> Suggestions:
        """Next pages of users whose pages are looked up already; see :meth:`of_many`."""
        self._check(vectors)
        sources = tuple(source for source in SOURCES[reach] if self.heads[reach].weights.get(source, 0) > 0)
        made = [
            self._block(seen.some(slice(start, start + AT_ONCE)), vectors[start : start + AT_ONCE], n, reach)
            for start in range(0, max(1, len(seen)), AT_ONCE)
        ]
        column, score, parts = (np.concatenate(arrays) for arrays in zip(*made, strict=True))
        return Suggestions(self.tables.pages, column, score, parts, sources)

    def _block(
        self, seen: SeenPages, vectors: np.ndarray, n: int, reach: Reach
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        weights = self.heads[reach].weights
        found = candidates(self.tables, seen, vectors, reach)
        scores = found.scores(weights)
        place = best(found, scores, n)
        there = place >= 0
        column, score = np.full(place.shape, UNKNOWN_PAGE, dtype=np.int64), np.zeros(place.shape)
        column[there], score[there] = found.column[place[there]], scores[place[there]]
        counting = [number for number, source in enumerate(found.sources) if weights.get(source, 0) > 0]
        parts = np.zeros((*place.shape, len(counting)), dtype=np.float32)
        terms = found.given[place[there]][:, counting] * [weights[found.sources[one]] for one in counting]
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
            "format": FORMAT,
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
        """Read what :meth:`save` wrote.

        Raises:
            ArtifactError: If it is missing or damaged.
        """
        try:
            facts = json.loads((folder / FACTS).read_bytes())
            arrays = load_arrays(folder / TABLES)
            pages = tuple(map(str, facts["pages"]))
            width = {"follows": len(pages), "lagged": len(pages), "viewed": len(arrays["near"])}
            matrices = {name: _matrix(name, arrays, (width[name], len(pages))) for name in _MATRICES}
            tables = PageTables(pages, **{name: arrays[name] for name in _ARRAYS}, **matrices)
            heads = _HEADS.validate_python(facts["heads"])
            if facts["format"] != FORMAT or set(heads) != set(Reach):
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
