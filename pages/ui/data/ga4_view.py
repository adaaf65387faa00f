"""Our figures beside GA4's, with the causes of each gap."""

from __future__ import annotations

import streamlit as st

from core.storage.receipt import AsGa4, Receipt
from pages.ui.shell.text import md_text

_ABOUT = (
    "These files as GA4 counts: users active by {}, sessions by user_pseudo_id and ga_session_id, "
    "a transaction once per user. The causes add up to each gap."
)


def beside_ga4(facts: Receipt) -> None:
    """Draw the figures of a data set as GA4 counts them beside ours; nothing for a part of the users."""
    if facts.as_ga4 is None:
        return
    with st.container(border=True, key="beside-ga4"):
        st.subheader("Beside GA4's own figures")
        st.caption(_ABOUT.format(md_text(facts.as_ga4.active_by)))
        st.table(figures_table(facts.as_ga4), border="horizontal")


def figures_table(counted: AsGa4) -> dict[str, list[str]]:
    """Column → cells, a row a figure."""
    figures = counted.figures
    return {
        "Figure": [md_text(figure.title) for figure in figures],
        "GA4": [figure.amount(figure.ga4) for figure in figures],
        "Here": [figure.amount(figure.ours) for figure in figures],
        "Why they differ": [md_text(figure.reasons) or "the same" for figure in figures],
    }
