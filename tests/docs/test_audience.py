"""Every command of docs/how-to/audience.md, as it stands there, against the rules of a real run."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import sqlglot

from tests.docs.conftest import ROOT, start

TEXT = (ROOT / "docs" / "how-to" / "audience.md").read_text(encoding="utf-8")
RUN, READ, FOR_BIGQUERY = re.findall(r"```sh\n(.*?)\n```", TEXT, re.DOTALL)
WORDS = re.findall(r"^\| `(.*?)`", TEXT, re.MULTILINE)


def test_rules_are_read_and_written_as_the_page_says(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "incoming", tmp_path / "incoming")
    assert start(RUN.replace(" --labels off", " --labels off --preset bag"), tmp_path).wait(timeout=250) == 0
    rules = json.loads((tmp_path / "out" / "rules.json").read_text())
    recommended = [rule for rule in rules if rule.get("recommended")]
    assert recommended
    assert start(f"({READ}\n) > told.txt", tmp_path).wait(timeout=60) == 0
    told = (tmp_path / "told.txt").read_text()
    assert all(rule["ga4"] in told for rule in recommended)
    assert start(FOR_BIGQUERY, tmp_path).wait(timeout=60) == 0
    for rule in recommended:
        query = (tmp_path / "out" / f"segment_{rule['segment']}.sql").read_text()
        assert sqlglot.parse(query, read="bigquery")[-1] is not None


def test_the_table_speaks_the_words_that_rules_use() -> None:
    """What a line of the text begins with is explained; see tests/core/rules/test_ga4.py for all of them."""
    used = ("Group 1", "matches regex", "contains", "Event count >", "most recent time period", "OR ",
            "Add group to exclude: Permanently exclude")  # fmt: skip
    source = (ROOT / "core" / "rules" / "ga4.py").read_text()
    for words in used:
        assert any(words in line for line in WORDS), words
        assert words.removesuffix(" 1") in source
