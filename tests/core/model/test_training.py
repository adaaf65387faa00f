from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from core.base.errors import Cancelled, InputError, SettingsError
from core.base.progress import Progress
from core.base.schema import View
from core.base.settings import TrainSettings, ViewWeights
from core.model import training
from core.model.checkpoints import CHECKPOINT
from core.model.embedding import embed
from core.model.inputs import view_factors, view_streams
from core.model.model_files import TRAINING, WEIGHTS, TrainReport, load_vocabularies
from core.model.training import train
from core.segments.combination import combine
from core.storage.sequences import UserSequences
from tests.core.model.toys import SHOP_URLS, TINY, pages_of, sequences_of, shop

PAGES = pages_of(SHOP_URLS)
TWO_EPOCHS = TINY.model_copy(update={"epochs": 2})


def weights(folder: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = load_file(folder / WEIGHTS)
    return found


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def stop_after(steps: int, error: Exception) -> Progress:
    """A progress that breaks the run off once so many steps are done."""
    calls = 0

    def watch(stage: str, fraction: float, message: str = "", **figures: float) -> None:
        nonlocal calls
        calls += fraction > 0
        if calls == steps:
            raise error

    return watch


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run without a checkpoint."""
    folder = tmp_path_factory.mktemp("tiny") / "model"
    train(shop(60), PAGES, TINY, folder)
    return folder


def test_same_seed_gives_the_same_weights(tiny: Path, tmp_path: Path) -> None:
    train(shop(60), PAGES, TINY, tmp_path / "again")
    train(shop(60), PAGES, TINY.model_copy(update={"seed": 1}), tmp_path / "other")
    assert same(weights(tiny), weights(tmp_path / "again"))
    assert not same(weights(tiny), weights(tmp_path / "other"))


def test_every_seed_starts_from_the_same_numbers(tmp_path: Path) -> None:
    for seed in (0, 1):
        still = TINY.model_copy(update={"seed": seed, "learning_rate": 1e-9})
        train(shop(60), PAGES, still, tmp_path / str(seed))
    one, other = (weights(tmp_path / str(seed)) for seed in (0, 1))
    for name, values in one.items():
        torch.testing.assert_close(values, other[name], atol=1e-6, rtol=0)


def test_one_core_gives_the_same_weights_as_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for cores in (1, 2):
        monkeypatch.setattr("core.base.workers.available_cores", lambda cores=cores: cores)
        train(shop(60), PAGES, TINY, tmp_path / str(cores))
    assert same(weights(tmp_path / "1"), weights(tmp_path / "2"))


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing interrupted."""
    folder = tmp_path_factory.mktemp("straight") / "model"
    train(shop(60), PAGES, TWO_EPOCHS, folder)
    return folder


@pytest.mark.parametrize("steps", [1, 17, 31])
def test_resumed_run_ends_where_a_straight_one_does(straight: Path, tmp_path: Path, steps: int) -> None:
    kept = tmp_path / "checkpoints"
    with pytest.raises(RuntimeError, match="killed"):
        train(shop(60), PAGES, TWO_EPOCHS, tmp_path / "out", stop_after(steps, RuntimeError("killed")), kept)
    assert not (tmp_path / "out").exists()
    resumed = train(shop(60), PAGES, TWO_EPOCHS, tmp_path / "out", checkpoint_dir=kept)
    assert same(weights(straight), weights(tmp_path / "out"))
    expected = TrainReport.model_validate_json((straight / TRAINING).read_bytes()).curve
    assert [row.step for row in resumed.curve] == [row.step for row in expected]
    assert [row.loss for row in resumed.curve] == pytest.approx([row.loss for row in expected])


def test_cancelled_run_leaves_a_checkpoint_and_nothing_else(tmp_path: Path) -> None:
    kept = tmp_path / "checkpoints"
    with pytest.raises(Cancelled):
        train(shop(60), PAGES, TWO_EPOCHS, tmp_path / "out", stop_after(25, Cancelled()), kept)
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == [CHECKPOINT]


def test_checkpoint_of_other_data_is_not_used(tiny: Path, tmp_path: Path) -> None:
    kept = tmp_path / "checkpoints"
    train(shop(60, seed=5), PAGES, TINY, tmp_path / "before", checkpoint_dir=kept)
    train(shop(60), PAGES, TINY, tmp_path / "with", checkpoint_dir=kept)
    assert same(weights(tmp_path / "with"), weights(tiny))


def test_report_is_written_and_the_curve_is_reported(tmp_path: Path) -> None:
    rows: list[dict[str, float]] = []
    shares: list[float] = []

    def watch(stage: str, fraction: float, message: str = "", **figures: float) -> None:
        assert stage == "train"
        shares.append(fraction)
        rows.extend([figures] if figures else [])

    report = train(shop(60), PAGES, TWO_EPOCHS, tmp_path, watch)
    assert report == TrainReport.model_validate_json((tmp_path / TRAINING).read_bytes())
    assert rows == [row.figures() for row in report.curve]
    assert rows[0].keys() == {"step", "epoch", "loss", "users_per_s"}
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert (report.users, report.trained_users, report.held_out_users) == (60, 60, 0)
    assert report.valid_mrr is None


def test_many_users_are_validated_each_epoch_on_others(tmp_path: Path) -> None:
    report = train(shop(800, shortest=6), PAGES, TWO_EPOCHS, tmp_path)
    assert report.held_out_users + report.trained_users == 800
    assert report.valid_users > 50
    ends = [row for row in report.curve if row.valid_mrr is not None]
    assert [row.epoch for row in ends] == list(range(1, report.epochs + 1))
    assert report.valid_mrr == ends[-1].valid_mrr
    assert 0 < ends[-1].valid_mrr <= 1


def test_loss_falls(tmp_path: Path) -> None:
    report = train(shop(200), PAGES, TINY.model_copy(update={"epochs": 8}), tmp_path)
    losses = [row.loss for row in report.curve]
    assert sum(losses[-20:]) < 0.98 * sum(losses[:20])


@pytest.mark.parametrize(
    "users",
    [
        {"a": [0, 1], "b": [1, 0]},
        {"a": [0, 1], "b": [0, 1], "c": [0, 1]},
        {f"u{number}": [number % 3, number % 5, 2][: 2 + number % 2] for number in range(20)},
        {"a": [0, 1] * 200, "b": [3], "c": [4, 5, 6]},
    ],
    ids=["two users", "all the same", "twenty short ones", "one very long"],
)
def test_little_data_train_all_the_same(tmp_path: Path, users: dict[str, list[int]]) -> None:
    report = train(sequences_of(users), PAGES, TINY, tmp_path)
    assert report.steps >= 16
    assert all(torch.isfinite(tensor).all() for tensor in weights(tmp_path).values())


def test_too_little_data_write_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="too little to train on"):
        train(sequences_of({"a": [0, 1, 2]}), PAGES, TINY, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_loss_that_is_no_number_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "one_cycle", lambda *_: float("nan"))
    with pytest.raises(SettingsError, match="learning_rate"):
        train(shop(40), PAGES, TWO_EPOCHS, tmp_path / "out")


