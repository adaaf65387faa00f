"""A text field for a preference: kept at once, or refused beside the field, where it can be mended."""

from __future__ import annotations

import zlib
from typing import Final

import streamlit as st

from core.base.errors import Beha2VecError
from core.saved import preferences
from pages.ui.shell import errors, state

REFUSED: Final = "refused-"
"""Prefix of the session key that holds a refused text of a preference, and why."""


def text_field(name: str, label: str, placeholder: str) -> None:
    """Draw the field and, below it, why a typed text is not possible."""
    value = str(getattr(preferences.load(state.store()), name))
    key = f"pref-{name}-{zlib.crc32(value.encode())}"  # a fresh field when a preset changes the preference
    with st.container(key=f"field-{name}"):
        shown = st.text_input(
            label, value, key=key, placeholder=placeholder, max_chars=300, on_change=_keep, args=(name, key)
        )
        refused, why = st.session_state.get(REFUSED + name, (None, ""))
        if shown == refused:
            errors.show(why)


def _keep(name: str, key: str) -> None:
    typed = str(st.session_state[key])
    try:
        preferences.change(state.store(), **{name: typed.strip()})
    except Beha2VecError as error:
        st.session_state[REFUSED + name] = (typed, str(error))
