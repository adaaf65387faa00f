"""Calls of the command line, with their exit status and what they said."""

from __future__ import annotations

import io
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from unittest import mock

import pytest

from core.cli.cli import main
from core.runs.report import living
from core.segments import certificate, level_search
from tests.made_once import made_once

ROOT = Path(__file__).resolve().parents[3]
BRIEF = ("--clusters", 4, "--preset", "fast", "--epochs", 1, "--labels", "rules")
QUICK = ("--clusters", 3, "--preset", "bag", "--labels", "off")
AS_FEW = "from tests.core.cli.calls import few_shuffles, main\nwith few_shuffles(): main()"


@contextmanager
def few_shuffles() -> Iterator[None]:
    """Few draws and other segments a run: what figures of many are worth has tests of its own."""
    with (
        mock.patch.multiple(
            level_search, POLES=(2,), CONCENTRATIONS=(1.0,), TRAITS=(1,), MAX_KINDS=4, MAX_CROSSED=2
        ),
        mock.patch.object(certificate, "certify", partial(certificate.certify, resamples=39)),
        mock.patch.object(living, "_NUMBERS", range(2, 4)),
    ):
        yield


@dataclass(frozen=True)
class Done:
    """How a call ended."""

    returncode: int
    stderr: str


def cli(*args: object) -> Done:
    """``python -m core …`` without the process: the same ``main``, its exit status and its stderr."""
    before = signal.getsignal(signal.SIGTERM)
    said = io.StringIO()
    try:
        with (
            mock.patch.object(sys, "argv", ["core", *map(str, args)]),
            redirect_stderr(said),
            pytest.raises(SystemExit) as ended,
        ):
            main()
    finally:
        signal.signal(signal.SIGTERM, before)
    return Done(int(ended.value.code or 0), said.getvalue())


def process(*args: object, **environ: str) -> Done:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-c", AS_FEW, *map(str, args)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | environ, capture_output=True, text=True, check=False
    )
    return Done(done.returncode, done.stderr)


def one_line_error(done: Done) -> str:
    assert done.returncode == 2, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    return lines[0]


def quick_run(factory: pytest.TempPathFactory) -> Path:
    """A folder with ``shop.csv`` and ``out``, its run; no test may change them."""

    def made(folder: Path) -> None:
        sampled = cli("sample", "--users", 200, "--seed", 1, "--out", folder / "shop.csv")
        with few_shuffles():
            done = cli("run", folder / "shop.csv", "--out", folder / "out", *QUICK)
        assert (sampled.returncode, done.returncode) == (0, 0), done.stderr

    return made_once(factory, "quick-run", made)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """``ulimit -f`` of this process."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
