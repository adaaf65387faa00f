"""The Export page: what can be taken, and what it will look like."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.cli import command
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import texts
from tests.pages.fixtures_segments import FLOAT_LIKE_ID, FinishedRun

PAGE = "pages/use/export.py"


@pytest.fixture
def export(open_app: OpenApp, finished_run: FinishedRun) -> AppTest:
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    assert not app.exception
    return app


def test_without_data_it_says_where_to_go(open_app: OpenApp) -> None:
    app = open_app(PAGE)
    assert not app.exception
    assert "This page needs a data set" in texts(app)


def test_every_file_is_offered(export: AppTest) -> None:
    keys = [button.key for button in export.main.get("download_button")]
    assert keys == [
        "get-report.html", "get-users.csv", "get-users_for_spreadsheets.csv", "get-users.parquet",
        "get-profiles.json", "get-profiles.zip", "get-embeddings.parquet", "get-receipt.json",
        "get-clusters.json", "get-journeys.json", "get-ga4_audiences.json",
        "get-ga4_user_data.csv", "get-ids_by_segment.zip",
    ]  # fmt: skip


def test_user_data_of_ga4_waits_for_a_stream_id_where_the_export_has_none(export: AppTest) -> None:
    def button() -> Any:  # noqa: ANN401
        return next(one for one in export.main.get("download_button") if one.key == "get-ga4_user_data.csv")

    assert button().proto.disabled and "users in segments have no stream id" in texts(export)
    export.text_input(key="stream-id").set_value("123").run()
    assert not button().proto.disabled


def test_the_preview_shows_ids_as_they_are(export: AppTest) -> None:
    preview = export.dataframe[0].value
    assert FLOAT_LIKE_ID in preview["user_id"].tolist()
    assert set(preview["group"]) <= {"segment", "one_page", "bot_like"}


def test_the_command_line_gives_the_same_settings(export: AppTest) -> None:
    export.slider(key="k").set_value(4).run()
    assert "--clusters 4 --weights url=1 --outcome purchase" in export.code[0].value
    assert "quick fit" in texts(export)


def test_segments_that_the_command_gives_another_number_are_told(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = open_app(PAGE, data=finished_run.dataset)
    assert "by size" not in texts(export)
    monkeypatch.setattr(command, "renumbered", lambda sizes: {2: 4, 4: 2} if len(sizes) == 6 else {})
    assert "by size, the largest first: 2 is 4 there · 4 is 2 there." in texts(export.run())
