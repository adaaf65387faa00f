"""The fast mode, beside scikit-learn's TF-IDF, and as the stages see it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sklearn.feature_extraction.text import TfidfTransformer

from core.base.errors import ArtifactError, InputError
from core.base.schema import View
from core.base.settings import Preset, TrainSettings
from core.model.bag import BAG, RANK, BagOfPages, load_bag, train
from core.model.embedding import embed as embed_views
from core.model.inputs import Spans
from core.model.model_files import TRAINING, TrainReport, load_pages
from core.model.training import train as train_model
from tests.core.model.toys import SHOP_URLS, pages_of, shop

FAST = TrainSettings.preset(Preset.BAG)
NAMES = pages_of(SHOP_URLS)


def test_a_page_that_everybody_sees_weighs_least() -> None:
    pages, runs = np.array([0, 1, 0, 2, 2, 1]), Spans(np.array([0, 3]), np.array([3, 3]))
    idf = BagOfPages.fit(pages, 3, runs).idf
    assert idf[1] == 1.0  # ln(3 / 3) + 1
    assert np.allclose(idf[[0, 2]], np.log(3 / 2) + 1)


def test_unreduced_vectors_are_those_of_scikit_learn() -> None:
    items = np.random.default_rng(0).integers(0, 8, 200)
    runs = Spans(np.arange(0, 200, 5), np.full(40, 5))
    counts = np.stack([np.bincount(items[start : start + 5], minlength=8) for start in runs.begin])
    ours = BagOfPages.fit(items, 8, runs).embed(items, runs)
    assert np.allclose(ours, TfidfTransformer().fit_transform(counts).toarray(), atol=1e-6)


def test_neither_order_nor_repetition_of_the_whole_changes_a_vector() -> None:
    items = np.array([0, 1, 2, 2, 1, 0, 0, 1, 2])
    runs = Spans(np.array([0, 3, 0]), np.array([3, 3, 9]))
    once, other_way, thrice = BagOfPages.fit(items, 3, runs).embed(items, runs)
    assert np.allclose(once, other_way)
    assert np.allclose(once, thrice)


def test_training_and_embedding_take_it_for_a_model(tmp_path: Path) -> None:
    sequences = shop(900)
    report = train_model(sequences, NAMES, FAST, tmp_path)
    assert TrainReport.model_validate_json((tmp_path / TRAINING).read_bytes()) == report
    assert (report.epochs, report.trained_users + report.held_out_users) == (0, 900)
    assert report.valid_mrr is not None
    assert 0 < report.valid_mrr <= 1
    views = embed_views(tmp_path, sequences, NAMES)
    assert list(views) == [View.URL]
    assert views[View.URL].shape[0] == 900
    assert views[View.URL].shape[1] <= RANK
    assert np.allclose(np.linalg.norm(views[View.URL], axis=1), 1, atol=1e-5)
    assert set(load_pages(tmp_path)) <= set(SHOP_URLS)


def test_the_same_again_gives_the_same_vectors(tmp_path: Path) -> None:
    sequences = shop(900)
    for name in ("one", "two"):
        train(sequences, SHOP_URLS, FAST, tmp_path / name)
    one, two = (load_bag(tmp_path / name).embed(sequences, SHOP_URLS) for name in ("one", "two"))
    assert np.array_equal(one, two)


def test_pages_that_are_all_new_have_no_direction(tmp_path: Path) -> None:
    sequences = shop(300)
    train(sequences, SHOP_URLS, FAST, tmp_path)
    new = [f"elsewhere.example-{number}" for number in range(len(SHOP_URLS))]
    assert np.linalg.norm(load_bag(tmp_path).embed(sequences, new), axis=1).max() <= 1


def test_a_damaged_bag_is_noticed(tmp_path: Path) -> None:
    sequences = shop(300)
    train(sequences, SHOP_URLS, FAST, tmp_path)
    whole = (tmp_path / BAG).read_bytes()
    (tmp_path / BAG).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ArtifactError, match="Train again"):
        load_bag(tmp_path).embed(sequences, SHOP_URLS)


@pytest.mark.parametrize(
    ("name", "value"), [("idf", torch.tensor(1.0)), ("onto", torch.tensor([[torch.nan]]))]
)
def test_parts_of_another_shape_or_no_numbers_are_noticed(
    tmp_path: Path, name: str, value: torch.Tensor
) -> None:
    train(shop(300), SHOP_URLS, FAST, tmp_path)
    save_file(load_file(tmp_path / BAG) | {name: value}, tmp_path / BAG)
    with pytest.raises(ArtifactError, match="Train again"):
        load_bag(tmp_path)


def test_too_little_is_said_as_for_a_network(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="too little to train on"):
        train(shop(1), SHOP_URLS, FAST, tmp_path)
