"""Fit the linear head of each view, at the end of a training, on pairs of disjoint parts of users.

A head keeps the directions in which the two parts of a user agree, each scaled by how reliably. Let C be the
covariance of a feature in one part with another in the other part of the same user, T that of all features
within the parts, and W = T − C what differs between parts of a user. Directions are the eigenvectors of
W'^-½ C W'^-½, where W' = (1 − r) W + r · mean(diag W) · I (shrinkage: Ledoit and Wolf 2004).
An eigenvalue λ is how much of a direction stays the same about a user, in units of what does not; coordinates
are scaled by (λ / (1 + λ))^p, so that an unreliable direction counts little. With r = 0 this is linear
discriminant analysis with a class a user (Fisher 1936), which finds users again by their personal taste; with
r = 1 it is the principal components of what stays.

The share of the network beside the other blocks is chosen on users held out; with too few of them it is
:data:`DEFAULT_SHARE`.

Letters: n users with a pair of parts, f features, d directions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sklearn.linear_model import Ridge
from threadpoolctl import threadpool_limits

from core.base.schema import View
from core.base.settings import TrainSettings, ViewWeights
from core.base.workers import Workers
from core.model.embedding import embed_runs, embed_spans
from core.model.feature_blocks import (
    BLOCKS,
    FeatureBlock,
    ViewHead,
    block_width,
    features,
    normalised,
    positions,
    truncated_svd,
)
from core.model.inputs import Spans, TokenStreams, joined, latest_views, view_factors
from core.model.model_files import HeadReport
from core.model.network import UserBehaviorTransformer, page_factors
from core.model.population import Population
from core.model.triplets import draw_slices, reciprocal_ranks, retrieval_pairs, session_pairs
from core.model.vocabulary import ItemVocabulary
from core.storage.sequences import UserSequences

SHRINKAGE: Final = 0.7
POWER: Final = 0.25
"""Shrinkage r and exponent p. On five sets of two makers, r = .7 has .99 to 1.16 of the best simple way's ARI
and retrieves users as well as any; r = .3 takes a fifth of the demo's ARI, r = 1 up to .12 elsewhere."""
_MAX_DIRECTIONS: Final = 64
_PERMUTATIONS: Final = 20


@dataclass(frozen=True, eq=False)
class LinearHead:
    """Directions that features are projected to, scaled by how reliable they are.

    Args:
        mean: float64 of shape (f,), subtracted first.
        projection: float64 of shape (f, d), a scaled direction a column.
        reliability: float64 of shape (d,), largest first: λ, how much of a direction stays the same about a
            user, in units of what does not.
    """

    mean: np.ndarray
    projection: np.ndarray
    reliability: np.ndarray


@dataclass(frozen=True, eq=False)
class PairCovariances:
    """Mean and covariances of the features of two parts of the same users, from which a head follows.

    Args:
        mean: float64 of shape (f,).
        between: C, float64 of shape (f, f), symmetric: of features in one part with those in the other.
        total: T, float64 of shape (f, f): of features within the parts.
    """

    mean: np.ndarray
    between: np.ndarray
    total: np.ndarray

    @classmethod
    def of(cls, first: np.ndarray, second: np.ndarray) -> PairCovariances:
        """Measure mean and covariances of two parts, each float of shape (n, f)."""
        mean = (first.mean(axis=0) + second.mean(axis=0)) / 2
        first, second = first - mean, second - mean
        cross = first.T @ second / len(first)
        total = (first.T @ first + second.T @ second) / (2 * len(first))
        return cls(mean, (cross + cross.T) / 2, total)

    def scaled(self, factors: np.ndarray) -> PairCovariances:
        """Covariances of the features times factors, float of shape (f,); features times 0 are left out."""
        positive = factors > 0
        products = np.outer(factors[positive], factors[positive])
        return PairCovariances(
            (self.mean * factors)[positive],
            self.between[np.ix_(positive, positive)] * products,
            self.total[np.ix_(positive, positive)] * products,
        )

    def head(self) -> LinearHead:
        """Find the directions in which both parts of users agree, sorted and scaled by their reliability λ.

        At most :data:`_MAX_DIRECTIONS` with a λ above 0, and at least one.
        """
        root = _inverse_root(self.total - self.between)
        reliability, directions = np.linalg.eigh(root @ self.between @ root)
        order = np.argsort(-reliability, kind="stable")[:_MAX_DIRECTIONS]
        order = order[: max(1, int((reliability[order] > 0).sum()))]
        projection = root @ directions[:, order]
        # an eigenvector may come with either sign: its largest number is made positive
        signs = np.sign(projection[np.abs(projection).argmax(axis=0), np.arange(len(order))])
        reliability = np.maximum(reliability[order], 1e-6)
        scaled = projection * signs * (reliability / (1 + reliability)) ** POWER
        return LinearHead(self.mean, scaled, reliability)


