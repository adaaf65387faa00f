"""``--funnel FILE.yaml``: counted for every segment, into a file and the report, or refused in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.journeys.funnel import Funnel
from core.journeys.funnel_yaml import funnels_to_yaml
from core.profiles.wilson import wilson
from tests.core.cli.test_cli import cli, one_line_error

FUNNELS = """funnels:
- name: To the till
  steps:
  - type: Product
  - event: [add_to_cart, begin_checkout]
  - event: purchase
- steps: [{page: '*'}, {page: /nowhere}]
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shop") / "shop.csv"
    assert cli("sample", "--users", 400, "--seed", 1, "--out", path).returncode == 0
    return path


@pytest.fixture(scope="module")
def out(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    (folder / "funnels.yaml").write_text(FUNNELS, encoding="utf-8")
    brief = ("--clusters", 3, "--preset", "bag", "--labels", "rules")
    done = cli("run", shop, "--out", folder / "out", "--funnel", folder / "funnels.yaml", *brief)
    assert done.returncode == 0, done.stderr
    return folder / "out"


def test_every_row_has_every_step_with_its_interval(out: Path) -> None:
    first, second = json.loads((out / "funnels.json").read_text())
    assert (first["title"], first["within"]) == ("To the till", "user")
    keys = [row["key"] for row in first["rows"]]
    assert keys[:3] == ["segment:0", "segment:1", "segment:2"]
    everybody = first["rows"][-1]
    assert everybody["key"] == "all"
    counts = [step["users"] for step in everybody["steps"]]
    assert counts == sorted(counts, reverse=True)
    assert 0 < counts[2] < counts[1] < counts[0] < everybody["steps"][0]["n"]
    low, high = wilson(counts[1], counts[0])
    assert everybody["steps"][1]["share_of_step_before"] == counts[1] / counts[0]
    assert everybody["steps"][1]["low_of_step_before"] == pytest.approx(float(low))
    assert everybody["steps"][1]["high_of_step_before"] == pytest.approx(float(high))
    assert everybody["steps"][1]["seconds_median"] >= 0
    assert everybody["steps"][0]["seconds_median"] is None
    assert [step["users"] for step in second["rows"][-1]["steps"]][1] == 0


def test_buyers_are_at_most_those_of_the_receipt(out: Path) -> None:
    first, _ = json.loads((out / "funnels.json").read_text())
    told = json.loads((out / "receipt.json").read_text())["outcome_users"]["purchase"]
    assert first["rows"][-1]["steps"][-1]["users"] <= told["users"] - told["without_page_view"]


def test_the_report_has_a_section(out: Path) -> None:
    page = (out / "report.html").read_text(encoding="utf-8")
    assert '<section id="funnels">' in page
    assert "To the till" in page
    assert "1. Product" in page


def test_a_run_that_is_stepped_into_keeps_its_funnels(out: Path) -> None:
    before = json.loads((out / "funnels.json").read_text())
    done = cli("run", "--out", out, "--from-stage", "analyze")
    assert done.returncode == 0, done.stderr
    assert json.loads((out / "funnels.json").read_text()) == before
    [first, _] = json.loads((out / "run.json").read_text())["settings"]["funnels"]
    assert funnels_to_yaml([Funnel.checked(**first)]) == FUNNELS_AGAIN


FUNNELS_AGAIN = """funnels:
- name: To the till
  steps:
  - type:
    - Product
  - event:
    - add_to_cart
    - begin_checkout
  - event:
    - purchase
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("just text", "holds no funnels"),
        ("[1, 2", "is not YAML"),
        ("funnels: [{steps: []}]", "at least 1 of steps is needed"),
        (
            f"funnels: [{{steps: [{', '.join(['{page: /a}'] * 30)}]}}]",
            "at most 20 steps are possible, not 30",
        ),
        ("funnels: [{steps: [{room: /a}]}]", "step 1 has the level 'room'. Allowed: page, template, theme"),
        ("funnels: [{steps: [{page: /a}], within: soon}]", "30 minutes, 2 hours, 7 days"),
    ],
)
def test_a_file_that_is_none_is_one_line_before_the_work(
    out: Path, tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "funnels.yaml"
    file.write_text(text, encoding="utf-8")
    before = (out / "run.json").read_bytes()
    assert said in one_line_error(cli("run", "--out", out, "--from-stage", "analyze", "--funnel", file))
    assert (out / "run.json").read_bytes() == before


def test_a_file_that_is_not_there_and_a_level_that_is_not_there_are_said(shop: Path, tmp_path: Path) -> None:
    absent = cli("run", shop, "--out", tmp_path / "out", "--funnel", tmp_path / "absent.yaml")
    assert "absent.yaml cannot be read" in one_line_error(absent)
    file = tmp_path / "funnels.yaml"
    file.write_text("funnels: [{steps: [{theme: Shoes}]}]", encoding="utf-8")
    unlabelled = cli("run", shop, "--out", tmp_path / "out", "--funnel", file, "--labels", "off")
    assert "A step of a theme is not possible: these pages have none" in one_line_error(unlabelled)
