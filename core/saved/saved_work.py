"""Work of an analyst on a model's segments, kept beside the other results: partition, changes, names.

A session that is opened again (F5, another tab, a restarted server) goes on with the same segments,
numbers, colours and names. They belong to the model: users whose pages get other labels have other vectors,
and the segments follow them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import BeforeValidator

from core.base.errors import Beha2VecError, ResourceError
from core.base.settings import ClusterSettings, ViewWeights
from core.profiles.name_candidates import NameEvidence
from core.profiles.names import SegmentName
from core.segments.identity import RECOVERED
from core.segments.partition import Partition
from core.storage.json_cache import JsonFile
from core.storage.store import Store

STAGE: Final = "workbench"
_BY_HAND: Final = "{}_by_hand"
_FIRST: Final = "{}_first"
"""Key of the artifact with a model's first segments; :data:`_BY_HAND`: with those changed by hand last."""
_CUT: Final = "cut"
"""Folder of the segments before they were changed by hand."""
MAX_NAME_LENGTH: Final = 60
_HISTORY: Final = 50
"""Number of changes of names that can be taken back."""


@dataclass(frozen=True)
class Segmentation:
    """Segments with the settings that they were made with.

    Args:
        embeddings: Content key of the vectors they were cut from.
        weights: The weights they were made with.
        partition: The segments, with the ids they keep.
        moved: Number of users whose segment changed with the last move of a slider; None for the first ones.
        new: Ids of segments that were not there before that move.
        gone: Ids of segments that are no longer there.
        continues: Segment → Jaccard index with the same segment of the model before (see
            :mod:`core.segments.identity`); None where no model was before, or something moved since.
        cut: The segments as clustering left them, where they were changed by hand since; else None.
    """

    embeddings: str
    weights: ViewWeights
    partition: Partition
    moved: int | None = None
    new: tuple[int, ...] = ()
    gone: tuple[int, ...] = ()
    continues: Mapping[int, float] | None = None
    cut: Partition | None = None

    @property
    def setting(self) -> tuple[str, ViewWeights, ClusterSettings]:
        """Content key of the vectors, weights and cluster settings that it was made with."""
        return self.embeddings, self.weights, self.partition.settings

    @property
    def as_cut(self) -> Partition:
        """The segments before any change by hand."""
        return self.partition if self.cut is None else self.cut


def save_segments(store: Store, model: str, shown: Segmentation) -> None:
    """Save the segments on screen of a model (content key), in place of the ones before.

    Raises:
        ResourceError: If the disk is full.
    """
    _write(store, model, model, shown)


def save_edited(store: Store, model: str, changed: Segmentation) -> None:
    """Save segments of a model that were changed by hand, to go back to when a slider has led to others.

    Raises:
        ResourceError: If the disk is full.
    """
    _write(store, _BY_HAND.format(model), model, changed)


def load_edited(store: Store, model: str, n_users: int) -> Segmentation | None:
    """Read the segments that were changed by hand last; None where all was taken back, or none were."""
    kept = _read(store, _BY_HAND.format(model), n_users)
    return kept if kept and kept.cut else None


def save_first(store: Store, model: str, first: Segmentation) -> Segmentation:
    """Save the first segments of a model, whose ids all later ones keep, unless there are some already.

    Returns:
        Those that are on disk now.

    Raises:
        ResourceError: If the disk is full.
    """
    with store.in_turn():
        quicker = load_first(store, model, len(first.partition.labels))
        if quicker is None:
            _write(store, _FIRST.format(model), model, first)
    return quicker or first


def load_first(store: Store, model: str, n_users: int) -> Segmentation | None:
    """Read the first segments of a model; None when there are none for these users."""
    return _read(store, _FIRST.format(model), n_users)


def load_segments(store: Store, model: str, n_users: int) -> Segmentation | None:
    """Read the segments that were on screen last; None when there are none for these users."""
    return _read(store, model, n_users)


def _write(store: Store, key: str, model: str, shown: Segmentation) -> None:
    settings = {"weights": shown.weights.model_dump(), "cluster": shown.partition.settings.model_dump()}
    if shown.continues is not None:
        settings["continues"] = {str(segment): index for segment, index in shown.continues.items()}
    with store.write(STAGE, key, settings, {"train": model, "embed": shown.embeddings}) as folder:
        write_segments(folder, shown)


def write_segments(folder: Path, shown: Segmentation) -> None:
    """Write segments, and what they were before any change by hand, into a folder.

    Raises:
        ResourceError: If the disk is full.
    """
    shown.partition.to_files(folder)
    if shown.cut is not None:
        shown.cut.to_files(folder / _CUT)


def read_segments(folder: Path, embeddings: str, weights: ViewWeights) -> Segmentation:
    """Read what :func:`write_segments` wrote.

    Raises:
        ArtifactError: If a file is missing or is not what was written.
    """
    partition = Partition.from_files(folder)
    cut = Partition.from_files(folder / _CUT) if partition.edits else None
    return Segmentation(embeddings, weights, partition, cut=cut)


def _read(store: Store, key: str, n_users: int) -> Segmentation | None:
    try:
        with store.undisturbed():  # all its files are of one moment
            artifact = store.find(STAGE, key)
            if artifact is None:
                return None
            weights = ViewWeights.checked(**artifact.settings["weights"])
            same = artifact.settings.get("continues")
            continues = None if same is None else {int(one): float(index) for one, index in same.items()}
            kept = replace(
                read_segments(artifact.path, artifact.inputs["embed"], weights), continues=continues
            )
    except (Beha2VecError, OSError, KeyError):  # damaged, or the cache was deleted at this moment
        return None
    return kept if len(kept.partition.labels) == n_users else None


