"""A folder as the how-to pages mean it, and their commands as they stand there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.base.progress import silent
from core.base.settings import PRESETS, ClusterSettings, Preset, TrainSettings
from core.labels.label_settings import LabelMode, LabelSettings
from core.runs.pipeline import RunSettings
from core.runs.run import run
from core.sample import write_sample
from tests.core.cli.calls import few_shuffles

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the page means it: a trained model, and a day's file that came."""
    folder = tmp_path_factory.mktemp("timetable")
    (folder / "incoming").mkdir()
    write_sample(folder / "day.csv", 200, 1, silent)
    (folder / "day.csv").rename(folder / "incoming" / "day.csv")  # its truth stays here
    settings = RunSettings(
        label=LabelSettings(mode=LabelMode.OFF),
        train=TrainSettings.checked(**PRESETS[Preset.BAG]),
        cluster=ClusterSettings(n_clusters=3),
    )
    with few_shuffles():
        run(folder / "out", [folder / "incoming" / "day.csv"], settings, silent)
    (folder / ".venv" / "bin").mkdir(parents=True)
    python = folder / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return folder


def start(command: str, place: Path) -> subprocess.Popen[bytes]:
    here = command.replace("/srv/beha2vec", str(place))
    python = f'python() {{ exec {sys.executable} "$@"; }}\n'
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(["bash", "-ec", python + here], cwd=place, env=env)
