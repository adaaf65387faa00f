"""The page Training: a preset or every setting, live curves, and the models trained before."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from core.runs.jobs import JobView
from core.storage.dataset import Dataset
from pages.ui.data import catalog
from pages.ui.data.catalog import ModelCard
from pages.ui.shell import errors, job_panel, state
from pages.ui.shell.links import EXPLORE, TRAINING, button, heading
from pages.ui.training import curves
from pages.ui.training.train_form import offer_to_go_on, start_training, stopped_training, train_form


def main() -> None:
    """Draw the page: the running training, or its result and the form for another one."""
    _take_result()
    heading(TRAINING)
    dataset = state.dataset()
    if dataset is None:
        state.need(model=False)
        return
    stopped = stopped_training(dataset.key)
    if job_panel.panels(("train",), dataset.key, _live):
        return
    if stopped is not None:
        offer_to_go_on(stopped)
    _current_model()
    with st.container(border=True, key="train"):
        st.subheader("Train another model" if state.model() else "Train a model")
        _form(dataset)
    _earlier(dataset)


def _take_result() -> None:
    done = job_panel.ended("train")
    if done is not None:
        state.take_model(done.result, done.subject)


@st.fragment
def _form(dataset: Dataset) -> None:
    run = state.model()
    kind: Literal["primary", "secondary"] = "secondary" if run else "primary"  # one main button a page
    with errors.shown():
        settings = train_form(dataset, run.settings if run else None)
        if st.button("Train", type=kind, icon=":material/play_arrow:", key="start-training"):
            start_training(dataset, settings)
            st.rerun()


def _live(view: JobView) -> None:
    """Draw the figures and curves of a running training."""
    curves.live_figures(view)
    curves.curves(job_panel.figures(view), key=f"live-{view.id}")


def _current_model() -> None:
    run = state.model()
    if run is None:
        return
    with st.container(border=True, key="current-model"):
        st.subheader("The current model")
        curves.summary(run.settings, run.report, run.key)
        button(EXPLORE, "See the segments")


def _earlier(dataset: Dataset) -> None:
    run = state.model()
    others = [
        card for card in catalog.models(state.store(), dataset.key) if run is None or card.key != run.key
    ]
    if not others:
        return
    with st.container(border=True, key="earlier-models"):
        st.subheader("Other models of this data set")
        for card in others:
            _one_earlier(card)


def _one_earlier(card: ModelCard) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.write(card.line)
        st.button(
            "Use",
            key=f"use-{card.key}",
            on_click=state.select_model,
            args=(card.key,),
            icon=":material/history:",
        )


main()
