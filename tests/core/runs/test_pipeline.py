"""The stages and the keys of what they leave."""

from __future__ import annotations

from typing import Any

import pytest

from core.base.settings import IngestSettings, Preset, Settings, TrainSettings, ViewWeights
from core.labels.label_settings import LabelSettings
from core.runs import tasks
from core.storage.store import content_key
from core.trust import result

MIXED = tasks.VectorsRequest(dataset="d", embeddings="e", weights=ViewWeights())


def dumped(settings: Settings) -> dict[str, Any]:
    return settings.model_dump(mode="json")


@pytest.mark.parametrize(
    ("key", "stage", "settings", "inputs"),
    [
        ("70eddac36d5ecfbbe6c3d872", "preprocess", dumped(IngestSettings()), {}),
        ("1462436b13cc6f97fbd98414", "label", dumped(LabelSettings()), {}),
        ("a20c4355d5ee66908f5964b3", "train", dumped(TrainSettings()), {}),
        ("502bf6469c7869e9b05813ad", "train", dumped(TrainSettings.preset(Preset.THOROUGH)), {}),
        ("625df9c8fbed3e77e1c19492", "embed", {}, {"preprocess": "p", "train": "t"}),
        ("16456207144944d3e9a76a77", "choose_k", *tasks.made_of("choose_k", MIXED)),
        ("af162b6e3ef0609e66be7422", "layout", *tasks.made_of("layout", MIXED)),
        ("c82300e6ec33090a97215ecc", "scorecard", *result.made_of("e", 6, ViewWeights(), ("purchase",))),
    ],
)
def test_the_keys_of_what_lies_on_disk_stay(
    key: str, stage: str, settings: dict[str, Any], inputs: dict[str, str]
) -> None:
    """Written down in November 2026; with another key, analysts wait for what is in their cache already."""
    assert content_key(stage, settings, inputs) == key
