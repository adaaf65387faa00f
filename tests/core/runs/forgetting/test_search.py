"""An id is planted in a file of each kind, and seen; and a file without it is clean."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import sqlite3
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import save_file

from core.base.errors import Cancelled
from core.base.progress import silent
from core.runs.forgetting.patterns import IdPatterns
from core.runs.forgetting.search import CHUNK_BYTES, compact, databases, search, search_file
from core.storage.json_cache import JsonCache

ID, NUMBER = "1234567890.1612345678", 9_876_543_210
PATTERNS = IdPatterns(frozenset({ID, str(NUMBER), "u7"}))
OTHER = "1234567890.1612345679"


def text(path: Path, one: str) -> None:
    path.write_text(f"a,{one},b\n")


def utf16(path: Path, one: str) -> None:
    path.write_text(f"a,{one},b\n", encoding="utf-16")


def packed(path: Path, one: str) -> None:
    with gzip.open(path, "wb") as file:
        file.write(f"a,{one},b\n".encode())


def in_zip(path: Path, one: str) -> None:
    inner = io.BytesIO()
    with gzip.open(inner, "wb") as file:
        file.write(f"a,{one},b\n".encode())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/a.csv.gz", inner.getvalue())


def parquet(path: Path, one: str) -> None:
    pq.write_table(
        pa.table({"user_id": [OTHER, one, None]}), path, compression="zstd", write_statistics=False
    )


def parquet_of_numbers(path: Path, one: str) -> None:
    value = NUMBER if one == ID else 1
    pq.write_table(pa.table({"key": pa.array([1, value], pa.int64())}), path, compression="zstd")


def parquet_in_zip(path: Path, one: str) -> None:
    inner = io.BytesIO()
    pq.write_table(pa.table({"user_id": [one]}), inner, compression="zstd")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.parquet", inner.getvalue())


def nested_parquet(path: Path, one: str) -> None:
    params = pa.array(
        [
            [{"key": "x", "value": {"string": "y"}}],
            [],
            None,
            [{"key": "id", "value": {"string": f"a={one}&"}}],
        ],
        pa.list_(pa.struct({"key": pa.string(), "value": pa.struct({"string": pa.string()})})),
    )
    pq.write_table(pa.table({"params": params}), path, compression="zstd")


def map_parquet(path: Path, one: str) -> None:
    params = pa.array([[("a", "b")], [("id", one)]], pa.map_(pa.string(), pa.string()))
    pq.write_table(pa.table({"params": params}), path, compression="zstd")


def lists_of_two_parquet(path: Path, one: str) -> None:
    pairs = pa.array([["a", "b"], None, ["a", one]], pa.list_(pa.string(), 2))
    vectors = pa.array([[0.5, 1.0]] * 3, pa.list_(pa.float32(), 2))
    pq.write_table(pa.table({"pairs": pairs, "vectors": vectors}), path, compression="zstd")


def dictionary_parquet(path: Path, one: str) -> None:
    pq.write_table(pa.table({"a": pa.array([one, OTHER, one]).dictionary_encode()}), path, compression="gzip")


def short_id_parquet(path: Path, one: str) -> None:
    pq.write_table(
        pa.table({"user_id": ["u7" if one == ID else "u77"], "page": ["u7"]}), path, compression="zstd"
    )


def numbers(path: Path, one: str) -> None:
    np.save(path.with_suffix(".npy"), np.array([1, NUMBER if one == ID else 2]))
    path.with_suffix(".npy").rename(path)


def arrays(path: Path, one: str) -> None:
    np.savez_compressed(path.with_suffix(".npz"), ids=np.array([one]), n=np.arange(5))
    path.with_suffix(".npz").rename(path)


def array_of_text(path: Path, one: str) -> None:
    np.save(path.with_suffix(".npy"), np.array([one, OTHER]))
    path.with_suffix(".npy").rename(path)


def database(path: Path, one: str) -> None:
    with sqlite3.connect(path) as opened:
        opened.execute("CREATE TABLE a (x TEXT, y BLOB)")
        opened.execute(
            "INSERT INTO a VALUES (?, ?)", ("x" * 3_000, zlib.compress(json.dumps({"id": one}).encode()))
        )
    opened.close()


def over_two_pages(path: Path, one: str) -> None:
    """No run of bytes of the file holds it: SQLite cuts long values."""
    with sqlite3.connect(path) as opened:
        opened.execute("CREATE TABLE a (x TEXT)")
        opened.executemany(
            "INSERT INTO a VALUES (?)", [("," * n + one + "," * 9_000,) for n in range(4_000, 4_100)]
        )
    opened.close()


def escaped(path: Path, one: str) -> None:
    path.write_text(json.dumps({"link": "\\u0031" + one[1:]}).replace("\\\\u", "\\u"))


def over_a_cut(path: Path, one: str) -> None:
    path.write_bytes(b"," * (CHUNK_BYTES - 7) + one.encode() + b",")


KINDS: list[Callable[[Path, str], None]] = [
    text, utf16, packed, in_zip, parquet, parquet_of_numbers, parquet_in_zip, nested_parquet, map_parquet,
    dictionary_parquet, lists_of_two_parquet, short_id_parquet, numbers, arrays, array_of_text, database,
    over_two_pages, escaped, over_a_cut,
]  # fmt: skip


@pytest.mark.parametrize("plant", KINDS)
def test_an_id_is_seen_in_each_kind_of_file(plant: Callable[[Path, str], None], tmp_path: Path) -> None:
    plant(tmp_path / "with", ID)
    plant(tmp_path / "without", OTHER)
    planted, clean = search_file(tmp_path / "with", PATTERNS), search_file(tmp_path / "without", PATTERNS)
    assert planted.hits > 0
    assert planted.ids
    assert clean.hits == 0
    assert planted.unread == clean.unread == ""


@pytest.mark.parametrize("before", [CHUNK_BYTES - 90, CHUNK_BYTES - len(ID), CHUNK_BYTES - 7, CHUNK_BYTES])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_it_is_counted_once_where_pieces_overlap(before: int, encoding: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(
        (" " * (before // len(" ".encode(encoding))) + f"{ID}{' ' * 99}\n").encode(encoding)
    )
    assert search_file(tmp_path / "a", PATTERNS).hits == 1


def test_a_file_that_is_escaped_too_often_is_said(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(f"%{'25' * 99}31{ID[1:]} {ID}")
    found = search_file(tmp_path / "a", PATTERNS)
    assert (found.hits, found.unread) == (1, "escaped more than 8 times")


def test_it_is_seen_in_a_name_and_in_hidden_folders(tmp_path: Path) -> None:
    (tmp_path / ".hidden" / "deep").mkdir(parents=True)
    text(tmp_path / ".hidden" / "deep" / ".a", ID)
    (tmp_path / f"of_{OTHER}.csv").write_text("x")
    (tmp_path / f"of-{ID}.csv").write_text("x")
    found = search([tmp_path], PATTERNS, silent)
    assert {path.name for path, one in found.items() if one.hits} == {".a", f"of-{ID}.csv"}
    assert sum(one.size for one in found.values()) == sum(p.stat().st_size for p in found)


def test_it_is_seen_in_the_name_of_a_folder(tmp_path: Path) -> None:
    for folder in (f"of {ID}", OTHER):
        (tmp_path / folder / "deep").mkdir(parents=True)
        (tmp_path / folder / "deep" / "a.csv").write_text("x")
    found = search([tmp_path], PATTERNS, silent)
    assert {path.parent.parent.name for path, one in found.items() if one.hits} == {f"of {ID}"}
    alone = search([tmp_path / f"of {ID}"], PATTERNS, silent)
    assert [one.hits for one in alone.values()] == [1]


def test_a_model_is_read_as_it_is(tmp_path: Path) -> None:
    save_file({"a": np.random.default_rng(0).normal(size=999)}, tmp_path / "a.safetensors", {"of": ID})
    found = search_file(tmp_path / "a.safetensors", PATTERNS)
    assert (found.hits, found.unread) == (1, "")


def test_what_cannot_be_unpacked_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.bz2").write_bytes(bz2.compress(ID.encode()))
    feather.write_feather(pa.table({"a": [ID]}), tmp_path / "a.feather", compression="zstd")
    (tmp_path / "a.gz").write_bytes(gzip.compress(ID.encode())[:-12])
    (tmp_path / "a.parquet").write_bytes(b"PAR1 cut off")
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7 " + zlib.compress(ID.encode()))
    (tmp_path / "a.orc").write_bytes(b"ORC" + zlib.compress(ID.encode()))
    (tmp_path / "a.avro").write_bytes(b"Obj\x01" + zlib.compress(ID.encode()))
    (tmp_path / "a.bin").write_bytes(bytes(range(256)) + zlib.compress(ID.encode()))
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        inner = tarfile.TarInfo("a.gz")
        inner.size = len(packed_text := gzip.compress(ID.encode()))
        tar.addfile(inner, io.BytesIO(packed_text))
    schema = pa.schema([("a", pa.string())])
    with pa.ipc.new_stream(tmp_path / "a.arrows", schema) as stream:
        stream.write_table(pa.table({"a": [ID] * 9}))
    (tmp_path / "linked").symlink_to(tmp_path.parent, target_is_directory=True)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a", b"x")
    locked = bytearray((tmp_path / "a.zip").read_bytes())
    locked[6] |= 1
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(locked)
    found = search([tmp_path], PATTERNS, silent)
    assert [path.name for path, one in found.items() if not one.unread] == []


def test_a_bomb_is_told_and_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.runs.forgetting.search.FREE_BYTES", 1 << 20)
    (tmp_path / "a.gz").write_bytes(gzip.compress(bytes(1 << 24)))
    assert search_file(tmp_path / "a.gz", PATTERNS).unread


def test_a_database_gives_back_what_it_has_deleted(tmp_path: Path) -> None:
    """A row that was deleted stays in the file until something is written over it."""
    path = tmp_path / "cache.db"
    with sqlite3.connect(path) as opened:
        opened.execute("CREATE TABLE a (x TEXT)")
        opened.executemany("INSERT INTO a VALUES (?)", [(f"{ID} {n}",) for n in range(50)])
        opened.execute("PRAGMA secure_delete = 0")
    with opened:
        opened.execute("DELETE FROM a")
    opened.close()
    [file] = databases([tmp_path])
    assert search_file(file, PATTERNS).hits
    compact(file)
    assert search_file(file, PATTERNS).hits == 0


def test_a_cache_of_the_app_is_looked_into(tmp_path: Path) -> None:
    with JsonCache(tmp_path, 1 << 26) as cache:
        cache.put(
            {
                "small": {"text": f"of {ID}"},
                "large": {"text": "x" * 100_000 + "".join(map(str, range(20_000)))},
            }
        )
        cache.put({"apart": {"text": "".join(map(str, range(30_000))) + f" {ID}"}})
    found = search([tmp_path], PATTERNS, silent)
    assert {path.suffix for path, one in found.items() if one.hits} == {".db", ".val"}


def test_it_can_be_stopped(tmp_path: Path) -> None:
    def stop(*_: object, **__: object) -> None:
        raise Cancelled

    text(tmp_path / "a", ID)
    with pytest.raises(Cancelled):
        search([tmp_path], PATTERNS, stop)
