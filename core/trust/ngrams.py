"""The features that an analyst would count first: which pages, and which pairs of pages in a row."""

from __future__ import annotations

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from core.model.counts import Sparse
from core.model.inputs import Spans


def ngrams(items: np.ndarray, runs: Spans, learns: np.ndarray) -> Sparse:
    """TF-IDF of single pages and of pairs in a row, in rows of length 1; what nobody taught counts nothing.

    Args:
        items: int of shape (n_views,), the page of every page view.
        runs: n runs of one page view or more.
        learns: bool of shape (n,), runs that say which there are and how frequent they are.

    Returns:
        Sparse float64 of shape (n, pages and pairs seen).
    """
    texts = [
        " ".join(map(str, items[begin : begin + n])) for begin, n in zip(runs.begin, runs.length, strict=True)
    ]
    counter = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\S+")
    counter.fit([text for text, teaches in zip(texts, learns, strict=True) if teaches])
    return counter.transform(texts)
