"""Numbers of segments that the users of a data set support, kept in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from core.base.progress import Progress
from core.base.schema import Group, Pages, Users
from core.data.dataset import Dataset
from core.data.page_labels import COLUMN_OF, LabelledPages
from core.labels.label_settings import RESERVED
from core.runs.pipeline import RunSettings
from core.storage.store import Store, content_key

if TYPE_CHECKING:
    from core.segments.levels import SegmentLevels

CHOOSE_K: Final = "choose_k"
"""Folder of the store for what :func:`compare_k` leaves."""
LEVELS: Final = "levels.json"


def levels_key(dataset: str, labels: str) -> str:
    """Content key of the levels of a data set with these labels ("" without)."""
    return content_key(CHOOSE_K, *_made_of(dataset, labels))


def find_levels(store: Store, dataset: str, labels: str) -> SegmentLevels | None:
    """Read the levels of a data set with these labels ("" without); None until they were measured."""
    from core.segments.levels import SegmentLevels

    artifact = store.find(CHOOSE_K, levels_key(dataset, labels))
    return None if artifact is None else SegmentLevels.from_json((artifact.path / LEVELS).read_bytes())


def compare_k(
    store: Store, dataset: Dataset, labels: LabelledPages | None, progress: Progress
) -> SegmentLevels:
    """Find out whether users are of kinds, and how many; once a data set and its labels.

    Raises:
        Cancelled: If ``progress`` says so.
    """
    keys = dataset.key, labels.key if labels else ""
    levels = find_levels(store, *keys)
    if levels is None:
        from core.segments.level_search import measure_levels

        clustered = np.flatnonzero(dataset.users[Users.GROUP] == Group.SEGMENT)
        names = {view.value: _known(labels.of(view)) for view in COLUMN_OF} if labels else {}
        urls = dataset.pages[Pages.PAGE_LOCATION].tolist()
        levels = measure_levels(dataset.sequences, clustered, urls, names, progress)
        with store.write(CHOOSE_K, levels_key(*keys), *_made_of(*keys)) as folder:
            (folder / LEVELS).write_text(levels.to_json(), encoding="utf-8")
    return levels


def _known(names: list[str]) -> list[str]:
    return ["" if name in RESERVED else name for name in names]


def _made_of(dataset: str, labels: str) -> tuple[dict[str, Any], dict[str, str]]:
    return {"version": 5}, {"preprocess": dataset} | ({"label": labels} if labels else {})


def settled(settings: RunSettings, levels: SegmentLevels | None) -> RunSettings:
    """The settings with the number of segments filled in, where it is left to the levels."""
    if levels is None or not settings.cluster.auto:
        return settings
    cluster = settings.cluster.model_copy(update={"n_clusters": levels.described_k})
    return settings.model_copy(update={"cluster": cluster})
