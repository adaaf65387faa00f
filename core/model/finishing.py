"""The end of a training: whether steady pages help, what labels count, whether the length can be read.

All is decided on users held out. Without these nothing is done, for nobody could say whether it helps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from sklearn.linear_model import LinearRegression
from threadpoolctl import threadpool_limits

from core.base.schema import View
from core.base.workers import Workers
from core.data.sequences import UserSequences
from core.model.counts import normalised
from core.model.embedding import embed_spans
from core.model.finish import Finish, beside
from core.model.inputs import Spans, TokenStreams, latest_views
from core.model.length_eraser import LengthEraser
from core.model.model_files import FinishReport
from core.model.network import UserBehaviorTransformer
from core.model.population import Population
from core.model.steady import SteadyPages
from core.model.validation import reciprocal_ranks, retrieval_pairs, session_pairs

SHARES: Final = (0.2, 0.35, 0.5, 0.65)
LABEL_SHARES: Final = (1.0, 0.7, 0.5, 0.35, 0.25)
"""Of what labels count at the analyst's weights; never none: they tell segments apart."""
SURE: Final = 2.0
"""Standard errors that a gain must exceed; with 1 the demo shop took a share that cost it ARI."""
READABLE: Final = 0.3
"""R² of log-length in the mix, on users held out, from which on it is taken out of the views that have as
much. Below, the cure costs more: with .11 on the demo shop, a view's eraser took .05 of the ARI."""
SAMPLE: Final = 20_000
"""Users that the eraser learns from, at most."""
FEWEST: Final = 50
"""Users held out to judge the length on."""


