"""What was named on the command line of ``run``, as settings; what was not stays as the settings have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from core.base.errors import SettingsError
from core.base.settings import (
    PRESETS,
    AnalyzeSettings,
    ClusterSettings,
    IngestSettings,
    Preset,
    TrainSettings,
    ViewWeights,
)
from core.labels.label_settings import LabelSettings, ThemeSource, default_taxonomy
from core.runs.pipeline import RunSettings

AUTO: Final = "auto"


def wanted_settings(options: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Part of the run's settings → what was named on the command line.

    Raises:
        SettingsError: If an option cannot be parsed.
        InputError: If a file that an option names cannot be used.
    """
    from core.labels.label_yaml import read_corrections

    corrections, weights = options["corrections"], options["weights"]
    return {
        "ingest": _given(
            user_key=options["user_key"],
            mapping=_pairs("--column", options["column"], absent=True) or None,
            page_view=options["page_view"],
            stream=options["stream"],
            strip_pages=options["strip_page"] or None,
            keep_places=options["keep_place"] or None,
            mask_places=options["mask_place"] or None,
            exclude_internal=False if options["keep_internal"] else None,
            exclude_debug=False if options["keep_debug"] else None,
            url={"merge_hosts": True} if options["merge_hosts"] else None,
        ),
        "label": _given(
            mode=options["labels"],
            **_taxonomy(options["taxonomy"]),
            overrides=read_corrections(corrections) if corrections else None,
            nli_model=options["nli_model"],
        ),
        "train": _given(epochs=options["epochs"], seed=options["seed"], device=options["device"]),
        "weights": _weights(weights) if weights is not None else {},
        "cluster": _given(
            **_clusters(options["clusters"]),
            seed=options["seed"],
        ),
        "analyze": _given(outcome=options["outcome"] or None, outcome_counts=options["outcome_counts"]),
    }


def wanted_beside(options: Mapping[str, Any]) -> dict[str, Any]:
    """What changes no stage, as far as it was named: a run that is stepped into keeps its own.

    Raises:
        InputError: If the file of funnels cannot be used.
    """
    from core.journeys.funnel_yaml import read_funnels

    file = options["funnel"]
    return _given(named_anyway=options["name_anyway"], funnels=read_funnels(file) if file else None)


def _clusters(wanted: str | None) -> dict[str, Any]:
    """The number of segments, or that it is left to the evidence."""
    if wanted is None or wanted == AUTO:
        return {} if wanted is None else {"auto": True}
    if not wanted.isdecimal():
        raise SettingsError(f"--clusters {wanted!r} is not possible", allowed=f"{AUTO}, or a whole number")
    return {"n_clusters": int(wanted), "auto": False}


def _taxonomy(wanted: str | None) -> dict[str, Any]:
    """The themes that were asked for: by a word, or in a file."""
    from core.labels.label_yaml import read_taxonomy

    if wanted is None:
        return {}
    shipped = {"taxonomy": default_taxonomy()}
    words = {
        "mined": shipped | {"themes": ThemeSource.MINED},
        "shop": shipped | {"themes": ThemeSource.TAXONOMY},
    }
    return words.get(wanted) or {"taxonomy": read_taxonomy(Path(wanted)), "themes": ThemeSource.TAXONOMY}


def _given(**values: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever typer parsed; settings check it
    """Keep what was named on the command line, so that defaults are written only in settings."""
    return {name: value for name, value in values.items() if value is not None}


def resumed_settings(
    out: Path, wanted: dict[str, dict[str, Any]], preset: Preset | None, from_stage: str
) -> RunSettings:
    """The settings of an earlier run, with what was named in their place, from a stage on.

    Raises:
        Beha2VecError: If there is no such run, or a stage that is not done again would change.
    """
    from core.runs.run import read_previous, resume_settings

    if preset is not None:
        wanted["train"] = PRESETS[preset] | wanted["train"]
    return resume_settings(read_previous(out), wanted, from_stage)


def fresh_settings(wanted: dict[str, dict[str, Any]], preset: Preset | None) -> RunSettings:
    """The settings of a run from the start.

    Raises:
        SettingsError: If a value is outside its limits.
    """
    return RunSettings(
        ingest=IngestSettings.checked(**wanted["ingest"]),
        label=LabelSettings.checked(**wanted["label"]),
        train=TrainSettings.preset(preset or Preset.BALANCED, **wanted["train"]),
        weights=ViewWeights.checked(**wanted["weights"]),
        cluster=ClusterSettings.checked(**{"auto": True} | wanted["cluster"]),
        analyze=AnalyzeSettings.checked(**wanted["analyze"]),
    )


def _pairs(option: str, items: Sequence[str], absent: bool = False) -> dict[str, str]:
    split = [item.partition("=") for item in items]
    for (name, equals, value), item in zip(split, items, strict=True):
        if not (name and equals and (value or absent)):
            raise SettingsError(f"{option} {item!r} is not possible", allowed="NAME=VALUE")
    return {name.strip(): value.strip() for name, _, value in split}


def _weights(text: str) -> dict[str, float]:
    """Parse ``url=0.5,activity=0.3``; a view that is not named counts nothing."""
    pairs = _pairs("--weights", [item for item in text.split(",") if item.strip()])
    views = tuple(ViewWeights.model_fields)
    for name in pairs:
        if name not in views:
            raise SettingsError(f"--weights {name} is not possible", allowed=", ".join(views))
    try:
        return {view: float(pairs.get(view, 0.0)) for view in views}
    except ValueError as error:
        raise SettingsError(f"--weights {text!r} holds something that is not a number") from error
