"""A chart with what it counts, the table behind it, and its download.

A chart or table that shows the same as before, in whichever session, is not made again: Streamlit keeps what
it sends to the browser (element replay of its cache) under a name made of everything that is shown.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeAlias

import pandas as pd
import streamlit as st

from core.runs.export import csv_bytes
from pages.ui.segments import spotlight
from pages.ui.segments.charts import Chart
from pages.ui.shell import written_table
from pages.ui.shell.written_table import Columns

Draw: TypeAlias = "partial[Chart] | partial[EChart]"
"""Chart function with all its arguments."""
SIDE: Final = 340
"""Pixels that a chart, list or map needs beside another; with fewer, they stack."""
_KEPT: Final = 512
"""Number of charts kept, and of tables, some 20 kB each."""


@dataclass(frozen=True)
class EChart:
    """A chart of ECharts, for what Altair cannot draw.

    Args:
        option: The chart as data.
        height: Pixels, the axes included.
    """

    option: dict[str, Any]
    height: int


def figure(
    title: str,
    chart: Draw,
    table: pd.DataFrame,
    *,
    n: str,
    key: str,
    alt_text: str,
    columns: Columns | None = None,
    help_text: str | None = None,
    border: bool = True,
    min_width: int = 0,
) -> None:
    """Draw a chart with what it counts and the table behind it.

    Args:
        title: What the chart says.
        chart: Makes the chart, if it is not kept.
        table: Every number of the chart.
        n: How many users (or page views) are counted, in words.
        key: A unique key; also the name of the downloaded file.
        alt_text: What a screen reader says.
        columns: Column → heading in the table, where it is not the usual one.
        help_text: How to read the chart.
        border: Whether to draw a frame; not inside another one.
        min_width: Pixels below which the chart scrolls sideways instead of getting narrower.
    """
    top = spotlight.holder(key)
    with (top or st).container(border=border or top is not None, key=f"figure-{key}", gap="xsmall"):
        st.markdown(f"**{title}**", help=help_text)
        st.caption(n)
        with st.grid(1, min_column_width=min_width, wrap=False) if min_width else st.container():
            picture(chart, key=f"chart-{key}", alt_text=alt_text)
        if min_width:
            _say_that_it_scrolls(key, min_width)
        behind(table, key=key, columns=columns)


def _say_that_it_scrolls(key: str, min_width: int) -> None:
    """Draw a hint that the chart scrolls, shown by the browser if the frame is narrower than the chart."""
    st.html(
        f"<style>.st-key-figure-{key} {{ container-type: inline-size }} "
        f"@container (min-width: {min_width}px) {{ .st-key-more-{key} {{ display: none }} }}</style>"
    )
    with st.container(key=f"more-{key}"):
        st.caption(":material/swipe: Scroll sideways for the other columns.")


def picture(chart: Draw, *, key: str, alt_text: str) -> None:
    """Draw a chart without frame, title and table.

    Args:
        chart: Makes it, if it is not kept.
        key: A unique key.
        alt_text: What a screen reader says.
    """
    drawn = chart.func.__qualname__, *chart.args, *chart.keywords, *chart.keywords.values()
    _picture(_name(*drawn, key, alt_text), chart, key, alt_text)


def _name(*shown: object) -> str:
    """Cache key of a drawing: a digest of everything that can be seen in it."""
    plain = [part.to_dict("list") if isinstance(part, pd.DataFrame) else part for part in shown]
    return hashlib.blake2b(repr(plain).encode(), digest_size=16).hexdigest()


@st.cache_resource(max_entries=_KEPT, show_spinner=False)
def _picture(name: str, _chart: Draw, _key: str, _alt_text: str) -> None:
    drawn = _chart()
    if isinstance(drawn, EChart):
        st.echarts_chart(drawn.option, height=drawn.height, alt=_alt_text, key=_key)
    else:
        st.altair_chart(drawn, alt=_alt_text, key=_key)


@st.cache_resource(max_entries=_KEPT, show_spinner=False)
def _table(name: str, _table: pd.DataFrame, _key: str, _columns: Columns | None) -> None:
    written_table.draw(_table, key=_key, alt_text="The numbers drawn", columns=_columns)


def behind(table: pd.DataFrame, *, key: str, columns: Columns | None = None) -> None:
    """Draw the table behind a chart, closed at first, with its download."""
    with st.expander("Table", icon=":material/table_rows:", type="compact"):
        _table(_name(table, key, columns), table, f"table-{key}", columns)
        download_csv(table, key)


def download_csv(table: pd.DataFrame, key: str, label: str = "Download as CSV") -> None:
    """Draw a download button that makes the CSV file when it is clicked."""
    st.download_button(
        label, data=lambda: csv_bytes(table), file_name=f"{key}.csv", mime="text/csv",
        key=f"csv-{key}", icon=":material/download:", on_click="ignore", type="tertiary",
    )  # fmt: skip
