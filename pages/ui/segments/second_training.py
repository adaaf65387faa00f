"""How much of each segment another training finds again: an offer, its job, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.base.settings import ViewWeights
from core.runs import pipeline, tasks
from core.runs.second_training import find_again, open_again
from core.runs.tasks import AgainRequest
from core.segments.identity import found_again
from core.segments.partition import Partition
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.segments.made_from import Sources
from pages.ui.shell import job_panel, state


def overlap(live: LiveSegments) -> Mapping[int, float]:
    """Segment → Jaccard index with the one most like it after another training; empty until it was asked.

    Raises:
        InputError: If the other training leads to no segments.
        ArtifactError: If what it left is damaged.
    """
    made_from, run = live.sources, state.model()
    assert run is not None  # segments are on screen
    key = find_again(made_from.store, made_from.dataset, made_from.labels, run.settings)
    partition = live.segmentation.partition
    return _overlap(key, live.steering.weights, partition.digest, made_from, partition) if key else {}


def offer(live: LiveSegments) -> None:
    """The button that starts it, or how far it is."""
    made_from, subject = live.sources, f"again {live.sources.model_key}"
    job_panel.result(tasks.TRAIN_AGAIN)  # what it made lies in the store
    if job_panel.panels([tasks.TRAIN_AGAIN], subject):
        return
    st.button(
        "Train once more and compare", key="train_again", icon=":material/model_training:",
        on_click=_start, args=(made_from, subject),
        help="Another seed, the same settings, and the labels as they are now; it takes as long as the "
        "training did. Your segments stay as they are.",
    )  # fmt: skip


def _start(made_from: Sources, subject: str) -> None:
    request = AgainRequest(
        dataset=made_from.dataset.key, labels=made_from.label_key, model=made_from.model_key
    )
    job_panel.start(tasks.TRAIN_AGAIN, request, subject)


@st.cache_data(max_entries=16, show_spinner=False)
def _overlap(
    key: str, weights: ViewWeights, segments: str, _made_from: Sources, _partition: Partition
) -> Mapping[int, float]:
    other = open_again(_made_from.store, _made_from.dataset, key)
    return found_again(_partition, pipeline.combine(other, weights).vectors)
