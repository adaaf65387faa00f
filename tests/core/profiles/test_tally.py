"""Who did what how often."""

import numpy as np
import pytest

from core.profiles import rows as module
from core.profiles.rows import make_rows, tally
from tests.core.profiles.toy import LABELS, toy

USER = np.array([0, 0, 0, 3, 7])
CODE = np.array([1, 1, 0, 1, 2])


@pytest.mark.parametrize("dense", [10**6, 0])
def test_pairs_are_counted_the_same_in_a_table_and_by_sorting(
    dense: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DENSE", dense)
    made = tally(USER, CODE, ["a", "b", "c"], 8)
    found = list(zip(made.user.tolist(), made.code.tolist(), made.times.tolist(), strict=True))
    assert found == [(0, 0, 1), (0, 1, 2), (3, 1, 1), (7, 2, 1)]


def test_users_and_sums_of_rows() -> None:
    rows = make_rows(toy(), LABELS)
    made = tally(USER, CODE, ["a", "b", "c"], 8)
    assert made.users(rows).tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1]]
    assert made.sums(rows).tolist() == [[1, 2, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1]]
