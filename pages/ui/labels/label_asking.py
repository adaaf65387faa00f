"""What a language model would be asked about labels: how much, at what price, in which words.

Asked for here as everywhere: once a session, before anything is sent, and taken back under Settings.
"""

from __future__ import annotations

import streamlit as st

from core.data.dataset import Dataset
from core.data.page_labels import LabelledPages
from core.desk import preferences
from core.labels.label_settings import LabelSettings
from core.labels.labelling import llm_cost
from core.labels.llm_classifier import FEWEST_USERS, Estimate
from core.llm import LlmSettings
from core.writing.privacy import price_of
from pages.ui.chat import consent
from pages.ui.labels import label_jobs
from pages.ui.shell import errors, state
from pages.ui.shell.text import count, md_text


def card(dataset: Dataset, settings: LabelSettings, labels: LabelledPages) -> None:
    """Ask whether a model may be asked about what is left; nothing where that is decided, or nothing is left.

    Args:
        dataset: The cleaned export.
        settings: With the taxonomy.
        labels: As they are without the model.
    """
    server = label_jobs.named(settings)
    if server is None or consent.given(server):
        return
    if consent.given(server) is False:
        st.caption(
            ":material/cloud_off: You chose to stay offline in this session: no language model is asked."
        )
        return
    with errors.shown():
        asked = estimate(dataset, settings, labels)
        if not asked.calls:
            return
        with st.container(border=True, key="label-consent"):
            st.subheader(f"Ask {md_text(server.model, 60)}?", icon=":material/outbox:")
            st.markdown(f"{size(asked)} The first question to **{md_text(server.host, 80)}**, word for word:")
            st.code(asked.first, language=None, wrap_lines=True, height=consent.TEXT_HEIGHT_PX)
            st.caption(
                f"The others are like it, about other pages. Price of all: {price(server.model, asked)}. "
                "With each goes the form of its answer. Every request is written down under Settings, where "
                "you can take this back."
            )
            consent.decision_buttons(
                lambda: _agree(server, dataset, settings), lambda: consent.decide(server, False), "labels"
            )


def size(asked: Estimate) -> str:
    """How much would be asked, and what it is about."""
    return (
        f"**{count(asked.calls, 'question')}**, {asked.characters:,} characters out, about {asked.tokens:,} "
        "tokens in all. Your descriptions are sent, and paths and titles of pages, of those that at least "
        f"{FEWEST_USERS} users saw; no user and no figure is."
    )


def price(model: str, asked: Estimate) -> str:
    """Of all questions and their answers, in words."""
    amount = price_of(model, asked.sent, asked.received, preferences.load(state.store()).prices)
    if amount is None:
        return "not in the price table"
    return f"about {amount:,.2f} US dollars" if amount >= 0.01 else "less than a cent"


def estimate(dataset: Dataset, settings: LabelSettings, labels: LabelledPages) -> Estimate:
    """What is left to ask, for themes and types together."""
    return _estimate(dataset, settings, labels, labels.key, settings.taxonomy.model_dump_json())


@st.cache_data(max_entries=16, show_spinner="Counting what is left to ask")
def _estimate(
    _dataset: Dataset, _settings: LabelSettings, _labels: LabelledPages, key: str, taxonomy: str
) -> Estimate:
    parts = llm_cost(_dataset, _settings, _labels)
    return Estimate(
        calls=sum(part.calls for part in parts),
        sent=sum(part.sent for part in parts),
        received=sum(part.received for part in parts),
        characters=sum(part.characters for part in parts),
        first=next((part.first for part in parts if part.first), ""),
    )


def _agree(server: LlmSettings, dataset: Dataset, settings: LabelSettings) -> None:
    consent.decide(server, True)
    label_jobs.start(dataset.key, settings)
