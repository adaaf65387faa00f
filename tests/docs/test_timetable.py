"""Every command of docs/how-to/timetable.md, as it stands there, against a real model."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from core.base.progress import silent
from core.base.settings import PRESETS, ClusterSettings, Preset, TrainSettings
from core.labels.label_settings import LabelMode, LabelSettings
from core.runs.pipeline import RunSettings
from core.runs.run import run
from core.sample import write_sample

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "how-to" / "timetable.md").read_text(encoding="utf-8")
FOR_GOOD, ONCE = re.findall(r"```sh\n(.*?)\n```", TEXT, re.DOTALL)
[CRON] = re.findall(r"```\n10 6 \* \* \* (.*?)\n```", TEXT)


@pytest.fixture(scope="module")
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


def test_once_and_by_cron_take_what_is_there(place: Path) -> None:
    for command in (ONCE, CRON):
        assert start(command, place).wait(timeout=250) == 0
        assert len(pd.read_parquet(place / "live" / "users.parquet")) > 100
    assert (place / "watch.log").exists()


def test_for_good_goes_on_until_it_is_ended(place: Path) -> None:
    (place / "live" / "users.parquet").unlink(missing_ok=True)
    (place / "live" / "watch.json").unlink(missing_ok=True)
    child = start(FOR_GOOD, place)
    try:
        for _ in range(1_000):
            if (place / "live" / "watch.json").exists() or child.poll() is not None:
                break
            time.sleep(0.2)
        assert child.poll() is None
        assert (place / "live" / "watch.json").exists()
    finally:
        child.terminate()
        child.wait(timeout=60)
