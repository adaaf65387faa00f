"""All users of an export, a part at a time, on the model that was trained on some of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.base.progress import Progress
from core.base.schema import Users
from core.base.settings import AnalyzeSettings
from core.data.dataset import RECEIPT, USERS
from core.data.receipt import Receipt
from core.engines.placing import Place, PlacedPart, Placing, told
from core.engines.receipts import add_up
from core.ingest.observe.decided import Decided
from core.ingest.read.read_all import RawRead
from core.one_page.segments import OnePageSegment, OnePageSegments
from core.profiles.counts import Counts, added_up, count
from core.profiles.data import MOST_PAGES, ProfileData
from core.profiles.metrics import Profiles, of_used_rows, profile_counts, with_any_of
from core.profiles.outcomes import Happened
from core.profiles.rows import all_rows
from core.runs.export import arrow_table, users_table, vector_lists
from core.runs.model_folder import MODEL
from core.runs.pipeline import RunSettings, Segments
from core.runs.publish import PROFILES
from core.runs.run import SHARE, TRAINED
from core.storage.disk import write_text_atomic


@dataclass(frozen=True, eq=False)
class Everybody:
    """All users, to be placed and counted once a model of some of them is there.

    Args:
        raw: All records, which need not be there any more.
        decided: What was decided on all of them.
        settings: Of the run.
        place: Places them, part by part.
        progress: Where to report.
        share: Of the users, that the model learns from.
    """

    raw: RawRead
    decided: Decided
    settings: RunSettings
    place: Place
    progress: Progress
    share: float

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
        receipts = []
        placing = Placing(self.settings.train.device, decided=self.decided)
        parts = told(self.place(building / MODEL, placing), self.decided.n_users, self.progress)
        with pq.ParquetWriter(building / USERS, pq.read_schema(building / USERS)) as writer:
            # by map, so that a part is gone when the next one is made
            for more, receipt in map(partial(_taken, made, writer), parts):
                counts = [added_up([*counts, more])]
                receipts.append(receipt)
        write_text_atomic(building / PROFILES, _profiles(counts[0], made).to_json())
        receipt = add_up(self.raw, self.decided, receipts, trained)
        # a new file: the one that is there shares its bytes with the store
        write_text_atomic(building / RECEIPT, receipt.model_dump_json(indent=1))
        return {"users": receipt.users, TRAINED: trained.users, SHARE: self.share}


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
    return of_used_rows(profile_counts(counts.in_order(MOST_PAGES), made.data.outcomes, _chosen(made)))


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
