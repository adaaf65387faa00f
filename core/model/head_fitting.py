"""The end of a training: the head of each view, fitted on pairs of disjoint parts of the users that trained.

What the network counts beside the blocks is decided on users held out; without these it counts as usual.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sklearn.linear_model import Ridge
from threadpoolctl import threadpool_limits

from core.base.schema import View
from core.base.settings import ViewWeights
from core.base.workers import Workers
from core.data.sequences import UserSequences
from core.model.cooccurrence import page_factors
from core.model.counts import Sparse, components, normalised, positions
from core.model.embedding import embed_runs, embed_spans
from core.model.feature_blocks import BLOCKS, FeatureBlock, features
from core.model.finish import ViewHead
from core.model.inputs import N_GAPS, Spans, TokenStreams, latest_views
from core.model.label_vocabulary import ItemVocabulary
from core.model.linear_head import Agreement, directions_beyond_chance
from core.model.model_files import FinishReport
from core.model.network import UserBehaviorTransformer
from core.model.population import Population
from core.model.triplets import draw_slices
from core.model.validation import reciprocal_ranks, retrieval_pairs, session_pairs
from core.model.view_streams import SHARES

NETWORK_SHARES: Final = (0.0, 0.6, 1.25)
USUAL_SHARE: Final = 1.25
"""Standard deviation of the network beside that of the other blocks, see :data:`BLOCKS`."""
SURE: Final = 2.0
"""Standard errors that a gain must exceed; with 1 the demo shop took a share that cost it ARI."""
LEARNING: Final = 50_000
"""Users that the components of blocks are learned from, at most."""
PAIRED: Final = 5_000
"""Users that the heads are learned from, at most …"""
PAIRS: Final = 4
"""… and pairs of parts of each."""
RIDGE: Final = 1e-3
"""Of the read-out of the length: directions that hardly vary are not blown up."""
FEWEST: Final = 50
"""Users held out to judge the length on."""
RANKS: Final[Mapping[FeatureBlock, int]] = {
    FeatureBlock.PAGES: 64,
    FeatureBlock.RARE: 64,
    FeatureBlock.STEPS: 32,
    FeatureBlock.SHARES: 128,
    FeatureBlock.PLACE: 128,
}
"""Components of a block, where it has more features; of any other, all its features.
Few sites have 128 labels; with thousands, the covariances of all would take hours."""
WINDOW: Final = 10
"""Page views that two pages lie apart at most to be seen together."""
NOTHING: Final = 1e-9
"""A block that varies less says nothing."""
EVIDENCE: Final[Mapping[str, tuple[View, tuple[FeatureBlock, ...]]]] = {
    "pages": (View.URL, (FeatureBlock.PAGES, FeatureBlock.RARE)),
    "order": (View.URL, (FeatureBlock.STEPS, FeatureBlock.PLACE)),
    "tempo": (View.URL, (FeatureBlock.TEMPO,)),
    "themes": (View.THEME, (FeatureBlock.SHARES,)),
    "types": (View.TYPE, (FeatureBlock.SHARES,)),
}
"""What may stay the same about users, and the blocks that tell."""


@dataclass(frozen=True, eq=False)
class FittedBlocks:
    """The blocks of a view that say something.

    Args:
        onto: float32 of shape (f, k) of each, onto components that together vary as :data:`BLOCKS` says.
        agreement: Of two parts of the same user, in all components side by side.
    """

    onto: Mapping[FeatureBlock, np.ndarray]
    agreement: Agreement | None

    def head(self, network: float) -> ViewHead:
        """The head with the network counting so much; where no block says anything, all users are alike."""
        onto = {
            block: array for block, array in self.onto.items() if block is not FeatureBlock.NETWORK or network
        }
        if self.agreement is None or not onto:
            return ViewHead({}, -np.ones(1, np.float32))
        widths = {block: array.shape[1] for block, array in self.onto.items()}
        counts = {block: network if block is FeatureBlock.NETWORK else 1.0 for block in self.onto}
        head = self.agreement.weighed(np.repeat(list(counts.values()), list(widths.values()))).head()
        ends = np.cumsum([widths[block] for block in onto])[:-1]
        parts = zip(onto.items(), np.split(head.onto, ends), strict=True)
        matrices = {
            block: (counts[block] * array @ part).astype(np.float32) for (block, array), part in parts
        }
        return ViewHead(matrices, (head.mean @ head.onto).astype(np.float32))


@dataclass(frozen=True, eq=False)
class Finished:
    """A trained network, and who it can be judged on.

    Args:
        network: The network.
        streams: Tokens of each view.
        vocabularies: Of each view.
        sequences: Page views of all users.
        population: Who trained, and who was held out.
        max_length: Page views that the model reads.
        workers: What computes.
    """

    network: UserBehaviorTransformer
    streams: Mapping[View, TokenStreams]
    vocabularies: Mapping[View, ItemVocabulary]
    sequences: UserSequences
    population: Population
    max_length: int
    workers: Workers

    def fit(self) -> tuple[dict[View, ViewHead], FinishReport]:
        """Fit the heads, with the share of the network by which users held out are found best."""
        with threadpool_limits(1):  # more threads add up in another order
            pairs = self._pairs()
            fitted = {view: self._fitted(view, pairs) for view in self.streams}
            found = self._found(fitted)
            share = chosen(found, USUAL_SHARE)
            heads = {view: one.head(share) for view, one in fitted.items()}
            report = FinishReport(
                network_share=share,
                mrr={tried: float(ranks.mean()) for tried, ranks in found.items()},
                blocks={view: tuple(map(str, head.onto)) for view, head in heads.items()},
                beyond_chance=self._beyond_chance(fitted, pairs[0]),
                length_r2=self._length_r2(heads),
            )
        return heads, report

    def _pairs(self) -> list[tuple[Spans, Spans]]:
        """Two disjoint parts of each of the users that trained, several times."""
        users, rng = _spread(self.population.training, PAIRED), np.random.default_rng(0)
        runs = Spans(self.sequences.offsets[users], self.sequences.lengths[users])
        return [draw_slices(runs, self.max_length, rng) for _ in range(PAIRS)]

    def _fitted(self, view: View, pairs: Sequence[tuple[Spans, Spans]]) -> FittedBlocks:
        streams = self.streams[view]
        spoken = [streams.speaks_of(first) & streams.speaks_of(second) for first, second in pairs]
        both = [
            _joined([pair[side][known] for pair, known in zip(pairs, spoken, strict=True)]) for side in (0, 1)
        ]
        if len(both[0]) < 2:
            return FittedBlocks({}, None)
        onto: dict[FeatureBlock, np.ndarray] = {}
        sides: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
        for block, weight in BLOCKS[view].items():
            raw = self._onto(view, block)
            parts = [self._components(view, block, part, raw) for part in both]
            spread = float(np.concatenate(parts).var(axis=0).sum())
            if spread > NOTHING:
                factor = weight / np.sqrt(spread)
                onto[block] = raw * np.float32(factor)
                for side, part in zip(sides, parts, strict=True):
                    side.append(part * factor)
        if not onto:
            return FittedBlocks({}, None)
        return FittedBlocks(onto, Agreement.of(*(np.hstack(side).astype(np.float64) for side in sides)))

    def _onto(self, view: View, block: FeatureBlock) -> np.ndarray:
        """What turns the features of a block into its components: float32 of shape (f, k)."""
        width = self._width(view, block)
        learning = self._learning(view)
        if block is FeatureBlock.PAGES:
            users, where, _ = positions(learning)
            rank = min(RANKS[block], width - 1)
            return normalised(page_factors(self.streams[view].items[where], users, width, WINDOW, rank))
        if block is not FeatureBlock.RARE and width <= RANKS.get(block, width):
            return np.eye(width, dtype=np.float32)
        counts = features(block, self.streams[view], learning, width)
        scarce = np.ones(width, dtype=np.float32)
        if block is FeatureBlock.RARE:
            scarce += np.log((1 + len(learning)) / (1 + np.bincount(counts.indices, minlength=width)))
        made: np.ndarray = scarce[:, None] * components(counts * scarce[None, :], RANKS[block])
        return made

    def _components(self, view: View, block: FeatureBlock, runs: Spans, onto: np.ndarray) -> np.ndarray:
        made: np.ndarray = self._features(view, block, runs, len(onto)) @ onto
        return made

    def _features(self, view: View, block: FeatureBlock, runs: Spans, width: int) -> Sparse:
        if block is FeatureBlock.NETWORK:
            return embed_spans(self.network, self.streams[view], runs, self.workers)
        return features(block, self.streams[view], runs, width)

    def _width(self, view: View, block: FeatureBlock) -> int:
        if block is FeatureBlock.NETWORK:
            return self.network.pooling.project.out_features
        vocabulary = self.vocabularies[view]
        widths = {
            FeatureBlock.STEPS: vocabulary.n_transitions,
            FeatureBlock.TEMPO: N_GAPS,
            FeatureBlock.PLACE: vocabulary.n_groups,
        }
        return widths.get(block, vocabulary.n_items)

    def _learning(self, view: View) -> Spans:
        """The users that were not held out and that a view can speak of."""
        runs = latest_views(self.sequences, self.max_length)[
            _spread(np.flatnonzero(~self.population.held_out), LEARNING)
        ]
        return runs[self.streams[view].speaks_of(runs)]

    def _found(self, fitted: Mapping[View, FittedBlocks]) -> dict[float, np.ndarray]:
        """How every query among the users held out is found, by what the network counts."""
        cuts = [cut(self.sequences, self.population.held_out, self.max_length) for cut in CUTS]
        found: dict[float, np.ndarray] = {}
        for share in NETWORK_SHARES if any(cuts) else ():
            heads = {view: one.head(share) for view, one in fitted.items()}
            ranks = [reciprocal_ranks(*self._mixed(heads, pair)) for pair in cuts if pair]
            found[share] = np.concatenate(ranks)
        return found

    def _mixed(self, heads: Mapping[View, ViewHead], parts: Sequence[Spans]) -> list[np.ndarray]:
        """Vectors of several sets of runs, mixed as for segments: views centred, by the roots of weights."""
        runs, usual, views = _joined(parts), ViewWeights(), []
        for view, head in heads.items():
            made = embed_runs(self.network, head, self.streams[view], runs, self.workers)
            known = made.any(axis=1, keepdims=True)
            centre = made.mean(axis=0, where=known) if len(heads) > 1 and known.any() else 0.0
            weight = usual.of(view) * self.streams[view].coverage * SHARES[view]
            views.append(np.float32(np.sqrt(weight)) * normalised((made - centre) * known))
        return np.split(normalised(np.hstack(views)), np.cumsum([len(part) for part in parts])[:-1])

    def _beyond_chance(
        self, fitted: Mapping[View, FittedBlocks], pair: tuple[Spans, Spans]
    ) -> dict[str, tuple[int, int]]:
        """Of what kinds of features how many directions come again in the other part of the same user."""
        found = {}
        for name, (view, blocks) in EVIDENCE.items():
            onto = fitted[view].onto if view in fitted else {}
            present = [block for block in blocks if block in onto]
            if present:
                known = np.logical_and(*(self.streams[view].speaks_of(part) for part in pair))
                if known.sum() < 2:
                    continue
                one, other = (
                    np.hstack([self._components(view, block, part[known], onto[block]) for block in present])
                    for part in pair
                )
                found[name] = directions_beyond_chance(one, other)
        return found

    def _length_r2(self, heads: Mapping[View, ViewHead]) -> float | None:
        """How well the length can be read from the mix linearly, on users held out; None with too few."""
        lengths, population = self.sequences.lengths, self.population
        learns = _spread(population.training, PAIRED)
        judged = np.flatnonzero((lengths >= population.min_views) & population.held_out)
        if len(judged) < FEWEST or np.ptp(lengths[judged]) == 0:
            return None
        latest = latest_views(self.sequences, self.max_length)
        mixed = self._mixed(heads, [latest[learns], latest[judged]])
        read = Ridge(RIDGE).fit(mixed[0], np.log(lengths[learns]))
        return float(read.score(mixed[1], np.log(lengths[judged])))


CUTS: Final = (retrieval_pairs, session_pairs)


def _spread(users: np.ndarray, most: int) -> np.ndarray:
    """At most so many of the users, evenly spread."""
    return users[:: max(1, -(-len(users) // most))]


def _joined(parts: Sequence[Spans]) -> Spans:
    return Spans(
        np.concatenate([part.begin for part in parts]), np.concatenate([part.length for part in parts])
    )


def chosen(found: Mapping[float, np.ndarray], usual: float) -> float:
    """The share whose gain over the usual one is the surest, the usual one where none is sure.

    A gain is the mean of the logarithms of the ranks, less twice its standard error over the queries: ranks
    themselves are so uneven that a few queries would choose.

    Args:
        found: Share → reciprocal rank of each query, float of shape (n,); nothing where nothing was tried.
        usual: Among the shares, where any are.
    """
    sure = {usual: 0.0}
    for share, ranks in found.items():
        gain = np.log(ranks / found[usual])
        sure[share] = float(gain.mean() - SURE * gain.std() / np.sqrt(len(gain)))
    return max(sure, key=lambda share: (sure[share], -abs(share - usual)))
