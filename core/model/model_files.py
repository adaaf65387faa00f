"""Write and read a trained model: tensors in safetensors, everything else in JSON, never pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from core.base.errors import ArtifactError
from core.base.schema import View
from core.base.settings import Settings, TrainSettings
from core.model.feature_blocks import ViewHead, block_width, head_tensors, read_heads
from core.model.network import UserBehaviorTransformer
from core.model.vocabulary import ItemVocabulary, LabelVocabulary, Vocabulary
from core.storage.disk import atomic_write, write_text_atomic

FORMAT: Final = 5
"""Version of a model folder, raised when older folders can no longer be read."""
HEADS_VERSION: Final = 2
"""Version of the fitted heads, raised when the same training gets others; older models are still read."""
WEIGHTS, CONFIG, HEADS = "weights.safetensors", "config.json", "heads.safetensors"
VOCABULARY, TRAINING = "vocabulary.json", "training.json"


class CurveRow(Settings):
    """One point of the training curve.

    Args:
        step: Steps done.
        epoch: Epoch the step belongs to, from 1.
        loss: Mean loss since the row before.
        valid_mrr: Retrieval among held-out users, at the end of an epoch when there are enough of them.
        users_per_s: Users a second since the row before.
    """

    step: int
    epoch: int
    loss: float
    valid_mrr: float | None = None
    users_per_s: float

    def figures(self) -> dict[str, float]:
        """Field → value; without ``valid_mrr`` where it is None."""
        return self.model_dump(exclude_none=True)


class HeadReport(BaseModel):
    """How the heads of a model were fitted.

    Args:
        network_share: Standard deviation of the network beside 1 of other blocks; 0 leaves it out.
        mrr: Mean reciprocal rank of users held out by share of the network; empty with too few of them.
        blocks: Blocks that the head of each view uses.
        beyond_chance: Of pages, order, tempo, themes and types, in how many directions two parts of the same
            user agree beyond chance, and how many features there are.
        length_r2: R² of predicting the log of a user's page views; None with too few users held out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    network_share: float
    mrr: dict[float, float]
    blocks: dict[View, tuple[str, ...]]
    beyond_chance: dict[str, tuple[int, int]]
    length_r2: float | None


class TrainReport(BaseModel):
    """``training.json``: what the training saw and how it went.

    Args:
        users: Users with a page view.
        min_views: Page views that a user needed to take part.
        trained_users: Users that the model learnt from.
        held_out_users: Users held out from the training.
        valid_users: Held-out users that validation searches among.
        items: Token ids a view: pages and directories, or labels, with padding and unknown.
        epochs: Epochs done; more than asked for on small data, fewer on large.
        batch_size: Users a step.
        steps: Steps done.
        seconds: Wall time, of all attempts where it was resumed.
        valid_mrr: Retrieval after the last step.
        curve: Rows in order of steps.
        heads: How the heads of the views were made; None for a bag of pages.
    """

    # extra: models that are published already also say ``processes``, and must open
    model_config = ConfigDict(frozen=True, extra="ignore")

    users: int
    min_views: int
    trained_users: int
    held_out_users: int
    valid_users: int
    items: dict[View, int]
    epochs: int
    batch_size: int
    steps: int
    seconds: float
    valid_mrr: float | None
    curve: tuple[CurveRow, ...]
    heads: HeadReport | None = None


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A trained network with its settings, vocabularies and heads, ready to embed users."""

    network: UserBehaviorTransformer
    settings: TrainSettings
    vocabularies: Mapping[View, ItemVocabulary]
    heads: Mapping[View, ViewHead]

    @property
    def max_length(self) -> int:
        """How many of a user's latest page views the model reads."""
        return self.settings.max_length


def save_model(folder: Path, model: TrainedModel, report: TrainReport) -> None:
    """Write a trained model and its report into a folder.

    Raises:
        ResourceError: If the disk is full.
    """
    folder.mkdir(exist_ok=True)
    weights = {name: tensor.cpu().contiguous() for name, tensor in model.network.state_dict().items()}
    write_tensors(folder / WEIGHTS, weights, {})
    write_tensors(folder / HEADS, head_tensors(model.heads), {})
    config = {"format": FORMAT, **model.settings.model_dump(mode="json")}
    write_text_atomic(folder / CONFIG, json.dumps(config, indent=1))
    tokens = {view.value: vocabulary.to_json() for view, vocabulary in model.vocabularies.items()}
    write_text_atomic(folder / VOCABULARY, json.dumps(tokens, ensure_ascii=False))
    write_text_atomic(folder / TRAINING, report.model_dump_json(indent=1))


