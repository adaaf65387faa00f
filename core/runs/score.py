"""Place the users of a new export on a frozen model: with its labels, its network and its segments."""

from __future__ import annotations

import glob
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.base.errors import ResourceError, SettingsError
from core.base.progress import Progress
from core.base.schema import OUTSIDE, Users, View
from core.base.settings import Device
from core.data.dataset import Dataset
from core.data.page_labels import LabelledPages, page_names
from core.runs.export import SEGMENT, segment_names, vector_lists
from core.runs.frozen import FrozenModel, Names, Placed
from core.runs.pipeline import LABEL_CACHE
from core.storage.disk import disk_errors, make_folder, written_whole

KNOWN: Final = "known_share"
LABELLED: Final = "labels"
"""Folder in a work folder for labels of new pages."""


def named_pages(
    dataset: Dataset, frozen: FrozenModel, work: Path, progress: Progress, cache: Path | None = None
) -> Names:
    """Names of an export's pages in each view of a model.

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


def write_scored(out: Path, dataset: Dataset, placed: Placed, frozen: FrozenModel) -> None:
    """Write the table of placed users as Parquet.

    Raises:
        ResourceError: If the disk refuses; what was there is untouched.
    """
    with written_whole(out) as building:
        pq.write_table(scored_table(dataset, placed, frozen, {}), building)


def scored_table(dataset: Dataset, placed: Placed, frozen: FrozenModel, more: Mapping[str, Any]) -> pa.Table:
    """Table of placed users, in index order.

    Args:
        dataset: The users.
        placed: Where they were put.
        frozen: The model.
        more: Further columns.

    Returns:
        ``user_id`` text, ``embedding`` float32 list, ``cluster`` int32, ``segment`` and ``group``, which mean
        what they mean in a run's (:func:`core.runs.export.users_table`). Users in no segment (one page view,
        bot-like, set aside) have :data:`core.base.schema.OUTSIDE`; ``group`` says why, or is the key of the
        one-page segment, whose name is in ``segment``. :data:`KNOWN` is the share of the user's page views
        that are on pages the model knows; others count by their folder alone.
    """
    sequences, page_known = dataset.sequences, frozen.known.of(placed.names[View.URL])
    known_views = np.bincount(sequences.user, page_known[sequences.page], minlength=sequences.n_users)
    return pa.table(
        {
            Users.USER_ID: sequences.user_id,
            Users.EMBEDDING: vector_lists(placed.vectors),
            Users.CLUSTER: pa.array(np.maximum(placed.clusters, OUTSIDE), pa.int32()),
            SEGMENT: pa.array(
                segment_names(placed.clusters, frozen.names, placed.one_page), pa.string(), from_pandas=True
            ),
            Users.GROUP: pa.array(placed.group, pa.string()),
            KNOWN: pa.array(known_views / np.maximum(sequences.lengths, 1), pa.float32()),
            **more,
        }
    )


@contextmanager
def workplace(out: Path) -> Iterator[Path]:
    """Temporary folder beside ``out``, which is claimed: folders of killed processes are removed."""
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
    """Label pages: known ones as the model has them, new ones as it did; None where labelling is off."""
    if frozen.labelling is None:
        return None
    from core.labels.labelling import label_dataset

    folder = work / LABELLED
    folder.mkdir()
    label_dataset(dataset, frozen.labelling, folder, cache, progress, frozen.labels)
    return LabelledPages(folder, "")


def require_writable(out: Path) -> None:
    """Refuse a path that cannot be written, before minutes of work.

    Raises:
        ResourceError: If it is one.
        SettingsError: If its name tells of another format.
    """
    if out.is_dir():
        raise ResourceError(f"{out} is a folder", allowed="the name of a Parquet file", remedy="Add a name")
    if out.suffix.casefold() != ".parquet":
        raise SettingsError(f"{out.name} would hold Parquet", allowed="a name ending in .parquet")
    make_folder(out.parent)
