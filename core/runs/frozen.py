"""A published model folder in memory: how new pages are named, and what places new users."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias
from zipfile import Path as ZipPath
from zipfile import ZipFile

import numpy as np
from pydantic import TypeAdapter, ValidationError

from core.base.errors import ArtifactError
from core.base.schema import PAGE_VIEW, View
from core.base.settings import IngestSettings, ViewWeights
from core.labels.label_settings import LabelSettings
from core.periods.training_period import TrainingPeriod
from core.runs.model_folder import (
    ACTIVITY,
    INGEST_SETTINGS,
    LABEL_FILES,
    NAMES,
    ONE_PAGE_RULES,
    SEALED,
    SEGMENTS,
    checksums,
    read_files,
)
from core.segments.one_page import OnePageSegment, read_rules
from core.storage.disk import load_array

if TYPE_CHECKING:
    from core.model.bag import LoadedBag
    from core.model.model_files import TrainedModel
    from core.people.next_pages import NextPages
    from core.segments.partition import Partition

Names: TypeAlias = dict[View, list[str]]
_NAMES: Final = TypeAdapter(dict[int, str])
_LABELS: Final = TypeAdapter(dict[str, tuple[str, str]])


class KnownPages:
    """The pages of a model, by which new ones are named.

    Whether ``/order/{id}`` is one page, or each user has a page of their own below ``/account``, was decided
    on the training data; a new export may be too small to decide. So a page that the model does not know
    takes the name of its template, or of the personal place that it is in, where the model knows that name.

    Args:
        known: Canonical pages.
    """

    def __init__(self, known: Collection[str]) -> None:
        from core.ingest.clean.page_text import KnownGaps

        self.pages = frozenset(known)
        self._gaps = KnownGaps(self.pages)

    def of(self, pages: Sequence[str]) -> np.ndarray:
        """Whether the model knows each page, by its aligned name: bool of shape (n_pages,)."""
        return np.fromiter((page in self.pages for page in pages), bool, len(pages))

    def align(self, page: str) -> str:
        """The page of the model that a canonical page counts as: itself or its template; else unchanged."""
        from core.ingest.clean.urls import template

        if page in self.pages:
            return page
        return next((name for name in (template(page), self._gaps.of(page)) if name in self.pages), page)


@dataclass(frozen=True, eq=False)
class FrozenModel:
    """A published model folder in memory: everything that puts new users into its segments.

    Args:
        key: Checksum of the content of its files.
        settings: How exports are cleaned; what the training decided is not decided again.
        labelling: How pages are labelled; None where they are not.
        labels: Page of the training → (theme, type).
        known: Pages in the model's vocabulary.
        weights: Weight of each view.
        means: View → mean that is subtracted from its vectors, float32 of shape (d,).
        activity: What places users by their activity; None where it does not count.
        partition: The segments.
        one_page: The segments by rule.
        names: Segment → what it is called; empty in a folder of an earlier release.
        training: The users of the training, as later ones are held against them; None in a folder of an
            earlier release.
        encoder: The network or the bag of pages.
        following: Suggests next pages to any user; None where that was not asked for.
    """

    key: str
    settings: IngestSettings
    labelling: LabelSettings | None
    labels: Mapping[str, tuple[str, str]]
    known: KnownPages
    weights: ViewWeights
    means: Mapping[View, np.ndarray]
    activity: np.ndarray | None
    partition: Partition
    one_page: tuple[OnePageSegment, ...]
    names: Mapping[int, str]
    training: TrainingPeriod | None
    encoder: TrainedModel | LoadedBag
    following: NextPages | None

    @classmethod
    def read(cls, folder: Path, *, next_pages: bool | None = False) -> FrozenModel:
        """Read and check a model folder, see :func:`_read_sealed`.

        Args:
            folder: The folder.
            next_pages: Whether to read what suggests next pages; None reads it if the folder has it.

        Raises:
            ArtifactError: If a file is missing, damaged, or of another run.
        """
        from core.model.embedding import load_any
        from core.model.model_files import load_pages
        from core.people.next_pages import NextPages
        from core.segments.partition import Partition

        key, files = _read_sealed(folder)
        settings, weights, means, activity = _read_frozen(files)
        labelling, labels = _read_labels(files)
        known = KnownPages(load_pages(files))
        following = NextPages.is_in(files) if next_pages is None else next_pages
        return cls(
            key, undecided(settings, known.pages | labels.keys()), labelling, labels, known, weights, means,
            activity, Partition.from_files(files / SEGMENTS), read_rules(files / ONE_PAGE_RULES),
            _read_names(files), TrainingPeriod.load(files), load_any(files),
            NextPages.load(files) if following else None,
        )  # fmt: skip

    def named(self, pages: Sequence[str], names: Mapping[View, Sequence[str]]) -> Names:
        """View → name of each page: its address, theme, type; labels of the training replace the given ones.

        Args:
            pages: Pages as :meth:`KnownPages.align` gives them.
            names: Theme and type view → label of each page, by the new export; may be empty.
        """
        found: Names = {View.URL: list(pages)}
        for place, view in enumerate((View.THEME, View.TYPE)):
            if view in names:
                kept = (self.labels.get(page) for page in pages)
                pairs = zip(kept, names[view], strict=True)
                found[view] = [pair[place] if pair else name for pair, name in pairs]
        return found


def key_and_reading(folder: Path) -> tuple[str, IngestSettings]:
    """Key of a model folder, and how exports are read for it; its network is not loaded.

    Raises:
        ArtifactError: If a file is missing, damaged, or of another run.
    """
    key, files = _read_sealed(folder)
    return key, _read_frozen(files)[0]


def _read_sealed(folder: Path) -> tuple[str, Traversable]:
    """Read a model folder into memory once, and check it by its checksums: later changes do not matter.

    A folder that was copied half, or mixed of two runs, may well load: its checksums tell. One of an earlier
    release has none.

    Returns:
        The content key, and a folder of the files in memory.

    Raises:
        ArtifactError: If a file is missing, damaged, or of another run.
    """
    memory = ZipFile(io.BytesIO(), "w")
    memory.filename = str(folder)  # what errors say
    try:
        files = read_files(folder)
        found = checksums(files)
        wanted = json.loads(files[SEALED]) if SEALED in files else found
    except (OSError, ValueError) as error:
        raise _damaged(folder, error.__class__.__name__) from error
    if wanted != found:
        raise _damaged(folder, "its files are not those that were written together")
    for name, data in files.items():
        memory.writestr(name, data)
    return hashlib.blake2b(json.dumps(found).encode(), digest_size=6).hexdigest(), ZipPath(memory)


def _read_frozen(
    folder: Traversable,
) -> tuple[IngestSettings, ViewWeights, dict[View, np.ndarray], np.ndarray | None]:
    try:
        settings = IngestSettings.model_validate_json((folder / INGEST_SETTINGS).read_bytes())
        weights = ViewWeights.model_validate_json((folder / SEGMENTS / "weights.json").read_bytes())
        files = {view: folder / SEGMENTS / f"mean_{view}.npy" for view in View}
        means = {view: load_array(path) for view, path in files.items() if path.is_file()}
        ranks = folder / SEGMENTS / ACTIVITY
        activity = load_array(ranks) if ranks.is_file() else None
    except (OSError, ValueError, ValidationError) as error:
        raise _damaged(folder, error.__class__.__name__) from error
    # where none is told, there was no other
    return settings.viewing(settings.page_view or PAGE_VIEW), weights, means, activity


def undecided(settings: IngestSettings, known: Collection[str]) -> IngestSettings:
    """Ingest settings for later exports: what the training data decided is kept, and not decided again.

    Args:
        settings: Settings of the training, with its decisions.
        known: Pages of the training.
    """
    url = settings.url.model_copy(update={"collapse_ids": False})
    decided = {
        "url": url, "mask_own": False, "keep_places": (), "mask_places": (), "known_pages": frozenset(known),
        "dimensions": (),  # of the training: no model reads them, and a later export may lack them
    }  # fmt: skip
    return settings.model_copy(update=decided)


def _read_labels(folder: Traversable) -> tuple[LabelSettings | None, dict[str, tuple[str, str]]]:
    settings_file, labels_file = (folder / name for name in LABEL_FILES)
    if not settings_file.is_file():
        return None, {}
    try:
        settings = LabelSettings.model_validate_json(settings_file.read_bytes())
        return settings, _LABELS.validate_json(labels_file.read_bytes())
    except (OSError, ValueError) as error:
        raise ArtifactError(
            f"The labels in {folder} are damaged ({error.__class__.__name__})", remedy="Run it again"
        ) from error


def _read_names(folder: Traversable) -> dict[int, str]:
    path = folder / SEGMENTS / NAMES
    try:
        return _NAMES.validate_json(path.read_bytes()) if path.is_file() else {}
    except (OSError, ValidationError) as error:
        raise ArtifactError(f"The names in {path} are damaged", remedy="Run it again") from error


def _damaged(folder: Traversable, why: str) -> ArtifactError:
    return ArtifactError(
        f"{folder} is not the model folder of a finished run ({why})",
        allowed="OUT/model",
        remedy="Point --model at it",
    )
