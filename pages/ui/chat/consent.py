"""Whether text may go to a language model: asked before a session's first call, and taken back any time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import streamlit as st

from core.desk import preferences
from core.llm import LlmSettings
from core.writing.privacy import Payload
from pages.ui.shell import state
from pages.ui.shell.text import count, md_text

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


def ask_aside(payloads: Sequence[Payload], agree: Decide, decline: Decide, dismiss: Decide) -> None:
    """As :func:`ask`, in front of the page; ``dismiss`` is called if it is closed without an answer."""
    st.dialog(
        f"Ask {md_text(payloads[0].model, 60)}?", width="medium", icon=":material/outbox:", on_dismiss=dismiss
    )(ask)(payloads, agree, decline, "aside")


def ask(payloads: Sequence[Payload], agree: Decide, decline: Decide, key: str) -> None:
    """Show what would be sent, where to and at what price, and let the analyst decide.

    Args:
        payloads: The exact messages that it begins with, at least one.
        agree: Called on agreement.
        decline: Called on refusal.
        key: Of the widgets.
    """
    host, many = md_text(payloads[0].host, 80), len(payloads) > 1
    st.markdown(
        f"{count(len(payloads), 'text')} would be sent to **{host}**, word for word:"
        if many
        else f"This text would be sent to **{host}**, word for word:"
    )
    st.code(shown(payloads), language=None, wrap_lines=True, height=TEXT_HEIGHT_PX)
    st.markdown(
        f"{count(sum(one.characters for one in payloads), 'character')}, about "
        f"{sum(one.tokens for one in payloads):,} tokens. {price(total(payloads))}"
    )
    limit = preferences.load(state.store()).max_tokens
    st.caption(
        "What the model asks to look up follows, under the same rules: no user ids, no rows, no figure of "
        f"few users. Each look-up, and one chance to correct a mistake, sends all of it once more: at most "
        f"{limit:,} tokens for one answer. A few short requests of ours, with your key and nothing of your "
        "data, have asked this server what it can. Every request is written down under Settings, where you "
        "can take this back."
    )
    decision_buttons(agree, decline, key)


def decision_buttons(agree: Decide, decline: Decide, key: str) -> None:
    """Yes and No, for this session."""
    with st.container(horizontal=True):
        agreed = st.button(
            "Agree for this session", key=f"agree-{key}", type="primary", icon=":material/check:"
        )
        refused = st.button("No, stay offline", key=f"decline-{key}")
    if agreed or refused:
        (agree if agreed else decline)()
        st.rerun()


def shown(payloads: Sequence[Payload]) -> str:
    """All that would be sent; several texts one after another, each with its number."""
    if len(payloads) == 1:
        return payloads[0].text
    return "\n\n".join(
        f"── Text {number} of {len(payloads)} ──\n\n{one.text}" for number, one in enumerate(payloads, 1)
    )


def total(payloads: Sequence[Payload]) -> float | None:
    """The estimated price of all of them; None if no price is known."""
    amounts = [one.price for one in payloads if one.price is not None]
    return sum(amounts) if len(amounts) == len(payloads) else None


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
