"""The command line that repeats what is on the screen."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from core.base.places import PROGRAM
from core.base.schema import View
from core.base.settings import (
    ClusterSettings,
    Encoder,
    IngestSettings,
    OutcomeCount,
    Preset,
    TrainSettings,
    named_outcomes,
)
from core.labels.label_settings import LabelSettings, ThemeSource
from core.runs.pipeline import RunSettings
from core.segments.combination import present_weights


def command_line(settings: RunSettings, views: tuple[View, ...] = tuple(View)) -> str:
    """Command that repeats a run.

    Args:
        settings: Every setting of the run.
        views: Views that there are vectors of: weights of the others do nothing, and are left out.

    Returns:
        The command, quoted for a shell. Funnels are a file, which the page Journeys exports. Settings that
        the command line cannot name are not in it; see :func:`settings_without_option`.
    """
    shares = present_weights(views, settings.weights).items()
    weights = ",".join(f"{view}={share:g}" for view, share in shares if share)
    weights += ",insist=1" if settings.weights.insist else ""
    words = [*_cluster(settings.cluster), "--weights", weights]
    for outcome in named_outcomes(settings.analyze.outcome):
        words += ["--outcome", outcome]
    if settings.analyze.outcome_counts is not OutcomeCount.ANY:
        words += ["--outcome-counts", settings.analyze.outcome_counts]
    words += ["--funnel", "funnels.yaml"] if settings.funnels else []
    words += [] if settings.named_anyway else ["--keep-names-back"]
    return shlex.join(
        [
            *PROGRAM.split(),
            "run",
            "INPUT",
            "--out",
            "OUT",
            *words,
            *_label(settings.label),
            *_train(settings),
            *_ingest(settings),
        ]
    )


def renumbered(sizes: Mapping[int, int]) -> dict[int, int]:
    """Map numbers of segments on screen to those in a run from scratch, which numbers them by size.

    Args:
        sizes: Segment, 0-based → number of users.

    Returns:
        Number on screen → number in the run, both 1-based; without those that stay.
    """
    by_size = sorted(sizes, key=lambda segment: (-sizes[segment], segment))
    there = {segment + 1: number for number, segment in enumerate(by_size, 1) if segment + 1 != number}
    return dict(sorted(there.items()))


def _cluster(cluster: ClusterSettings) -> list[str]:
    return ["--clusters", "auto" if cluster.auto else str(cluster.n_clusters)]


def settings_without_option(settings: RunSettings) -> list[str]:
    """Names of settings that differ from their defaults and have no option on the command line, sorted."""
    ingest = {"session_gap_minutes", "exclude_bots", "mask_own"} & _changed_ingest(settings.ingest)
    train = settings.train.model_dump()
    default = TrainSettings.preset(_preset(settings.train)).model_dump()
    named = {"epochs", "seed", "device"}
    return sorted(ingest | {name for name in train if name not in named and train[name] != default.get(name)})


def _label(label: LabelSettings) -> list[str]:
    """Taxonomy and corrections are files: the command names those that the Labels page exports."""
    default = LabelSettings()
    words = [] if label.mode is default.mode else ["--labels", label.mode]
    words += _taxonomy(label, default)
    words += ["--corrections", "corrections.yaml"] if label.overrides else []
    return words + ([] if label.nli_model == default.nli_model else ["--nli-model", label.nli_model])


def _taxonomy(label: LabelSettings, default: LabelSettings) -> list[str]:
    if label.taxonomy != default.taxonomy:
        return ["--taxonomy", "taxonomy.yaml"]
    word = {ThemeSource.MINED: "mined", ThemeSource.TAXONOMY: "shop"}.get(label.themes)
    return ["--taxonomy", word] if word else []


def _train(settings: RunSettings) -> list[str]:
    preset = _preset(settings.train)
    default = TrainSettings.preset(preset)
    words = [] if preset is Preset.BALANCED else ["--preset", preset]
    if settings.train.epochs != default.epochs:
        words += ["--epochs", str(settings.train.epochs)]
    if settings.train.seed != default.seed or settings.cluster.seed != ClusterSettings().seed:
        words += ["--seed", str(settings.train.seed)]
    return words


def _preset(train: TrainSettings) -> Preset:
    """The preset from which the fewest settings differ; the default one in doubt."""
    if train.encoder is Encoder.BAG:
        return Preset.BAG
    values = train.model_dump().items()
    return min(
        (Preset.BALANCED, Preset.FAST, Preset.THOROUGH),
        key=lambda preset: len(values - TrainSettings.preset(preset).model_dump().items()),
    )


def _ingest(settings: RunSettings) -> list[str]:
    ingest, default = settings.ingest, IngestSettings()
    words = [] if ingest.user_key == default.user_key else ["--user-key", ingest.user_key]
    for field, column in ingest.mapping.items():
        words += ["--column", f"{field}={column}"]
    words += ["--page-view", ingest.page_view] if ingest.page_view else []
    words += ["--stream", ingest.stream] if ingest.stream else []
    for name in ingest.dimensions:
        words += ["--dimension", name]
    for page in ingest.strip_pages:
        words += ["--strip-page", page]
    for place in ingest.keep_places:
        words += ["--keep-place", place]
    for place in ingest.mask_places:
        words += ["--mask-place", place]
    flags = {
        "--keep-internal": not ingest.exclude_internal,
        "--keep-debug": not ingest.exclude_debug,
        "--merge-hosts": ingest.url.merge_hosts,
        "--join-logins": ingest.join_logins,
    }
    return words + [flag for flag, on in flags.items() if on]


def _changed_ingest(ingest: IngestSettings) -> set[str]:
    default = IngestSettings()
    return {name for name in IngestSettings.model_fields if getattr(ingest, name) != getattr(default, name)}
