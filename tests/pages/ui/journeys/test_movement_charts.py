"""Pictures of moves, as the data that the browser gets."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.journeys.flow import flow
from core.journeys.moves import END, OTHER_PLACES, START, Moves
from core.journeys.step_table import ENDED, step_matrix, step_table
from pages.ui.journeys import movement_charts as charts
from pages.ui.segments.charts import ABOVE, BELOW, NEUTRAL
from tests.core.journeys.walks import laid_out

WALKS = [["aab"]] * 40 + [["ac"]] * 40
HERE = np.arange(80) < 40
SEQUENCES, PLACES = laid_out(WALKS)


def table(*, beside: bool) -> pd.DataFrame:
    moves = Moves.of(SEQUENCES, PLACES)
    return step_table(moves, moves.taken(HERE), moves.taken(~HERE) if beside else None)


def drawn(steps: pd.DataFrame) -> dict[str, list[dict[str, object]]]:
    (series,) = charts.graph(steps, {"a": 80, "b": 40, "c": 0, START: 40, END: 40}).option["series"]
    return {"nodes": series["data"], "links": series["links"]}


def test_every_step_is_an_arrow_and_a_repeated_place_has_a_ring() -> None:
    found = drawn(table(beside=False))
    arrows = {(link["source"], link["target"]) for link in found["links"]}
    assert arrows == {(START, "a"), ("a", "b"), ("b", END)}
    rings = {node["name"]: "borderWidth" in str(node["itemStyle"]) for node in found["nodes"]}
    assert rings == {START: False, "a": True, "b": False, END: False}
    assert "40 steps, 50.0% of those that leave" in str(found["nodes"])


def test_only_what_differs_is_coloured() -> None:
    links = drawn(table(beside=True))["links"]
    colours = {(link["source"], link["target"]): link["lineStyle"]["color"] for link in links}  # type: ignore[index]
    assert colours[START, "a"] == NEUTRAL
    assert colours["a", "b"] == ABOVE
    assert colours["a", "c"] == BELOW


def test_sessions_begin_on_the_left_and_end_on_the_right() -> None:
    at = {node["name"]: node["x"] for node in drawn(table(beside=False))["nodes"]}
    assert at[START] < at["a"] < at["b"] < at[END]  # type: ignore[operator]


def test_a_column_of_flows_ends_with_the_other_places_and_the_ended_sessions() -> None:
    walks = [["ab"]] * 3 + [["a"], ["b"], ["cb"], ["ca"], ["dd"]]
    found = flow(Moves.of(*laid_out(walks)), np.ones(8, dtype=bool), 2, shown=1)
    option = charts.sankey(found.links, found.folded, forwards=True).option
    names = [node["name"] for node in option["series"][0]["data"]]
    assert names == ["1|a", f"1|{OTHER_PLACES}", "2|b", f"2|{OTHER_PLACES}", f"2|{END}"]
    labels = [node["label"]["formatter"] for node in option["series"][0]["data"]]
    assert labels[:2] == ["50% a", "50% (3 other places)"]


def test_a_cell_of_the_difference_is_empty_where_users_do_not_differ() -> None:
    found = step_matrix(Moves.of(SEQUENCES, PLACES), HERE, ~HERE, positions=3)
    shares = charts.matrix(found, difference=False).to_dict()["datasets"]
    apart = charts.matrix(found, difference=True).to_dict()["datasets"]
    (shares,), (apart,) = shares.values(), apart.values()
    told = {(row["place"], row["position"]): row["text"] for row in apart}
    assert (told["a", 1], told["a", 2], told["c", 2]) == ("", "+100", "−100")
    assert {(row["place"], row["position"]): row["text"] for row in shares}["a", 2] == "100%"


def test_a_small_difference_is_written_with_a_digit() -> None:
    walks = [["a"]] * 995 + [["b"]] * 5 + [["a"]] * 1000
    here = np.arange(2000) < 1000
    found = step_matrix(Moves.of(*laid_out(walks)), here, ~here, positions=1)
    (cells,) = charts.matrix(found, difference=True).to_dict()["datasets"].values()
    assert {row["place"]: row["text"] for row in cells}["b"] == "+0.5"
    (cells,) = charts.matrix(found, difference=False).to_dict()["datasets"].values()
    assert {row["place"]: row["text"] for row in cells} == {"a": "100%", "b": "<1%", ENDED: ""}


def test_a_long_address_keeps_its_end_and_a_long_name_its_beginning() -> None:
    assert charts.short("/shop/climbing/harnesses/petzl-corax") == "…ing/harnesses/petzl-corax"
    assert charts.short("Everything about climbing harnesses") == "Everything about climbing…"
    assert charts.short("/cart") == "/cart"
