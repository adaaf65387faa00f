import errno
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from pytest import MonkeyPatch

from core.base.errors import ResourceError
from core.ingest import engine, output_tables
from core.ingest.engine import Engine, open_engine
from core.ingest.output_tables import write_table
from tests.core.cli.calls import largest_file


def setting(opened: Engine, name: str) -> str:
    return str(opened.raw.execute(f"SELECT current_setting('{name}')").fetchall()[0][0])


def test_threads_network_and_disk_are_bounded(tmp_path: Path) -> None:
    with open_engine(tmp_path, threads=1) as opened:
        assert setting(opened, "threads") == "1"
        assert setting(opened, "TimeZone") == "UTC"
        assert setting(opened, "temp_directory") == str(tmp_path / "spill")
        assert setting(opened, "autoinstall_known_extensions") == "False"


@pytest.mark.parametrize(
    ("free_mib", "records", "limit"),
    [(100_000, 0, "400.0"), (100_000, 2**20, "460.0"), (1_000, 2**22, "500.0"), (10, 0, "400.0")],
)
def test_memory_grows_with_the_records_within_what_is_free(
    tmp_path: Path, monkeypatch: MonkeyPatch, free_mib: int, records: int, limit: str
) -> None:
    monkeypatch.setattr(engine, "free_memory", lambda: free_mib * 2**20)
    with open_engine(tmp_path, records) as opened:
        assert setting(opened, "memory_limit") == f"{limit} MiB"


def test_what_is_kept_can_be_asked_again(tmp_path: Path) -> None:
    with open_engine(tmp_path) as opened:
        kept = opened.keep("numbers", pa.table({"n": [3, 1, 2]}))
        again = opened.keep("large", kept.filter(kept.n > 1))
        named = opened.name("largest", again.filter(again.n > 2))
        assert opened.rows(named) == [{"n": 3}]
        assert opened.raw.sql("SELECT sum(n)::INT FROM large").fetchall() == [(5,)]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            duckdb.OutOfMemoryException("Out of Memory Error: could not allocate\nmore"),
            "memory is not enough.*--memory SIZE",
        ),
        (
            duckdb.IOException("IO Error: No space left on device\nmore"),
            "disk refuses: No space left on device",
        ),
    ],
)
def test_what_the_machine_refuses_is_said_in_words(tmp_path: Path, error: Exception, words: str) -> None:
    with pytest.raises(ResourceError, match=words) as caught, open_engine(tmp_path):
        raise error
    assert "\n" not in str(caught.value)


def test_too_little_memory_is_an_error_in_words(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MEMORY_FLOOR", 20 * 2**20)
    monkeypatch.setattr(engine, "MEMORY_A_RECORD", 0)
    query = "SELECT list(i ORDER BY hash(i)) FROM range(20_000_000) t(i) GROUP BY i % 2"
    with pytest.raises(ResourceError, match="memory"), open_engine(tmp_path, threads=1) as opened:
        opened.raw.execute(query).fetchall()
    bounded = open_engine(tmp_path, threads=1, memory=20 * 2**20)
    with pytest.raises(ResourceError, match=r"Allow more: --memory\.") as told, bounded as opened:
        opened.raw.execute(query).fetchall()
    assert "Allow more: BEHA2VEC_MEMORY, where the app is started" in told.value.on_screen


def test_other_errors_are_bugs_and_stay(tmp_path: Path) -> None:
    with pytest.raises(duckdb.CatalogException), open_engine(tmp_path) as opened:
        opened.raw.execute("SELECT * FROM nowhere")


def test_the_same_table_gives_the_same_bytes(tmp_path: Path) -> None:
    whole = pa.table({"user_id": [str(number) for number in range(1000)]})
    pieces = pa.concat_tables([whole.slice(0, 333), whole.slice(333)])
    write_table(whole, tmp_path / "a.parquet")
    write_table(pieces, tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_a_full_disk_is_an_error_in_words(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "users.parquet")

    monkeypatch.setattr(output_tables.pq, "write_table", full)
    with pytest.raises(ResourceError, match=r"disk is full: users\.parquet"):
        write_table(pa.table({"a": [1]}), tmp_path / "users.parquet")


def test_a_disk_that_takes_no_more_from_the_database_is_said_in_words(tmp_path: Path) -> None:
    told = r"^The disk refuses: File too large\. Free some space and start again\.$"
    with largest_file(10_000), pytest.raises(ResourceError, match=told), open_engine(tmp_path) as engine:
        engine.raw.execute(f"COPY (SELECT random() FROM range(100000)) TO '{tmp_path / 'a.parquet'}'")
