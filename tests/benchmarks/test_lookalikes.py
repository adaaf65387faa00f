"""The measure of look-alikes, on groups of vectors that can be told apart and on none."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from benchmarks.lookalikes import as_the_app, by_kind, ceiling, judged, summary, to_the_middle, to_the_nearest
from tests.core.segments.blobs import blobs

ROWS, GROUP = blobs((60, 50, 40))
WAYS = {"app": as_the_app(ROWS), "middle": to_the_middle(ROWS), "nearest": to_the_nearest(ROWS)}
COLUMNS = ["ids", "kind", "seed", "method", "precision", "base"]


def found(truth: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(judged(WAYS, truth, 0), columns=COLUMNS)


def test_clear_groups_are_found_whole_and_random_ones_as_by_chance() -> None:
    clear = found(np.array(["a", "b", "c"], dtype=object)[GROUP])
    shuffled = np.random.default_rng(0).permutation(GROUP)
    random = found(np.array(["a", "b", "c"], dtype=object)[shuffled])
    assert len(clear) == len(random) == 3 * 3 * 3
    assert clear["precision"].mean() > 0.95
    assert abs(random["precision"] - random["base"]).mean() < 0.1


def test_kinds_of_few_users_and_robots_are_not_looked_for() -> None:
    truth = np.array(["a", "bot", "c"], dtype=object)[GROUP]
    truth[np.flatnonzero(truth == "c")[:15]] = ""
    assert set(found(truth)["kind"]) == {"a"}


def test_who_knows_the_kinds_of_half_of_all_finds_the_other_half() -> None:
    truth = np.array(["a", "bot", "c"], dtype=object)[GROUP]
    for kinds, least in ((truth, 0.95), (np.random.default_rng(0).permutation(truth), 0.2)):
        told = pd.DataFrame(ceiling(ROWS, sparse.csr_array(np.abs(ROWS)), kinds, 0), columns=COLUMNS)
        assert set(told["kind"]) == {"a", "c"}
        assert len(told) == 4
        assert told["base"].tolist() == pytest.approx([0.4, 0.4, 20 / 75, 20 / 75])
        assert least <= told["precision"].mean() <= max(least, 0.5) + 0.05


def test_tables_name_every_method_and_kind() -> None:
    table = found(np.array(["a", "b", "c"], dtype=object)[GROUP])
    assert all(f"| {name} | " in summary(table) for name in WAYS)
    assert all(f"| {kind} | " in by_kind(table) for kind in "abc")
