"""A later export on the frozen model of an earlier one, kept under what both are made of.

Its users are embedded with the vocabulary and the labels of the training, and so are the users who trained it
by two parts of their sessions, as unequal as the two exports: what moves between them moves without any
change. Neither depends on the sliders; weights and segments come when they are placed.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from core.base.errors import ArtifactError, InputError
from core.base.progress import Progress
from core.base.schema import LEARNED_VIEWS, OUTSIDE, Pages, View
from core.base.settings import IngestSettings, TrainSettings
from core.labels.label_settings import LabelSettings
from core.periods.filter import CountFilter
from core.periods.placed_users import (
    MIN_USERS,
    RARE,
    Pairs,
    PlacedUsers,
    by_section,
    in_both,
    places,
    sections,
    seen_pages,
)
from core.periods.training_period import EVEN, TrainingPeriod, halves_of
from core.runs import artifacts, pipeline
from core.runs.artifacts import TrainedRequest
from core.runs.frozen import KnownPages, undecided
from core.runs.model_folder import known_labels
from core.runs.pipeline import FILTER, LABEL_CACHE, NARROWED
from core.runs.placing import label_new_pages
from core.storage.dataset import SEQUENCES, USERS, Dataset, is_clustered
from core.storage.page_labels import LabelledPages, page_names
from core.storage.sequences import UserSequences
from core.storage.store import Artifact, Store, open_artifact

if TYPE_CHECKING:
    from core.segments.combination import Combined
    from core.segments.partition import Partition

_PAGES: Final = "pages.json"
_CALLED, _KNOWN = "called", "known"
_HALVES: Final = "half_lengths.npy"
_READ_ALIKE: Final = "read_alike.json"
_HALF: Final = "half_{}"
MIN_KNOWN: Final = 0.1
"""Share of page views on pages (or sections) the model knows, below which exports are not compared."""


@dataclass(frozen=True)
class Trained:
    """A trained model, its data set and labels, opened to be compared with a later export.

    Args:
        dataset: The users.
        labels: Themes and types of their pages; None where they are not labelled.
        model: Artifact of the model.
    """

    dataset: Dataset
    labels: LabelledPages | None
    model: Artifact

    @classmethod
    def open(cls, store: Store, request: TrainedRequest) -> Self:
        """Open a model and what it was trained on.

        Raises:
            ArtifactError: If one of them is missing or damaged.
        """
        labelled = artifacts.open_labelled(store, request.dataset, request.labels)
        return cls(*labelled, artifacts.open_model(store, request.model))

    @property
    def min_count(self) -> int:
        """Fewest page views in the training data with which a page is in the model's vocabulary."""
        return TrainSettings.checked(**self.model.settings).min_count

    @cached_property
    def by_section(self) -> bool:
        """Whether sections of addresses are compared, as single pages live for days only (as of news)."""
        return by_section(self.dataset.sequences, self.dataset.pages[Pages.PAGE_LOCATION].tolist())

    def share_in_common(self, sequences: UserSequences, pages: Sequence[str], known: Iterable[str]) -> float:
        """Share of page views, 0 to 1, on pages of the training or, if :attr:`by_section`, in their sections.

        Args:
            sequences: Page views of another export.
            pages: Address of each page of that export, by its index.
            known: Addresses of pages of the training.
        """
        alike = sections if self.by_section else list
        return known_share(sequences, alike(pages), set(alike(known)))


class LaterRequest(TrainedRequest):
    """Content keys of a model, what it was trained on, and ``later``, a data set to be placed by it."""

    later: str
    paths: tuple[Path, ...] = ()
    """The files of the later export, where they are still there: they are read again as those of the training
    were."""


def made_of(request: LaterRequest) -> tuple[dict[str, Any], dict[str, str]]:
    """Settings and inputs of which the content key of :func:`embed_later`'s result is made."""
    trained_on = {"trained_on": request.dataset, "preprocess": request.later}
    return {"version": 2}, request.inputs | trained_on


def embed_later(store: Store, request: LaterRequest, folder: Path, progress: Progress) -> None:
    """Write into ``folder`` the vectors of a later export, and of two parts of the training users' sessions.

    Raises:
        InputError: If the model knows hardly any of its pages.
        ArtifactError: If the model is missing or damaged.
        Cancelled: If ``progress`` says so.
    """
    trained, later = Trained.open(store, request), artifacts.open_dataset(store, request.later)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".work.") as work:
        together = _read_together(trained.dataset, later)
        again = None if together else _read_again(Path(work), store, trained, later, request.paths, progress)
        _embed_later(folder, Path(work), store, trained, again or later, progress)
        _embed_halves(folder, trained, (again or later).sequences, progress)
        (folder / _READ_ALIKE).write_text(json.dumps(together or again is not None))


