"""The SQL page: switched off, a query, a mistake, and what is kept."""

from __future__ import annotations

import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from core.saved import preferences
from core.sql.sandbox import SqlResult
from core.storage.store import Store
from pages.ui.chat import chat_message
from pages.ui.chat.chat_message import QueryRun
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import texts
from tests.pages.fixtures_segments import FinishedRun

PAGE, EXPORT = "pages/use/sql.py", "pages/use/export.py"


@pytest.fixture
def sql(open_app: OpenApp, finished_run: FinishedRun) -> AppTest:
    preferences.change(Store(finished_run.root), expert_sql=True)
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    assert not app.exception
    return app


def run(app: AppTest, query: str) -> AppTest:
    app.text_area(key="sql").set_value(query).run()
    app.button(key="run-sql").click().run()
    assert not app.exception
    return app


def test_it_is_not_there_unless_it_is_switched_on(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    assert not app.exception
    assert not [field for field in app.text_area if field.key == "sql"]


def test_without_data_it_says_where_to_go(open_app: OpenApp, finished_run: FinishedRun) -> None:
    preferences.change(Store(finished_run.root), expert_sql=True)
    assert "This page needs a data set" in texts(open_app(PAGE))


def test_a_query_is_answered_with_its_rows_and_itself(sql: AppTest) -> None:
    query = "SELECT count(*) AS n, sum(users)::INT AS users FROM segments WHERE kind = 'segment'"
    run(sql, query)
    (row,) = sql.dataframe[-1].value.to_dict("records")
    assert row == {"n": 3, "users": 73}
    assert sql.code[-1].value == query


def test_the_tables_that_may_be_read_are_listed_with_their_columns(sql: AppTest) -> None:
    assert "segments" in sql.selectbox(key="sql-table").options
    sql.selectbox(key="sql-table").select("shares").run()
    assert "attribute" in sql.dataframe[0].value["Column"].tolist()


def test_a_mistake_and_what_is_not_allowed_are_errors_in_words(sql: AppTest) -> None:
    run(sql, "SELECT nothing FROM segments")
    assert "nothing" in sql.error[0].value
    run(sql, "DROP TABLE segments")
    assert "one SELECT" in sql.error[0].value
    assert not sql.main.get("download_button")


def test_query_and_result_survive_a_page_switch(sql: AppTest) -> None:
    run(sql, "SELECT 41 + 1 AS answer")
    sql.switch_page(EXPORT).run()
    sql.switch_page(PAGE).run()
    assert [error.value for error in sql.error] == []
    assert sql.text_area(key="sql").value == "SELECT 41 + 1 AS answer"
    assert sql.dataframe[-1].value.to_dict("records") == [{"answer": 42}]


def test_a_title_that_a_spreadsheet_would_run_is_text_in_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    files: list[bytes] = []
    monkeypatch.setattr(chat_message.st, "download_button", lambda *_, data, **__: files.append(data()))
    table = pa.table({"title": ['=HYPERLINK("http://evil.example")'], "users": [30]})
    chat_message.show(QueryRun("d", SqlResult(table, False, "SELECT 1", 0.1)), "d")
    (file,) = files
    assert b"'=HYPERLINK" in file
