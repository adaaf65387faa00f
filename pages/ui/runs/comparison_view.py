"""The comparison of two saved runs beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from core.base import wording
from core.runs import artifacts
from core.saved import saved_runs
from core.saved.saved_runs import RunComparison, SavedRun, compare_runs
from pages.ui.segments.charts import ABOVE, INK, Chart, rows, sized, tips
from pages.ui.segments.figure import figure
from pages.ui.shell import errors, state
from pages.ui.shell.text import count, md_text

_FIRST, _SECOND, USERS, SHARE = "first", "second", "users", "share"
_NARROWEST: Final = 560
"""Pixels below which the matrix scrolls sideways."""


def draw(runs: Mapping[str, SavedRun]) -> None:
    """Draw the choice of two of the runs (key → run), and the users who moved between their segments."""
    st.subheader("Compare two")
    keys = list(runs)
    told = {key: f"{run.name} · {run.when}" for key, run in runs.items()}
    with st.grid(2, min_column_width=260):
        first = st.selectbox("First", keys, 1, key="runs-first", format_func=told.__getitem__)
        second = st.selectbox("Second", keys, 0, key="runs-second", format_func=told.__getitem__)
    if first == second:
        st.caption("Choose two different ones.")
        return
    one, other = runs[first], runs[second]
    with errors.shown():
        found = _compared(str(state.store().root), first, second, one, other)
        _moves(one, other, found)
        _settings(one, other, found)


@st.cache_resource(max_entries=16, show_spinner="Comparing user by user")
def _compared(root: str, first: str, second: str, _one: SavedRun, _other: SavedRun) -> RunComparison:
    store = state.store()
    opened = [saved_runs.open_run(store, key)[1].partition.labels for key in (first, second)]
    users = [artifacts.open_dataset(store, run.dataset).sequences.user_id for run in (_one, _other)]
    return compare_runs(_one, _other, (users[0], users[1]), (opened[0], opened[1]))


def _moves(first: SavedRun, second: SavedRun, found: RunComparison) -> None:
    if not found.in_segments:
        none = "None of the users of one is in the other: the ids are others."
        st.caption("Nobody is in a segment of both." if found.both else none)
        return
    cells = _cells(first, second, found.moves)
    of = f"{count(found.in_segments, 'user')} in a segment of both, of {found.both:,} in both data sets."
    agreed = f" They agree by {found.agreement:.2f}: 1 is the same, 0 is chance."
    figure(
        "Where the users of each segment are in the other run",
        partial(_matrix, cells, list(first.titles.values()), list(second.titles.values())),
        cells, n=of + ("" if pd.isna(found.agreement) else agreed), key="runs-moves",
        alt_text=f"Segments of {first.name} by segments of {second.name}: users in both",
        help_text="A cell is a share of the segment of the first run. They agree by the adjusted Rand index "
        "(Hubert and Arabie 1985).",
        min_width=_NARROWEST,
    )  # fmt: skip


def _settings(first: SavedRun, second: SavedRun, found: RunComparison) -> None:
    if not len(found.settings):
        st.caption("All that is set is the same.")
        return
    st.markdown("**Set otherwise**")
    columns = {"setting": "Setting", "first": md_text(first.name, 60), "second": md_text(second.name, 60)}
    st.dataframe(found.settings, hide_index=True, key="runs-settings", column_config=columns)


def _cells(first: SavedRun, second: SavedRun, moves: pd.DataFrame) -> pd.DataFrame:
    users = moves.to_numpy()
    shares = users / np.maximum(users.sum(axis=1, keepdims=True), 1)
    return pd.DataFrame(
        {
            _FIRST: np.repeat([first.titles[segment] for segment in moves.index], users.shape[1]),
            _SECOND: np.tile([second.titles[int(segment)] for segment in moves.columns], users.shape[0]),
            USERS: users.ravel(),
            SHARE: shares.ravel(),
        }
    )


def _matrix(cells: pd.DataFrame, first: list[str], second: list[str]) -> Chart:
    top = alt.Axis(orient="top", labelAngle=-30, labelLimit=200, labelOverlap=False)
    told = {_FIRST: ("First", ""), _SECOND: ("Second", ""), USERS: ("Users", ","), "told": ("Share", "")}
    some = cells[SHARE].where(cells[USERS] > 0)
    written = some.map(lambda share: wording.percent(share, 0), na_action="ignore").fillna("")
    base = alt.Chart(cells.assign(told=written)).encode(
        x=alt.X(f"{_SECOND}:N", title=None, sort=second, axis=top),
        y=rows(_FIRST, first),
        tooltip=tips(told),
    )
    fade = alt.Scale(domain=[0, 1], range=[0, 0.7])
    squares = base.mark_rect(cornerRadius=3, color=ABOVE).encode(
        opacity=alt.Opacity(f"{SHARE}:Q", scale=fade, legend=None)
    )
    text = base.mark_text(fontSize=12, color=INK).encode(text=alt.Text("told:N"))
    return sized(squares + text, 34 * len(first) + 90)
