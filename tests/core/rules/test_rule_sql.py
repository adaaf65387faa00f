"""The SQL of a rule returns exactly the users that the rule describes, flat and nested, in both dialects."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlglot

from core.base.schema import CHANNEL, FIRST_CHANNEL, Raw
from core.ingest.read.nested import quote_bigquery
from core.rules.beam_search import candidates
from core.rules.conditions import RuleClause, RuleCondition, RuleField, SegmentRule
from core.rules.raw_events import LoadedExport, quote_duckdb
from core.rules.rule_sql import bigquery_sql, duckdb_sql, limits
from tests.core.rules.toy import (
    Row,
    asks,
    by_bigquery,
    by_duckdb,
    load,
    stated,
    view,
    write_flat,
    write_nested,
)

PAGES = (
    "/", "/index.html", "/sale", "/Sale/", "/sale/shoes?utm_source=x", "/sale/shoes/#top", "/sale/it's",
    "/blog/a%20b", "/blog/caf%C3%A9", "/blog/Café", "/search?q=red+shoes", "/search?gclid=1&q=red%20shoes",
    "/search?q=Red", "/help;jsessionid=9f?x=1", "/help", '/say-"hi"', "/100%25",
    "https://OTHER.example/sale",
)  # fmt: skip
Writer = Callable[[Path, list[Row]], Path]


def shop_rows(seed: int, users: int = 60) -> list[Row]:
    """Random visitors, with everything that cleaning has to do with."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        second = float(rng.integers(0, 40 * 86_400))
        for number in range(int(rng.integers(1, 9))):
            second += float(rng.choice([1.5, 60, 1_700, 1_900, 90_000]))
            rows.append(
                view(
                    str(rng.choice([f"{user}.5", f"{user}.5", "(not set)"], p=[0.9, 0.08, 0.02])), second,
                    str(rng.choice(PAGES)) if rng.random() > 0.03 else "(not set)",
                    event_name=str(rng.choice(["page_view", "scroll"], p=[0.85, 0.15])),
                    ga_session_id=str(1 + number // 3) if rng.random() > 0.25 else (None, "-1")[number % 2],
                    device_category=str(rng.choice(["mobile", "desktop", "<Other>"])),
                    device_web_info_browser=str(rng.choice(["Chrome", "Saf'ari"])),
                    geo_country=str(rng.choice(["Italy", "Côte d'Ivoire", "(not set)"])),
                    traffic_source_source=str(rng.choice(["google", "(direct)", "shop.example"])),
                    traffic_source_medium=str(rng.choice(["organic", "(none)", "(not set)"])),
                    traffic_type="internal" if rng.random() < 0.03 else None,
                    debug_mode="1" if rng.random() < 0.03 else None,
                )
            )  # fmt: skip
    return rows


def asked_of_columns(export: LoadedExport) -> list[RuleCondition]:
    """All conditions but those about channels, which no column holds."""
    asked = candidates(export.features, np.flatnonzero(export.features.inside)).conditions
    return [condition for condition in asked if condition.field not in (CHANNEL, FIRST_CHANNEL)]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("write", [write_flat, write_nested])
def test_every_condition_returns_its_very_users(tmp_path: Path, seed: int, write: Writer) -> None:
    rows = shop_rows(seed)
    path = write(tmp_path / f"it's {write.__name__}.{'csv' if write is write_flat else 'json'}", rows)
    dataset, export = load(tmp_path, path)
    asked = asked_of_columns(export)
    assert {condition.field for condition in asked} >= set(RuleField) - {
        RuleField.TEMPLATE, RuleField.THEME, RuleField.TYPE
    }  # fmt: skip
    rng = np.random.default_rng(seed)
    for place in rng.permutation(len(asked))[:12]:
        for negated in (False, True):
            rule = SegmentRule(clauses=(RuleClause(any_of=(asked[place],), negated=negated),))
            wanted = stated(dataset, export, rule)
            assert by_duckdb(tmp_path, rule, export) == wanted, rule
            if asked[place].field is not RuleField.ENTRY:  # ties
                assert by_bigquery(rows, rule, export) == wanted, rule


@pytest.mark.parametrize("write", [write_flat, write_nested])
def test_a_chosen_dimension_is_a_column_of_the_sql(tmp_path: Path, write: Writer) -> None:
    rng = np.random.default_rng(5)
    rows = [
        {
            **row,
            "user_properties.order": str(rng.choice(["it's", "b", "(not set)"])),
            "geo_region": str(rng.choice(["(direct)", "Lazio"])),
        }
        for row in shop_rows(5)
    ]
    region = "geo_region" if write is write_flat else "geo.region"
    path = write(tmp_path / f"e.{'csv' if write is write_flat else 'json'}", rows)
    dataset, export = load(tmp_path, path, dimensions=("user_properties.order", region))
    asked = candidates(export.features, np.flatnonzero(export.features.inside)).conditions
    of_dimensions = [one for one in asked if one.field in export.settings.dimension_keys]
    assert {one.value for one in of_dimensions} == {"it's", "b", "(direct)", "Lazio"}
    for condition in of_dimensions:
        rule = SegmentRule(clauses=(RuleClause(any_of=(condition,)),))
        wanted = stated(dataset, export, rule)
        assert 0 < len(wanted) < len(dataset.users)
        assert by_duckdb(tmp_path, rule, export) == by_bigquery(rows, rule, export) == wanted
        assert limits(rule, export) == ()


def test_a_channel_is_found_in_the_files_of_a_run_alone(tmp_path: Path) -> None:
    tagged = {"collected_traffic_source_manual_source": "google"}
    rows = [{**view(user, at), **(tagged if user == "a" else {})} for user in "abc" for at in (0, 1)]
    path = write_flat(tmp_path / "e.csv", [row | {"tariff": "x"} for row in rows])
    dataset, export = load(tmp_path, path, dimensions=("tariff",))
    for name in (CHANNEL, FIRST_CHANNEL):
        rule = asks(name, "Organic Search")
        assert stated(dataset, export, rule) == ["a"]
        assert duckdb_sql(rule, export) == bigquery_sql(rule, export) == ""
        assert limits(rule, export)[0].startswith(
            f"No column of the export is the {name.replace('_', ' ')} of"
        )
    unplaced = asks("tariff", "x")
    assert by_duckdb(tmp_path, unplaced, export) == ["a", "b", "c"]
    assert bigquery_sql(unplaced, export) == ""
    assert "it is not known where GA4's export has tariff" in limits(unplaced, export)[0]


def test_a_rule_of_several_clauses(tmp_path: Path) -> None:
    rows = shop_rows(9)
    dataset, export = load(tmp_path, write_flat(tmp_path / "e.csv", rows))
    asked = asked_of_columns(export)
    rng = np.random.default_rng(0)
    found = set()
    for _ in range(15):
        one, two, three, four = (asked[place] for place in rng.permutation(len(asked))[:4])
        rule = SegmentRule(
            clauses=(RuleClause(any_of=(one, two)), RuleClause(any_of=(three, four), negated=True))
        )
        wanted = stated(dataset, export, rule)
        found.add(len(wanted))
        assert by_duckdb(tmp_path, rule, export) == wanted
    assert len(found) > 5


def test_another_tools_page_views_are_counted(tmp_path: Path) -> None:
    names = {"page_view": "it's \\viewed", "scroll": "page_view"}
    rows = [row | {"event_name": names[str(row["event_name"])]} for row in shop_rows(3)]
    path = write_flat(tmp_path / "e.csv", rows)
    dataset, export = load(tmp_path, path, page_view=names["page_view"])
    rule = asks(RuleField.PAGE_VIEWS, number=4)
    assert by_duckdb(tmp_path, rule, export) == stated(dataset, export, rule) != []
    assert by_bigquery(rows, rule, export) == stated(dataset, export, rule)


@pytest.mark.parametrize("inside", [True, False], ids=["a record", "a name with a dot"])
@pytest.mark.parametrize("kind", ["ndjson", "parquet"])
def test_columns_in_records_are_found(tmp_path: Path, inside: bool, kind: str) -> None:
    rows = shop_rows(4)
    events = [
        {"distinct_id": row["user_pseudo_id"], "timestamp": row["event_timestamp"], "event": "$pageview"}
        | (
            {"properties": {key: row["page_location"]}}
            if inside
            else {f"properties.{key}": row["page_location"]}
        )
        for key, row in (("$current_url", row) for row in rows)
    ]
    path = tmp_path / f"e.{kind}"
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(events), path)
    else:
        path.write_text("".join(f"{json.dumps(event)}\n" for event in events))
    dataset, export = load(tmp_path, path)
    rule = asks(RuleField.PAGE_VIEWS, number=4)
    assert by_duckdb(tmp_path, rule, export) == stated(dataset, export, rule) != []


