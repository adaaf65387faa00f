"""The simple ways, tuned: each learns from users that are not held out and then embeds any runs.

A method is a function ``(case, seed) -> Embed``; ``Embed`` turns runs into unit vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from scipy import sparse
from sklearn.decomposition import TruncatedSVD

from benchmarks.quality.case import Case
from benchmarks.quality.features import bag, bigrams, codes, normalised, tempo
from core.model.inputs import Spans
from core.model.vocabulary import build_vocabulary
from core.schema import View

Embed: TypeAlias = Callable[[Spans], np.ndarray]

RANK = 64
MIN_COUNT = 3
FEWEST_TYPES = 3
"""With fewer kinds of pages, steps between page groups say more."""
W2V = {"vector_size": 128, "window": 10, "epochs": 30, "sg": 1, "min_count": MIN_COUNT, "workers": 1}


def tfidf_svd(case: Case, seed: int) -> Embed:
    """TF-IDF of pages, truncated SVD."""
    n_pages = len(case.urls)
    seen = bag(case.sequences.page, n_pages, _learning(case))
    users_with = np.asarray((seen > 0).sum(axis=0)).ravel()
    idf = np.log((1 + seen.shape[0]) / (1 + users_with)) + 1

    def weighted(spans: Spans) -> sparse.csr_array:
        return _unit_rows(bag(case.sequences.page, n_pages, spans) * idf[None, :])

    return _reduced(weighted, _learning(case), seed)


def markov_svd(case: Case, seed: int) -> Embed:
    """Square roots of bigrams of page types (of page groups where types say little), truncated SVD."""
    items, n_items = types_or_groups(case)

    def steps(spans: Spans) -> sparse.csr_array:
        return _unit_rows(bigrams(items, n_items, spans).sqrt())

    return _reduced(steps, _learning(case), seed)


def word2vec_mean(case: Case, seed: int) -> Embed:
    """Mean of skip-gram page vectors (gensim)."""
    table = word2vec(case, seed)

    def mean(spans: Spans) -> np.ndarray:
        return normalised(bag(case.sequences.page, len(case.urls), spans) @ table)

    return mean


def word2vec(case: Case, seed: int) -> np.ndarray:
    """Skip-gram vectors of all pages: float32 of shape (n_pages, 128), zeros for rare ones."""
    from gensim.models import Word2Vec  # type: ignore[import-untyped]

    spans = _learning(case)
    texts = [str(page) for page in range(len(case.urls))]
    pages = case.sequences.page.tolist()
    sentences = [
        [texts[page] for page in pages[begin : begin + length]]
        for begin, length in zip(spans.begin.tolist(), spans.length.tolist(), strict=True)
        if length > 1
    ]
    vectors = Word2Vec(sentences, seed=seed, **W2V).wv
    table = np.zeros((len(texts), W2V["vector_size"]), dtype=np.float32)
    for page, text in enumerate(texts):
        if text in vectors:
            table[page] = vectors[text]
    return table


def hand_made(case: Case, seed: int) -> Embed:
    """word2vec mean, Markov and tempo side by side, each of length 1."""
    parts = (word2vec_mean(case, seed), markov_svd(case, seed))

    def joined(spans: Spans) -> np.ndarray:
        blocks = [*(part(spans) for part in parts), normalised(tempo(case.sequences, spans))]
        return normalised(np.concatenate(blocks, axis=1))

    return joined


def hand_views(case: Case, seed: int) -> dict[View, Embed]:
    """word2vec mean / themes / type steps and gaps: square roots of shares, centred, projected to 128."""
    labels = case.labels()
    url = word2vec_mean(case, seed)
    made = {View.URL: _projected(url, case, seed)}
    if labels:
        themes, types = (codes(labels[view]) for view in (View.THEME, View.TYPE))

        def theme(spans: Spans) -> np.ndarray:
            return _sqrt_shares(bag(themes[0][case.sequences.page], themes[1], spans))

        def kind(spans: Spans) -> np.ndarray:
            steps = _sqrt_shares(bigrams(types[0][case.sequences.page], types[1], spans))
            return np.concatenate([steps, tempo(case.sequences, spans)], axis=1)

        made[View.THEME] = _projected(theme, case, seed)
        made[View.TYPE] = _projected(kind, case, seed)
    return made


def types_or_groups(case: Case) -> tuple[np.ndarray, int]:
    """What steps lead between, of every page view, and how many there are."""
    types = case.labels().get(View.TYPE)
    if types is not None and len(set(types)) >= FEWEST_TYPES:
        numbers, count = codes(types)
    else:
        starts = case.sequences.offsets[:-1]
        vocabulary = build_vocabulary(case.urls, case.sequences.page, starts, MIN_COUNT)
        numbers, count = vocabulary.group_ids(case.urls), len(vocabulary.groups) + 1
    return numbers[case.sequences.page], count


def _learning(case: Case) -> Spans:
    return case.users[np.flatnonzero(~case.held_out)]


def _unit_rows(matrix: sparse.sparray) -> sparse.csr_array:
    lengths = np.sqrt(matrix.multiply(matrix).sum(axis=1))
    return sparse.csr_array(matrix.multiply(1 / np.maximum(lengths, 1e-9)[:, None]))


def _reduced(features: Callable[[Spans], sparse.csr_array], learning: Spans, seed: int) -> Embed:
    seen = features(learning)
    svd = TruncatedSVD(min(RANK, seen.shape[1] - 1), random_state=seed).fit(seen)
    return lambda spans: normalised(svd.transform(features(spans)).astype(np.float32))


def _sqrt_shares(counts: sparse.csr_array) -> np.ndarray:
    dense = counts.toarray()
    shares: np.ndarray = np.sqrt(dense / np.maximum(dense.sum(axis=1, keepdims=True), 1))
    return shares


def _projected(features: Embed, case: Case, seed: int) -> Embed:
    learning = _learning(case)
    mean = np.mean([features(part).mean(axis=0) for part in _parts(learning)], axis=0)
    rng = np.random.default_rng(seed)
    onto = (rng.standard_normal((len(mean), 128)) / np.sqrt(128)).astype(np.float32)
    return lambda spans: normalised(np.vstack([(features(part) - mean) @ onto for part in _parts(spans)]))


def _parts(spans: Spans) -> list[Spans]:
    return [spans[slice(start, start + 20_000)] for start in range(0, len(spans), 20_000)]
