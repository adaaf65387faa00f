"""``python -m core ask`` on a finished run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from core.query.execute import execute
from core.query.query import Query
from core.runs.open_run import open_context
from tests.core.cli.calls import cli, one_line_error

BY_DEVICE = {"measure": "users", "by": "device"}


def test_a_question_is_read_aloud_and_answered_with_its_population(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli("ask", "How many users saw /cart and came again?", "--out", finished).returncode == 0
    read, answer, population = capsys.readouterr().out.splitlines()
    assert read.startswith("Asked: Users who saw /cart")
    assert answer.startswith(read.removeprefix("Asked: ").rstrip("."))
    assert population.startswith("Of ")


def test_json_holds_the_figures_of_the_query(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "query.json").write_text(json.dumps(BY_DEVICE))
    for given in (json.dumps(BY_DEVICE), tmp_path / "query.json"):
        assert cli("ask", "--query", given, "--out", finished, "--json").returncode == 0
        found = json.loads(capsys.readouterr().out)
        assert list(found) == ["query", "reading", "readings", "population", "rows", "text", "declined"]
        counted = execute(Query.checked(**BY_DEVICE), open_context(finished).tables)
        assert [(row["name"], row["value"], row["n"]) for row in found["rows"]] == [
            (row.name, row.value, row.n) for row in counted.rows
        ]
        assert found["declined"] is None and found["query"] | BY_DEVICE == found["query"]


def test_what_is_not_understood_is_declined_with_the_nearest(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli("ask", "How tall is the tower?", "--out", finished, "--json").returncode == 0
    found = json.loads(capsys.readouterr().out)
    assert found["query"] is None and found["rows"] == []
    assert "tower" in found["declined"]["reason"] and found["declined"]["nearest"]
    assert cli("ask", "How tall is the tower?", "--out", finished).returncode == 0
    assert "Nearest questions" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "question, or a query"),
        (("How many users?", "--query", "{}"), "question, or a query"),
        (("--query", "{measure}"), "no JSON"),
        (("--query", "nowhere.json"), "nowhere.json"),
        (("--query", '{"measure": "height"}'), "height"),
        (("--query", '{"by": "device", "compare": "others"}'), "compare"),
    ],
)
def test_bad_input_is_one_line(finished: Path, arguments: tuple[str, ...], said: str) -> None:
    assert said in one_line_error(cli("ask", *arguments, "--out", finished))


def test_a_folder_that_holds_too_little_says_what_to_give_instead(finished: Path, tmp_path: Path) -> None:
    assert "core run INPUT" in one_line_error(cli("ask", "How many users?", "--out", tmp_path))
    shown = shutil.copytree(finished, tmp_path / "results", ignore=shutil.ignore_patterns("stages"))
    said = one_line_error(cli("ask", "How many users?", "--out", shown))
    assert "without its page views and events" in said and "core run INPUT" in said
    record = json.loads((shown / "run.json").read_text()) | {"trained_users": 100}
    (shown / "run.json").unlink()
    (shown / "run.json").write_text(json.dumps(record))
    assert "sample of its users" in one_line_error(cli("ask", "How many users?", "--out", shown))
