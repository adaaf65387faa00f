"""Errors as text: what an analyst can act on is shown in words, and the page goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import streamlit as st

from core.base.errors import Beha2VecError
from core.runs.jobs import JobView
from pages.ui.shell.text import md_text

LONGEST: Final = 1200
"""Characters of a message that are shown."""


def show(problem: object) -> None:
    """Draw a message in red. Its text may quote a file, so it is escaped."""
    said = problem.on_screen if isinstance(problem, Beha2VecError) else problem
    st.error(md_text(said, LONGEST), icon=":material/error:")


@contextmanager
def shown() -> Iterator[None]:
    """Draw a :class:`Beha2VecError` of the block as text; anything else is a bug and goes on up."""
    try:
        yield
    except Beha2VecError as error:
        show(error)


def show_job(view: JobView) -> None:
    """Draw why a job ended without a result."""
    if view.is_bug:
        show("Something went wrong inside the program. The previous results are untouched.")
        with st.expander("Details for a bug report"):
            st.code(view.error, language=None, wrap_lines=True)
    else:
        show(view.error)
