"""The notebooks of real exports run as they stand, and say what is true; `make docs` runs the demo shop's."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.docs.conftest import ROOT
from tests.real_data import real

NOTEBOOKS = ROOT / "docs" / "notebooks"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore:.*:UserWarning"),
]  # what runs note


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def ran(name: str, export: str) -> dict[str, Any]:
    Path(export).symlink_to(real(export))
    return runpy.run_path(str(NOTEBOOKS / f"{name}.py"))


def test_an_outcome_and_what_differs() -> None:
    names = ran("outcome", "eshop_2008.csv.gz")
    visitors = names["visitors"]
    assert len(visitors.users_) == 2402
    outcome = visitors.differences_.query("family == 'outcome' and kind == 'segment'")
    assert set(outcome["role"]) == {"input"}  # what the page says

    # a file of the same events gives the same to the byte, by the command line
    names["events"].write_parquet("eshop.parquet")
    options = f"--preset fast --seed 0 --weights url=0.5,theme=0.3,type=0.2 {visitors.options}"
    command = [sys.executable, "-m", "core", "run", "eshop.parquet", "--out", "out", *options.split()]
    subprocess.run(command, check=True, capture_output=True)
    for name in ("users.parquet", "clusters.json", "profiles.json", "differences.parquet"):
        assert (visitors.out_ / name).read_bytes() == Path("out", name).read_bytes(), name


def test_new_users_every_night() -> None:
    names = ran("new_users", "deskdrop_2016.csv.gz")
    assert [len(users) > 100 for users in names["placed"].values()] == [True, True]
    assert len(names["there"]) > 100
