"""A JSON file that the app keeps: whole or not at all, and set aside where it is damaged."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.base.errors import ResourceError
from core.base.settings import ViewWeights
from core.storage.json_cache import JsonFile, set_aside


@dataclass(frozen=True)
class Point:
    x: float
    label: str = ""


def points(folder: Path) -> JsonFile[dict[int, Point]]:
    return JsonFile(folder / "deep" / "points.json", dict[int, Point])


def test_what_was_written_is_read_in_its_types(tmp_path: Path) -> None:
    file = points(tmp_path)
    assert file.read() is None
    file.write({3: Point(float("inf"), "ß")})
    assert file.read() == {3: Point(float("inf"), "ß")}
    file.delete()
    file.delete()
    assert file.read() is None
    assert set_aside(file.path.parent) == []


def test_a_pydantic_model_is_kept_whole_or_as_what_differs(tmp_path: Path) -> None:
    weights = ViewWeights(url=0.3)
    whole = JsonFile(tmp_path / "whole.json", ViewWeights)
    sparse = JsonFile(tmp_path / "sparse.json", ViewWeights, sparse=True)
    for file in (whole, sparse):
        file.write(weights)
        assert file.read() == weights
    assert json.loads(whole.path.read_text()) == weights.model_dump()
    assert json.loads(sparse.path.read_text()) == {"url": 0.3}


@pytest.mark.parametrize(
    "damaged", [b"", b"{", b"[]", b'{"a": {"x": 1}}', b'{"1": {"x": "far"}}', b"\xff\xfe"]
)
def test_what_cannot_be_read_is_set_aside_byte_for_byte(tmp_path: Path, damaged: bytes) -> None:
    file = points(tmp_path)
    file.write({})
    file.path.write_bytes(damaged)
    assert file.read() is None
    (kept,) = set_aside(file.path.parent)
    assert kept.read_bytes() == damaged
    assert not file.path.exists()
    file.write({1: Point(2.0)})
    assert file.read() == {1: Point(2.0)}


def test_a_damaged_file_that_many_read_at_once_is_set_aside_once(tmp_path: Path) -> None:
    file = points(tmp_path)
    file.write({})
    file.path.write_text("{")
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: file.read(), range(32))) == [None] * 32
    assert len(set_aside(file.path.parent)) == 1


def test_a_disk_that_refuses_is_said_and_nothing_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "deep").write_text("a file where a folder should be")
    with pytest.raises(ResourceError, match="cannot be used"):
        points(tmp_path).read()
    with pytest.raises(ResourceError, match="cannot be"):
        points(tmp_path).write({})
