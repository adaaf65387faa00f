"""Next pages of a segment: to how many of its users each page would be suggested, beside the others."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from core.differences.table import Diff
from core.profiles.profile_columns import Col
from core.profiles.two_shares import difference_interval
from core.profiles.wilson import wilson
from core.recommend.candidates import Source
from core.recommend.next_pages import NextPages, Suggestions
from core.recommend.seen_pages import UNKNOWN_PAGE, SeenPages

MOST_ASKED: Final = 20_000
"""Clustered users that are asked for, drawn at random where there are more."""
FIRST: Final = 3
"""Suggestions to each of them that count: later ones are popular pages that everybody gets."""
LISTED: Final = 10
"""Pages of each segment."""
SEED: Final = 0
COLUMNS: Final = (
    Col.SEGMENT, Col.PAGE_LOCATION, Col.USERS, Col.N, Col.SHARE, Col.LOW, Col.HIGH,
    Col.REST_USERS, Col.REST_N, Col.REST_SHARE, Diff.DIFFERS, *(source.value for source in Source),
)  # fmt: skip


def next_pages_of_segments(
    made: NextPages, seen: SeenPages, vectors: np.ndarray, labels: np.ndarray
) -> pd.DataFrame:
    """One row a segment and page, first the page that most of its users would be pointed to.

    Args:
        made: What suggests.
        seen: What all users saw.
        vectors: float32 of shape (n_users, d), combined.
        labels: int32 of shape (n_users,), the segment of each user; below 0 for those in none.

    Returns:
        Columns :data:`COLUMNS`: of ``n`` users asked in the segment, ``users`` have the page among their
        first three suggestions, a ``share`` with its Wilson interval (``low``, ``high``); the same of the
        other segments' users; ``differs`` where the interval of the difference leaves out 0, a description,
        as the model read these pages. Last the part of each source in the scores, which add up to 1.
    """
    inside = np.flatnonzero(labels >= 0)
    asked = np.sort(np.random.default_rng(SEED).permutation(inside)[:MOST_ASKED])
    ids, place = np.unique(labels[asked], return_inverse=True)
    suggested = made.suggest(seen.some(asked), vectors[asked], FIRST)
    n_columns = len(suggested.pages)
    code = (place[:, None] * n_columns + suggested.column)[suggested.column != UNKNOWN_PAGE]
    users = np.bincount(code, minlength=len(ids) * n_columns).reshape(len(ids), n_columns)
    score = _summed(code, suggested.score[suggested.column != UNKNOWN_PAGE], users.shape)
    order = np.lexsort((-score, -users), axis=1)[:, :LISTED]
    row, column = np.repeat(np.arange(len(ids)), order.shape[1]), order.ravel()
    row, column = row[(shown := users[row, column] > 0)], column[shown]
    counted = _shares(users, np.bincount(place, minlength=len(ids)), row, column)
    table = pd.DataFrame({
        Col.SEGMENT: ids[row], Col.PAGE_LOCATION: [suggested.pages[one] for one in column.tolist()],
        **counted, **_parts(suggested, code, row * n_columns + column),
    })  # fmt: skip
    return table[list(COLUMNS)]


def _shares(users: np.ndarray, n: np.ndarray, row: np.ndarray, column: np.ndarray) -> dict[str, np.ndarray]:
    here, rest = users[row, column], users.sum(axis=0)[column] - users[row, column]
    n, rest_n = n[row], n.sum() - n[row]
    low, high = wilson(here, n)
    least, most = difference_interval(here, n, rest, rest_n)
    return {
        Col.USERS: here, Col.N: n, Col.SHARE: here / n, Col.LOW: low, Col.HIGH: high, Col.REST_USERS: rest,
        Col.REST_N: rest_n, Col.REST_SHARE: rest / np.where(rest_n > 0, rest_n, np.nan),
        Diff.DIFFERS: (least > 0) | (most < 0),
    }  # fmt: skip


def _parts(suggested: Suggestions, code: np.ndarray, wanted: np.ndarray) -> dict[str, np.ndarray]:
    """Each source's part in the scores of the wanted segment and page; 0 for one that does not count."""
    there = suggested.column != UNKNOWN_PAGE
    size = (int(code.max(initial=0)) + 1,)
    whole = _summed(code, suggested.score[there], size)
    found = {source.value: np.zeros(len(wanted)) for source in Source}
    for number, source in enumerate(suggested.sources):
        part = _summed(code, (suggested.score * suggested.parts[..., number])[there], size)
        found[source.value] = part[wanted] / whole[wanted]
    return found


def _summed(code: np.ndarray, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return np.bincount(code, values, minlength=int(np.prod(shape))).reshape(shape)
