"""How much of each segment another training finds again: an offer, its job, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.base.settings import ViewWeights
from core.runs import pipeline, second_training, tasks
from core.runs.pipeline import Embeddings
from core.runs.tasks import AgainRequest
from core.segments.identity import found_again
from core.segments.partition import Partition
from pages.ui.segments.live_segments import LiveSegments, Sources
from pages.ui.shell import job_panel


def overlap(live: LiveSegments) -> Mapping[int, float]:
    """Segment → Jaccard index with the one most like it after another training; empty until it was asked."""
    made_from = live.sources
    model = pipeline.open_model(made_from.store, made_from.model_key)
    other = second_training.find_again(made_from.store, made_from.dataset, made_from.labels, model)
    if other is None:
        return {}
    partition = live.segmentation.partition
    return _overlap(other.artifact.key, live.steering.weights, partition.digest, other, partition)


def offer(live: LiveSegments) -> None:
    """The button that starts it, or how far it is."""
    made_from, subject = live.sources, f"again {live.sources.model_key}"
    job_panel.result(tasks.TRAIN_AGAIN)  # what it made lies in the store
    if job_panel.panels([tasks.TRAIN_AGAIN], subject):
        return
    st.button(
        "Train once more and compare", key="train_again", icon=":material/model_training:",
        on_click=_start, args=(made_from, subject),
        help="Another seed, everything else as it was; it takes as long as the training did. Your segments "
        "stay as they are. The hardest test: most segments of real sites do not pass it whole.",
    )  # fmt: skip


def _start(made_from: Sources, subject: str) -> None:
    labels = made_from.labels.key if made_from.labels else ""
    request = AgainRequest(dataset=made_from.dataset.key, labels=labels, model=made_from.model_key)
    job_panel.start(tasks.TRAIN_AGAIN, request, subject)


@st.cache_data(max_entries=16, show_spinner=False)
def _overlap(
    embeddings: str, weights: ViewWeights, segments: str, _other: Embeddings, _partition: Partition
) -> Mapping[int, float]:
    return found_again(_partition, pipeline.combine(_other, weights).vectors)
