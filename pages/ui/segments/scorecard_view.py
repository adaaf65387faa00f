"""The scorecard on the screen: one chart a question, with what it counts and the table behind it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

import altair as alt
import pandas as pd
import streamlit as st

from core.base.settings import ClusterSettings
from core.trust.result import Call, Method, Question, Scorecard, Topic
from core.trust.verdict import FIRM, chance, sentences
from pages.ui.segments import charts
from pages.ui.segments.charts import Chart
from pages.ui.segments.figure import Columns, figure
from pages.ui.shell.text import count, md_text

TITLES: Final = {
    Topic.RETRIEVAL: "Are users found again?",
    Topic.OUTCOME: "Is the outcome told in advance?",
    Topic.STABILITY: "Would other users give the same segments?",
    Topic.SEEDS: "Would another start give the same segments?",
    Topic.LENGTH: "How much of a vector is mere length?",
}
AXES: Final = {
    Topic.RETRIEVAL: "How far up the right one stands (1 is always first)",
    Topic.OUTCOME: "How often who has it is ranked higher (1 is always)",
    Topic.STABILITY: "Agreement (1 is the same)",
    Topic.SEEDS: "Agreement (1 is the same)",
    Topic.LENGTH: "How well length can be read (lower is better)",
}
HELP: Final = {
    Topic.RETRIEVAL: "Each user is cut in two at a random page view. One part seeks the other among many. "
    "Drawn: the mean of 1 / rank.",
    Topic.OUTCOME: "A logistic regression learns from users that the model saw and is judged on users that "
    "it never saw. Everybody gives the same first page views; whoever had the outcome by then is left out. "
    "Drawn: the area under the ROC curve.",
    Topic.STABILITY: "K-Means learns from one half of the users and from the other; both place everybody. "
    "Drawn: the adjusted Rand index of the two.",
    Topic.SEEDS: "K-Means with the same users and other random starts, "
    f"the best of {ClusterSettings().n_init} each time. Drawn: the adjusted Rand index of two results.",
    Topic.LENGTH: "A straight line reads the logarithm of page views from a vector. It learned from others. "
    "Drawn: R².",
}
CALLS: Final = {
    Call.BETTER: "learned is better",
    Call.WORSE: "learned is worse",
    Call.EQUAL: "as good",
    Call.UNCLEAR: "cannot be told",
}
ROW: Final = 34
TITLE: Final = 8
"""Pixels that letters of the axis title hang below it."""


def question(asked: Question, steps_between: str) -> None:
    """Draw one question: the answer in words, the chart, and what it counts."""
    with st.container(border=True, height="stretch", key=f"question-{asked.topic}", gap="small"):
        if asked.absent:
            st.markdown(f"**{TITLES[asked.topic]}**")
            st.caption(f"Not measured. {md_text(asked.absent)}")
            return
        table = rows(asked, steps_between)
        figure(
            TITLES[asked.topic], partial(estimates, table, AXES[asked.topic], chance(asked)), table,
            n=_n(asked), key=f"scorecard-{asked.topic}", columns=_columns(), border=False,
            alt_text=f"{TITLES[asked.topic]} One row a way of describing users, with intervals",
            help_text=HELP[asked.topic],
        )  # fmt: skip
        bullets(sentences(asked, steps_between))


def numbers(card: Scorecard) -> None:
    """How well halves agree on each number of segments: the analyst's, and those tried beside it."""
    own = card.of(Topic.STABILITY).own
    tried = [(one.n_clusters, one.value, one.low, one.high) for one in card.repeats]
    rows = [*tried, (card.n_clusters, own.value, own.low, own.high)]
    table = pd.DataFrame(rows, columns=["k", "value", "low", "high"]).sort_values("k", ignore_index=True)
    with st.container(border=True, height="stretch", key="numbers", gap="small"):
        figure(
            "Which numbers of segments come out again?", partial(over_k, table, card.n_clusters), table,
            n=f"{count(card.of(Topic.STABILITY).n, 'user')}, halves as for the question before. "
            f"Dashed: {FIRM}, from which on halves nearly agree.",
            key="numbers", border=False, columns=_number_columns(),
            alt_text="Agreement of halves over the number of segments, with intervals",
            help_text="Each number is tried on the same vectors and weights; the large dot is yours. "
            "Drawn: the adjusted Rand index of the two halves.",
        )  # fmt: skip


def bullets(lines: Sequence[str]) -> None:
    """Sentences as a list; one of them may quote the name of an event."""
    st.markdown("\n".join(f"- {md_text(line)}" for line in lines))


def rows(asked: Question, steps_between: str) -> pd.DataFrame:
    """The numbers of a question, one row a way: the figure, and the learned one less it."""
    told = []
    for one in asked.figures:
        apart = asked.against(one.method)
        told.append(
            {
                "way": called(one.method, steps_between),
                "value": one.value,
                "low": one.low,
                "high": one.high,
                "difference": apart.difference if apart else None,
                "difference_low": apart.low if apart else None,
                "difference_high": apart.high if apart else None,
                "call": CALLS[apart.call] if apart else None,
                "own": one.method in (asked.own.method, Method.SHUFFLED),
            }
        )
    return pd.DataFrame(told)


