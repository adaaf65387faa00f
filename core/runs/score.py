"""New users on a frozen model: the same cleaning, the same network, the same segments."""

from __future__ import annotations

import glob
import json
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from core.base.errors import ArtifactError, ResourceError
from core.base.progress import Progress
from core.base.schema import OUTSIDE, Group, Users, View
from core.base.settings import Device, IngestSettings, ViewWeights
from core.data.dataset import Dataset, clustered, of_group
from core.data.page_labels import LabelledPages, page_names
from core.labels.label_settings import RESERVED, LabelSettings
from core.one_page.arrivals import arrivals
from core.one_page.segments import OnePageSegments, assign, read_rules
from core.runs import pipeline
from core.runs.export import groups, vector_lists
from core.runs.pipeline import LABEL_CACHE
from core.runs.publish import INGEST_SETTINGS, LABEL_FILES, ONE_PAGE_RULES
from core.storage.claims import claimed_file
from core.storage.disk import disk_errors, make_folder, written_whole
from core.storage.store import Store


def score(inputs: Sequence[Path], model: Path, out: Path, progress: Progress, device: Device) -> int:
    """Embed the users of an export and put them into the frozen segments.

    Args:
        inputs: Files, folders or patterns.
        model: The ``model`` folder of an earlier run.
        out: Parquet file to write: ``user_id`` text, ``embedding`` float32 list, ``cluster`` int32 and
            ``group``. Users in no segment (one page view, bot-like, outliers) have
            :data:`core.base.schema.OUTSIDE`; ``group`` says why, or names the one-page segment.
        progress: Where to report.
        device: Where the network runs.

    Returns:
        The number of users written.

    Raises:
        Beha2VecError: If the model or the input cannot be used; an existing ``out`` is untouched.
    """
    from core.model.embedding import embed
    from core.model.model_files import load_pages
    from core.segments.clustering import assign
    from core.segments.combination import combine
    from core.segments.partition import Partition

    settings, weights, means = _read_frozen(model)
    known = set(load_pages(model))
    partition = Partition.from_files(model / "segments")
    _check_writable(out)
    with claimed_file(out), _workplace(out) as work:
        dataset = pipeline.preprocess(Store(work), inputs, settings, progress)
        labels = _label(dataset, model, work, progress)
        names = page_names(dataset.pages, labels)
        names[View.URL] = align(names[View.URL], known)
        views = embed(model, dataset.sequences, names, progress, device)
        vectors = combine(views, weights, means=means).vectors
        clusters = assign(vectors, partition)
        clusters[~clustered(dataset.users)] = OUTSIDE
        group = groups(dataset.users, clusters, _one_page(dataset, model, names))
        _write(out, dataset, vectors, np.maximum(clusters, OUTSIDE), group)
    return len(clusters)


def _one_page(dataset: Dataset, model: Path, names: Mapping[View, Sequence[str]]) -> OnePageSegments:
    """Which rule of the training holds for the new users with a single page view."""
    segments = read_rules(model / ONE_PAGE_RULES)
    codes = assign(arrivals(dataset.users, dataset.sequences, names, RESERVED), segments)
    codes[~of_group(dataset.users, Group.ONE_PAGE)] = -1
    return OnePageSegments(codes, segments)


def _write(out: Path, dataset: Dataset, vectors: np.ndarray, clusters: np.ndarray, group: pd.Series) -> None:
    columns = {
        Users.USER_ID: dataset.sequences.user_id,
        Users.EMBEDDING: vector_lists(vectors),
        Users.CLUSTER: pa.array(clusters, pa.int32()),
        Users.GROUP: pa.array(group, pa.string()),
    }
    with written_whole(out) as building:
        pq.write_table(pa.table(columns), building)


@contextmanager
def _workplace(out: Path) -> Iterator[Path]:
    """A folder beside ``out``, which is claimed: what a killed process left there is nobody's."""
    prefix = f".{out.name}.scoring."
    for left in out.parent.glob(f"{glob.escape(prefix)}*"):
        shutil.rmtree(left, ignore_errors=True)
    with (
        disk_errors(),
        tempfile.TemporaryDirectory(dir=out.parent, prefix=prefix, ignore_cleanup_errors=True) as work,
    ):
        yield Path(work)


def _label(dataset: Dataset, model: Path, work: Path, progress: Progress) -> LabelledPages | None:
    """Pages of the training keep their labels; new ones climb the same ladder."""
    settings_file, labels_file = (model / name for name in LABEL_FILES)
    if not settings_file.exists():
        return None
    from core.labels.labelling import label_dataset

    try:
        settings = LabelSettings.model_validate_json(settings_file.read_bytes())
        frozen = {page: (theme, kind) for page, (theme, kind) in json.loads(labels_file.read_bytes()).items()}
    except (OSError, ValueError, AttributeError) as error:
        raise ArtifactError(
            f"The labels in {model} are damaged ({error.__class__.__name__})", remedy="Run it again"
        ) from error
    folder = work / "labels"
    folder.mkdir()
    label_dataset(dataset, settings, folder, work / LABEL_CACHE, progress, frozen)
    return LabelledPages(folder, "")


def align(pages: Sequence[str], known: Collection[str]) -> list[str]:
    """Name new pages as the model knows them.

    Whether ``/order/{id}`` is one page, or ``/account`` shows all their own, was decided on the training
    data; a new export may be too small to see it. So a page the model does not know takes its template, or
    that of a personal place, where the model knows it.
    """
    from core.ingest.clean.grouping import template
    from core.ingest.clean.page_parts import KnownGaps

    gaps = KnownGaps(known)
    return [
        next((name for name in (page, template(page), gaps.of(page)) if name in known), page)
        for page in pages
    ]


def _read_frozen(model: Path) -> tuple[IngestSettings, ViewWeights, dict[View, np.ndarray]]:
    try:
        settings = IngestSettings.model_validate_json((model / INGEST_SETTINGS).read_bytes())
        weights = ViewWeights.model_validate_json((model / "segments" / "weights.json").read_bytes())
        files = {view: model / "segments" / f"mean_{view}.npy" for view in View}
        means = {view: np.load(path, allow_pickle=False) for view, path in files.items() if path.exists()}
    except (OSError, ValueError, ValidationError) as error:
        raise ArtifactError(
            f"{model} is not the model folder of a finished run ({error.__class__.__name__})",
            allowed="OUT/model",
            remedy="Point --model at it",
        ) from error
    return undecided(settings), weights, means


def undecided(settings: IngestSettings) -> IngestSettings:
    """How the training data were read, but for what they decided: :func:`align` keeps that for new data."""
    url = settings.url.model_copy(update={"collapse_ids": False})
    decided = {"url": url, "mask_own": False, "keep_places": (), "mask_places": ()}
    return settings.model_copy(update=decided)


def _check_writable(out: Path) -> None:
    """Refuse a place that cannot be written before minutes of work, not after."""
    make_folder(out.parent)
    if out.is_dir():
        raise ResourceError(f"{out} is a folder", allowed="the name of a Parquet file", remedy="Add a name")
