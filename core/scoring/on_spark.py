"""Runs and scoring on a Spark cluster: executors read files and place users, the model is trained here.

Executors run the same code as one machine does, on a part of the users at a time; what is done with all of
them (decisions, the sample, training, counting) is done here, as in a run in a bound of memory.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from core.base.errors import SettingsError
from core.base.progress import Progress, SubProgress
from core.base.settings import IngestSettings
from core.runs import pipeline
from core.runs.frozen import key_and_reading
from core.runs.model_folder import MODEL
from core.runs.pipeline import RunSettings
from core.scoring.bounded_run import ExportRecords, embed_by_part, require_writable, run_by_part
from core.scoring.bounds import Bounds
from core.scoring.placing import STAGE, Place, PlacedPart, Placing
from core.scoring.sampled import DECISIONS, RECORDS
from core.scoring.spark.distribute import DealtRecords, copied, deal
from core.scoring.spark.placing import PLACED, PlacementStep
from core.scoring.spark.requirements import Master
from core.scoring.spark.session import SparkWork, open_spark, zip_folder
from core.storage.disk import make_folder
from core.storage.locks import claim_file, claim_folder
from core.storage.store import Store


def run_on_spark(
    out: Path,
    inputs: Sequence[Path],
    settings: RunSettings,
    progress: Progress,
    master: str,
    bounds: Bounds,
    from_stage: str | None = None,
    fetch_hosts: Sequence[str] = (),
) -> dict[str, Any]:
    """Run as :func:`~core.scoring.bounded_run.run_bounded`; a cluster reads the files and places the users.

    Args:
        out: The run's folder; made when absent.
        inputs: Files, folders or patterns, which executors see under the same names.
        settings: Every setting of the run.
        progress: Where to report.
        master: Address of a Spark master.
        bounds: Memory of this machine, and how many users to train on.
        from_stage: As :func:`core.runs.run.run` takes it.
        fetch_hosts: Hosts that pages may be fetched from, this once.

    Returns:
        What ``run.json`` holds.

    Raises:
        Beha2VecError: If something cannot be done; what an earlier run left is untouched.
    """
    address = Master.read(master)
    _refuse_logins(settings.ingest)
    make_folder(out)
    with claim_folder(out), open_spark(address) as spark:
        read = partial(_records_there, inputs=inputs, progress=progress, bounds=bounds, spark=spark)
        return run_by_part(out, settings, progress, bounds, from_stage, fetch_hosts, read)


def _refuse_logins(settings: IngestSettings) -> None:
    """Check that cookies are not to be joined, as those of a user lie on several executors.

    Raises:
        SettingsError: If they are.
    """
    if settings.join_logins:
        raise SettingsError(
            "Spark does not join the cookies of signed-in users",
            remedy="Leave out --join-logins, or --engine spark: --memory does it on this machine",
        )


def _records_there(
    _: Store | None,
    work: Path,
    settings: IngestSettings,
    inputs: Sequence[Path],
    progress: Progress,
    bounds: Bounds,
    spark: SparkWork,
) -> ExportRecords:
    """Read all records on executors, which keep them by part of the users; copy all of them here."""
    dealt = deal(inputs, settings, spark, SubProgress(progress, 0.0, 0.4))
    (here := work / RECORDS).mkdir()
    raw, sizes = copied(dealt, here, SubProgress(progress, 0.4, 0.5))

    def place() -> Place:
        bounds.require_even(sizes.values())
        return partial(_placed_there, dealt, work, progress)

    return ExportRecords(raw, pipeline.numbered(dealt.sources, dealt.checksums), len(sizes), place)


def _placed_there(
    dealt: DealtRecords, work: Path, progress: Progress, model: Path, placing: Placing
) -> Iterator[PlacedPart]:
    """Have executors place all parts, and read the results one after the other."""
    (place := work / PLACED).mkdir()
    dealt.work.ship(zip_folder(model, place / f"{MODEL}.zip"))
    dealt.work.ship(zip_folder(work / DECISIONS, place / f"{DECISIONS}.zip"))
    made = dealt.each(PlacementStep(MODEL, DECISIONS, placing))
    before_counted = SubProgress(progress, 0.0, 0.9)  # the stage is done when what comes back is counted
    for piece in dealt.fetch(made, before_counted, STAGE, "Placing all users"):
        with tempfile.TemporaryDirectory(dir=place) as part:
            zipfile.ZipFile(io.BytesIO(piece.data)).extractall(part)
            yield PlacedPart.read(Path(part))


def embed_on_spark(
    inputs: Sequence[Path],
    model: Path,
    out: Path,
    progress: Progress,
    placing: Placing,
    bounds: Bounds,
    master: str,
) -> int:
    """Embed users as :func:`core.scoring.bounded_run.embed_bounded` does, on a cluster.

    Args:
        inputs: Files, folders or patterns, which executors see under the same names.
        model: The ``model`` folder of an earlier run.
        out: Parquet file to write.
        progress: Where to report.
        placing: Device (of the executors), and next pages to suggest.
        bounds: Memory of this machine.
        master: Address of a Spark master.

    Returns:
        The number of users written.

    Raises:
        Beha2VecError: If something cannot be done; an existing ``out`` is untouched.
    """
    address = Master.read(master)
    _refuse_logins(key_and_reading(model)[1])  # before a cluster is asked for anything
    require_writable(out)
    with claim_file(out), open_spark(address) as spark:
        read = partial(_records_there, inputs=inputs, progress=progress, bounds=bounds, spark=spark)
        return embed_by_part(model, out, progress, placing, bounds, read)
