"""A bound of memory, as the command line takes it."""

from pathlib import Path

import pytest

from tests.core.cli.calls import cli, one_line_error


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--memory", "10MB"), "--memory 10MB is less than a part of the users needs"),
        (("--memory", "plenty"), "'plenty' is no size"),
        (("--sample-users", 0), "A sample of 0 users is not possible"),
        (("--sample-users", 9, "--from-stage", "train"), "--from-stage train works on this machine"),
    ],
)
def test_what_is_no_bound_is_told_in_one_line(
    shop: Path, tmp_path: Path, options: tuple[object, ...], said: str
) -> None:
    assert said in one_line_error(cli("run", shop, "--out", tmp_path / "out", *options))
    assert not (tmp_path / "out").exists()
