"""Small files beside an export."""

import os
from pathlib import Path

import pytest

from core.base import small_file
from core.base.errors import InputError
from core.base.small_file import read_small_file


def test_a_regular_file_is_read_and_no_more_of_it_than_is_allowed(tmp_path: Path) -> None:
    file = tmp_path / "ids.txt"
    file.write_bytes(b"anna")
    assert read_small_file(file, 4) == b"anna"
    with pytest.raises(InputError, match="more than 3 bytes"):
        read_small_file(file, 3)


def test_what_never_ends_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (Path("/dev/zero"), tmp_path / "pipe", tmp_path):
        with pytest.raises(InputError, match="is not a file"):
            read_small_file(path)
    with pytest.raises(InputError, match="No such file"):
        read_small_file(tmp_path / "absent")


def test_yaml_of_many_values_is_refused_before_it_is_built() -> None:
    text = f"funnels: [{'a,' * 1_900_000}]"
    with pytest.raises(InputError, match="holds too much"):
        small_file.parse_mapping(text, "funnels.yaml", "funnels", "Correct the file")
