"""A rule in the words of GA4's audience builder, and as a row of the file."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from core.base.errors import InputError
from core.base.schema import CHANNEL, FIRST_CHANNEL, Users
from core.base.settings import IngestSettings
from core.rules.beam_search import find_rules
from core.rules.conditions import RuleClause, RuleCondition, RuleFeatures, RuleField, SegmentRule, Viewed
from core.rules.ga4 import check_audience, ga4_audience, ga4_text
from core.rules.raw_events import LoadedExport
from core.rules.records import rule_records
from tests.core.rules.toy import asks, load, view, write_flat


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> LoadedExport:
    folder = tmp_path_factory.mktemp("ga4")
    pages = ("/sale/a", "/sale/b", "/search?q=red", "/it's")
    rows = [
        view(f"u{n:02d}", step, pages[(n + step) % 4 if n % 2 else 3], device_category="mobile",
             traffic_source_source="google", traffic_source_medium="cpc")
        for n in range(40) for step in (0, 1)
    ]  # fmt: skip
    return load(folder, write_flat(folder / "e.csv", rows))[1]


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        (
            asks(RuleField.FOLDER, "/sale/", 3),
            "Event page_view · parameter page_location contains shop.example/sale/ · Event count > 2",
        ),
        (asks(Users.DEVICE, "mobile"), "Device category exactly matches (=) mobile"),
        (
            asks(Users.SOURCE, "google / cpc"),
            "First user source exactly matches (=) google and First user medium exactly matches (=) cpc",
        ),
        (asks(RuleField.PAGE_VIEWS, number=4), "Event page_view · Event count > 3"),
        (asks(RuleField.SESSIONS, number=1), "Event session_start · Event count > 0"),
        (
            asks(RuleField.LAST_DAYS, number=7),
            "Event page_view · Event count > 0, most recent time period 7 days",
        ),
    ],
)
def test_a_condition_as_it_is_clicked(export: LoadedExport, rule: SegmentRule, line: str) -> None:
    assert ga4_text(rule, export).splitlines() == [
        "Include users when (each group: scope Across all sessions)", "  Group 1", f"    {line}"
    ]  # fmt: skip


def test_page_views_are_called_as_the_analyst_calls_them(export: LoadedExport) -> None:
    named = replace(export, receipt=export.receipt.model_copy(update={"page_view": "screen_view"}))
    clauses = [
        RuleClause(any_of=(RuleCondition(field=field, value=value, number=7),))
        for field, value in (
            (RuleField.FOLDER, "/sale/"), (RuleField.PAGE_VIEWS, ""), (RuleField.LAST_DAYS, "")
        )
    ]  # fmt: skip
    text = ga4_text(SegmentRule(clauses=tuple(clauses)), named)
    text += ga4_text(SegmentRule(clauses=(clauses[1].model_copy(update={"negated": True}),)), named)
    assert (text.count("Event screen_view"), text.count("page_view")) == (5, 0)


def test_what_must_not_hold_is_excluded(export: LoadedExport) -> None:
    sale, mobile = (
        RuleCondition(field=RuleField.FOLDER, value="/sale/"),
        RuleCondition(field=Users.DEVICE, value="mobile"),
    )
    many = RuleCondition(field=RuleField.PAGE_VIEWS, number=9)
    rule = SegmentRule(clauses=(RuleClause(any_of=(sale, mobile)), RuleClause(any_of=(many,), negated=True)))
    assert ga4_text(rule, export).splitlines()[1:] == [
        "  Group 1",
        "    Event page_view · parameter page_location contains shop.example/sale/",
        "    OR Device category exactly matches (=) mobile",
        "Add group to exclude: Permanently exclude users when",
        "    Event page_view · Event count > 8",
    ]
    twice = SegmentRule(clauses=(*rule.clauses, RuleClause(any_of=(many,), negated=True)))
    assert ga4_text(twice, export) == ga4_text(rule, export)
    only = SegmentRule(clauses=(RuleClause(any_of=(many,), negated=True),))
    assert ga4_text(only, export).splitlines()[1:3] == ["  Group 1", "    Event page_view"]


@pytest.mark.parametrize(
    ("page", "yes", "no"),
    [
        (
            "/sale/a",
            ("/sale/a", "/Sale/A/", "/sale/a?x=1", "/sale/a#top"),
            ("/sale/ab", "/sale", "/x/sale/a"),
        ),
        (
            "/search?q=red",
            ("/search?q=red", "/search?u=1&q=red&x=2", "/search/?q=red"),
            ("/search?q=redder", "/search"),
        ),
    ],
)
def test_the_pattern_of_a_page(
    export: LoadedExport, page: str, yes: tuple[str, ...], no: tuple[str, ...]
) -> None:
    rule = asks(RuleField.PAGE, f"https://shop.example{page}")
    pattern = ga4_text(rule, export).rpartition("matches regex ")[2]
    assert all(re.search(pattern, f"https://shop.example{one}") for one in yes)
    assert not any(re.search(pattern, f"https://shop.example{one}") for one in no)


def test_a_row_a_segment_and_length(export: LoadedExport) -> None:
    labels = np.arange(export.features.n_users) % 2
    labels[0] = 5
    found = find_rules(export.features, labels)
    rows = json.loads(json.dumps(rule_records(found, {0: "A", 1: "B", 5: "C"}, export), allow_nan=False))
    assert [row["length"] for row in rows if row["segment"] == 5] == [0]
    assert "has 1 user" in next(row["text"] for row in rows if row["segment"] == 5)
    told = [row for row in rows if row["segment"] == 1]
    assert [row["length"] for row in told] == list(range(1, len(told) + 1))
    assert sum(row["recommended"] for row in told) == 1
    for row in told:
        assert SegmentRule(clauses=row["conditions"]).length == row["length"]
        assert row["precision_low"] <= row["precision"] <= row["precision_high"]
        assert row["text"].startswith("Users who ")
        assert all(row[language] for language in ("ga4", "sql_bigquery", "sql_duckdb", "verdict"))


def test_of_another_tool_there_is_nothing_for_ga4_and_bigquery(
    export: LoadedExport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LoadedExport, "is_ga4", property(lambda _: False))
    found = find_rules(export.features, np.arange(export.features.n_users) % 2)
    for row in rule_records(found, {0: "A", 1: "B"}, export):
        assert (row["ga4"], row["sql_bigquery"]) == ("", "")
        assert row["sql_duckdb"]


def test_a_file_is_where_it_was(tmp_path: Path, export: LoadedExport) -> None:
    assert Path(export.receipt.files[0].name).name == "e.csv"
    assert (
        str(tmp_path)
        not in rule_records(
            find_rules(export.features, np.arange(export.features.n_users) % 2), {0: "A", 1: "B"}, export
        )[0]["sql_duckdb"]
    )


def leaves(request: dict[str, Any]) -> list[dict[str, Any]]:
    """The filters of a request, without groups."""
    clauses = [clause["simpleFilter"]["filterExpression"] for clause in request["filterClauses"]]
    groups = [group for clause in clauses for group in clause["andGroup"]["filterExpressions"]]
    return [one for group in groups for one in group["orGroup"]["filterExpressions"]]


def test_an_audience_is_a_request_that_googles_schema_allows(export: LoadedExport) -> None:
    rule = SegmentRule(
        clauses=(
            RuleClause(any_of=(asked(RuleField.FOLDER, "/sale/"), asked(Users.SOURCE, "google / cpc"))),
            RuleClause(any_of=(asked(RuleField.PAGE_VIEWS, number=4),)),
            RuleClause(any_of=(asked(RuleField.LAST_DAYS, number=7),), negated=True),
        )
    )
    request = ga4_audience(rule, export, "Bargain hunters")
    check_audience(request)
    assert [clause["clauseType"] for clause in request["filterClauses"]] == ["INCLUDE", "EXCLUDE"]
    assert request["displayName"] == "Bargain hunters"
    folder, source, often, lately = leaves(request)
    [address] = inside(folder)
    assert address == {
        "fieldName": "pageLocation",
        "stringFilter": {"matchType": "CONTAINS", "value": "shop.example/sale/", "caseSensitive": False},
    }
    assert source["dimensionOrMetricFilter"]["fieldName"] == "firstUserSourceMedium"
    assert [one["numericFilter"]["value"] for one in inside(often)] == [{"int64Value": "3"}]
    assert [one["inAnyNDayPeriod"] for one in inside(lately)] == [7]


def asked(field: RuleField, value: str = "", number: int = 1) -> RuleCondition:
    return RuleCondition(field=field, value=value, number=number)


def inside(leaf: dict[str, Any]) -> list[dict[str, Any]]:
    """The filters of an event's parameters."""
    group = leaf["eventFilter"]["eventParameterFilterExpression"]["andGroup"]["filterExpressions"]
    return [one["dimensionOrMetricFilter"] for one in group]


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (asks(RuleField.FOLDER, "/sale/", 3), "eventCount ignores its other filters"),
        (asks(RuleField.LAST_DAYS, number=61), "cannot look 61 days back"),
    ],
)
def test_what_the_api_cannot_hold_is_refused(export: LoadedExport, rule: SegmentRule, why: str) -> None:
    with pytest.raises(InputError, match=why):
        ga4_audience(rule, export, "a")


