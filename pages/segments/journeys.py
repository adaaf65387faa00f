"""Journeys: how users of a segment move, beside others."""

from __future__ import annotations

from pages.ui.segments import segment_controls
from pages.ui.shell import errors
from pages.ui.shell.links import JOURNEYS, heading


def page() -> None:
    """Draw the page, or what to do first."""
    heading(JOURNEYS)
    live = segment_controls.ready()
    if live is None:
        return


with errors.shown():
    page()
