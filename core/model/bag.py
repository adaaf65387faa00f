"""The fast mode: a bag of pages in place of the trained network, for data in which order says little.

TF-IDF over the vocabulary of the url view, reduced by a truncated SVD (latent semantic analysis,
Deerwester et al. 1990). Themes, types, order and time do not exist for it.

Letters: n_items of the vocabulary, n runs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

import numpy as np
import torch

from core.base.errors import ArtifactError
from core.base.progress import Progress, silent
from core.base.schema import View
from core.base.settings import TrainSettings
from core.model.feature_blocks import bag, normalised, truncated_svd, unit_rows
from core.model.inputs import Spans, latest_views
from core.model.model_files import (
    TRAINING,
    VOCABULARY,
    TrainReport,
    load_vocabularies,
    read_tensors,
    write_tensors,
)
from core.model.population import choose_users
from core.model.triplets import mean_reciprocal_rank, retrieval_pairs
from core.model.vocabulary import ItemVocabulary, Vocabulary, build_vocabulary
from core.storage.disk import write_text_atomic
from core.storage.sequences import UserSequences

_STAGE: Final = "train"
BAG: Final = "bag.safetensors"
"""File by which a model folder is known to hold a bag of pages, and no network."""
RANK: Final = 64
"""Length of a vector, also on the scorecard: the bag that it offers is the bag that it measured."""
_BLOCK: Final = 20_000
"""Runs embedded at a time."""


@dataclass(frozen=True, eq=False)
class BagOfPages:
    """Vectors of which pages were viewed, weighed by how few users see them (TF-IDF and truncated SVD).

    Args:
        idf: float32 of shape (n_items,): ``ln((1 + n) / (1 + runs with the item)) + 1``, as scikit-learn.
        onto: float32 of shape (n_items, rank), the components of the SVD, a column each.
    """

    idf: np.ndarray
    onto: np.ndarray

    @classmethod
    def fit(cls, items: np.ndarray, n_items: int, runs: Spans, rank: int = RANK) -> BagOfPages:
        """Fit IDF weights and a truncated SVD to runs of page views.

        Args:
            items: int of shape (n_views,), the token id of each page view, 0 to n_items − 1.
            n_items: Number of token ids.
            runs: One run a user.
            rank: Numbers a vector; fewer where there are fewer items.
        """
        seen = bag(items, n_items, runs)
        runs_with = np.bincount(seen.indices, minlength=n_items)
        idf = (np.log((1 + len(runs)) / (1 + runs_with)) + 1).astype(np.float32)
        return cls(idf, truncated_svd(unit_rows(seen * idf[None, :]), rank))

    def embed(self, items: np.ndarray, runs: Spans) -> np.ndarray:
        """Embed runs (``items`` as in :meth:`fit`): float32 of shape (n, rank), rows of length 1 or 0."""
        vectors = np.zeros((len(runs), self.onto.shape[1]), dtype=np.float32)
        for start in range(0, len(runs), _BLOCK):
            block = slice(start, start + _BLOCK)
            counted = bag(items, len(self.idf), runs[block])
            vectors[block] = normalised(unit_rows(counted * self.idf[None, :]) @ self.onto)
        return vectors


def train(
    sequences: UserSequences,
    urls: Sequence[str],
    settings: TrainSettings,
    out_dir: Path,
    progress: Progress = silent,
) -> TrainReport:
    """Fit a bag of pages to the users that would train a network, and write it to a folder.

    Args:
        sequences: Page views of all users.
        urls: URL of each page index.
        settings: Only ``min_count`` and ``max_length`` are used.
        out_dir: The model folder.
        progress: Where to report.

    Raises:
        InputError: If there are too few users or pages to learn from.
    """
    began = time.monotonic()
    population = choose_users(sequences)
    progress(_STAGE, 0.0, "Counting pages")
    vocabulary = build_vocabulary(urls, sequences.page, sequences.offsets[:-1], settings.min_count)
    items = vocabulary.item_ids(urls)[sequences.page]
    runs = latest_views(sequences, settings.max_length)[population.training]
    model = BagOfPages.fit(items, vocabulary.n_items, runs)
    pair = retrieval_pairs(sequences, population.held_out, settings.max_length)
    report = TrainReport(
        **population.counts,
        valid_users=len(pair[0]) if pair else 0,
        items={View.URL: vocabulary.n_items},
        epochs=0, batch_size=0, steps=0, seconds=time.monotonic() - began,
        valid_mrr=mean_reciprocal_rank(*(model.embed(items, part) for part in pair)) if pair else None,
        curve=(),
    )  # fmt: skip
    _save(out_dir, model, vocabulary, settings, report)
    progress(_STAGE, 1.0)
    return report


def is_bag(model_dir: Traversable) -> bool:
    """Whether a model folder holds a bag of pages, and no network."""
    return (model_dir / BAG).is_file()


@dataclass(frozen=True, eq=False)
class LoadedBag:
    """A bag of pages with its vocabulary, as read from a model folder."""

    model: BagOfPages
    vocabulary: ItemVocabulary
    max_length: int

    def embed(self, sequences: UserSequences, urls: Sequence[str]) -> np.ndarray:
        """Embed every user: float32 of shape (n_users, rank), rows of length 1; zeros where no page is known.

        Args:
            sequences: Page views of all users.
            urls: URL of each page index, known to the model or not.
        """
        items = self.vocabulary.item_ids(urls)[sequences.page]
        return self.model.embed(items, latest_views(sequences, self.max_length))


def load_bag(model_dir: Traversable) -> LoadedBag:
    """Read a bag of pages from a folder that :func:`train` wrote.

    Raises:
        ArtifactError: If the model is missing or damaged.
    """
    tensors = read_tensors(model_dir / BAG)
    try:
        vocabulary = load_vocabularies(model_dir)[View.URL]
        model = BagOfPages(tensors["idf"].numpy(), tensors["onto"].numpy())
        max_length = int(tensors["max_length"])
    except (KeyError, ValueError) as error:
        raise _damaged(model_dir) from error
    if not model.idf.shape == model.onto.shape[:1] == (vocabulary.n_items,) or model.onto.ndim != 2:
        raise _damaged(model_dir)
    return LoadedBag(model, vocabulary, max_length)


def _save(
    folder: Path, model: BagOfPages, vocabulary: Vocabulary, settings: TrainSettings, report: TrainReport
) -> None:
    tensors = {
        "idf": torch.from_numpy(model.idf),
        "onto": torch.from_numpy(np.ascontiguousarray(model.onto)),
        "max_length": torch.tensor(settings.max_length),
    }
    folder.mkdir(exist_ok=True)
    write_tensors(folder / BAG, tensors, {})
    tokens = {View.URL.value: vocabulary.to_json()}
    write_text_atomic(folder / VOCABULARY, json.dumps(tokens, ensure_ascii=False))
    write_text_atomic(folder / TRAINING, report.model_dump_json(indent=1))


def _damaged(folder: Traversable) -> ArtifactError:
    return ArtifactError(f"The bag of pages in {folder} is damaged", remedy="Train again")