def directions_beyond_chance(first: np.ndarray, second: np.ndarray) -> tuple[int, int]:
    """Count the directions in which two parts of users agree more than parts of different users ever do.

    More: a larger reliability λ than in any of :data:`_PERMUTATIONS` random pairings of the parts.

    Args:
        first: float of shape (n, f), a part of each user.
        second: The other parts.

    Returns:
        How many of them (64 at most), and how many features there are.
    """
    rng = np.random.default_rng(0)
    chance = [
        PairCovariances.of(first, second[rng.permutation(len(second))]).head().reliability.max(initial=0.0)
        for _ in range(_PERMUTATIONS)
    ]
    reliability = PairCovariances.of(first, second).head().reliability
    return int((reliability > max(chance)).sum()), first.shape[1]


def _inverse_root(within: np.ndarray) -> np.ndarray:
    """W'^-½, with eigenvalues of W' no smaller than a hundred-millionth of its largest."""
    shrunk = (1 - SHRINKAGE) * within + SHRINKAGE * np.trace(within) / len(within) * np.eye(len(within))
    spread, axes = np.linalg.eigh(shrunk)
    least = max(1e-8 * spread.max(initial=0.0), 1e-12)
    root: np.ndarray = axes / np.sqrt(np.maximum(spread, least)) @ axes.T
    return root


NETWORK_SHARES: Final = (0.0, 0.6, 1.25)
DEFAULT_SHARE: Final = 1.25
"""Standard deviation of the network beside that of the other blocks (:data:`BLOCKS`) where none is chosen."""
_STANDARD_ERRORS: Final = 2.0
"""Standard errors that a gain must exceed; with 1 the demo shop took a share that cost it ARI."""
_CUTS: Final = (retrieval_pairs, session_pairs)
"""Functions that cut held-out users into a query and its answer, to choose the share of the network."""
_COMPONENT_USERS: Final = 50_000
"""Users that the components of blocks are learned from, at most."""
_HEAD_USERS: Final = 5_000
"""Users that the heads are learned from, at most."""
_PAIRS: Final = 4
"""Pairs of disjoint parts drawn of each of these users."""
_RIDGE: Final = 1e-3
"""Penalty of the regression that predicts the length: directions that hardly vary are not blown up."""
_LENGTH_REMOVED: Final = 0.6
"""Share removed of the direction that tells how many pages a user views. It varies most, and K-Means cuts by
it first: left whole, three planted kinds have an adjusted Rand index of .38 instead of .71; without any of
it, sites whose kinds differ in length lose .02 to .07 (docs/method-history.md)."""
_MIN_JUDGED: Final = 50
"""Held-out users needed to measure how well vectors tell the length."""
RANKS: Final[Mapping[FeatureBlock, int]] = {
    FeatureBlock.PAGES: 64,
    FeatureBlock.RARE: 64,
    FeatureBlock.STEPS: 32,
    FeatureBlock.SHARES: 128,
    FeatureBlock.PLACE: 128,
}
"""Components kept of a block that has more features; other blocks keep all their features.
Few sites have 128 labels; with thousands, the covariances of all would take hours."""
_WINDOW: Final = 10
"""Page views within which two pages count as seen together."""
_MIN_VARIANCE: Final = 1e-9
"""A block whose components vary less is left out."""
_EVIDENCE: Final[Mapping[str, tuple[View, tuple[FeatureBlock, ...]]]] = {
    "pages": (View.URL, (FeatureBlock.PAGES, FeatureBlock.RARE)),
    "order": (View.URL, (FeatureBlock.STEPS, FeatureBlock.PLACE)),
    "tempo": (View.URL, (FeatureBlock.TEMPO,)),
    "themes": (View.THEME, (FeatureBlock.SHARES,)),
    "types": (View.TYPE, (FeatureBlock.SHARES,)),
}
"""Aspect of behaviour that may stay the same about users → the view and the blocks that show it."""


