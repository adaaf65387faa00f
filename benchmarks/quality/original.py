"""The recipe this project rebuilds, written anew from its description (not its code).

URL, theme and type of a page each as ``hash() % 1000`` (a fixed hash here: Python's differs from process
to process), summed with learned positions; two transformer layers without a padding mask; mean over all
positions, padding included. Anchor and positive are the two halves of a user, batch 2, the negative is the
other user's half. Dimensions are not in the description: 128 numbers, 4 heads, Adam 1e-3, margin 1.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.quality.baselines import Embed
from benchmarks.quality.case import MAX_LENGTH, Case
from core.model.feature_blocks import normalised
from core.model.inputs import Spans

BUCKETS = 1000
DIM = 128
BATCH = 2
STEPS = 4000
MARGIN = 1.0
EMBED_ROWS = 512


class Original(nn.Module):
    """The original's network: hashed ids in, one vector a sequence out."""

    def __init__(self, n_parts: int) -> None:
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(BUCKETS, DIM) for _ in range(n_parts))
        self.position = nn.Embedding(MAX_LENGTH, DIM)
        layer = nn.TransformerEncoderLayer(DIM, 4, 4 * DIM, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, ids: Tensor) -> Tensor:
        """Embed ids of shape (B, T, n_parts): float of shape (B, DIM)."""
        parts = [table(ids[:, :, number]) for number, table in enumerate(self.tables)]
        x = torch.stack(parts).sum(dim=0) + self.position.weight[: ids.shape[1]]
        encoded: Tensor = self.encoder(x)
        return encoded.mean(dim=1)


def original(case: Case, seed: int) -> tuple[Embed, dict[str, float]]:
    """Train the original for :data:`STEPS` steps.

    Returns:
        The method, and ``train users/s``.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(1)  # at batch 2 a second thread makes it slower
    ids = hashed(case)
    network = Original(ids.shape[1])
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    loss_of = nn.TripletMarginLoss(MARGIN)
    able = np.flatnonzero(~case.held_out & (case.users.length >= 2))
    rng = np.random.default_rng(seed)
    began = time.perf_counter()
    for _ in range(STEPS):
        first, second = halves(case.users[rng.choice(able, BATCH, replace=False)])
        anchor, positive = network(padded(ids, first)), network(padded(ids, second))
        loss = loss_of(anchor, positive, positive.flip(0))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    rate = STEPS * BATCH / (time.perf_counter() - began)
    network.eval()
    return (lambda runs: _embed(network, ids, runs)), {"train users/s": rate}


def hashed(case: Case) -> np.ndarray:
    """Hashed address and labels of every page view: int64 of shape (n_views, parts)."""
    names: list[Sequence[str]] = [case.urls, *case.labels().values()]
    tables = [np.array([zlib.crc32(name.encode()) % BUCKETS for name in part]) for part in names]
    return np.stack([table[case.sequences.page] for table in tables], axis=1)


def halves(spans: Spans) -> tuple[Spans, Spans]:
    """The first and the second half of each run."""
    middle = spans.length // 2
    return Spans(spans.begin, middle), Spans(spans.begin + middle, spans.length - middle)


def padded(ids: np.ndarray, spans: Spans) -> Tensor:
    """Ids of each run, padded with 0 after its end: (B, T, parts)."""
    steps = np.arange(int(spans.length.max()))
    inside = steps < spans.length[:, None]
    where = np.where(inside, spans.begin[:, None] + steps, spans.begin[:, None])
    return torch.from_numpy(np.where(inside[:, :, None], ids[where], 0))


def _embed(network: Original, ids: np.ndarray, spans: Spans) -> np.ndarray:
    """Runs of one length together, so that nothing is padded: kinder than its own batches of 2."""
    vectors = np.zeros((len(spans), DIM), dtype=np.float32)
    order = np.argsort(spans.length, kind="stable")
    edges = np.flatnonzero(np.diff(spans.length[order])) + 1
    with torch.inference_mode():
        for group in np.split(order, edges):
            for start in range(0, len(group), EMBED_ROWS):
                rows = group[start : start + EMBED_ROWS]
                vectors[rows] = network(padded(ids, spans[rows])).numpy()
    return normalised(vectors)
