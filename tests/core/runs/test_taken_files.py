"""The record of a watched folder: which name stands for which content."""

from __future__ import annotations

from core.runs.taken_files import TakenFile, TakenFiles


def record(**files: str) -> TakenFiles:
    return TakenFiles(
        "", tuple(TakenFile(name, content, "", {name: content}) for name, content in files.items())
    )


def held(taken: TakenFiles) -> dict[str, str]:
    return {file.name: file.checksum for file in taken.files}


def test_a_renamed_file_is_followed_with_what_was_read_of_it() -> None:
    zipped = TakenFile("new.zip", "A", "", {"new.zip/a.csv": "1", "new.zip/b.csv": "2"})
    [file] = TakenFiles("", (zipped,)).follow({"new.zip": "B", "old.zip": "A"}).files
    assert (file.name, file.reads) == ("old.zip", {"old.zip/a.csv": "1", "old.zip/b.csv": "2"})


def test_names_that_go_round_keep_every_content() -> None:
    taken = record(log="C", log1="B", log2="A")
    assert held(taken.follow({"log": "D", "log1": "C", "log2": "B", "log3": "A"})) == {
        "log1": "C", "log2": "B", "log3": "A",
    }  # fmt: skip
    assert held(taken.follow({"log": "B", "log1": "C"})) == {"log1": "C", "log": "B", "log2": "A"}


def test_what_is_gone_counts_on_although_a_renamed_file_has_its_name() -> None:
    gone = record(log="B", log1="AAAAAAAAAA").follow({"log": "C", "log1": "B"})
    assert held(gone) == {"log1": "B", "log1 AAAAAAAA": "AAAAAAAAAA"}
    assert held(gone.follow({"log": "D", "log1": "C", "log2": "B"})) == {
        "log2": "B", "log1 AAAAAAAA": "AAAAAAAAAA",
    }  # fmt: skip


def test_a_day_that_was_written_again_and_a_copy_change_nothing() -> None:
    taken = record(day="A", other="B")
    assert taken.follow({"day": "C", "other": "B", "copy": "B"}) == taken
    assert taken.follow({"day": "B", "other": "B"}) == taken
    assert taken.follow({}) == taken


def test_of_tables_with_the_same_content_the_first_by_name_counts() -> None:
    week = TakenFile(
        "week.zip", "W", "", {"week.zip/1.csv": "r1", "week.zip/2.csv": "r2"},
        contents={"week.zip/1.csv": "A", "week.zip/2.csv": "B"},
    )  # fmt: skip
    taken = TakenFiles("", (week, *record(day="A").files))
    assert taken.repeats == {"week.zip/1.csv": "day"}
    assert TakenFiles("", (week,)).repeats == {}
