"""The file says what the network says: on any batch, and on the runs of a data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from core.base.errors import ResourceError, SettingsError
from core.base.schema import View
from core.base.settings import Encoder, TrainSettings
from core.base.workers import alone
from core.model import bag, training
from core.model.embedding import embed_spans
from core.model.inputs import N_GAPS, PaddedBatch, latest_views, padded_batch, view_streams
from core.model.model_files import TrainedModel, load_model
from core.model.onnx_file import INPUTS, write_onnx
from tests.core.model.toys import SHOP_URLS, TINY, pages_of, shop

NAMES = pages_of(SHOP_URLS) | {
    View.THEME: [f"theme {number % 3}" for number in range(len(SHOP_URLS))],
    View.TYPE: [f"type {number % 2}" for number in range(len(SHOP_URLS))],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("onnx")
    training.train(shop(60), NAMES, TINY, folder / "model")
    write_onnx(folder / "model", folder / "model.onnx")
    return folder


@pytest.fixture(scope="module")
def model(folder: Path) -> TrainedModel:
    return load_model(folder / "model")


@pytest.fixture(scope="module")
def session(folder: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(folder / "model.onnx")


def told(session: onnxruntime.InferenceSession, batch: PaddedBatch) -> np.ndarray:
    fed = dict(zip(INPUTS, (tensor.numpy() for tensor in vars(batch).values()), strict=True))
    (found,) = session.run([View.URL.value], fed)
    return np.asarray(found)


@pytest.mark.parametrize("seed", range(20))
def test_random_padded_batches_have_the_same_vectors(
    model: TrainedModel, session: onnxruntime.InferenceSession, seed: int
) -> None:
    chance = np.random.default_rng(seed)
    users = int(chance.integers(1, 9))
    lengths = chance.integers(1, TINY.max_length + 1, users)
    mask = torch.from_numpy(np.arange(max(2, lengths.max())) < lengths[:, None])
    pages = model.vocabularies[View.URL]
    high = (pages.n_items, pages.n_transitions, N_GAPS, 2)
    parts = [torch.from_numpy(chance.integers(0, top, mask.shape)) * mask for top in high]
    batch = PaddedBatch(*parts, mask)
    with torch.inference_mode():
        wanted = model.network(batch).numpy()
    assert np.abs(told(session, batch) - wanted).max() < 1e-5


def test_users_have_the_vectors_that_embedding_finds(
    model: TrainedModel, session: onnxruntime.InferenceSession
) -> None:
    users = shop(50, seed=3)
    streams, spans = view_streams(users, NAMES, model.vocabularies), latest_views(users, TINY.max_length)
    assert len(set(spans.length)) > 3  # so there is padding
    found = told(session, padded_batch(streams[View.URL], spans))
    wanted = embed_spans(model.network, streams[View.URL], spans, alone)
    assert np.abs(found - wanted).max() < 1e-5


def test_the_file_says_what_lies_outside_it(session: onnxruntime.InferenceSession) -> None:
    facts = session.get_modelmeta().custom_metadata_map
    assert TrainSettings.model_validate_json(facts["beha2vec.settings"]) == TINY
    assert "heads.safetensors" in facts["beha2vec.outside"]
    assert [one.name for one in session.get_inputs()] == list(INPUTS)


def test_a_bag_of_pages_has_no_network(tmp_path: Path) -> None:
    settings = TrainSettings(encoder=Encoder.BAG)
    bag.train(shop(60), SHOP_URLS, settings, tmp_path)
    with pytest.raises(SettingsError, match="bag of pages"):
        write_onnx(tmp_path, tmp_path / "x.onnx")
    assert not (tmp_path / "x.onnx").exists()


def test_without_what_writes_it_words_come(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.onnx, "export", _needs_onnxscript)
    with pytest.raises(ResourceError, match="pip install onnx onnxscript"):
        write_onnx(folder / "model", tmp_path / "x.onnx")


def _needs_onnxscript(*args: object, **options: object) -> None:
    raise ImportError("No module named 'onnxscript'", name="onnxscript")
