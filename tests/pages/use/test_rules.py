"""The Rules page: the best rules of a segment, in four languages, and one of the analyst's own."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.rules.conditions import MAX_CONDITIONS
from core.rules.raw_events import LoadedExport
from pages.ui.rules import rule_view
from pages.ui.shell.text import md_text
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import texts
from tests.pages.fixtures_segments import FinishedRun

PAGE = "pages/use/rules.py"


@pytest.fixture
def rules(open_app: OpenApp, finished_run: FinishedRun) -> AppTest:
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    assert not app.exception
    return app


def codes(app: AppTest) -> list[str]:
    return [code.value for code in app.code]


def test_without_data_it_says_where_to_go(open_app: OpenApp) -> None:
    app = open_app(PAGE)
    assert not app.exception
    assert "This page needs a data set" in texts(app)


def test_the_best_rule_is_shown_with_how_well_it_fits(rules: AppTest) -> None:
    assert "It finds nearly all of the segment, and nearly all of whom it finds belong" in texts(rules)
    assert {metric.label: metric.value for metric in rules.metric}["Precision"] == "100%"
    table = next(table.value for table in rules.table if "Users who …" in table.value)
    assert table["Conditions"].astype(int).tolist() == [1]
    english, ga4, bigquery, duckdb = codes(rules)
    assert "FROM 'users.parquet' JOIN 'sequences.parquet'" in duckdb
    assert english.startswith("Users who viewed ")
    assert ga4.startswith("Include users when")
    assert bigquery.startswith("DECLARE first_day")
    assert "DuckDB cannot read these files" in texts(rules)  # the toy has no columns


def test_a_tool_that_never_had_the_events_is_not_offered(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LoadedExport, "is_ga4", property(lambda _: False))
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    assert not app.exception
    assert [tab.label for tab in app.tabs] == ["English", "DuckDB"]
    assert len(codes(app)) == 2


def test_another_segment_has_another_rule(rules: AppTest) -> None:
    first = codes(rules)[0]
    rules.selectbox(key="rules_of").set_value(1).run()
    assert not rules.exception
    assert codes(rules)[0] != first


def test_a_rule_of_ones_own_is_judged_like_any_other(rules: AppTest) -> None:
    assert "The rule has no condition yet" in texts(rules)
    rules.selectbox(key="rule-field").set_value("page_views").run()
    rules.number_input(key="rule-number-page_views").set_value(1).run()
    rules.button(key="add-condition").click().run()
    assert not rules.exception
    assert "Users who had at least 1 page views." in codes(rules)
    assert "taking everybody; do not use it: 3 of 10 of whom it finds belong to the segment" in texts(rules)
    rules.number_input(key="rule-number-page_views").set_value(900).run()
    rules.button(key="add-condition").click().run()
    assert "None of the users that it was judged on meets this rule" in texts(rules)
    rules.button(key="clear-rule").click().run()
    assert "The rule has no condition yet" in texts(rules)


@pytest.mark.parametrize("joint", ["and", "or"])
def test_a_full_rule_takes_no_more_and_says_so(rules: AppTest, joint: str) -> None:
    rules.selectbox(key="rule-field").set_value("page_views").run()
    for number in range(1, MAX_CONDITIONS + 1):
        assert not rules.button(key="add-condition").disabled
        rules.number_input(key="rule-number-page_views").set_value(number)
        rules.selectbox(key="rule-joint").set_value(joint if number > 1 else "and").run()
        rules.button(key="add-condition").click().run()
        assert not rules.exception
    assert rules.button(key="add-condition").disabled
    assert f"A rule has at most {MAX_CONDITIONS} conditions" in texts(rules)
    rules.button(key="drop-condition").click().run()
    assert not rules.button(key="add-condition").disabled


def test_a_rule_goes_on_from_the_one_above(rules: AppTest) -> None:
    rules.button(key="take-rule").click().run()
    assert codes(rules).count(codes(rules)[0]) == 2
    rules.selectbox(key="rule-joint").set_value("or").run()
    rules.selectbox(key="rule-field").set_value("device").run()
    rules.button(key="add-condition").click().run()
    assert not rules.exception
    assert any(" or are mostly on " in code for code in codes(rules))
    assert "these did not make the segments" in texts(rules)
    rules.button(key="drop-condition").click().run()
    assert not any(" or are mostly on " in code for code in codes(rules))


def test_a_segment_too_small_says_why(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(PAGE, data=finished_run.dataset, k="12")
    said = []
    for place in range(12):
        app.selectbox(key="rules_of").set_value(place).run()
        assert not app.exception
        said += [info.value for info in app.info]
    assert any(md_text("a rule needs 10: half to find it, half to judge it") in text for text in said)


def test_everyone_who_matches_becomes_a_segment(rules: AppTest) -> None:
    rules.selectbox(key="rule-field").set_value("page_views").run()
    rules.number_input(key="rule-number-page_views").set_value(7).run()
    rules.button(key="add-condition").click().run()
    before = len(rules.selectbox(key="rules_of").options)
    rules.button(key="make-segment").click().run()
    assert not rules.exception
    assert len(rules.selectbox(key="rules_of").options) == before + 1
    assert "make-segment" not in {button.key for button in rules.button}  # now they are one


def test_a_rule_of_ones_own_is_there_again_in_another_session(
    rules: AppTest, open_app: OpenApp, finished_run: FinishedRun
) -> None:
    rules.selectbox(key="rule-field").set_value("page_views").run()
    rules.button(key="add-condition").click().run()
    assert "page_views" in rules.query_params["rule"]
    again = open_app(PAGE, data=finished_run.dataset, k="3")
    assert "Users who had at least 1 page views." in codes(again)


def test_what_is_too_long_to_read_for_ga4_is_folded(rules: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = next(code for code in codes(rules) if code.startswith("Include users when"))
    monkeypatch.setattr(rule_view, "READ", 20)
    rules.run()
    assert whole not in codes(rules)
    assert f"the first 20 of {len(whole):,} characters" in texts(rules)
    assert rules.text[0].value == f"{whole[:20]}…"
    assert any(button.label == "Download for GA4" for button in rules.get("download_button"))
