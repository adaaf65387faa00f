"""All users of an export, a part at a time, on the model that was trained on some of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Self, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.base.progress import Progress, silent
from core.base.schema import Users
from core.base.settings import AnalyzeSettings, Device, IngestSettings
from core.data.dataset import OUTCOMES, PAGES, RECEIPT, SEQUENCES, USERS, Dataset
from core.data.page_labels import LABELS, LabelledPages, page_names
from core.data.receipt import Receipt
from core.engines.receipts import add_up
from core.ingest.ingest import transform
from core.ingest.observe.decided import Decided
from core.ingest.read.read_all import RawRead
from core.one_page.segments import OnePageSegment, OnePageSegments
from core.profiles.counts import Counts, added_up, count
from core.profiles.data import MOST_PAGES, ProfileData
from core.profiles.metrics import Profiles, of_used_rows, profile_counts, with_any_of
from core.profiles.outcomes import Happened
from core.profiles.rows import all_rows
from core.runs.export import arrow_table, users_table, vector_lists
from core.runs.frozen import FrozenModel
from core.runs.model_folder import MODEL
from core.runs.pipeline import LABEL_CACHE, RunSettings, Segments
from core.runs.publish import PROFILES
from core.runs.run import TRAINED
from core.runs.score import LABELLED, label_new_pages, place_export
from core.storage.disk import write_text_atomic

STAGE: Final = "place"
DATASET: Final = "dataset"
ARRAYS: Final = "arrays.npz"


@dataclass(frozen=True, eq=False)
class PlacedPart:
    """A part of the users in the segments.

    Args:
        dataset: Its users.
        labels: Of their pages; None where labelling is off.
        vectors: float32 of shape (n_users, d), of length 1 (or zeros).
        clusters: int32 of shape (n_users,), as :class:`core.runs.frozen.Placed` has them.
        codes: int8 of shape (n_users,), which one-page rule of the training holds; −1 for none.
    """

    dataset: Dataset
    labels: LabelledPages | None
    vectors: np.ndarray
    clusters: np.ndarray
    codes: np.ndarray

    def save(self, folder: Path) -> list[Path]:
        """Write the arrays beside the data set of ``folder``, and name all files that a reader needs."""
        arrays = {name: getattr(self, name) for name in ("vectors", "clusters", "codes")}
        np.savez(folder / ARRAYS, allow_pickle=False, **arrays)
        tables = [self.dataset.path / name for name in (USERS, PAGES, OUTCOMES, SEQUENCES, RECEIPT)]
        return [folder / ARRAYS, *tables, *([self.labels.path / LABELS] if self.labels else [])]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read what :meth:`save` left, perhaps on another machine."""
        labels = LabelledPages(folder / LABELLED, "") if (folder / LABELLED).exists() else None
        with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
            return cls(Dataset(folder / DATASET, ""), labels, **arrays)


@dataclass(frozen=True, eq=False)
class Placing:
    """What is done with a part of the users, on whatever machine.

    Args:
        decided: What was decided on all users.
        settings: How records are cleaned.
        device: Where the network runs.
    """

    decided: Decided
    settings: IngestSettings
    device: Device

    def part(
        self,
        raw: RawRead,
        frozen: FrozenModel,
        work: Path,
        label_cache: Path | None = None,
        memory: int | None = None,
    ) -> PlacedPart:
        """Clean a part as it would be in the whole, and place its users.

        Args:
            raw: Its records.
            frozen: The model.
            work: An existing, empty folder, in which the part is as long as it is there.
            label_cache: Where decisions about labels are kept; by default in ``work``.
            memory: Bytes that the database may use; by the number of records when None.

        Raises:
            NothingLeft: If no page view is left.
        """
        (out := work / DATASET).mkdir()
        transform(raw, self.settings, out, silent, work, memory=memory, decided=self.decided)
        dataset = Dataset(out, "")
        labels = label_new_pages(dataset, frozen, work, silent, label_cache or work / LABEL_CACHE)
        names = frozen.named(page_names(dataset.pages, labels))
        placed = place_export(dataset, frozen, names, silent, self.device)
        return PlacedPart(dataset, labels, placed.vectors, placed.clusters, placed.one_page.codes)


Place: TypeAlias = Callable[[Path, Placing], Iterator[PlacedPart]]
"""Does that with every part that has a page view, given the folder of the model."""


