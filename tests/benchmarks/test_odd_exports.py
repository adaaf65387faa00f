"""Odd exports end with the files of a run or in one line, never in a traceback."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.odd_exports import ODD, ending
from tests.core.cli.calls import few_shuffles

BAG = ("--preset", "bag", "--labels", "off")


@pytest.mark.parametrize(
    ("name", "words", "end"),
    [
        ("two users of four views", (), "done"),
        ("all alike but for one", ("--clusters", "50"), "refused"),
        ("purchases without page views", ("--outcome", "purchase"), "done"),
        ("one time", ("--clusters", "2"), "done"),
        ("addresses that are none", ("--outcome", "missing"), "refused"),
        ("one page", (), "refused"),
    ],
)
def test_each_ends_as_it_should(name: str, words: tuple[str, ...], end: str, tmp_path: Path) -> None:
    pd.DataFrame(ODD[name]).to_csv(tmp_path / "export.csv", index=False)
    with few_shuffles():
        how, said = ending(tmp_path / "export.csv", tmp_path / "out", (*BAG, *words))
    assert how == end, said
    assert ("\n" in said, bool(said)) == (False, end == "refused")
