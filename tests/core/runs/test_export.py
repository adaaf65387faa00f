"""What leaves the tool: exact ids, no formulas, the same bytes from the same tables."""

import csv
import io
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.errors import ArtifactError
from core.base.schema import SET_ASIDE, Users, View
from core.base.settings import ClusterSettings
from core.profiles.outcomes import OutcomeRecord
from core.runs import export
from core.runs.export import IdStyle
from core.segments.partition import Partition

IDS = ["1605951.6059719720", "0012.50", "1e5", "-1.50", "=SUM(A1)", '7."8', "x,y", "9" * 40 + ".0"]


def toy_users(ids: list[str] = IDS) -> pd.DataFrame:
    n = len(ids)
    return pd.DataFrame(
        {
            Users.USER_ID: pd.Series(ids, dtype="str"),
            Users.GROUP: ["segment"] * (n - 1) + ["one_page"],
            Users.PAGE_VIEWS: np.arange(1, n + 1, dtype=np.int32),
            Users.SESSIONS: np.ones(n, dtype=np.int32),
            Users.FIRST_TS: np.full(n, 1_700_000_000_123_456, dtype=np.int64),
            Users.LAST_TS: np.full(n, 1_700_000_060_000_000, dtype=np.int64),
            Users.ENGAGEMENT_MSEC: pd.array([None, *[1_500] * (n - 1)], dtype="Int64"),
            Users.BROWSER: ["Chrome"] * n,
            Users.DEVICE: ["mobile"] * n,
            Users.COUNTRY: pd.Series([None, *["Italy"] * (n - 1)], dtype="str"),
            Users.SOURCE: ["=HYPERLINK(1)"] * n,
        }
    )


VECTORS = np.array([[1, 0], [0, 1], [0.8, 0.6], [0, 1], [1, 0], [0, 1], [1, 0], [0, 1]], dtype=np.float32)


def toy_partition() -> Partition:
    return Partition(
        labels=np.array([0, 1, 0, 1, 0, 1, 0, -1], dtype=np.int32),
        centroids=np.array([[1, 0], [0, 1]], dtype=np.float32),
        ids=np.array([0, 1], dtype=np.int32),
        inertia=0.0, n_iter=1, warm=False, settings=ClusterSettings(n_clusters=2),
    )  # fmt: skip


def toy_table() -> pd.DataFrame:
    bought = OutcomeRecord(
        np.array([1, 3, 7]), np.array([1.0, 2.0, 1.0]), np.zeros(3), {"EUR": np.array([5.0, np.nan, 2.5])}
    )
    return export.users_table(
        toy_users(), toy_partition(), VECTORS, {0: "Shoppers", 1: "@readers"}, {"purchase": bought}
    )


def test_who_is_set_aside_is_in_no_segment_and_the_group_says_so() -> None:
    partition = toy_partition()
    labels = np.array([0, 1, 0, SET_ASIDE, 0, 1, 0, -1], dtype=np.int32)
    table = export.users_table(
        toy_users(), replace(partition, labels=labels), VECTORS, {0: "Shoppers", 1: "Readers"}, {}
    )
    assert table[Users.CLUSTER].tolist() == [0, 1, 0, -1, 0, 1, 0, -1]
    assert table[Users.GROUP].tolist() == [*["segment"] * 3, "set_aside", *["segment"] * 3, "one_page"]
    aside = table.iloc[3]
    assert pd.isna(aside["segment"]) and pd.isna(aside["distance"])
    assert (aside["membership"], aside["next_segment"], aside["next_distance"]) == (0, "Readers", 0)
    assert table["membership"].tolist()[:3] == pytest.approx(
        [1, 1, 2 / 3], abs=1e-4
    )  # .8 / (.4 + .8), squared
    assert pd.isna(table["membership"].iloc[-1])


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


def test_users_table_says_who_is_where() -> None:
    table = toy_table()
    assert table[Users.USER_ID].tolist() == IDS
    assert table[Users.CLUSTER].tolist() == [0, 1, 0, 1, 0, 1, 0, -1]
    assert table["segment"].tolist()[:2] == ["Shoppers", "@readers"]
    assert pd.isna(table["segment"].iloc[-1])
    assert table["first_seen"].iloc[0] == "2023-11-14T22:13:20Z"
    assert table["engaged_seconds"].isna().tolist() == [True] + [False] * 7
    assert table["engaged_seconds"].iloc[1] == 1.5


def test_users_table_ends_with_the_dimensions_beside_a_column_of_the_same_name() -> None:
    users = toy_users().assign(plan=["pro"] * 7 + [None], segment=["b2b"] * 8)
    table = export.users_table(users, toy_partition(), VECTORS, {0: "Shoppers", 1: "@readers"}, {})
    assert table.columns[-2:].tolist() == ["plan", "segment_dimension"]
    assert table["plan"].tolist()[:2] == ["pro", "pro"]
    assert table["segment"].tolist()[:2] == ["Shoppers", "@readers"]


def test_users_table_says_how_near_a_user_is_to_the_own_and_the_next_segment() -> None:
    table = toy_table()
    assert table["distance"].tolist()[:2] == [0.0, 0.0]
    assert table["next_distance"].iloc[0] == pytest.approx(2**0.5)
    assert table["next_segment"].tolist()[:3] == ["@readers", "Shoppers", "@readers"]
    third = table.iloc[2]  # (.8, .6): √.4 from (1, 0), √.8 from (0, 1)
    assert (third["distance"], third["next_distance"]) == pytest.approx((0.4**0.5, 0.8**0.5), abs=1e-6)
    outside = table.iloc[-1]
    assert pd.isna(outside[["distance", "next_segment", "next_distance"]]).all()


