from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.model.checkpoints import CHECKPOINT, Learner, TrainingState, fingerprint, resume, save_checkpoint
from core.model.model_files import CurveRow
from core.model.network import UserBehaviorTransformer
from core.model.schedule import plan
from tests.core.model.toys import TINY, shop, streams_of

ROW = CurveRow(step=3, epoch=1, loss=0.5, users_per_s=100.0)
STANDING = TrainingState(fingerprint="mine").after(3, ROW, 2.0)


def learner(seed: int) -> Learner:
    torch.manual_seed(seed)
    network = UserBehaviorTransformer(TINY, 10, 4)
    return Learner(network, torch.optim.AdamW(network.parameters()))


def take_a_step(one: Learner) -> None:
    for number, parameter in enumerate(one.network.parameters()):
        parameter.grad = torch.full_like(parameter, 0.1 * (number + 1))
    one.optimizer.step()


def weights(one: Learner) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in one.network.state_dict().items()}


def test_a_resumed_learner_goes_on_as_the_saved_one_would(tmp_path: Path) -> None:
    saved, fresh = learner(0), learner(1)
    take_a_step(saved)
    save_checkpoint(tmp_path, saved, STANDING)
    assert resume(tmp_path, fresh, "mine") == STANDING
    take_a_step(saved)
    take_a_step(fresh)
    assert all(torch.equal(fresh.network.state_dict()[name], one) for name, one in weights(saved).items())


def test_there_is_one_file_and_it_is_replaced(tmp_path: Path) -> None:
    one = learner(0)
    take_a_step(one)
    save_checkpoint(tmp_path, one, STANDING)
    save_checkpoint(tmp_path, one, STANDING.after(4, ROW, 1.0))
    assert [file.name for file in tmp_path.iterdir()] == [CHECKPOINT]
    standing = resume(tmp_path, learner(1), "mine")
    assert standing is not None
    assert (standing.step, standing.seconds, len(standing.curve)) == (4, 3.0, 2)


@pytest.mark.parametrize("damage", ["none there", "cut", "not ours", "of another training"])
def test_what_cannot_be_resumed_is_left_alone(tmp_path: Path, damage: str) -> None:
    one = learner(0)
    take_a_step(one)
    path = tmp_path / CHECKPOINT
    if damage != "none there":
        save_checkpoint(tmp_path, one, STANDING)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    if damage == "not ours":
        path.write_bytes(b"hello")
    fresh = learner(1)
    before = weights(fresh)
    assert resume(tmp_path, fresh, "another" if damage == "of another training" else "mine") is None
    assert all(torch.equal(before[name], one) for name, one in weights(fresh).items())


def test_fingerprint_depends_on_data_tokens_settings_and_schedule() -> None:
    def name(users: int = 20, seed: int = 0, item: int = 2, change: dict[str, int] | None = None) -> str:
        sequences = shop(20, seed=seed)
        streams = streams_of([item] * sequences.n_views)
        settings = TINY.model_copy(update=change or {})
        return fingerprint(sequences, streams, settings, plan(users, TINY))

    assert name() == name()
    others = {name(seed=1), name(item=3), name(change={"seed": 1}), name(users=19)}
    assert name() not in others
    assert len(others) == 4