def _read_again(
    work: Path, store: Store, trained: Trained, later: Dataset, paths: Sequence[Path], progress: Progress
) -> Dataset | None:
    """The later export cleaned as the training data were; None where its files are gone or were changed.

    What was decided on the one data (whose pages are personal, which are one page) would else be decided
    otherwise on the other, and look like a change.
    """
    read, filters = _as_read(store, later)
    if read is None or not paths or sorted(pipeline.fingerprints(paths).values()) != sorted(read):
        return None
    settings = IngestSettings.checked(**open_artifact(trained.dataset.path).settings)
    settings = settings.viewing(trained.dataset.receipt.page_view)
    known = page_names(trained.dataset.pages, None)[View.URL]
    again = pipeline.preprocess(Store(work), paths, undecided(settings, known), progress)
    for chosen in filters:
        again = pipeline.narrow(Store(work), again, chosen)
    return again


def _as_read(store: Store, dataset: Dataset) -> tuple[list[str] | None, list[CountFilter]]:
    """Checksums of the files that a data set is made of, None where they are not known, and its filters."""
    artifact, filters = store.find("preprocess", dataset.key), list[CountFilter]()
    while artifact is not None and NARROWED in artifact.inputs:
        filters.insert(0, CountFilter.model_validate_json(artifact.inputs[FILTER]))
        artifact = store.find("preprocess", artifact.inputs[NARROWED])
    return (None if artifact is None else list(artifact.inputs.values())), filters


def _read_together(one: Dataset, other: Dataset) -> bool:
    """Whether both are parts of one export that was cleaned as a whole."""
    artifacts = [open_artifact(dataset.path) for dataset in (one, other)]
    first, second = (artifact.inputs.get(NARROWED, artifact.key) for artifact in artifacts)
    return first == second


def _embed_later(
    folder: Path, work: Path, store: Store, trained: Trained, later: Dataset, progress: Progress
) -> None:
    from core.model.embedding import embed
    from core.model.model_files import load_pages

    known_names = page_names(trained.dataset.pages, None)[View.URL]
    urls = list(map(KnownPages(set(known_names)).align, page_names(later.pages, None)[View.URL]))
    known = load_pages(trained.model.path)
    check_same_site(trained.share_in_common(later.sequences, urls, known))
    named = set(known) | _seen_by_enough(trained.dataset.sequences, known_names)
    names = _labelled(store, trained, later, urls, work, progress)
    _save(folder, embed(trained.model.path, later.sequences, names, progress), "{}")
    for file in (SEQUENCES, USERS):
        shutil.copy2(later.path / file, folder / file)
    rarely = sections(urls) if trained.by_section else [RARE] * len(urls)
    pages = {_CALLED: _without_rare(later.sequences, urls, named, rarely), _KNOWN: known}
    (folder / _PAGES).write_text(json.dumps(pages, ensure_ascii=False), encoding="utf-8")


def _without_rare(sequences: UserSequences, urls: list[str], named: set[str], rarely: list[str]) -> list[str]:
    """Names of pages, ``rarely`` for those that hardly anybody saw: their own may name a person.

    Those of the training period that enough users saw keep it, or they would look like gone.
    """
    named = named | _seen_by_enough(sequences, urls)
    return [url if url in named else rare for url, rare in zip(urls, rarely, strict=True)]


def _seen_by_enough(sequences: UserSequences, urls: Sequence[str]) -> set[str]:
    (seen,) = seen_pages([(sequences, urls)], ())
    return {url for url, users in zip(seen.names, seen.users.tolist(), strict=True) if users >= MIN_USERS}


def _embed_halves(folder: Path, trained: Trained, later: UserSequences, progress: Progress) -> None:
    from core.model.embedding import embed

    halves = _halves(trained, later)
    if halves.n_users:
        names = page_names(trained.dataset.pages, trained.labels)
        _save(folder, embed(trained.model.path, halves, names, progress), _HALF)
    np.save(folder / _HALVES, halves.lengths, allow_pickle=False)


def _halves(trained: Trained, later: UserSequences) -> UserSequences:
    """The two parts of the sessions of users of the training, as unequal as the two exports."""
    mine = trained.dataset.sequences
    first, second = in_both(mine.user_id, later.user_id)
    before, after = mine.lengths[first], later.lengths[second]
    shares = before / (before + after) if len(first) else EVEN
    return halves_of(mine, is_clustered(trained.dataset.users), shares)[1]


def known_share(sequences: UserSequences, urls: Sequence[str], known: Collection[str]) -> float:
    """Share of the page views, 0 to 1, on pages that are ``known``; ``urls``: the address of each page."""
    there = set(known)
    is_known = np.fromiter((url in there for url in urls), bool, len(urls))
    return float(is_known[sequences.page].mean()) if sequences.n_views else 0.0


def pages_in_common(trained: Trained, other: Dataset) -> float:
    """Share of the page views of another data set that are on pages, or in sections, of the training's."""
    mine, theirs = (data.pages[Pages.PAGE_LOCATION].tolist() for data in (trained.dataset, other))
    return trained.share_in_common(other.sequences, theirs, mine)


def check_same_site(share: float) -> None:
    """Refuse an export by its share of page views on known pages: below :data:`MIN_KNOWN` of them.

    Raises:
        InputError: If the share is lower.
    """
    if share < MIN_KNOWN:
        raise InputError(
            f"{share:.1%} of the page views of this export are on pages or sections the model knows, so "
            "nothing is compared: pages may live for days only, as news do, or have new addresses",
            allowed=f"at least {MIN_KNOWN:.0%}",
            remedy="Choose an export of nearer days or the same addresses, or train a model on this one",
        )


