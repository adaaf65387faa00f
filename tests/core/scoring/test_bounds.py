"""What fits into a bound of memory."""

from pathlib import Path

import pytest

from core.base.errors import SettingsError
from core.scoring import bounds
from core.scoring.bounds import A_RECORD, FEWEST, LEAST, MEMORY, PROGRAM, Bounds

GB = 10**9


@pytest.mark.parametrize(
    ("text", "size"),
    [("4GB", 4 * GB), ("4gb", 4 * GB), ("1.5 G", 3 * GB // 2), ("2000MiB", 2000 * 2**20), (str(GB), GB)],
)
def test_sizes_are_read_as_they_are_written(text: str, size: int) -> None:
    assert Bounds.told(text, None).memory == size


@pytest.mark.parametrize("text", ["much", "-4GB", "4 parsecs", ""])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"is no size\. Allowed: a number of bytes, or such as 4GB"):
        Bounds.told(text, None)


@pytest.mark.parametrize("number", ["4", " 900 "])
def test_a_number_alone_is_bytes_which_is_said(number: str) -> None:
    with pytest.raises(SettingsError, match="A number alone is bytes: add GB or MB"):
        Bounds.told(number, None)


def test_less_than_a_part_needs_is_refused_with_what_it_needs() -> None:
    with pytest.raises(SettingsError, match=r"--memory 200MB is less than a part .* at least 900 MB"):
        Bounds.told("200MB", None)
    assert Bounds.told("900MB", None).at_once >= FEWEST
    with pytest.raises(SettingsError, match="sample of 0 users"):
        Bounds.told(None, 0)


def test_where_nobody_says_a_run_takes_half_of_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "free_memory", lambda: 10 * GB)
    assert Bounds.told(None, None).memory == 5 * GB
    monkeypatch.setattr(bounds, "free_memory", lambda: GB)  # too little for a part: it is tried all the same
    assert Bounds.told(None, None).memory == PROGRAM + FEWEST * A_RECORD


def test_the_app_takes_half_of_the_whole_memory_however_busy_the_machine_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bounds, "total_memory", lambda: 16 * GB)
    monkeypatch.setattr(bounds, "free_memory", lambda: GB)
    monkeypatch.delenv(MEMORY, raising=False)
    assert Bounds.of_app().memory == 8 * GB
    monkeypatch.setattr(bounds, "total_memory", lambda: GB)
    assert Bounds.of_app().memory == LEAST
    monkeypatch.setenv(MEMORY, "3GB")
    assert Bounds.of_app().memory == 3 * GB


def test_parts_and_sample_follow_from_the_memory() -> None:
    some = Bounds(PROGRAM + 1_000 * A_RECORD)
    assert [some.n_parts(records) for records in (1, 1_000, 1_001, 9_000)] == [1, 1, 2, 10]
    assert [some.sample_share(records) for records in (500, 1_000, 1_001, 1_801, 9_000)] == [
        1, 1, 0.5, 0.25, 0.0625,
    ]  # fmt: skip
    more = Bounds(PROGRAM + 1_100 * A_RECORD)  # a little more memory draws the same users
    assert more.sample_share(9_000) == some.sample_share(9_000)
    assert some.database < some.memory


def test_files_surely_fit_where_they_are_small(tmp_path: Path) -> None:
    (plain := tmp_path / "a.csv").write_text("x,y\n" + "1,2\n" * 1_000)
    some = Bounds(PROGRAM + 250 * A_RECORD)
    assert some.surely_holds([plain])
    (packed := tmp_path / "b.parquet").write_bytes(b"PAR1" + bytes(1_000))
    assert not some.surely_holds([packed])
    assert not Bounds(PROGRAM + 50 * A_RECORD).surely_holds([plain])
