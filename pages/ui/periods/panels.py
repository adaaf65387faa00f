"""Panels of charts over time: a single chart, or one for each segment side by side, with one table behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pandas as pd
import streamlit as st

from core.periods.over_time import REST_PART
from core.profiles.profile_columns import Col
from pages.ui.periods.time_charts import of
from pages.ui.segments.cards import heading
from pages.ui.segments.figure import SIDE, Draw, behind, figure, picture
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell.written_table import Columns

DrawOne = Callable[[pd.DataFrame, int], Draw]
"""Function that makes the chart of a segment from its rows and its id."""
UNSHOWN = (Col.KEY, Col.KIND)
COLUMNS: Final[Columns] = {
    Col.LABEL: st.column_config.Column("Segment", pinned=True), REST_PART: None, Col.REST_N: None,
}  # fmt: skip


@dataclass(frozen=True)
class Told:
    """The texts of charts that are drawn together.

    Args:
        title: What they say.
        n: What is counted, in words.
        key: A unique key, also the name of the file.
        how: How to read them.
        columns: What is said of columns of the table here alone.
    """

    title: str
    n: str
    key: str
    how: str
    columns: Columns


def draw(live: LiveSegments, segment: int | None, table: pd.DataFrame, chart: DrawOne, told: Told) -> None:
    """Draw the chart of a segment; of each segment, side by side, where it is None.

    Args:
        live: The segments.
        segment: Id of the segment; None for all.
        table: Rows of all segments.
        chart: Makes the chart of one.
        told: What is said of them.
    """
    shown = table[[name for name in table if name not in UNSHOWN]]
    if segment is not None:
        _one(live, segment, of(shown, segment), chart, told)
        return
    with st.container(border=True, key=f"figure-{told.key}", gap="xsmall"):
        st.markdown(f"**{told.title}**", help=told.how)
        st.caption(told.n)
        with st.grid("auto", min_column_width=SIDE, gap="small"):
            for which in live.segments:
                with st.container(gap="xsmall"):
                    st.markdown(f":small[**{heading(live.names[which])}**]")
                    _panel(live, which, of(shown, which), chart, told)
        behind(shown, key=told.key, columns={**COLUMNS, **told.columns})


def _panel(live: LiveSegments, segment: int, rows: pd.DataFrame, chart: DrawOne, told: Told) -> None:
    if rows.empty:
        st.caption("Nobody of this segment is counted here.")
        return
    said = f"{told.title}: {live.names[segment]}"
    picture(chart(rows, segment), key=f"chart-{told.key}-{segment}", alt_text=said)


def _one(live: LiveSegments, segment: int, rows: pd.DataFrame, chart: DrawOne, told: Told) -> None:
    if rows.empty:
        st.caption(f"{told.title}: nobody of this segment is counted here.")
        return
    figure(
        told.title, chart(rows, segment), rows, n=told.n, key=f"{told.key}-{segment + 1}", help_text=told.how,
        alt_text=f"{told.title}: {live.names[segment]}", columns={**COLUMNS, **told.columns},
    )  # fmt: skip
