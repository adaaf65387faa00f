"""Files as a whole or not at all, and what a disk refuses as one line."""

import errno
import os
import resource
import stat
from pathlib import Path

import numpy as np
import pytest

from core.base.errors import ResourceError
from core.storage.disk import (
    PRIVATE,
    atomic_write,
    disk_errors,
    flush_all,
    put_in_place,
    work_folder,
    write_text_atomic,
)


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.ENOSPC, "disk is full.*Free some space"),
        (errno.EDQUOT, "disk is full"),
        (errno.EFBIG, "larger than is allowed.*ulimit -f"),
        (errno.EROFS, "cannot be written: Read-only.*another place"),
        (errno.EIO, "disk reports an error.*Check the disk"),
        (errno.ESTALE, "disk reports an error"),
        (errno.EMFILE, "Too many files.*ulimit -n"),
        (errno.ENAMETOOLONG, "too long a name.*shorter"),
        (errno.ELOOP, "cannot be used"),
        (errno.EACCES, "cannot be used.*permissions"),
        (errno.ENOTDIR, "cannot be used"),
        (errno.ENOLCK, "cannot be locked"),
    ],
)
def test_what_a_disk_refuses_is_one_line_with_the_file_and_what_to_do(number: int, told: str) -> None:
    with pytest.raises(ResourceError, match=told) as raised, disk_errors():
        raise OSError(number, os.strerror(number), "users.parquet")
    assert "users.parquet" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("number", [errno.ENOENT, errno.ECONNREFUSED, errno.EPIPE])
def test_what_is_no_refusal_of_a_disk_stays_what_it_is(number: int) -> None:
    with pytest.raises(OSError, match=os.strerror(number)), disk_errors():
        raise OSError(number, os.strerror(number), "users.parquet")


def test_an_array_that_is_cut_short_is_a_full_disk(tmp_path: Path) -> None:
    """NumPy gives no errno: how much was taken is all it says."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
    try:
        with pytest.raises(ResourceError, match="disk is full"), disk_errors():
            np.save(tmp_path / "labels.npy", np.zeros(10_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_file_is_replaced_as_a_whole_or_stays(tmp_path: Path) -> None:
    path = tmp_path / ("ä" * 120 + ".csv")  # 244 bytes: the temporary name must not be longer than it may
    with atomic_write(path) as building:
        building.write_text("old")
    with pytest.raises(RuntimeError), atomic_write(path) as building:
        building.write_text("half of the n")
        raise RuntimeError
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [(path.name, "old")]


def test_a_work_folder_ends_with_its_block_and_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".work[1].killed").mkdir()
    (tmp_path / ".work1.of_others").mkdir()
    with pytest.raises(RuntimeError), work_folder(tmp_path, ".work[1].") as work:
        assert not (tmp_path / ".work[1].killed").exists()
        (work / "rows").write_text("")
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == [".work1.of_others"]


def test_who_may_read_is_as_the_umask_says_or_only_the_owner(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    write_text_atomic(tmp_path / "report", "x")
    write_text_atomic(tmp_path / "secret", "x", PRIVATE)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes["report"] == modes["plain"]
    assert modes["secret"] == 0o600


def test_a_folder_is_put_with_all_that_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "new" / "model").mkdir(parents=True)
    (tmp_path / "new" / "model" / "weights").write_text("x")
    flush_all(tmp_path / "new")
    put_in_place(tmp_path / "new", tmp_path / "ready")
    assert (tmp_path / "ready" / "model" / "weights").read_text() == "x"
