"""What ``run`` is asked with for BigQuery, and what does not go together."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.base.errors import SettingsError
from core.cli.run_command import BIGQUERY, take_options
from tests.core.cli.calls import cli, one_line_error

DAYS = ("--table", "my-project.a.events_*", "--from", "2026-10-01", "--to", "2026-10-02")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--engine", "bigquery"), "--engine bigquery needs --table, --from, --to"),
        (("--engine", "bigquery", *DAYS[:4]), "--engine bigquery needs --to"),
        (("--engine", "bigquery", *DAYS, "events.csv"), "there is no INPUT"),
        (("--engine", "bigquery", *DAYS, "--from-stage", "train"), "no later --from-stage"),
        (
            ("events.csv", "--user-share", "0.1", "--from", "2026-10-01"),
            "--user-share belongs to BigQuery",
        ),
        (("--engine", "bigquery", *DAYS, "--max-bytes", "many"), "'many' is no size"),
        (("--engine", "bigquery", *DAYS[:3], "October", *DAYS[4:]), "'October' does not match the format"),
        (("--engine", "bigquery", "--table", "events_*", *DAYS[2:]), "The table 'events_*' is not possible"),
        (("--engine", "bigquery", *DAYS, "--user-share", "2"), "user_share"),
        (("--engine", "bigquery", *DAYS, "--user-share", "0"), "user_share"),
    ],
)
def test_what_does_not_go_together_is_said_in_a_line(
    tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    assert words in one_line_error(cli("run", "--out", tmp_path / "out", *options))


def test_without_an_input_or_an_engine(tmp_path: Path) -> None:
    assert "No INPUT was given" in one_line_error(cli("run", "--out", tmp_path / "out"))


def test_a_zero_is_a_word_of_its_own_and_not_the_default() -> None:
    options = dict.fromkeys(
        ("table", "first", "last", "user_share", "billing_project", "max_bytes", "price_per_tib")
    )
    typed = {**options, "table": "t", "first": 1, "last": 2, "price_per_tib": 0.0, "yes": False}
    assert take_options(typed, BIGQUERY) == {"table": "t", "first": 1, "last": 2, "price_per_tib": 0.0}
    with pytest.raises(SettingsError, match="--user-share belongs to BigQuery"):
        take_options({**options, "user_share": 0.0, "yes": False}, None)
