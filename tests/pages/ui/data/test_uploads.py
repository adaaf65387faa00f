"""Files that arrive in pieces: names, refusals, and nothing overwritten."""

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.base.errors import InputError, ResourceError
from core.storage import disk
from pages.ui.data import uploads


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("events.csv", "events.csv"),
        ("../../etc/events.csv", "events.csv"),
        ("C:\\data\\events.CSV.gz", "events.CSV.gz"),
        (".hidden.csv", "hidden.csv"),
        ("a<b>:c\n.csv", "a_b_c_.csv"),
        ("März (2).parquet", "März (2).parquet"),
    ],
)
def test_a_name_keeps_only_what_is_safe(given: str, kept: str) -> None:
    assert uploads.clean_name(given) == kept


@pytest.mark.parametrize("name", ["run.exe", "noending", "", "..", "page.html", "x.csv.exe"])
def test_other_endings_are_refused_with_the_allowed_ones(name: str) -> None:
    with pytest.raises(InputError, match=r"Allowed: \.csv"):
        uploads.clean_name(name)


def test_of_an_access_log_it_is_said_how_it_becomes_a_table() -> None:
    with pytest.raises(InputError, match=r"docs/how-to/other_tools\.md"):
        uploads.clean_name("access.log")
    with pytest.raises(InputError) as other:
        uploads.clean_name("run.exe")
    assert "other_tools" not in str(other.value)


def test_a_very_long_name_is_cut_but_keeps_its_ending() -> None:
    name = uploads.clean_name("x" * 400 + ".csv.gz")
    assert len(name) <= uploads.MAX_NAME_LENGTH
    assert name.endswith(".csv.gz")


@pytest.mark.parametrize("upload_id", ["../x", "abc", "g" * 16, "A" * 16, ""])
def test_a_strange_id_never_becomes_a_path(tmp_path: Path, upload_id: str) -> None:
    with pytest.raises(InputError, match="not valid"):
        uploads.part_path(tmp_path, upload_id)


def test_a_full_disk_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = SimpleNamespace(free=disk.RESERVE + 10)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: room)
    uploads.check_room(tmp_path, 10)
    with pytest.raises(ResourceError, match="Free some space"):
        uploads.check_room(tmp_path, 11)


def test_a_file_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="too large"):
        uploads.check_room(tmp_path, uploads.MAX_UPLOAD_BYTES + 1)


def arrive(folder: Path, text: str, name: str = "a.csv.gz") -> str:
    part = folder / ".0123456789abcdef.part"
    part.write_text(text)
    landed = uploads.finish(part, name)
    assert not part.exists()
    assert landed.read_text() == text
    return landed.name


def test_another_file_of_the_same_name_gets_a_number(tmp_path: Path) -> None:
    assert arrive(tmp_path, "one") == "a.csv.gz"
    assert arrive(tmp_path, "two") == "a-2.csv.gz"
    assert arrive(tmp_path, "three") == "a-3.csv.gz"
    assert (tmp_path / "a.csv.gz").read_text() == "one"


def test_the_same_file_again_is_not_kept_twice(tmp_path: Path) -> None:
    arrive(tmp_path, "one")
    assert arrive(tmp_path, "one") == "a.csv.gz"
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv.gz"]


def test_what_arrived_and_cannot_be_read_does_not_stay(tmp_path: Path) -> None:
    arrive(tmp_path, "one")
    assert uploads.refuse(tmp_path / "a.csv.gz")
    assert not list(tmp_path.iterdir())


def test_a_file_that_lay_there_or_was_read_once_is_never_removed(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("one")
    assert arrive(tmp_path, "one", "mine.csv") == "mine.csv"  # the same file again
    arrive(tmp_path, "two", "read.csv")
    uploads.keep(tmp_path / "read.csv")
    assert not uploads.refuse(tmp_path / "mine.csv")
    assert not uploads.refuse(tmp_path / "read.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.csv", "read.csv"]


def test_only_old_unfinished_files_are_swept(tmp_path: Path) -> None:
    old, fresh, data = tmp_path / ".aaaaaaaa.part", tmp_path / ".bbbbbbbb.part", tmp_path / "data.csv"
    for path in (old, fresh, data):
        path.write_text("x")
    os.utime(old, (0, 0))
    os.utime(data, (0, 0))
    uploads.sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".bbbbbbbb.part", "data.csv"]
