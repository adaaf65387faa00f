"""All questions of the scorecard, one after the other, in seconds and the same each time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from core.base.progress import Progress
from core.base.schema import View
from core.data.dataset import Dataset
from core.data.page_labels import LabelledPages
from core.trust import length, outcome, retrieval, stability
from core.trust.case import Case, open_case
from core.trust.result import STAGE, Question, Scorecard


def measure(
    dataset: Dataset,
    labels: LabelledPages | None,
    model: Path,
    views: Mapping[View, np.ndarray],
    n_clusters: int,
    outcome_event: str,
    progress: Progress,
) -> Scorecard:
    """Judge a model on the data it was trained on, beside a bag of pages and transitions.

    Args:
        dataset: The data set.
        labels: Themes and types that the vectors were made by; None where they were made without.
        model: The model's folder.
        views: The vectors of all users, float32 of shape (n_users, d) a view.
        n_clusters: Number of segments for stability.
        outcome_event: The outcome; empty for none.
        progress: Where to report; may stop the work.

    Raises:
        ArtifactError: If the model is missing or damaged.
        Cancelled: If ``progress`` says so.
    """
    progress(STAGE, 0.0, "Fitting a bag of pages and transitions")
    case = open_case(dataset, labels, model, views)
    questions = _answered(case, n_clusters, outcome_event, progress)
    progress(STAGE, 1.0)
    return Scorecard(
        users=int(case.inside.sum()),
        held_out=int((case.inside & case.held_out).sum()),
        n_clusters=n_clusters,
        outcome=outcome_event,
        steps_between=case.steps_between,
        questions=questions,
    )


def _answered(case: Case, n_clusters: int, outcome_event: str, progress: Progress) -> tuple[Question, ...]:
    progress(STAGE, 0.15, "Looking for users by another part of their visits")
    found = retrieval.measure(case)
    progress(STAGE, 0.3, "Telling the outcome from the first page views")
    told = outcome.measure(case, outcome_event)
    progress(STAGE, 0.5, "Clustering halves of the users")
    halves, seeds = stability.measure(case.sampled, n_clusters)
    progress(STAGE, 0.9, "Reading the length from the vectors")
    lengths, held_out = case.sequences.lengths[case.sample], case.held_out[case.sample]
    return found, told, halves, seeds, length.measure(case.sampled, lengths, held_out)
