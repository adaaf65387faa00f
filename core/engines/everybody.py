"""All users of an export, a part at a time, on the model that was trained on some of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.base.errors import NothingLeft
from core.base.progress import Progress, silent
from core.base.schema import Users
from core.data.dataset import RECEIPT, USERS, Dataset
from core.data.page_labels import page_names
from core.data.receipt import Receipt
from core.engines.receipts import add_up
from core.ingest.ingest import transform
from core.ingest.observe.decided import Decided
from core.ingest.read.read_all import RawRead
from core.one_page.segments import OnePageSegments
from core.profiles.data import ProfileData
from core.profiles.joined import JoinedUsers
from core.profiles.metrics import Profiles, profile
from core.profiles.outcomes import Happened
from core.runs.export import arrow_table, users_table, vector_lists
from core.runs.frozen import FrozenModel, Placed
from core.runs.model_folder import MODEL
from core.runs.pipeline import RunSettings, Segments
from core.runs.publish import PROFILES
from core.runs.run import TRAINED
from core.runs.score import label_new_pages, place_export
from core.storage.disk import write_text_atomic

STAGE: Final = "place"


@dataclass(frozen=True, eq=False)
class PlacedPart:
    """A part of the users in the segments.

    Args:
        receipt: Of its records.
        data: What profiles are counted from.
        placed: Where its users belong.
        rows: Of its users, for ``users.parquet``.
    """

    receipt: Receipt
    data: ProfileData
    placed: Placed
    rows: pa.Table


@dataclass(frozen=True, eq=False)
class Everybody:
    """All users, to be placed and counted once a model of some of them is there.

    Args:
        raw: All records, which need not be there any more.
        parts: The same by user; removed as they are done.
        decided: What was decided on all of them.
        settings: Of the run.
        work: An existing folder.
        label_cache: Where decisions about labels are kept.
        memory: Bytes that the database may use.
        progress: Where to report.
    """

    raw: RawRead
    parts: Sequence[RawRead]
    decided: Decided
    settings: RunSettings
    work: Path
    label_cache: Path
    memory: int
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
        users, receipts = JoinedUsers(made.data.outcomes, made.profiles.chosen), []
        clusters, codes = [], []
        schema = pq.read_schema(building / USERS)
        with pq.ParquetWriter(building / USERS, schema) as writer:
            for part in self._each(FrozenModel.read(building / MODEL).asking_nobody(), made):
                writer.write_table(part.rows.select(schema.names).cast(schema))
                users.add(part.data)
                receipts.append(part.receipt)
                clusters.append(part.placed.clusters)
                codes.append(part.placed.one_page.codes)
        profiles = _profiles(users.data(), made, np.concatenate(clusters), np.concatenate(codes))
        write_text_atomic(building / PROFILES, profiles.to_json())
        receipt = add_up(self.raw, self.decided, receipts, trained)
        # a new file: the one that is there shares its bytes with the store
        write_text_atomic(building / RECEIPT, receipt.model_dump_json(indent=1))
        self.progress(STAGE, 1.0, f"{receipt.users:,} users")
        return {"users": receipt.users, TRAINED: trained.users}

    def _each(self, frozen: FrozenModel, made: Segments) -> Iterator[PlacedPart]:
        """The parts that have a page view, one after another."""
        for number, part in enumerate(self.parts):
            told = f"Placing users, part {number + 1} of {len(self.parts)}"
            self.progress(STAGE, number / len(self.parts), told)
            work = self.work / f"part{number}"
            work.mkdir()
            with suppress(NothingLeft):  # users without a page view are in no segment, as in any run
                yield self._place(part, frozen, made, work)
            shutil.rmtree(work)
            for _, path in part.parts:
                path.unlink()

    def _place(self, part: RawRead, frozen: FrozenModel, made: Segments, work: Path) -> PlacedPart:
        out = work / "dataset"
        out.mkdir()
        settings, device = self.settings.ingest, self.settings.train.device
        receipt = transform(part, settings, out, silent, work, memory=self.memory, decided=self.decided)
        dataset = Dataset(out, "")
        labels = label_new_pages(dataset, frozen, work, silent, self.label_cache)
        names = frozen.named(page_names(dataset.pages, labels))
        placed = place_export(dataset, frozen, names, silent, device)
        data = ProfileData.from_dataset(dataset, labels)
        chosen = self.settings.analyze.model_copy(update={"outcome": made.profiles.chosen})
        happened = data.outcomes.part_of(made.data.outcomes, made.profiles.chosen).parts(chosen)
        outcomes = _in_currencies(happened, made.outcomes)
        segments = replace(frozen.partition, labels=placed.clusters)
        rows = arrow_table(
            users_table(dataset.users, segments, placed.vectors, made.titles, outcomes, placed.one_page)
        )
        rows = rows.append_column(Users.EMBEDDING, vector_lists(placed.vectors))
        return PlacedPart(receipt, data, placed, rows)


def _profiles(data: ProfileData, made: Segments, clusters: np.ndarray, codes: np.ndarray) -> Profiles:
    """What the users of each segment are like, of all users; the rules are those of the training."""
    rules = made.profiles.one_page.segments if made.profiles.one_page else ()
    sizes = np.bincount(codes[codes >= 0], minlength=len(rules)).tolist()
    counted = (rule.model_copy(update={"users": users}) for rule, users in zip(rules, sizes, strict=True))
    chosen = made.profiles.settings.model_copy(update={"outcome": made.profiles.chosen})
    return profile(data, clusters, chosen, OnePageSegments(codes, tuple(counted)))


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