@dataclass(frozen=True, eq=False)
class _FittedBlocks:
    """The blocks of a view whose features differ between users.

    Args:
        components: Block → float32 of shape (f, k); features times it vary in all as :data:`BLOCKS` says.
        covariances: How all components vary within and between two parts of a user; None without a block.
    """

    components: Mapping[FeatureBlock, np.ndarray]
    covariances: PairCovariances | None

    def head(self, network_share: float) -> ViewHead:
        """Make the head of the view; without any block all users have the same vector.

        Args:
            network_share: Standard deviation of the network beside 1 of the other blocks; 0 leaves it out.
        """
        shares = {block: network_share if block is FeatureBlock.NETWORK else 1.0 for block in self.components}
        used = {block: array for block, array in self.components.items() if shares[block]}
        if self.covariances is None or not used:
            return ViewHead({}, -np.ones(1, np.float32))
        factors = [np.full(array.shape[1], shares[block]) for block, array in self.components.items()]
        head = self.covariances.scaled(np.concatenate(factors)).head()
        ends = np.cumsum([array.shape[1] for array in used.values()])[:-1]
        parts = zip(used.items(), np.split(head.projection, ends), strict=True)
        projections = {
            block: (shares[block] * array @ part).astype(np.float32) for (block, array), part in parts
        }
        return ViewHead(projections, (head.mean @ head.projection).astype(np.float32))


