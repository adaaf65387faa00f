"""One encoder that reads everything, to see what pure views cost: pages, themes, types, steps in one vector.

It is our URL encoder, trained by our own training, except that a page's token also has the vectors of its
theme and its type, and that steps lead from type to type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.quality.case import Case
from benchmarks.quality.features import codes
from core.base.schema import View
from core.base.settings import TrainSettings
from core.base.workers import workers
from core.model.cooccurrence import START_STD
from core.model.devices import repeatable
from core.model.embedding import embed_spans
from core.model.inputs import Spans
from core.model.model_files import ModelConfig
from core.model.population import choose_users
from core.model.schedule import plan
from core.model.steps import TrainingStep, ViewSource
from core.model.training import Assignment, fit, new_network
from core.model.view_streams import build_vocabularies, view_config, view_streams
from core.model.vocabulary import PADDING

CPU = torch.device("cpu")


class FusedItems(nn.Module):
    """Page vectors plus the vectors of the pages' labels; stands in for a table of items.

    Args:
        pages: The table of pages.
        labels: For each kind of label the label of each item, int of shape (n_items,), 0 where it has none.
    """

    def __init__(self, pages: nn.Embedding, labels: Sequence[np.ndarray]) -> None:
        super().__init__()
        self.weight = pages.weight
        self.tables = nn.ModuleList(
            nn.Embedding(int(of.max()) + 1, pages.embedding_dim, padding_idx=0) for of in labels
        )
        with torch.no_grad():
            for table in self.tables:
                table.weight.mul_(START_STD)
        for number, of in enumerate(labels):
            self.register_buffer(f"of_{number}", torch.from_numpy(of.astype(np.int64)))

    def forward(self, items: Tensor) -> Tensor:
        """(B, T) → (B, T, D)."""
        x = F.embedding(items, self.weight, padding_idx=PADDING)
        for number, table in enumerate(self.tables):
            x = x + table(self.get_buffer(f"of_{number}")[items])
        return x


def train_fused(
    case: Case, names: Mapping[View, Sequence[str]], settings: TrainSettings
) -> tuple[Callable[[Spans], np.ndarray], dict[str, float]]:
    """Train it.

    Args:
        case: The set.
        names: URL, theme and type of each page.
        settings: The same as for our model.

    Returns:
        From runs to unit vectors, and users a second.
    """
    sequences = case.sequences
    vocabularies = build_vocabularies(sequences, names, settings.min_count)
    every = view_streams(sequences, names, vocabularies)
    stream = replace(every[View.URL], transitions=every[View.TYPE].transitions)
    pages, n_transitions = vocabularies[View.URL], vocabularies[View.TYPE].n_transitions
    shape = view_config(View.URL, settings, pages).model_copy(update={"n_transitions": n_transitions})
    population = choose_users(sequences)
    config = ModelConfig(views={View.URL: shape}, settings=settings)
    with repeatable(CPU), workers(CPU) as threads:
        network = new_network(config, {View.URL: stream}, sequences, population)
        encoder = network.encoder(View.URL)
        labels = [
            item_labels(pages.item_ids(case.urls), names[view], shape.n_items)
            for view in (View.THEME, View.TYPE)
        ]
        encoder.add_module("item", FusedItems(encoder.item, labels))
        source = ViewSource.of(stream, pages.coarse_ids(), n_transitions, CPU)
        whole = Spans(sequences.offsets[population.training], sequences.lengths[population.training])
        step = TrainingStep(network, {View.URL: source}, settings, CPU, threads)
        standing = fit(Assignment(step, plan(len(whole), settings), whole, pair=None, fingerprint=""))
    users = standing.step * plan(len(whole), settings).batch_size

    def embed(spans: Spans) -> np.ndarray:
        with workers(CPU) as threads:
            return embed_spans(network, View.URL, stream, spans, threads)

    return embed, {"train_users_per_s": users / max(standing.seconds, 1e-9)}


def item_labels(items: np.ndarray, names: Sequence[str], n_items: int) -> np.ndarray:
    """The label of each item that is a page of its own, counted from 1: int64 of shape (n_items,).

    Args:
        items: int of shape (n_pages,), item of each page.
        names: Label of each page.
        n_items: Number of items.
    """
    labels = np.zeros(n_items, dtype=np.int64)
    single = np.bincount(items, minlength=n_items)[items] == 1  # a directory stands for several pages
    labels[items[single]] = 1 + codes(names)[0][single]
    return labels
