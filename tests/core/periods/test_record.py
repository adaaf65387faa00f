"""What a run writes of segments over time."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from core.base.local_clock import UTC_CLOCK
from core.periods.over_time import periods
from tests.core.periods.visits import rows_of, visits


@pytest.fixture
def told() -> dict[str, Any]:
    receipt = SimpleNamespace(time_zone="UTC, inferred from event_date", truncated_days=(), clock=UTC_CLOCK)
    # three weeks from a Monday; nobody comes in the second; the third ends on its Sunday
    dataset: Any = SimpleNamespace(receipt=receipt, sequences=visits([[0.1, 0.2, 20.5], [0.2], [16.1]]))
    return periods(dataset, rows_of([0, 1, 0]), {0: "Buyers", 1: "Readers"})


def test_by_week(told: dict[str, Any]) -> None:
    buyers, readers = told["segments"]
    assert (buyers["cluster"], buyers["name"]) == (0, "Buyers")
    assert [week["from"] for week in buyers["weeks"]] == ["2016-02-29", "2016-03-07", "2016-03-14"]
    assert [(week["users"], week["of"]) for week in readers["weeks"]] == [(1, 2), (0, 0), (0, 2)]
    assert [week["share"] for week in buyers["weeks"]] == [0.5, None, 1.0]
    assert not any(week["in_part"] for week in buyers["weeks"])


def test_who_comes_again(told: dict[str, Any]) -> None:
    again = [(age["weeks"], age["users"], age["of"]) for age in told["segments"][0]["retention"]]
    assert again == [(1, 0, 1), (2, 1, 1)]
    assert [one["retention_left_out"] for one in told["segments"]] == [1, 1]  # with a single page view


def test_it_is_strict_json(told: dict[str, Any]) -> None:
    assert json.loads(json.dumps(told, allow_nan=False)) == told
