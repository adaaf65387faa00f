"""A folder as the how-to pages mean it, and their commands as they stand there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.cli.calls import quick_run

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the page means it: a trained model, and a day's file that came."""
    folder = tmp_path_factory.mktemp("timetable")
    made = quick_run(tmp_path_factory)
    shutil.copytree(made / "out", folder / "out")
    (folder / "incoming").mkdir()
    shutil.copy(made / "shop.csv", folder / "incoming" / "day.csv")
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
