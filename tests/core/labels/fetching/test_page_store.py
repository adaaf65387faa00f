import pickle
import sqlite3
import stat
import time
from pathlib import Path

import pytest
from diskcache.core import MODE_PICKLE

from core.base.errors import ResourceError
from core.labels.fetching.page_store import PageStore
from core.labels.label_types import Document

URL = "https://shop.example/tea"
DOCUMENT = Document("Tea", ("Product", "BreadcrumbList"), "product", ("Home", "Tee ☕"))


def test_documents_come_back_with_their_date(tmp_path: Path) -> None:
    with PageStore(tmp_path / "a" / "pages", days=30) as store:
        assert store.get(URL) is None
        kept = store.put(URL, DOCUMENT)
    with PageStore(tmp_path / "a" / "pages", days=30) as store:
        assert store.get(URL) == kept
        assert kept.document == DOCUMENT
        assert kept.fetched.endswith("+00:00")
        assert store.get(URL + "/") is None


def test_documents_grow_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    with PageStore(tmp_path, days=30) as store:
        store.put(URL, DOCUMENT)
        monkeypatch.setattr(time, "time", lambda: now + 29 * 86_400)
        assert store.get(URL) is not None
        monkeypatch.setattr(time, "time", lambda: now + 31 * 86_400)
        assert store.get(URL) is None


def test_the_folder_is_its_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir(mode=0o755)
    PageStore(folder, days=1).put(URL, DOCUMENT)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def rows(folder: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(folder / "cache.db") as database:
        return database.execute(query).fetchall()


def test_nothing_is_pickled(tmp_path: Path) -> None:
    with PageStore(tmp_path, days=1) as store:
        store.put(URL, DOCUMENT)
    assert rows(tmp_path, f"SELECT count(*) FROM Cache WHERE mode = {MODE_PICKLE} OR raw = 0") == [(0,)]


class Runs:
    """What a pickle can do when it is read."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.mark,)


def test_a_pickle_that_somebody_put_there_is_not_run(tmp_path: Path) -> None:
    folder, mark = tmp_path / "pages", tmp_path / "ran"
    with PageStore(folder, days=1) as store:
        store.put(URL, DOCUMENT)
    with sqlite3.connect(folder / "cache.db") as database:
        change = "UPDATE Cache SET mode = ?, filename = NULL, value = ?"
        database.execute(change, (MODE_PICKLE, pickle.dumps(Runs(mark))))
    with PageStore(folder, days=1) as store:
        assert store.get(URL) is None
    assert not mark.exists()


@pytest.mark.parametrize("value", [b"junk", b"", b"x\x9c\x03\x00\x00\x00\x00\x01"])
def test_a_damaged_value_is_not_there(tmp_path: Path, value: bytes) -> None:
    with PageStore(tmp_path, days=1) as store:
        store.put(URL, DOCUMENT)
    with sqlite3.connect(tmp_path / "cache.db") as database:
        database.execute("UPDATE Cache SET mode = 1, filename = NULL, value = ?", (value,))
    with PageStore(tmp_path, days=1) as store:
        assert store.get(URL) is None
        store.put(URL, DOCUMENT)
        assert store.get(URL) is not None


def test_a_damaged_cache_is_begun_anew(tmp_path: Path) -> None:
    with PageStore(tmp_path / "pages", days=1) as store:
        store.put(URL, DOCUMENT)
    (tmp_path / "pages" / "other.txt").write_text("somebody else's")
    for name in ("cache.db-wal", "cache.db-shm"):
        (tmp_path / "pages" / name).unlink(missing_ok=True)
    (tmp_path / "pages" / "cache.db").write_bytes(b"not a database" * 1000)
    with PageStore(tmp_path / "pages", days=1) as store:
        assert store.get(URL) is None
        store.put(URL, DOCUMENT)
        assert store.get(URL) is not None
    assert (tmp_path / "pages" / "other.txt").exists()


def test_a_place_that_is_no_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="file cannot be used"):
        PageStore(tmp_path / "file", days=1)
