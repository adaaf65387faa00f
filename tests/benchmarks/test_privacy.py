"""The benchmark finds what a run has left, whatever form and file it is in."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.privacy import _forms, _in, _secret_in, _texts


def test_values_are_found_in_every_form() -> None:
    for text in ("jane%40X.com", "jane%2540x.com", "jane&#64;x.com", r"jane\u0040x.com", "Jane@x.com"):
        assert _in("jane@X.com", "\n".join(_forms(text)))
    assert not _in("jane@x.com", "\n".join(_forms("jane at x")))


def test_a_number_within_a_number_is_chance() -> None:
    assert _secret_in("5312047", "page/5312047?x")
    assert not _secret_in("5312047", "0.5312047, 95312047")


def test_values_are_found_in_every_column(tmp_path: Path) -> None:
    table = pa.table({"n": [1], "text": ["jane"], "lists": [["a", "joe"]]})
    pq.write_table(table, tmp_path / "t.parquet", compression="zstd")
    assert {"jane", "a\njoe"} <= set(_texts(tmp_path / "t.parquet"))
