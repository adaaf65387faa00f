"""Parts put together: by id, in a run's columns, with nobody's outcome where a part has none."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.base.errors import NothingLeft
from core.base.schema import View
from core.engines import on_spark
from core.engines.spark import placing, session
from core.engines.spark.gathered import segment_counts, users_file

VECTOR = pa.list_(pa.float32(), 2)


def users(path: Path, ids: list[str], **columns: list[object]) -> None:
    path.parent.mkdir(exist_ok=True)
    n = len(ids)
    table = {
        "user_id": ids, "cluster": pa.array(range(n), pa.int32()), "page_views": [2] * n, "sessions": [1] * n,
        **columns, "embedding": pa.array([[1, 0]] * n, VECTOR),
    }  # fmt: skip
    pq.write_table(pa.table(table), path)


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    """Two parts: in one somebody bought in euros, in the other nobody did anything."""
    users(
        tmp_path / "parts" / "0.parquet",
        ["b", "9"],
        **{"outcome: purchase": [0, 2], "revenue: EUR": [None, 3.5]},
    )
    users(tmp_path / "parts" / "1.parquet", ["a"])
    return tmp_path / "parts"


def like(tmp_path: Path, *outcomes: str) -> Path:
    users(
        tmp_path / "like.parquet", ["x"], **{name: [0] if "outcome" in name else [0.5] for name in outcomes}
    )
    return tmp_path / "like.parquet"


def test_columns_are_those_of_a_run_and_rows_are_by_id(tmp_path: Path, parts: Path) -> None:
    before = like(tmp_path, "outcome: purchase", "revenue")
    assert users_file(parts, before, like=before) == 3
    found = pq.read_table(before)
    assert found.column_names == [
        "user_id", "cluster", "page_views", "sessions", "outcome: purchase", "revenue", "embedding",
    ]  # fmt: skip
    assert found.schema.field("embedding").type == VECTOR
    assert found["user_id"].to_pylist() == ["9", "a", "b"]
    assert found["outcome: purchase"].to_pylist() == [2, 0, 0]
    assert found["revenue"].to_pylist() == [3.5, None, None]


def test_a_second_currency_that_the_sample_has_not_seen_gets_a_column(tmp_path: Path, parts: Path) -> None:
    users(parts / "2.parquet", ["c"], **{"outcome: purchase": [1], "revenue: USD": [4.0]})
    assert users_file(parts, tmp_path / "out.parquet", like(tmp_path, "outcome: purchase", "revenue")) == 4
    found = pd.read_parquet(tmp_path / "out.parquet").set_index("user_id")
    assert "revenue" not in found
    assert found["revenue: EUR"].dropna().to_dict() == {"9": 3.5}
    assert found["revenue: USD"].dropna().to_dict() == {"c": 4.0}


def test_without_an_example_the_columns_are_those_of_the_parts(tmp_path: Path, parts: Path) -> None:
    (parts / "0.parquet").unlink()
    assert users_file(parts, tmp_path / "out.parquet") == 1
    assert pq.read_schema(tmp_path / "out.parquet") == pq.read_schema(parts / "1.parquet")


def test_segments_are_counted_with_the_pages_that_they_view_most(tmp_path: Path) -> None:
    users(tmp_path / "users.parquet", ["a", "b", "c"], cluster=pa.array([-1, 0, 0], pa.int32()))
    (pages := tmp_path / "pages").mkdir()
    for number, rows in enumerate(
        [[(0, "/x", 5, 2), (0, "/y", 4, 1)], [(0, "/y", 3, 1), (0, "/z", 1, 1), (-1, "/x", 2, 1)]]
    ):
        table = pd.DataFrame(rows, columns=["cluster", "page", "views", "users"])
        table.to_parquet(pages / f"{number}.parquet")
    found = segment_counts(tmp_path / "users.parquet", pages, top=2)
    assert [row["cluster"] for row in found] == [-1, 0]
    assert found[1] == {
        "cluster": 0, "users": 2, "page_views": 4, "sessions": 2,
        "top_pages": [{"page": "/y", "views": 7, "users": 2}, {"page": "/x", "views": 5, "users": 2}],
    }  # fmt: skip


def test_outliers_look_at_pages_as_users_of_no_segment() -> None:
    dataset: Any = SimpleNamespace(
        sequences=SimpleNamespace(user=np.array([0, 1, 2, 3]), page=np.zeros(4, int))
    )
    placed: Any = SimpleNamespace(clusters=np.array([0, -1, -2, -3]), names={View.URL: ["/x"]})
    frozen: Any = SimpleNamespace(known=SimpleNamespace(pages={"/x"}))
    found = placing.pages_seen(dataset, placed, frozen).sort_by("cluster").to_pylist()
    assert [(row["cluster"], row["users"]) for row in found] == [(-1, 3), (0, 1)]


def test_nobody_is_an_error_and_what_was_there_stays(tmp_path: Path) -> None:
    users(tmp_path / "parts" / "0.parquet", [])
    (out := tmp_path / "out.parquet").write_text("before")
    with pytest.raises(NothingLeft, match="No page view is left"):
        on_spark._written(tmp_path / "parts", out)
    assert out.read_text() == "before"


def test_parts_lie_where_spark_clears_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPARK_EXECUTOR_DIRS", raising=False)
    monkeypatch.setenv("SPARK_LOCAL_DIRS", "/tmp/blockmgr-1,/tmp/blockmgr-2")
    assert session.scratch() == Path("/tmp/blockmgr-1")
    monkeypatch.setenv("SPARK_EXECUTOR_DIRS", "/disks/executor-1:/disks/executor-2")
    assert session.scratch() == Path("/disks/executor-1")
