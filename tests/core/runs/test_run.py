from pathlib import Path

import pytest

from core.base.errors import ArtifactError, SettingsError
from core.base.settings import ClusterSettings
from core.runs.pipeline import RunSettings
from core.runs.run import PreviousRun, read_previous, resume_settings

BEFORE = PreviousRun(RunSettings(cluster=ClusterSettings(n_clusters=5, seed=3)), {}, {})


def test_what_is_not_named_stays_as_it_was() -> None:
    now = resume_settings(BEFORE, {"cluster": {"n_clusters": 8}}, "cluster")
    assert now.cluster == ClusterSettings(n_clusters=8, seed=3)
    assert now.train == BEFORE.settings.train


def test_a_setting_of_a_skipped_stage_may_be_named_if_it_is_the_same() -> None:
    assert resume_settings(BEFORE, {"train": {"epochs": BEFORE.settings.train.epochs}}, "cluster")


@pytest.mark.parametrize(
    ("part", "values", "stage", "needed"),
    [
        ("train", {"epochs": 99}, "cluster", "train"),
        ("weights", {"url": 1.0, "theme": 0.0, "type": 0.0}, "cluster", "combine"),
        ("ingest", {"exclude_debug": False}, "train", "preprocess"),
        ("cluster", {"n_clusters": 9}, "analyze", "cluster"),
    ],
)
def test_a_setting_of_a_skipped_stage_may_not_change(
    part: str, values: dict[str, object], stage: str, needed: str
) -> None:
    with pytest.raises(SettingsError, match=f"--from-stage {needed}"):
        resume_settings(BEFORE, {part: values}, stage)


def test_a_folder_without_a_run_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="without --from-stage"):
        read_previous(tmp_path)