def _as_name(kept: object) -> object:
    """Turn a name of earlier releases, which kept the text alone, into today's form."""
    return {"text": kept} if isinstance(kept, str) else kept


KeptNames = dict[int, Annotated[SegmentName, BeforeValidator(_as_name)]]


def names(store: Store, model: str) -> dict[int, str]:
    """Read the analyst's own names for a model's segments: segment → name.

    Raises:
        ResourceError: If the disk refuses.
    """
    return {segment: name.text for segment, name in given_names(store, model).items()}


def given_names(store: Store, model: str) -> dict[int, SegmentName]:
    """Read the analyst's own names: segment → name, with the evidence for it when it was given.

    Raises:
        ResourceError: If the disk refuses.
    """
    return _names(store, model).read() or {}


def rename(
    store: Store,
    model: str,
    changes: Mapping[int, str],
    evidence: Mapping[int, tuple[NameEvidence, ...]] = MappingProxyType({}),
) -> dict[int, str]:
    """Change names of segments; an empty one removes the name.

    Args:
        store: Where they are kept.
        model: Content key of the model.
        changes: Segment → name, cut at :data:`MAX_NAME_LENGTH` characters.
        evidence: Segment → what sets it apart now, by which its name is judged later.

    Returns:
        All names as they are now.

    Raises:
        ResourceError: If the disk is full; the old names are still there.
    """
    tidy = {
        segment: SegmentName(" ".join(name.split())[:MAX_NAME_LENGTH], evidence.get(segment, ()))
        for segment, name in changes.items()
    }
    with store.in_turn():
        before = given_names(store, model)
        kept = {segment: name for segment, name in sorted((before | tidy).items()) if name.text}
        if kept != before:
            _history(store, model).write([*earlier_names(store, model), before][-_HISTORY:])
            _names(store, model).write(kept)
    return {segment: name.text for segment, name in kept.items()}


def carry_over_names(store: Store, model: str, earlier: str, continues: Mapping[int, float]) -> None:
    """Copy an earlier model's names to segments of a new model that :data:`RECOVERED` says are the same.

    Nothing is copied where the new model has names.

    Raises:
        ResourceError: If the disk refuses.
    """
    same = {segment for segment, index in continues.items() if index >= RECOVERED}
    given = {segment: name for segment, name in given_names(store, earlier).items() if segment in same}
    if given and not given_names(store, model):
        texts = {segment: name.text for segment, name in given.items()}
        rename(store, model, texts, {segment: name.evidence for segment, name in given.items()})


def earlier_names(store: Store, model: str) -> list[KeptNames]:
    """The names of a model's segments as they were before each change, the oldest first.

    Raises:
        ResourceError: If the disk refuses.
    """
    return _history(store, model).read() or []


def undo_names(store: Store, model: str) -> dict[int, str]:
    """Go back to the names before the last change.

    Raises:
        ResourceError: If the disk is full; the names are as they were.
    """
    with store.in_turn():
        *older, before = earlier_names(store, model) or [given_names(store, model)]
        _names(store, model).write(before)
        _history(store, model).write(older)
    return names(store, model)


def note_names(store: Store, model: str, changes: int) -> None:
    """Save the names before one more change of the segments by hand, for :func:`restore_names`.

    Args:
        store: Where they are kept.
        model: Content key of the model.
        changes: Number of changes by hand that came before.

    Raises:
        ResourceError: If the disk refuses.
    """
    with store.in_turn():
        kept = _names_by_hand(store, model)
        kept.write([*(kept.read() or [])[:changes], given_names(store, model)])


def restore_names(store: Store, model: str, changes: int, segments: Iterable[int]) -> None:
    """Give segments back the names that they had before a change by hand that was taken back.

    Args:
        store: Where they are kept.
        model: Content key of the model.
        changes: Number of changes by hand that are left.
        segments: Segments that the change was about.

    Raises:
        ResourceError: If the disk refuses.
    """
    for was in (_names_by_hand(store, model).read() or [])[changes : changes + 1]:
        names = {segment: was.get(segment, SegmentName("")) for segment in segments}
        evidence = {segment: name.evidence for segment, name in names.items()}
        rename(store, model, {segment: name.text for segment, name in names.items()}, evidence)


def choose_vectors(store: Store, model: str, embeddings: str) -> None:
    """Save which vectors of a model are shown, by content key: those made from the labels of now.

    Raises:
        ResourceError: If the disk is full.
    """
    _vectors(store, model).write(embeddings)


def chosen_vectors(store: Store, model: str) -> str:
    """Read the content key of the chosen vectors; empty where none were, or the disk refuses."""
    with suppress(ResourceError):
        return _vectors(store, model).read() or ""
    return ""


def _names(store: Store, model: str) -> JsonFile[KeptNames]:
    return JsonFile(store.root / STAGE / f"{model}.names.json", KeptNames)


def _history(store: Store, model: str) -> JsonFile[list[KeptNames]]:
    return JsonFile(store.root / STAGE / f"{model}.names.history.json", list[KeptNames])


def _names_by_hand(store: Store, model: str) -> JsonFile[list[KeptNames]]:
    """Names before the first change by hand, before the second and so on."""
    return JsonFile(store.root / STAGE / f"{model}.names.by_hand.json", list[KeptNames])


def _vectors(store: Store, model: str) -> JsonFile[str]:
    return JsonFile(store.root / STAGE / f"{model}.vectors.json", str)
