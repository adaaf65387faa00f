"""Rules: a segment as a few conditions that other tools understand."""

from __future__ import annotations

from pages.ui.segments import segment_controls
from pages.ui.shell import errors
from pages.ui.shell.links import RULES, heading


def page() -> None:
    """Draw the page, or what to do first."""
    heading(RULES)
    live = segment_controls.ready()
    if live is None:
        return


with errors.shown():
    page()
