"""A watch as tables, beside figures that can be read off the toy."""

from __future__ import annotations

import pytest

from core.profiles.profile_columns import Col
from core.runs.taken_files import RefusedFile, TakenFile, TakenFiles
from core.runs.watch_history import NAME, NEW_USERS, RECORDS, file_table, refused_table, share_table

FIRST, SECOND = "2026-01-01T06:10:00+00:00", "2026-01-02T06:10:00+00:00"


def taken() -> TakenFiles:
    """Two files in a first look, one in a second; segment 2 has its first users then."""
    both = {"users": 100, "page_views": 400, "segments": {0: 60, 1: 20}}
    files = (
        TakenFile("a.csv", "1", FIRST, {}, 500, **both),
        TakenFile("b.csv", "2", FIRST, {}, 300, **both),
        TakenFile("c.csv", "3", SECOND, {}, 90, 130, 500, {0: 60, 1: 30, 2: 10}),
    )
    return TakenFiles("", files, (RefusedFile("d.csv", "4", SECOND, "It has no column"),), "m")


def test_new_users_are_those_of_a_look_at_its_last_file() -> None:
    table = file_table(taken())
    assert table[NAME].tolist() == ["c.csv", "b.csv", "a.csv"]
    assert table[NEW_USERS].fillna(-1).tolist() == [30, 100, -1]
    assert table[RECORDS].tolist() == [90, 300, 500]
    assert table[Col.USERS].tolist() == [130, 100, 100]


def test_shares_are_of_the_users_in_segments_after_each_look() -> None:
    table = share_table(taken())
    assert table[Col.SHARE].tolist() == [0.75, 0.25, 0, 0.6, 0.3, 0.1]
    assert table[Col.N].tolist() == [80] * 3 + [100] * 3
    assert table[Col.LOW].iloc[0] == pytest.approx(0.6451, abs=1e-4)  # Wilson's, 60 of 80
    assert table[Col.HIGH].iloc[2] > 0


def test_shares_in_segments_of_another_model_are_not_drawn() -> None:
    moved = taken().placed_on("m").placed_on("n")
    assert moved.model == "n"
    assert [bool(file.segments) for file in moved.files] == [False, False, True]
    assert len(share_table(moved)) == 3
    assert taken().placed_on("m") == taken()


def test_what_is_refused_is_told_and_nothing_is_no_row() -> None:
    assert refused_table(taken())["why"].tolist() == ["It has no column"]
    nothing = TakenFiles("")
    assert [len(table(nothing)) for table in (file_table, refused_table, share_table)] == [0, 0, 0]
