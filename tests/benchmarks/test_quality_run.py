"""What holds the quality benchmark together: ledger, goals of the views, tuning, the fused encoder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.quality.coles import LONGEST, SHORTEST, slices
from benchmarks.quality.fused import FusedItems, item_labels, train_fused
from benchmarks.quality.goals import view_figures
from benchmarks.quality.ledger import Ledger
from benchmarks.quality.run import by_name, chosen
from benchmarks.quality.tuning import markdown, settings_of
from benchmarks.quality.views import single_weights
from core.base.schema import View
from core.base.settings import ViewWeights
from tests.benchmarks.quality_toys import NAMES, toy_case
from tests.core.model.toys import SHOP_URLS, TINY


class TestLedger:
    def test_a_second_run_computes_nothing_again(self, tmp_path: Path) -> None:
        path = tmp_path / "set" / "results.json"
        calls: list[str] = []

        def compute() -> float:
            calls.append("called")
            return 0.5

        assert [Ledger(path).once("a", compute), Ledger(path).once("a", compute)] == [0.5, 0.5]
        assert calls == ["called"]

    def test_what_was_found_before_a_break_stays(self, tmp_path: Path) -> None:
        ledger = Ledger(tmp_path / "results.json")
        ledger.once("a", lambda: 1)

        with pytest.raises(ZeroDivisionError):
            ledger.once("b", lambda: 1 // 0)

        assert json.loads((tmp_path / "results.json").read_text()) == {"a": 1}


def test_rows_become_lists_by_name() -> None:
    assert by_name([{"a": 1.0}, {"a": 2.0, "b": 3.0}]) == {"a": [1.0, 2.0], "b": [3.0]}


def test_methods_are_chosen_by_parts_of_their_names() -> None:
    assert chosen("tf-idf, coles") == ("TF-IDF + SVD", "GRU + CoLES")


VIEWS = {
    "default": {"moved": 0.1},
    "theme": {"moved": 0.3, "MRR random": 0.06, "hand MRR random": 0.05, "AMI theme": 0.5, "pure": 1.0},
    "type": {"moved": 0.4, "MRR random": 0.03, "hand MRR random": 0.03, "AMI theme": 0.2},
    "random 1": {"MRR random": 0.1, "hand MRR random": 0.05, "ARI": 0.3, "hand ARI": 0.2},
    "random 2": {"MRR random": 0.1, "hand MRR random": 0.08, "ARI": 0.3, "hand ARI": 0.1},
}


class TestViewFigures:
    def test_ratios_and_the_worst_of_the_random_weights(self) -> None:
        found = view_figures(VIEWS)

        assert found["moved theme"] == pytest.approx(3.0)
        assert found["MRR theme / hand"] == pytest.approx(1.2)
        assert found["AMI apart"] == pytest.approx(0.3)
        assert found["MRR random weights"] == pytest.approx(1.25)
        assert found["ARI random weights"] == pytest.approx(1.5)

    def test_what_was_not_measured_is_left_out(self) -> None:
        assert "pure type" not in view_figures(VIEWS)
        assert view_figures({}) == {}


class TestTuning:
    def test_every_combination(self) -> None:
        made = list(settings_of({"a": (1, 2), "b": (True,)}))

        assert made == [{"a": 1, "b": True}, {"a": 2, "b": True}]

    def test_best_first(self) -> None:
        text = markdown([({"rank": 32}, {"score": 0.1}), ({"rank": 64}, {"score": 0.2})])

        assert text.splitlines()[2:] == ["| 64 | 0.200 |", "| 32 | 0.100 |"]


class TestFused:
    def test_an_item_has_the_vectors_of_its_page_and_its_labels(self) -> None:
        pages = nn.Embedding(4, 3)
        table = FusedItems(pages, [np.array([0, 0, 1, 2]), np.array([0, 1, 1, 1])])
        themes, types = (one.weight for one in table.tables)

        made = table(torch.tensor([[3, 1]]))

        assert torch.equal(made[0, 0], pages.weight[3] + themes[2] + types[1])
        assert torch.equal(made[0, 1], pages.weight[1] + themes[0] + types[1])
        assert not themes[0].any()

    def test_an_item_that_stands_for_several_pages_has_no_label(self) -> None:
        assert item_labels(np.array([2, 3, 3]), ["b", "a", "b"], 4).tolist() == [0, 0, 2, 0]

    def test_trains_to_tell_users_apart(self, tmp_path: Path) -> None:
        case = toy_case(tmp_path)
        settings = TINY.model_copy(update={"epochs": 3})

        embed, figures = train_fused(case, {View.URL: SHOP_URLS, **NAMES}, settings)

        vectors = embed(case.users)
        shoes, books = vectors[::2], vectors[1::2]
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
        assert (shoes @ shoes.T).mean() > (shoes @ books.T).mean() + 0.1
        assert figures["train_users_per_s"] > 0


def test_slices_of_the_peer_lie_inside_their_users() -> None:
    begin, length = np.array([0, 4]), np.array([4, 100])

    start, part, owner = slices(begin, length, np.random.default_rng(0))

    assert owner.tolist() == [0] * 5 + [1] * 5
    assert (part >= SHORTEST).all()
    assert (part <= np.minimum(length[owner], LONGEST)).all()
    assert (start >= begin[owner]).all()
    assert (start + part <= begin[owner] + length[owner]).all()


def test_a_view_that_a_set_lacks_is_not_judged_alone() -> None:
    assert list(single_weights({"url", "theme"})) == ["default", "url", "theme"]
    assert single_weights({"theme"})["theme"] == ViewWeights(url=0, theme=1, type=0)
