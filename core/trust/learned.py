"""The trained model as the scorecard asks it: vectors of runs of page views, views mixed as in the app."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from core.base.schema import View
from core.base.settings import Device, ViewWeights
from core.base.workers import workers
from core.data.sequences import UserSequences
from core.model.counts import positions
from core.model.devices import pick_device
from core.model.embedding import embed_runs
from core.model.head_fitting import HeadFitting
from core.model.inputs import Spans, TokenStreams, latest_views
from core.model.model_files import TrainedModel, load_model
from core.model.population import choose_users
from core.model.training import new_network
from core.model.view_streams import Names, view_streams
from core.segments.combination import calibrate, combine


@dataclass(frozen=True, eq=False)
class Learned:
    """A trained model on the data set it was trained on.

    Args:
        model: The network and its vocabularies.
        sequences: Page views of all users.
        names: What each view calls each page.
        means: What is subtracted from each view, taken over the clustered users.
        weights: How much each view counts.
    """

    model: TrainedModel
    sequences: UserSequences
    names: Names
    means: Mapping[View, np.ndarray]
    weights: ViewWeights

    @classmethod
    def open(
        cls,
        folder: Path,
        sequences: UserSequences,
        names: Names,
        views: Mapping[View, np.ndarray],
        inside: np.ndarray,
        weights: ViewWeights,
    ) -> Learned:
        """Open a model.

        Args:
            folder: The model.
            sequences: Page views of all users.
            names: What each view calls each page.
            views: The vectors of all users, float32 of shape (n_users, d) a view.
            inside: The clustered users, bool of shape (n_users,).
            weights: How much each view counts.

        Raises:
            ArtifactError: If the model is missing or damaged.
        """
        return cls(load_model(folder), sequences, names, calibrate(views, inside).means, weights)

    def before_training(self, users: np.ndarray) -> Learned:
        """Go back to the numbers that the training of the network began with.

        Its heads are fitted as those of the trained one, so that only the training makes a difference.

        Args:
            users: Clustered users, int64 of shape (n,), whose means are subtracted.
        """
        population, model, streams = choose_users(self.sequences), self.model, self._streams
        pages, items = model.vocabularies[View.URL], streams[View.URL].items
        network = new_network(model.settings, pages, items, self.sequences, population).eval()
        with workers(pick_device(Device.CPU)) as threads:
            heads, _ = HeadFitting(
                network, streams, model.vocabularies, self.sequences, population, model.settings, threads
            ).fit()
        begun = replace(self, model=replace(model, network=network, heads=heads))
        views = begun._views(streams, latest_views(self.sequences, self.max_length)[users])
        return replace(begun, means=calibrate(views, np.ones(len(users), dtype=bool)).means)

    @property
    def max_length(self) -> int:
        """Page views that the model reads of one run."""
        return self.model.max_length

    def mix(self, views: Mapping[View, np.ndarray]) -> np.ndarray:
        """One vector a row from the views: float32 of shape (n, d)."""
        present = {view: views[view] for view in self.means}
        return combine(present, self.weights, means=self.means).vectors

    def embed(self, runs: Spans) -> np.ndarray:
        """Vectors of runs, nothing around them being known: float32 of shape (n, d)."""
        return self.mix(self._views(self._streams, runs))

    def embed_shuffled(self, runs: Spans, seed: int) -> np.ndarray:
        """Embed runs with their pages in a random order; the times of the views stay.

        Args:
            runs: Runs that do not overlap.
            seed: Of the order.
        """
        page = shuffled(self.sequences.page, runs, seed)
        return self.mix(self._views(self._tokens(replace(self.sequences, page=page)), runs))

    @cached_property
    def _streams(self) -> Mapping[View, TokenStreams]:
        return self._tokens(self.sequences)

    def _tokens(self, sequences: UserSequences) -> Mapping[View, TokenStreams]:
        return view_streams(sequences, self.names, self.model.vocabularies)

    def _views(self, streams: Mapping[View, TokenStreams], runs: Spans) -> dict[View, np.ndarray]:
        place = pick_device(Device.CPU)  # some thousand short runs: moving them costs more than it saves
        with workers(place) as threads:
            network, heads = self.model.network.to(place), self.model.heads
            return {view: embed_runs(network, heads[view], streams[view], runs, threads) for view in streams}


def shuffled(page: np.ndarray, runs: Spans, seed: int) -> np.ndarray:
    """A copy of all page views with those of each run in a random order.

    Args:
        page: int of shape (n_views,).
        runs: Runs that do not overlap.
        seed: Of the order.
    """
    rows, where, _ = positions(runs)
    order = np.lexsort((np.random.default_rng(seed).random(len(rows)), rows))
    mixed = page.copy()
    mixed[where] = page[where[order]]
    return mixed
