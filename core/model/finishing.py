"""The end of a training: whether steady pages help, and whether the length can be read from a view.

Both are decided on users held out. Without these nothing is done, for nobody could say whether it helps.
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
        share = chosen(found)
        finish = Finish(pages if share else None, share)
        readable, erasers = self._lengths(finish)
        report = FinishReport(
            steady_share=share,
            mrr={share: float(ranks.mean()) for share, ranks in found.items()},
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

    def _lengths(self, finish: Finish) -> tuple[list[float], dict[View, LengthEraser]]:
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
        readable = [_read(self._mixed(vectors, 0), self._mixed(vectors, 1), *logs)]
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
        return [*readable, _read(self._mixed(erased, 0), self._mixed(erased, 1), *logs)], erasers

    def _mixed(self, vectors: Mapping[View, tuple[np.ndarray, ...]], part: int) -> np.ndarray:
        """One part of the users, views averaged."""
        width = max(parts[part].shape[1] for parts in vectors.values())
        total = np.zeros((len(vectors[View.URL][part]), width), dtype=np.float32)
        for view, parts in vectors.items():
            total[:, : parts[part].shape[1]] += np.float32(self.weights[view]) * parts[part]
        return normalised(total)

    def _embed(self, view: View, spans: Spans) -> np.ndarray:
        return embed_spans(self.network, view, self.streams[view], spans, self.workers)

    def _finished(self, finish: Finish, view: View, spans: Spans) -> np.ndarray:
        return finish.apply(view, self._embed(view, spans), self.streams[view].items, spans)

    def _n_items(self) -> int:
        return self.network.encoder(View.URL).item.num_embeddings


CUTS: Final = (retrieval_pairs, session_pairs)


def chosen(found: Mapping[float, np.ndarray]) -> float:
    """The share whose gain over none is the surest, 0 where none is sure.

    A gain is the mean of the logarithms of the ranks, less twice its standard error over the queries: ranks
    themselves are so uneven that a few queries would choose.

    Args:
        found: Share → reciprocal rank of each query, float of shape (n,); 0.0 is among them.
    """
    sure = {}
    for share, ranks in found.items():
        gain = np.log(ranks / found[0.0])
        sure[share] = float(gain.mean() - SURE * gain.std() / np.sqrt(len(gain)))
    return max(sure, key=lambda share: (sure[share], -share))


def _read(
    vectors: np.ndarray, judged: np.ndarray, log_lengths: np.ndarray, judged_lengths: np.ndarray
) -> float:
    """R² of a linear read-out of log-length: learnt on some users, judged on others."""
    return float(LinearRegression().fit(vectors, log_lengths).score(judged, judged_lengths))