@pytest.mark.parametrize(
    ("column", "words", "field"),
    [
        ("user_properties.plan", "Custom dimension plan (user-scoped)", "customUser:plan"),
        ("event_params.Plan", "Custom dimension Plan (event-scoped)", "customEvent:Plan"),
        ("geo_region", "Region", "region"),
        ("device.web_info.hostname", "Hostname", "hostName"),
    ],
)
def test_a_dimension_that_ga4_has_by_another_name(
    export: LoadedExport, column: str, words: str, field: str
) -> None:
    settings = IngestSettings(dimensions=(column,))
    chosen, [key] = replace(export, settings=settings), settings.dimension_keys
    assert ga4_text(asks(key, "pro"), chosen).endswith(f"    {words} exactly matches (=) pro")
    [leaf] = leaves(ga4_audience(asks(key, "pro"), chosen, "a"))
    assert leaf["dimensionOrMetricFilter"]["fieldName"] == field


def test_channels_are_ga4s_channel_groups(export: LoadedExport) -> None:
    asked = [asks(name, "Organic Search") for name in (CHANNEL, FIRST_CHANNEL)]
    filters = [leaf for rule in asked for leaf in leaves(ga4_audience(rule, export, "a"))]
    fields = [leaf["dimensionOrMetricFilter"]["fieldName"] for leaf in filters]
    assert fields == ["sessionDefaultChannelGroup", "firstUserDefaultChannelGroup"]


