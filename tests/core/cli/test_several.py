"""``torchrun … -m core run``: the first process does the run, the other helps it train."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.core.cli.calls import BRIEF, ROOT, Done, cli

ENDED = "Another process of this run ended"


def torchrun(*args: object) -> Done:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*command, "-m", "core", *map(str, args)],
        cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=False,
    )  # fmt: skip
    return Done(done.returncode, done.stderr)


def test_two_processes_make_one_run(shop: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = torchrun("run", shop, "--out", out, *BRIEF)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(f"segments in {out}") == 1
    assert json.loads((out / "model" / "training.json").read_bytes())["processes"] == 2
    again = cli("run", shop, "--out", out, *BRIEF)  # of the same key: taken as it is
    assert again.returncode == 0, again.stderr
    assert json.loads((out / "model" / "training.json").read_bytes())["processes"] == 2


def test_bad_input_ends_both_in_one_line(tmp_path: Path) -> None:
    done = torchrun("run", tmp_path / "nowhere.csv", "--out", tmp_path / "out")
    assert done.returncode != 0
    assert sum(line.startswith("error: ") for line in done.stderr.splitlines()) == 1, done.stderr
    assert ENDED not in done.stderr
