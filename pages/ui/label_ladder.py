"""How far up the ladder to go, and the consent to fetch pages."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import streamlit as st

from core.dataset import Dataset
from core.labels.settings import LabelMode, LabelSettings
from core.labels.stage import llm_cost
from core.llm import LlmSettings
from core.schema import Pages
from pages.ui import errors, label_book, label_jobs, state
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
    st.divider()
    _fetching(dataset, settings)
    return False


def _cost(dataset: Dataset, settings: LabelSettings) -> None:
    """What would be sent, how much of it, and to whom, before anything is."""
    labels = latest_labels(state.store(), dataset.key)
    if labels is None:
        st.caption("Label the pages first: then it can be said what is left to ask.")
        return
    calls = characters = tokens = 0
    for part in llm_cost(dataset, settings, labels):
        calls, characters, tokens = calls + part.calls, characters + part.characters, tokens + part.tokens
    st.markdown(
        f"**{count(calls, 'question')}**, {characters:,} characters out, about {tokens:,} tokens in all. "
        "Titles, paths and your descriptions are sent; no user and no figure is."
    )
    with errors.shown():
        server = LlmSettings.from_environment()
        st.caption(f"To {md_text(server.host)}, model {md_text(server.model)}. “Use this” agrees to it.")


def _fetching(dataset: Dataset, settings: LabelSettings) -> None:
    """Consent for one run, naming the hosts."""
    st.markdown("**Fetch pages**")
    st.caption(
        "Off unless you agree, each time. The most viewed pages of the hosts you choose are read from the "
        "web: slowly, keeping to robots.txt, without logging in, at most 200. What they say of themselves "
        "(product, article, breadcrumbs) is kept for 30 days and decides before the rules do."
    )
    hosts = _hosts(dataset)
    agreed = st.multiselect("I agree to fetch pages from", hosts, key="fetch-hosts", placeholder="No host")
    st.button(
        f"Fetch from {md_text(', '.join(agreed))}" if agreed else "Fetch", key="fetch", disabled=not agreed,
        icon=":material/cloud_download:", on_click=label_jobs.start, args=(dataset.key, settings, agreed),
    )  # fmt: skip


def _hosts(dataset: Dataset) -> list[str]:
    """The hosts of the export, most viewed first."""
    urls = dataset.pages[Pages.PAGE_LOCATION]
    return list(dict.fromkeys(host for url in urls if (host := urlsplit(url).netloc)))[:50]
