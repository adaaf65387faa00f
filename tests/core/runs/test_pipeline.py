"""The stages and the keys of what they leave."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.base.progress import silent
from core.base.settings import (
    PRESETS,
    ClusterSettings,
    IngestSettings,
    Preset,
    Settings,
    TrainSettings,
    ViewWeights,
)
from core.ingest.sample import write_sample
from core.labels.label_settings import LabelSettings
from core.profiles.differences import Diff
from core.profiles.other_sessions import OTHER_SESSIONS
from core.profiles.profile_columns import MetricRole
from core.runs import artifacts, pipeline, tasks
from core.runs.artifacts import Embeddings
from core.runs.pipeline import RunSettings
from core.runs.stages import LAYOUT, LEVELS, SCORECARD, KeptStage, ScorecardRequest, VectorsRequest
from core.storage.store import Store, content_key
from tests.core.segments.made_levels import TOO_FEW, supported

MIXED = VectorsRequest(dataset="d", embeddings="e", weights=ViewWeights())


def judged(weights: ViewWeights, *outcomes: str) -> ScorecardRequest:
    return ScorecardRequest(
        dataset="d", labels="", model="m", embeddings="e", weights=weights, outcomes=outcomes
    )


def dumped(settings: Settings) -> dict[str, Any]:
    return settings.model_dump(mode="json")


@pytest.mark.parametrize(
    ("key", "stage", "settings", "inputs"),
    [
        ("1075d92213e8f7c7f6f135e9", "preprocess", dumped(IngestSettings()), {}),
        ("b8ae8bcbbf7a76d20cf0c19d", "label", dumped(LabelSettings()), {}),
        ("d3f3c31bc828b637fb1db59d", "train", dumped(TrainSettings()), {}),
        ("5196683a22c181ea9719ad3c", "train", dumped(TrainSettings.preset(Preset.THOROUGH)), {}),
        ("ed2bdd2f5e9631fe583e657f", "embed", {}, {"preprocess": "p", "train": "t"}),
        ("30cb975b032bff8886505780", "layout", *LAYOUT.made_of(MIXED)),
        ("bde54cf6f4e697e0ff9d7c4e", "scorecard", *SCORECARD.made_of(judged(ViewWeights(), "purchase"))),
    ],
)
def test_the_keys_of_what_lies_on_disk_stay(
    key: str, stage: str, settings: dict[str, Any], inputs: dict[str, str]
) -> None:
    """Written down in November 2026; with another key, analysts wait for what is in their cache already."""
    assert content_key(stage, settings, inputs) == key


def test_a_number_that_is_left_open_is_the_suggestion() -> None:
    left_open = RunSettings(cluster=ClusterSettings(auto=True))
    assert left_open.settled(supported(2, 5)).cluster.n_clusters == 5
    assert left_open.settled(TOO_FEW).cluster.n_clusters == 2
    assert RunSettings().settled(supported(5)) == RunSettings()


def test_other_weights_or_another_outcome_are_another_scorecard() -> None:
    usual = SCORECARD.key(judged(ViewWeights(), "purchase"))
    assert usual != SCORECARD.key(judged(ViewWeights(url=1.0), "purchase"))
    assert usual != SCORECARD.key(judged(ViewWeights()))


def test_a_model_is_there_where_its_map_cannot_be_drawn(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def run(stage: KeptStage[Any, Any], *_: object) -> dict[str, str]:
        if stage is LAYOUT:
            raise KeyError("a bug")
        return {stage.name: "evidence"}

    made = SimpleNamespace(key="made", artifact=SimpleNamespace(key="vectors"))
    monkeypatch.setattr(artifacts, "open_dataset", lambda *_: made)
    for stage in ("label", "train", "embed"):
        monkeypatch.setattr(pipeline, stage, lambda *_: made)
    monkeypatch.setattr(KeptStage, "run", run)
    asked = tasks.TrainRequest(dataset="d", label=LabelSettings(), settings=TrainSettings.preset(Preset.FAST))
    assert tasks.train(Store(tmp_path), asked, silent) == {
        "dataset": "made", "labels": "made", "model": "made", "embeddings": "vectors",
        LEVELS.name: "evidence",
    }  # fmt: skip


def test_pages_of_segments_are_tested_where_users_have_several_sessions(tmp_path: Path) -> None:
    """By first parts beside the vectors; without them, or dealt by other chance, nothing is tested."""
    write_sample(tmp_path / "shop.csv", 700, 1, silent)
    store, settings = Store(tmp_path / "store"), TrainSettings.checked(**PRESETS[Preset.BAG])
    dataset = pipeline.preprocess(store, [tmp_path / "shop.csv"], IngestSettings(), silent)
    model = pipeline.train(store, dataset, None, settings, silent)
    made = pipeline.embed(store, dataset, None, model, silent)

    def tests(vectors: Embeddings, activity: float = 0) -> set[str]:
        weights, two = ViewWeights(activity=activity), ClusterSettings(n_clusters=2, auto=False)
        settings = RunSettings(weights=weights, cluster=two)
        table = pipeline.segment(dataset, None, vectors, settings, silent).differences
        return set(table.loc[table[Diff.ROLE] == MetricRole.INPUT, Diff.TEST])

    assert tests(made) == tests(made, activity=0.3) == {"", OTHER_SESSIONS}
    assert tests(replace(made, first_parts={})) == {""}
    dealt = made.artifact.path / artifacts.DEALT
    np.save(dealt, np.load(dealt)[:, ::-1])
    assert pipeline.other_sessions(made, None) is None
