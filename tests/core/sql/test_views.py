"""The tables that SQL may read: figures of groups, and nobody in them."""

from core.sql.sandbox import run_sql
from core.sql.views import columns, sql_views
from tests.core.facts.toy import context
from tests.core.profiles.toy import toy_tables


def test_the_tables_are_those_of_the_profiles() -> None:
    made = context()
    views = sql_views(made)
    assert views["segments"].table.num_rows == len(made.tables.profiles.segments)
    assert {"top_pages", "shares", "heatmap", "entries", "exits", "fields", "themes_and_types"} <= set(views)
    assert "outcome_rate" in columns(views["segments"])["Column"].tolist()


def test_where_sessions_begin_and_end_is_told_of_every_row() -> None:
    views = sql_views(context())
    for name, told in (
        ("entries", [("/sale", 3, 0.75), ("/", 1, 0.25)]),
        ("exits", [("/sale", 2, 0.5), ("/cart", 2, 0.5)]),
    ):
        rows = views[name].table.to_pylist()
        own = [row for row in rows if row["key"] == "segment:0"]
        assert [(row["value"], row["sessions"], row["share"]) for row in own] == told
        assert [(row["rank"], row["sessions_n"]) for row in own] == [(1, 4), (2, 4)]
        assert {row["key"] for row in rows} == set(context().keys)


def test_without_labels_there_is_no_table_of_them() -> None:
    assert "themes_and_types" not in sql_views(context(labelled=False))


def test_no_user_id_is_in_any_table() -> None:
    users = set(toy_tables()[0]["user_id"])
    assert users
    for view in sql_views(context()).values():
        values = {value for column in view.table.to_pydict().values() for value in map(str, column)}
        assert users.isdisjoint(values)


def test_a_query_reads_them_with_the_analyst_s_names() -> None:
    tables = {name: view.table for name, view in sql_views(context()).items()}
    found = run_sql("SELECT name, users FROM segments WHERE kind = 'segment' ORDER BY segment", tables)
    rows = found.table.to_pylist()
    assert [row["name"] for row in rows] == ["Sale hunters", "Blog readers"]
    assert all(row["users"] > 0 for row in rows)
