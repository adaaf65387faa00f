"""Export the network as an ONNX file, to be served elsewhere.

The graph turns tokens into vectors. The file's metadata describes what lies outside it: the vocabulary
before, and afterwards the blocks and the head of each view (``feature_blocks.py``), the mix of the views and
the segments.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from core.base.errors import ResourceError, SettingsError
from core.base.schema import View
from core.model.bag import is_bag
from core.model.inputs import PaddedBatch
from core.model.model_files import FORMAT, TrainedModel, load_model
from core.model.network import UserBehaviorTransformer
from core.storage.disk import make_folder, written_whole

INPUTS: Final = ("url_items", "url_transitions", "url_gaps", "url_session_starts", "mask")
_OPSET: Final = 18
_OUTSIDE: Final = (
    "Before: page views as tokens by vocabulary.json, the latest max_length of each user. After, by "
    "heads.safetensors: the blocks of each view, this network one of them (none where it has no "
    "url.network), times their matrices, added up, less the bias, at length 1, zeros for a view that knows "
    "no page of a user. Then the mix of the views and the segments."
)


class _Flat(nn.Module):
    """The network with plain tensors for inputs: :data:`INPUTS`."""

    def __init__(self, network: UserBehaviorTransformer) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> Tensor:
        """Embed five tensors of shape (B, T): float32 of shape (B, E)."""
        vectors: Tensor = self.network(PaddedBatch(*inputs))
        return vectors


def write_onnx(model_dir: Path, to: Path) -> None:
    """Write the network of a model folder to an ONNX file.

    Inputs are int64 of shape (B, T), T from 2 to ``max_length``, and bool for the mask, which is true where
    there is a page view; padding is 0. The output is float32 of shape (B, E), rows of length 1.

    Args:
        model_dir: A folder that :func:`core.model.training.train` wrote.
        to: The file.

    Raises:
        ArtifactError: If the model is missing or damaged.
        SettingsError: If it is a bag of pages.
        ResourceError: If what writes ONNX is not installed, or the disk is full.
    """
    if is_bag(model_dir):
        raise SettingsError(
            f"{model_dir} holds a bag of pages, which has no network", remedy="Train with another preset"
        )
    model = load_model(model_dir)
    program = _exported(model)
    program.model.metadata_props.update(_facts(model))
    make_folder(to.parent)
    with written_whole(to) as building:
        program.save(building)


def _exported(model: TrainedModel) -> Any:  # noqa: ANN401 - of a package that need not be installed
    tokens = [torch.ones((2, 3), dtype=torch.int64) for _ in INPUTS[:-1]]
    sizes = {0: torch.export.Dim("users"), 1: torch.export.Dim("views", min=2, max=model.max_length)}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns of packages that are not needed
    try:
        return torch.onnx.export(
            _Flat(model.network).eval(),
            (*tokens, torch.ones((2, 3), dtype=torch.bool)),
            input_names=INPUTS,
            output_names=[View.URL.value],
            dynamic_shapes=((sizes,) * len(INPUTS),),
            opset_version=_OPSET,
            dynamo=True,
            verbose=False,
        )
    except ImportError as error:
        raise ResourceError(
            f"What writes ONNX is not installed: {error.name}",
            remedy="Install it: pip install onnx onnxscript",
        ) from error


def _facts(model: TrainedModel) -> dict[str, str]:
    return {"beha2vec.format": str(FORMAT), "beha2vec.settings": model.settings.model_dump_json(),
            "beha2vec.outside": _OUTSIDE}  # fmt: skip
