"""The scorecard of the vectors on screen: its job, a chart for each question, and another training.

The last part offers another training, and shows how much of each segment it finds again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import altair as alt
import pandas as pd
import streamlit as st

from core.base.errors import ArtifactError
from core.base.settings import ViewWeights
from core.model.trust.result import Call, Method, Question, Scorecard, Topic
from core.model.trust.verdict import chance, sentences
from core.runs import artifacts, pipeline
from core.runs.artifacts import TrainedRequest
from core.runs.stages import SCORECARD, SECOND_TRAINING, ScorecardRequest
from core.saved.controls import effective
from core.segments.identity import recovery
from core.segments.partition import Partition
from pages.ui.data import catalog
from pages.ui.segments import charts
from pages.ui.segments.charts import Chart
from pages.ui.segments.figure import figure
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.segments.shared import Sources
from pages.ui.shell import job_panel
from pages.ui.shell.text import count, md_text
from pages.ui.shell.written_table import Columns

_ASKED: Final = "scorecard_asked"


def find(live: LiveSegments) -> Scorecard | None:
    """The scorecard for this model, weights and outcome; None until it was measured."""
    return SCORECARD.find(live.sources.store, _request(live))


def key(live: LiveSegments) -> str:
    """Content key of the scorecard, also the subject of its job."""
    return SCORECARD.key(_request(live))


def start(live: LiveSegments) -> None:
    """Start the job that measures the scorecard, or join it (also a button's callback)."""
    job_panel.start(SCORECARD.name, _request(live), key(live))


def start_once(live: LiveSegments) -> None:
    """Start the job when a session first comes here with these vectors."""
    asked = st.session_state.setdefault(_ASKED, set())
    if live.sources.embeddings not in asked:
        asked.add(live.sources.embeddings)
        start(live)


def _request(live: LiveSegments) -> ScorecardRequest:
    made_from = live.sources
    return ScorecardRequest(
        dataset=made_from.dataset.key,
        labels=made_from.label_key,
        model=made_from.model_key,
        embeddings=made_from.embeddings,
        weights=effective(live.settings.weights, tuple(made_from.vectors.views)),
        outcomes=live.profiles.chosen,
    )


_TITLES: Final = {
    Topic.RETRIEVAL: "Do the vectors recognise a user?",
    Topic.OUTCOME: "Do the vectors predict the outcome?",
    Topic.LENGTH: "How much of a vector is just visit length?",
}
_AXES: Final = {
    Topic.RETRIEVAL: "Mean reciprocal rank of the right user (1: always first)",
    Topic.OUTCOME: "AUC: how often who has it is ranked higher (1: always)",
    Topic.LENGTH: "How well length can be read, R² (lower is better)",
}
_HELP: Final = {
    Topic.RETRIEVAL: "Each user is cut in two at a random page view. One part seeks the other among many. "
    "Drawn: the mean of 1 / rank.",
    Topic.OUTCOME: "A logistic regression learns from users that the model saw and is judged on users that "
    "it never saw. Everybody gives the same first page views; whoever had the outcome by then is left out. "
    "Counted are pages and pairs of pages in a row (TF-IDF). Drawn: the area under the ROC curve.",
    Topic.LENGTH: "A straight line reads the logarithm of page views from a vector. It learned from others. "
    "Drawn: R².",
}
_CALLS: Final = {
    Call.BETTER: "learned is better",
    Call.WORSE: "learned is worse",
    Call.EQUAL: "as good",
    Call.UNCLEAR: "cannot be told",
}
_ADDS: Final = {
    Call.BETTER: "vectors add to it",
    Call.WORSE: "vectors disturb",
    Call.EQUAL: "vectors add nothing",
    Call.UNCLEAR: "cannot be told",
}
_ROW: Final = 34
_TITLE: Final = 8
"""Pixels by which letters of the axis title hang below it."""


def question(asked: Question, steps_between: str) -> None:
    """Draw a question of the scorecard: the answer in words, the chart, and what it counts.

    Args:
        asked: The question with its figures.
        steps_between: What steps lead between, in words, such as page types.
    """
    with st.container(border=True, height="stretch", key=f"question-{asked.topic}", gap="small"):
        table = _rows(asked, steps_between)
        figure(
            _TITLES[asked.topic], partial(_estimates, table, _AXES[asked.topic], chance(asked)), table,
            n=_n(asked), key=f"scorecard-{asked.topic}", columns=_columns(), border=False,
            alt_text=f"{_TITLES[asked.topic]} One row a way of describing users, with intervals",
            help_text=_HELP[asked.topic],
        )  # fmt: skip
        bullets(sentences(asked, steps_between))


def not_measured(asked: Question) -> None:
    """Draw why a question of the scorecard was not measured; nothing where it was."""
    if asked.absent:
        st.caption(f"**{_TITLES[asked.topic]}** Not measured. {md_text(asked.absent)}")


def bullets(lines: Sequence[str]) -> None:
    """Draw sentences as an escaped list; a sentence may quote the name of an event."""
    st.markdown("\n".join(f"- {md_text(line)}" for line in lines))


def _rows(asked: Question, steps_between: str) -> pd.DataFrame:
    """Table of a question's figures, a row a method, with the learned vectors' lead where compared.

    Args:
        asked: The question with its figures.
        steps_between: What steps lead between, in words, such as page types.
    """
    told = []
    for one in asked.figures:
        added = one.method is Method.ADDED
        apart = asked.against(Method.NGRAMS, Method.ADDED) if added else asked.against(one.method)
        told.append(
            {
                "way": _called(one.method, steps_between),
                "value": one.value,
                "low": one.low,
                "high": one.high,
                "difference": apart.difference if apart else None,
                "difference_low": apart.low if apart else None,
                "difference_high": apart.high if apart else None,
                "ratio": apart.ratio if apart else None,
                "ratio_low": apart.ratio_low if apart else None,
                "ratio_high": apart.ratio_high if apart else None,
                "call": (_ADDS if added else _CALLS)[apart.call] if apart else None,
                "own": one.method in (asked.own.method, Method.SHUFFLED, Method.ADDED),
            }
        )
    return pd.DataFrame(told).dropna(axis="columns", how="all")


def _called(method: Method, steps_between: str) -> str:
    """Name of a method of describing users; ``steps_between`` says in words what steps lead between."""
    return {
        Method.LEARNED: "Learned vectors",
        Method.SHUFFLED: "Learned, pages shuffled",
        Method.UNTRAINED: "Before training",
        Method.STEADY: "Steady pages alone",
        Method.BAG: "Bag of pages",
        Method.TRANSITIONS: f"Steps between {steps_between}",
        Method.NGRAMS: "Pages and pairs, counted",
        Method.ADDED: "Counted, and learned vectors",
    }[method]


def _estimates(table: pd.DataFrame, title: str, floor: float | None) -> Chart:
    """Chart of figures with intervals, a row a method; chance as a dashed line.

    Args:
        table: From :func:`_rows`.
        title: Title of the axis.
        floor: What chance would give; None where that is no question.
    """
    told = {"way": ("Way", ""), "value": ("Figure", ".3f"), "low": ("From", ".3f"), "high": ("To", ".3f")}
    colour = alt.condition(alt.datum.own, alt.value(charts.ABOVE), alt.value(charts.NEUTRAL))
    base = alt.Chart(table).encode(
        y=charts.rows("way", table["way"]), color=colour, tooltip=charts.tips(told)
    )
    axis = alt.Axis(labelFlush=False, tickCount=5)
    across = alt.X("low:Q", title=title, axis=axis, scale=alt.Scale(zero=floor != 0.5, nice=True))
    span = base.mark_rule(strokeWidth=3, opacity=0.7).encode(x=across, x2=alt.X2("high:Q"))
    point = base.mark_point(filled=True, size=90, opacity=1).encode(x=alt.X("value:Q"))
    text = base.mark_text(dy=-11, fontSize=11).encode(
        x=alt.X("value:Q"), text=alt.Text("value:Q", format=".2r")
    )
    layers = span + point + text.encode(color=alt.value(charts.INK))
    if floor is not None:
        line = alt.Chart(pd.DataFrame({"value": [floor]})).mark_rule(strokeDash=[4, 4], color=charts.NEUTRAL)
        layers = line.encode(x=alt.X("value:Q")) + layers
    return charts.sized(layers, _ROW * len(table) + charts.AXIS + _TITLE)


def _n(asked: Question) -> str:
    facts = asked.facts
    users = {
        Topic.RETRIEVAL: f"{count(asked.n, 'user')} the model never saw, each sought among "
        f"{facts.get('candidates', 0):,}",
        Topic.OUTCOME: f"{count(asked.n, 'user')} the model never saw, {facts.get('converted', 0):,} of them "
        f"converted later; first {facts.get('page views', 0)} page views",
        Topic.LENGTH: f"{count(asked.n, 'user')}, read by what {facts.get('learned on', 0):,} others taught",
    }[asked.topic]
    dashed = " Dashed: chance." if chance(asked) is not None else ""
    return f"{users}. Lines: {asked.interval}.{dashed}"


def _columns() -> Columns:
    number = partial(st.column_config.NumberColumn, format="%.3f")
    return {
        "value": number("Figure"), "low": number("From"), "high": number("To"),
        "difference": number(
            "Difference",
            help="Learned vectors less this way, on the very same users; in the row with learned vectors "
            "beside what is counted: less what is counted alone.",
        ),
        "difference_low": number("From"), "difference_high": number("To"),
        "ratio": ("Times", "Learned vectors by this way."), "ratio_low": "From", "ratio_high": "To",
        "call": ("So", "Decided by the interval of the difference."),
        "own": None,
    }  # fmt: skip


def overlap(live: LiveSegments) -> Mapping[int, float]:
    """Segment → Jaccard index with its best match in another training; empty until that was measured.

    Raises:
        InputError: If the other training leads to no segments.
        ArtifactError: If what it left is damaged.
    """
    made_from, partition = live.sources, live.segmentation.partition
    key = SECOND_TRAINING.key(_trained(made_from))
    if not catalog.written(made_from.store.root / SECOND_TRAINING.name / key):
        return {}
    return _overlap(key, live.settings.weights, partition.digest, made_from, partition)


def offer(live: LiveSegments) -> None:
    """Draw the button that starts another training, or its progress."""
    made_from, subject = live.sources, f"again {live.sources.model_key}"
    job_panel.result(SECOND_TRAINING.name)  # what it made lies in the store
    if job_panel.panels([SECOND_TRAINING.name], subject):
        return
    st.button(
        "Train once more and compare", key="train_again", icon=":material/model_training:",
        on_click=_start, args=(made_from, subject),
        help="Another seed, the same settings, and the labels as they are now; it takes as long as the "
        "training did. Your segments stay as they are.",
    )  # fmt: skip


def _start(made_from: Sources, subject: str) -> None:
    job_panel.start(SECOND_TRAINING.name, _trained(made_from), subject)


def _trained(made_from: Sources) -> TrainedRequest:
    return TrainedRequest(
        dataset=made_from.dataset.key, labels=made_from.label_key, model=made_from.model_key
    )


@st.cache_data(max_entries=16, show_spinner=False)
def _overlap(
    key: str, weights: ViewWeights, segments: str, _made_from: Sources, _partition: Partition
) -> Mapping[int, float]:
    made = SECOND_TRAINING.artifact(_made_from.store, _trained(_made_from))
    if made is None:
        raise ArtifactError("The vectors of the other training are damaged", remedy="Train once more")
    other = artifacts.embeddings_of(made, _made_from.dataset)
    return recovery(_partition, pipeline.combine(other, weights).vectors)
