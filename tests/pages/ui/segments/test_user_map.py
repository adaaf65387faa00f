"""The map as data: dots, colours by id, and what a lasso gives back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.schema import OUTSIDE, SET_ASIDE
from pages.ui.segments.map_view import (
    BADGE,
    HEIGHT,
    LEGEND_ROW,
    NARROW,
    OUTSIDE_NAME,
    WIDE,
    legend_rows,
    option,
    outline,
)

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


def test_users_set_aside_have_a_grey_and_a_name_of_their_own() -> None:
    labels = np.array([0, 2, SET_ASIDE, OUTSIDE], dtype=np.int32)
    made = option(XY, labels, NAMES)
    outside, aside = made["series"][3:5]
    assert made["legend"]["data"][-2:] == [OUTSIDE_NAME, "Set aside by hand"]
    assert aside["name"] == "Set aside by hand"
    assert aside["itemStyle"]["color"] != outside["itemStyle"]["color"]
    assert [len(part["source"]) for part in made["dataset"]] == [1, 0, 1, 1, 1]


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


def test_a_number_stands_for_each_segment_and_its_name_is_told_on_pointing() -> None:
    numbers = option(XY, LABELS, NAMES)["series"][-1]
    assert [(one["name"], one["label"]["formatter"]) for one in numbers["data"]] == [
        ("Segment 1", "1"), ("3 · Readers", "3"),
    ]  # fmt: skip
    for one, at in zip(numbers["data"], ([0, 0], [1, 0]), strict=True):  # beside its only user
        assert 0 < np.abs(np.array(one["value"]) - at).max() < 0.5
    assert numbers["tooltip"]["formatter"] == "{b}"


@pytest.mark.parametrize("n_segments", [2, 12, 24])
@pytest.mark.parametrize("spread", [0.0, 0.01, 1.0])
@pytest.mark.parametrize("letters", [1, 60])
def test_no_number_lies_on_another_or_is_cut_on_the_narrowest_map(
    n_segments: int, spread: float, letters: int
) -> None:
    """All users at one place, on one small island, or all over: in pixels, on a phone."""
    xy = (np.random.default_rng(1).random((500, 2)) * spread).astype(np.float32)
    drawn = option(
        xy, (np.arange(500) % n_segments).astype(np.int32), dict.fromkeys(range(n_segments), "A" * letters)
    )
    height = HEIGHT + LEGEND_ROW * legend_rows(drawn["legend"]["data"], WIDE)
    plot = (NARROW - 8, height - 44 - drawn["media"][0]["option"]["grid"]["bottom"])
    (left, right), (low, high) = [(drawn[axis]["min"], drawn[axis]["max"]) for axis in ("xAxis", "yAxis")]
    places = np.array([one["value"] for one in drawn["series"][-1]["data"]])
    middles = (places - (left, low)) / (right - left, high - low) * plot
    assert len(middles) == n_segments
    assert (middles > BADGE / 2 - 0.1).all()
    assert (plot - middles > BADGE / 2 - 0.1).all()
    apart = np.abs(middles[:, None] - middles[None]).max(axis=-1)
    assert apart[np.triu_indices(n_segments, 1)].min() > BADGE - 0.1


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
