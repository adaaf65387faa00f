"""Look-alikes of a list of ids, from the folder of a run with users that can be told apart by eye."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.base.errors import ArtifactError, InputError, ResourceError
from core.base.schema import Users
from core.runs.export import SEGMENT, vector_lists
from core.runs.look_alikes_file import write_look_alikes
from tests.core.segments.blobs import blobs

VECTORS, TRUTH = blobs((30, 30))
IDS = [f"{kind}.{number:03d}0" for number, kind in enumerate(TRUTH)]
SEEDS = [one for one in IDS if one.startswith("1.")][:12]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The last two users are outside clustering."""
    group = ["segment"] * 58 + ["one_page", "bot_like"]
    called = [f"Kind {kind}" if number < 58 else None for number, kind in enumerate(TRUTH)]
    table = {
        Users.USER_ID: IDS, SEGMENT: called, Users.GROUP: group, Users.EMBEDDING: vector_lists(VECTORS),
    }  # fmt: skip
    folder = tmp_path / "out"
    folder.mkdir()
    pq.write_table(pa.table(table), folder / "users.parquet")
    return folder


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    path = tmp_path / "ids.txt"
    path.write_text("user_pseudo_id\n" + "\n".join([*SEEDS, SEEDS[0], IDS[59], "nobody"]))
    return path


def test_the_most_like_come_first_with_their_ids_as_text(listed: Path, out: Path, tmp_path: Path) -> None:
    said = write_look_alikes(listed, out, tmp_path / "new" / "found.csv", 15)
    found = pd.read_csv(tmp_path / "new" / "found.csv", dtype=str)
    assert found.columns.tolist() == ["rank", "user_id", "score", "segment"]
    assert found["rank"].tolist() == [str(rank) for rank in range(1, 16)]
    assert found["user_id"].str.startswith("1.").all()
    assert not set(found["user_id"]) & {*SEEDS, IDS[59]}
    assert found["score"].astype(float).is_monotonic_decreasing
    assert said.startswith(
        "15 ids read (first line taken as a header): 13 known users, 1 unknown, 1 more than once, "
        "1 of them not clustered"
    )
    assert "15 look-alikes of 46 other clustered users" in said
    assert not any(one in said for one in IDS)


def test_without_a_number_the_reach_is_what_finds_hidden_ids_best(
    listed: Path, out: Path, tmp_path: Path
) -> None:
    write_look_alikes(listed, out, tmp_path / "found.csv")
    found = pd.read_csv(tmp_path / "found.csv", dtype=str)
    assert 1 <= len(found) < 25


def test_more_than_there_are_is_everybody(listed: Path, out: Path, tmp_path: Path) -> None:
    write_look_alikes(listed, out, tmp_path / "found.csv", 10_000)
    found = pd.read_csv(tmp_path / "found.csv", dtype=str)
    assert len(found) == 46


def test_a_list_of_strangers_leaves_the_file_as_it_was(out: Path, tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_text("nobody\nno-one\n")
    (tmp_path / "found.csv").write_text("before")
    with pytest.raises(InputError, match="2 ids read: 0 known users"):
        write_look_alikes(tmp_path / "ids.txt", out, tmp_path / "found.csv")
    assert (tmp_path / "found.csv").read_text() == "before"


def test_a_folder_without_a_run_is_said(listed: Path, tmp_path: Path) -> None:
    for folder in (tmp_path / "absent", tmp_path):
        with pytest.raises(ArtifactError, match="holds no finished run"):
            write_look_alikes(listed, folder, tmp_path / "found.csv")


def test_a_folder_is_no_file_to_write(listed: Path, out: Path, tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="is a folder"):
        write_look_alikes(listed, out, tmp_path)


def test_the_same_list_gives_the_same_bytes(listed: Path, out: Path, tmp_path: Path) -> None:
    made = []
    for name in ("one.csv", "two.csv"):
        write_look_alikes(listed, out, tmp_path / name, 20)
        made.append((tmp_path / name).read_bytes())
    assert made[0] == made[1]
    assert np.char.count(made[0].decode(), "\r\n") == 21
