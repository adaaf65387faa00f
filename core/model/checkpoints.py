"""Where a training stands, in one file that is replaced as a whole.

The randomness of a step depends on the seed and the number of the step alone, so weights, moments of
the optimiser and that number are all there is to save, and a resumed run ends where a straight one does.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from torch import Tensor

from core.base.errors import ArtifactError
from core.base.settings import TrainSettings
from core.model.inputs import TokenStreams
from core.model.model_files import (
    FORMAT,
    CurveRow,
    read_tensors,
    write_tensors,
)
from core.model.network import UserBehaviorTransformer
from core.model.schedule import Schedule
from core.storage.disk import disk_errors
from core.storage.sequences import UserSequences

CHECKPOINT: Final = "checkpoint.safetensors"
_STATE: Final = "state"
_MOMENTS: Final = ("step", "exp_avg", "exp_avg_sq")
"""Names of the state that AdamW keeps of each parameter."""


class TrainingState(BaseModel):
    """How far a training has come, as its checkpoint says.

    Args:
        fingerprint: Data, settings and schedule that it belongs to.
        step: Steps done.
        seconds: Wall time of all attempts so far.
        curve: Rows of the training curve so far.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fingerprint: str
    step: int = 0
    seconds: float = 0.0
    curve: tuple[CurveRow, ...] = ()

    def after(self, step: int, row: CurveRow, seconds: float) -> TrainingState:
        """State after more steps: ``step`` in all, ``row`` added to the curve, ``seconds`` to the time."""
        return TrainingState(
            fingerprint=self.fingerprint,
            step=step,
            seconds=self.seconds + seconds,
            curve=(*self.curve, row),
        )


@dataclass(frozen=True, eq=False)
class Learner:
    """The network and its optimiser, which change during a training."""

    network: UserBehaviorTransformer
    optimizer: torch.optim.AdamW


def fingerprint(
    sequences: UserSequences,
    streams: TokenStreams,
    settings: TrainSettings,
    schedule: Schedule,
) -> str:
    """Hash of the data, settings and schedule of a training, by which its checkpoint is recognised."""
    digest = hashlib.blake2b(f"{FORMAT}{settings.model_dump_json()}{schedule}".encode(), digest_size=16)
    known = (sequences.offsets, sequences.page, sequences.timestamp, sequences.session)
    for array in (*known, streams.items, streams.transitions):
        digest.update(array.tobytes())
    return digest.hexdigest()


def save_checkpoint(folder: Path, learner: Learner, standing: TrainingState) -> None:
    """Write the checkpoint of a training in place of the one before.

    Raises:
        FileNotFoundError: If the store that the folder lies in is gone; it is not made again.
        ResourceError: If the disk is full; the checkpoint before is still there.
    """
    tensors = {f"weight.{name}": tensor.detach() for name, tensor in learner.network.named_parameters()}
    for name, parameter in learner.network.named_parameters():
        for moment in _MOMENTS:
            tensors[f"{moment}.{name}"] = learner.optimizer.state[parameter][moment]
    on_cpu = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
    with disk_errors():
        folder.parent.mkdir(exist_ok=True)
        folder.mkdir(exist_ok=True)
    write_tensors(folder / CHECKPOINT, on_cpu, {_STATE: standing.model_dump_json()})


def resume(folder: Path, learner: Learner, expected: str) -> TrainingState | None:
    """Restore network and optimiser from a checkpoint.

    Args:
        folder: Where checkpoints of this training lie.
        learner: A fresh learner; unchanged when there is nothing to resume.
        expected: Fingerprint of this training.

    Returns:
        How far the training had come; None without a checkpoint, or if it is damaged or of another training.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            standing = TrainingState.model_validate_json(file.metadata()[_STATE])
        tensors = read_tensors(path)
    except (OSError, SafetensorError, ValidationError, KeyError, TypeError, ArtifactError):
        return None
    if standing.fingerprint != expected:
        return None
    _restore(learner, tensors)
    return standing


def _restore(learner: Learner, tensors: dict[str, Tensor]) -> None:
    with torch.no_grad():
        for name, parameter in learner.network.named_parameters():
            parameter.copy_(tensors[f"weight.{name}"])
            learner.optimizer.state[parameter] = {
                moment: tensors[f"{moment}.{name}"].to(parameter.device) for moment in _MOMENTS
            }
