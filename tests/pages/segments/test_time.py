"""The page Time: days and weeks, who comes back, when they come, and a filter that counts anew."""

from __future__ import annotations

import json
from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from streamlit.testing.v1 import AppTest

from core.base.schema import Group, Users
from core.ingest.output_tables import EVENTS
from core.periods.filter import CountFilter
from core.periods.over_time import AGE, BEGAN, CLOCK, IN_PART, PART, PERIOD, REST_VALUE, VALUE
from core.profiles.profile_columns import Col
from core.storage import dataset
from core.storage.store import MANIFEST, file_checksum
from pages.ui.periods import choice, time_charts
from pages.ui.segments.live_segments import LiveSegments
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import texts
from tests.pages.fixtures_segments import PER_KIND, FinishedRun

PAGE, PART_KEY = "pages/segments/time.py", "time-part"


def opened(open_app: OpenApp, run: FinishedRun, part: str = "", **link: str) -> AppTest:
    app = open_app(PAGE, **({"data": run.dataset, "k": "3"} | link))
    if part:
        app.segmented_control(key=PART_KEY).set_value(part).run()
    assert not app.exception
    return app


def table(app: AppTest, column: str) -> pd.DataFrame:
    found: pd.DataFrame = next(one.value for one in app.dataframe if column in one.value.columns)
    return found


def test_without_data_it_says_where_to_go(open_app: OpenApp) -> None:
    app = open_app(PAGE)
    assert not app.exception
    assert "This page needs a data set" in texts(app)


