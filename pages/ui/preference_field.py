"""A text field for a preference: kept at once, or refused beside the field."""

from __future__ import annotations

import zlib
from typing import Final

import streamlit as st

from core.errors import Beha2VecError
from pages.ui import errors, preferences, state

REFUSED: Final = "refused-"
"""Before the name of a preference: how often what was typed was refused, and why the last time."""


def text_field(name: str, label: str, placeholder: str) -> None:
    """Draw the field, and below it why what was typed is not possible."""
    value = str(getattr(preferences.load(state.store()), name))
    times, problem = _refused(name)
    # a field keeps what was typed into it: it gets a fresh one after a refusal, and when a preset changes it
    key = f"pref-{name}-{zlib.crc32(value.encode())}-{times}"
    with st.container(key=f"field-{name}"):
        st.text_input(
            label, value, key=key, placeholder=placeholder, max_chars=300, on_change=_keep, args=(name, key)
        )
        if problem:
            errors.show(problem)


def forget(name: str) -> None:
    """Take the refusal off the page: the preference was set in another way."""
    st.session_state.pop(REFUSED + name, None)


def _refused(name: str) -> tuple[int, str]:
    refused: tuple[int, str] = st.session_state.get(REFUSED + name, (0, ""))
    return refused


def _keep(name: str, key: str) -> None:
    times, _ = _refused(name)
    problem = ""
    try:
        preferences.change(state.store(), **{name: str(st.session_state.pop(key)).strip()})
    except Beha2VecError as error:
        times, problem = times + 1, str(error)
    st.session_state[REFUSED + name] = (times, problem)
