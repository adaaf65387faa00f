"""The methods that the scorecard compares, and the case (users, held-out users, methods) that it starts from.

- *Learned*: the trained model, with views mixed as in the app, or the model as it was before its training.
- *Steady pages*: a mean of page vectors from linear algebra alone. What a network learns differs from
  training to training; where pages are seen together does not. Page vectors are a truncated SVD of positive
  pointwise mutual information over a wide window, and a page counts less the more often it is viewed (SIF:
  Arora, Liang, Ma 2017). They are centred: without that the mean of many pages points the way of all of them,
  and the length of a visit can be read from it.
- *Transitions*: which kind of page follows which.

Letters: n_users of the data set, n_views their page views.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

from core.base.schema import View
from core.base.settings import Device, ViewWeights
from core.base.workers import workers
from core.model.bag import RANK, BagOfPages
from core.model.embedding import embed_runs
from core.model.feature_blocks import Sparse, bag, normalised, positions, steps, truncated_svd, unit_rows
from core.model.head_fitting import HeadFitting
from core.model.inputs import Names, Spans, TokenStreams, latest_views, view_streams
from core.model.model_files import TrainedModel, load_model
from core.model.network import page_factors
from core.model.population import choose_users
from core.model.steps import pick_device
from core.model.training import new_network
from core.model.trust.result import Method
from core.model.vocabulary import Vocabulary
from core.segments.combination import calibrate, mix_like
from core.storage.dataset import Dataset, is_clustered
from core.storage.page_labels import LabelledPages, page_names
from core.storage.sequences import UserSequences


@dataclass(frozen=True, eq=False)
class Learned:
    """A trained model with the data set it was trained on, and the mix of its views.

    Args:
        model: The network and its vocabularies.
        sequences: Page views of all users.
        names: View → URL, theme or type of each page, by page index.
        means: View → its mean over the clustered users, which is subtracted.
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
        """Read a model from its folder, and measure the means of its views.

        Args:
            folder: The model folder.
            sequences: Page views of all users.
            names: URL, theme or type of each page index in each view.
            views: The vectors of all users, float32 of shape (n_users, d) a view.
            inside: The clustered users, bool of shape (n_users,).
            weights: How much each view counts.

        Raises:
            ArtifactError: If the model is missing or damaged.
        """
        return cls(load_model(folder), sequences, names, calibrate(views, inside).means, weights)

    def before_training(self, users: np.ndarray) -> Learned:
        """Make the same model with the weights that its training began with.

        Its heads are fitted as those of the trained model, so that only the training makes a difference.

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
        """How many page views of a run the model reads."""
        return self.model.max_length

    def mix(self, views: Mapping[View, np.ndarray]) -> np.ndarray:
        """Mix vectors by view, float32 of shape (n, d) each, into combined ones: float32 of shape (n, d)."""
        present = {view: views[view] for view in self.means}
        return mix_like(present, self.weights, self.means)

    def embed(self, runs: Spans) -> np.ndarray:
        """Embed runs without what comes before or after them: float32 of shape (n, d)."""
        return self.mix(self._views(self._streams, runs))

    def embed_shuffled(self, runs: Spans, seed: int) -> np.ndarray:
        """Embed runs with their pages in a random order; the times of the views stay.

        Args:
            runs: Runs that do not overlap.
            seed: Seed of the order.
        """
        page = shuffle_runs(self.sequences.page, runs, seed)
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


def shuffle_runs(page: np.ndarray, runs: Spans, seed: int) -> np.ndarray:
    """Copy all page views, with those of each run in a random order.

    Args:
        page: int of shape (n_views,), page index of each view.
        runs: Runs that do not overlap.
        seed: Seed of the order.
    """
    rows, where, _ = positions(runs)
    order = np.lexsort((np.random.default_rng(seed).random(len(rows)), rows))
    mixed = page.copy()
    mixed[where] = page[where[order]]
    return mixed


_WINDOW: Final = 30
_STEADY_RANK: Final = 128
RARE: Final = 1e-3
"""The share of page views at which a page counts half."""
_BLOCK: Final = 20_000
"""Runs of page views embedded at a time."""


@dataclass(frozen=True, eq=False)
class SteadyPages:
    """Page vectors from co-occurrence, of which a run's vector is the mean.

    Args:
        pages: float32 of shape (n_items, rank), already weighed; zeros for a page that was never seen.
    """

    pages: np.ndarray

    @classmethod
    def fit(cls, items: np.ndarray, n_items: int, runs: Spans) -> SteadyPages:
        """Fit page vectors to the co-occurrence of pages in runs.

        Args:
            items: int of shape (n_views,), item of each page view, users one after the other.
            n_items: Number of item ids.
            runs: One run a user.
        """
        users, where, _ = positions(runs)
        viewed = items[where]
        factors = normalised(page_factors(viewed, users, n_items, _WINDOW, min(_STEADY_RANK, n_items - 1)))
        share = np.bincount(viewed, minlength=n_items) / max(1, len(viewed))
        weight = factors.any(axis=1) * RARE / (RARE + share)
        counted = weight * share
        centre = counted @ factors / max(counted.sum(), 1e-12)
        return cls((weight[:, None] * (factors - centre)).astype(np.float32))

    def embed(self, items: np.ndarray, runs: Spans) -> np.ndarray:
        """Mean page vectors of runs: float32 of shape (n, rank), of length 1; zeros without a known page."""
        vectors = np.zeros((len(runs), self.pages.shape[1]), dtype=np.float32)
        for start in range(0, len(runs), _BLOCK):
            block = slice(start, start + _BLOCK)
            vectors[block] = normalised(bag(items, len(self.pages), runs[block]) @ self.pages)
        return vectors


@dataclass(frozen=True, eq=False)
class TransitionVectors:
    """Vectors of steps between kinds of page: square roots of counts, reduced by a truncated SVD.

    Args:
        n_kinds: Number of kinds.
        onto: float32 of shape (n_kinds², rank).
    """

    n_kinds: int
    onto: np.ndarray

    @classmethod
    def fit(cls, kinds: np.ndarray, n_kinds: int, runs: Spans, rank: int = RANK) -> TransitionVectors:
        """Fit the truncated SVD to the steps in runs of page views.

        Args:
            kinds: int of shape (n_views,), the kind of every page view, 0 to n_kinds − 1.
            n_kinds: Number of kinds.
            runs: One run a user.
            rank: Length of a vector; less where there are fewer pairs of kinds.
        """
        return cls(n_kinds, truncated_svd(_rows(kinds, n_kinds, runs), rank))

    def embed(self, kinds: np.ndarray, runs: Spans) -> np.ndarray:
        """Embed runs by their steps: float32 of shape (n, rank); zeros for a run without a step."""
        return normalised(_rows(kinds, self.n_kinds, runs) @ self.onto)


def _rows(kinds: np.ndarray, n_kinds: int, runs: Spans) -> Sparse:
    return unit_rows(steps(kinds, n_kinds, runs).sqrt())


SAMPLE: Final = 20_000
"""Most users that the simple methods learn from, and that figures are measured on."""
SEED: Final = 0
NOTHING_HELD_OUT: Final = (
    "The data set is so small that the model learned from every user: none is left to judge it on."
)


@dataclass(frozen=True, eq=False)
class Case:
    """A data set and a model with all methods that the scorecard compares, fitted.

    Args:
        dataset: The data set.
        views: The vectors of all users, float32 of shape (n_users, d) a view.
        inside: The clustered users, bool of shape (n_users,).
        held_out: Users that training left out, bool of shape (n_users,).
        sample: Clustered users, int64, ascending, at most :data:`SAMPLE`.
        learned: The model.
        items: int of shape (n_views,), token id of every page view in the model's url view.
        bag: Bag of pages, learned without the users held out.
        steady: Steady pages, learned without the users held out.
        kinds: int of shape (n_views,), the kind of page of every page view.
        transitions: Steps between kinds, learned without the users held out.
        steps_between: What the kinds are: "types", or "groups" where pages have no types.
    """

    dataset: Dataset
    views: Mapping[View, np.ndarray]
    inside: np.ndarray
    held_out: np.ndarray
    sample: np.ndarray
    learned: Learned
    items: np.ndarray
    bag: BagOfPages
    steady: SteadyPages
    kinds: np.ndarray
    transitions: TransitionVectors
    steps_between: str

    @property
    def sequences(self) -> UserSequences:
        """Page views of all users."""
        return self.dataset.sequences

    def embed(self, runs: Spans) -> dict[Method, np.ndarray]:
        """Embed runs by all methods but the shuffled one: float32 of shape (n, d), of length 1."""
        return {Method.LEARNED: self.learned.embed(runs)} | self._others(runs)

    @cached_property
    def untrained(self) -> Learned:
        """The network of this model with the weights from before its training."""
        return self.learned.before_training(self.sample)

    @cached_property
    def sampled(self) -> dict[Method, np.ndarray]:
        """Vectors of the sampled users by each method, from all that the model reads of them."""
        runs = latest_views(self.sequences, self.learned.max_length)[self.sample]
        learned = self.learned.mix({view: array[self.sample] for view, array in self.views.items()})
        return {Method.LEARNED: learned} | self._others(runs)

    def _others(self, runs: Spans) -> dict[Method, np.ndarray]:
        return {
            Method.UNTRAINED: self.untrained.embed(runs),
            Method.STEADY: self.steady.embed(self.items, runs),
            Method.BAG: self.bag.embed(self.items, runs),
            Method.TRANSITIONS: self.transitions.embed(self.kinds, runs),
        }


def open_case(
    dataset: Dataset, labels: LabelledPages | None, model: Path, views: Mapping[View, np.ndarray],
    weights: ViewWeights,
) -> Case:  # fmt: skip
    """Read a model and fit the simple methods beside it.

    Args:
        dataset: The data set that the model was trained on.
        labels: Themes and types of its pages; None where there are none.
        model: The model's folder.
        views: The vectors of all users, float32 of shape (n_users, d) a view.
        weights: How much each view counts.

    Raises:
        ArtifactError: If the model is missing or damaged, or was trained with labels that are not given.
    """
    sequences, inside = dataset.sequences, is_clustered(dataset.users)
    names = page_names(dataset.pages, labels)
    learned = Learned.open(model, sequences, names, views, inside, weights)
    held_out = choose_users(sequences).held_out
    sample = draw_users(np.flatnonzero(inside), SAMPLE, SEED)
    runs = latest_views(sequences, learned.max_length)[sample[~held_out[sample]]]
    vocabulary = learned.model.vocabularies[View.URL]
    assert isinstance(vocabulary, Vocabulary)  # for the type checker
    kind_of, n_kinds, between = _kinds(vocabulary, names, labels)
    items, kinds = vocabulary.item_ids(names[View.URL])[sequences.page], kind_of[sequences.page]
    return Case(
        dataset=dataset,
        views=views,
        inside=inside,
        held_out=held_out,
        sample=sample,
        learned=learned,
        items=items,
        bag=BagOfPages.fit(items, vocabulary.n_items, runs),
        steady=SteadyPages.fit(items, vocabulary.n_items, runs),
        kinds=kinds,
        transitions=TransitionVectors.fit(kinds, n_kinds, runs),
        steps_between=between,
    )


def draw_users(users: np.ndarray, most: int, seed: int) -> np.ndarray:
    """Draw at most ``most`` of the users at random, ascending; all where there are no more."""
    if len(users) <= most:
        return users
    chosen: np.ndarray = np.sort(np.random.default_rng(seed).choice(users, most, replace=False))
    return chosen


def _kinds(vocabulary: Vocabulary, names: Names, labels: LabelledPages | None) -> tuple[np.ndarray, int, str]:
    """The kind of each page, the number of kinds, and what they are: "types" or "groups"."""
    if labels is not None:
        distinct, numbers = np.unique(np.array(names[View.TYPE], dtype=object), return_inverse=True)
        if len(distinct) > 1:
            return numbers, len(distinct), "types"
    return vocabulary.group_ids(names[View.URL]), len(vocabulary.groups) + 1, "groups"
