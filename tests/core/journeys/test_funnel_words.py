"""What a funnel says in sentences."""

from __future__ import annotations

import numpy as np

from core.journeys.funnel import Funnel
from core.journeys.funnel_table import ShareOf, sentences, steps_table

FUNNEL = Funnel.checked(steps=tuple({"kind": "page", "any_of": (page,)} for page in ("/a", "/b", "/c")))


def said(here: list[int], there: list[int], other: str = "The others") -> list[str]:
    table = steps_table(FUNNEL, np.array(here), np.array(there), ShareOf.ALL)
    return sentences(table, "Segment 1", other)


def test_it_says_who_completes_it_beside_the_others_and_where_most_are_lost() -> None:
    assert said([1000, 800, 300, 200], [500, 300, 100, 50]) == [
        "Segment 1: 200 of 1,000 users reach /c, 20.0% (between 17.6% and 22.6%).",
        "The others: 10.0% (between 7.7% and 12.9%). That differs.",
        "Most are lost after /a: 500 of 800 (62.5%) go no further.",
    ]


def test_no_difference_is_said_as_not_shown() -> None:
    assert said([10, 8, 8, 8], [10, 7, 7, 7])[1].endswith("No difference is shown.")


def test_who_loses_nobody_has_nobody_else_and_who_has_nobody_at_all() -> None:
    assert said([8, 8, 8, 8], [0, 0, 0, 0], "") == [
        "Segment 1: 8 of 8 users reach /c, 100% (between 68% and 100%)."
    ]
    assert said([0, 0, 0, 0], [5, 1, 1, 1]) == ["Segment 1: no users."]
    assert said([5, 0, 0, 0], [0, 0, 0, 0]) == ["Segment 1: 0 of 5 users reach /c, 0% (between 0% and 43%)."]


def test_a_segment_of_one_user_is_one_user() -> None:
    assert said([1, 1, 0, 0], [5, 1, 1, 1])[0] == "Segment 1: 0 of 1 user reach /c, 0% (between 0% and 79%)."
