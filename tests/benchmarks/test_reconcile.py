"""Totals of the receipt beside an independent count."""

from pathlib import Path

import pytest

from benchmarks import reconcile
from benchmarks.reconcile import PROPERTIES, check, counted, one_table, visitors

CASES = [
    ("JSON cells", "csv"),
    ("nested", "ndjson"),
    ("flat", "csv"),
    ("nested", "parquet"),
    ("dotted", "csv"),
]
"""Shapes and formats, taken by turns."""
SHAPE_OF = {name: CASES[place % len(CASES)] for place, name in enumerate(PROPERTIES)}


@pytest.mark.parametrize("name", PROPERTIES)
def test_the_receipt_agrees_with_an_independent_count(name: str) -> None:
    [done] = check(name, [SHAPE_OF[name]])
    assert not done.wrong


def test_the_count_is_what_a_person_would_count(tmp_path: Path) -> None:
    [first, second, *_] = visitors(1)
    totals = counted(one_table([*first, *second]), tmp_path / "two")
    views = [event for event in (*first, *second) if event["event_name"] == "page_view"]
    assert totals["users"] == 2
    assert totals["page views"] == len(views)


def test_a_total_that_differs_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(reconcile.COUNTS, "users", "SELECT 1 + count(DISTINCT user_pseudo_id) FROM views")
    [done] = check("logins", [("flat", "csv")])
    assert [text.partition(":")[0] for text in done.wrong] == ["users"]