@dataclass(frozen=True, eq=False)
class Finished:
    """A trained network, and who it can be judged on.

    Args:
        network: The network.
        streams: Tokens of each view.
        sequences: Page views of all users.
        population: Who trained, and who was held out.
        weights: How much each view counts in the mix.
        max_length: Page views that the model reads.
        workers: What computes.
    """

    network: UserBehaviorTransformer
    streams: Mapping[View, TokenStreams]
    sequences: UserSequences
    population: Population
    weights: Mapping[View, float]
    max_length: int
    workers: Workers

    def fit(self) -> tuple[Finish, FinishReport | None]:
        """Decide, and learn what was decided."""
        cuts = [cut(self.sequences, self.population.held_out, self.max_length) for cut in CUTS]
        pairs = [pair for pair in cuts if pair]
        if not pairs:
            return Finish(), None
        with threadpool_limits(1):  # more threads add up in another order
            return self._decided(pairs)

    def _decided(self, pairs: list[tuple[Spans, Spans]]) -> tuple[Finish, FinishReport]:
        pages, found = self._steady(pairs)
        share = chosen(found, 0.0)
        finish = Finish(pages if share else None, share)
        labels = self._labels(pairs, finish)
        label_share = chosen(labels, 1.0)
        readable, erasers = self._lengths(finish, label_share)
        report = FinishReport(
            steady_share=share,
            mrr=_means(found),
            label_share=label_share,
            label_mrr=_means(labels),
            length_r2=tuple(readable),
            length_erased=tuple(erasers),
        )
        return Finish(finish.pages, share, erasers), report

    def _steady(self, pairs: list[tuple[Spans, Spans]]) -> tuple[SteadyPages, dict[float, np.ndarray]]:
        """Page vectors of all but the users held out, and how each share of them finds every query."""
        items, users = self.streams[View.URL].items, self.sequences.user
        seen = ~self.population.held_out[users]
        pages = SteadyPages.fit(items[seen], users[seen], self._n_items())
        found: dict[float, list[np.ndarray]] = {share: [] for share in (0.0, *SHARES)}
        for pair in pairs:
            learned = [self._embed(View.URL, part) for part in pair]
            steady = [pages.embed(items, part) for part in pair]
            for share, ranks in found.items():
                query, answer = (beside(*both, share) for both in zip(learned, steady, strict=True))
                ranks.append(reciprocal_ranks(query, answer))
        return pages, {share: np.concatenate(ranks) for share, ranks in found.items()}

    def _labels(self, pairs: list[tuple[Spans, Spans]], finish: Finish) -> dict[float, np.ndarray]:
        """How the mix finds every query where labels count so much; nothing without labels."""
        if len(self.streams) == 1:
            return {}
        found: dict[float, list[np.ndarray]] = {share: [] for share in LABEL_SHARES}
        for pair in pairs:
            vectors = {
                view: tuple(self._finished(finish, view, part) for part in pair) for view in self.streams
            }
            for share, ranks in found.items():
                ranks.append(reciprocal_ranks(*self._mixed(vectors, share)))
        return {share: np.concatenate(ranks) for share, ranks in found.items()}

    def _lengths(self, finish: Finish, label_share: float) -> tuple[list[float], dict[View, LengthEraser]]:
        """How well the length can be read from the mix, before and after, and what takes it out."""
        lengths, population = self.sequences.lengths, self.population
        learns = population.training[:: -(-len(population.training) // SAMPLE)]
        judged = np.flatnonzero((lengths >= population.min_views) & population.held_out)
        logs = np.log(lengths[learns]), np.log(lengths[judged])
        if len(judged) < FEWEST or np.ptp(logs[1]) == 0:
            return [], {}
        latest = latest_views(self.sequences, self.max_length)
        vectors = {
            view: tuple(self._finished(finish, view, latest[users]) for users in (learns, judged))
            for view in self.streams
        }
        readable = [_read(*self._mixed(vectors, label_share), *logs)]
        if readable[0] <= READABLE:
            return readable, {}
        erasers = {
            view: LengthEraser.fit(parts[0][parts[0].any(axis=1)], logs[0][parts[0].any(axis=1)])
            for view, parts in vectors.items()
            if _read(parts[0], parts[1], *logs) > READABLE
        }
        erased = {
            view: tuple(erasers[view].erase(part) if view in erasers else part for part in parts)
            for view, parts in vectors.items()
        }
        after = _read(*self._mixed(erased, label_share), *logs)
        return ([*readable, after], erasers) if after < readable[0] else (readable, {})

    def _mixed(
        self, vectors: Mapping[View, tuple[np.ndarray, ...]], label_share: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Both parts of the users in the mix of the segments: views centred, by the roots of weights."""
        if len(vectors) == 1:
            first, second = vectors[View.URL]
            return first, second
        together = {view: np.concatenate(parts) for view, parts in vectors.items()}
        rows, width = len(together[View.URL]), max(one.shape[1] for one in together.values())
        total = np.zeros((rows, width), dtype=np.float32)
        for view, one in together.items():
            known = one.any(axis=1, keepdims=True)
            if not known.any():
                continue
            centred = normalised((one - one.mean(axis=0, where=known)) * known)
            weight = self.weights[view] * (1.0 if view is View.URL else label_share)
            total[:, : one.shape[1]] += np.float32(np.sqrt(weight)) * centred
        split = len(vectors[View.URL][0])
        return normalised(total[:split]), normalised(total[split:])

    def _embed(self, view: View, spans: Spans) -> np.ndarray:
        return embed_spans(self.network, view, self.streams[view], spans, self.workers)

    def _finished(self, finish: Finish, view: View, spans: Spans) -> np.ndarray:
        return finish.apply(view, self._embed(view, spans), self.streams[view].items, spans)

    def _n_items(self) -> int:
        return self.network.encoder(View.URL).item.num_embeddings


CUTS: Final = (retrieval_pairs, session_pairs)


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


def _means(found: Mapping[float, np.ndarray]) -> dict[float, float]:
    return {share: float(ranks.mean()) for share, ranks in found.items()}


def _read(
    vectors: np.ndarray, judged: np.ndarray, log_lengths: np.ndarray, judged_lengths: np.ndarray
) -> float:
    """R² of a linear read-out of log-length: learnt on some users, judged on others."""
    return float(LinearRegression().fit(vectors, log_lengths).score(judged, judged_lengths))
