"""What executors make of a part of the users: how many there are, a sample, where each one belongs."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.base.errors import NothingLeft
from core.base.progress import silent
from core.base.schema import OUTSIDE, Pages, Users, View
from core.base.settings import AnalyzeSettings, Device
from core.data.dataset import Dataset
from core.data.page_labels import LabelledPages
from core.engines.parts import count_ids, sample_of
from core.engines.spark.dealing import Made
from core.engines.spark.session import shipped
from core.ingest.read.read_all import RawRead
from core.profiles.outcomes import Happened, OutcomeIndex
from core.recommend.next_pages import NextPages
from core.runs.export import REVENUE, arrow_table, users_table, vector_lists
from core.runs.frozen import FrozenModel, Placed
from core.runs.score import place_raw, score_raw

IDS, SAMPLE, USERS, PAGES = "ids", "sample", "users", "pages"
"""Kinds of pieces."""


def ids_of(raw: RawRead, work: Path) -> Iterator[Made]:
    """How many ids a part has."""
    yield IDS, -1, json.dumps(count_ids(raw, work)).encode()


@dataclass(frozen=True)
class DrawnUsers:
    """Draws a share of the users, with all of their records.

    Args:
        share: Above 0, at most 1.
    """

    share: float

    def __call__(self, raw: RawRead, work: Path) -> Iterator[Made]:
        """The files of their records; where it is everybody, also of records without an id."""
        drawn = raw if self.share == 1 else sample_of(raw, work, share=self.share)
        for number, path in drawn.parts:
            yield SAMPLE, number, path.read_bytes()


@dataclass(frozen=True)
class ScoredUsers:
    """Puts users into the segments of a model, in the columns of :func:`core.runs.score.score`.

    Args:
        model: Name of the shipped folder.
        device: Where the network runs.
        n_next: Next pages a user.
    """

    model: str
    device: Device
    n_next: int = 0

    def __call__(self, raw: RawRead, work: Path) -> Iterator[Made]:
        """One table."""
        following = NextPages.load(shipped(self.model)) if self.n_next else None
        frozen = _frozen(shipped(self.model))
        table = score_raw(raw, frozen, work, silent, self.device, following, self.n_next)
        yield USERS, -1, _parquet(table)


@dataclass(frozen=True)
class RunUsers:
    """The same, in the columns of ``users.parquet`` of a run, and what they looked at.

    Args:
        model: Name of the shipped folder.
        device: Where the network runs.
        analyze: The run's outcomes, by name.
    """

    model: str
    device: Device
    analyze: AnalyzeSettings

    def __call__(self, raw: RawRead, work: Path) -> Iterator[Made]:
        """Two tables; none where no page view is left."""
        frozen = _frozen(shipped(self.model))
        try:
            dataset, placed = place_raw(raw, frozen, work, silent, self.device)
        except NothingLeft:
            return
        outcomes = outcomes_of(dataset, placed, work, self.analyze)
        yield USERS, -1, _parquet(run_users(dataset, placed, frozen, outcomes))
        yield PAGES, -1, _parquet(pages_seen(dataset, placed, frozen))


@lru_cache(maxsize=1)
def _frozen(folder: Path) -> FrozenModel:
    """A model once a process, which works on many parts; no language model is asked from an executor."""
    return FrozenModel.read(folder).asking_nobody()


def outcomes_of(
    dataset: Dataset, placed: Placed, work: Path, analyze: AnalyzeSettings
) -> dict[str, Happened]:
    """Who did each of the run's outcomes, as far as anybody of a part did.

    Args:
        dataset: The users; its pages are called as the model calls them.
        placed: Where they belong.
        work: Where the labels of their pages lie, if there are any.
        analyze: The outcomes, by name.
    """
    labels = LabelledPages(work / "labels", "") if (work / "labels").exists() else None
    pages = dataset.pages.assign(**{Pages.PAGE_LOCATION: placed.names[View.URL]})
    index = OutcomeIndex.from_tables(dataset.outcomes, pages, dataset.sequences, labels)
    here = tuple(one for one in analyze.outcome or () if one in index.events or index.pages_of(one))
    return index.parts(analyze.model_copy(update={"outcome": here}))


def run_users(
    dataset: Dataset, placed: Placed, frozen: FrozenModel, outcomes: Mapping[str, Happened]
) -> pa.Table:
    """The users of a part as a run writes them; revenue by currency, as another part may have another one."""
    one_page = placed.one_page if frozen.one_page else None
    partition = replace(frozen.partition, labels=placed.clusters)
    users = users_table(dataset.users, partition, placed.vectors, frozen.names, outcomes, one_page)
    currencies = {currency for happened in outcomes.values() for currency in happened.money}
    if REVENUE in users:
        named = {REVENUE: f"{REVENUE}: {next(iter(currencies))}"} if currencies else {}
        users = users.rename(columns=named) if named else users.drop(columns=REVENUE)
    return arrow_table(users).append_column(Users.EMBEDDING, vector_lists(placed.vectors))


_SEEN: Final = """
    SELECT cluster, page, count(*) AS views, count(DISTINCT who) AS users FROM seen
    WHERE page IS NOT NULL GROUP BY ALL
"""


def pages_seen(dataset: Dataset, placed: Placed, frozen: FrozenModel) -> pa.Table:
    """Views and users of each page a segment, of pages that the model knows: a new one may be personal."""
    sequences, names = dataset.sequences, placed.names[View.URL]
    known = pa.array([name if name in frozen.known.pages else None for name in names], pa.string())
    seen = pa.table(  # noqa: F841 - DuckDB reads it by its name
        {
            "who": sequences.user,
            "cluster": np.maximum(placed.clusters, OUTSIDE).astype(np.int32)[sequences.user],
            "page": known.take(pa.array(sequences.page)),
        }
    )
    with duckdb.connect() as engine:
        return engine.execute(_SEEN).to_arrow_table()


def _parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()
