"""Place users in the segments of a frozen model: all at once or a part of them, on any machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Self, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.base.progress import Progress, silent
from core.base.schema import Users, View
from core.base.settings import Device
from core.ingest.ingest import transform
from core.ingest.observe.export_decisions import ExportDecisions
from core.ingest.read.read_all import RawRead
from core.people.next_pages import no_lists
from core.runs.frozen import FrozenModel
from core.runs.later_stages import FAILED_LOG, LaterStages
from core.runs.placing import LABELLED, place_dataset
from core.storage.dataset import OUTCOMES, PAGES, RECEIPT, SEQUENCES, USERS, Dataset
from core.storage.page_labels import LABELS, LabelledPages

STAGE: Final = "place"
_DATASET: Final = "dataset"
_PLACED: Final = "placed.parquet"
LABEL: Final = "label"
RULE: Final = "rule"
_FAILED: Final = b"failed"
"""Key in a table's metadata for :attr:`PlacedPart.failed`."""


@dataclass(frozen=True, eq=False)
class PlacedPart:
    """Users of an export, or a part of them, with their segments.

    Args:
        dataset: The users and their page views.
        labels: Labels of their pages; None where labelling is off.
        table: A row a user in the columns of :meth:`core.runs.placing.Placement.table`, next pages where they
            were asked for (absent if they failed), :data:`LABEL` as its ``clusters``, and :data:`RULE`, the
            index of the training's one-page rule that holds; −1 for none.
    """

    dataset: Dataset
    labels: LabelledPages | None
    table: pa.Table

    @property
    def clusters(self) -> np.ndarray:
        """Segment of each user, or why they are in none: int32 of shape (n_users,)."""
        return np.asarray(self.table[LABEL])

    @property
    def codes(self) -> np.ndarray:
        """Index of the one-page rule that holds for each user, or −1: int8 of shape (n_users,)."""
        return np.asarray(self.table[RULE])

    @property
    def vectors(self) -> np.ndarray:
        """Vectors of length 1 (or zeros): float32 of shape (n_users, d)."""
        lists = self.table[Users.EMBEDDING].combine_chunks()
        return np.asarray(lists.flatten()).reshape(len(lists), -1)

    @property
    def failed(self) -> str:
        """The traceback of the next pages, where these were asked for and failed; else empty."""
        metadata: dict[bytes, bytes] = self.table.schema.metadata or {}
        return metadata.get(_FAILED, b"").decode().strip()

    def save(self, folder: Path) -> list[Path]:
        """Write :attr:`table` to ``folder``; return all files that :meth:`read` needs.

        These are also those of the data set and the labels, which already lie there.
        """
        pq.write_table(self.table, folder / _PLACED)
        tables = [self.dataset.path / name for name in (USERS, PAGES, OUTCOMES, SEQUENCES, RECEIPT)]
        return [folder / _PLACED, *tables, *([self.labels.path / LABELS] if self.labels else [])]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read what :meth:`save` left, perhaps on another machine."""
        labels = LabelledPages(folder / LABELLED, "") if (folder / LABELLED).exists() else None
        return cls(Dataset(folder / _DATASET, ""), labels, pq.read_table(folder / _PLACED))


@dataclass(frozen=True, eq=False)
class Placing:
    """Options for placing users.

    Args:
        device: Where the network runs.
        n_next: Next pages a user; 0 for none.
        decided: Decisions made on all users, where they are placed a part at a time.
    """

    device: Device
    n_next: int = 0
    decided: ExportDecisions | None = None

    def part(
        self,
        raw: RawRead,
        frozen: FrozenModel,
        work: Path,
        progress: Progress = silent,
        label_cache: Path | None = None,
        memory: int | None = None,
    ) -> PlacedPart:
        """Clean the records of some users as if among all users, and place these in segments.

        Args:
            raw: The records.
            frozen: The model; with next pages where these are asked for.
            work: An existing folder for the data set, which the result needs.
            progress: Where to report.
            label_cache: Where decisions about labels are kept; by default in ``work``.
            memory: Bytes that the database may use; by the number of records when None.

        Raises:
            NoPageViewsLeft: If no page view is left.
        """
        (out := work / _DATASET).mkdir()
        later = LaterStages(work)
        transform(raw, frozen.settings, out, progress, work, memory=memory, decided=self.decided)
        placed = place_dataset(frozen, dataset := Dataset(out, ""), work, progress, self.device, label_cache)
        more = {LABEL: placed.clusters, RULE: placed.one_page.codes}
        if frozen.following is not None:
            seen = (placed.sequences, placed.names[View.URL], placed.vectors)
            suggested = partial(frozen.following.of_many, *seen, self.n_next)
            more |= later.attempt("next pages", lambda: suggested().lists(), no_lists(len(placed.vectors)))
        failed = {_FAILED: (work / FAILED_LOG).read_bytes()} if later.failed else None
        return PlacedPart(dataset, placed.labels, placed.table(more).replace_schema_metadata(failed))


Place: TypeAlias = Callable[[Path, Placing], Iterator[PlacedPart]]
"""Places every part that has a page view, given the folder of the model and the options."""


def report_progress(parts: Iterator[PlacedPart], n_users: int, progress: Progress) -> Iterator[PlacedPart]:
    """Pass on parts as they come, and report how many of the users are placed."""
    progress(STAGE, 0.0, "Placing all users")
    placed = 0
    for part in parts:
        placed += part.table.num_rows
        yield part
        del part  # is gone when the next one is made
        progress(STAGE, placed / n_users, f"{placed:,} of {n_users:,} users placed")
