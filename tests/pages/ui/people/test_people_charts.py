"""Charts about single users are functions of a table: every number of it is in the chart."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.people.look_alikes import FOUND, REACH, LookAlikes
from core.people.occlusion import EFFECT, VIEWS
from pages.ui.people.look_alikes_view import found_over_reach, score_over_reach
from pages.ui.people.reasons_view import LABEL, WITHOUT, bars
from pages.ui.people.single_user import strip
from pages.ui.segments import charts
from tests.pages.fixtures_segments import HOSTILE_TITLE
from tests.pages.ui.segments.test_charts import drawn

CURVE = LookAlikes(
    np.arange(100), np.linspace(1, 0, 100), np.arange(20), np.sort(np.arange(20) ** 2 // 8)
).curve(7)


def test_a_curve_is_drawn_with_its_table_and_the_chosen_reach() -> None:
    for chart in (found_over_reach, score_over_reach):
        spec, rows = drawn(chart(CURVE, 7, 220))
        assert [row[REACH] for row in rows if REACH in row].count(7) == 2  # in the curve, and its rule
        assert {row[FOUND] for row in rows} == set(CURVE[FOUND])
        assert spec["height"] == 220


def test_bars_to_the_left_pull_away() -> None:
    table = pd.DataFrame(
        {LABEL: ["/a", HOSTILE_TITLE], EFFECT: [0.2, -0.1], VIEWS: [1, 2], WITHOUT: ["Segment 1"] * 2}
    )
    spec, rows = drawn(bars(table))
    assert [(row[LABEL], row[EFFECT]) for row in rows] == [("/a", 0.2), (HOSTILE_TITLE, -0.1)]
    colour = spec["encoding"]["color"]
    assert (colour["condition"]["value"], colour["value"]) == (charts.BELOW, charts.ABOVE)


def test_bars_are_drawn_where_the_segment_without_it_is_not_known() -> None:
    spec, rows = drawn(bars(pd.DataFrame({LABEL: ["/a"], EFFECT: [0.2], VIEWS: [1]})))
    assert rows == [{LABEL: "/a", EFFECT: 0.2, VIEWS: 1}]
    assert WITHOUT not in [tip["field"] for tip in spec["encoding"]["tooltip"]]


def timeline() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "session": [1, 1, 2], "view": [1, 2, 1], "page_title": "T", "page_location": "/a",
            "time": pd.to_datetime([0, 60, 9_000], unit="s", utc=True), "seconds_to_next": [60, None, None],
        }
    )  # fmt: skip


def test_a_timeline_shows_what_each_page_does_where_that_is_known() -> None:
    spec, rows = drawn(strip(timeline().assign(**{EFFECT: [0.3, -0.2, 0.0]})))
    assert [row[EFFECT] for row in rows] == [0.3, -0.2, 0.0]
    dots = spec["layer"][1]["encoding"]
    colours = [part["value"] for part in dots["color"]["condition"]] + [dots["color"]["value"]]
    assert colours == [charts.BELOW, charts.ABOVE, charts.NEUTRAL]
    assert dots["size"]["scale"]["domain"] == [0, 0.3]


def test_a_timeline_of_pages_without_an_effect_has_sizes_all_the_same() -> None:
    spec, _ = drawn(strip(timeline().assign(**{EFFECT: np.nan})))
    most = spec["layer"][1]["encoding"]["size"]["scale"]["domain"][1]
    assert 0 < most < 1e-6


def test_a_timeline_without_it_is_plain_and_a_line_is_a_session() -> None:
    spec, _ = drawn(strip(timeline()))
    line, dots = spec["layer"]
    assert "size" not in dots["encoding"]
    assert line["encoding"]["detail"]["field"] == "when"
