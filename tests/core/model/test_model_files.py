from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from core.base.errors import ArtifactError, ResourceError
from core.base.schema import View
from core.model import training
from core.model.model_files import (
    CONFIG,
    FORMAT,
    HEADS,
    TRAINING,
    VOCABULARY,
    WEIGHTS,
    TrainReport,
    load_model,
    load_pages,
    read_tensors,
    write_tensors,
)
from tests.core.model.toys import SHOP_URLS, TINY, pages_of, shop


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    training.train(shop(40), pages_of(SHOP_URLS), TINY, folder)
    return folder


@pytest.fixture
def folder(trained: Path, tmp_path: Path) -> Path:
    for file in trained.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def edit(path: Path, **change: Any) -> None:  # noqa: ANN401 - any JSON
    path.write_text(json.dumps(json.loads(path.read_text()) | change))


def test_folder_holds_tensors_and_json_only(folder: Path) -> None:
    assert sorted(file.name for file in folder.iterdir()) == sorted(
        [WEIGHTS, HEADS, CONFIG, VOCABULARY, TRAINING]
    )


@pytest.mark.parametrize("block", ["url.network", "theme.bias"])
def test_blocks_are_those_that_the_training_tells_of(folder: Path, block: str) -> None:
    tensors = load_file(folder / HEADS)
    if tensors.pop(block, None) is None:
        tensors[block] = tensors["url.bias"].clone()
    save_file(tensors, folder / HEADS)
    with pytest.raises(ArtifactError, match=rf"blocks of the {block.partition('.')[0]} view are not"):
        load_model(folder)


@pytest.mark.parametrize("block", ["pages", "rare", "steps", "place", "network"])
def test_blocks_have_a_row_for_each_feature(folder: Path, block: str) -> None:
    tensors = load_file(folder / HEADS)
    tensors[f"url.{block}"] = tensors[f"url.{block}"][1:].clone()
    save_file(tensors, folder / HEADS)
    with pytest.raises(ArtifactError, match=rf"{HEADS} is not a model file: url\.{block} has \d+ rows"):
        load_model(folder)


def test_loading_gives_the_saved_weights(folder: Path) -> None:
    model = load_model(folder)
    assert list(model.heads) == [View.URL]
    assert model.settings == TINY
    assert load_pages(folder)[0] in SHOP_URLS
    assert not model.network.training
    weights = load_file(folder / WEIGHTS)
    assert weights.keys() == model.network.state_dict().keys()
    assert all(torch.equal(weights[name], tensor) for name, tensor in model.network.state_dict().items())


def test_report_is_the_one_of_the_training(folder: Path) -> None:
    report = TrainReport.model_validate_json((folder / TRAINING).read_bytes())
    assert report.trained_users == 40
    assert report.curve[-1].step == report.steps


def test_a_report_of_an_earlier_version_is_read(folder: Path) -> None:
    edit(folder / TRAINING, processes=2)
    assert load_model(folder).settings == TINY


@pytest.mark.parametrize("name", [WEIGHTS, HEADS, CONFIG, VOCABULARY, TRAINING])
def test_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ArtifactError, match=name):
        load_model(folder)


@pytest.mark.parametrize("name", [WEIGHTS, HEADS, CONFIG, VOCABULARY, TRAINING])
def test_cut_file_is_noticed(folder: Path, name: str) -> None:
    (folder / name).write_bytes((folder / name).read_bytes()[:-20])
    with pytest.raises(ArtifactError, match="Train again"):
        load_model(folder)


@pytest.mark.parametrize("change", [{"epochs": 0}, {"hidden_dim": 32}, {"smell": 1}])
def test_config_of_another_kind_is_refused(folder: Path, change: dict[str, Any]) -> None:
    edit(folder / CONFIG, **change)
    with pytest.raises(ArtifactError, match="Train again"):
        load_model(folder)


@pytest.mark.parametrize("before", [4, None])
def test_a_model_of_before_is_refused_in_one_line(folder: Path, before: int | None) -> None:
    """A folder of format 4 also said how the encoder of each view is shaped."""
    (folder / CONFIG).write_text(json.dumps({"format": before, "views": {"url": {}}, "settings": {}}))
    with pytest.raises(ArtifactError) as refused:
        load_model(folder)
    assert str(refused.value) == f"The model in {folder} has format {before}. Allowed: {FORMAT}. Train again."


def test_tensors_in_memory_do_not_change_with_their_file(tmp_path: Path) -> None:
    save_file({"a": torch.ones(3)}, tmp_path / WEIGHTS)
    tensor = read_tensors(tmp_path / WEIGHTS)["a"]
    with (tmp_path / WEIGHTS).open("r+b") as file:  # the same inode, as `cp` and `rsync --inplace` write it
        file.write(bytes((tmp_path / WEIGHTS).stat().st_size))
    assert tensor.tolist() == [1, 1, 1]


def test_vocabulary_of_another_model_is_refused(folder: Path) -> None:
    vocabulary = json.loads((folder / VOCABULARY).read_text())["url"]
    edit(folder / VOCABULARY, url=vocabulary | {"pages": SHOP_URLS[:3]})
    with pytest.raises(ArtifactError, match="size"):
        load_model(folder)


def test_weights_that_do_not_fit_are_refused(folder: Path) -> None:
    weights = load_file(folder / WEIGHTS)
    name = next(iter(weights))
    save_file({**weights, name: torch.zeros(3)}, folder / WEIGHTS)
    with pytest.raises(ArtifactError, match=WEIGHTS):
        load_model(folder)


@pytest.mark.parametrize("file", [WEIGHTS, HEADS])
def test_a_weight_that_is_not_a_number_is_refused(folder: Path, file: str) -> None:
    weights = load_file(folder / file)
    name = next(iter(weights))
    save_file({**weights, name: weights[name] * float("nan")}, folder / file)
    with pytest.raises(ArtifactError, match="not a number"):
        load_model(folder)


def test_full_disk_keeps_the_file_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / WEIGHTS
    write_tensors(path, {"a": torch.ones(2)}, {})

    def full(self: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ResourceError, match="disk is full"):
        write_tensors(path, {"a": torch.zeros(2)}, {})
    assert [file.name for file in tmp_path.iterdir()] == [WEIGHTS]
    assert torch.equal(read_tensors(path)["a"], torch.ones(2))
