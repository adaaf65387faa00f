"""Errands of all sessions, kept for the whole process, so that F5 and another page find them again."""

from __future__ import annotations

import weakref
from typing import Final, TypeVar

import streamlit as st

from core.desk.errand import Errand
from core.llm import LlmSettings

BEGUN: Final = "errands_begun"

E_co = TypeVar("E_co", bound=Errand)


def current(kind: type[E_co], name: str) -> E_co | None:
    """The errand of a name that goes on, or whose outcome could not be kept."""
    found = _errands().get((kind, name))
    return found if isinstance(found, kind) and (not found.done or found.problem) else None


def begin(name: str, errand: Errand) -> None:
    """Keep an errand under a name, and start it."""
    known = _errands()
    for key in [key for key, one in known.items() if one.done]:
        known.pop(key, None)
    known[(type(errand), name)] = errand
    st.session_state.setdefault(BEGUN, weakref.WeakSet()).add(errand)
    errand.begin()


def is_own(errand: Errand) -> bool:
    """Whether this session began it: what one session decides is no answer to what another one asks."""
    return errand in st.session_state.get(BEGUN, ())


def stop_all(server: LlmSettings) -> None:
    """Stop whatever a model is doing, in every session: one who takes consent back wants nothing sent."""
    for errand in list(_errands().values()):
        if errand.server.identity == server.identity and not errand.done:
            errand.stop()


@st.cache_resource(show_spinner=False)
def _errands() -> dict[tuple[type[Errand], str], Errand]:
    return {}
