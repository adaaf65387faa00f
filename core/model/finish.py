"""What is done to the vectors of the network before anybody sees them; fitted once, kept with the model.

Beside the url view come steady pages, which every training finds alike; then the length of a visit is taken
out of a view from which it can be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from core.base.errors import ArtifactError
from core.base.schema import View
from core.model.counts import normalised
from core.model.inputs import Spans
from core.model.length_eraser import LengthEraser
from core.model.steady import SteadyPages

PARTS = ("mean", "along", "read")


@dataclass(frozen=True, eq=False)
class Finish:
    """What is done.

    Args:
        pages: Beside the learned url view; None where they do not help.
        share: Of the steady pages in the url view, 0 to 1.
        erasers: Of the views from which the length could be read.
    """

    pages: SteadyPages | None = None
    share: float = 0.0
    erasers: Mapping[View, LengthEraser] = field(default_factory=dict)

    def apply(self, view: View, learned: np.ndarray, items: np.ndarray, runs: Spans) -> np.ndarray:
        """Finish the vectors of one view.

        Args:
            view: The view.
            learned: float32 of shape (n, E), from the network.
            items: int of shape (n_views,), the tokens of the view.
            runs: The n runs of them.

        Returns:
            float32 of shape (n, E), or (n, E + rank) with steady pages; rows of length 1 or zeros.
        """
        if view is View.URL and self.pages:
            learned = beside(learned, self.pages.embed(items, runs), self.share)
        return self.erasers[view].erase(learned) if view in self.erasers else learned

    def to_tensors(self) -> dict[str, Tensor]:
        """What :meth:`from_tensors` reads."""
        found = {"share": np.float64(self.share)} | {
            f"{view}.{part}": getattr(eraser, part) for view, eraser in self.erasers.items() for part in PARTS
        }
        if self.pages:
            found["pages"] = self.pages.pages
        return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in found.items()}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Finish:
        """Read what :meth:`to_tensors` made.

        Raises:
            ArtifactError: If a part is missing or not a number.
        """
        arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
        try:
            views = {View(name.split(".")[0]) for name in arrays if "." in name}
            if not all(np.isfinite(array).all() for array in arrays.values()):
                raise ValueError
            erasers = {view: LengthEraser(*(arrays[f"{view}.{part}"] for part in PARTS)) for view in views}
            pages = SteadyPages(arrays["pages"]) if "pages" in arrays else None
            return cls(pages, float(arrays["share"].item()), erasers)
        except (KeyError, ValueError) as error:
            raise ArtifactError("The model's finish is damaged", remedy="Train again") from error


def beside(learned: np.ndarray, steady: np.ndarray, share: float) -> np.ndarray:
    """Two vectors a user as one: float32 of shape (n, E + rank), of length 1 where either is there.

    Args:
        learned: float32 of shape (n, E), of length 1.
        steady: float32 of shape (n, rank), of length 1 or zeros.
        share: Of the second in a dot product.
    """
    parts = [np.float32(np.sqrt(1 - share)) * learned, np.float32(np.sqrt(share)) * steady]
    return normalised(np.concatenate(parts, axis=1))
