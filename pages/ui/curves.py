"""Training curves and their last figures: what was measured so far, each chart with its table."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt
import pandas as pd
import streamlit as st

from core.jobs import JobView
from core.settings import TrainSettings
from pages.ui.text import count, duration

STEP: Final = "step"
LOSS: Final = {"loss": "training", "val_loss": "validation"}
RETRIEVAL: Final = {"val_retrieval": "validation retrieval"}
WHAT_RETRIEVAL: Final = (
    "Of users the model never saw: how well one slice of a user's visits finds the other slice of the same "
    "user. Higher is better; when it stops rising, more training gains nothing."
)


def live_figures(view: JobView) -> None:
    """The newest figures of a running training, in a row."""
    figures = view.figures
    shown = {
        "Step": _number(figures.get(STEP), "{:,.0f}"),
        "Loss": _number(figures.get("loss"), "{:.3f}"),
        "Users a second": _number(figures.get("users_per_s"), "{:,.0f}"),
        "Running for": duration(time.time() - view.started),
        "Left": duration(view.eta_s) if view.eta_s is not None else "–",
    }
    with st.grid(len(shown), min_column_width=120):
        for label, value in shown.items():
            st.metric(label, value)


def curves(rows: Sequence[Mapping[str, float]], key: str) -> None:
    """Loss and validation retrieval over the steps, and the table behind them."""
    table = pd.DataFrame(list(rows))
    if STEP not in table:
        st.caption("The curves appear with the first measurement.")
        return
    chart, behind = st.tabs(["Curves", "Table"], key=f"{key}-tabs")
    with chart:
        left, right = st.columns(2)
        _lines(left, table, LOSS, "Triplet loss")
        _lines(right, table, RETRIEVAL, "Validation retrieval")
        right.caption(WHAT_RETRIEVAL)
    behind.dataframe(table, hide_index=True, height=300, alt="Figures at each step", key=f"{key}-table")


def _lines(place: Any, table: pd.DataFrame, columns: Mapping[str, str], title: str) -> None:  # noqa: ANN401
    here = [column for column in columns if column in table]
    if not here:
        return
    tall = table.melt([STEP], here, "curve", "value").dropna()
    tall["curve"] = tall["curve"].map(columns)
    legend = alt.Legend(title=None, orient="top") if len(here) > 1 else None
    chart = (
        alt.Chart(tall)
        .mark_line(point=len(tall) < 40)
        .encode(
            x=alt.X(f"{STEP}:Q", title="step", axis=alt.Axis(format="~s", tickCount=6, grid=False)),
            y=alt.Y("value:Q", title=None, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=5)),
            color=alt.Color("curve:N", sort=list(columns.values()), legend=legend),
            tooltip=[STEP, "curve", alt.Tooltip("value:Q", format=".4f")],
        )
        .properties(height=220, title=title)
    )
    place.altair_chart(chart, width="stretch", alt=f"{title} over {len(tall)} measurements")


def summary(settings: TrainSettings, report: Mapping[str, Any]) -> None:
    """A finished training: how it was made, what it reached, its curves."""
    st.caption(
        f"{count(settings.epochs, 'epoch')} · {settings.layers} layers of width {settings.hidden_dim} · "
        f"{settings.embedding_dim} numbers a user · seed {settings.seed}"
    )


def _number(value: float | None, pattern: str) -> str:
    return "–" if value is None else pattern.format(value)
