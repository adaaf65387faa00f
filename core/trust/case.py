"""What every question of the scorecard starts from: the users, who is held out, and the ways compared.

Letters: n_users of the data set, n_views their page views.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

from core.base.schema import View
from core.base.settings import ViewWeights
from core.data.dataset import Dataset, clustered
from core.data.page_labels import LabelledPages, page_names
from core.data.sequences import UserSequences
from core.model.bag import BagOfPages
from core.model.inputs import Spans, latest_views
from core.model.population import choose_users
from core.model.view_streams import Names
from core.model.vocabulary import Vocabulary
from core.trust.learned import Learned
from core.trust.result import Method
from core.trust.steady import SteadyPages
from core.trust.transitions import TransitionVectors

SAMPLE: Final = 20_000
"""Users that the simple ways learn from and that figures are taken on, at most."""
SEED: Final = 0
NOTHING_HELD_OUT: Final = (
    "The data set is so small that the model learned from every user: none is left to judge it on."
)


@dataclass(frozen=True, eq=False)
class Case:
    """A data set and a model, ready to be asked.

    Args:
        dataset: The data set.
        views: The vectors of all users, float32 of shape (n_users, d) a view.
        inside: The clustered users, bool of shape (n_users,).
        held_out: Users that training left out, bool of shape (n_users,).
        sample: Clustered users, int64, ascending, at most :data:`SAMPLE`.
        learned: The model.
        items: int of shape (n_views,), the page of every page view as the model's url view names it.
        bag: A bag of these, learned without the users held out.
        steady: Steady pages of these, learned without the users held out.
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
        """Vectors of runs by all ways but shuffled ones: float32 of shape (n, d), of length 1."""
        return {Method.LEARNED: self.learned.embed(runs)} | self._others(runs)

    @cached_property
    def untrained(self) -> Learned:
        """The model before its training."""
        return self.learned.before_training(self.sample)

    @cached_property
    def sampled(self) -> dict[Method, np.ndarray]:
        """Vectors of the sample, made from all that the model reads of each user."""
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
    """Open a model and fit the simple ways beside it.

    Args:
        dataset: The data set that the model was trained on.
        labels: Themes and types of its pages; None where there are none.
        model: The model's folder.
        views: The vectors of all users, float32 of shape (n_users, d) a view.
        weights: How much each view counts.

    Raises:
        ArtifactError: If the model is missing or damaged, or was trained with labels that are not given.
    """
    sequences, inside = dataset.sequences, clustered(dataset.users)
    names = page_names(dataset.pages, labels)
    learned = Learned.open(model, sequences, names, views, inside, weights)
    held_out = choose_users(sequences).held_out
    sample = drawn(np.flatnonzero(inside), SAMPLE, SEED)
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


def drawn(users: np.ndarray, most: int, seed: int) -> np.ndarray:
    """Some of the users by chance, ascending; all where there are no more than that."""
    if len(users) <= most:
        return users
    chosen: np.ndarray = np.sort(np.random.default_rng(seed).choice(users, most, replace=False))
    return chosen


def _kinds(vocabulary: Vocabulary, names: Names, labels: LabelledPages | None) -> tuple[np.ndarray, int, str]:
    """The kind of each page, how many kinds there are, and what they are."""
    if labels is not None:
        distinct, numbers = np.unique(np.array(names[View.TYPE], dtype=object), return_inverse=True)
        if len(distinct) > 1:
            return numbers, len(distinct), "types"
    return vocabulary.group_ids(names[View.URL]), len(vocabulary.groups) + 1, "groups"
