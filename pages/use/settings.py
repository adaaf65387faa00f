"""The page Settings: the language model, what may be sent and spent, every call, and SQL for experts."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.llm import LlmSettings
from core.llm.chat_types import Price
from core.saved import preferences
from core.saved.preferences import Preferences
from pages.ui.chat import chat_message, connection, describe_view, model_form
from pages.ui.chat.connection import Configured
from pages.ui.labels import label_jobs
from pages.ui.shell import errors, state
from pages.ui.shell.links import SETTINGS, SQL, heading, link
from pages.ui.shell.text import md_text


def page() -> None:
    """Draw the page Settings with all its cards."""
    heading(SETTINGS)
    chosen = preferences.load(state.store())
    model_form.draw()
    with st.grid(2, min_column_width=320, key="settings"):
        _limits(chosen)
        with st.container(), errors.shown():
            _consent(connection.usable())
            _price(chosen)
            _experts(chosen)
    chat_message.draw_calls(chosen.prices)


def _limits(chosen: Preferences) -> None:
    with st.container(border=True, key="limits-card"):
        st.subheader("What may be sent and spent", icon=":material/shield:")
        _number(
            "fewest_users", "Fewest users behind a figure", 1, 10_000,
            "A figure of fewer users, or of all of a segment but fewer, never leaves this machine.",
        )  # fmt: skip
        st.toggle(
            connection.VALUES, chosen.send_values, key="pref-send_values", on_change=_keep,
            args=("send_values",),
        )  # fmt: skip
        _number("max_tool_calls", "Look-ups for one answer", 0, 6, "Tools that a model may call.")
        _number("wall_s", "Seconds for one answer", 5.0, 300.0, "Then the rules answer, and say why.")
        _number(
            "max_tokens", "Tokens for one answer", 1_000, 1_000_000, "Sent and received, all calls together."
        )


def _number(name: str, label: str, low: float, high: float, meaning: str) -> None:
    """Draw a number field for a preference, kept at once; ``meaning`` is its help text."""
    value = getattr(preferences.load(state.store()), name)
    st.number_input(
        label, low, high, value, key=f"pref-{name}", help=meaning, on_change=_keep, args=(name,),
        format="%d" if isinstance(low, int) else "%.0f", step=1 if isinstance(low, int) else 5.0,
    )  # fmt: skip


def _keep(name: str) -> None:
    _change(**{name: st.session_state[f"pref-{name}"]})


def _change(**values: Any) -> None:  # noqa: ANN401 - checked by the settings
    with errors.shown():
        preferences.change(state.store(), **values)


def _price(chosen: Preferences) -> None:
    """Draw the prices of a million tokens for the configured model."""
    named = connection.configured()
    if named is None:
        return
    model = named.settings.model
    known = chosen.prices.get(model)
    with st.container(border=True, key="price-card"):
        st.subheader("Price", icon=":material/payments:")
        st.caption(f"US dollars for a million tokens of {md_text(model, 60)}")
        sent, received = st.columns(2)
        fields = {
            "sent": (sent, known.sent if known else None),
            "received": (received, known.received if known else None),
        }
        for name, (place, value) in fields.items():
            place.number_input(
                name.capitalize(), 0.0, 10_000.0, value, key=f"price-{name}-{model}", format="%.3f",
                placeholder="not known", on_change=_keep_price, args=(model,),
            )  # fmt: skip
        if known is None:
            st.caption("No price is known for this model, so none is estimated. 0 for a model of your own.")


def _keep_price(model: str) -> None:
    sent, received = (st.session_state[f"price-{name}-{model}"] for name in ("sent", "received"))
    prices = dict(preferences.load(state.store()).prices)
    prices.pop(model, None)
    if sent is not None or received is not None:
        prices[model] = Price(sent or 0.0, received or 0.0)
    _change(prices=prices)


def _consent(named: Configured | None) -> None:
    with st.container(border=True, key="consent-card"):
        st.subheader("Consent", icon=":material/handshake:")
        decided = connection.given(named.settings) if named else None
        if named is None:
            st.caption("No model, nothing to agree to: nothing is sent.")
        elif decided is None:
            st.caption("Not asked yet. The first question that needs the model shows what would be sent.")
        elif decided:
            st.markdown(f"You agreed, for this session, to ask **{md_text(named.settings.model, 60)}**.")
            st.button(
                "Revoke", key="revoke", icon=":material/undo:", on_click=_take_back, args=(named.settings,),
                help="Stops at once what it is doing. You are asked again before anything else is sent.",
            )  # fmt: skip
        else:
            st.markdown("You chose to stay offline in this session.")
            st.button("Ask me again", key="revoke", icon=":material/undo:", on_click=connection.revoke)


def _take_back(server: LlmSettings) -> None:
    connection.revoke()
    describe_view.stop_all(server)
    with errors.shown():
        label_jobs.stop_asking()


def _experts(chosen: Preferences) -> None:
    with st.container(border=True, key="experts-card"):
        st.subheader("For experts", icon=":material/terminal:")
        st.toggle(
            "SQL over the profiles", chosen.expert_sql, key="pref-expert_sql", on_change=_keep,
            args=("expert_sql",),
            help="Adds a page for one SELECT over the tables behind the profiles: no users, no rows.",
        )  # fmt: skip
        if chosen.expert_sql:
            link(SQL, "Write a query")


with errors.shown():
    page()
