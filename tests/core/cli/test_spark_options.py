"""``--engine spark`` on the command line, as far as it goes without a cluster."""

from pathlib import Path
from unittest import mock

import pytest

from core.scoring import on_spark
from core.scoring.bounds import Bounds
from tests.core.cli.calls import cli, one_line_error

SPARK = ("--engine", "spark", "--master", "spark://127.0.0.1:1")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--master", "spark://h:1"), "--master is of Spark"),
        (("--engine", "spark"), "--engine spark needs --master. Allowed: spark://HOST:PORT"),
        (("--engine", "spark", "--master", "yarn"), "'yarn' is not the address of a Spark master"),
        ((*SPARK, "--memory", "4"), "A number alone is bytes: add GB or MB"),
        ((*SPARK, "--sample-users", "0"), "A sample of 0 users is not possible"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    options: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    (tmp_path / "day.csv").write_text("user_pseudo_id\n")
    assert said in one_line_error(cli("run", tmp_path / "day.csv", "--out", tmp_path / "out", *options))
    assert not (tmp_path / "out" / "run.json").exists()


def test_embed_needs_both_as_well(tmp_path: Path) -> None:
    asked = ("embed", "x.csv", "--model", tmp_path, "--out", tmp_path / "out.parquet", "--engine", "spark")
    assert "needs --master" in one_line_error(cli(*asked))


def test_what_was_asked_for_reaches_spark(tmp_path: Path) -> None:
    with mock.patch.object(on_spark, "run_on_spark", autospec=True, side_effect=RuntimeError) as called:
        for options, n_users in (((), None), (("--sample-users", "7"), 7)):
            with pytest.raises(RuntimeError):
                cli("run", "x.csv", "--out", tmp_path / "out", *SPARK, "--memory", "2GB", *options)
            assert called.call_args.kwargs["bounds"] == Bounds(2 * 10**9, n_users)
            assert called.call_args.kwargs["master"] == SPARK[-1]


def test_what_embed_was_asked_for_reaches_spark(tmp_path: Path) -> None:
    with mock.patch.object(on_spark, "embed_on_spark", autospec=True, side_effect=RuntimeError) as called:
        with pytest.raises(RuntimeError):
            asked = ("--model", tmp_path, "--out", tmp_path / "out.parquet", "--next", 3, "--memory", "2GB")
            cli("embed", "x.csv", *asked, *SPARK)
        *_, placing, bounds = called.call_args.args
        assert (placing.n_next, bounds, called.call_args.kwargs["master"]) == (
            3,
            Bounds(2 * 10**9),
            SPARK[-1],
        )