def test_bots_are_left_out(tmp_path: Path) -> None:
    bot = [view("bot", 1.25 * number, "/sale") for number in range(400)]
    people = [view(f"u{number}", 10 * step, "/sale") for number in range(4) for step in range(2)]
    dataset, export = load(tmp_path, write_flat(tmp_path / "e.csv", bot + people))
    assert export.receipt.users_by_group["bot_like"] == 1
    rule = asks(RuleField.PAGE, "https://shop.example/sale")
    assert by_duckdb(tmp_path, rule, export) == stated(dataset, export, rule) == ["u0", "u1", "u2", "u3"]
    assert by_bigquery(bot + people, rule, export) == ["u0", "u1", "u2", "u3"]


def people_and(bot: list[Row]) -> list[Row]:
    """Five people, a day apart, of two pages each; and the views of somebody fast."""
    return [view(f"u{n}", 86_400 * n + step, "/a") for n in range(5) for step in (0, 60)] + bot


def test_the_last_days_are_counted_from_the_last_view_of_who_is_not_left_out(tmp_path: Path) -> None:
    rows = people_and([view("bot", 40 * 86_400 + number, "/b") for number in range(320)])
    path, rule = write_flat(tmp_path / "e.csv", rows), asks(RuleField.LAST_DAYS, number=2)
    for exclude, last in ((True, ["u3", "u4"]), (False, [])):
        dataset, export = load(tmp_path / str(exclude), path, exclude_bots=exclude)
        assert stated(dataset, export, rule) == last
        assert by_duckdb(tmp_path, rule, export) == last
        assert by_bigquery(rows, rule, export) == last


