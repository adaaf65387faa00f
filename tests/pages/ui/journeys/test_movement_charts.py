"""Flows of sessions, as the data that the browser gets."""

from __future__ import annotations

import numpy as np

from core.journeys.flow import flow
from core.journeys.moves import END, OTHER_PLACES, Moves
from pages.ui.journeys import movement_charts as charts
from tests.core.journeys.walks import laid_out


def test_a_column_of_flows_ends_with_the_other_places_and_the_ended_sessions() -> None:
    walks = [["ab"]] * 3 + [["a"], ["b"], ["cb"], ["ca"], ["dd"]]
    found = flow(Moves.of(*laid_out(walks)), np.ones(8, dtype=bool), 2, shown=1)
    option = charts.sankey(found.links, found.folded, forwards=True).option
    names = [node["name"] for node in option["series"][0]["data"]]
    assert names == ["1|a", f"1|{OTHER_PLACES}", "2|b", f"2|{OTHER_PLACES}", f"2|{END}"]
    labels = [node["label"]["formatter"] for node in option["series"][0]["data"]]
    assert labels[:2] == ["50% a", "50% (3 other places)"]