def _labelled(
    store: Store, trained: Trained, later: Dataset, urls: list[str], work: Path, progress: Progress
) -> dict[View, list[str]]:
    """Names of pages in each view: known pages keep their labels, others are labelled in the same way."""
    if trained.labels is None:
        return {View.URL: urls}
    from core.labels.labelling import in_use, read_summary

    made = LabelSettings.checked(**open_artifact(trained.labels.path).settings)
    settings = in_use(made, read_summary(trained.labels.path))
    frozen = known_labels(trained.dataset, trained.labels)
    labels = label_new_pages(later, settings, frozen, work, store.root / LABEL_CACHE, progress)
    return page_names(later.pages, labels) | {View.URL: urls}


def _save(folder: Path, vectors: Mapping[View, np.ndarray], called: str) -> None:
    for view, array in vectors.items():
        np.save(folder / f"{called.format(view)}.npy", array, allow_pickle=False)


@dataclass(frozen=True, eq=False)
class TwoPeriods:
    """Users of the training period and of a later export in the same frozen segments.

    Args:
        period: The training period.
        before: Users of the training period.
        after: Users of the later export.
        halves: Segments of users of the training period by each of two parts of their sessions.
        read_alike: Whether the later export was read with the settings of the training data.
    """

    period: TrainingPeriod
    before: PlacedUsers
    after: PlacedUsers
    halves: Pairs
    read_alike: bool

    @cached_property
    def both(self) -> Pairs:
        """Users who are in both exports: their segments and page views in each."""
        first, second = in_both(self.before.user_id, self.after.user_id)
        views = np.column_stack([self.before.pages.views[first], self.after.pages.views[second]])
        return Pairs(self.before.place[first], self.after.place[second], views)


def place_both(artifact: Artifact, trained: Trained, combined: Combined, partition: Partition) -> TwoPeriods:
    """Put the users of both exports into the frozen segments.

    Args:
        artifact: What :func:`embed_later` left.
        trained: The model and its users.
        combined: The weighted mix of the views that was clustered.
        partition: The segments.

    Raises:
        ArtifactError: If something on disk is damaged, or was made with other views.
    """
    later = Dataset(artifact.path, artifact.key)  # as the model has read it
    page_lists: dict[str, list[str]] = json.loads((artifact.path / _PAGES).read_bytes())
    names = page_names(trained.dataset.pages, None)[View.URL]
    sides = [(trained.dataset.sequences, names), (later.sequences, page_lists[_CALLED])]
    pages = seen_pages(sides, set(page_lists[_KNOWN]))
    before = PlacedUsers.of(
        trained.dataset.sequences, combined.vectors, partition.labels, partition, pages[0],
        trained.min_count,
    )  # fmt: skip
    vectors, labels = _assigned(artifact, "{}", later.sequences, combined, partition)
    labels[~is_clustered(later.users)] = OUTSIDE
    after = PlacedUsers.of(later.sequences, vectors, labels, partition, pages[1])
    if trained.by_section:
        before, after = (replace(side, pages=side.pages.in_sections()) for side in (before, after))
    read_alike = bool(json.loads((artifact.path / _READ_ALIKE).read_bytes()))
    period = TrainingPeriod.of(before, len(partition.ids), by_section=trained.by_section)
    halves = _half_pairs(artifact, _halves(trained, later.sequences), combined, partition)
    return TwoPeriods(period, before, after, halves, read_alike)


def _half_pairs(artifact: Artifact, halves: UserSequences, combined: Combined, partition: Partition) -> Pairs:
    lengths = np.load(artifact.path / _HALVES, allow_pickle=False)
    if not len(lengths):
        nobody = np.zeros(0, dtype=np.int64)
        return Pairs(nobody, nobody, nobody.reshape(0, 2))
    labels = _assigned(artifact, _HALF, halves, combined, partition)[1]
    labels[lengths < 2] = OUTSIDE  # as with anybody who has a single page view
    first, second = places(labels, partition).reshape(2, -1)
    return Pairs(first, second, lengths.reshape(2, -1).T)


def _assigned(
    artifact: Artifact, called: str, sequences: UserSequences, combined: Combined, partition: Partition
) -> tuple[np.ndarray, np.ndarray]:
    """Vectors mixed as those of the frozen segments, and the segment of each row."""
    from core.segments.activity import with_activity
    from core.segments.clustering import assign
    from core.segments.combination import mix_like

    files = {view: artifact.path / f"{called.format(view)}.npy" for view in LEARNED_VIEWS}
    learned: dict[View, Any] = {
        view: np.load(path, mmap_mode="r", allow_pickle=False)
        for view, path in files.items()
        if path.exists()
    }
    views = with_activity(learned, sequences, combined.activity)
    if set(views) != set(combined.means):
        raise ArtifactError("The segments were made with other views", remedy="Compare again")
    vectors = mix_like(views, combined.counted, combined.means)
    return vectors, assign(vectors, partition)
