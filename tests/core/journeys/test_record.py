"""What is written of each segment's moves."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from core.journeys.moves import END, START, Moves, most_readable_places
from core.journeys.step_table import journeys
from core.profiles.rows import Rows
from core.storage.dataset import Dataset
from tests.core.journeys.walks import laid_out

WALKS = [["aba"]] * 40 + [["aac"]] * 40 + [["d"]]


@pytest.fixture
def told() -> dict[str, Any]:
    sequences, _ = laid_out(WALKS)
    pages = pd.DataFrame({"page_location": [f"shop.example/{letter}" for letter in "abcd"]})
    dataset = cast(Dataset, SimpleNamespace(sequences=sequences, pages=pages))
    rows = Rows(np.array([0] * 40 + [1] * 40 + [2]), (0, 1), ())
    moves = Moves.of(sequences, most_readable_places(dataset, None))
    return journeys(moves, rows, {0: "Back and forth", 1: "Onwards"})


def test_a_segment_is_told_with_its_users_sessions_and_steps(told: dict[str, Any]) -> None:
    first, second = told["segments"]
    assert told["level"] == "page"
    assert (first["cluster"], first["name"], first["users"], first["sessions"], first["steps"]) == (
        0, "Back and forth", 40, 40, 160,
    )  # fmt: skip
    assert [(step["from"], step["to"], step["steps"]) for step in first["entries"]] == [(START, "/a", 40)]
    assert {step["from"] for step in second["exits"] if step["steps"]} == {"/c"}
    assert [(step["from"], step["to"]) for step in first["returns"]] == [("/a", "/b")]
    assert [step["from"] for step in second["repeats"]] == ["/a"]


def test_what_differs_is_held_against_the_other_clustered_users_alone(told: dict[str, Any]) -> None:
    differing = {(step["from"], step["to"]): step for step in told["segments"][0]["differing"]}
    assert set(differing) == {("/a", "/b"), ("/a", "/a"), ("/a", "/c"), ("/a", END)}
    assert differing["/a", "/b"]["rest_n"] == 40  # without the user outside the segments
    assert differing["/a", "/b"]["at_least"] == pytest.approx(35.05, abs=0.1)


def test_a_step_that_only_others_take_is_no_top_step(told: dict[str, Any]) -> None:
    assert all(step["users"] for one in told["segments"] for step in one["top_steps"])


def test_it_is_plain_data(told: dict[str, Any], tmp_path: Path) -> None:
    assert json.loads(json.dumps(told, allow_nan=False)) == told
