"""Does it tell the next page? Hit rate at 10 of simple tables, alone and mixed with a read-out of vectors.

Read-out of any embedding, the same for all: the pages of the 100 users nearest to what somebody did so far
(mean of their page shares, by cosine, over users that are neither held out nor chosen on), added to the
bigram table with a weight chosen on users set aside. "own history" is the share of each page in what
somebody did so far, mixed in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from benchmarks.quality.case import Case
from benchmarks.quality.metrics import hit_rate
from core.model.feature_blocks import bag

NEIGHBOURS = 100
POOL = 20_000
BLOCK = 500
WEIGHTS = (0.0, 0.1, 0.3, 1.0, 3.0)
POPULARITY = 1e-3
"""Weight of popularity below the bigrams: decides where they say nothing."""


@dataclass(frozen=True, eq=False)
class Tables:
    """Scores of every page for every asked moment, float32 of shape (n, n_pages)."""

    popularity: np.ndarray
    bigram: np.ndarray
    history: np.ndarray


def tables(case: Case) -> Tables:
    """Count popularity and what follows what, and score every page at the moments of a set."""
    asked, n_pages = case.next_page, len(case.urls)
    page, owner = case.sequences.page, case.sequences.user
    seen = asked.counted[owner]
    popularity = np.bincount(page[seen], minlength=n_pages).astype(np.float32)
    popularity /= popularity.sum()
    follows = np.flatnonzero((owner[1:] == owner[:-1]) & seen[1:]) + 1
    ones = np.ones(len(follows), dtype=np.float32)
    counts = sparse.csr_array((ones, (page[follows - 1], page[follows])), shape=(n_pages, n_pages))
    bigram = shares(counts)[asked.current].toarray() + POPULARITY * popularity
    return Tables(
        popularity=np.broadcast_to(popularity, bigram.shape),
        bigram=bigram,
        history=shares(bag(page, n_pages, asked.prefix)).toarray(),
    )


def simple_hits(case: Case, made: Tables) -> dict[str, float]:
    """Hit rates at 10 of popularity, the bigram, and the bigram with the user's own history."""
    asked = case.next_page
    test = ~asked.tuning
    mixed = best_mix(made.bigram, {"history": made.history}, asked.target, asked.tuning)
    return {
        "popularity": hit_rate(made.popularity[test], asked.target[test]),
        "bigram": hit_rate(made.bigram[test], asked.target[test]),
        "bigram + history": hit_rate(mixed[test], asked.target[test]),
    }


def hits_with(case: Case, made: Tables, users: np.ndarray, prefixes: np.ndarray) -> dict[str, float]:
    """Hit rates at 10 of an embedding's nearest users: alone, with the bigram, and with the history, too.

    Args:
        case: The set.
        made: Its tables.
        users: (n_users, d) unit vectors.
        prefixes: (n, d) unit vectors of what was done so far.
    """
    asked = case.next_page
    test = ~asked.tuning
    near = nearest_pages(case, users, prefixes)
    plain = best_mix(made.bigram, {"near": near}, asked.target, asked.tuning)
    full = best_mix(made.bigram, {"near": near, "history": made.history}, asked.target, asked.tuning)
    return {
        "next alone": hit_rate(near[test], asked.target[test]),
        "next": hit_rate(plain[test], asked.target[test]),
        "next + history": hit_rate(full[test], asked.target[test]),
    }


def nearest_pages(case: Case, users: np.ndarray, prefixes: np.ndarray) -> np.ndarray:
    """Mean page shares of the nearest users: float32 of shape (n, n_pages)."""
    pool = np.flatnonzero(case.next_page.counted & (case.sequences.lengths >= 2))
    pool = np.random.default_rng(2).permutation(pool)[:POOL]
    bags = shares(bag(case.sequences.page, len(case.urls), case.users[pool]))
    near = np.empty((len(prefixes), len(case.urls)), dtype=np.float32)
    count = min(NEIGHBOURS, len(pool))
    for start in range(0, len(prefixes), BLOCK):
        similarity = prefixes[start : start + BLOCK] @ users[pool].T
        chosen = np.argpartition(-similarity, count - 1, axis=1)[:, :count]
        rows = np.repeat(np.arange(len(chosen)), count)
        pick = sparse.csr_array(
            (np.full(rows.size, 1 / count, np.float32), (rows, chosen.ravel())), shape=similarity.shape
        )
        near[start : start + BLOCK] = (pick @ bags).toarray()
    return near


def best_mix(
    base: np.ndarray, extras: Mapping[str, np.ndarray], target: np.ndarray, tuning: np.ndarray
) -> np.ndarray:
    """Scores with each extra added in turn, by the weight that hits most among the ``tuning`` moments."""
    mixed = base
    for extra in extras.values():
        scored = [
            (hit_rate(mixed[tuning] + weight * extra[tuning], target[tuning]), -weight) for weight in WEIGHTS
        ]
        mixed = mixed - max(scored)[1] * extra
    return mixed


def shares(counts: sparse.csr_array) -> sparse.csr_array:
    """Divide each row by its sum; empty rows stay empty."""
    totals = np.maximum(counts.sum(axis=1), 1e-9)
    return sparse.csr_array(counts.multiply(1 / totals[:, None]))
