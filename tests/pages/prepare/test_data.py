"""The Data page: nothing there yet, a prepared data set, chosen files, and what goes wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.runs.jobs import State
from pages.ui.data import uploads
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import FakeJobs, texts
from tests.pages.fixtures_segments import FinishedRun

INSPECTION = {
    "files": [
        {
            "name": "events.csv",
            "bytes": 120,
            "shape": "flat csv",
            "columns": ["when", "page_location", "user_pseudo_id", "user_id"],
            "sample_rows": [
                ["1700000000000000", "https://shop.example/A?utm_source=x", "1.5", "ann"],
                ["1700000001000000", "https://shop.example/a", "1.5", None],
            ],
        }
    ],
    "mapping": {"page_location": "page_location", "user_key": "user_pseudo_id"},
    "candidates": {},
    "user_keys": ["user_pseudo_id", "user_id"],
}


@pytest.fixture
def input_file(tmp_path: Path) -> Path:
    path = tmp_path / "input" / "events.csv"
    path.parent.mkdir()
    path.write_text("when,page_location,user_pseudo_id\n")
    return path


def test_a_newcomer_sees_the_promise_and_three_ways(open_app: OpenApp) -> None:
    app = open_app()
    assert not app.exception
    assert app.title[0].value == "See who your users are, by what they do"
    cards = ["Try the demo shop", "Drop your export", "Pick a file"]
    assert [card.value for card in app.subheader if card.value != "Read from BigQuery"] == cards
    assert "input folder is empty" in texts(app)


def test_the_demo_shop_is_one_click_away(open_app: OpenApp, fake_jobs: FakeJobs, tmp_path: Path) -> None:
    app = open_app()
    app.button(key="make_demo").click().run()
    ((task, request, _),) = fake_jobs.started
    assert task == "demo"
    assert request == {"users": 5000, "seed": 7, "input_dir": str(tmp_path / "input")}
    assert "Making the demo shop" in texts(app)
    assert not app.exception


def test_a_prepared_data_set_shows_its_receipt(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(data=finished_run.dataset)
    assert not app.exception
    assert {metric.label: metric.value for metric in app.metric}["Users"] == "87"
    assert "records in the files" in texts(app)
    assert "toy\\.csv" in app.sidebar.caption[0].value
    assert [tab.label for tab in app.tabs][4:] == [
        "What was assumed",
        "Files (1)",
        "Rejected rows (0)",
        "Pages",
        "Events (0)",
    ]


def test_the_result_of_a_job_becomes_the_current_data_set(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    app = open_app()
    app.button(key="make_demo").click().run()
    fake_jobs.end("demo", result={"dataset": finished_run.dataset})
    app.run()
    assert "records in the files" in texts(app)
    assert finished_run.dataset in app.query_params["data"]
    assert "job" not in app.query_params
    assert "once a model is trained" not in texts(app)  # the chat is of the data set that came


def test_what_was_opened_meanwhile_stays_open(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    app = open_app()
    app.button(key="make_demo").click().run()
    app.button(key=f"open-{finished_run.dataset}").click().run()
    fake_jobs.end("demo", result={"dataset": "0ther"})
    app.run()
    assert not app.exception
    assert finished_run.dataset in app.query_params["data"]


def test_an_earlier_data_set_can_be_opened(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app()
    assert "Prepared earlier (1)" in [one.label for one in app.expander]
    assert "**1 model**" in texts(app)
    app.button(key=f"open-{finished_run.dataset}").click().run()
    assert "records in the files" in texts(app)
    assert "Prepared earlier (1)" not in [one.label for one in app.expander]


def choose_file(open_app: OpenApp, fake_jobs: FakeJobs) -> Any:  # noqa: ANN401
    app = open_app()
    app.multiselect(key="picked").select("events.csv")
    app.button(key="look_inside").click().run()
    assert fake_jobs.started[-1][0] == "inspect"
    return app


def test_chosen_files_show_what_was_found_and_prepare_with_the_changes(
    open_app: OpenApp, fake_jobs: FakeJobs, input_file: Path
) -> None:
    app = choose_file(open_app, fake_jobs)
    fake_jobs.end("inspect", result={"inspection": INSPECTION})
    app.run()
    assert not app.exception
    assert app.title[0].value == "Check what was found"
    assert app.button(key="prepare").disabled  # the time was not detected
    assert "Time of the event" in texts(app)
    app.selectbox(key="map-event_timestamp").select("when").run()
    app.selectbox(key="user_key").select("user_id").run()
    assert "privacy notice" in texts(app)
    assert fake_jobs.started[-1][0] == "inspect"
    app.button(key="prepare").click().run()
    task, request, _ = fake_jobs.started[-1]
    assert (task, request["paths"]) == ("preprocess", [str(input_file)])
    assert request["settings"]["mapping"] == {"event_timestamp": "when"}
    assert request["settings"]["user_key"] == "user_id"
    assert "Preparing the data" in texts(app)


def test_logins_are_joined_by_a_switch_where_the_file_names_users(
    open_app: OpenApp, fake_jobs: FakeJobs, input_file: Path
) -> None:
    app = choose_file(open_app, fake_jobs)
    mapping = INSPECTION["mapping"] | {"event_timestamp": "when"}
    fake_jobs.end("inspect", result={"inspection": INSPECTION | {"mapping": mapping}})
    app.run()
    assert app.toggle(key="join_logins").value is False
    app.toggle(key="join_logins").set_value(True).run()
    app.button(key="prepare").click().run()
    assert fake_jobs.started[-1][1]["settings"]["join_logins"] is True
    assert not app.exception


def test_which_event_is_a_page_view_is_said_and_can_be_chosen(
    open_app: OpenApp, fake_jobs: FakeJobs, input_file: Path
) -> None:
    app = choose_file(open_app, fake_jobs)
    rows = [["1700000000000000", "https://shop.example/a", "1.5", name] for name in ("$pageview", "visit")]
    columns = ["event_timestamp", "page_location", "user_pseudo_id", "event"]
    file = INSPECTION["files"][0] | {"columns": columns, "sample_rows": rows}
    mapping = INSPECTION["mapping"] | {"event_timestamp": "event_timestamp", "event_name": "event"}
    fake_jobs.end("inspect", result={"inspection": INSPECTION | {"files": [file], "mapping": mapping}})
    app.run()
    box = app.selectbox(key="page_view-event")
    assert (box.value, box.options) == (
        "", ["Found in all rows: the first rows have $pageview", "$pageview", "visit"]
    )  # fmt: skip
    assert "page views events named $pageview" in texts(app).replace("\\", "")
    box.select("visit").run()
    assert "page views events named visit" in texts(app).replace("\\", "")
    app.button(key="prepare").click().run()
    assert fake_jobs.started[-1][1]["settings"]["page_view"] == "visit"


@pytest.mark.parametrize("field", [None, "event_timestamp", "page_location", "user_key"])
def test_settings_are_folded_where_nothing_has_to_be_chosen(
    open_app: OpenApp, fake_jobs: FakeJobs, input_file: Path, field: str | None
) -> None:
    app = choose_file(open_app, fake_jobs)
    mapping = INSPECTION["mapping"] | {"event_timestamp": "when"}
    mapping.pop(field or "", None)
    keys = ["date"] if field == "user_key" else INSPECTION["user_keys"]
    fake_jobs.end("inspect", result={"inspection": INSPECTION | {"mapping": mapping, "user_keys": keys}})
    app.run()
    (form,) = (block for block in app.expander if block.label.startswith("Change how it is read"))
    assert form.proto.expanded is (field is not None)
    assert app.button(key="prepare").disabled is (field is not None)


def test_without_event_names_every_record_is_a_page_view(
    open_app: OpenApp, fake_jobs: FakeJobs, input_file: Path
) -> None:
    app = choose_file(open_app, fake_jobs)
    fake_jobs.end("inspect", result={"inspection": INSPECTION})
    app.run()
    assert "every record is read as a page view" in texts(app)
    assert not [box for box in app.selectbox if str(box.key).startswith("page_view")]


def test_a_column_that_is_no_known_user_key_is_to_be_chosen(
    open_app: OpenApp, fake_jobs: FakeJobs, input_file: Path
) -> None:
    app = choose_file(open_app, fake_jobs)
    columns = ["when", "page_location", "date"]
    rows = [["1700000000000000", "https://shop.example/a", "20231114"]]
    file = INSPECTION["files"][0] | {"columns": columns, "sample_rows": rows}
    found = {"files": [file], "mapping": {"event_timestamp": "when", "page_location": "page_location"}}
    fake_jobs.end("inspect", result={"inspection": INSPECTION | found | {"user_keys": ["date"]}})
    app.run()
    assert app.selectbox(key="user_key").value is None
    assert app.button(key="prepare").disabled
    assert "No column was found for: Who is a user" in texts(app)
    app.selectbox(key="user_key").select("date").run()
    assert not app.button(key="prepare").disabled


@pytest.mark.parametrize("tool", ["Snowplow", ""])
def test_an_id_that_a_tool_keeps_in_the_browser_is_no_person(
    open_app: OpenApp, fake_jobs: FakeJobs, input_file: Path, tool: str
) -> None:
    app = choose_file(open_app, fake_jobs)
    file = INSPECTION["files"][0] | {"tool": tool}
    found = {"files": [file], "user_keys": ["client_id", "distinct_id", "user_pseudo_id"]}
    fake_jobs.end("inspect", result={"inspection": INSPECTION | found})
    app.run()
    assert app.selectbox(key="user_key").value == "user_pseudo_id"
    assert "privacy notice" not in texts(app)
    app.selectbox(key="user_key").select("client_id").run()
    said = "kept in the browser" if tool else "may follow a person across devices"  # whose it is, is not told
    assert said in texts(app)
    app.selectbox(key="user_key").select("distinct_id").run()
    assert "may follow a person across devices" in texts(app)


def test_records_as_text_cannot_be_chosen_as_the_page(
    open_app: OpenApp, fake_jobs: FakeJobs, input_file: Path
) -> None:
    app = choose_file(open_app, fake_jobs)
    file = INSPECTION["files"][0] | {"inner": {"user_id": ["$current_url", "$browser"]}}
    mapping = INSPECTION["mapping"] | {"event_timestamp": "when"}
    fake_jobs.end("inspect", result={"inspection": INSPECTION | {"files": [file], "mapping": mapping}})
    app.run()
    assert not app.button(key="prepare").disabled
    app.selectbox(key="map-page_location").select("user_id").run()
    assert app.button(key="prepare").disabled
    assert "with '\\$current\\_url', '\\$browser' in them" in app.error[0].value


def test_files_of_two_tools_are_told_before_they_are_prepared(
    open_app: OpenApp, fake_jobs: FakeJobs, input_file: Path
) -> None:
    app = choose_file(open_app, fake_jobs)
    files = [INSPECTION["files"][0], INSPECTION["files"][0] | {"name": "b.jsonl", "tool": "PostHog"}]
    mapping = INSPECTION["mapping"] | {"event_timestamp": "when"}
    said = {"files": files, "warnings": ["These files have the columns of different tools"]}
    fake_jobs.end("inspect", result={"inspection": INSPECTION | said | {"mapping": mapping}})
    app.run()
    assert app.warning[0].value == "These files have the columns of different tools"
    assert "PostHog · flat csv" in texts(app)
    assert app.button(key="prepare").disabled
    app.checkbox(key="together").check().run()
    assert not app.button(key="prepare").disabled


def test_dates_that_are_not_read_cannot_be_chosen_as_the_time(
    open_app: OpenApp, fake_jobs: FakeJobs, input_file: Path
) -> None:
    app = choose_file(open_app, fake_jobs)
    file = INSPECTION["files"][0] | {"odd_dates": ["when"]}
    mapping = INSPECTION["mapping"] | {"event_timestamp": "when"}
    fake_jobs.end("inspect", result={"inspection": INSPECTION | {"files": [file], "mapping": mapping}})
    app.run()
    assert app.button(key="prepare").disabled
    assert "begin with the day or the month" in app.error[0].value
    app.selectbox(key="map-event_timestamp").select("user_id").run()
    assert not app.button(key="prepare").disabled
    assert not app.error


def test_names_of_events_that_the_first_rows_leave_blank_can_be_typed(
    open_app: OpenApp, fake_jobs: FakeJobs, input_file: Path
) -> None:
    app = choose_file(open_app, fake_jobs)
    columns = ["event_timestamp", "page_location", "user_pseudo_id", "event"]
    rows = [["1700000000000000", "https://shop.example/a", "1.5", ""]]
    file = INSPECTION["files"][0] | {"columns": columns, "sample_rows": rows}
    mapping = {name: name for name in columns[:2]} | {"event_name": "event"}
    fake_jobs.end("inspect", result={"inspection": INSPECTION | {"files": [file], "mapping": mapping}})
    app.run()
    assert app.selectbox(key="page_view-event").options == ["Found in all rows: the first rows do not say"]


def test_addresses_show_what_the_rules_do(open_app: OpenApp, fake_jobs: FakeJobs, input_file: Path) -> None:
    app = choose_file(open_app, fake_jobs)
    fake_jobs.end("inspect", result={"inspection": INSPECTION})
    app.run()
    assert "2 addresses of the first rows become 1 page" in texts(app)
    app.checkbox(key="lower_path").uncheck().run()
    assert "2 addresses of the first rows become 2 pages" in texts(app)


def test_a_bad_file_is_said_in_words_and_the_previous_run_is_still_there(
    open_app: OpenApp, fake_jobs: FakeJobs, input_file: Path, finished_run: FinishedRun
) -> None:
    app = open_app(data=finished_run.dataset)
    app.multiselect(key="picked").select("events.csv")
    app.button(key="look_inside").click().run()
    fake_jobs.end("inspect", State.FAILED, error="events.csv is a picture (PNG). Allowed: CSV.")
    app.run()
    assert app.error[0].value.replace("\\", "") == "events.csv is a picture (PNG). Allowed: CSV."
    assert "records in the files" in texts(app)
    assert not app.exception


@pytest.mark.parametrize("uploaded", [True, False])
def test_only_what_was_uploaded_is_removed_when_it_cannot_be_read(
    open_app: OpenApp, fake_jobs: FakeJobs, input_file: Path, *, uploaded: bool
) -> None:
    if uploaded:
        part = input_file.rename(input_file.with_name(".0123456789abcdef.part"))
        uploads.finish(part, input_file.name)
    app = choose_file(open_app, fake_jobs)
    fake_jobs.end("inspect", State.FAILED, error="events.csv is a picture (PNG).")
    app.run()
    assert input_file.exists() is not uploaded
    assert [toast.value.startswith("Not kept") for toast in app.toast] == [True] * uploaded


def test_a_fault_of_the_program_keeps_its_traceback_apart(
    open_app: OpenApp, fake_jobs: FakeJobs, input_file: Path
) -> None:
    app = choose_file(open_app, fake_jobs)
    fake_jobs.end("inspect", State.FAILED, error="Traceback: KeyError", is_bug=True)
    app.run()
    assert "Something went wrong inside the program" in app.error[0].value
    assert "KeyError" in app.code[0].value


def test_a_link_to_a_data_set_that_is_gone_starts_like_a_newcomer(open_app: OpenApp) -> None:
    app = open_app(data="0123456789abcdef01234567")
    assert not app.exception
    assert app.title[0].value == "See who your users are, by what they do"
    assert "data set of this address is no longer in the cache" in app.warning[0].value


def test_a_link_cannot_lead_out_of_the_cache(open_app: OpenApp) -> None:
    app = open_app(data="../../etc", model="../x")
    assert not app.exception
    assert "Try the demo shop" in texts(app)


def test_a_second_tab_sees_the_running_job(open_app: OpenApp, fake_jobs: FakeJobs, tmp_path: Path) -> None:
    fake_jobs.start(tmp_path, "demo", {}, "demo 5000", None)
    app = open_app()
    assert "Making the demo shop" in texts(app)
    assert not app.exception


def test_personal_places_are_shown_and_can_be_prepared_otherwise(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(data=finished_run.dataset)
    assert "Personal data" in [part.value for part in app.subheader]
    assert "None was found" in texts(app)
