"""What was done until segments were as they are, in order, read from what the stages left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from core.base.errors import SettingsError
from core.base.schema import View
from core.base.settings import Encoder, IngestSettings, Settings, TrainSettings, ViewWeights
from core.base.wording import counted
from core.data.receipt import Receipt
from core.desk.controls import percentages
from core.desk.saved_work import Segmentation
from core.labels.label_settings import LabelSettings
from core.storage.store import MANIFEST, Manifest


def run_log(
    receipt: Receipt, stages: Mapping[str, Path], segments: Segmentation, names: Mapping[int, str]
) -> tuple[str, ...]:
    """Tell how segments came about.

    Args:
        receipt: Of the data set.
        stages: ``preprocess``, ``label`` (where pages were labelled), ``train`` → folder of its artifact.
        segments: The segments.
        names: Those that the analyst gave.
    """
    cluster, weights = segments.partition.settings, segments.weights
    lines = [_of_stage(name, folder, receipt) for name, folder in stages.items()]
    lines.append(
        f"{counted(len(segments.partition.ids), 'segment')} cut by K-Means,"
        f" seed {cluster.seed}, weights {weights_text(weights)}"
    )
    lines += [f"By hand: {edit.text}" for edit in segments.partition.edits]
    if names:
        lines.append("Named: " + ", ".join(f"{segment} {name}" for segment, name in sorted(names.items())))
    return tuple(lines)


def weights_text(weights: ViewWeights) -> str:
    """Views that have a weight, in percent: ``url 63 / theme 37``."""
    shares = percentages(weights, tuple(View)).items()
    return " / ".join(f"{view} {share}" for view, share in shares if share)


def _of_stage(stage: str, folder: Path, receipt: Receipt) -> str:
    made = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    when = datetime.fromtimestamp((folder / MANIFEST).stat().st_mtime, UTC)
    told, kind = _TOLD[stage]
    return f"{when:%Y-%m-%d %H:%M} UTC: {told(receipt, made.settings)}{_unusual(kind, made.settings)}"


def _prepared(receipt: Receipt, settings: Mapping[str, Any]) -> str:
    files = ", ".join(file.name for file in receipt.files[:3]) + (" …" if len(receipt.files) > 3 else "")
    return f"{files} prepared: {receipt.users:,} users, {receipt.page_views_used:,} page views"


def _labelled(receipt: Receipt, settings: Mapping[str, Any]) -> str:
    return "Pages labelled"


def _trained(receipt: Receipt, settings: Mapping[str, Any]) -> str:
    mine = TrainSettings.checked(**settings)
    if mine.encoder is Encoder.BAG:
        return "A bag of pages, nothing trained"
    return f"Model trained, {counted(mine.epochs, 'epoch')} asked for, seed {mine.seed}"


_TOLD: Final[dict[str, tuple[Callable[[Receipt, Mapping[str, Any]], str], type[Settings]]]] = {
    "preprocess": (_prepared, IngestSettings),
    "label": (_labelled, LabelSettings),
    "train": (_trained, TrainSettings),
}
"""Stage → what is told of it, and its settings."""


def _unusual(kind: type[Settings], settings: Mapping[str, Any]) -> str:
    """Names of the settings that differ from what is usual."""
    with suppress(SettingsError):
        usual, mine = kind(), kind.checked(**settings)
        other = [name for name in kind.model_fields if getattr(usual, name) != getattr(mine, name)]
        return f" (set: {', '.join(other)})" if other else ""
    return ""
