"""Every command of docs/how-to/forgetting.md, as it stands there, on a real run, watch and cache."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pandas as pd
import pytest

from core.base.progress import silent
from core.base.settings import IngestSettings
from core.ingest.sample import write_sample
from core.runs import pipeline
from core.storage.store import Store
from tests.core.cli.calls import cli, few_shuffles

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "how-to" / "forgetting.md").read_text(encoding="utf-8")
DRY, FORGET, PIPED, AGAIN = re.findall(r"```sh\n(.*?)\n```", TEXT, re.DOTALL)


def run(commands: str) -> str:
    """Run lines of `python -m core` in this process, as each start of its own takes seconds."""
    return "".join(_run(line.removeprefix("python -m core ")) for line in commands.splitlines())


def _run(line: str) -> str:
    with redirect_stdout(io.StringIO()) as said, few_shuffles():
        done = cli(*shlex.split(line))
    assert done.returncode == 0, done.stderr
    return said.getvalue()


def shell(command: str) -> str:
    python = f'python() {{ {sys.executable} "$@"; }}\n'
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-ec", python + command], env=env, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_commands_do_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("input", "incoming"):
        (tmp_path / name).mkdir()
    export = tmp_path / "input" / "shop.csv"
    write_sample(export, 200, 1, silent)
    (tmp_path / "input" / "shop.truth.csv").unlink()
    (tmp_path / "incoming" / "day.csv").write_bytes(export.read_bytes())
    run(AGAIN)
    pipeline.preprocess(Store(tmp_path / "cache"), [export], IngestSettings(), silent)
    ids = sorted(set(pd.read_csv(export, dtype=str)["user_pseudo_id"].dropna()))[:20]
    (tmp_path / "ids.txt").write_text("\n".join(ids[:10]))
    (tmp_path / "requests.csv").write_text("".join(f"{one},2026-11-27\n" for one in ids[10:]))
    said = run(DRY)
    assert "prepared data shop.csv" in said
    theirs = pd.read_csv(export, dtype=str)["user_pseudo_id"].isin(ids[:10]).sum()
    assert f"input file shop.csv: {theirs} records go" in said
    assert "10 of 10 ids found" in said
    assert "0 places left of 10 ids" in run(FORGET)
    assert json.loads((tmp_path / "forgotten.json").read_bytes())["left"] == []
    (tmp_path / "incoming" / "day.csv").write_bytes(export.read_bytes())
    run(AGAIN)
    assert not set(pd.read_parquet(tmp_path / "live" / "users.parquet")["user_id"]) & set(ids[:10])
    assert "0 places left of 10 ids" in shell(PIPED)
