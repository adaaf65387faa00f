"""Stage 5: embed users, as a vector a user and view, by a trained model or a bag of pages.

Letters: n_users, B sequences in a batch, T their length, E embedding_dim.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

import numpy as np
import torch

from core.base.progress import Progress, silent
from core.base.schema import View
from core.base.settings import Device
from core.base.workers import Workers, workers
from core.model.bag import LoadedBag, is_bag, load_bag
from core.model.feature_blocks import FeatureBlock, ViewHead
from core.model.inputs import N_GAPS, Names, Spans, TokenStreams, latest_views, padded_batch, view_streams
from core.model.model_files import TrainedModel, load_model
from core.model.network import UserBehaviorTransformer
from core.model.steps import fast_arithmetic, pick_device
from core.storage.sequences import UserSequences

BATCH_VIEWS: Final = 32_768
"""Page views a batch: enough to keep both cores busy, little enough to stay in their caches."""


def embed(
    model: Path | TrainedModel | LoadedBag,
    sequences: UserSequences,
    names: Names,
    progress: Progress = silent,
    device: Device | None = None,
    threads: Workers | None = None,
) -> dict[View, np.ndarray]:
    """Embed every user, also those with a single page view and those whose pages are all new.

    Equal sequences have equal vectors, bit by bit: each distinct one is computed once.

    Args:
        model: A model in memory, or a folder that :func:`core.model.training.train` wrote.
        sequences: Page views of all users.
        names: URL of each page index in ``sequences``, and its theme and type where the model has such views.
        progress: Where to report.
        device: Where to compute; if None, on the CPU for a model that was trained there by its setting, and
            else on a GPU when there is one.
        threads: Compute batches where the network already is; if None, new threads are started.

    Returns:
        float32 of shape (n_users, d) for each view of the model, rows of length 1; zeros where it knows
        none of a user's pages.

    Raises:
        ArtifactError: If the model is missing or damaged, or the names do not fit the sequences.
        SettingsError: If there is no such device.
    """
    loaded = load_any(model) if isinstance(model, Path) else model
    if threads is not None:
        return _by_view(loaded, sequences, names, threads, progress)
    place = pick_device(device or _usual_device(loaded))
    if isinstance(loaded, TrainedModel):
        loaded.network.to(place)
    with workers(place) as started:
        return _by_view(loaded, sequences, names, started, progress)


def _usual_device(model: TrainedModel | LoadedBag) -> Device:
    """Device to embed on: the CPU if the training was set to it, else a GPU where there is one."""
    kept_off = isinstance(model, TrainedModel) and model.settings.device is Device.CPU
    return Device.CPU if kept_off else Device.AUTO


def load_any(folder: Traversable) -> TrainedModel | LoadedBag:
    """Read the network or the bag of pages of a model folder.

    Raises:
        ArtifactError: If the model is missing or damaged.
    """
    return load_bag(folder) if is_bag(folder) else load_model(folder)


def _by_view(
    model: TrainedModel | LoadedBag,
    sequences: UserSequences,
    names: Names,
    threads: Workers,
    progress: Progress,
) -> dict[View, np.ndarray]:
    if not isinstance(model, TrainedModel):
        found = model.embed(sequences, names[View.URL])
        progress("embed", 1.0)
        return {View.URL: found}
    streams = view_streams(sequences, names, model.vocabularies)
    spans, vectors = latest_views(sequences, model.max_length), {}
    for number, view in enumerate(streams):
        report = partial(_report, progress, number, len(streams), view)
        vectors[view] = embed_runs(model.network, model.heads[view], streams[view], spans, threads, report)
        report(1.0, "all users")
    return vectors


def embed_runs(
    network: UserBehaviorTransformer,
    head: ViewHead,
    streams: TokenStreams,
    spans: Spans,
    threads: Workers,
    report: Callable[[float, str], None] = lambda share, message: None,
) -> np.ndarray:
    """Embed runs of page views in one view: float32 of shape (n, d), of length 1, or 0 if it knows no page.

    Args:
        network: Used where the head has a block for it.
        head: Head of the view.
        streams: Tokens of every page view in the view.
        spans: n runs of page views.
        threads: Compute batches.
        report: Called with the share that is done, and a message.
    """
    embedded = np.empty((len(spans), 0), np.float32)
    if FeatureBlock.NETWORK in head.projections:
        embedded = embed_spans(network, streams, spans, threads, report)
    return head.vectors(embedded, streams, spans)


def _report(progress: Progress, number: int, n_views: int, view: View, share: float, message: str) -> None:
    progress("embed", (number + share) / n_views, f"{message}, {view} view")


def embed_spans(
    network: UserBehaviorTransformer,
    streams: TokenStreams,
    spans: Spans,
    threads: Workers,
    report: Callable[[float, str], None] = lambda share, message: None,
) -> np.ndarray:
    """Vectors that the network makes of runs of page views, computed once for each distinct run.

    Returns:
        float32 of shape (len(spans), E), rows of length 1.
    """
    device = network.item.weight.device
    vectors = np.zeros((len(spans), network.pooling.project.out_features), dtype=np.float32)

    def fill(batch: _Batch) -> int:
        with torch.inference_mode(), fast_arithmetic(device):
            unique = network(padded_batch(streams, spans[batch.distinct]).to(device))  # (B, E)
        vectors[batch.members] = unique.float().cpu().numpy()[batch.place]
        return len(batch.members)

    done = 0
    for count in threads(fill, _batches(streams, spans)):
        done += count
        report(done / len(spans), f"{done:,} of {len(spans):,} users")
    return vectors


@dataclass(frozen=True, eq=False)
class _Batch:
    """Runs of one length, to be encoded together.

    Args:
        members: Indices of the runs.
        distinct: Indices of one run for each distinct content.
        place: For each member, where in ``distinct`` its content is.
    """

    members: np.ndarray
    distinct: np.ndarray
    place: np.ndarray


def _batches(streams: TokenStreams, spans: Spans) -> Iterator[_Batch]:
    """Group runs by length, so that nothing is padded, and those that are equal."""
    for length in np.unique(spans.length):
        members = np.flatnonzero(spans.length == length)
        if len(members) == 1:
            yield _Batch(members, members, np.zeros(1, dtype=np.int64))
            continue
        _, first, inverse = np.unique(
            _contents(streams, spans[members]), return_index=True, return_inverse=True
        )
        order = np.argsort(inverse, kind="stable")
        size = max(1, BATCH_VIEWS // int(length))
        for start in range(0, len(first), size):
            low, high = np.searchsorted(inverse[order], [start, start + size])
            some = order[low:high]
            yield _Batch(members[some], members[first[start : start + size]], inverse[some] - start)


def _contents(streams: TokenStreams, spans: Spans) -> np.ndarray:
    """All that the network sees of runs of equal length T, as a comparable value a run."""
    where = spans.begin[:, None] + np.arange(int(spans.length[0]))  # (B, T)
    context = (streams.transitions[where] * N_GAPS + streams.gaps[where]) * 2 + streams.session_starts[where]
    context[:, 0] = 0  # the first view keeps nothing of what came before it
    tokens = np.concatenate([streams.items[where], context.astype(np.int32)], axis=1)  # (B, 2T)
    return np.ascontiguousarray(tokens).view(f"V{tokens.itemsize * tokens.shape[1]}").ravel()