def test_a_column_that_ga4_may_not_have_is_refused(export: LoadedExport) -> None:
    chosen = replace(export, settings=IngestSettings(dimensions=("tariff",)))
    with pytest.raises(InputError, match=r"which dimension of GA4 the column 'tariff' is\. .*geo.region"):
        ga4_text(asks("tariff", "pro"), chosen)
    with pytest.raises(InputError, match=r"the column 'tariff'"):
        ga4_audience(asks("tariff", "pro"), chosen, "a")


def test_a_request_that_breaks_the_schema_is_named_with_its_place(export: LoadedExport) -> None:
    request = ga4_audience(asks(Users.DEVICE, "mobile"), export, "a")
    leaves(request)[0]["dimensionOrMetricFilter"]["stringFilter"]["matchType"] = "REGEX"
    with pytest.raises(InputError, match=r"matchType: 'REGEX' is not one of"):
        check_audience(request)


def test_many_pages_are_asked_for_in_lines_of_500_characters(tmp_path: Path) -> None:
    pages = [f"/{'long-name-' * 4}{number}" for number in range(40)]
    rows = [view(f"u{n:02d}", step, pages[(n + step) % 40]) for n in range(40) for step in (0, 1)]
    loaded = load(tmp_path, write_flat(tmp_path / "e.csv", rows))[1]
    rule = asks(RuleField.TYPE, "Other")
    by_type = replace(loaded, features=with_type(loaded, "Other"))
    lines = ga4_text(rule, by_type).splitlines()[2:]
    patterns = [line.rpartition("matches regex ")[2] for line in lines]
    assert len(lines) > 1
    assert max(map(len, lines)) <= 500
    for page in pages:
        assert sum(bool(re.search(one, f"https://shop.example{page}")) for one in patterns) == 1


