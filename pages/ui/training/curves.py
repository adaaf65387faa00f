"""Training curves and the latest figures of a training, each chart with its table."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import altair as alt
import pandas as pd
import streamlit as st

from core.base import wording
from core.base.schema import View
from core.base.settings import Encoder, TrainSettings
from core.runs.jobs import JobView
from pages.ui.segments.charts import sized
from pages.ui.shell import written_table
from pages.ui.shell.text import clock, count

_STEP: Final = "step"
_FEW: Final = 40
"""Number of points below which a curve also shows its points."""
_WHAT_LOSS: Final = "How far the model is from telling apart the users it learns from. Lower is better."
_WHAT_RETRIEVAL: Final = (
    "How well one part of a user's visits finds the other part of the same user, among users the model "
    "never saw (mean reciprocal rank, 1 is perfect), by the transformer alone. Higher is better; once flat, "
    "training gains nothing."
)
REPEATED: Final = "Patterns that repeat within the same user"
WHAT_REPEATED: Final = (
    "Each user's visits were cut in two. A pattern, a mix of pages for example, counts if the two parts of a "
    "user agree in it more than parts of different users did in any of 20 draws."
)
BLOCKS: Final[Mapping[View, Mapping[str, str]]] = {
    View.URL: {
        "pages": "which pages", "rare": "rare pages", "steps": "steps between pages", "tempo": "tempo",
        "place": "where pages stand in a session",
    },
    View.THEME: {"shares": "page themes"},
    View.TYPE: {
        "shares": "page types", "steps": "steps between page types", "tempo": "tempo",
        "place": "where page types stand in a session",
    },
}  # fmt: skip
"""View → names of its blocks, without the transformer, which has its own line."""


def live_figures(view: JobView) -> None:
    """Draw the latest figures of a running training, in a row."""
    figures = view.figures
    measured = {
        "Step": _number(figures.get(_STEP), "{:,.0f}"),
        "Loss": _number(figures.get("loss"), "{:.3f}"),
        "Users a second": _number(figures.get("users_per_s"), "{:,.0f}"),
    }
    with st.grid(len(measured) + 1, min_column_width=120):
        st.metric("Running for", clock(time.time() - view.started))
        for label, value in measured.items():
            if value != wording.ABSENT:  # it is shown once it is measured
                st.metric(label, value)


def curves(rows: Sequence[Mapping[str, Any]], key: str) -> None:
    """Draw loss and validation retrieval over the steps, with the table behind them.

    Args:
        rows: Figures by name (``step``, ``loss`` …), a row a measurement; rows without both are left out.
        key: A unique key.
    """
    table = pd.DataFrame([row for row in rows if _STEP in row and "loss" in row])
    if table.empty:
        st.caption("The curves appear with the first measurement.")
        return
    chart, behind = st.tabs(["Curves", "Table"], key=f"{key}-tabs")
    with chart, st.grid(2, min_column_width=280, key=f"{key}-curves"):
        with st.container():
            _line(table, "loss", "Loss in training", _WHAT_LOSS)
        with st.container():
            _line(table, "valid_mrr", "Validation retrieval", _WHAT_RETRIEVAL)
    measured = partial(st.column_config.NumberColumn, format="%.4f")
    columns = {"loss": measured("Loss"), "valid_mrr": measured("Validation retrieval")}
    with behind:
        written_table.draw(
            table, key=f"{key}-table", alt_text="Figures at each step", height=300, columns=columns
        )


def _line(table: pd.DataFrame, column: str, title: str, what: str) -> None:
    points = table[[_STEP, column]].dropna() if column in table else table[[]]
    if points.empty:
        st.caption(f"{title}: not measured yet; small data sets have too few users to hold out.")
        return
    steps = alt.Axis(format="~s", tickCount=6, grid=False)
    values = alt.Axis(format=".3f", tickCount=4)
    chart = (
        alt.Chart(points)
        .mark_line(point=len(points) < _FEW)
        .encode(
            x=alt.X(
                f"{_STEP}:Q", title="step", scale=alt.Scale(domain=[0, int(table[_STEP].max())]), axis=steps
            ),
            y=alt.Y(f"{column}:Q", title=None, scale=alt.Scale(zero=False), axis=values),
            tooltip=[_STEP, alt.Tooltip(f"{column}:Q", title=title, format=".4f")],
        )
        .properties(title=title)
    )
    st.altair_chart(sized(chart, 220), width="stretch", alt=f"{title}, {len(points)} measurements")
    st.caption(what)


def summary(settings: TrainSettings, report: Mapping[str, Any], key: str) -> None:
    """Draw a finished training: its settings, its figures and its curves."""
    bag = settings.encoder is Encoder.BAG
    st.caption(
        "Bag of pages: nothing was trained, pages are weighed by how few users saw them"
        if bag
        else f"{count(report['epochs'], 'epoch')} · {count(settings.layers, 'layer')} of width "
        f"{settings.hidden_dim} · {settings.embedding_dim} numbers of the transformer · seed {settings.seed}"
    )
    shown = {
        "Users counted" if bag else "Users learned from": _number(report.get("trained_users"), "{:,.0f}"),
        "Validation retrieval": _number(report.get("valid_mrr"), "{:.3f}"),
        "Steps": _number(report.get("steps"), "{:,.0f}"),
        "Trained in": wording.duration(report.get("seconds")),
    }
    if bag:
        shown = {label: shown[label] for label in ("Users counted", "Validation retrieval")}
    with st.grid(len(shown), min_column_width=150):
        for label, value in shown.items():
            st.metric(label, value)
    with st.expander("How it was trained", icon=":material/monitoring:", key=f"trained-{key}"):
        if report.get("heads"):  # models of before have none
            st.caption(_made_of(report))
        if not bag:
            curves(report.get("curve", ()), key)


def repeated_patterns(report: Mapping[str, Any]) -> str:
    """Numbers of patterns that repeat within users, as ``pages 12 of 40, …``; empty if not measured."""
    counted = (report.get("heads") or {}).get("beyond_chance", {})
    return ", ".join(f"{kind} {repeated} of {of}" for kind, (repeated, of) in counted.items())


def _made_of(report: Mapping[str, Any]) -> str:
    """Markdown on what the vectors are made of, a line each."""
    heads = report["heads"]
    lines = [_network(heads)]
    if repeated := repeated_patterns(report):
        lines.append(f"{REPEATED}: {repeated}. {WHAT_REPEATED}")
    left_out = {
        name: None
        for view, blocks in heads["blocks"].items()
        for block, name in BLOCKS[View(view)].items()
        if block not in blocks
    }
    if left_out:
        lines.append(f"The same for all users here, and left out: {', '.join(left_out)}.")
    if (r2 := heads["length_r2"]) is not None:
        lines.append(
            f"How well the vectors tell how many pages a user saw: R² {r2:.2f}, from 0 (not at all) to 1 "
            "(exactly). If high, segments differ in the length of visits, too."
        )
    return "  \n".join(lines)


def _network(heads: Mapping[str, Any]) -> str:
    """Line on the transformer's weight, and how well held-out users are found with and without it."""
    share, mrr = heads["network_share"], {float(part): value for part, value in heads["mrr"].items()}
    counts = f"The transformer counts {share:g} times as much as a count of pages"
    if share and "network" not in heads["blocks"][View.URL]:
        return "The transformer is left out: it makes the same of all users."
    if share and not mrr:
        return f"{counts}, the default: too few users are held out to test it."
    with_it = share or max(mrr)
    tested = (
        f"users held out are found again with a mean reciprocal rank of {mrr[with_it]:.3f} with it, "
        f"{mrr[0.0]:.3f} without."
    )
    if not share:
        return f"The transformer is left out: {tested}"
    chance = " So little may be chance." if mrr[share] < mrr[0.0] else ""
    return f"{counts}: {tested}{chance}"


def _number(value: float | None, pattern: str) -> str:
    return wording.ABSENT if value is None else pattern.format(value)
