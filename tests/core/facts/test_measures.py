"""How figures are written."""

import math

import pytest

from core.facts.answer import BY_KEY, Unit, format_value
from core.profiles.profile_columns import FIELDS


@pytest.mark.parametrize(
    ("value", "unit", "digits", "text"),
    [
        (1204, Unit.COUNT, 1, "1,204"), (5.25, Unit.NUMBER, 1, "5.2"), (0.1234, Unit.SHARE, 2, "12.34%"),
        (1.84, Unit.RATIO, 1, "1.8×"), (math.inf, Unit.RATIO, 1, "only here"),
        (-0.0158, Unit.POINTS, 2, "−1.58 percentage points"),
        (125, Unit.SECONDS, 0, "2 min 5 s"), (-125, Unit.SECONDS, 0, "−2 min 5 s"),
        (12.5, Unit.MONEY, 2, "12.50"),
    ],
)  # fmt: skip
def test_written_with_its_unit(value: float, unit: Unit, digits: int, text: str) -> None:
    assert format_value(value, unit, digits) == text


def test_every_column_of_the_segments_table_can_be_asked_for() -> None:
    ends = {"outcome_low", "outcome_high"}  # they go with the rate
    assert set(BY_KEY) == {field.field for field in FIELDS} - ends
