"""Steps in sentences."""

from __future__ import annotations

import pytest

from core.journeys.moves import END, START
from core.journeys.step_table import step_sentence

NUMBERS = {"share": 0.45, "n": 220, "rest_share": 0.301, "rest_n": 1_204, "difference": 0.149}


@pytest.mark.parametrize(
    ("left", "reached", "said"),
    [
        (START, "/sale", "More begin at /sale: 45.0% of 220 users, others 30.1% of 1,204"),
        ("/cart", END, "More end at /cart: 45.0% of 220 users who were there, others 30.1% of 1,204"),
        (
            "/a",
            "/a",
            "More open /a again right away: 45.0% of 220 users who were there, others 30.1% of 1,204",
        ),
        ("/a", "/b", "More go from /a to /b: 45.0% of 220 users who were there, others 30.1% of 1,204"),
    ],
)
def test_a_step_is_said_with_both_shares(left: str, reached: str, said: str) -> None:
    assert step_sentence(NUMBERS | {"from": left, "to": reached}) == said


def test_fewer_users_are_said_to_be_fewer() -> None:
    step = NUMBERS | {"from": "/a", "to": "/b", "difference": -0.149}
    assert step_sentence(step).startswith("Fewer go from /a")
