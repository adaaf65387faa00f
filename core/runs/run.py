"""Run all stages into a folder, or go on in it from any stage.

``OUT/stages/`` is the run's own store. The files beside it are what a run is for; those that a stage
left as they are share their bytes with the store (hard links). ``OUT/run.json`` says which results
belong together and which settings made them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from core.base.errors import ArtifactError, SettingsError
from core.base.progress import Progress
from core.journeys.funnel_table import require_steps
from core.profiles.outcomes import OutcomeIndex
from core.runs import artifacts, label_cost, pipeline
from core.runs.model_folder import StoredStages
from core.runs.pipeline import STAGES, RunSettings
from core.runs.publish import BOUNDED, RUN, Finish, publish
from core.runs.stages import LEVELS, LevelsRequest
from core.storage.dataset import Dataset
from core.storage.disk import make_folder, remove_left
from core.storage.locks import claim_folder
from core.storage.page_labels import LabelledPages
from core.storage.replace_files import finish_replacement as put_in_place
from core.storage.store import Artifact, Store

STORED: Final = ("preprocess", "label", "train", "embed")
"""Stages whose results lie in the store; the later ones take seconds and are always done again."""

SETTINGS_OF: Final = {
    "preprocess": "ingest",
    "label": "label",
    "train": "train",
    "combine": "weights",
    "cluster": "cluster",
    "analyze": "analyze",
}


TRAINED: Final = "trained_users"
"""Key in ``run.json`` where only a sample of the users took part in training."""
SHARE: Final = "sample_share"
"""Key in ``run.json`` for the share of the users that were drawn for that sample."""
NEEDED: Final = "{} holds all users, placed on a model of some of them, so their records are needed again"


@dataclass(frozen=True)
class PreviousRun:
    """Settings and keys of the earlier run in a folder.

    Args:
        settings: Its settings.
        keys: Stage → content key of its result.
        inputs: Number and name of each input → checksum.
        sampled: Whether it holds all users, placed on a model of some of them.
        share: Share of the users that it trained on, where it holds all.
    """

    settings: RunSettings
    keys: dict[str, str]
    inputs: dict[str, str]
    sampled: bool = False
    share: float | None = None


def read_previous(out: Path) -> PreviousRun:
    """Read ``run.json``, once what a killed process was publishing is in place.

    Raises:
        ArtifactError: If there is no finished run in the folder.
        ResourceError: If another process writes there.
    """
    if out.is_dir():
        put_in_place(out)
    try:
        record = json.loads((out / RUN).read_text(encoding="utf-8"))
        return PreviousRun(
            RunSettings(**record["settings"]),
            record["keys"],
            record["inputs"],
            sampled=TRAINED in record,
            share=record.get(SHARE),
        )
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise ArtifactError(
            f"{out} holds no finished run to step into",
            remedy="Run it once without --from-stage",
        ) from error


def resume_settings(previous: PreviousRun, wanted: dict[str, dict[str, Any]], from_stage: str) -> RunSettings:
    """Merge the settings of an earlier run with what is asked for now.

    Args:
        previous: The earlier run.
        wanted: Part of :class:`RunSettings` → the settings that were named now.
        from_stage: The first stage that is done again.

    Raises:
        SettingsError: If a named setting belongs to a stage that is skipped and differs from the earlier run.
    """
    skipped = STAGES[: STAGES.index(from_stage)]
    parts = {}
    for stage, part in SETTINGS_OF.items():
        before = getattr(previous.settings, part)
        now = type(before).checked(**{**dict(before), **wanted.get(part, {})})
        if stage in skipped and now != before:
            changed = [
                name for name in type(before).model_fields if getattr(now, name) != getattr(before, name)
            ]
            raise SettingsError(
                f"{', '.join(changed)} would change {stage!r}, which --from-stage {from_stage} skips",
                remedy=f"Leave it out, or use --from-stage {stage}",
            )
        parts[part] = now
    return previous.settings.model_copy(update=parts)


def run(
    out: Path,
    inputs: Sequence[Path],
    settings: RunSettings,
    progress: Progress,
    from_stage: str | None = None,
    fetch_hosts: Sequence[str] = (),
) -> dict[str, Any]:
    """Run the stages and write their results into ``out``.

    Args:
        out: The run's folder; made when absent.
        inputs: Files, folders or patterns; may be empty when ``from_stage`` is a later one.
        settings: Every setting of the run.
        progress: Where to report.
        fetch_hosts: Hosts that pages may be fetched from, this once.
        from_stage: The first stage to do again, on what the last run left of the earlier ones. Without
            it, a stage whose settings and input did not change is taken from the folder.

    Returns:
        What ``run.json`` holds.

    Raises:
        Beha2VecError: If something cannot be done, or another process writes there; what an earlier run
            left is untouched.
    """
    make_folder(out)  # before any work is done
    with claim_folder(out):
        put_in_place(out)
        remove_left(out, BOUNDED)
        return _run(out, inputs, settings, progress, from_stage, fetch_hosts)


def _run(
    out: Path,
    inputs: Sequence[Path],
    settings: RunSettings,
    progress: Progress,
    from_stage: str | None,
    fetch_hosts: Sequence[str],
) -> dict[str, Any]:
    store = Store(out / "stages")
    store.sweep()
    if kept := kept_keys(out, from_stage):
        _refuse_others(out, inputs)
    dataset = (
        artifacts.open_dataset(store, kept["preprocess"])
        if "preprocess" in kept
        else pipeline.preprocess(store, inputs, settings.ingest, progress, again=from_stage is not None)
    )
    again = from_stage is not None
    return run_from(out, store, dataset, settings, progress, kept, again=again, fetch_hosts=fetch_hosts)


def run_from(
    out: Path,
    store: Store,
    dataset: Dataset,
    settings: RunSettings,
    progress: Progress,
    kept: Mapping[str, str],
    *,
    again: bool = False,
    fetch_hosts: Sequence[str] = (),
    finish: Finish | None = None,
) -> dict[str, Any]:
    """Run the stages after preprocessing on a data set of the store, and write the run's files.

    Args:
        out: The run's folder, locked by the caller.
        store: Its store.
        dataset: The cleaned export.
        settings: Every setting of the run.
        progress: Where to report.
        kept: Stage → content key, of the stages that are not done again.
        again: Whether the others are done again even if the store has their results.
        fetch_hosts: Hosts that pages may be fetched from, this once.
        finish: As :func:`core.runs.publish.publish` takes it.
    """
    # a wrong outcome is said now, not after minutes of training; templates are known once pages have labels
    OutcomeIndex.of(dataset, None).chosen(settings.analyze.without_templates)
    if fetch_hosts and "train" not in kept:
        pipeline.fetch(store, dataset, fetch_hosts, progress)
    labels = _labels(store, dataset, kept, settings, progress, again=again)
    OutcomeIndex.of(dataset, labels).chosen(settings.analyze)
    require_steps(settings.funnels, dataset, labels)
    model, embeddings = _learned(store, dataset, labels, kept, settings, progress, again=again)
    results = StoredStages(dataset, labels, model, embeddings)
    record = publish(out, store, results, settings, progress, finish)
    levels = LEVELS.key(LevelsRequest(dataset=dataset.key, labels=labels.key if labels else ""))
    _keep_only(store, record["keys"] | {LEVELS.name: levels})
    return record


def _learned(
    store: Store,
    dataset: Dataset,
    labels: LabelledPages | None,
    kept: Mapping[str, str],
    settings: RunSettings,
    progress: Progress,
    *,
    again: bool,
) -> tuple[Artifact, artifacts.Embeddings]:
    """Train and embed, or open the results of the earlier run where these stages are skipped."""
    model = (
        artifacts.open_model(store, kept["train"])
        if "train" in kept
        else pipeline.train(store, dataset, labels, settings.train, progress, again=again)
    )
    if "embed" in kept:
        return model, artifacts.open_embeddings(store, dataset, kept["embed"])
    device = settings.train.device
    return model, pipeline.embed(store, dataset, labels, model, progress, device, again=again)


def _labels(
    store: Store,
    dataset: Dataset,
    kept: Mapping[str, str],
    settings: RunSettings,
    progress: Progress,
    *,
    again: bool,
) -> LabelledPages | None:
    """Label pages, or open the labels of the earlier run; None where labelling is off."""
    if "label" in kept:
        return artifacts.open_labels(store, kept["label"])
    if "train" in kept:  # trained without labels
        return None
    label_cost.announce(store, dataset, settings.label, progress)
    return pipeline.label(store, dataset, settings.label, progress, again=again)


def kept_keys(out: Path, from_stage: str | None) -> dict[str, str]:
    """Stored stage before ``from_stage`` → content key of the earlier run's result; empty for None.

    Raises:
        ArtifactError: If there is no such run.
    """
    if from_stage in (None, STAGES[0]):
        return {}
    previous = read_previous(out)
    first = STAGES.index(from_stage)
    skipped = [stage for stage in STORED if STAGES.index(stage) < first]
    return {stage: previous.keys[stage] for stage in skipped if stage in previous.keys}


def _refuse_others(out: Path, inputs: Sequence[Path]) -> None:
    """Refuse other files than those of the earlier run, and a run that was placed on a sample."""
    previous = read_previous(out)
    if previous.sampled:
        raise SettingsError(NEEDED.format(out), remedy="Name INPUT")
    if inputs and pipeline.fingerprints(inputs) != previous.inputs:
        raise SettingsError(
            f"{out} was made from other files than {', '.join(map(str, inputs))}",
            remedy="Leave the input out to go on with the run as it is, or run again without --from-stage",
        )


def _keep_only(store: Store, keys: dict[str, str]) -> None:
    """Drop results that the finished run no longer refers to."""
    for stage, key in keys.items():
        for path in (store.root / stage).glob("[!.]*"):  # a sweep knows what begins with a dot
            if path.name != key:
                shutil.rmtree(path, ignore_errors=True)
