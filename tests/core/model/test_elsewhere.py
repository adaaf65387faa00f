"""Every tensor is moved to the device: shown on one that is pretended, where each move is left out once."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

import numpy as np
import pytest
import torch

from core.base.errors import Cancelled
from core.base.progress import silent
from core.base.schema import View
from core.base.settings import Device
from core.model import (
    checkpoints,
    embedding,
    inputs,
    model_files,
    steps,
    training,
    triplets,
)
from core.model.embedding import embed
from core.model.model_files import load_model
from core.model.training import train
from tests.core.model.elsewhere import Elsewhere, LeftBehindError, pretended_gpu
from tests.core.model.test_training import stop_after
from tests.core.model.toys import SHOP_URLS, TINY, shop

MODULES = (checkpoints, embedding, inputs, model_files, steps, training, triplets)
NAMES = {View.URL: SHOP_URLS, View.THEME: ["Shoes"] * 8 + ["Books"] * 8}
HARMLESS = {
    "weights = {name: tensor.cpu().contiguous() for name, tensor in model.network.state_dict().items()}":
        "what writes the file moves them",
    "on_cpu = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}":
        "what writes the file moves them",
    "_MicroBatch(slices[rows], torch.from_numpy(rows).to(self.device), seed + number)":
        "places may come from the CPU",
}  # fmt: skip
"""Lines in which a move is not needed, or saves a wait only."""


USERS = shop(40)


def broken_off(folder: Path) -> None:
    """Train until a checkpoint is there, which is after the first step."""
    with pytest.raises(Cancelled):
        train(USERS, NAMES, TINY, folder, stop_after(2, Cancelled()), folder / "kept")


def embedded(model: Path) -> dict[View, np.ndarray]:
    """Embed users, and see that the network did go to the device."""
    loaded = load_model(model)
    found = embed(loaded, USERS, NAMES, silent, Device.AUTO)
    if not all(isinstance(one, Elsewhere) for one in loaded.network.parameters()):
        raise LeftBehindError("the network")
    return found


def story(folder: Path, model: Path) -> None:
    """A training broken off, resumed and broken off again, and users embedded by a model from before."""
    broken_off(folder)
    broken_off(folder)
    embedded(model)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "model"
    train(USERS, NAMES, TINY, folder)
    return folder


def test_a_training_with_its_finish_and_an_embedding_leave_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pretended_gpu(monkeypatch):
        broken_off(tmp_path)
        report = train(shop(640, shortest=6), NAMES, TINY, tmp_path / "model")
        there = embedded(tmp_path / "model")
    assert report.heads is not None
    here = embed(tmp_path / "model", USERS, NAMES)
    for view, found in there.items():  # but for half precision
        assert np.einsum("ij,ij->i", found, here[view]).min() > 0.99


def test_the_device_refuses_what_a_gpu_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    with pretended_gpu(monkeypatch):
        there = torch.zeros(3, device=torch.device("cuda"))
        assert isinstance(there + 1, Elsewhere)
        assert (there + torch.tensor(2.0)).cpu().tolist() == [2.0, 2.0, 2.0]
        assert there[torch.tensor([0])].device.type == "cuda"
        for wrong in (
            lambda: there + torch.ones(3),
            lambda: torch.ones(3)[there.long()],
            lambda: there.numpy(),
            lambda: np.asarray(there),
            lambda: torch.rand(3, generator=torch.Generator(), device=torch.device("cuda")),
        ):
            with pytest.raises(LeftBehindError):
                wrong()


def is_move(node: ast.AST) -> bool:
    """``x.to(device)``, ``x.cpu()``, ``torch.Generator(device)`` and ``f(…, device=…)``."""
    if not isinstance(node, ast.Call):
        return False
    called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    given = ast.unparse(node.args[0]) if node.args else ""
    moved = called == "to" and ("device" in given or given == "place")
    return moved or called in ("cpu", "Generator") or any(one.arg == "device" for one in node.keywords)


class LeaveOut(ast.NodeTransformer):
    """Takes one move out of a module."""

    def __init__(self, line: int, column: int) -> None:
        self.place = line, column

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if (node.end_lineno, node.end_col_offset) != self.place or not is_move(node):
            return node
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("to", "cpu"):
            return node.func.value
        node.keywords = [one for one in node.keywords if one.arg != "device"]
        node.args = (
            [] if isinstance(node.func, ast.Attribute) and node.func.attr == "Generator" else node.args
        )
        return node


def moves() -> Iterator[tuple[ModuleType, ast.Call, str]]:
    """Every move of the modules, with its line."""
    for module in MODULES:
        source = inspect.getsource(module)
        for node in ast.walk(ast.parse(source)):
            if is_move(node):
                assert isinstance(node, ast.Call)
                yield module, node, source.splitlines()[node.lineno - 1].strip()


def codes(code: CodeType) -> Iterator[CodeType]:
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield one
            yield from codes(one)


def functions(module: ModuleType) -> Iterator[FunctionType]:
    """Functions and methods of a module."""
    for owner in (module, *(one for one in vars(module).values() if inspect.isclass(one))):
        for one in vars(owner).values():
            found = getattr(one, "__func__", getattr(one, "fget", one))
            if isinstance(found, FunctionType) and found.__module__ == module.__name__:
                yield found


def leave_out(module: ModuleType, node: ast.Call, patch: pytest.MonkeyPatch) -> None:
    """Give the function that holds a move the code without it."""
    assert node.end_lineno
    assert node.end_col_offset
    tree = LeaveOut(node.end_lineno, node.end_col_offset).visit(ast.parse(inspect.getsource(module)))
    changed = {one.co_qualname: one for one in codes(compile(tree, str(module.__file__), "exec"))}
    for function in functions(module):
        code = function.__code__
        if code.co_firstlineno <= node.lineno <= max(line or 0 for *_, line in code.co_lines()):
            patch.setattr(function, "__code__", changed[code.co_qualname])
            return
    raise AssertionError(f"no function of {module.__name__} holds line {node.lineno}")


@pytest.mark.parametrize(
    ("module", "node"),
    [
        pytest.param(module, node, id=f"{module.__name__}:{node.lineno}")
        for module, node, line in moves()
        if line not in HARMLESS
    ],
)
def test_each_move_that_is_left_out_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: ModuleType, node: ast.Call, model: Path
) -> None:
    leave_out(module, node, monkeypatch)
    with pretended_gpu(monkeypatch), pytest.raises(LeftBehindError):
        story(tmp_path, model)


def test_every_move_is_in_a_module_that_is_looked_at() -> None:
    found = {
        path.stem for path in Path(training.__file__).parent.glob("*.py")
        if any(is_move(node) for node in ast.walk(ast.parse(path.read_text())))
    }  # fmt: skip
    assert found == {module.__name__.rsplit(".")[-1] for module in MODULES}
    assert HARMLESS.keys() <= {line for *_, line in moves()}
