"""All questions of the scorecard, one after the other, in seconds and the same each time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from core.base.progress import Progress
from core.base.schema import View
from core.base.settings import ViewWeights
from core.data.dataset import Dataset, clustered
from core.data.page_labels import LabelledPages
from core.model.bag import is_bag
from core.model.population import choose_users
from core.profiles.outcomes import OutcomeIndex, label_of
from core.segments.combination import combine
from core.trust import length, outcome, retrieval
from core.trust.case import SAMPLE, SEED, Case, drawn, open_case
from core.trust.result import STAGE, Method, Question, Scorecard, Topic

UNLEARNED: Final = "These segments are made of a bag of pages: there is no trained model to compare it with."


def measure(
    dataset: Dataset, labels: LabelledPages | None, model: Path, views: Mapping[View, np.ndarray],
    weights: ViewWeights, chosen: Sequence[str], progress: Progress,
) -> Scorecard:  # fmt: skip
    """Judge the vectors of a model on the data it was trained on, beside those of simple ways.

    Args:
        dataset: The data set.
        labels: Themes and types that the vectors were made by; None where they were made without.
        model: The model's folder; with a bag of pages in it, only its length is judged.
        views: The vectors of all users, float32 of shape (n_users, d) a view.
        weights: How much each view counts.
        chosen: The outcomes, any of which counts; empty for none.
        progress: Where to report; may stop the work.

    Raises:
        ArtifactError: If the model is missing or damaged.
        Cancelled: If ``progress`` says so.
    """
    progress(STAGE, 0.0, "Fitting a bag of pages and transitions")
    inside, population = clustered(dataset.users), choose_users(dataset.sequences)
    sample = drawn(np.flatnonzero(inside), SAMPLE, SEED)
    case = None if is_bag(model) else open_case(dataset, labels, model, views, weights)
    bag = {Method.BAG: combine(views, weights, inside).vectors[sample]} if case is None else {}
    used = case.sampled if case else bag
    worth = _worth(case, OutcomeIndex.of(dataset, labels), chosen, progress)
    progress(STAGE, 0.8, "Reading the length from the vectors")
    lengths = length.measure(used, dataset.sequences.lengths[sample], population.held_out[sample])
    progress(STAGE, 1.0)
    return Scorecard(
        users=int(inside.sum()), learned_from=int(inside[population.training].sum()), weights=weights,
        own=next(iter(used)), outcome=label_of(chosen),
        steps_between=case.steps_between if case else "",
        questions=(*worth, lengths),
    )  # fmt: skip


def _worth(
    case: Case | None, outcomes: OutcomeIndex, chosen: Sequence[str], progress: Progress
) -> tuple[Question, ...]:
    if case is None:
        return tuple(Question(topic=one, absent=UNLEARNED) for one in (Topic.RETRIEVAL, Topic.OUTCOME))
    progress(STAGE, 0.15, "Looking for users by another part of their visits")
    found = retrieval.measure(case)
    progress(STAGE, 0.4, "Telling the outcome from the first page views")
    return found, outcome.measure(case, outcomes, chosen)
