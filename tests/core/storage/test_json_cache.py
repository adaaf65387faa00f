import pickle
import shutil
import sqlite3
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from diskcache.core import MODE_PICKLE

from core.base.errors import ResourceError
from core.storage.json_cache import JsonCache

SIZE = 2**20


class Runs:
    """What a pickle can do when it is read."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.mark,)


def change(folder: Path, query: str, *values: object) -> None:
    with sqlite3.connect(folder / "cache.db") as database:
        database.execute(query, values)


def test_values_come_back_in_another_process(tmp_path: Path) -> None:
    with JsonCache(tmp_path / "a" / "b", SIZE) as cache:
        cache.put({"one": {"x": [1, "ä"]}, "two": 2})
    with JsonCache(tmp_path / "a" / "b", SIZE) as cache:
        assert (cache.get("one"), cache.get("two"), cache.get("three")) == ({"x": [1, "ä"]}, 2, None)
        assert sorted(cache.keys()) == ["one", "two"]
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700


def test_values_grow_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    with JsonCache(tmp_path, SIZE) as cache:
        cache.put({"one": 1}, expire_s=10)
        monkeypatch.setattr(time, "time", lambda: now + 11)
        assert cache.get("one") is None


def test_a_pickle_is_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    with JsonCache(tmp_path / "c", SIZE) as cache:
        cache.put({"one": 1})
    trap = pickle.dumps(Runs(mark))
    change(tmp_path / "c", "UPDATE Cache SET mode = ?, filename = NULL, value = ?", MODE_PICKLE, trap)
    with JsonCache(tmp_path / "c", SIZE) as cache:
        assert cache.get("one") is None
    change(tmp_path / "c", "UPDATE Cache SET raw = 0, key = ?", trap)
    with JsonCache(tmp_path / "c", SIZE) as cache:
        assert cache.keys() == []
    assert not mark.exists()


def test_a_damaged_value_is_not_there(tmp_path: Path) -> None:
    with JsonCache(tmp_path, SIZE) as cache:
        cache.put({"one": 1})
    change(tmp_path, "UPDATE Cache SET mode = 1, filename = NULL, value = ?", b"junk")
    with JsonCache(tmp_path, SIZE) as cache:
        assert cache.get("one") is None


def test_a_damaged_file_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "cache.db").write_bytes(b"not a database" * 1000)
    with JsonCache(tmp_path, SIZE) as cache:
        cache.put({"one": 1})
        assert cache.get("one") == 1


def test_a_place_that_is_no_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="file cannot be used"):
        JsonCache(tmp_path / "file", SIZE)


def test_a_folder_deleted_while_it_is_used_is_said_in_one_line_and_begun_anew(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    with JsonCache(folder, SIZE) as cache:
        cache.put({"one": 1})
        shutil.rmtree(folder)
        with suppress(ResourceError):
            cache.put({"two": "x" * 100_000})
    with JsonCache(folder, SIZE) as cache:
        cache.put({"three": 3})
        assert (cache.get("one"), cache.get("three")) == (None, 3)


def test_those_that_find_a_damaged_file_begin_it_anew_once(tmp_path: Path) -> None:
    for number in range(40):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "cache.db").write_bytes(b"not a database" * 1000)

        def fill(name: str, folder: Path = folder) -> None:
            with JsonCache(folder, SIZE) as cache:
                cache.put({name: name})

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(fill, "abcd"))
        with JsonCache(folder, SIZE) as cache:
            assert sorted(cache.keys()) == list("abcd")
