"""A bound of memory, as the command line takes it."""

from pathlib import Path

import pyarrow as pa
import pytest

from core.scoring import bounded_run
from tests.core.cli.calls import cli, one_line_error


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--memory", "10MB"), "--memory 10MB is less than a part of the users needs"),
        (("--memory", "plenty"), "'plenty' is no size"),
        (("--sample-users", 0), "A sample of 0 users is not possible"),
        (("--sample-users", 9, "--from-stage", "train"), "holds no finished run to step into. Run it once"),
    ],
)
def test_what_is_no_bound_is_told_in_one_line(
    shop: Path, tmp_path: Path, options: tuple[object, ...], said: str
) -> None:
    assert said in one_line_error(cli("run", shop, "--out", tmp_path / "out", *options))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (MemoryError(), "none is left"),
        (pa.ArrowMemoryError("malloc of size 62914560000 failed"), "malloc of size 62914560000 failed"),
    ],
)
def test_memory_that_runs_out_is_one_line(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: MemoryError, what: str
) -> None:
    def run_out(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(bounded_run, "run_bounded", run_out)
    said = one_line_error(cli("run", shop, "--out", tmp_path / "out"))
    assert f"The memory is not enough ({what}). Close other programs, or take less: --memory" in said
