"""A report that can be moved: counts that can be checked by eye, and nothing of few users."""

import base64
import json
import zlib

import numpy as np

from core.runs.report.living import Living, living_part
from core.runs.report.model import Row

OWN = np.repeat([0, 1, -1], [60, 40, 20])
"""The report's own segments of 120 users; the last 20 are in none."""
HAD = np.arange(120) % 4 == 0
"""Every fourth user has the outcome, which is 15 of 60 and 10 of 40."""


def living(other: np.ndarray, **names: str) -> Living:
    named = {int(one): names.get(f"s{one}", f"Segment {one}") for one in np.unique(other[other >= 0])}
    labels = np.array([[OWN, other]], dtype=np.int16)
    names_of = ((({0: "A", 1: "B"}), named),)
    outcomes, warnings = {"purchase": HAD, "login": ~HAD}, {"purchase": "Read.", "login": ""}
    return Living(("Pages 100 %",), (2, 3), 0, labels, names_of, outcomes, warnings)


ROWS = [Row(0, "1 · Own", 60, 0.5, (), None, ".90 [.80–.95]"), Row(None, "One-page users", 20, 1 / 6, ())]


def dots(part: dict[str, object]) -> list[int]:
    return list(zlib.decompress(base64.b64decode(str(part["labels"]))))


def test_every_table_has_the_users_and_rates_of_its_segments() -> None:
    part = living_part(living(np.repeat([2, 0, -1], [50, 50, 20])), np.array([0, 119]), ROWS)
    (own, other), (total, _) = part["tables"][0], part["totals"]
    assert [(row["name"], row["users"], row["share"]) for row in own] == [
        ("1 · Own", "60", "50.0%"),
        ("B", "40", "33.3%"),
    ]
    assert [row["stability"] for row in own] == [".90 [.80–.95]", ""]
    assert own[0]["rates"] == [("25%", "16 to 37%"), ("75%", "63 to 84%")]  # 15 and 45 of 60
    assert [(row["segment"], row["users"], row["colour"]) for row in other] == [
        (0, "50", "token:seg-0"),
        (2, "50", "token:seg-2"),
    ]
    assert total[0] == "25.0%"
    assert part["warnings"] == ["Read.", ""]
    assert dots(part) == [0, 255, 2, 255]  # own number, then the other


def test_segments_of_few_users_are_counted_together_also_on_the_map() -> None:
    """5 and 10 users make no 20, so that the next one is with them: 85 and 15 would tell of the 15."""
    few = np.repeat([0, 1, 2, 3, -1], [5, 10, 25, 60, 20])
    part = living_part(living(few), np.array([0, 5, 15, 40]), ROWS)
    rows = part["tables"][0][1]
    assert [(row["name"], row["users"]) for row in rows] == [
        ("Segment 3", "60"),
        ("3 segments of few users", "40"),
    ]
    assert dots(part)[4:] == [254, 254, 254, 3]


def test_no_user_is_in_it() -> None:
    """A table is as long for 120 users as for 1,200; only dots of the map are one each."""
    part = living_part(living(np.repeat([2, 0, -1], [50, 50, 20])), np.array([], dtype=int), ROWS)
    assert len(json.dumps(part)) < 2_000
