"""Neighbours, moves, and sums of facts."""

import numpy as np
import pytest

from core.base.errors import InputError
from core.facts.answer import Unit
from core.facts.arguments import Calc, NearestSegments, WhatChanged
from core.facts.fact_book import FactBook
from core.facts.fact_maker import Figures
from core.facts.items import Dimension, ItemMetric
from core.facts.other_tools import calc, nearest_segments, what_changed
from core.facts.render import fill
from tests.core.facts.toy import context, figures, partition


def test_the_nearest_segment_with_its_size() -> None:
    found = nearest_segments(figures(), NearestSegments(segment="segment:0"))
    text = fill(found.text, found.facts)[0]
    assert text == "Most like Segment 1 (Sale hunters): Segment 2 (Blog readers) (distance 1.41, 2 users)."
    with pytest.raises(InputError, match="One-page users is no segment"):
        nearest_segments(figures(), NearestSegments(segment="group:one_page"))


def test_who_moved() -> None:
    before = partition(np.array([0, 0, 1, 1, 1, -1, -1, -1], dtype=np.int32))
    found = what_changed(Figures(context(previous=before), FactBook()), WhatChanged())
    text = fill(found.text, found.facts)[0]
    assert text == "1 clustered users changed their segment, 20.0% of them all."
    assert found.table.to_numpy().tolist() == [["Segment 2", "Segment 1", 1]]


def test_nothing_changed_before_the_first_move() -> None:
    with pytest.raises(InputError, match="Nothing changed yet"):
        what_changed(figures(), WhatChanged())


def test_numbers_derived_from_facts() -> None:
    made = figures()
    one, two = made.needed("segment:0", "users"), made.needed("segment:1", "users")
    for op, value, unit in (
        ("sum", 5, Unit.COUNT),
        ("difference", 1, Unit.COUNT),
        ("ratio", 1.5, Unit.RATIO),
    ):
        fact = calc(made, Calc.checked(op=op, first=one.id, second=two.id)).facts[-1]
        assert (fact.value, fact.unit, fact.comparison) == (value, unit, op != "sum")


def test_a_difference_of_shares_is_in_points() -> None:
    made = figures()
    one, two = made.needed("segment:0", "share"), made.needed("segment:1", "share")
    assert calc(made, Calc(op="difference", first=one.id, second=two.id)).facts[-1].unit is Unit.POINTS


def test_what_cannot_be_put_together() -> None:
    made = figures()
    users, share = made.needed("segment:0", "users"), made.needed("segment:0", "share")
    zero = made.needed("group:one_page", "outcome_users")
    only = made.item("segment:0", Dimension.PAGE, "/cart", ItemMetric.LIFT)
    assert only is not None
    for op, first, second, message in (
        ("sum", users, share, "different units"),
        ("sum", share, share, "means nothing"),
        ("ratio", users, zero, "is 0"),
        ("ratio", only, only, "without end"),
    ):
        with pytest.raises(InputError, match=message):
            calc(made, Calc.checked(op=op, first=first.id, second=second.id))
    with pytest.raises(InputError, match="F99 is no figure of this turn"):
        calc(made, Calc(op="sum", first="F99", second=users.id))
