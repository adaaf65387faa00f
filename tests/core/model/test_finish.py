from __future__ import annotations

import numpy as np
import pytest
import torch

from core.base.errors import ArtifactError
from core.base.schema import View
from core.model.finish import Finish, beside
from core.model.inputs import Spans
from core.model.length_eraser import LengthEraser
from core.model.steady import SteadyPages

ITEMS, RUNS = np.array([2, 3, 2, 1]), Spans(np.array([0, 2, 3]), np.array([2, 1, 1]))
PAGES = SteadyPages(np.array([[0, 0], [0, 0], [1, 0], [0, 1]], np.float32))  # nothing is known of item 1
LEARNED = np.eye(3, dtype=np.float32)


def finish() -> Finish:
    rng = np.random.default_rng(0)
    eraser = LengthEraser(*rng.normal(size=(3, 5)).astype(np.float32))
    return Finish(PAGES, 0.36, {View.URL: eraser})


def test_a_share_is_its_part_of_a_dot_product() -> None:
    both = beside(LEARNED, PAGES.embed(ITEMS, RUNS), 0.36)
    np.testing.assert_allclose(np.linalg.norm(both, axis=1), 1, atol=1e-6)
    half = np.sqrt(0.5)
    np.testing.assert_allclose(both[0], [0.8, 0, 0, 0.6 * half, 0.6 * half], atol=1e-6)
    np.testing.assert_allclose(both[0] @ both[1], 0.36 * half, atol=1e-6)
    np.testing.assert_allclose(both[2], [0, 0, 1, 0, 0], atol=1e-6)  # without steady pages, the learned


def test_without_anything_to_do_vectors_stay_as_they_are() -> None:
    assert Finish().apply(View.URL, LEARNED, ITEMS, RUNS) is LEARNED
    assert finish().apply(View.THEME, LEARNED, ITEMS, RUNS) is LEARNED


def test_what_is_saved_is_what_is_read() -> None:
    made = finish()
    read = Finish.from_tensors(made.to_tensors())
    np.testing.assert_array_equal(
        read.apply(View.URL, LEARNED, ITEMS, RUNS), made.apply(View.URL, LEARNED, ITEMS, RUNS)
    )
    assert not Finish.from_tensors(Finish().to_tensors()).erasers


@pytest.mark.parametrize("damage", ["url.mean", "share", "else.mean", "pages"])
def test_damage_is_noticed(damage: str) -> None:
    tensors = finish().to_tensors()
    if damage == "pages":
        tensors[damage] = tensors[damage] * torch.nan
    elif damage in tensors:
        del tensors[damage]
    else:
        tensors[damage] = torch.zeros(2)
    with pytest.raises(ArtifactError, match="Train again"):
        Finish.from_tensors(tensors)
