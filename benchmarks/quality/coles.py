"""A GRU trained with the CoLES loss of pytorch-lifestream, as a program of its own.

    PYTHON benchmarks/quality/coles.py ARRAYS.npz VECTORS.npz SEED

with the PYTHON of a virtual environment that has pytorch-lifestream.

Network, pair selector and loss are the library's with their defaults; batches are cut here, because its
own loader takes most of the time one sequence after the other. Slices are random parts of 2 to 32 page
views, five a user. It stops when retrieval among users set aside has not become better for ten epochs: then
``converged`` is 1. After an hour of CPU time it stops as well, with ``converged`` 0.
"""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

SLICES = 5
USERS_A_BATCH = 128
SHORTEST, LONGEST = 2, 32
PATIENCE, MOST_EPOCHS, MOST_CPU_S = 10, 200, 3600.0
STOCK_USERS = 5000
FIELDS = ("page", "page_theme", "page_type", "gap")


class Runs:
    """Cuts runs out of the flat arrays."""

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        self.fields = {name: arrays[name].astype(np.int64) + 1 for name in FIELDS if name in arrays}
        self.sizes = {name: int(values.max()) + 1 for name, values in self.fields.items()}

    def batch(self, begin: np.ndarray, length: np.ndarray) -> Any:  # noqa: ANN401 - a class of the library
        """A padded batch; a run's first gap is unknown."""
        from ptls.data_load.padded_batch import PaddedBatch

        steps = np.arange(int(length.max()))
        inside = steps < length[:, None]
        where = np.where(inside, begin[:, None] + steps, begin[:, None])
        payload = {name: np.where(inside, values[where], 0) for name, values in self.fields.items()}
        payload["gap"][:, 0] = 0
        tensors = {name: torch.from_numpy(values) for name, values in payload.items()}
        return PaddedBatch(tensors, torch.from_numpy(length.astype(np.int64)))


def new_encoder(sizes: Mapping[str, int]) -> torch.nn.Module:
    """The library's GRU encoder of 128 numbers."""
    from ptls.nn import RnnSeqEncoder, TrxEncoder

    widths = {"page": 64, "page_theme": 16, "page_type": 16, "gap": 16}
    embeddings = {name: {"in": size + 1, "out": widths[name]} for name, size in sizes.items()}
    tokens = TrxEncoder(embeddings=embeddings, numeric_values={}, embeddings_noise=0.003)
    return RnnSeqEncoder(trx_encoder=tokens, hidden_size=128, type="gru")