def test_pages_left_out_count_for_the_pace_of_a_bot(tmp_path: Path) -> None:
    rows = people_and([view("bot", number, "/b" if number % 2 else "/ping") for number in range(320)])
    dataset, export = load(
        tmp_path, write_flat(tmp_path / "e.csv", rows), strip_pages=("https://shop.example/ping",)
    )
    assert export.receipt.users_by_group["bot_like"] == 1
    rule = asks(RuleField.PAGE_VIEWS, number=2)
    wanted = stated(dataset, export, rule)
    assert wanted == [f"u{number}" for number in range(5)]
    assert by_duckdb(tmp_path, rule, export) == by_bigquery(rows, rule, export) == wanted


def test_rounded_times_say_nothing_of_pace(tmp_path: Path) -> None:
    rows = people_and([view("reader", 0, "/b") for _ in range(320)])
    dataset, export = load(tmp_path, write_flat(tmp_path / "e.csv", rows), exclude_bots=True)
    assert export.receipt.rounded_times
    rule = asks(RuleField.PAGE_VIEWS, number=2)
    wanted = stated(dataset, export, rule)
    assert "reader" in wanted
    assert by_duckdb(tmp_path, rule, export) == by_bigquery(rows, rule, export) == wanted


def test_a_page_that_cleaning_merged_is_its_form_and_said(tmp_path: Path) -> None:
    rows = [
        view(f"u{number:02d}", step, f"/order/{number + 1000}") for number in range(30) for step in (0, 9)
    ]
    rows += [view(f"v{number:02d}", step, "/order/help") for number in range(30) for step in (0, 9)]
    dataset, export = load(tmp_path, write_flat(tmp_path / "e.csv", rows))
    merged = next(page for page in export.features.pages if "{" in page)
    rule = asks(RuleField.PAGE, merged)
    assert stated(dataset, export, rule) == [f"u{number:02d}" for number in range(30)]
    assert by_duckdb(tmp_path, rule, export) == stated(dataset, export, rule)
    assert by_bigquery(rows, rule, export) == stated(dataset, export, rule)
    assert "1 pages of this rule stand for several addresses" in limits(rule, export)[0]
    assert limits(asks(RuleField.PAGE, "https://shop.example/order/help"), export) == ()


