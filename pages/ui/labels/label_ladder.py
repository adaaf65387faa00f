"""How far up the ladder to go, and what the last rung would cost."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.data.dataset import Dataset
from core.desk import label_book
from core.labels.label_settings import LabelMode, LabelSettings
from pages.ui.chat import connection
from pages.ui.data.catalog import latest_labels
from pages.ui.labels import label_asking
from pages.ui.shell import errors, state
from pages.ui.shell.links import SETTINGS, link
from pages.ui.shell.text import md_text

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
    "server of your settings.",
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
            label_book.change(state.store(), mode=mode, nli_model=model)
            return True
    return False


def _cost(dataset: Dataset, settings: LabelSettings) -> None:
    """What would be sent, how much of it, and to whom, before anything is."""
    labels = latest_labels(state.store(), dataset.key)
    if labels is None:
        st.caption("Label the pages first: then it can be said what is left to ask.")
        return
    asked = label_asking.estimate(dataset, settings, labels)
    st.markdown(label_asking.size(asked))
    named = connection.usable()
    if named is None:
        st.caption("No model is connected, so nobody would be asked.")
        link(SETTINGS, "Connect one")
        return
    server, price = named.settings, label_asking.price(named.settings.model, asked)
    st.caption(
        f"To {md_text(server.host)}, model {md_text(server.model)}. Price: {price}. Before "
        "anything is sent, you are shown the words and asked."
    )