SHOP = {
    "/sale/a": True, "/sale/b": True, "/sale/deep/c": True, "/tents/x": True, "/tents/y": False,
    "/help": True, "/help/a": False, "/help/b": True, "/search?q=a": True, "/search?q=b+c": True,
    "/list?q=one": True, "/list?q=two": False,
}  # fmt: skip
"""Page → whether it is of the type that is asked for."""


def test_folders_that_are_of_a_type_as_a_whole_stand_for_their_pages(tmp_path: Path) -> None:
    rows = [view(f"u{n:02d}", step, page) for n in range(30) for step, page in enumerate(SHOP)]
    loaded = load(tmp_path, write_flat(tmp_path / "e.csv", rows))[1]
    origin = "https://shop.example"
    features = with_type(loaded, "Sale", [page for page, is_in in SHOP.items() if is_in])
    line = ga4_text(asks(RuleField.TYPE, "Sale"), replace(loaded, features=features)).splitlines()[-1]
    pattern = line.rpartition("matches regex ")[2]
    for page, is_in in {**SHOP, "/sale/new": True, "/sale": False, "/search?q=new": True}.items():
        assert bool(re.search(pattern, origin + page)) == is_in, page
        assert bool(re.search(pattern, f"{origin}{page}#top")) == is_in, page
    assert "sale/.*" in pattern and "tents/x" in pattern and r"/search/?\?.*" in pattern
    assert pattern.count("help") == 1


@pytest.mark.parametrize("others", [("/?q=c",), ("/about",)])
def test_pages_that_are_a_query_of_the_first_page_are_told_apart(
    tmp_path: Path, others: tuple[str, ...]
) -> None:
    first, all_pages = ("/?q=a", "/?q=b"), ("/?q=a", "/?q=b", *others)
    rows = [view(f"u{n:02d}", step, page) for n in range(30) for step, page in enumerate(all_pages)]
    loaded = load(tmp_path, write_flat(tmp_path / "e.csv", rows))[1]
    line = ga4_text(asks(RuleField.TYPE, "A"), replace(loaded, features=with_type(loaded, "A", first)))
    pattern = line.rpartition("matches regex ")[2]
    found = [page for page in all_pages if re.search(pattern, f"https://shop.example{page}")]
    assert found == [*first]


def with_type(export: LoadedExport, name: str, pages: Sequence[str] | None = None) -> RuleFeatures:
    """Features with some pages of one type; every page if none are named."""
    folder = export.features.viewed[RuleField.PAGE]
    known = [page.removeprefix("https://shop.example") for page in export.features.pages]
    inside = np.array([pages is None or page in pages for page in known], np.int32)
    every = sparse.csc_array(inside.reshape(-1, 1))
    views = sparse.csc_array(folder.views.sum(axis=1).reshape(-1, 1))
    viewed = {**export.features.viewed, RuleField.TYPE: Viewed((name,), every, views)}
    return replace(export.features, viewed=viewed)