def test_pages_left_out_by_choice_count_nowhere(tmp_path: Path) -> None:
    rows = [view("a", 0, "/x"), view("a", 5, "/gone"), view("b", 0, "/x"), view("b", 5, "/y")]
    dataset, export = load(
        tmp_path, write_flat(tmp_path / "e.csv", rows), strip_pages=("https://shop.example/gone",)
    )
    rule = asks(RuleField.PAGE_VIEWS, number=1)
    assert by_duckdb(tmp_path, rule, export) == stated(dataset, export, rule) == ["b"]


def test_pages_left_out_that_cleaning_merged_count_nowhere(tmp_path: Path) -> None:
    rows = [view(f"u{number}", step, "/a") for number in range(30) for step in range(1 + number % 2)]
    rows += [view(f"u{number}", 9, f"/order/{number + 1000}") for number in range(30)]
    rows += [view("helped", step, "/order/help") for step in range(2)]
    dataset, export = load(
        tmp_path, write_flat(tmp_path / "e.csv", rows), strip_pages=("https://shop.example/order/{id}",)
    )
    rule = asks(RuleField.PAGE_VIEWS, number=2)
    wanted = stated(dataset, export, rule)
    assert wanted == sorted(["helped", *(f"u{number}" for number in range(1, 30, 2))])
    assert by_duckdb(tmp_path, rule, export) == by_bigquery(rows, rule, export) == wanted


ODD = (
    "/a&kind=red", "/list?kind=red", "/list?kind=blue", "/list?Q=Red&kind=x", "/list?q=red", "/back\\slash",
    "/tab\tbed", "/{x}", "/{y}", "/7", "/100%-wool?q=50%25", "/caf%E9", "/%5Cenc", "/a%2Fb",
    "/spa#/Route?q=x",
    "?q=only", "/\u5546\u54c1/%E9%9D%B4", "/\u039b\u038c\u0393\u039f\u03a3", "/\u0130stanbul",
)  # fmt: skip


def test_odd_addresses_are_found(tmp_path: Path) -> None:
    rows = [view(f"u{n:02d}", n + 60 * k, ODD[(n + k * n) % len(ODD)]) for n in range(38) for k in range(3)]
    rows = [row | {"page_location": row["page_location"] or ""} for row in rows]
    dataset, export = load(tmp_path, write_flat(tmp_path / "e.csv", rows))
    assert len(export.features.pages) > 15
    for page in export.features.pages:
        rule = asks(RuleField.PAGE, page)
        assert limits(rule, export) == ()
        wanted = stated(dataset, export, rule)
        assert by_duckdb(tmp_path, rule, export) == wanted != [], page
        assert by_bigquery(rows, rule, export) == wanted, page


def test_pages_alike_but_for_codes_are_said(tmp_path: Path) -> None:
    rows = [view(f"u{n}", step, ("/a%2Fb", "/a/b")[n % 2]) for n in range(6) for step in (0, 5)]
    _, export = load(tmp_path, write_flat(tmp_path / "e.csv", rows))
    assert (
        "1 pages of this rule are written as others"
        in limits(asks(RuleField.PAGE, "https://shop.example/a/b"), export)[0]
    )


@pytest.mark.parametrize("text", ["it's", "a\\'b", "x\ny", "'; DROP TABLE events; --", "\\", "\0", "ü'\\n"])
def test_a_literal_is_read_as_it_was(text: str) -> None:
    import duckdb

    (read,) = duckdb.sql(f"SELECT {quote_duckdb(text)}").fetchall()[0]
    assert read == text.replace("\0", "")
    literal = sqlglot.parse_one(f"SELECT {quote_bigquery(text)}", read="bigquery").expressions[0]
    assert literal.this == text.replace("\0", "")
    assert "\n" not in quote_bigquery(text)


