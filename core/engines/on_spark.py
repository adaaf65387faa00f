"""Runs and scoring on a Spark cluster: executors read files and place users, the model is trained here.

Executors run the same code as one machine does, on a part of the users at a time. What has to look at all
users (the model, the segments, the report, names) is made of a sample of them: of all of them where there are
no more than :data:`SAMPLE_USERS`.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from core.base.errors import NothingLeft
from core.base.progress import Progress, SubProgress
from core.base.settings import Device
from core.data.dataset import RECEIPT, USERS, Dataset
from core.engines.parts import part_of
from core.engines.spark import placing
from core.engines.spark.dealing import DealtRecords, deal
from core.engines.spark.gathered import segment_counts, users_file
from core.engines.spark.placing import DrawnUsers, RunUsers, ScoredUsers, ids_of
from core.engines.spark.requirements import Master
from core.engines.spark.session import open_spark
from core.engines.spark.shipping import zip_folder
from core.ingest.ingest import transform
from core.ingest.read.read_all import STAGE, RawRead
from core.runs import pipeline
from core.runs.frozen import key_and_reading
from core.runs.model_folder import MODEL, write_json
from core.runs.pipeline import RunSettings, Segments
from core.runs.publish import ENGINE
from core.runs.run import TRAINED, run_from
from core.runs.score import require_writable, workplace
from core.storage.claims import claimed, claimed_file
from core.storage.disk import make_folder, write_text_atomic, written_whole
from core.storage.replace_files import finish as put_in_place
from core.storage.store import Store, content_key

SAMPLE_USERS: Final = 200_000
"""Ids that a model is trained on, by default."""


def run_on_spark(
    out: Path,
    inputs: Sequence[Path],
    settings: RunSettings,
    progress: Progress,
    master: str,
    fetch_hosts: Sequence[str] = (),
    sample_users: int = SAMPLE_USERS,
) -> dict[str, Any]:
    """Do what :func:`core.runs.run.run` does, with the users placed by a cluster.

    Args:
        out: The run's folder; made when absent.
        inputs: Files, folders or patterns, which executors see under the same names.
        settings: Every setting of the run.
        progress: Where to report.
        master: Address of a Spark master.
        fetch_hosts: Hosts that pages may be fetched from, this once.
        sample_users: Most ids that the model is trained on.

    Returns:
        What ``run.json`` holds.

    Raises:
        Beha2VecError: If something cannot be done; what an earlier run left is untouched.
    """
    address = Master.read(master)
    make_folder(out)
    with claimed(out), open_spark(address) as work:
        put_in_place(out)
        store = Store(out / "stages")
        store.sweep()
        records = deal(inputs, settings.ingest, work, SubProgress(progress, 0.0, 0.4))
        users = OnSpark(records, settings, progress, sample_users)
        dataset = users.sample(store)
        finish = None if users.is_all else users.place
        return run_from(out, store, dataset, settings, progress, {}, fetch_hosts=fetch_hosts, finish=finish)


def embed_on_spark(
    inputs: Sequence[Path],
    model: Path,
    out: Path,
    progress: Progress,
    device: Device,
    n_next: int,
    master: str,
) -> int:
    """Do what :func:`core.runs.score.score` does, on a cluster.

    Args:
        inputs: Files, folders or patterns, which executors see under the same names.
        model: The ``model`` folder of an earlier run.
        out: Parquet file to write.
        progress: Where to report.
        device: Where the network runs, on executors.
        n_next: Next pages a user; 0 for none.
        master: Address of a Spark master.

    Returns:
        The number of users written.

    Raises:
        Beha2VecError: If something cannot be done; an existing ``out`` is untouched.
    """
    address = Master.read(master)
    _, reading = key_and_reading(model)
    require_writable(out)
    with claimed_file(out), workplace(out) as place, open_spark(address) as work:
        work.ship(zip_folder(model, place / f"{MODEL}.zip"))
        records = deal(inputs, reading, work, SubProgress(progress, 0.0, 0.5))
        made = records.each(ScoredUsers(MODEL, device, n_next))
        found = place / "users"
        found.mkdir()
        for piece in records.fetch(made, progress, "embed", "Placing users"):
            (found / f"{piece.part:05d}.parquet").write_bytes(piece.data)
        return _written(found, out)


def _written(found: Path, out: Path) -> int:
    """Put all parts into ``out``, unless nobody is left, who is no result on one machine either."""
    with written_whole(out) as building:
        if users := users_file(found, building):
            return users
        raise NothingLeft(
            "No page view is left of the input", remedy="Without --engine it is told which step left none"
        )


@dataclass
class OnSpark:
    """The users of a run, whose records are on a cluster.

    Args:
        records: Of all users.
        settings: Of the run.
        progress: Where to report.
        sample_users: Most ids that the model is trained on.
        ids: All of them, with a page view or without; counted when the sample is drawn.
    """

    records: DealtRecords
    settings: RunSettings
    progress: Progress
    sample_users: int
    ids: int = 0

    @property
    def is_all(self) -> bool:
        """Whether the sample is everybody."""
        return self.ids <= self.sample_users

    def sample(self, store: Store) -> Dataset:
        """A sample of the users, cleaned here; the data set of a run without a cluster if it is all."""
        counted = self.records.fetch(self.records.each(ids_of), self.progress, STAGE, "Counting users")
        self.ids = sum(json.loads(piece.data) for piece in counted)
        share = 1.0 if self.is_all else self.sample_users / self.ids
        sources = pipeline.numbered(self.records.sources, self.records.checksums)
        dumped = self.settings.ingest.model_dump(mode="json")
        inputs = sources if self.is_all else sources | {"sample": repr(share)}
        key = content_key("preprocess", dumped, inputs)
        if store.find("preprocess", key) is None:
            with (
                store.write("preprocess", key, dumped, inputs) as folder,
                tempfile.TemporaryDirectory(dir=folder, prefix=".work.") as work,
            ):
                raw = self._drawn(share, Path(work))
                receipt = transform(raw, self.settings.ingest, folder, self.progress, Path(work))
                if not self.is_all:
                    told = receipt.model_copy(update={"narrowed": f"a sample of {share:.1%} of the users"})
                    write_text_atomic(folder / RECEIPT, told.model_dump_json(indent=1))
        return pipeline.open_dataset(store, key)

    def _drawn(self, share: float, work: Path) -> RawRead:
        """The records of a share of the users, on this disk."""
        records = self.records
        files: dict[int, list[Path]] = {}
        drawn = records.fetch(records.each(DrawnUsers(share)), self.progress, STAGE, "Drawing users")
        for place, piece in enumerate(drawn):
            path = work / f"{place:06d}.parquet"
            path.write_bytes(piece.data)
            files.setdefault(piece.file_no, []).append(path)
        raw = part_of(records.raw, dict(sorted(files.items())))
        # what could not be read belongs to the whole
        return replace(records.raw, parts=raw.parts) if self.is_all else raw

    def place(self, building: Path, made: Segments) -> dict[str, Any]:
        """All users into the segments: ``users.parquet`` anew, ``engine.json``, what ``run.json`` holds."""
        work, analyze = self.records.work, self.settings.analyze
        wanted = analyze.model_copy(update={"outcome": tuple(made.outcomes)})
        with tempfile.TemporaryDirectory(dir=building, prefix=".placed.") as place:
            tables = {kind: Path(place) / kind for kind in (placing.USERS, placing.PAGES)}
            for folder in tables.values():
                folder.mkdir()
            work.ship(zip_folder(building / MODEL, Path(place) / f"{MODEL}.zip"))
            placed = self.records.each(RunUsers(MODEL, self.settings.train.device, wanted))
            for piece in self.records.fetch(placed, self.progress, "place", "Placing all users"):
                (tables[piece.kind] / f"{piece.part:05d}.parquet").write_bytes(piece.data)
            trained = pq.read_metadata(building / USERS).num_rows
            users = users_file(tables[placing.USERS], building / USERS, like=building / USERS)
            counts = segment_counts(building / USERS, tables[placing.PAGES], analyze.top_pages)
        about = {"engine": "spark", "parts": self.records.n_parts, "users": users, TRAINED: trained}
        write_json(building / ENGINE, about | {"segments": counts})
        note = (
            f"The model, its segments and the report are of {trained:,} of {users:,} users; {USERS} and "
            f"{ENGINE} are of all"
        )
        return about | {"notes": [*made.profiles.notes, note]}