@dataclass(frozen=True, eq=False)
class Everybody:
    """All users, to be placed and counted once a model of some of them is there.

    Args:
        raw: All records, which need not be there any more.
        decided: What was decided on all of them.
        settings: Of the run.
        place: Places them, part by part.
        progress: Where to report.
    """

    raw: RawRead
    decided: Decided
    settings: RunSettings
    place: Place
    progress: Progress

    def finish(self, building: Path, made: Segments) -> dict[str, Any]:
        """Put all users in place of those of the training: their table, the profiles, the receipt.

        Args:
            building: The files of the run, its model among them.
            made: The segments of the training.

        Returns:
            What ``run.json`` says of it.

        Raises:
            Beha2VecError: If a part cannot be cleaned or placed.
        """
        trained = Receipt.model_validate_json((building / RECEIPT).read_bytes())
        counts: list[Counts] = []
        receipts, placed, of_all = [], 0, self.decided.n_users
        placing = Placing(self.decided, self.settings.ingest, self.settings.train.device)
        self.progress(STAGE, 0.0, "Placing all users")
        with pq.ParquetWriter(building / USERS, pq.read_schema(building / USERS)) as writer:
            # by map, so that a part is gone when the next one is made
            for more, receipt in map(partial(_taken, made, writer), self.place(building / MODEL, placing)):
                counts = [added_up([*counts, more])]
                receipts.append(receipt)
                placed += more.n_users
                self.progress(STAGE, placed / of_all, f"{placed:,} of {of_all:,} users placed")
        write_text_atomic(building / PROFILES, _profiles(counts[0], made).to_json())
        receipt = add_up(self.raw, self.decided, receipts, trained)
        # a new file: the one that is there shares its bytes with the store
        write_text_atomic(building / RECEIPT, receipt.model_dump_json(indent=1))
        return {"users": receipt.users, TRAINED: trained.users}


def _taken(made: Segments, writer: pq.ParquetWriter, part: PlacedPart) -> tuple[Counts, Receipt]:
    """Write the users of a part, and count them in the rows that all parts have."""
    data = ProfileData.from_dataset(part.dataset, part.labels)
    outcomes = data.outcomes.part_of(made.data.outcomes, made.profiles.chosen)
    happened, one_page = outcomes.parts(_chosen(made)), OnePageSegments(part.codes, _rules(made))
    users = _rows(part, happened, one_page, made)
    writer.write_table(users.select(writer.schema.names).cast(writer.schema))
    rows = all_rows(data, part.clusters, made.partition.ids.tolist(), one_page)
    return count(data, rows, with_any_of(happened)), part.dataset.receipt


def _rows(
    part: PlacedPart, happened: Mapping[str, Happened], one_page: OnePageSegments, made: Segments
) -> pa.Table:
    """Its users, for ``users.parquet``."""
    outcomes = _in_currencies(happened, made.outcomes)
    segments = replace(made.partition, labels=part.clusters)
    users = users_table(part.dataset.users, segments, part.vectors, made.titles, outcomes, one_page)
    return arrow_table(users).append_column(Users.EMBEDDING, vector_lists(part.vectors))


def _profiles(counts: Counts, made: Segments) -> Profiles:
    """What the users of each segment are like, of all users; the rules are those of the training."""
    counts = replace(counts, pages=counts.pages.first(MOST_PAGES))
    return of_used_rows(profile_counts(counts, made.data.outcomes, _chosen(made)))


def _chosen(made: Segments) -> AnalyzeSettings:
    """What is asked of the profiles, with the outcome of the training."""
    return made.profiles.settings.model_copy(update={"outcome": made.profiles.chosen})


def _rules(made: Segments) -> tuple[OnePageSegment, ...]:
    return made.profiles.one_page.segments if made.profiles.one_page else ()


def _in_currencies(outcomes: Mapping[str, Happened], before: Mapping[str, Happened]) -> dict[str, Happened]:
    """Outcomes with the currencies of the training, so that each part has the same columns of money.

    One that the training had not seen has no column; it is in the profiles and in the receipt.
    """
    found = {}
    for name, happened in outcomes.items():
        nothing = np.full(len(happened.user), np.nan)
        money = {currency: happened.money.get(currency, nothing) for currency in before[name].money}
        found[name] = replace(happened, money=money)
    return found