def test_strangers_text_leaves_the_comment_and_literals_nowhere(tmp_path: Path) -> None:
    name = "https://shop.example/x'; DROP TABLE events; --"
    rows = [view(f"u{number}", step, name) for number in range(4) for step in (0, 9)]
    rows += [view(f"v{number}", step, "/y*/ DROP TABLE z") for number in range(4) for step in (0, 9)]
    dataset, export = load(tmp_path, write_flat(tmp_path / "e.csv", rows))
    for page in export.features.pages:
        rule = asks(RuleField.PAGE, page)
        wanted = stated(dataset, export, rule)
        assert len(wanted) == 4
        assert by_duckdb(tmp_path, rule, export) == wanted
        assert by_bigquery(rows, rule, export) == wanted
        for sql, dialect in ((duckdb_sql(rule, export), "duckdb"), (bigquery_sql(rule, export), "bigquery")):
            kinds = {type(part).__name__ for part in sqlglot.parse(sql, read=dialect)}
            assert kinds <= {"Select", "Declare"}


def test_what_duckdb_cannot_read_has_no_sql_and_says_so(tmp_path: Path) -> None:
    import zipfile

    write_flat(tmp_path / "e.csv", [view("a", 0), view("a", 5, "/x")])
    with zipfile.ZipFile(tmp_path / "e.zip", "w") as archive:
        archive.write(tmp_path / "e.csv", "e.csv")
    _, export = load(tmp_path, tmp_path / "e.zip")
    rule = asks(RuleField.PAGE_VIEWS, number=2)
    assert duckdb_sql(rule, export) == ""
    assert "DuckDB cannot read these files" in limits(rule, export)[0]
    assert bigquery_sql(rule, export)


def text(rows: list[Row], path: Path) -> str:
    """What a flat file of these rows holds."""
    return write_flat(path, rows).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.encode("cp1252"), "flat csv in windows-1252"),
        (lambda text: text.encode("utf-16"), "flat csv in utf-16-le"),
        (lambda text: f"{text}1,2\n".encode(), "flat csv with broken lines"),
        (lambda text: f"{text}\n\nTotal,,,,\n".encode(), "flat csv with broken lines"),
        (lambda text: text.encode(), ""),
        (lambda text: text.encode("utf-8-sig"), ""),
        (lambda text: text.replace(",", "\t").encode(), ""),
        (lambda text: f"# ----\n# GA4 export\n\n{text}".encode(), ""),
    ],
)
def test_the_files_are_read_raw_only_where_duckdb_can(
    tmp_path: Path, change: Callable[[str], bytes], said: str
) -> None:
    rows = [view(f"u{n}", 10 * n + step, page) for n in range(9) for step, page in ((0, "/café"), (1, "/a"))]
    rows.append(view("u0", 99, "(not set)"))  # counted as rejected, but a record like any other
    path = tmp_path / "e.csv"
    path.write_bytes(change(text(rows, path)))
    dataset, export = load(tmp_path, path)
    rule = asks(RuleField.PAGE_VIEWS, number=2)
    if said:
        assert duckdb_sql(rule, export) == ""
        assert limits(rule, export)[0].startswith(f"DuckDB cannot read these files as they are ({said})")
    else:
        assert by_duckdb(tmp_path, rule, export) == stated(dataset, export, rule)
        assert limits(rule, export) == ()


