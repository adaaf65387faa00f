"""What others take for the same work, measured in the same run as our stages.

* The original's way to sequences: pandas, ``groupby.apply`` with a Python function a user, written anew
  from its description.
* K-Means by scikit-learn, cold and warm.
* Two-dimensional layouts: principal components and PaCMAP, and how many of the 15 true neighbours they keep.

Functions run in child processes; what is heavy is imported inside them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import Measured, measure

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

K = 8
NEIGHBOURS = 15
ASKED = 1000
"""Number of users whose neighbours are compared."""
WEIGHTS_MOVE = 0.1
"""How far the vectors move before the warm start: about what a slider's step does."""


def anchors(csv: Path, vectors: Path) -> dict[str, Measured]:
    """Measure what others take for the same work; name of the work → what it took.

    Args:
        csv: A flat export.
        vectors: ``.npy`` of unit vectors, one a user.
    """
    return {
        "anchor: pandas groupby.apply": measure(pandas_sequences, csv),
        "anchor: K-Means cold, n_init 1": measure(kmeans, vectors, 1),
        "anchor: K-Means cold, n_init 10": measure(kmeans, vectors, 10),
        "anchor: K-Means warm after a move": measure(kmeans_warm, vectors),
        "anchor: PCA layout": measure(pca, vectors),
        "anchor: PaCMAP layout": measure(pacmap, vectors),
    }


def pandas_sequences(csv: Path) -> int:
    """Read everything, keep page views, sort, and make a list for each user; returns the number of users."""
    import pandas as pd

    table = pd.read_csv(csv, dtype={"user_pseudo_id": str, "ga_session_id": str}, low_memory=False)
    views = table[table["event_name"] == "page_view"].dropna(subset=["user_pseudo_id"])
    views = views.sort_values(["user_pseudo_id", "event_timestamp"])
    made = views.groupby("user_pseudo_id").apply(_one_user, include_groups=False)
    return len(made)


def _one_user(views: pd.DataFrame) -> dict[str, object]:
    return {
        "pages": views["page_location"].tolist(),
        "times": views["event_timestamp"].tolist(),
        "n": len(views),
    }


def kmeans(path: Path, n_init: int) -> dict[str, float]:
    """Fit K-Means from ``n_init`` random starts to the vectors of a file; seconds of the fit alone."""
    from sklearn.cluster import KMeans

    vectors = _load(path)
    return _timed(lambda: KMeans(K, n_init=n_init, random_state=0).fit(vectors))


def kmeans_warm(path: Path) -> dict[str, float]:
    """Fit K-Means from the centroids before a move; seconds, and how far labels agree with those before."""
    import numpy as np
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score

    vectors = _load(path)
    before = KMeans(K, n_init=1, random_state=0).fit(vectors)
    step = np.random.default_rng(0).standard_normal(vectors.shape[1]).astype(np.float32)
    moved = vectors * (1 + WEIGHTS_MOVE * step)
    moved /= np.linalg.norm(moved, axis=1, keepdims=True)
    start = np.stack([moved[before.labels_ == k].mean(axis=0) for k in range(K)])
    after = KMeans(K, init=start, n_init=1)
    figures = _timed(lambda: after.fit(moved))
    return figures | {"agreement": float(adjusted_rand_score(before.labels_, after.labels_))}


def pca(path: Path) -> dict[str, float]:
    """Lay vectors of a file out by two principal components; seconds, and the neighbours that are kept."""
    from sklearn.decomposition import PCA

    return _layout(path, lambda vectors: PCA(2, random_state=0).fit_transform(vectors))


def pacmap(path: Path) -> dict[str, float]:
    """Lay vectors of a file out by PaCMAP with its defaults; seconds, and the neighbours that are kept."""
    import pacmap as library

    return _layout(path, lambda vectors: library.PaCMAP(random_state=0).fit_transform(vectors))


def _layout(path: Path, lay_out: Callable[[np.ndarray], np.ndarray]) -> dict[str, float]:
    import numpy as np

    vectors = np.unique(_load(path), axis=0)  # equal users have one place
    made: list[np.ndarray] = []
    figures = _timed(lambda: made.append(lay_out(vectors)))
    return figures | {"kept": kept_neighbours(vectors, made[0])}


def kept_neighbours(vectors: np.ndarray, xy: np.ndarray) -> float:
    """Share of the 15 nearest users that are still among the 15 nearest in the layout."""
    import numpy as np
    from sklearn.neighbors import NearestNeighbors

    count = min(NEIGHBOURS, len(vectors) - 1)
    asked = np.random.default_rng(0).permutation(len(vectors))[:ASKED]
    near, shown = (
        NearestNeighbors(n_neighbors=count + 1).fit(rows).kneighbors(rows[asked], return_distance=False)
        for rows in (vectors, xy)
    )
    same = [
        len((set(a) & set(b)) - {own}) for a, b, own in zip(near.tolist(), shown.tolist(), asked, strict=True)
    ]
    return float(np.mean(same) / count)


def _load(path: Path) -> np.ndarray:
    import numpy as np

    vectors: np.ndarray = np.load(path)
    return vectors


def _timed(do: Callable[[], object]) -> dict[str, float]:
    began = time.perf_counter()
    do()
    return {"seconds": time.perf_counter() - began}
