"""New users on a frozen model: the same cleaning, the same network, the same segments."""

from __future__ import annotations

import glob
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.base.errors import ResourceError
from core.base.progress import Progress, silent
from core.base.schema import OUTSIDE, Users, View
from core.base.settings import Device
from core.data.dataset import Dataset
from core.data.page_labels import LabelledPages, page_names
from core.ingest.read.read_all import RawRead, read_all
from core.recommend.next_pages import NextPages
from core.runs.export import vector_lists
from core.runs.frozen import FrozenModel, Names, Placed
from core.runs.pipeline import LABEL_CACHE
from core.storage.claims import claimed_file
from core.storage.disk import disk_errors, make_folder, written_whole

LABELLED: Final = "labels"
"""The folder in a work folder with labels of new pages, where pages are labelled."""


def score(
    inputs: Sequence[Path], model: Path, out: Path, progress: Progress, device: Device, n_next: int = 0
) -> int:
    """Embed the users of an export and put them into the frozen segments.

    Args:
        inputs: Files, folders or patterns.
        model: The ``model`` folder of an earlier run.
        out: Parquet file to write: ``user_id`` text, ``embedding`` float32 list, ``cluster`` int32 and
            ``group``. Users in no segment (one page view, bot-like, outliers) have
            :data:`core.base.schema.OUTSIDE`; ``group`` says why, or names the one-page segment.
        progress: Where to report.
        device: Where the network runs.
        n_next: Next pages a user, as the lists ``next_pages`` and ``next_scores``; 0 for none.

    Returns:
        The number of users written.

    Raises:
        Beha2VecError: If the model or the input cannot be used; an existing ``out`` is untouched.
    """
    frozen = FrozenModel.read(model)
    following = NextPages.load(model) if n_next else None
    require_writable(out)
    with claimed_file(out), workplace(out) as work:
        raw = read_all(inputs, frozen.settings, work / "raw", progress)
        table = score_raw(raw, frozen, work, progress, device, following, n_next)
        with written_whole(out) as building:
            pq.write_table(table, building)
    return int(table.num_rows)


def score_raw(
    raw: RawRead,
    frozen: FrozenModel,
    work: Path,
    progress: Progress = silent,
    device: Device = Device.AUTO,
    following: NextPages | None = None,
    n_next: int = 0,
) -> pa.Table:
    """The same for records that were read before, such as those of some users (``core/engines/parts.py``).

    Args:
        raw: What the readers left.
        frozen: The model.
        work: An existing, empty folder for intermediate files; what is left in it can be removed.
        progress: Where to report.
        device: Where the network runs.
        following: What suggests next pages, beside the model.
        n_next: Next pages a user.

    Returns:
        The columns that :func:`score` writes.

    Raises:
        NothingLeft: If no page view is left.
        Beha2VecError: If the records cannot be used, or disk or memory run out.
    """
    dataset, placed = place_raw(raw, frozen, work, progress, device)
    return scored_table(dataset, placed, _next_pages(dataset, placed, following, n_next))


def place_raw(
    raw: RawRead, frozen: FrozenModel, work: Path, progress: Progress, device: Device
) -> tuple[Dataset, Placed]:
    """Clean and place the users of records that were read.

    Args:
        raw: What the readers left.
        frozen: The model.
        work: An existing folder; the data set is in it afterwards.
        progress: Where to report.
        device: Where the network runs.

    Raises:
        NothingLeft: If no page view is left.
    """
    from core.ingest.ingest import transform

    out = work / "dataset"
    out.mkdir()
    transform(raw, frozen.settings, out, progress, work)
    dataset = Dataset(out, "")
    return dataset, place_export(
        dataset, frozen, named_pages(dataset, frozen, work, progress), progress, device
    )


def _next_pages(
    dataset: Dataset, placed: Placed, following: NextPages | None, n_next: int
) -> Mapping[str, pa.Array]:
    if following is None:
        return {}
    return following.of_many(dataset.sequences, placed.names[View.URL], placed.vectors, n_next).lists()


def named_pages(
    dataset: Dataset, frozen: FrozenModel, work: Path, progress: Progress, cache: Path | None = None
) -> Names:
    """What each view of a model calls each page of an export.

    Args:
        dataset: The export, cleaned as the model's settings say.
        frozen: The model.
        work: An existing folder for labels; what is left in it can be removed.
        progress: Where to report.
        cache: Where decisions about labels are kept; by default in ``work``.
    """
    labels = label_new_pages(dataset, frozen, work, progress, cache or work / LABEL_CACHE)
    return frozen.named(page_names(dataset.pages, labels))


def place_export(
    dataset: Dataset, frozen: FrozenModel, names: Names, progress: Progress, device: Device
) -> Placed:
    """Embed and place the users of an export; ``names`` are :func:`named_pages`."""
    from core.model.embedding import embed_on

    embed = partial(embed_on, frozen.encoder, progress=progress, device=device)
    return frozen.place(dataset.users, dataset.sequences, names, embed)


def write_scored(out: Path, dataset: Dataset, placed: Placed, more: Mapping[str, pa.Array]) -> None:
    """Write where users belong, in the columns that :func:`score` names, and more of them.

    Raises:
        ResourceError: If the disk refuses; what was there is untouched.
    """
    with written_whole(out) as building:
        pq.write_table(scored_table(dataset, placed, more), building)


def scored_table(dataset: Dataset, placed: Placed, more: Mapping[str, pa.Array]) -> pa.Table:
    """Where users belong, in the columns that :func:`score` names, and more of them."""
    return pa.table(
        {
            Users.USER_ID: dataset.sequences.user_id,
            Users.EMBEDDING: vector_lists(placed.vectors),
            Users.CLUSTER: pa.array(np.maximum(placed.clusters, OUTSIDE), pa.int32()),
            Users.GROUP: pa.array(placed.group, pa.string()),
            **more,
        }
    )


@contextmanager
def workplace(out: Path) -> Iterator[Path]:
    """A folder beside ``out``, which is claimed: what a killed process left there is nobody's."""
    prefix = f".{out.name}.scoring."
    for left in out.parent.glob(f"{glob.escape(prefix)}*"):
        shutil.rmtree(left, ignore_errors=True)
    with (
        disk_errors(),
        tempfile.TemporaryDirectory(dir=out.parent, prefix=prefix, ignore_cleanup_errors=True) as work,
    ):
        yield Path(work)


def label_new_pages(
    dataset: Dataset, frozen: FrozenModel, work: Path, progress: Progress, cache: Path
) -> LabelledPages | None:
    """Labels as the model's pages have them; new ones climb the same ladder. None where labelling is off."""
    if frozen.labelling is None:
        return None
    from core.labels.labelling import label_dataset

    folder = work / LABELLED
    folder.mkdir()
    label_dataset(dataset, frozen.labelling, folder, cache, progress, frozen.labels)
    return LabelledPages(folder, "")


def require_writable(out: Path) -> None:
    """Refuse a place that cannot be written before minutes of work, not after.

    Raises:
        ResourceError: If it is one.
    """
    make_folder(out.parent)
    if out.is_dir():
        raise ResourceError(f"{out} is a folder", allowed="the name of a Parquet file", remedy="Add a name")
