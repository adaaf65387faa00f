"""The page Data: load an export, check what was detected, and see every record accounted for."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Final

import streamlit as st

from core.base.errors import InputError
from core.base.settings import IngestSettings, Preset, TrainSettings
from core.storage.dataset import Dataset
from pages.ui.data import bigquery_form, catalog, forget_view, personal_view, receipt_view, sources
from pages.ui.data.catalog import DatasetCard
from pages.ui.data.prepare_form import look_inside, prepare_form
from pages.ui.periods import drift_view
from pages.ui.segments import session_segments, shared
from pages.ui.shell import errors, job_panel, state
from pages.ui.shell.links import DATA, EXPLORE, LOAD, TIME, TRAINING, button, heading, link
from pages.ui.shell.text import count, md_text
from pages.ui.training.train_form import start_training, usual_expectation
from pages.ui.watch import switch

_PREPARING = ("demo", "preprocess")
_PROMISE = "Beha2Vec reads the order in which people visit your pages, and finds the groups who behave alike."
_WAYS = "Start in one of these ways."
_STAYS = "Nothing leaves this machine."
_NEXT = (
    "Then find the segments (minutes, in the background), steer them on a map, read what sets each one "
    "apart, and take them with you."
)
_FEW: Final = 3
"""Other data sets that are listed without opening the list, at most."""


def main() -> None:
    """Draw running jobs, then the analyst's current step, then earlier data sets."""
    personal_view.take_result()
    _take_trained()
    _take_results()
    found = look_inside()
    dataset = state.dataset()
    cards = catalog.datasets(state.store())
    if found is not None:
        st.title("Check what was found")
    elif dataset is not None:
        heading(DATA)
    else:
        st.title("See who your users are, by what they do")
    busy = job_panel.panels((*_PREPARING, "inspect"))
    if found is not None:
        prepare_form(found, _settings_of(cards, sources.chosen()))
    elif dataset is not None:
        _current(dataset, cards)
    elif not busy:
        st.write(_PROMISE)
        st.caption(_WAYS if bigquery_form.offered() else f"{_WAYS} {_STAYS}")
        _ways_in()
        st.caption(_NEXT)
    if found is None and dataset is None:
        _earlier(cards, dataset)
    if found is None and (cards or forget_view.is_at_work()):
        forget_view.draw()


def _ways_in() -> None:
    """Draw the ways to load data that are installed here."""
    sources.three_ways()
    bigquery_form.offer()


def _take_results() -> None:
    """Open the data set that this session's job has just made, unless another was opened meanwhile."""
    for task in _PREPARING:
        done = job_panel.ended(task)
        if done is not None and job_panel.still_there(task):
            state.select_dataset(done.result["dataset"])
            sources.leave()
            st.rerun()  # the chat beside it is of the data set before


def _settings_of(cards: list[DatasetCard], names: tuple[str, ...]) -> IngestSettings | None:
    """The settings with which the same files were prepared last time."""
    with suppress(InputError):  # they were removed meanwhile
        files = sorted(sources.files(names))
        for card in cards:
            if sorted(sources.read_from(card)) == files:
                return IngestSettings.checked(**card.settings)
    return None


def _current(dataset: Dataset, cards: list[DatasetCard]) -> None:
    facts = dataset.receipt
    card = next((card for card in cards if card.key == dataset.key), None)
    made = f" · prepared {card.made:%d %b %Y %H:%M}" if card else ""
    st.caption(f"{md_text(catalog.title_of(facts))}{made}")
    trains = job_panel.panels(("train",), dataset.key)
    with st.container(horizontal=True, vertical_alignment="center", key="data-actions"):
        if state.model() is not None:
            button(EXPLORE, "See the segments")
        elif not trains:
            _find_segments(dataset)
            _place(cards, dataset)
        there = sources.still_there(card)
        _change_settings(there)
    asked = LOAD in st.query_params
    if asked:
        _load_other(expanded=True)
    personal_view.offer(dataset, tuple(dict.fromkeys((*facts.outcome_pages, *_leaks()))))
    receipt_view.receipt(dataset)
    if not asked:
        _load_other()
    _earlier(cards, dataset)
    switch.offer()
    personal_view.personal(dataset, card, there)


def _find_segments(dataset: Dataset) -> None:
    """Draw the button that trains a model with the usual settings, and the way to choose others."""
    with errors.shown():
        expected = usual_expectation(dataset)
        st.button(
            "Find the segments", type="primary", icon=EXPLORE.icon, key="find-segments", help=expected,
            on_click=start_training, args=(dataset, TrainSettings.preset(Preset.BALANCED)),
        )  # fmt: skip
    link(TRAINING, "Choose how to train")


def _place(cards: list[DatasetCard], dataset: Dataset) -> None:
    """Draw the button that places these users in the segments of the data set that was trained on last."""
    trained = ((card, catalog.models(state.store(), card.key)) for card in cards if card.key != dataset.key)
    card, models = next((pair for pair in trained if pair[1]), (None, []))
    if card is None:
        return
    if st.button(
        "Place them in earlier segments", icon=TIME.icon, key="place-in-earlier",
        help=f"As a later export of {md_text(card.line)}: who moved, and whether to train again.",
    ):  # fmt: skip
        state.select_dataset(card.key)
        state.select_model(models[0].key)
        drift_view.choose_later(models[0].key, dataset.key)
        st.switch_page(TIME.file, query_params={"time-part": drift_view.TITLE})


def _take_trained() -> None:
    """Open the segments of the model that this session's training has just made."""
    done = job_panel.ended("train")
    if done is not None:
        state.take_model(done.result, done.subject, then=EXPLORE.file)


def _load_other(*, expanded: bool = False) -> None:
    with st.expander("Load other data", icon=":material/add_circle:", key="load-other", expanded=expanded):
        _ways_in()


def _leaks() -> tuple[str, ...]:
    """Addresses of pages that give the chosen outcome away, once there is a model."""
    made_from = session_segments.found_sources()
    if made_from is None:
        return ()
    chosen = state.controls(made_from.model_key).outcomes
    return shared.leaks(made_from, shared.usual_or_chosen(made_from, chosen))


def _change_settings(names: tuple[str, ...]) -> None:
    st.button(
        "Change how it was read", icon=":material/tune:", key="change-settings", disabled=not names,
        on_click=sources.choose, args=(names,),
        help=None if names else sources.GONE,
    )  # fmt: skip


def _earlier(cards: list[DatasetCard], dataset: Dataset | None) -> None:
    """Draw other data sets in the cache, to switch to."""
    others = [card for card in cards if dataset is None or card.key != dataset.key]
    if not others:
        return
    shown = dataset is None or len(others) <= _FEW
    with st.expander(f"Prepared earlier ({len(others)})", icon=":material/history:", expanded=shown,
                     key="earlier"):  # fmt: skip
        for card in others:
            _one_earlier(card)


def _one_earlier(card: DatasetCard) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"**{md_text(card.title, 80)}**  \n:small[{_size_and_date(card, card.made)}]")
        st.button(
            "Open", key=f"open-{card.key}", on_click=state.select_dataset, args=(card.key,),
            help=f"Open {md_text(card.line)}", icon=":material/history:",
        )  # fmt: skip


def _size_and_date(card: DatasetCard, made: datetime) -> str:
    models = len(catalog.models(state.store(), card.key))
    parts = [count(card.users, "user"), count(card.page_views, "page view"), f"{made:%d %b %Y %H:%M}",
             f"**{count(models, 'model')}**" if models else "no model yet"]  # fmt: skip
    return " · ".join([*parts, *([md_text(card.choices)] if card.choices else [])])


main()
