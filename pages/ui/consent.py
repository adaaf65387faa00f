"""Whether text may go to a language model: asked before a session's first call, and taken back any time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from core.llm import LlmSettings
from core.words.privacy import Payload
from pages.ui.text import count, md_text

DECISIONS: Final = "llm_consent"
TEXT_HEIGHT_PX: Final = 260
Decide = Callable[[], None]


def given(settings: LlmSettings) -> bool | None:
    """What was decided in this session about a server and model; None while nothing was."""
    decided: dict[tuple[str, str], bool] = st.session_state.get(DECISIONS, {})
    return decided.get(_about(settings))


def decide(settings: LlmSettings, agreed: bool) -> None:
    """Keep a decision for this session."""
    st.session_state[DECISIONS] = {**st.session_state.get(DECISIONS, {}), _about(settings): agreed}


def revoke() -> None:
    """Forget every decision: the next call asks again."""
    st.session_state.pop(DECISIONS, None)


def ask_aside(payload: Payload, agree: Decide, decline: Decide, dismiss: Decide) -> None:
    """As :func:`ask`, in front of the page; ``dismiss`` is called if it is closed without an answer."""
    st.dialog(
        f"Ask {md_text(payload.model, 60)}?", width="medium", icon=":material/outbox:", on_dismiss=dismiss
    )(ask)(payload, agree, decline, "aside")


def ask(payload: Payload, agree: Decide, decline: Decide, key: str) -> None:
    """Show what would be sent, where to and at what price, and let the analyst decide.

    Args:
        payload: The exact message.
        agree: Called on agreement.
        decline: Called on refusal.
        key: Of the widgets.
    """
    st.markdown(f"This text would be sent to **{md_text(payload.host, 80)}**, and nothing else:")
    st.code(payload.text, language=None, wrap_lines=True, height=TEXT_HEIGHT_PX)
    st.markdown(
        f"{count(payload.characters, 'character')}, about {payload.tokens:,} tokens. {price(payload.price)}"
    )
    st.caption(
        "What the model asks to look up follows, under the same rules: no user ids, no rows, no figure of "
        "few users. Every call is written down under Settings, where you can take this back."
    )
    with st.container(horizontal=True):
        agreed = st.button(
            "Agree for this session", key=f"agree-{key}", type="primary", icon=":material/check:"
        )
        refused = st.button("No, stay offline", key=f"decline-{key}")
    if agreed or refused:
        (agree if agreed else decline)()
        st.rerun()


def price(amount: float | None) -> str:
    """An estimate in words."""
    if amount is None:
        return "No price is known for this model; set it under Settings."
    return f"Estimated price with the answer: {dollars(amount)}."


def dollars(amount: float) -> str:
    """An amount as it is shown: small ones are no zero."""
    if 0 < amount < 0.0001:
        return "under 0.0001 US dollars"
    return f"{amount:.4f} US dollars"


def _about(settings: LlmSettings) -> tuple[str, str]:
    return settings.base_url, settings.model
