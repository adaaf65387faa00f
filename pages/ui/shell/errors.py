"""Errors as text on the page: what an analyst can act on is shown in words, and the page goes on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import streamlit as st

from core.base.errors import Beha2VecError, one_line
from core.runs.jobs import JobView
from pages.ui.shell.text import md_text

_MAX_LENGTH: Final = 1200
"""Characters of a message that are shown."""
_DETAILS: Final = "Details for a bug report"
_LOG: Final = logging.getLogger("beha2vec")


def show(problem: object) -> None:
    """Draw a message in red, escaped as it may quote a file."""
    said = problem.on_screen if isinstance(problem, Beha2VecError) else problem
    st.error(md_text(said, _MAX_LENGTH), icon=":material/error:")


@contextmanager
def shown() -> Iterator[None]:
    """Context that draws an error as a line in place of the block's content; a bug with its details."""
    try:
        yield
    except Beha2VecError as error:
        show(error)
    except Exception as error:
        _LOG.exception("A part of a page could not be drawn")
        show(f"This could not be made: {one_line(error)}.")
        with st.expander(_DETAILS):
            st.exception(error)


def show_job(view: JobView) -> None:
    """Draw why a job ended without a result."""
    if view.is_bug:
        show("Something went wrong inside the program. The previous results are untouched.")
        with st.expander(_DETAILS):
            st.code(view.error, language=None, wrap_lines=True)
    else:
        show(view.error)
