"""A data set that fits into a bound of memory: of all users, or of a sample of them where all do not fit."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from core.base.controls import control
from core.base.errors import IN_A_BOUND, SettingsError
from core.base.progress import Progress, SubProgress
from core.base.settings import IngestSettings
from core.base.wording import counted
from core.data.dataset import RECEIPT, Dataset
from core.engines import parts
from core.engines.bounds import MEMORY, Bounds
from core.engines.receipts import of_sample
from core.ingest.decisions import decide
from core.ingest.ingest import transform
from core.ingest.observe.decided import Decided
from core.ingest.read.kept_reads import KeptReads
from core.ingest.read.read_all import RawRead, read_all
from core.ingest.sources.input_files import resolve_inputs
from core.runs import pipeline
from core.runs.pipeline import STAGES
from core.storage.disk import write_text_atomic
from core.storage.store import Store

SAMPLE: Final = "sample"
RECORDS: Final = "records"
DECISIONS: Final = "decisions"
SEED: Final = 0
ONLY_SOME: Final = (
    "This is {narrowed}: all do not fit into the memory that reading may take here. For all of them "
    f"start the app with {MEMORY}=16GB, say, or run {IN_A_BOUND}, which learns from such a sample and "
    "puts all users into its segments"
)


class Sample(NamedTuple):
    """What is known of all users where a data set is of some.

    Args:
        raw: What the readers left of all.
        decided: What was decided on all.
        told: For the receipt: what there is of all users, ``{narrowed}`` standing for how many these are.
    """

    raw: RawRead
    decided: Decided
    told: str


def prepare(
    store: Store, inputs: Sequence[Path], settings: IngestSettings, progress: Progress, bounds: Bounds
) -> Dataset:
    """Do what :func:`core.runs.pipeline.preprocess` does, of a sample of the users where all do not fit.

    Whatever is decided on all users (pages, personal places, the clock) is decided on all.

    Raises:
        InputError: If a file or a column cannot be used, or a file changed meanwhile.
        ResourceError: If disk or memory run out.
        SettingsError: If nobody is in the sample.
    """
    if bounds.surely_holds(inputs):
        return pipeline.preprocess(store, inputs, settings, progress)
    sources = resolve_inputs(inputs)
    checksums = pipeline.checksums(sources)
    found = pipeline.known_dataset(
        store, pipeline.dataset_key(settings, pipeline.numbered(sources, checksums))
    )
    if found is not None:
        return found
    with store.working(STAGES[0]) as work:
        before = SubProgress(progress, 0.0, 0.5)
        raw, files = read_here(store, inputs, settings, work, before, checksums)
        some, files = drawn(raw, files, share_drawn(raw, bounds, work), bounds, SEED, work)
        rest = SubProgress(progress, 0.7, 1.0)
        if some is None:
            return dataset_of(store, raw, settings, files, work, rest, bounds)
        found = pipeline.known_dataset(store, pipeline.dataset_key(settings, files))
        if found is not None:
            return found
        decided = decided_on(raw, settings, work, SubProgress(progress, 0.5, 0.7), bounds)
        sample = Sample(raw, decided, ONLY_SOME)
        return dataset_of(store, some, settings, files, work, rest, bounds, sample)


def read_here(
    store: Store | None,
    inputs: Sequence[Path],
    settings: IngestSettings,
    work: Path,
    progress: Progress,
    checksums: Mapping[Path, str] | None = None,
) -> tuple[RawRead, dict[str, str]]:
    """Read files into the folder :data:`RECORDS`: the records, and what their files are by content.

    Each file's reading stays in the store, where there is one. ``checksums`` are those of the files, where
    they are known.
    """
    sources = resolve_inputs(inputs)
    checksums = checksums or pipeline.checksums(sources)
    kept = KeptReads(store, settings, checksums) if store else None
    raw = read_all(inputs, settings, work / RECORDS, progress, kept)
    return raw, pipeline.numbered(sources, checksums)


def share_drawn(raw: RawRead, bounds: Bounds, work: Path) -> float | None:
    """The share of the users to learn from; None where these are all, and fit at once.

    Raises:
        SettingsError: If their records do not fit.
    """
    share = bounds.share or bounds.sample_share(raw.rows)
    if bounds.sample_users is not None:
        share = min(1.0, bounds.sample_users / max(1, parts.count_ids(raw, work, bounds.database)))
    if share * raw.rows > bounds.at_once:
        who = counted(bounds.sample_users, "user") if bounds.sample_users else f"{share:.1%} of the users"
        raise SettingsError(
            f"A sample of {who} has about {int(share * raw.rows):,} records, and {bounds.at_once:,} fit "
            "into the memory",
            remedy="Draw fewer users, or allow more memory",
        )
    return None if share >= 1 else share


def drawn(
    raw: RawRead, files: dict[str, str], share: float | None, bounds: Bounds, seed: int, work: Path
) -> tuple[RawRead | None, dict[str, str]]:
    """The users to learn from, None where these are all; and what they are by content.

    Raises:
        SettingsError: If nobody is drawn.
    """
    if share is None:
        return None, files
    some = parts.sample_of(raw, work / SAMPLE, share=share, seed=seed, memory=bounds.database)
    if not some.rows:
        remedy = f"Allow more memory or draw more users: {control('memory')}"
        raise SettingsError("Nobody is in the sample of the users", remedy=remedy)
    return some, files | {SAMPLE: f"{sum(file.read for file in some.files)} records, seed {seed}"}


def decided_on(
    raw: RawRead, settings: IngestSettings, work: Path, progress: Progress, bounds: Bounds
) -> Decided:
    """Decide on all users; their records go then, which were dealt out or are not needed."""
    (decisions := work / DECISIONS).mkdir()
    decided = decide(raw, settings, decisions, progress, bounds.database)
    shutil.rmtree(work / RECORDS)
    return decided


def dataset_of(
    store: Store,
    raw: RawRead,
    settings: IngestSettings,
    inputs: dict[str, str],
    work: Path,
    progress: Progress,
    bounds: Bounds,
    sample: Sample | None = None,
    *,
    again: bool = False,
) -> Dataset:
    """What the model is trained on, in the store; all users under the key that any run gives them."""
    decided = sample.decided if sample else None
    dumped, key = settings.model_dump(mode="json"), pipeline.dataset_key(settings, inputs)
    if again or pipeline.known_dataset(store, key) is None:
        with store.write(STAGES[0], key, dumped, inputs) as folder:
            receipt = transform(
                raw, settings, folder, progress, work, memory=bounds.database, decided=decided
            )
            if sample is not None:
                receipt = of_sample(sample.raw, sample.decided, receipt)
                told = sample.told.format(narrowed=receipt.narrowed)
                receipt = receipt.model_copy(update={"warnings": (told, *receipt.warnings)})
                write_text_atomic(folder / RECEIPT, receipt.model_dump_json(indent=1))
    return pipeline.open_dataset(store, key)