@dataclass(frozen=True, eq=False)
class HeadFitting:
    """Fits the heads of all views from a network, the page views of users, and who of them was held out.

    Args:
        network: The network, trained or not.
        streams: Tokens of each view.
        vocabularies: Vocabulary of each view.
        sequences: Page views of all users.
        population: Who trained, and who was held out.
        settings: Settings of the training.
        workers: Threads that compute.
    """

    network: UserBehaviorTransformer
    streams: Mapping[View, TokenStreams]
    vocabularies: Mapping[View, ItemVocabulary]
    sequences: UserSequences
    population: Population
    settings: TrainSettings
    workers: Workers

    def fit(self) -> tuple[dict[View, ViewHead], HeadReport]:
        """Fit the head of each view, and report how; :func:`surest_share` chooses the network's share."""
        with threadpool_limits(1):  # several threads would sum in another order
            pairs = self._pairs()
            fitted = {view: self._fitted_blocks(view, pairs) for view in self.streams}
            ranks = self._ranks(fitted)
            share = surest_share(ranks, DEFAULT_SHARE)
            heads = {view: blocks.head(share) for view, blocks in fitted.items()}
            share_removed = 1.0 if self.settings.ignore_length else _LENGTH_REMOVED
            heads = {view: self._without_length(view, head, share_removed) for view, head in heads.items()}
            report = HeadReport(
                network_share=share,
                mrr={tried: float(values.mean()) for tried, values in ranks.items()},
                blocks={view: tuple(map(str, head.projections)) for view, head in heads.items()},
                beyond_chance=self._beyond_chance(fitted, pairs[0]),
                length_r2=self._length_r2(heads),
            )
        return heads, report

    def _pairs(self) -> list[tuple[Spans, Spans]]:
        """Two disjoint parts of each of the users that trained, several times."""
        users, rng = _evenly(self.population.training, _HEAD_USERS), np.random.default_rng(0)
        runs = Spans(self.sequences.offsets[users], self.sequences.lengths[users])
        return [draw_slices(runs, self.settings.max_length, rng) for _ in range(_PAIRS)]

    def _fitted_blocks(self, view: View, pairs: Sequence[tuple[Spans, Spans]]) -> _FittedBlocks:
        known = [self._known(view, pair) for pair in pairs]
        first, second = joined([pair[0] for pair in known]), joined([pair[1] for pair in known])
        users = self._component_users(view)
        if len(first) < 2 or not len(users):
            return _FittedBlocks({}, None)
        components: dict[FeatureBlock, np.ndarray] = {}
        sides: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
        for block, deviation in BLOCKS[view].items():
            unscaled = self._components(view, block, users)
            parts = [self._project(view, block, runs, unscaled) for runs in (first, second)]
            both = np.concatenate(parts)
            if _variance(both[both.any(axis=1)]) > _MIN_VARIANCE:  # a run without gaps does not count
                factor = deviation / np.sqrt(_variance(both))
                components[block] = unscaled * np.float32(factor)
                for side, part in zip(sides, parts, strict=True):
                    side.append(part * factor)
        if not components:
            return _FittedBlocks({}, None)
        covariances = PairCovariances.of(*(np.hstack(side).astype(np.float64) for side in sides))
        return _FittedBlocks(components, covariances)

    def _known(self, view: View, pair: tuple[Spans, Spans]) -> tuple[Spans, Spans]:
        """Keep the pairs in which the view knows a page of both parts."""
        first, second = pair
        known = self.streams[view].covers(first) & self.streams[view].covers(second)
        return first[known], second[known]

    def _components(self, view: View, block: FeatureBlock, users: Spans) -> np.ndarray:
        """Learn the matrix that the features of a block are multiplied by: float32 of shape (f, k)."""
        width = block_width(block, self.vocabularies[view], self.network.pooling.project.out_features)
        if block is FeatureBlock.PAGES:
            rows, where, _ = positions(users)
            rank = min(RANKS[block], width - 1)
            return normalised(page_factors(self.streams[view].items[where], rows, width, _WINDOW, rank))
        if block is not FeatureBlock.RARE and width <= RANKS.get(block, width):
            return np.eye(width, dtype=np.float32)
        seen = features(block, self.streams[view], users, width)
        idf = np.ones(width, dtype=np.float32)
        if block is FeatureBlock.RARE:
            idf += np.log((1 + len(users)) / (1 + np.bincount(seen.indices, minlength=width)))
        learned: np.ndarray = idf[:, None] * truncated_svd(seen * idf[None, :], RANKS[block])
        return learned

    def _project(self, view: View, block: FeatureBlock, runs: Spans, components: np.ndarray) -> np.ndarray:
        """Features of a block times its components: float32 of shape (n, k)."""
        streams = self.streams[view]
        made = (
            embed_spans(self.network, streams, runs, self.workers)
            if block is FeatureBlock.NETWORK
            else features(block, streams, runs, len(components))
        )
        projected: np.ndarray = made @ components
        return projected

    def _component_users(self, view: View) -> Spans:
        """Runs that the model reads of users not held out, where the view knows a page of them."""
        users = _evenly(np.flatnonzero(~self.population.held_out), _COMPONENT_USERS)
        runs = latest_views(self.sequences, self.settings.max_length)[users]
        return runs[self.streams[view].covers(runs)]

    def _ranks(self, fitted: Mapping[View, _FittedBlocks]) -> dict[float, np.ndarray]:
        """The reciprocal rank of every query among users held out, for each share of the network."""
        cuts = [cut(self.sequences, self.population.held_out, self.settings.max_length) for cut in _CUTS]
        ranks: dict[float, np.ndarray] = {}
        for share in NETWORK_SHARES if any(cuts) else ():
            heads = {view: blocks.head(share) for view, blocks in fitted.items()}
            of_cuts = [reciprocal_ranks(*self._mixed(heads, pair)) for pair in cuts if pair]
            ranks[share] = np.concatenate(of_cuts)
        return ranks

    def _mixed(self, heads: Mapping[View, ViewHead], parts: Sequence[Spans]) -> list[np.ndarray]:
        """Vectors of several sets of runs, mixed as for segments: views centred, by the roots of weights."""
        runs, weights, factors, views = joined(parts), ViewWeights(), view_factors(self.streams), []
        for view, head in heads.items():
            vectors = embed_runs(self.network, head, self.streams[view], runs, self.workers)
            known = vectors.any(axis=1, keepdims=True)
            centre = vectors.mean(axis=0, where=known) if len(heads) > 1 and known.any() else 0.0
            root = np.float32(np.sqrt(weights.of(view) * factors[view]))
            views.append(root * normalised((vectors - centre) * known))
        return np.split(normalised(np.hstack(views)), np.cumsum([len(part) for part in parts])[:-1])

    def _beyond_chance(
        self, fitted: Mapping[View, _FittedBlocks], pair: tuple[Spans, Spans]
    ) -> dict[str, tuple[int, int]]:
        """Count the directions beyond chance of each aspect of :data:`_EVIDENCE`."""
        counted = {}
        for kind, (view, blocks) in _EVIDENCE.items():
            components = fitted[view].components if view in fitted else {}
            present = [block for block in blocks if block in components]
            known = self._known(view, pair) if present else pair
            if present and len(known[0]) > 1:
                first, second = (
                    np.hstack([self._project(view, block, runs, components[block]) for block in present])
                    for runs in known
                )
                counted[kind] = directions_beyond_chance(first, second)
        return counted

    def _without_length(self, view: View, head: ViewHead, share: float) -> ViewHead:
        """Remove a share of the direction that tells how many pages users view, learned on training users."""
        users = _evenly(self.population.training, _HEAD_USERS)
        runs, streams = latest_views(self.sequences, self.settings.max_length)[users], self.streams[view]
        known = streams.covers(runs)
        if not known.any():
            return head
        vectors = embed_runs(self.network, head, streams, runs[known], self.workers)
        return head.without(np.log(self.sequences.lengths[users[known]]), vectors, share)

    def _length_r2(self, heads: Mapping[View, ViewHead]) -> float | None:
        """R² of a regression of the log of page views on the mix, on users held out; None with too few."""
        lengths, population = self.sequences.lengths, self.population
        learns = _evenly(population.training, _HEAD_USERS)
        judged = np.flatnonzero((lengths >= population.min_views) & population.held_out)
        if len(judged) < _MIN_JUDGED or np.ptp(lengths[judged]) == 0:
            return None
        latest = latest_views(self.sequences, self.settings.max_length)
        mixed = self._mixed(heads, [latest[learns], latest[judged]])
        regression = Ridge(_RIDGE).fit(mixed[0], np.log(lengths[learns]))
        return float(regression.score(mixed[1], np.log(lengths[judged])))


def _variance(rows: np.ndarray) -> float:
    """Sum of the variances of the columns; 0 without rows."""
    return float(rows.var(axis=0).sum()) if len(rows) else 0.0


def _evenly(users: np.ndarray, most: int) -> np.ndarray:
    """Take at most ``most`` of the users, evenly spread."""
    return users[:: max(1, -(-len(users) // most))]


def surest_share(ranks: Mapping[float, np.ndarray], default: float) -> float:
    """The share whose gain over the default is the surest, the default where none is sure.

    A gain is the mean of the logarithms of the ranks, less twice its standard error over the queries: ranks
    themselves are so uneven that a few queries would choose.

    Args:
        ranks: Share → reciprocal rank of each query, float of shape (n,); empty where nothing was tried.
        default: Among the shares, where any are.
    """
    surest = {default: 0.0}
    for share, values in ranks.items():
        gain = np.log(values / ranks[default])
        surest[share] = float(gain.mean() - _STANDARD_ERRORS * gain.std() / np.sqrt(len(gain)))
    return max(surest, key=lambda share: (surest[share], -abs(share - default)))
