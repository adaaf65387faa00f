"""Charts are functions of a table: every number of it is in the chart, and colours follow the id."""

from typing import Any

import pandas as pd

from core.profiles.profile_columns import Col
from pages.ui.segments import charts
from tests.pages.fixtures_segments import HOSTILE_TITLE

NAMES = {0: "Segment 1", 2: "3 · Readers"}
KINDS = {Col.KIND: ["segment", "segment", "group"], Col.SEGMENT: [0, 2, -1]}
RATES = pd.DataFrame(
    {Col.LABEL: list(NAMES.values()), "rate": [0.1, 0.2], "low": [0.05, 0.1], "high": [0.2, 0.3],
     Col.REST_SHARE: [0.15, 0.12], "converted": [1, 2], "users": [10, 10]}
)  # fmt: skip


def drawn(chart: charts.Chart) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The specification, and every row of data in it."""
    spec = chart.to_dict()
    return spec, [row for rows in spec["datasets"].values() for row in rows]


def colour_domain(spec: object) -> list[list[str]]:
    """Every domain of a colour scale, at any depth."""
    if isinstance(spec, dict):
        own = [spec["color"]] if isinstance(spec.get("color"), dict) else []
        domains = [
            part["scale"]["domain"]
            for colour in own
            for part in (colour, colour.get("condition", {}))
            if "domain" in part.get("scale", {})
        ]
        return domains + [found for value in spec.values() for found in colour_domain(value)]
    if isinstance(spec, list):
        return [found for value in spec for found in colour_domain(value)]
    return []


def test_a_segment_takes_the_colour_of_its_id_even_when_another_one_is_gone() -> None:
    spec, _ = drawn(charts.forest(RATES, NAMES, "Rate"))
    assert colour_domain(spec)[0] == ["Segment 1", "(2)", "3 · Readers"]


def test_the_forest_draws_every_rate_with_its_interval_and_the_others() -> None:
    spec, rows = drawn(charts.forest(RATES, NAMES, "Rate"))
    assert [(row["high"], row[Col.REST_SHARE]) for row in rows] == [(0.2, 0.15), (0.3, 0.12)]
    assert [layer["encoding"]["x"]["field"] for layer in spec["layer"]] == ["low", "rate", Col.REST_SHARE]


def test_the_current_and_the_supported_numbers_are_marked_beside_the_gradient() -> None:
    scores = pd.DataFrame({"k": [1, 2, 3], "gain": [0.0, 0.3, 0.2], "supported": [False, True, False]})
    spec, rows = drawn(charts.gain_over_k(scores, gradient=0.1, current=3))
    assert {"k": 3, "gain": 0.2, "supported": False, "said": "now"} in rows
    assert {"gain": 0.1, "said": "differ by degree"} in rows
    assert "datum.supported" in str(spec)


def test_groups_made_by_rule_are_grey() -> None:
    table = pd.DataFrame(
        {Col.LABEL: [*NAMES.values(), "One-page users"], **KINDS, "users": [5, 4, 3], "share": 0.1}
    )
    spec, rows = drawn(charts.sizes(table, NAMES))
    assert [row["users"] for row in rows] == [5, 4, 3]
    assert charts.NEUTRAL in str(spec)


def test_shares_group_the_values_of_an_attribute() -> None:
    table = pd.DataFrame(
        {
            Col.LABEL: ["Segment 1", "One-page users"] * 2,
            Col.KIND: ["segment", "group"] * 2,
            "value": ["a", "a", "b", "b"],
            "share": [0.1, 0.2, 0.9, 0.8],
            Col.REST_SHARE: [0.3, 0.3, 0.7, 0.7],
        }
    )
    spec, _ = drawn(charts.shares(table, NAMES))
    for layer in spec["layer"]:  # the bars, and the others' ticks beside them
        assert layer["encoding"]["y"]["sort"] == ["a", "b"]
        assert layer["encoding"]["yOffset"]["sort"] == ["Segment 1", "One-page users"]


def test_a_hostile_title_is_a_value_and_never_part_of_the_chart() -> None:
    pages = pd.DataFrame(
        {
            "page": [HOSTILE_TITLE],
            "here": [0.5],
            "there": [0.1],
            Col.LABEL: ["Segment 1"],
            Col.KIND: ["segment"],
            Col.SEGMENT: [0],
            Col.N: [12],
        }
    )
    spec, rows = drawn(charts.dumbbell(pages, "page", "here", "there", "Share"))
    assert rows[0]["page"] == HOSTILE_TITLE
    encoded = [layer["encoding"]["y"] for layer in spec["layer"]]
    assert {(y["field"], y["type"]) for y in encoded} == {("page", "nominal")}


def test_the_heat_map_writes_raw_values() -> None:
    cells = pd.DataFrame(
        {
            Col.LABEL: ["Segment 1"],
            Col.METRIC: ["Page views\na user"],
            "text": ["6.0"],
            Col.DIFFERENCE: [-0.4],
        }
    )
    spec, rows = drawn(charts.heat(cells, ["Segment 1"], ["Page views\na user"]))
    assert rows[0]["text"] == "6.0"
    assert [layer["mark"]["type"] for layer in spec["layer"]] == ["rect", "text"]
