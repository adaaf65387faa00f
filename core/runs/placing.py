"""Place users in the segments of a frozen model: those of files, of a part of the users, and of requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from core.base.progress import Progress, silent
from core.base.schema import OUTSIDE, RESERVED, Group, Users, View
from core.base.settings import Device
from core.labels.label_settings import LabelMode, LabelSettings
from core.runs.export import SEGMENT, groups, segment_names, vector_lists
from core.runs.frozen import FrozenModel, Names
from core.runs.pipeline import LABEL_CACHE
from core.segments.arrivals import Trait, traits
from core.segments.one_page import OnePageSegments, assign
from core.storage.dataset import Dataset, UserColumns, in_group, is_clustered
from core.storage.page_labels import LabelledPages, page_names
from core.storage.sequences import UserSequences

if TYPE_CHECKING:
    from core.base.workers import Workers

KNOWN: Final = "known_share"
LABELLED: Final = "labels"
"""Folder in a work folder for labels of new pages."""


@dataclass(frozen=True, eq=False)
class Placement:
    """Users whom a frozen model has placed.

    Args:
        frozen: The model.
        users: As :attr:`core.storage.dataset.Dataset.users`.
        sequences: Their page views.
        names: What the model calls the pages in each view.
        vectors: float32 of shape (n_users, d), of length 1 (or zeros).
        clusters: int32 of shape (n_users,), a segment, ``OUTSIDE`` or ``SET_ASIDE``.
        one_page: Segments by rule of the users with a single page view, by the training's rules.
        labels: Labels of an export's pages; None where they are not labelled, or users came in memory.
    """

    frozen: FrozenModel
    users: UserColumns
    sequences: UserSequences
    names: Names
    vectors: np.ndarray
    clusters: np.ndarray
    one_page: OnePageSegments
    labels: LabelledPages | None = None

    @cached_property
    def group(self) -> np.ndarray:
        """Why users are where they are, see :func:`core.runs.export.groups`."""
        return groups(self.users, self.clusters, self.one_page)

    @cached_property
    def known_views(self) -> np.ndarray:
        """Page views of each user on pages that the model knows: int64 of shape (n_users,)."""
        known = self.frozen.known.of(self.names[View.URL])[self.sequences.page]
        return np.bincount(self.sequences.user, known, minlength=self.sequences.n_users).astype(np.int64)

    def table(self, more: Mapping[str, Any] | None = None) -> pa.Table:
        """Table of the users, in index order.

        Args:
            more: Further columns, name → n_users values.

        Returns:
            ``user_id`` text, ``embedding`` float32 list, ``cluster`` int32, ``segment`` and ``group``, which
            mean what they mean in a run's (:func:`core.runs.export.users_table`). Users in no segment (one
            page view, bot-like, set aside) have :data:`core.base.schema.OUTSIDE`; ``group`` says why, or is
            the key of the one-page segment, whose name is in ``segment``. :data:`KNOWN` is the share of the
            user's page views that are on pages the model knows; others count by their folder alone.
        """
        names = segment_names(self.clusters, self.frozen.names, self.one_page)
        share = self.known_views / np.maximum(self.sequences.lengths, 1)
        return pa.table(
            {
                Users.USER_ID: self.sequences.user_id,
                Users.EMBEDDING: vector_lists(self.vectors),
                Users.CLUSTER: pa.array(np.maximum(self.clusters, OUTSIDE), pa.int32()),
                SEGMENT: pa.array(names, pa.string(), from_pandas=True),
                Users.GROUP: pa.array(self.group, pa.string()),
                KNOWN: pa.array(share, pa.float32()),
                **(more or {}),
            }
        )


def place(
    frozen: FrozenModel,
    users: UserColumns,
    sequences: UserSequences,
    names: Names,
    progress: Progress = silent,
    device: Device | None = None,
    threads: Workers | None = None,
) -> Placement:
    """Embed users and put them into the segments of a frozen model, each independently of the others.

    Args:
        frozen: The model.
        users: As :attr:`core.storage.dataset.Dataset.users`.
        sequences: Their page views.
        names: As :meth:`core.runs.frozen.FrozenModel.named` gives them.
        progress: Where to report.
        device: Where the network runs, see :func:`core.model.embedding.embed`.
        threads: Those that embed; new ones when None.
    """
    from core.model.embedding import embed
    from core.segments.activity import with_activity
    from core.segments.clustering import assign as nearest
    from core.segments.combination import mix_like

    learned = embed(frozen.encoder, sequences, names, progress, device, threads)
    views = with_activity(learned, sequences, frozen.activity)
    vectors = mix_like(views, frozen.weights, frozen.means)
    clusters = nearest(vectors, frozen.partition)
    clusters[~is_clustered(users)] = OUTSIDE
    one_page = _by_rule(frozen, users, sequences, names)
    return Placement(frozen, users, sequences, names, vectors, clusters, one_page)


def _by_rule(
    frozen: FrozenModel, users: UserColumns, sequences: UserSequences, names: Names
) -> OnePageSegments:
    """One-page segments of the users with a single page view, by the rules of the training."""
    alone = in_group(users, Group.ONE_PAGE)
    codes = np.full(len(alone), -1, dtype=np.int8)
    if alone.any() and frozen.one_page:
        arrived = traits(users, sequences, names, RESERVED)
        if isinstance(users, pd.DataFrame) and users[Users.ENGAGEMENT_MSEC].isna().all():
            arrived[Trait.ENGAGED] = np.full(len(alone), None)  # of a file that has none
        codes = assign(arrived, frozen.one_page)
        codes[~alone] = -1
    return OnePageSegments(codes, frozen.one_page)


def place_dataset(
    frozen: FrozenModel,
    dataset: Dataset,
    work: Path,
    progress: Progress,
    device: Device,
    label_cache: Path | None = None,
) -> Placement:
    """Label the new pages of an export, and place its users.

    Args:
        frozen: The model.
        dataset: The export, cleaned as the model's settings say.
        work: An existing folder, where the labels are for as long as it is there.
        progress: Where to report.
        device: Where the network runs.
        label_cache: Where decisions about labels are kept; by default in ``work``.
    """
    labels, cache = None, label_cache or work / LABEL_CACHE
    if frozen.labelling is not None:
        labels = label_new_pages(dataset, frozen.labelling, frozen.labels, work, cache, progress)
    called = page_names(dataset.pages, labels)
    names = frozen.named([frozen.known.align(page) for page in called[View.URL]], called)
    placed = place(frozen, dataset.users, dataset.sequences, names, progress, device)
    return replace(placed, labels=labels)


def label_new_pages(
    dataset: Dataset,
    settings: LabelSettings,
    known: Mapping[str, tuple[str, str]],
    work: Path,
    cache: Path,
    progress: Progress,
) -> LabelledPages:
    """Label an export's pages as the training's were; pages that the training had keep their labels.

    No language model is asked: nobody agreed to that for the users that come.

    Args:
        dataset: The export.
        settings: Label settings of the training.
        known: Page of the training → (theme, type).
        work: An existing folder, where the labels are for as long as it is there.
        cache: Where decisions about labels are kept.
        progress: Where to report.
    """
    from core.labels.labelling import label_dataset

    (folder := work / LABELLED).mkdir()
    offline = {"mode": LabelMode.AUTO} if settings.mode is LabelMode.LLM else {}
    label_dataset(dataset, settings.model_copy(update=offline), folder, cache, progress, known)
    return LabelledPages(folder, "")
