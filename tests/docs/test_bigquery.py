"""Every command of docs/how-to/bigquery.md, as it stands there, against an emulator."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from core.base.progress import silent
from core.ingest.sample import write_sample
from core.scoring.bigquery_request import MAX_BYTES, PRICE_NOTE, PRICE_PER_TIB
from tests.bigquery_emulator import by_day, load
from tests.bigquery_emulator import emulator as emulator
from tests.core.cli.calls import cli
from tests.docs.conftest import ROOT

TEXT = (ROOT / "docs" / "how-to" / "bigquery.md").read_text(encoding="utf-8")
WHOLE, SAMPLED = re.findall(r"```sh\n(.*?)\n```", TEXT, re.DOTALL)
QUICK = " --labels off --preset bag --clusters 3"


@pytest.fixture(scope="module")
def done(emulator: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The page's tables in the emulator, and a folder in which its commands were run."""
    place = tmp_path_factory.mktemp("bigquery")
    write_sample(place / "shop.csv", 300, 5, silent)
    one_day = by_day(place / "shop.csv").values()
    halves = [[record for records in list(one_day)[half::2] for record in records] for half in (0, 1)]
    load(emulator, {"20261001": halves[0], "20261005": halves[1]}, project="your-project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("BIGQUERY_EMULATOR_HOST", emulator)
        for name, command in (("refused", WHOLE.replace(" --yes", "")), ("out", WHOLE), ("sampled", SAMPLED)):
            ended = cli(*shlex.split((command + QUICK).removeprefix("python -m core ")))
            (place / f"{name}.txt").write_text(f"{ended.returncode} {ended.stderr}")
            (place / f"{name}.files").write_text(" ".join(path.name for path in place.rglob("*.parquet")))
        yield place


def test_without_an_agreement_nothing_is_read(done: Path) -> None:
    said = (done / "refused.txt").read_text()
    assert said.startswith("2 ")
    assert "nobody agreed" in said
    assert (done / "refused.files").read_text() == ""


def test_the_run_says_what_it_would_cost_and_reads(done: Path) -> None:
    said = (done / "out.txt").read_text()
    assert said.startswith("0 "), said
    assert "2 days of your-project.analytics_123456789.events_* found." in said
    assert "2026-10-02, 2026-10-03, 2026-10-04: no table." in said
    assert "at $6.25 a TiB" in said
    receipt = json.loads((done / "out" / "receipt.json").read_text())
    assert [file["name"] for file in receipt["files"]] == [
        "events_20261001.parquet",
        "events_20261005.parquet",
    ]


def test_a_share_of_the_users_is_some_users_with_all_their_events(done: Path) -> None:
    said = (done / "sampled.txt").read_text()
    assert said.startswith("0 "), said
    assert "50.0% of the users" in said
    assert "at $7.5 a TiB." in said
    users, some = (
        pd.read_parquet(done / out / "users.parquet").set_index("user_id")["page_views"]
        for out in ("out", "sampled")
    )
    assert 0.3 * len(users) < len(some) < 0.7 * len(users)
    pd.testing.assert_series_equal(some, users[some.index])


def test_the_page_states_what_the_code_has() -> None:
    assert f"${PRICE_PER_TIB:g} a TiB ({PRICE_NOTE})" in TEXT
    assert f"{MAX_BYTES // 10**9} GB if not named" in TEXT
