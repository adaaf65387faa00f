"""``--funnel FILE.yaml``: counted for every segment, into a file and the report, or refused in one line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from core.journeys.funnel import Funnel, funnels_to_yaml
from core.profiles.two_shares import wilson
from tests.core.cli.calls import cli, one_line_error


def test_every_row_has_every_step_with_its_interval(finished: Path) -> None:
    first, second = json.loads((finished / "funnels.json").read_text())
    assert (first["title"], first["within"]) == ("To the till", "user")
    keys = [row["key"] for row in first["rows"]]
    assert keys[:4] == [f"segment:{number}" for number in range(4)]
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


def test_buyers_are_at_most_those_of_the_receipt(finished: Path) -> None:
    first, _ = json.loads((finished / "funnels.json").read_text())
    told = json.loads((finished / "receipt.json").read_text())["outcome_users"]["purchase"]
    assert first["rows"][-1]["steps"][-1]["users"] <= told["users"] - told["without_page_view"]


def test_the_report_has_a_section(finished: Path) -> None:
    page = (finished / "report.html").read_text(encoding="utf-8")
    assert 'id="funnels"' in page
    assert "To the till" in page
    assert "1. Product" in page


def test_a_run_that_is_stepped_into_keeps_its_funnels(finished: Path, tmp_path: Path) -> None:
    out = shutil.copytree(finished, tmp_path / "out")
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
    finished: Path, tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "funnels.yaml"
    file.write_text(text, encoding="utf-8")
    before = (finished / "run.json").read_bytes()
    assert said in one_line_error(cli("run", "--out", finished, "--from-stage", "analyze", "--funnel", file))
    assert (finished / "run.json").read_bytes() == before


def test_a_file_that_is_not_there_and_a_level_that_is_not_there_are_said(shop: Path, tmp_path: Path) -> None:
    absent = cli("run", shop, "--out", tmp_path / "out", "--funnel", tmp_path / "absent.yaml")
    assert "absent.yaml cannot be read" in one_line_error(absent)
    file = tmp_path / "funnels.yaml"
    file.write_text("funnels: [{steps: [{theme: Shoes}]}]", encoding="utf-8")
    unlabelled = cli("run", shop, "--out", tmp_path / "out", "--funnel", file, "--labels", "off")
    assert "A step of a theme is not possible: these pages have none" in one_line_error(unlabelled)
