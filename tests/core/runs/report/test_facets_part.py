"""Facets in the report: a row a level, its rule at its figures, and whoever is on none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.profiles.facet_definitions import FacetKind, FacetLevel
from core.profiles.facets import Facet, Facets, ShareInterval, Stability
from core.runs.report import render
from core.runs.report.content import facet_parts
from core.runs.report.model import Report


def facet(kind: FacetKind, same: int, outcome: tuple[ShareInterval | None, ...]) -> Facet:
    levels = (FacetLevel("Few", "with one visit"), FacetLevel("Many", "with two visits or more"))
    level = np.array([0, 0, 0, 1, -1], dtype=np.int8)
    again = Stability(ShareInterval.of(same, 100), 0.5)
    return Facet(kind, levels, level, again, outcome, None, not_known=1)


def test_a_facet_is_a_table_of_its_levels_the_one_that_users_keep_to_first() -> None:
    stage = facet(FacetKind.STAGE, 60, (None, None))
    loyalty = facet(FacetKind.LOYALTY, 90, (ShareInterval.of(1, 10), None))
    found = Facets({one.kind: one for one in (stage, loyalty)}, {}, np.zeros(5, dtype=bool), "purchase")
    first, second = facet_parts(found)
    assert (first.title, first.head, first.steps) == (
        "How often they come", "Level", ("Users", "Share", "With purchase"),
    )  # fmt: skip
    assert first.meaning.startswith("Of 100 users of the first half of the time, 90% then came or not, ")
    assert [row.name for row in first.rows] == ["Few", "Many", "Not known"]
    assert [cell.text for cell in first.rows[0].cells] == ["3", "60%", "10.0% [1.8%–40.4%]"]
    assert first.rows[1].cells[0].hint == "Users with two visits or more"
    assert second.steps == ("Users", "Share")  # a stage is a part of the outcome


def test_which_tells_the_outcome_better_stands_above_the_facets(report: Report) -> None:
    found = Facets({FacetKind.DEPTH: facet(FacetKind.DEPTH, 60, (None, None))}, {}, np.zeros(5, dtype=bool))
    told = "Neither the segments nor a facet surely tell who has purchase."
    page = render(replace(report, facets=facet_parts(found), outcome_told=told))
    assert page.index(told) < page.index("How much they view in a visit")