def slices(
    begin: np.ndarray, length: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Five random parts of each user: where they begin, their lengths, whose they are."""
    owner = np.repeat(np.arange(len(begin)), SLICES)
    whole = length[owner]
    longest = np.minimum(whole, LONGEST)
    part = SHORTEST + (rng.random(len(owner)) * (longest - SHORTEST + 1)).astype(np.int64)
    start = (rng.random(len(owner)) * (whole - part + 1)).astype(np.int64)
    return begin[owner] + start, part, owner


def embed(encoder: torch.nn.Module, runs: Runs, begin: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Unit vectors of runs."""
    encoder.eval()
    vectors = np.empty((len(begin), 128), dtype=np.float32)
    order = np.argsort(length, kind="stable")
    with torch.inference_mode():
        for start in range(0, len(order), 1024):
            rows = order[start : start + 1024]
            vectors[rows] = encoder(runs.batch(begin[rows], length[rows])).numpy()
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return vectors


def fit(runs: Runs, arrays: Mapping[str, np.ndarray], seed: int) -> tuple[torch.nn.Module, dict[str, float]]:
    """Train until users set aside are not found any better."""
    from ptls.frames.coles.losses import ContrastiveLoss
    from ptls.frames.coles.sampling_strategies import HardNegativePairSelector

    torch.manual_seed(seed)
    torch.set_num_threads(1)  # threads that wait for each other cost more than they bring, at this size
    rng = np.random.default_rng(seed)
    encoder = new_encoder(runs.sizes)
    loss_of = ContrastiveLoss(margin=0.5, sampling_strategy=HardNegativePairSelector(neg_count=5))
    optimizer = torch.optim.Adam(encoder.parameters(), lr=1e-3)
    begin, length = arrays["learn_begin"], arrays["learn_length"]
    best, best_score, best_epoch, seen = encoder.state_dict(), -1.0, 0, 0
    began, cpu = time.perf_counter(), time.process_time()
    for epoch in range(MOST_EPOCHS):
        encoder.train()
        order = rng.permutation(len(begin))
        for start in range(0, len(order) - 1, USERS_A_BATCH):
            users = order[start : start + USERS_A_BATCH]
            at, part, owner = slices(begin[users], length[users], rng)
            vectors = torch.nn.functional.normalize(encoder(runs.batch(at, part)), dim=1)
            loss = loss_of(vectors, torch.from_numpy(owner))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            seen += len(users)
        score = _found(encoder, runs, arrays)
        if score > best_score:
            best, best_score, best_epoch = copy.deepcopy(encoder.state_dict()), score, epoch
        spent = time.process_time() - cpu
        print(f"epoch {epoch + 1}: {score:.4f}, {spent:.0f} s", file=sys.stderr, flush=True)
        if epoch - best_epoch >= PATIENCE or spent > MOST_CPU_S:
            break
    seconds = time.perf_counter() - began
    encoder.load_state_dict(best)
    return encoder, {
        "epochs": epoch + 1,
        "best_epoch": best_epoch + 1,
        "converged": float(epoch - best_epoch >= PATIENCE),
        "train_users_per_s": seen / seconds,
    }


def stock_rate(encoder: torch.nn.Module, runs: Runs, arrays: Mapping[str, np.ndarray]) -> float:
    """Users a second by the library's own loader, which is handed one user after the other."""
    from ptls.data_load.datasets import inference_data_loader

    begin, length = arrays["out:users_begin"][:STOCK_USERS], arrays["out:users_length"][:STOCK_USERS]
    records = [
        {"user": number, "event_time": torch.arange(n)}
        | {name: torch.from_numpy(values[at : at + n]) for name, values in runs.fields.items()}
        for number, (at, n) in enumerate(zip(begin.tolist(), length.tolist(), strict=True))
    ]
    encoder.eval()
    began = time.perf_counter()
    with torch.inference_mode():
        for batch in inference_data_loader(records, num_workers=0, batch_size=512):
            encoder(batch)
    return len(records) / (time.perf_counter() - began)


def _found(encoder: torch.nn.Module, runs: Runs, arrays: Mapping[str, np.ndarray]) -> float:
    parts = [embed(encoder, runs, arrays[f"{name}_begin"], arrays[f"{name}_length"]) for name in ("vq", "va")]
    similarity = parts[0] @ parts[1].T
    return float(np.mean(1 / (similarity >= similarity.diagonal()[:, None] - 1e-6).sum(axis=1)))


def main() -> None:
    """Read arrays, train, write vectors and figures."""
    source, target, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
    arrays = dict(np.load(source))
    runs = Runs(arrays)
    before = time.process_time()
    encoder, figures = fit(runs, arrays, seed)
    figures["train_cpu"] = time.process_time() - before
    begins = [name for name in arrays if name.startswith("out:") and name.endswith("_begin")]
    names = [name.removesuffix("_begin") for name in begins]
    before, wall = time.process_time(), time.perf_counter()
    made = {
        name.removeprefix("out:"): embed(encoder, runs, arrays[f"{name}_begin"], arrays[f"{name}_length"])
        for name in names
    }
    figures["stock_users_per_s"] = stock_rate(encoder, runs, arrays)
    n = sum(len(vectors) for vectors in made.values())
    figures["embed_users_per_s"] = n / (time.perf_counter() - wall)
    figures["embed_cpu_rate"] = n / (time.process_time() - before)
    np.savez(
        target,
        allow_pickle=False,
        **made,
        **{f"figure:{name}": np.array(value) for name, value in figures.items()},
    )


if __name__ == "__main__":
    main()