def test_users_table_says_who_had_the_outcome_and_what_it_brought() -> None:
    table = toy_table()
    assert table["outcome: purchase"].tolist() == [0, 1, 0, 2, 0, 0, 0, 1]  # one-page buyers included
    assert table["revenue"].fillna(-1).tolist() == [-1, 5.0, -1, -1, -1, -1, -1, 2.5]


def test_the_first_users_are_those_of_the_whole_table() -> None:
    bought = OutcomeRecord(np.array([1, 7]), np.ones(2), np.zeros(2), {"EUR": np.array([5.0, 2.5])})
    names = {0: "Shoppers", 1: "@readers"}
    whole = export.users_table(toy_users(), toy_partition(), VECTORS, names, {"purchase": bought})
    part = export.users_table(toy_users().head(3), toy_partition(), VECTORS, names, {"purchase": bought})
    pd.testing.assert_frame_equal(part, whole.head(3))


def test_without_an_outcome_there_are_no_columns_of_it() -> None:
    table = export.users_table(toy_users(), toy_partition(), VECTORS, {}, {})
    assert not [name for name in table if name.startswith("outcome") or name == "revenue"]


def test_segments_of_fewer_users_are_refused() -> None:
    few = replace(toy_partition(), labels=np.array([0, 1], dtype=np.int32))
    with pytest.raises(ArtifactError, match="2 labels do not belong to 8 users"):
        export.users_table(toy_users(), few, VECTORS, {}, {})


def test_csv_keeps_ids_and_disarms_everything_else() -> None:
    rows = rows_of(export.csv_bytes(toy_table()))
    assert [row["user_id"] for row in rows] == IDS
    assert {row["source"] for row in rows} == {"'=HYPERLINK(1)"}
    assert rows[1]["segment"] == "'@readers"
    assert rows[0]["country"] == ""
    assert rows[0]["engaged_seconds"] == ""
    assert rows[-1]["cluster"] == "-1"


def test_csv_quotes_ids_and_leaves_numbers_bare() -> None:
    line = export.csv_bytes(toy_table()).decode().splitlines()[1]
    assert line.startswith('"1605951.6059719720",0,')


def test_excel_style_is_a_text_formula_of_the_exact_id() -> None:
    content = export.csv_bytes(toy_table(), IdStyle.EXCEL)
    assert content.startswith(b"\xef\xbb\xbf")
    written = [row["user_id"] for row in rows_of(content)]
    assert written[0] == '="1605951.6059719720"'
    assert written[5] == '="7.""8"'
    assert [cell[2:-1].replace('""', '"') for cell in written] == IDS


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00")), min_size=1, max_size=5))
def test_any_id_survives_the_csv(ids: list[str]) -> None:
    table = pd.DataFrame({"user_id": pd.Series(ids, dtype="str"), "n": range(len(ids))})
    rows = list(csv.reader(io.StringIO(export.csv_bytes(table).decode(), newline=""), strict=True))
    assert [row[0] for row in rows[1:]] == ids


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8))
def test_no_cell_starts_like_a_formula(text: str) -> None:
    table = pd.DataFrame({"page_title": pd.Series([text], dtype="str"), "n": [1]})
    cell = list(csv.reader(io.StringIO(export.csv_bytes(table).decode(), newline="")))[1][0]
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert cell.removeprefix("'") == text or cell == text


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "＝1"])
def test_formula_starts_get_an_apostrophe(cell: str) -> None:
    table = pd.DataFrame({"page_title": pd.Series([cell, "fine - really"], dtype="str")})
    rows = list(csv.reader(io.StringIO(export.csv_bytes(table).decode(), newline="")))
    assert [row[0] for row in rows[1:]] == [f"'{cell}", "fine - really"]


def test_parquet_keeps_ids_as_text() -> None:
    table = pq.read_table(io.BytesIO(export.parquet_bytes(toy_table())))
    assert table.schema.field("user_id").type == pa.string()
    assert table.schema.field("cluster").type == pa.int32()
    assert table["user_id"].to_pylist() == IDS
    assert table["country"].to_pylist()[0] is None


def test_embeddings_are_one_fixed_list_a_view() -> None:
    vectors = np.arange(6, dtype=np.float32).reshape(3, 2)
    table = export.embeddings_table(pa.array(["1.0", "2.0", "3.0"]), {View.URL: vectors, View.TYPE: -vectors})
    assert table.column_names == ["user_id", "url", "type"]
    assert table.schema.field("url").type == pa.list_(pa.float32(), 2)
    again = pq.read_table(io.BytesIO(export.parquet_bytes(table)))
    assert again["type"].to_pylist() == [[0, -1], [-2, -3], [-4, -5]]


def test_vectors_of_other_users_are_refused() -> None:
    with pytest.raises(ArtifactError, match="url do not fit the users"):
        export.embeddings_table(pa.array(["a"]), {View.URL: np.zeros((2, 3), dtype=np.float32)})


def test_zip_holds_one_csv_a_table_and_is_reproducible() -> None:
    tables = {"segments": toy_table(), "shares": toy_table().head(1)}
    content = export.tables_zip(tables)
    assert content == export.tables_zip(tables)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == ["segments.csv", "shares.csv"]
        assert rows_of(archive.read("shares.csv"))[0]["user_id"] == IDS[0]
