"""How far up the ladder to go, and what the last rung would cost."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.dataset import Dataset
from core.labels.llm import Estimate
from core.labels.settings import LabelMode, LabelSettings
from core.labels.stage import llm_cost
from core.llm import LlmSettings
from core.page_labels import LabelledPages
from core.words.privacy import price_of
from pages.ui import errors, label_book, preferences, state
from pages.ui.catalog import latest_labels
from pages.ui.text import count, md_text

MODES: Final = {
    LabelMode.OFF: "Off",
    LabelMode.RULES: "Events and rules",
    LabelMode.AUTO: "+ sentence embedding",
    LabelMode.NLI: "+ entailment model",
    LabelMode.LLM: "+ language model",
}
MEANING: Final = {
    LabelMode.OFF: "Pages get no labels.",
    LabelMode.RULES: "Your corrections, the GA4 events that fire on a page, what fetched pages say of "
    "themselves, and rules on addresses and titles. Instant, and silent where it is not sure.",
    LabelMode.AUTO: "Then a small sentence embedding (MiniLM, on this machine) compares titles with the "
    "descriptions of your themes.",
    LabelMode.NLI: "Then an entailment model decides what is left. Its weights must be on this machine or "
    "be downloaded; minutes for thousands of pages.",
    LabelMode.LLM: "Then a language model is asked about what is left: titles and paths are sent to the "
    "server of your settings (OPENAI_BASE_URL, OPENAI_API_KEY, BEHA2VEC_MODEL).",
}


def ladder_form(dataset: Dataset, settings: LabelSettings) -> bool:
    """Draw the choice; True when the settings were changed just now."""
    mode = st.segmented_control(
        "Who may decide", list(MODES), default=settings.mode, required=True, key="label-mode",
        format_func=lambda mode: MODES[mode],
    )  # fmt: skip
    mode = LabelMode(mode or settings.mode)
    st.caption(MEANING[mode])
    model = settings.nli_model
    if mode is LabelMode.NLI:
        model = st.text_input("Folder or hub id of the model", settings.nli_model, key="nli-model")
    if mode is LabelMode.LLM:
        _cost(dataset, settings)
    with errors.shown():
        different = (mode, model) != (settings.mode, settings.nli_model)
        if st.button("Use this", key="save-ladder", disabled=not different, icon=":material/check:"):
            label_book.change(mode=mode, nli_model=model)
            return True
    return False


def _cost(dataset: Dataset, settings: LabelSettings) -> None:
    """What would be sent, how much of it, and to whom, before anything is."""
    labels = latest_labels(state.store(), dataset.key)
    if labels is None:
        st.caption("Label the pages first: then it can be said what is left to ask.")
        return
    asked = _asked(dataset, settings, labels, labels.key, settings.taxonomy.model_dump_json())
    st.markdown(
        f"**{count(asked.calls, 'question')}**, {asked.characters:,} characters out, about {asked.tokens:,} "
        "tokens in all. Titles, paths and your descriptions are sent; no user and no figure is."
    )
    with errors.shown():
        server = LlmSettings.from_environment()
        st.caption(
            f"To {md_text(server.host)}, model {md_text(server.model)}: {_price(server.model, asked)}. “Use "
            "this” agrees to it."
        )


@st.cache_data(max_entries=16, show_spinner="Counting what is left to ask")
def _asked(
    _dataset: Dataset, _settings: LabelSettings, _labels: LabelledPages, key: str, taxonomy: str
) -> Estimate:
    parts = llm_cost(_dataset, _settings, _labels)
    return Estimate(
        calls=sum(part.calls for part in parts),
        sent=sum(part.sent for part in parts),
        received=sum(part.received for part in parts),
        characters=sum(part.characters for part in parts),
    )


def _price(model: str, asked: Estimate) -> str:
    price = price_of(model, asked.sent, asked.received, preferences.load(state.store()).prices)
    if price is None:
        return "its price is not in the price table"
    return f"about {price:,.2f} US dollars" if price >= 0.01 else "less than a cent"
