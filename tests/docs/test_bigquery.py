"""Every command of docs/how-to/bigquery.md, as it stands there, against an emulator."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pandas as pd
import pytest

from core.base.progress import silent
from core.engines.bigquery_request import MAX_BYTES, PRICE_NOTE, PRICE_PER_TIB
from core.sample import write_sample
from tests.bigquery_emulator import by_day, load
from tests.bigquery_emulator import emulator as emulator
from tests.core.cli.calls import Done, cli
from tests.docs.conftest import ROOT

TEXT = (ROOT / "docs" / "how-to" / "bigquery.md").read_text(encoding="utf-8")
WHOLE, SAMPLED = re.findall(r"```sh\n(.*?)\n```", TEXT, re.DOTALL)
QUICK = " --labels off --preset bag --clusters 3"


@pytest.fixture(scope="module")
def tables(emulator: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page's tables."""
    flat = tmp_path_factory.mktemp("shop") / "shop.csv"
    write_sample(flat, 1_500, 5, silent)
    days = list(by_day(flat).values())[:5]
    load(emulator, {f"2026100{n + 1}": records for n, records in enumerate(days)}, project="your-project")
    return emulator


@pytest.fixture
def here(tables: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", tables)
    return tmp_path


def run(command: str) -> Done:
    return cli(*shlex.split(command.removeprefix("python -m core ")))


def test_the_run_says_what_it_would_cost_and_reads(here: Path) -> None:
    done = run(WHOLE + QUICK)
    assert done.returncode == 0, done.stderr
    assert "5 days of your-project.analytics_123456789.events_* found." in done.stderr
    assert "at $6.25 a TiB" in done.stderr
    receipt = json.loads((here / "out" / "receipt.json").read_text())
    assert [file["name"] for file in receipt["files"]] == [f"events_2026100{n}.parquet" for n in range(1, 6)]
    assert len(pd.read_parquet(here / "out" / "users.parquet")) > 50


def test_without_an_agreement_nothing_is_read(here: Path) -> None:
    done = run((WHOLE + QUICK).replace(" --yes", ""))
    assert done.returncode == 2
    assert "nobody agreed" in done.stderr
    assert list((here / "out").rglob("*.parquet")) == []


def test_a_share_of_the_users_is_some_users_with_all_their_events(here: Path) -> None:
    whole, half = run(WHOLE + QUICK), run(SAMPLED + QUICK)
    assert (whole.returncode, half.returncode) == (0, 0), half.stderr
    assert "50.0% of the users" in half.stderr
    assert "at $7.5 a TiB." in half.stderr
    users, some = (
        pd.read_parquet(here / out / "users.parquet").set_index("user_id")["page_views"]
        for out in ("out", "sampled")
    )
    assert 0.3 * len(users) < len(some) < 0.7 * len(users)
    pd.testing.assert_series_equal(some, users[some.index])


def test_the_page_states_what_the_code_has() -> None:
    assert f"${PRICE_PER_TIB:g} a TiB ({PRICE_NOTE})" in TEXT
    assert f"{MAX_BYTES // 10**9} GB if not named" in TEXT
