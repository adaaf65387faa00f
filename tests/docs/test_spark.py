"""The commands of docs/how-to/spark.md as they stand there, up to where a cluster would be asked."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from unittest import mock

import pytest

from core.scoring import on_spark
from core.scoring.spark.requirements import Master
from tests.core.cli.calls import cli
from tests.docs.conftest import ROOT

TEXT = (ROOT / "docs" / "how-to" / "spark.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python -m core (.*)$", TEXT, re.MULTILINE)


@pytest.mark.parametrize(
    ("command", "asked"), [*zip(COMMANDS, ("run_on_spark", "embed_on_spark"), strict=True)]
)
def test_a_command_reaches_spark_with_its_master(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, asked: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with (
        mock.patch.object(on_spark, asked, autospec=True, side_effect=RuntimeError) as called,
        pytest.raises(RuntimeError),
    ):
        cli(*shlex.split(command))
    assert Master.read(called.call_args.kwargs["master"]).is_cluster
