from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.base.errors import ArtifactError, Cancelled
from core.base.schema import View
from core.base.settings import Device
from core.model import embedding, training
from core.model.embedding import embed
from core.model.inputs import padded_batch, token_streams
from core.model.model_files import load_model
from core.model.training import train
from tests.core.model.toys import SHOP_URLS, TINY, pages_of, sequences_of, shop

PAGES = pages_of(SHOP_URLS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("model")
    train(shop(60), pages_of(SHOP_URLS), TINY.model_copy(update={"max_length": 6}), made)
    return made


def test_every_user_has_a_vector_of_length_one(folder: Path) -> None:
    vectors = embed(folder, shop(50, shortest=1), PAGES)
    assert list(vectors) == [View.URL]
    assert vectors[View.URL].dtype == np.float32
    assert len(vectors[View.URL]) == 50
    np.testing.assert_allclose(np.linalg.norm(vectors[View.URL], axis=1), 1, atol=1e-5)


def test_vectors_are_those_of_one_user_at_a_time(folder: Path) -> None:
    sequences = sequences_of({"a": [0], "b": [1, 2, 3], "c": [1, 2, 3], "d": [9, 8], "e": [8, 9]})
    vectors = embed(folder, sequences, PAGES)[View.URL]
    model = load_model(folder)
    streams = token_streams(sequences, SHOP_URLS, model.vocabularies[View.URL])
    for user in range(5):
        spans = embedding.latest_views(sequences, 6)[user : user + 1]
        with torch.inference_mode():
            learned = model.network(padded_batch(streams, spans)).numpy()
        alone = model.heads[View.URL].vectors(learned, streams, spans)[0]
        np.testing.assert_allclose(vectors[user], alone, atol=1e-5)


def test_equal_sequences_have_equal_vectors_bit_by_bit(folder: Path) -> None:
    users = {f"u{number:03d}": [number % 16, 3, 5][: 1 + number % 3] for number in range(300)}
    vectors = embed(folder, sequences_of(users), PAGES)[View.URL]
    of_content: dict[tuple[int, ...], bytes] = {}
    for name, vector in zip(sorted(users), vectors, strict=True):
        assert of_content.setdefault(tuple(users[name]), vector.tobytes()) == vector.tobytes()


def test_tempo_and_sessions_make_sequences_different(folder: Path) -> None:
    sequences = sequences_of(
        {"a": [0, 1, 2], "b": [0, 1, 2], "c": [0, 1, 2]},
        seconds={"b": [0, 900, 1800]},
        sessions={"c": [0, 0, 1]},
    )
    a, b, c = embed(folder, sequences, PAGES)[View.URL]
    assert np.abs(a - b).max() > 1e-4
    assert np.abs(a - c).max() > 1e-4


def test_small_batches_change_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    straight = embed(folder, shop(80, shortest=1), PAGES)[View.URL]
    monkeypatch.setattr(embedding, "BATCH_VIEWS", 8)
    np.testing.assert_allclose(embed(folder, shop(80, shortest=1), PAGES)[View.URL], straight, atol=1e-5)


def test_pages_are_known_by_their_url_not_by_their_number(folder: Path) -> None:
    straight = embed(folder, sequences_of({"a": [0, 9]}), PAGES)[View.URL]
    turned = embed(folder, sequences_of({"a": [15, 6]}), pages_of(SHOP_URLS[::-1]))[View.URL]
    np.testing.assert_allclose(straight, turned, atol=1e-6)


def test_users_whose_pages_are_all_new_are_embedded_by_directory(folder: Path) -> None:
    new = ["https://shop.example/shoes/new-1", "https://shop.example/shoes/new-2", "https://else.example/x"]
    vectors = embed(folder, sequences_of({"a": [0], "b": [1], "c": [2]}), pages_of(new))[View.URL]
    assert np.isfinite(vectors).all()
    np.testing.assert_array_equal(vectors[0], vectors[1])
    assert np.abs(vectors[0] - vectors[2]).max() > 1e-4


def test_only_the_latest_views_are_read(folder: Path) -> None:
    long = sequences_of({"a": [0, 1, 9, 8, 7, 9, 3, 2], "b": [9, 8, 7, 9, 3, 2]})
    a, b = embed(folder, long, PAGES)[View.URL]
    np.testing.assert_array_equal(a, b)


def test_progress_counts_users_and_can_stop_it(folder: Path) -> None:
    shares: list[float] = []

    def watch(stage: str, fraction: float, message: str = "", **figures: float) -> None:
        assert stage == "embed"
        shares.append(fraction)

    embed(folder, shop(50, shortest=1), PAGES, watch)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0

    def stop(stage: str, fraction: float, message: str = "", **figures: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        embed(folder, shop(50), PAGES, stop, Device.CPU)


@pytest.mark.parametrize(
    ("of_training", "given", "used"),
    [
        (Device.CPU, None, Device.CPU),
        (Device.CPU, Device.AUTO, Device.AUTO),
        (Device.AUTO, None, Device.AUTO),
        (Device.CUDA, None, Device.AUTO),
    ],
)
def test_a_model_of_the_cpu_embeds_there_unless_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, of_training: Device, given: Device | None, used: Device
) -> None:
    model = load_model(folder)
    trained = replace(model, settings=model.settings.model_copy(update={"device": of_training}))
    asked: list[Device] = []
    monkeypatch.setattr(embedding, "load_any", lambda _: trained)
    monkeypatch.setattr(embedding, "pick_device", lambda device: asked.append(device) or torch.device("cpu"))
    embed(folder, shop(5), PAGES, device=given)
    assert asked == [used]


def test_urls_that_do_not_fit_are_noticed(folder: Path) -> None:
    with pytest.raises(ArtifactError, match="url view needs a name for each of 10 pages, and 9 have one"):
        embed(folder, sequences_of({"a": [9]}), pages_of(SHOP_URLS[:9]))


def test_training_brings_alike_users_together(tmp_path: Path) -> None:
    sequences = shop(300)
    settings = TINY.model_copy(update={"epochs": 5, "hidden_dim": 32, "embedding_dim": 16})
    training.train(sequences, pages_of(SHOP_URLS), settings, tmp_path)
    vectors = embed(tmp_path, shop(100, seed=9), PAGES)[View.URL]
    shoes, books = vectors[::2], vectors[1::2]
    alike = (shoes @ shoes.T).mean() + (books @ books.T).mean()
    assert alike > 2 * (shoes @ books.T).mean() + 0.5
