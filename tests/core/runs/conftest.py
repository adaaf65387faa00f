"""Jobs whose child also knows how to rest, and a shop's days with a model of the first ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.base.progress import silent
from core.base.settings import PRESETS, ClusterSettings, Preset, TrainSettings
from core.ingest.sample import write_sample
from core.labels.label_settings import LabelMode, LabelSettings
from core.runs import jobs
from core.runs.pipeline import RunSettings
from core.runs.run import run
from tests.core.cli.calls import few_shuffles
from tests.made_once import made_once

DAYS = 4


@pytest.fixture(autouse=True)
def resting_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "CHILD", "tests.core.runs.resting_child")


@pytest.fixture(scope="session")
def days(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """A shop's export, cut into files of as many records each."""
    shop = tmp_path_factory.mktemp("shop") / "shop.csv"
    write_sample(shop, 200, 1, silent)
    header, *records = shop.read_bytes().splitlines(keepends=True)
    return [header + b"".join(records[day::DAYS]) for day in range(DAYS)]


@pytest.fixture(scope="session")
def model(days: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of a run over the first two files, a bag of pages; no test may change it."""

    def trained(folder: Path) -> None:
        first = [folder / f"day{day}.csv" for day in range(2)]
        for path, content in zip(first, days, strict=False):
            path.write_bytes(content)
        settings = RunSettings(
            label=LabelSettings(mode=LabelMode.OFF),
            train=TrainSettings.checked(**PRESETS[Preset.BAG]),
            cluster=ClusterSettings(n_clusters=3, auto=False),
        )
        with few_shuffles():
            run(folder / "out", first, settings, silent)

    return made_once(tmp_path_factory, "trained-on-days", trained) / "out" / "model"
