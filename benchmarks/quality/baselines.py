"""The simple ways, tuned: each learns from users that are not held out and then embeds any runs.

A method is a function ``(case, seed) -> Embed``; ``Embed`` turns runs into unit vectors. The defaults are the
settings that ``python -m benchmarks.quality.tuning`` found best, on a demo shop that is not reported.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from scipy import sparse
from sklearn.decomposition import TruncatedSVD

from benchmarks.quality.case import Case
from benchmarks.quality.features import bag, bigrams, codes, normalised, tempo
from core.base.schema import View
from core.model.inputs import Spans
from core.model.vocabulary import build_vocabulary

Embed: TypeAlias = Callable[[Spans], np.ndarray]

MIN_COUNT = 3
FEWEST_TYPES = 3
"""With fewer kinds of pages, steps between page groups say more."""


def tfidf_svd(case: Case, seed: int, *, rank: int = 64, sublinear: bool = True) -> Embed:
    """TF-IDF of pages, truncated SVD.

    Args:
        case: The set.
        seed: Of the SVD.
        rank: Numbers a vector.
        sublinear: Whether a page seen n times counts 1 + log n.
    """
    n_pages = len(case.urls)
    seen = bag(case.sequences.page, n_pages, _learning(case))
    users_with = np.asarray((seen > 0).sum(axis=0)).ravel()
    idf = np.log((1 + seen.shape[0]) / (1 + users_with)) + 1

    def weighted(spans: Spans) -> sparse.csr_array:
        counts = bag(case.sequences.page, n_pages, spans)
        if sublinear:
            counts.data = 1 + np.log(counts.data)
        return _unit_rows(counts * idf[None, :])

    return _reduced(weighted, _learning(case), rank, seed)


def markov_svd(case: Case, seed: int, *, rank: int = 32) -> Embed:
    """Square roots of bigrams of page types (of page groups where types say little), truncated SVD."""
    items, n_items = types_or_groups(case)

    def steps(spans: Spans) -> sparse.csr_array:
        return _unit_rows(bigrams(items, n_items, spans).sqrt())

    return _reduced(steps, _learning(case), rank, seed)


def word2vec_mean(case: Case, seed: int, *, size: int = 64, window: int = 10, epochs: int = 30) -> Embed:
    """Mean of skip-gram page vectors (gensim)."""
    table = word2vec(case, seed, size, window, epochs)

    def mean(spans: Spans) -> np.ndarray:
        return normalised(bag(case.sequences.page, len(case.urls), spans) @ table)

    return mean


def word2vec(case: Case, seed: int, size: int, window: int, epochs: int) -> np.ndarray:
    """Skip-gram vectors of all pages, made once for all methods that use them.

    Returns:
        float32 of shape (n_pages, size), zeros for rare pages.
    """
    kept = case.work / f"word2vec-{seed}-{size}-{window}-{epochs}.npz"
    if not kept.exists():
        before = time.process_time()
        table = _skip_gram(case, seed, size, window, epochs)
        np.savez(kept, table=table, cpu=np.array(time.process_time() - before))
    with np.load(kept) as found:
        made: np.ndarray = found["table"]
    return made


def word2vec_cpu(case: Case, seed: int) -> float:
    """CPU seconds that tables kept for this seed took; 0 where there are none yet."""
    kept = case.work.glob(f"word2vec-{seed}-*.npz")
    return sum(float(np.load(path)["cpu"]) for path in kept)


def _skip_gram(case: Case, seed: int, size: int, window: int, epochs: int) -> np.ndarray:
    from gensim.models import Word2Vec  # type: ignore[import-untyped]

    spans = _learning(case)
    texts = [str(page) for page in range(len(case.urls))]
    pages = case.sequences.page.tolist()
    sentences = [
        [texts[page] for page in pages[begin : begin + length]]
        for begin, length in zip(spans.begin.tolist(), spans.length.tolist(), strict=True)
        if length > 1
    ]
    # one thread, because results of several do not repeat
    shape = {"vector_size": size, "window": window, "epochs": epochs}
    vectors = Word2Vec(sentences, seed=seed, sg=1, min_count=MIN_COUNT, workers=1, **shape).wv
    table = np.zeros((len(texts), size), dtype=np.float32)
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


def _reduced(features: Callable[[Spans], sparse.csr_array], learning: Spans, rank: int, seed: int) -> Embed:
    seen = features(learning)
    svd = TruncatedSVD(min(rank, seen.shape[1] - 1), random_state=seed).fit(seen)
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
