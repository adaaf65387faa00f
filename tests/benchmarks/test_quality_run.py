"""The quality benchmark prints what it found, and leaves out what a set or this machine lacks."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.quality.__main__ import COLUMNS, chosen, number, summary
from benchmarks.quality.methods import CASCADE, TRUTH, why_not
from benchmarks.quality.views import random_weights, single_weights
from benchmarks.sets import SetSpec, demo_shop, prepare
from core.base.settings import ViewWeights


def test_methods_are_chosen_by_parts_of_their_names() -> None:
    assert chosen("tf-idf, url") == ["TF-IDF + SVD", "ours url"]
    assert len(chosen("")) == 9


def test_the_table_has_means_and_ranges() -> None:
    rows = [
        ("ours", 0, "ARI", 0.2),
        ("ours", 1, "ARI", 0.4),
        ("bag", 0, "ARI", 0.1),
        ("ours", 0, "users/s", 1e4),
    ]

    text = summary(pd.DataFrame(rows, columns=COLUMNS))

    assert text.splitlines() == [
        "|  | ours | bag |",
        "| --- | --- | --- |",
        "| ARI | 0.300 (0.200–0.400) | 0.100 |",
        "| users/s | 10,000 | – |",
    ]


@pytest.mark.parametrize(("value", "shown"), [(0.1234, "0.123"), (12_345.6, "12,346"), (float("nan"), "–")])
def test_numbers(value: float, shown: str) -> None:
    assert number(value) == shown


def test_what_a_set_lacks_is_not_run() -> None:
    bare = SetSpec("bare", Path("data"), None, None, Path("work"))

    assert why_not(bare, TRUTH) == "the set has no true labels"
    assert why_not(bare, CASCADE) == "its pages are not labelled"
    assert why_not(bare, "ours url") == ""


def test_a_view_that_a_set_lacks_is_not_judged_alone() -> None:
    assert list(single_weights({"url", "theme"})) == ["default", "url", "theme"]
    assert single_weights({"theme"})["theme"] == ViewWeights(url=0, theme=1, type=0)


def test_random_weights_are_the_same_each_time_and_sum_to_one() -> None:
    assert random_weights() == random_weights()
    assert [sum(weights.model_dump().values()) for weights in random_weights().values()] == pytest.approx(
        [1] * 5
    )


def test_a_demo_shop_is_made_once_and_prepared_with_truth_and_labels(tmp_path: Path) -> None:
    csv = demo_shop(40, 1, tmp_path)
    written = csv.stat().st_mtime_ns

    spec = prepare(demo_shop(40, 1, tmp_path), tmp_path)

    assert csv.stat().st_mtime_ns == written
    assert (spec.name, spec.truth) == ("shop-40-1", tmp_path / "shop-40-1.truth.csv")
    assert spec.dataset.is_dir()
    assert spec.cascade is not None
