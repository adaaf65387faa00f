"""The map as data: dots, colours by id, and what a lasso gives back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.schema import OUTSIDE
from pages.ui.segments.user_map import OUTSIDE_NAME, legend_rows, option, outline

XY = np.array([[0, 0], [1, 0], [0, 1], [5, 5]], dtype=np.float32)
LABELS = np.array([0, 2, 2, OUTSIDE], dtype=np.int32)
NAMES = {0: "Segment 1", 2: "3 · Readers"}


def test_every_user_is_one_dot_and_no_more_than_coordinates_travel() -> None:
    sources = [part["source"] for part in option(XY, LABELS, NAMES)["dataset"]]
    assert sum(len(source) for source in sources) == len(XY)
    assert {tuple(source.column_names) for source in sources} == {("x", "y")}


def test_a_segments_place_among_the_series_is_its_id() -> None:
    """The theme colours series by their place: a segment keeps its colour when another one goes."""
    series = option(XY, LABELS, NAMES)["series"]
    assert series[0]["name"] == "Segment 1"
    assert series[2]["name"] == "3 · Readers"
    assert "color" not in series[2]["itemStyle"]
    assert series[3]["name"] == OUTSIDE_NAME


def test_the_legend_names_what_is_there() -> None:
    assert option(XY, LABELS, NAMES)["legend"]["data"] == ["Segment 1", "3 · Readers", OUTSIDE_NAME]
    assert option(XY[:3], LABELS[:3], NAMES)["legend"]["data"] == ["Segment 1", "3 · Readers"]


def test_all_of_the_legend_is_seen_and_the_map_leaves_room_for_it() -> None:
    few, many = [option(XY, LABELS, dict.fromkeys(range(n), "Blog readers")) for n in (3, 15)]
    assert "type" not in many["legend"]  # the scrolling kind hides what does not fit
    assert many["grid"]["bottom"] > few["grid"]["bottom"]
    assert many["media"][0]["option"]["grid"]["bottom"] > many["grid"]["bottom"]  # a phone needs more lines


@pytest.mark.parametrize(
    ("names", "rows"),
    [([], 1), (["A"], 1), (["ten letters"] * 2, 1), (["ten letters"] * 3, 2), (["A" * 60], 1)],
)
def test_a_legend_breaks_where_a_name_does_not_fit(names: list[str], rows: int) -> None:
    assert legend_rows(names, 200) == rows


def test_small_segments_lie_above_large_ones_and_all_above_the_users_outside() -> None:
    series = option(XY, LABELS, NAMES)["series"]
    assert series[3]["z"] < series[2]["z"] < series[0]["z"]


def test_a_name_stands_where_its_segment_is_among_itself() -> None:
    """Segment 3 has three users among as many of segment 1, in the middle, and three alone on the right."""
    mixed = [[0.02 * place, 0] for place in range(6)]
    xy = np.array([*mixed, [0.9, 0], [0.95, 0], [1, 0], [-1, 0], [-1, 0]], dtype=np.float32)
    labels = np.array([0, 2, 0, 2, 0, 2, 2, 2, 2, OUTSIDE, OUTSIDE], dtype=np.int32)
    first, third = option(xy, labels, NAMES)["series"][-1]["data"]
    assert third["value"] == pytest.approx([0.95, 0])
    assert third["label"] == {"position": "left"}  # it would be cut at the right
    assert first["value"][0] == pytest.approx(0.04)
    assert first["label"] == {"position": "inside"}


@pytest.mark.parametrize(("x", "side"), [(0, "right"), (1, "right"), (5, "inside"), (9, "left")])
def test_a_name_at_a_side_stands_towards_the_middle(x: int, side: str) -> None:
    xy = np.array([[x, 0], [0, 1], [9, 1]], dtype=np.float32)
    labels = np.array([0, OUTSIDE, OUTSIDE], dtype=np.int32)
    (name,) = option(xy, labels, {0: "A"})["series"][-1]["data"]
    assert name["label"]["position"] == side


def test_no_name_is_hidden_by_another_one() -> None:
    names = option(XY, LABELS, {0: "A", 2: "Readers of a rather long name"})["series"][-1]
    assert names["labelLayout"] == {"moveOverlap": "shiftY"}
    assert [one["name"] for one in names["data"]] == ["A", "Readers of a rather\nlong name"]
    far = option(XY, LABELS, {0: "A", 2: "Readers of a rather long name that goes on"})["series"][-1]
    assert far["data"][1]["name"] == "Readers of a rather\nlong name that goes…"


def test_moving_users_between_segments_moves_no_axis() -> None:
    before, after = option(XY, LABELS, NAMES), option(XY, LABELS[::-1].copy(), NAMES)
    assert (before["xAxis"], before["yAxis"]) == (after["xAxis"], after["yAxis"])


def test_a_lasso_comes_back_as_it_was_drawn() -> None:
    areas = [{"brush_type": "polygon", "coord_range": [[0, 0], [2, 0], [1, 2]]}]
    assert outline(areas) == [[0.0, 0.0], [2.0, 0.0], [1.0, 2.0]]


def test_a_box_comes_back_as_its_corners() -> None:
    areas = [{"brush_type": "rect", "coord_range": [[0, 4], [1, 3]]}]
    assert outline(areas) == [[0, 1], [4, 1], [4, 3], [0, 3]]


@pytest.mark.parametrize("areas", [[], [{"coord_range": []}], [{}]])
def test_nothing_drawn_is_no_outline(areas: list[dict[str, object]]) -> None:
    assert outline(areas) is None


@given(st.lists(st.integers(min_value=OUTSIDE, max_value=6), min_size=1, max_size=30))
def test_whatever_the_labels_every_user_is_drawn_once(labels: list[int]) -> None:
    found = np.array(labels, dtype=np.int32)
    names = {segment: f"Segment {segment + 1}" for segment in set(labels) - {OUTSIDE}}
    xy = np.zeros((len(labels), 2), dtype=np.float32)
    assert sum(len(part["source"]) for part in option(xy, found, names)["dataset"]) == len(labels)
