"""Whether text may go to a language model: asked before a session's first call, and taken back any time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import streamlit as st

from core.desk import preferences
from core.desk.errand import Errand
from core.llm import LlmSettings
from core.writing.privacy import Payload
from pages.ui.shell import errors, state
from pages.ui.shell.text import count, md_text

DECISIONS: Final = "llm_consent"
TEXT_HEIGHT_PX: Final = 260
VALUES: Final = "Send the figures' values too (off: only their names leave; the app writes the values)"
Decide = Callable[[bool], None]


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


def ask(errand: Errand, decide: Decide, key: str) -> None:
    """Show what would be sent, where to and at what price, and let the analyst decide.

    Args:
        errand: It waits for the decision.
        decide: Called with the decision.
        key: Of the widgets.
    """
    payloads = errand.payloads
    if not payloads:  # decided elsewhere meanwhile
        st.rerun()
    host, many = md_text(payloads[0].host, 80), len(payloads) > 1
    st.markdown(
        f"{count(len(payloads), 'text')} would be sent to **{host}**, word for word:"
        if many
        else f"This text would be sent to **{host}**, word for word:"
    )
    st.code(shown(payloads), language=None, wrap_lines=True, height=TEXT_HEIGHT_PX)
    chosen = preferences.load(state.store())
    field = f"values-{key}"
    st.checkbox(VALUES, chosen.send_values, key=field, on_change=_settle, args=(errand, field))
    st.markdown(
        f"{count(sum(one.characters for one in payloads), 'character')}, about "
        f"{sum(one.tokens for one in payloads):,} tokens. {price(total(payloads))}"
    )
    st.caption(
        "What the model asks to look up follows, under the same rules: no user ids, no rows, no figure of "
        "few users or of all but few. Each look-up, and one chance to correct a mistake, sends all of it "
        f"once more: at most {chosen.max_tokens:,} tokens for one answer. A few short requests of ours, with "
        "your key and nothing of your data, have asked this server what it can. Every request is written "
        "down under Settings, where you can take this back."
    )
    decision_buttons(lambda: decide(True), lambda: decide(False), key)


def _settle(errand: Errand, key: str) -> None:
    with errors.shown():
        errand.settle(preferences.change(state.store(), send_values=bool(st.session_state[key])))


def decision_buttons(agree: Callable[[], None], decline: Callable[[], None], key: str) -> None:
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