def called(method: Method, steps_between: str) -> str:
    """What a way of describing users is called."""
    return {
        Method.LEARNED: "Learned vectors",
        Method.SHUFFLED: "Learned, pages shuffled",
        Method.BAG: "Bag of pages",
        Method.TRANSITIONS: f"Steps between {steps_between}",
    }[method]


def estimates(table: pd.DataFrame, title: str, floor: float | None) -> Chart:
    """Figures with their intervals, a row a way; chance as a dashed line.

    Args:
        table: From :func:`rows`.
        title: Of the axis.
        floor: What chance would give; None where that is no question.
    """
    told = {"way": ("Way", ""), "value": ("Figure", ".3f"), "low": ("From", ".3f"), "high": ("To", ".3f")}
    colour = alt.condition(alt.datum.own, alt.value(charts.ABOVE), alt.value(charts.NEUTRAL))
    base = alt.Chart(table).encode(
        y=charts.rows("way", table["way"]), color=colour, tooltip=charts.tips(told)
    )
    axis = alt.Axis(labelFlush=False, tickCount=5)
    across = alt.X("low:Q", title=title, axis=axis, scale=alt.Scale(zero=floor != 0.5, nice=True))
    span = base.mark_rule(strokeWidth=3, opacity=0.7).encode(x=across, x2="high:Q")
    point = base.mark_point(filled=True, size=90, opacity=1).encode(x="value:Q")
    text = base.mark_text(dy=-11, fontSize=11).encode(x="value:Q", text=alt.Text("value:Q", format=".2f"))
    layers = span + point + text.encode(color=alt.value(charts.INK))
    if floor is not None:
        line = alt.Chart(pd.DataFrame({"value": [floor]})).mark_rule(strokeDash=[4, 4], color=charts.NEUTRAL)
        layers = line.encode(x="value:Q") + layers
    return charts.sized(layers, ROW * len(table) + charts.AXIS + TITLE)


def over_k(table: pd.DataFrame, current: int) -> Chart:
    """Agreement over the number of segments, the analyst's own filled.

    Args:
        table: Columns ``k``, ``value``, ``low``, ``high``.
        current: The number on screen.
    """
    told = {
        "k": ("Segments", ""),
        "value": ("Agreement", ".2f"),
        "low": ("From", ".2f"),
        "high": ("To", ".2f"),
    }
    across = alt.X("k:O", title="Segments", axis=alt.Axis(labelAngle=0))
    up = alt.Y("low:Q", title="Agreement", scale=alt.Scale(domain=[0, 1]))
    is_own = alt.datum.k == current
    base = alt.Chart(table).encode(x=across, tooltip=charts.tips(told), color=alt.value(charts.ABOVE))
    span = base.mark_rule(strokeWidth=3, opacity=0.6).encode(y=up, y2="high:Q")
    point = base.mark_point(filled=True, opacity=1).encode(
        y="value:Q", size=alt.condition(is_own, alt.value(130), alt.value(40))
    )
    line = alt.Chart(pd.DataFrame({"value": [FIRM]})).mark_rule(strokeDash=[4, 4], color=charts.NEUTRAL)
    return charts.sized(span + point + line.encode(y="value:Q"), 180)


def _n(asked: Question) -> str:
    facts = asked.facts
    users = {
        Topic.RETRIEVAL: f"{count(asked.n, 'user')} the model never saw, each sought among "
        f"{facts.get('candidates', 0):,}",
        Topic.OUTCOME: f"{count(asked.n, 'user')} the model never saw, {facts.get('converted', 0):,} of them "
        f"converted later; first {facts.get('page views', 0)} page views",
        Topic.STABILITY: f"{count(asked.n, 'user')} in {facts.get('segments', 0)} segments",
        Topic.SEEDS: f"{count(asked.n, 'user')} in {facts.get('segments', 0)} segments",
        Topic.LENGTH: f"{count(asked.n, 'user')}, read by what {facts.get('learned on', 0):,} others taught",
    }[asked.topic]
    dashed = " Dashed: chance." if chance(asked) is not None else ""
    return f"{users}. Lines: {asked.interval}.{dashed}"


def _number_columns() -> Columns:
    number = st.column_config.NumberColumn
    return {
        "k": number("Segments"), "value": number("Agreement", format="%.2f"),
        "low": number("From", format="%.2f"), "high": number("To", format="%.2f"),
    }  # fmt: skip


def _columns() -> Columns:
    number = st.column_config.NumberColumn
    return {
        "way": st.column_config.TextColumn("Way"),
        "value": number("Figure", format="%.3f"),
        "low": number("From", format="%.3f"),
        "high": number("To", format="%.3f"),
        "difference": number("Learned less it", format="%.3f", help="On the very same users."),
        "difference_low": number("From", format="%.3f"),
        "difference_high": number("To", format="%.3f"),
        "call": st.column_config.TextColumn("So", help="Decided by the interval of the difference."),
        "own": None,
    }
