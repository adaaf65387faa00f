"""The simple ways, tuned: each learns from users that are not held out and then embeds any runs.

A method is a function ``(case, seed) -> Embed``; ``Embed`` turns runs into unit vectors. The settings are the
best of a grid on the demo shop of seed 5, which is not reported (docs/method-history.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer

from benchmarks.quality.case import Case
from core.base.schema import View
from core.model.feature_blocks import bag, normalised, positions, steps, unit_rows
from core.model.inputs import N_GAPS, Spans, gap_buckets
from core.model.vocabulary import build_vocabulary
from core.storage.sequences import UserSequences

Embed: TypeAlias = Callable[[Spans], np.ndarray]

TFIDF_RANK, MARKOV_RANK = 64, 32
SKIP_GRAM = {"vector_size": 64, "window": 10, "epochs": 30}
PROJECTED = 128
MIN_COUNT = 3
FEWEST_TYPES = 3
"""Fewest types of pages: with fewer, steps between page groups say more."""
BLOCK = 20_000


def tfidf_svd(case: Case, seed: int, rank: int = TFIDF_RANK) -> Embed:
    """TF-IDF of pages with 1 + log counts, truncated SVD."""
    weigh = TfidfTransformer(sublinear_tf=True).fit(_pages(case, _learning(case)))
    return _reduced(lambda runs: weigh.transform(_pages(case, runs)), _learning(case), rank, seed)


def markov_svd(case: Case, seed: int, rank: int = MARKOV_RANK) -> Embed:
    """Square roots of bigrams of page types (of page groups where types say little), truncated SVD."""
    items, n_items = types_or_groups(case)
    return _reduced(lambda runs: unit_rows(steps(items, n_items, runs).sqrt()), _learning(case), rank, seed)


def word2vec_mean(case: Case, seed: int) -> Embed:
    """Mean of skip-gram page vectors (gensim); rare pages count nothing."""
    from gensim.models import Word2Vec  # type: ignore[import-untyped]

    learning = _learning(case)
    pages = case.sequences.page.astype(str)
    sentences = [
        pages[begin : begin + length].tolist()
        for begin, length in zip(learning.begin, learning.length, strict=True)
        if length > 1
    ]
    # one thread, because results of several do not repeat
    found = Word2Vec(sentences, seed=seed, sg=1, min_count=MIN_COUNT, workers=1, **SKIP_GRAM).wv
    table = np.zeros((len(case.urls), found.vector_size), dtype=np.float32)
    table[[int(page) for page in found.index_to_key]] = found.vectors
    return lambda runs: normalised(_pages(case, runs) @ table)


def hand_made(case: Case, seed: int) -> Embed:
    """word2vec mean, Markov and tempo side by side, each of length 1."""
    pages, moves = word2vec_mean(case, seed), markov_svd(case, seed)
    return lambda runs: normalised(
        np.hstack([pages(runs), moves(runs), normalised(tempo(case.sequences, runs))])
    )


def hand_views(case: Case, seed: int) -> dict[str, Embed]:
    """View → method that makes it by hand: word2vec means, themes, or steps of types and gaps.

    Shares are taken as square roots; all views are centred and projected to 128 numbers.
    """
    made = {str(View.URL): _projected(word2vec_mean(case, seed), case, seed)}
    if labels := case.labels():
        themes, types = (codes(labels[view]) for view in (View.THEME, View.TYPE))

        def theme(runs: Spans) -> np.ndarray:
            return _sqrt_shares(bag(themes[case.sequences.page], themes.max() + 1, runs).toarray())

        def kind(runs: Spans) -> np.ndarray:
            moves = steps(types[case.sequences.page], types.max() + 1, runs).toarray()
            return np.hstack([_sqrt_shares(moves), tempo(case.sequences, runs)])

        made[str(View.THEME)] = _projected(theme, case, seed)
        made[str(View.TYPE)] = _projected(kind, case, seed)
    return made


def types_or_groups(case: Case) -> tuple[np.ndarray, int]:
    """Type (with few types, group) of every page view, int of shape (n_views,), and how many there are."""
    types = case.labels().get(View.TYPE)
    if types is not None and len(set(types)) >= FEWEST_TYPES:
        return codes(types)[case.sequences.page], len(set(types))
    vocabulary = build_vocabulary(case.urls, case.sequences.page, case.sequences.offsets[:-1], MIN_COUNT)
    return vocabulary.group_ids(case.urls)[case.sequences.page], len(vocabulary.groups) + 1


def tempo(sequences: UserSequences, runs: Spans) -> np.ndarray:
    """Square roots of the shares of gap lengths in each run: float32 of shape (n, N_GAPS)."""
    rows, where, place = positions(runs)
    gaps = gap_buckets(sequences.timestamp, sequences.offsets[:-1])
    counts = np.zeros((len(runs), N_GAPS), dtype=np.float32)
    np.add.at(counts, (rows[place > 0], gaps[where[place > 0]]), 1)
    return _sqrt_shares(counts)


def codes(names: Sequence[str]) -> np.ndarray:
    """A number for each distinct name: int64 of shape (n_names,)."""
    numbers: np.ndarray = np.unique(np.asarray(names, dtype=object), return_inverse=True)[1]
    return numbers


def _learning(case: Case) -> Spans:
    return case.users[np.flatnonzero(~case.held_out)]


def _pages(case: Case, runs: Spans) -> sparse.csr_array:
    return bag(case.sequences.page, len(case.urls), runs)


def _reduced(features: Callable[[Spans], sparse.csr_array], learning: Spans, rank: int, seed: int) -> Embed:
    seen = features(learning)
    svd = TruncatedSVD(min(rank, seen.shape[1] - 1), random_state=seed).fit(seen)
    return lambda runs: normalised(svd.transform(features(runs)).astype(np.float32))


def _sqrt_shares(counts: np.ndarray) -> np.ndarray:
    shares: np.ndarray = np.sqrt(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))
    return shares


def _projected(features: Embed, case: Case, seed: int) -> Embed:
    """Centred, and projected at random; block by block, as steps between types are many."""
    learning = _learning(case)
    mean = np.mean([features(part).mean(axis=0) for part in _blocks(learning)], axis=0)
    onto = np.random.default_rng(seed).standard_normal((len(mean), PROJECTED)) / np.sqrt(PROJECTED)
    onto = onto.astype(np.float32)
    return lambda runs: normalised(np.vstack([(features(part) - mean) @ onto for part in _blocks(runs)]))


def _blocks(runs: Spans) -> list[Spans]:
    return [runs[slice(start, start + BLOCK)] for start in range(0, len(runs), BLOCK)]
