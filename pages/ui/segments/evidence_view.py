"""How sure each segment is, on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

import streamlit as st

from core.segments import certificate
from core.segments.certificate import GIVEN, Certificate
from core.segments.identity import RECOVERED
from pages.ui.segments.figure import download_csv
from pages.ui.shell import written_table
from pages.ui.shell.text import count


def certificates(
    titles: Mapping[int, str], found: Mapping[int, Certificate], again: Mapping[int, float], *, none: bool
) -> None:
    """A row a segment: how much of it comes back, and to whom the others go.

    Args:
        titles: Segment → what it is called.
        found: Segment → how sure it is.
        again: Segment → how much of it another training finds; empty where there was none.
        none: Whether no number of segments is supported.
    """
    table = certificate.table(found)
    table["again"] = table["segment"].map(again)
    table["segment"] = table["segment"].map(titles)
    table["rival"] = table["rival"].map(titles)
    with st.container(border=True, key="certificates", gap="xsmall"):
        st.markdown(
            "**How sure is each segment?**",
            help="The share of users in both by users in either, of the segment and the one most like it "
            "among segments of other users (Jaccard index, Hennig 2007).",
        )
        st.caption(
            f"What comes back of each segment, {GIVEN}, with another sample of users (from–to: in 95 of 100 "
            "cases), with halves of them, from other starts, and after another training; 1 is all of it."
        )
        hidden = {"again": not again, "word": none}
        shown = table[[name for name in _CERTIFIED if not hidden.get(name)]]
        written_table.draw(
            shown, key="table-certificates", alt_text="How sure each segment is", columns=_CERTIFIED,
            height="content",
        )  # fmt: skip
        if again:
            same = sum(index >= RECOVERED for index in again.values())
            st.caption(
                f"Another training finds {same} of {count(len(again), 'segment')} again, with "
                f"{RECOVERED:.0%} or more of its users and theirs in common."
            )
        download_csv(shown, "certificates")


_share = partial(st.column_config.NumberColumn, format="%.2f")
_CERTIFIED: Final = {
    "segment": st.column_config.Column("Segment", pinned=True), "word": "So", "jaccard": "Comes back",
    "low": _share("From"), "high": _share("To"), "halves": "Halves", "seeds": "Other starts",
    "again": "Another training", "rival": "Nearest rival", "moves": "Move there", "users": "Users",
}  # fmt: skip
"""Column of a certificate → its heading, in the order shown."""