def test_all_segments_are_side_by_side_by_day_with_one_table(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = opened(open_app, finished_run)
    assert len(app.get("vega_lite_chart")) == 3
    shares = table(app, PERIOD)
    assert shares[PERIOD].nunique() == 3  # a visit a day, up to three
    assert shares.groupby(PERIOD)[VALUE].sum().round(9).eq(1).all()
    first = shares[shares[PERIOD] == shares[PERIOD].min()]
    assert first[PART].sum() == 3 * PER_KIND + 1
    told = texts(app)
    assert "Segments were fitted on all days of the export" in told
    assert "Times are UTC, as its dates say" in told
    assert "Grey: its share in all other days" in told


def test_weeks_that_are_not_whole_are_marked(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = opened(open_app, finished_run)
    app.segmented_control(key="time-unit").set_value("week").run()
    assert not app.exception
    assert table(app, PERIOD)[IN_PART].all()
    assert "Hollow: a week that the export or the filter covers only in part (beginning 13 Nov)" in texts(app)


def test_one_segment_stands_beside_the_others_and_goes_into_the_link(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = opened(open_app, finished_run)
    app.selectbox(key="time-whose").set_value("segment:1").run()
    app.selectbox(key="time-measure").set_value("views").run()
    assert not app.exception
    assert app.query_params["segment"] == "segment:1"
    assert len(app.get("vega_lite_chart")) == 1
    assert table(app, PERIOD)[VALUE].eq(3).any()  # three pages a visit
    assert (
        opened(open_app, finished_run, segment="segment:1").selectbox(key="time-whose").value == "segment:1"
    )


def test_an_outcome_without_times_is_said_in_words(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = opened(open_app, finished_run)  # of an earlier release: it has no events.parquet
    app.selectbox(key="time-measure").set_value("outcome").run()
    assert not app.exception
    assert "has no times of events" in texts(app)


def test_a_page_as_outcome_has_times(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = opened(open_app, finished_run, outcome="page:/cart")
    app.selectbox(key="time-measure").set_value("outcome").run()
    assert not app.exception
    rates = table(app, PERIOD)
    assert set(rates[VALUE].dropna()) <= {0.0, 1.0} | set(rates[VALUE].dropna())
    assert rates[rates[Col.SEGMENT] >= 0][VALUE].max() > 0.9


def test_who_comes_again_is_blank_where_it_cannot_be_known(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = opened(open_app, finished_run, "Coming back")
    assert len(app.get("vega_lite_chart")) == 6
    cells = table(app, BEGAN)
    assert set(cells[AGE]) == {1, 2}
    assert "with a single page view in their first day" in texts(app)
    assert cells[cells[AGE] == 1][VALUE].between(0.6, 0.7).all()  # two of three come a second day
    app.segmented_control(key="time-unit").set_value("week").run()
    assert not app.exception
    assert "there is no whole week after the first" in app.info[0].value


def clocked(run: FinishedRun, **changed: object) -> int:
    """Another clock in the receipt; the middle of the export's time."""
    folder = run.root / "preprocess" / run.dataset
    told = json.loads((folder / dataset.RECEIPT).read_text())
    (folder / dataset.RECEIPT).write_text(json.dumps(told | changed))
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"][dataset.RECEIPT] = file_checksum(folder / dataset.RECEIPT)
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return int(told["first_ts"] + told["last_ts"]) // 2


@pytest.mark.usefixtures("nothing_kept")
def test_hours_are_told_by_a_clock_that_is_put_forward(open_app: OpenApp, finished_run: FinishedRun) -> None:
    data = dataset.Dataset(finished_run.root / "preprocess" / finished_run.dataset, "")
    turn = clocked(finished_run)
    text = "UTC+01:00, UTC+02:00 from 16 Nov 2023, inferred from event_date"
    clocked(finished_run, time_zone=text, utc_offsets=[[0, 60], [turn, 120]])
    app = opened(open_app, finished_run, "When they come")
    assert "Times are UTC+01:00, UTC+02:00 from 16 Nov 2023, as its dates say." in texts(app)
    hours = table(app, CLOCK).groupby(CLOCK)[PART].sum()
    inside = (data.users[Users.GROUP] == Group.SEGMENT.value).to_numpy()[data.sequences.user]
    moments = data.sequences.timestamp[inside]
    local = pd.to_datetime(moments, unit="us") + pd.to_timedelta(np.where(moments < turn, 1, 2), unit="h")
    assert hours[hours > 0].to_dict() == pd.Series(local.hour).value_counts().to_dict()


@pytest.mark.usefixtures("nothing_kept")
@pytest.mark.parametrize(
    "zone", ["UTC+01:00 and UTC+02:00 in summer, inferred from event_date", "UTC+01:00, inferred"]
)
def test_a_data_set_of_before_says_that_its_summer_is_told_by_winter_time(
    open_app: OpenApp, finished_run: FinishedRun, zone: str
) -> None:
    clocked(finished_run, time_zone=zone)
    app = opened(open_app, finished_run, "When they come")
    assert "Times are UTC+01:00, as its dates say" in texts(app)
    assert ("summer hours one hour early" in texts(app)) is ("in summer" in zone)


def test_other_labels_are_counted_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A template as an outcome is read from labels, so a data set alone does not name what was counted."""
    monkeypatch.setattr(choice, "_filter", lambda _: CountFilter())

    def key(labels: str) -> object:
        sources = SimpleNamespace(counted=f"data {labels}", dataset=SimpleNamespace(key="data"))
        segmentation = SimpleNamespace(partition=SimpleNamespace(digest="d"))
        return choice._key(cast("LiveSegments", SimpleNamespace(sources=sources, segmentation=segmentation)))

    assert key("a") != key("b")


def test_hours_are_shares_of_each_segment(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = opened(open_app, finished_run, "When they come")
    hours = table(app, CLOCK)
    assert hours.groupby(Col.SEGMENT)[VALUE].sum().round(9).eq(1).all()
    views = hours[Col.N].drop_duplicates().max()
    app.segmented_control(key="time-rhythm").set_value("sessions").run()
    app.selectbox(key="time-whose").set_value("segment:0").run()
    assert not app.exception
    assert table(app, CLOCK)[Col.N].max() * 3 <= views + 3
    assert len(app.get("vega_lite_chart")) == 2
    assert "The other clustered users" in texts(app)


@pytest.mark.parametrize("part", ["Days and weeks", "Coming back", "When they come"])
def test_a_filter_counts_anew_everywhere_and_is_cleared_by_one_click(
    open_app: OpenApp, finished_run: FinishedRun, part: str
) -> None:
    app = opened(open_app, finished_run, part, device="mobile")
    assert "Counted: device mobile" in texts(app)
    key = {"Days and weeks": PERIOD, "Coming back": AGE, "When they come": CLOCK}[part]
    few = table(app, key)[Col.N].sum()
    app.button(key="clear-filter").click().run()
    assert not app.exception
    assert "Everybody and every day is counted" in texts(app)
    assert "device" not in app.query_params
    assert table(app, key)[Col.N].sum() > few


def test_days_are_filtered_and_what_was_chosen_is_in_the_link(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = opened(open_app, finished_run)
    app.date_input(key="filter-last_day").set_value(date(2023, 11, 15)).run()
    app.multiselect(key="filter-device").set_value(["desktop"]).run()
    assert not app.exception
    assert (app.query_params["to"], app.query_params["device"]) == ("2023-11-15", "desktop")
    assert table(app, PERIOD)[PERIOD].max() == pd.Timestamp("2023-11-15")
    app.date_input(key="filter-first_day").set_value(date(2023, 11, 16)).run()  # after the last: both move
    assert app.query_params["to"] == app.query_params["from"] == "2023-11-16"


def test_a_filter_that_leaves_nobody_says_so_and_can_be_cleared(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = opened(open_app, finished_run, device="tablet")
    assert "The filter leaves nobody" in texts(app)
    app.button(key="clear-filter").click().run()
    assert "The filter leaves nobody" not in texts(app)


@pytest.mark.usefixtures("nothing_kept")
def test_a_data_set_of_what_the_filter_leaves_is_made_and_opened(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    folder = finished_run.root / "preprocess" / finished_run.dataset
    app = opened(open_app, finished_run, device="mobile")
    app.button(key="fit-anew").click().run()
    assert "has no times of events" in texts(app)  # of an earlier release
    pq.write_table(EVENTS.empty_table(), folder / "events.parquet")
    app.button(key="fit-anew").click().run()
    assert not app.exception
    assert "toy.csv: device mobile" in texts(app).replace("\\", "")
    assert app.query_params["data"] != finished_run.dataset
    kept = dataset.Dataset(finished_run.root / "preprocess" / app.query_params["data"], "")
    assert set(kept.users[Users.DEVICE]) == {"mobile"}


def test_one_hour_that_stands_far_out_pales_no_other() -> None:
    hours = pd.DataFrame({VALUE: [0.0] * 68 + [0.01, 0.02] * 49 + [0.02, 0.9]})
    assert time_charts.full_colour(hours, (VALUE,), 0.98) == pytest.approx(0.02)
    assert time_charts.full_colour(hours * 0, (VALUE,), 0.98) == 1


def test_no_figure_is_cut_off_by_the_end_of_an_axis() -> None:
    """A day of one user at 100 % is drawn where it is; that its interval reaches far stretches nothing."""
    days = pd.DataFrame({VALUE: [0.4, 1.0], REST_VALUE: [0.5, 0.5], Col.N: [50, 1], Col.HIGH: [0.55, 1.4]})
    assert time_charts.axis_top(days, 10, (Col.HIGH,)) == 1.0
    assert time_charts.axis_top(days[:1], 10, (Col.HIGH,)) == 0.55
    assert time_charts.axis_top(days[1:], 10) == 1.0
    assert time_charts.axis_top(days[:1], 10) == 0.5  # the grey line


def test_where_nobody_comes_again_it_says_so_in_place_of_empty_charts(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = choice.retained

    def nobody(*asked: Any) -> object:  # noqa: ANN401 - as it is
        cells, together, without = kept(*asked)
        return cells.assign(part=0, value=0.0), together.assign(part=0, value=0.0), without

    monkeypatch.setattr(choice, "retained", nobody)
    app = opened(open_app, finished_run, "Coming back")
    assert not app.exception and not app.get("vega_lite_chart")
    assert "Nobody comes again" in app.info[0].value and "a single session" not in app.info[0].value
    app.selectbox(key="time-whose").set_value("segment:1").run()
    assert "Nobody of" in app.info[0].value
