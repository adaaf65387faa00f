"""The table of many makers, and what is told from before a date, on users that one can check by eye."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.evidence import ADDRESSES, KINDS, PAGES_A_KIND, planted
from benchmarks.quality.case import Cut
from benchmarks.quality.future import DATE, activity_of, outcomes, table
from benchmarks.quality.maker_sets import open_made, some_users, written
from benchmarks.quality.makers import found_at, ratio, retrieval, spread, steadiness
from benchmarks.quality.twins import bag_of_steps, read
from core.model.inputs import Spans
from tests.benchmarks.quality_toys import toy_case
from tests.core.model.toys import sequences_of

UNIT = np.eye(3, dtype=np.float32)


def test_a_ratio_comes_with_its_interval() -> None:
    assert ratio(np.full(9, 0.5), np.full(9, 0.25)) == "2.00 (2.00–2.00)"
    low, high = ratio(np.array([0.1, 0.9] * 50), np.full(100, 0.5))[6:-1].split("–")
    assert float(low) < 1 < float(high)


def test_seeds_are_a_mean_and_a_range() -> None:
    assert spread([0.2, 0.4]) == "0.30 (0.20–0.40)"
    assert (spread([0.2]), spread([])) == ("0.20", "–")


def test_the_best_simple_way_is_beside_the_mix_of_all_seeds() -> None:
    case = toy_case()
    case = replace(case, cuts={"random": Cut(case.users, case.users)})
    found, missed = ({"random query": UNIT, "random answer": UNIT[order]} for order in ([0, 1, 2], [1, 2, 0]))
    assert found_at(found, "random").tolist() == [1, 1, 1]
    said = retrieval(case, "random", [found, found], [missed], {"bag": missed, "steps": found})
    assert said["random: queries"] == "3"
    assert said["random: best simple way"] == "1.000 steps"
    assert said["random: mix / it (95 %)"] == "1.00 (1.00–1.00)"
    assert said["random: mix / URL (95 %)"] == "2.50 (2.50–2.50)"  # ranks of the others are tied at 2.5
    assert retrieval(case, "cross-session", [], [], {})["cross-session: mix"] == "–"


def test_trainings_are_compared_at_the_number_that_the_users_support() -> None:
    users = planted(300, 0)
    kind = np.array(
        [np.bincount(pages // PAGES_A_KIND).argmax() for pages in np.split(users.page, users.offsets[1:-1])]
    )
    case = replace(toy_case(), sequences=users, urls=ADDRESSES, inside=np.ones(300, dtype=bool))
    vectors = np.eye(KINDS, dtype=np.float32)[kind] + 0.01 * np.random.default_rng(0).normal(
        size=(300, KINDS)
    ).astype(np.float32)
    found = steadiness(case, [{"users": vectors}, {"users": vectors[:, ::-1]}])
    assert found == {"suggested K": str(KINDS), "trainings agree at it": "1.00"}


def test_a_made_up_site_has_the_labels_of_the_cascade_and_the_kinds_of_its_maker(tmp_path: Path) -> None:
    made = written("nordleden", 300, 0, tmp_path)
    spec, case = open_made(made, tmp_path)
    kinds = pd.read_csv(made.kinds, dtype=str)["kind"] if made.kinds else []
    assert case.truth is not None and set(case.truth) <= {*kinds, ""}
    assert set(case.names) == {"cascade"}
    assert spec.truth is None
    assert set(made.twins) == {"order", "tempo"}


def test_some_users_of_an_export_are_the_same_each_time(tmp_path: Path) -> None:
    csv = tmp_path / "export.csv"
    pd.DataFrame({"user_pseudo_id": list("aabbccdd"), "page": range(8)}).to_csv(csv, index=False)
    (tmp_path / "out").mkdir()
    first, again = (pd.read_csv(some_users(csv, 2, tmp_path / "out")) for _ in range(2))
    assert first.equals(again)
    assert len(first) == 4 and first["user_pseudo_id"].nunique() == 2


def test_steps_are_counted_within_sessions_only() -> None:
    sequences = sequences_of({"a": [0, 1, 0, 1]}, sessions={"a": [0, 0, 1, 1]})
    found = bag_of_steps(sequences, sequences.page, Spans(np.array([0]), np.array([4])))
    assert found.toarray().tolist() == [[0, 1, 0, 0]]  # 0 to 1 twice; 1 to 0 leads into another session


def test_kinds_are_read_from_users_that_the_reading_was_not_learnt_on() -> None:
    first = np.arange(400) % 2 == 0
    rng = np.random.default_rng(0)
    assert read(first[:, None] + rng.normal(0, 0.1, (400, 1)), first, 1.0) > 0.99
    assert read(rng.normal(size=(400, 1)), first, 1.0) == pytest.approx(0.5, abs=0.1)


def test_what_comes_after_the_date_counts() -> None:
    events = [("a", "page_view", 61), ("b", "page_view", 59), ("b", "like", 1), ("c", "like", -1)]
    rows = pd.DataFrame(events, columns=["user_pseudo_id", "event_name", "day"])
    found = outcomes(rows, DATE + pd.to_timedelta(rows["day"], unit="D"), np.array(["a", "b", "c"]))
    assert {name: who.tolist() for name, who in found.items()} == {
        "returns": [True, False, False],
        "like": [False, True, False],
        "bookmark": [False, False, False],
    }


def test_activity_is_a_row_a_user_without_pages() -> None:
    case = toy_case()
    found = activity_of(case, np.flatnonzero(case.judged))
    assert found.shape == (60, 5)
    assert np.corrcoef(found[:, 0], np.log1p(case.sequences.lengths))[0, 1] > 0.999


def test_the_mean_over_seeds_has_an_interval_over_users() -> None:
    truth = {"returns": np.arange(50) % 2 == 0}
    right, blind = truth["returns"][None].astype(float), np.zeros((1, 50))
    rows = table({"sees": [right, right], "blind": [blind]}, truth)
    assert [row["returns"] for row in rows] == ["1.000", "0.500"]
    assert rows[0]["mean (95 %)"] == "1.000 (1.000–1.000)"
