"""Example users of segments: the most typical ones, random ones, and the timeline of a user."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.base.errors import InputError
from core.base.schema import OUTSIDE, Pages
from core.segments.partition import Partition
from core.storage.dataset import Dataset
from core.storage.sequences import SESSION

VIEW, TIME, SECONDS_TO_NEXT = "view", "time", "seconds_to_next"


def medoids(
    vectors: np.ndarray, partition: Partition, page_views: np.ndarray, n: int
) -> dict[int, np.ndarray]:
    """The most typical users of each segment: nearest to its centroid, of the middle half by page views.

    A vector is a mean over page views, and means of many lie near the centre: of all users, those with the
    longest histories would be nearest. Users with exactly the same distance did the same (their vectors are
    equal), so each distance gives a single user first, with the lowest index; the others follow only where
    that leaves too few.

    Args:
        vectors: float32 of shape (n_users, d).
        partition: The segments.
        page_views: int of shape (n_users,).
        n: Most users of a segment.

    Returns:
        Segment → user indices, nearest first, at most ``n``.
    """
    members = {int(segment): np.flatnonzero(partition.labels == segment) for segment in partition.ids}
    return {
        segment: _nearest(vectors, _middle_half(users, page_views), centroid, n)
        for (segment, users), centroid in zip(members.items(), partition.centroids, strict=True)
    }


def random_sample(labels: np.ndarray, n: int, seed: int) -> dict[int, np.ndarray]:
    """Draw users of each segment at random, each equally likely.

    Args:
        labels: int32 of shape (n_users,), ``OUTSIDE`` for users outside clustering.
        n: Most users of a segment.
        seed: Seed of the draw; a segment's draw does not depend on the other segments.

    Returns:
        Segment → user indices, ascending, at most ``n``.
    """
    drawn = {}
    for segment in np.unique(labels[labels > OUTSIDE]).tolist():
        members = np.flatnonzero(labels == segment)
        generator = np.random.default_rng([seed, segment])
        drawn[segment] = np.sort(generator.choice(members, min(n, len(members)), replace=False))
    return drawn


def timeline(dataset: Dataset, user: int) -> pd.DataFrame:
    """The page views of a user in order, with times and sessions.

    Args:
        dataset: The data set.
        user: User index.

    Returns:
        A row for each page view: ``session`` and ``view`` (within the session), both from 1, ``time``
        (UTC), ``page_location``, ``page_title``, ``seconds_to_next`` (absent at the end of a session).

    Raises:
        InputError: If there is no such user.
    """
    sequences = dataset.sequences
    if not 0 <= user < sequences.n_users:
        raise InputError(f"There is no user {user}", allowed=f"0 to {sequences.n_users - 1}")
    views = slice(sequences.offsets[user], sequences.offsets[user + 1])
    session, times = sequences.session[views], sequences.timestamp[views]
    starts = np.flatnonzero(np.diff(session, prepend=session[0] - 1))
    seconds = np.append(np.diff(times) / 1e6, np.nan)
    seconds[starts[1:] - 1] = np.nan  # time between sessions is time away, not time on a page
    pages = dataset.pages.iloc[sequences.page[views]]
    return pd.DataFrame(
        {
            SESSION: session + 1,
            VIEW: np.arange(len(session)) - np.repeat(starts, np.diff(starts, append=len(session))) + 1,
            TIME: pd.to_datetime(times, unit="us", utc=True),
            Pages.PAGE_LOCATION: pages[Pages.PAGE_LOCATION].array,
            Pages.PAGE_TITLE: pages[Pages.PAGE_TITLE].array,
            SECONDS_TO_NEXT: seconds,
        }
    )


def _middle_half(users: np.ndarray, page_views: np.ndarray) -> np.ndarray:
    """Users between the quartiles of page views, which are values that occur, so it is never empty."""
    views = page_views[users]
    low, high = np.quantile(views, 0.25, method="lower"), np.quantile(views, 0.75, method="higher")
    middle: np.ndarray = users[(views >= low) & (views <= high)]
    return middle


def _nearest(vectors: np.ndarray, members: np.ndarray, centroid: np.ndarray, n: int) -> np.ndarray:
    apart = vectors[members] - centroid
    distance = np.einsum("ij,ij->i", apart, apart)
    _, first = np.unique(distance, return_index=True)  # ascending by distance, lowest index of each
    if len(first) < n:
        others = np.setdiff1d(np.argsort(distance, kind="stable"), first)
        first = np.append(first, others[np.argsort(distance[others], kind="stable")])
    chosen: np.ndarray = members[first[:n]]
    return chosen