def test_files_with_other_delimiters_and_columns_are_read_together(tmp_path: Path) -> None:
    commas = ",".join("abcdefghijklmnopqrst")  # more than there are columns, in every address
    rows = [
        view(f"u{number}", number + step, f"/{commas},{number % 2}") for number in range(9) for step in (0, 5)
    ]
    head, *lines = text(rows, tmp_path / "1.csv").splitlines()
    parts = [line.replace("u", "v", 1).split('"') for line in lines]
    bare = [before.replace(",", ";") + page + after.replace(",", ";") for before, page, after in parts]
    (tmp_path / "2.csv").write_text("\n".join([head.replace(",", ";"), *bare]), encoding="utf-8")
    wider = [f"x,{line.replace('u', 'w', 1)}" for line in lines]
    (tmp_path / "3.csv").write_text("\n".join([f"more,{head}", *wider]), encoding="utf-8")
    dataset, export = load(tmp_path, tmp_path / "*.csv")
    assert [file.delimiter for file in export.receipt.files] == [",", ";", ","]
    rule = asks(RuleField.PAGE, f"https://shop.example/{commas},1", number=2)
    wanted = [f"{who}{number}" for who in "uvw" for number in (1, 3, 5, 7)]
    assert by_duckdb(tmp_path, rule, export) == stated(dataset, export, rule) == wanted


def test_a_quote_that_comes_late_is_a_quote(tmp_path: Path) -> None:
    rows = [view(f"u{number // 2:05d}", number, "/a") for number in range(30_000)]
    rows += [view("v", number, "/x,y") for number in range(2)]
    dataset, export = load(tmp_path, write_flat(tmp_path / "e.csv", rows))
    rule = asks(RuleField.PAGE, "https://shop.example/x,y")
    assert by_duckdb(tmp_path, rule, export) == stated(dataset, export, rule) == ["v"]


def test_broken_lines_of_json_are_no_sql_either(tmp_path: Path) -> None:
    path = write_nested(tmp_path / "e.json", [view(f"u{n}", n + step) for n in range(4) for step in (0, 5)])
    rule = asks(RuleField.PAGE_VIEWS, number=2)
    assert duckdb_sql(rule, load(tmp_path / "whole", path)[1])
    path.write_text(path.read_text(encoding="utf-8") + '{"event_date": \n', encoding="utf-8")
    _, export = load(tmp_path / "broken", path)
    assert duckdb_sql(rule, export) == ""
    assert "(nested ndjson with broken lines)" in limits(rule, export)[0]


def test_events_of_another_tool_are_not_in_ga4(tmp_path: Path) -> None:
    _, export = load(tmp_path / "read", write_flat(tmp_path / "a.csv", [view("1.5", 0.0, "/")]))
    [file] = export.receipt.files
    assert export.is_ga4
    other = file.model_copy(update={"columns": file.columns | {Raw.EVENT_TIMESTAMP: "derived_tstamp"}})
    for one in (other, file.model_copy(update={"tool": "Snowplow"})):
        told = export.receipt.model_copy(update={"files": (file, one)})
        assert not replace(export, receipt=told).is_ga4


def test_events_that_another_table_replaces_are_said_where_duckdb_counts_them(tmp_path: Path) -> None:
    (tables := tmp_path / "tables").mkdir()
    rows = [view("a.1", 0, "/"), view("a.1", 9, "/sale")]
    write_flat(tables / "events_20200913.csv", rows)
    write_flat(tables / "events_intraday_20200913.csv", [*rows, view("a.1", 60, "/sale")])
    dataset, export = load(tmp_path / "loaded", tables)
    rule = asks(RuleField.PAGE, "https://shop.example/sale", 2)
    assert (stated(dataset, export, rule), by_duckdb(tables, rule, export)) == ([], ["a.1"])
    replaced, provisional = limits(rule, export)
    assert replaced.startswith("3 page views are of days that another table has, too: DuckDB counts them")
    assert provisional.startswith("The data have 1 intraday or fresh table: the SQL of BigQuery")


def test_a_stream_is_found_in_floats_too(tmp_path: Path) -> None:
    streams = {"a.1": "222.0", "b.1": "222", "c.1": "2220"}
    rows = [view(user, second, "/", stream_id=id) for user, id in streams.items() for second in (0, 9)]
    dataset, export = load(tmp_path, write_flat(tmp_path / "e.csv", rows), stream="222")
    rule = asks(RuleField.PAGE_VIEWS, number=2)
    assert by_duckdb(tmp_path, rule, export) == stated(dataset, export, rule) == ["a.1", "b.1"]
