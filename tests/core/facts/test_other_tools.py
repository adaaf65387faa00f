"""Neighbours, sureness and moves."""

from dataclasses import replace

import numpy as np
import pytest

from core.base.errors import InputError
from core.facts.answer import Note
from core.facts.fact_maker import Figures
from core.facts.other_tools import how_sure, nearest_segments, what_changed
from core.segments.certificate import Certificate
from tests.core.facts.toy import context, figures, partition


def test_the_nearest_segment_and_its_distance() -> None:
    (fact,) = nearest_segments(figures(), segment="segment:0", n=3).facts
    assert (fact.segments, fact.text) == (("segment:0", "segment:1"), "1.41")


def test_who_moved() -> None:
    before = partition(np.array([0, 0, 1, 1, 1, -1, -1, -1], dtype=np.int32))
    found = what_changed(Figures(context(previous=before)))
    assert [(fact.measure, fact.item, fact.text) for fact in found.facts] == [
        ("moved", "", "1"), ("moved_share", "", "20%"), ("moved", "Segment 2 → Segment 1", "1"),
    ]  # fmt: skip


def test_segments_that_came_and_went_are_named() -> None:
    now, labels = partition(), np.array([0, 0, 0, 4, 4, -1, -1, -1], dtype=np.int32)
    before = replace(now, labels=labels, ids=np.array([0, 4], dtype=np.int32))
    found = what_changed(Figures(context(previous=before)))
    assert [block.text for block in found.blocks if isinstance(block, Note)] == [
        "New: Blog readers (segment 2).", "Gone: Segment 5.",
    ]  # fmt: skip


def test_nothing_changed_before_the_first_move() -> None:
    with pytest.raises(InputError, match="Nothing changed yet"):
        what_changed(figures())


def test_how_sure_a_segment_is_and_who_its_rival_is() -> None:
    made = Certificate(0, 3, jaccard=0.8, low=0.7, high=0.9, halves=0.75, seeds=1.0, rival=1, moves=0.1,
                       same_as=1, together=0.97)  # fmt: skip
    asked = Figures(replace(context(), certificates={0: made}))
    found = how_sure(asked, segment="segment:0")
    assert [(fact.measure, fact.text) for fact in found.facts] == [
        ("jaccard", "80%"), ("halves", "75%"), ("seeds", "100%"), ("moves", "10%"), ("together", "97%"),
    ]  # fmt: skip
    assert (found.facts[0].low, found.facts[0].high) == (0.7, 0.9)
    assert found.facts[3].segments == found.facts[4].segments == ("segment:0", "segment:1")
    assert [block.text for block in found.blocks if isinstance(block, Note)] == [
        "By Hennig's words it is stable, given these vectors."
    ]
    with pytest.raises(InputError, match="has not been measured"):
        how_sure(asked, segment="segment:1")