def load_model(folder: Traversable) -> TrainedModel:
    """Read a model folder, checking that its parts fit together.

    Raises:
        ArtifactError: If a file is missing, damaged, of another format, or does not fit the others.
    """
    settings, vocabularies = _settings(folder), load_vocabularies(folder)
    pages = _pages(vocabularies, folder)
    network = UserBehaviorTransformer(settings, pages.n_items, pages.n_transitions)
    _load_weights(network, folder / WEIGHTS)
    heads = _load_heads(folder, vocabularies, settings.embedding_dim)
    return TrainedModel(network.eval(), settings, vocabularies, heads)


def _settings(folder: Traversable) -> TrainSettings:
    path = folder / CONFIG
    config = _read_json(path)
    found = config.pop("format", None) if isinstance(config, dict) else None
    if found != FORMAT:
        raise ArtifactError(
            f"The model in {folder} has format {found}", allowed=str(FORMAT), remedy="Train again"
        )
    try:
        return TrainSettings.model_validate(config)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise _damaged(path, f"{where}: {first['msg']}") from error


def load_vocabularies(folder: Traversable) -> dict[View, ItemVocabulary]:
    """Read the vocabulary of each view from ``vocabulary.json``.

    Raises:
        ArtifactError: If it is missing or damaged.
    """
    path = folder / VOCABULARY
    data = _read_json(path)
    try:
        views = {View(name): part for name, part in data.items()}
    except (AttributeError, ValueError) as error:
        raise _damaged(path, str(error)) from error
    return {
        view: Vocabulary.from_json(part) if view is View.URL else LabelVocabulary.from_json(part)
        for view, part in views.items()
    }


def load_pages(folder: Traversable) -> tuple[str, ...]:
    """URLs that the model of a folder knows, most viewed first.

    Raises:
        ArtifactError: If its vocabulary is missing or damaged.
    """
    return _pages(load_vocabularies(folder), folder).pages


def _pages(vocabularies: Mapping[View, ItemVocabulary], folder: Traversable) -> Vocabulary:
    vocabulary = vocabularies.get(View.URL)
    if not isinstance(vocabulary, Vocabulary):
        raise _damaged(folder / VOCABULARY, "it has no url view")
    return vocabulary


def _load_weights(network: UserBehaviorTransformer, path: Traversable) -> None:
    weights = read_tensors(path)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise _damaged(path, str(error).splitlines()[-1].strip()) from error


def _load_heads(
    folder: Traversable, vocabularies: Mapping[View, ItemVocabulary], embedding_dim: int
) -> dict[View, ViewHead]:
    path = folder / HEADS
    try:
        heads = read_heads(read_tensors(path))
    except ValueError as error:
        raise _damaged(path, str(error)) from error
    wanted = _head_report(folder).blocks
    for view in vocabularies.keys() | heads.keys() | wanted.keys():
        found = set(map(str, heads[view].projections)) if view in heads else None
        if view not in vocabularies or found != set(wanted.get(view, ())):
            raise _damaged(path, f"its blocks of the {view} view are not those of {TRAINING}")
        for block, onto in heads[view].projections.items():
            width = block_width(block, vocabularies[view], embedding_dim)
            if len(onto) != width:
                raise _damaged(path, f"{view}.{block} has {len(onto)} rows instead of {width}")
    return heads


def _head_report(folder: Traversable) -> HeadReport:
    path = folder / TRAINING
    try:
        report = TrainReport.model_validate(_read_json(path))
    except ValidationError as error:
        raise _damaged(path, "it is no report of a training") from error
    if report.heads is None:
        raise _damaged(path, "it does not say how the heads were made")
    return report.heads


def write_tensors(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, str]) -> None:
    """Write tensors and texts about them as one safetensors file, whole or not at all.

    Raises:
        ResourceError: If the disk is full.
    """
    with atomic_write(path) as building:  # not by safetensors, which hides that the disk is full
        building.write_bytes(save(dict(tensors), metadata=dict(facts)))


def read_tensors(path: Traversable) -> dict[str, Tensor]:
    """Read the tensors of a safetensors file into memory.

    They are not mapped: they would change with the file, and one that shrinks would end the process (SIGBUS).

    Raises:
        ArtifactError: If the file is missing or damaged, or holds what is not a number.
    """
    try:
        tensors: dict[str, Tensor] = load(path.read_bytes())
    except OSError as error:
        raise _damaged(path, "it is missing") from error
    except SafetensorError as error:
        raise _damaged(path, str(error)) from error
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise _damaged(path, f"{name} holds what is not a number")
    return tensors


def _read_json(path: Traversable) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise _damaged(path, "it is missing") from error
    except ValueError as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: Traversable, problem: str) -> ArtifactError:
    return ArtifactError(f"{path} is not a model file: {problem}", remedy="Train again")