def test_missing_gpu_is_told_before_anything_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SettingsError, match="cuda"):
        train(shop(40), PAGES, TrainSettings(device="cuda"), tmp_path)


def odd(kind: str) -> tuple[UserSequences, dict[View, list[str]]]:
    """Exports of which little can be learned."""
    names = {View.URL: SHOP_URLS, View.THEME: ["Shoes"] * 8 + ["Books"] * 8, View.TYPE: ["Unknown"] * 16}
    rng = np.random.default_rng(0)
    views = {
        "all alike": {f"u{number:03d}": [0, 1, 2, 3, 4, 5, 6] for number in range(600)},
        "ten users": {f"u{number}": rng.integers(0, 16, 8).tolist() for number in range(10)},
        "one page": {
            f"u{number:03d}": [0] * 20 + [1 + number % 15] * (number % 5 == 0) for number in range(600)
        },
        "nothing labelled": {f"u{number:03d}": rng.integers(0, 16, 8).tolist() for number in range(600)},
    }[kind]
    if kind == "nothing labelled":
        names |= {View.THEME: ["Shoes", *["Unknown"] * 15]}
    return sequences_of(views), names


@pytest.mark.parametrize("kind", ["all alike", "ten users", "one page", "nothing labelled"])
def test_odd_data_give_numbers(tmp_path: Path, kind: str) -> None:
    sequences, names = odd(kind)
    training.train(sequences, names, TINY, tmp_path)
    views = embed(tmp_path, sequences, names)
    assert all(np.isfinite(vectors).all() for vectors in views.values())
    spoken = view_factors(view_streams(sequences, names, load_vocabularies(tmp_path)))
    vectors = combine(views, ViewWeights(), coverage=spoken).vectors
    lengths = np.linalg.norm(vectors, axis=1)
    assert np.isfinite(vectors).all()
    assert np.all((np.abs(lengths - 1) < 1e-4) | (lengths == 0))  # alike in all: no direction is left
