"""A model folder that is replaced, damaged, half written or gone while it answers."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.base.errors import ArtifactError
from core.runs import frozen
from core.runs.model_folder import checksums
from core.scoring.serving.live_model import LiveModel, fingerprint
from core.scoring.serving.scorer import Scorer

Renamed = Callable[[Path], dict[str, Any]]


def looked(model: LiveModel) -> bool:
    """Two looks: a folder must be still between them."""
    return any([model.look(), model.look()])


def test_another_model_takes_the_place_once_its_folder_is_still(copied: Path, renamed: Renamed) -> None:
    model = LiveModel(copied)
    before = model.scorer
    assert not looked(model)
    renamed(copied)
    assert not model.look()  # it may still be written
    assert model.look()
    assert model.scorer is not before
    assert model.state.key == model.scorer.key != before.key
    assert (model.state.reloads, model.state.refused, model.state.problem) == (1, 0, "")
    assert not looked(model)


def test_a_damaged_folder_is_refused_once_and_the_old_model_goes_on(copied: Path, renamed: Renamed) -> None:
    model = LiveModel(copied)
    before = model.scorer
    weights = copied / "weights.safetensors"
    whole = weights.read_bytes()
    weights.unlink()
    weights.write_bytes(whole[:-4] + b"\0\0\0\0")  # loads, but for the checksum
    assert not looked(model)
    assert not looked(model)
    assert model.scorer is before
    assert model.state.refused == 1
    assert "not those that were written together" in model.state.problem
    weights.write_bytes(whole)
    renamed(copied)
    assert looked(model)
    assert model.state.problem == ""


@pytest.mark.parametrize("gone", ["weights.safetensors", "segments/centroids.npy", "known_labels.json", "."])
def test_half_a_folder_is_refused(copied: Path, gone: str) -> None:
    model = LiveModel(copied)
    before = model.scorer
    shutil.rmtree(copied) if gone == "." else (copied / gone).unlink()
    assert not looked(model)
    assert model.scorer is before
    assert model.state.problem
    with pytest.raises(ArtifactError):
        LiveModel(copied)


def test_the_bytes_that_were_checked_are_those_that_are_used(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def then_replaced(files: dict[str, bytes]) -> dict[str, str]:
        shutil.rmtree(copied)
        return checksums(files)

    monkeypatch.setattr(frozen, "checksums", then_replaced)
    assert Scorer.load(copied).key


def test_a_folder_of_an_earlier_release_needs_no_seal_and_no_names(copied: Path) -> None:
    (copied / "sealed.json").unlink()
    (copied / "segments" / "names.json").unlink()
    assert LiveModel(copied).scorer.key


def test_the_same_files_again_are_no_other_model(copied: Path, tmp_path: Path) -> None:
    model = LiveModel(copied)
    key = model.state.key
    shutil.copytree(copied, tmp_path / "again")
    shutil.rmtree(copied)
    shutil.move(tmp_path / "again", copied)
    looked(model)
    assert (model.state.key, model.state.problem) == (key, "")


def test_a_folder_that_is_renamed_while_it_is_walked_looks_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    assert len(fingerprint(tmp_path)) == 1

    def renamed_meanwhile(*_: object) -> None:  # as `rglob` of Python 3.11 does
        raise FileNotFoundError

    monkeypatch.setattr(Path, "rglob", renamed_meanwhile)
    assert fingerprint(tmp_path) == ()


@pytest.mark.parametrize("wrapped", [False, True])
def test_what_the_disk_refuses_once_is_tried_again(
    copied: Path, renamed: Renamed, monkeypatch: pytest.MonkeyPatch, wrapped: bool
) -> None:
    model = LiveModel(copied)
    renamed(copied)

    def refused(_: Path) -> Scorer:
        error = OSError(5, "Input/output error")
        if wrapped:
            raise ArtifactError("It cannot be read") from error
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(Scorer, "load", refused)
        assert not looked(model)
        assert not looked(model)
    assert model.state.problem
    assert model.state.refused == 0
    assert model.look()
    assert (model.state.reloads, model.state.problem) == (1, "")


def test_an_error_that_nobody_thought_of_is_a_refusal(
    copied: Path, renamed: Renamed, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unheard(Exception):
        pass

    def damaged(_: Path) -> Scorer:
        raise Unheard

    model = LiveModel(copied)
    renamed(copied)
    monkeypatch.setattr(Scorer, "load", damaged)
    assert not looked(model)
    assert not looked(model)
    assert model.state.refused == 1
    assert "Unheard" in model.state.problem
