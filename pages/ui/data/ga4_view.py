"""Our figures beside GA4's, with the causes of each gap, and beside those of GA4's own report."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.ingest.account.ga4_report import Compared, Ga4Report, compare, read_report, typed_figures
from core.storage.receipt import FIGURES, AsGa4, Receipt
from pages.ui.shell import errors
from pages.ui.shell.text import md_text

_ABOUT = (
    "These files as GA4 counts: users active by {}, sessions by user_pseudo_id and ga_session_id, "
    "a transaction once per user. The causes add up to each gap."
)
_REPORT: Final = (
    "Type what GA4 shows for the same days, or bring its report as CSV, in English. A report by day tells "
    "the export's daily limit, late events and another time zone apart."
)


def beside_ga4(facts: Receipt) -> None:
    """Draw the figures of a data set as GA4 counts them beside ours; nothing for a part of the users."""
    if facts.as_ga4 is None:
        return
    with st.container(border=True, key="beside-ga4"):
        st.subheader("Beside GA4's own figures")
        st.caption(_ABOUT.format(md_text(facts.as_ga4.active_by)))
        st.table(figures_table(facts.as_ga4), border="horizontal")
        with st.expander("Compare with GA4's own report", icon=":material/balance:", key="ga4-report"):
            st.caption(_REPORT)
            _compared(facts, _report(facts.as_ga4))


def _report(counted: AsGa4) -> Ga4Report:
    """Draw the fields for a report's figures and file; one that cannot be read is said, the rest counts."""
    report = Ga4Report()
    with st.grid(4, min_column_width=150, key="ga4-figures"):
        names = dict.fromkeys(figure.name for figure in counted.figures)
        typed = {name: st.text_input(FIGURES[name], key=f"ga4-{name}") for name in names}
    file = st.file_uploader("Report of GA4 as CSV", ["csv"], key="ga4-csv", max_upload_size=4)
    if file is not None:
        with errors.shown():
            report |= read_report(file.getvalue(), file.name)
    for name, text in typed.items():
        with errors.shown():
            report |= typed_figures({name: text})
    return report


def _compared(facts: Receipt, report: Ga4Report) -> None:
    with errors.shown():
        compared, notes = compare(facts, report)
        if compared:
            st.table(compared_table(compared), border="horizontal")
        for note in notes:
            st.caption(md_text(note))


def compared_table(compared: list[Compared]) -> dict[str, list[str]]:
    """Column → cells, a row a figure of GA4's report."""
    return {
        "Figure": [md_text(one.title) for one in compared],
        "GA4's report": [one.figure.amount(one.figure.ga4) for one in compared],
        "In these files": [one.figure.amount(one.figure.ours) for one in compared],
        "Why they differ": [md_text(one.why) for one in compared],
    }


def figures_table(counted: AsGa4) -> dict[str, list[str]]:
    """Column → cells, a row a figure."""
    figures = counted.figures
    return {
        "Figure": [md_text(figure.title) for figure in figures],
        "As GA4 counts": [figure.amount(figure.ga4) for figure in figures],
        "Here": [figure.amount(figure.ours) for figure in figures],
        "Why they differ": [md_text(figure.reasons) or "the same" for figure in figures],
    }
