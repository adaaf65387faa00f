"""The part Funnel of the page Journeys: users by step, beside others and in all segments, with its charts."""

from __future__ import annotations

from functools import partial
from typing import Final

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from core.base.wording import duration, percent, pluralise
from core.journeys import funnel_table
from core.journeys.funnel import Funnel
from core.journeys.funnel_table import INSTEAD, REST_HIGH, REST_LOW, STEP, FunnelWalk, ShareOf, sentences
from core.profiles.differences import Diff
from core.profiles.profile_columns import Col
from pages.ui.journeys import funnel_builder
from pages.ui.journeys.choice import Choice
from pages.ui.segments import charts
from pages.ui.segments import profile_tables as tables
from pages.ui.segments.charts import AXIS, INK, NEUTRAL, Chart, rows, sized, tips
from pages.ui.segments.figure import behind, figure, picture
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell.text import md_text

_STEP_NAME = "step_name"
_WHO = "who"
_BAR = 17
"""Height of a bar in pixels."""
_ENDS = {Col.LOW: ("From", ".1%"), Col.HIGH: ("To", ".1%")}


def _steps_chart(table: pd.DataFrame, title: str) -> Chart:
    """Chart of a funnel's steps as bars with intervals, for the row and for the others.

    Args:
        table: A row for each step and side, in order: ``step_name``, ``who`` (the side's title), ``share``
            (0 to 1), ``low``, ``high``, and ``users`` of ``n``.
        title: What the share is of.
    """
    order = list(dict.fromkeys(table[_WHO]))
    told = {_STEP_NAME: ("Step", ""), _WHO: ("", ""), Col.SHARE: (title, ".1%")} | _ENDS
    told |= {Col.USERS: ("Users", ","), Col.N: ("Of", ",")}
    base = alt.Chart(table.rename(columns={_WHO: Col.LABEL})).encode(
        y=rows(_STEP_NAME, table[_STEP_NAME]),
        yOffset=alt.YOffset(f"{Col.LABEL}:N", sort=order),
        tooltip=tips({(Col.LABEL if name == _WHO else name): text for name, text in told.items()}),
    )
    paint = alt.condition(alt.datum[Col.LABEL] == order[0], alt.value(INK), alt.value(NEUTRAL))
    x = alt.X(f"{Col.SHARE}:Q", title=title, scale=alt.Scale(domain=[0, 1]), axis=_axis())
    bars = base.mark_bar(cornerRadiusEnd=3, opacity=0.45).encode(x=x, color=paint)
    span = base.mark_rule(strokeWidth=2, color="currentColor").encode(
        x=alt.X(f"{Col.LOW}:Q"), x2=alt.X2(f"{Col.HIGH}:Q")
    )
    return sized(bars + span, (_BAR * len(order) + 12) * table[_STEP_NAME].nunique() + AXIS)


def instead(table: pd.DataFrame, column: str, title: str) -> Chart:
    """Chart of the places that users went to instead of the next step, as bars with intervals.

    Args:
        table: Columns ``instead`` (or as named), ``share``, ``low``, ``high``, ``users`` and ``n``, in order.
        column: Column of the places.
        title: What the share is of.
    """
    told = {column: ("Next", ""), Col.SHARE: (title, ".1%")} | _ENDS
    told |= {Col.USERS: ("Users", ","), Col.N: ("Of", ",")}
    base = alt.Chart(table).encode(y=rows(column, table[column]), tooltip=tips(told))
    bars = base.mark_bar(cornerRadiusEnd=3, color=NEUTRAL, opacity=0.8).encode(
        x=alt.X(f"{Col.SHARE}:Q", title=title, axis=_axis())
    )
    span = base.mark_rule(strokeWidth=2, color="currentColor").encode(
        x=alt.X(f"{Col.LOW}:Q"), x2=alt.X2(f"{Col.HIGH}:Q")
    )
    return sized(bars + span, 24 * len(table) + AXIS)


def _axis() -> alt.Axis:
    return alt.Axis(format="%", labelFlush=False, tickCount=5)


_SHARES: Final = {
    ShareOf.ALL: "All users", ShareOf.BEFORE: "The step before", ShareOf.FIRST: "The first step",
}  # fmt: skip
_TITLES: Final = {
    ShareOf.ALL: "Share of users", ShareOf.BEFORE: "Share of users with the step before",
    ShareOf.FIRST: "Share of users with the first step",
}  # fmt: skip
_NEXT: Final = 8
"""Places drawn that users went to instead; the table has :data:`_LISTED`."""
_LISTED: Final = 30
_CUT: Final = 40
"""Characters of a step's name in a chart."""
_HEAD, COLUMN, _HEADS = 24, 9, 36
"""Most characters of a column's heading, least of a line in it, and of all headings' lines on a phone."""
_DESCRIBED: Final = (
    "The model has read these page views: a difference describes how the segments were made, so no p value "
    "stands beside it. It is called one where its 95 % interval leaves out 0."
)


def draw(live: LiveSegments, choice: Choice) -> None:
    """Draw the builder of the funnel, and its counts."""
    funnel = funnel_builder.draw(live)
    walk = funnel_builder.followed(live, funnel)
    here, there = (funnel_table.count_takers(walk, users) for users in (choice.users, choice.others))
    of_all = funnel_table.steps_table(funnel, here, there, ShareOf.ALL)
    st.markdown(md_text(" ".join(sentences(of_all, choice.title, choice.other_title)), 1_000))
    of = st.segmented_control(
        "Shares are of", list(_SHARES), default=ShareOf.ALL, required=True, key="funnel-of",
        format_func=_SHARES.__getitem__, persist_state="session",
    )  # fmt: skip
    table = funnel_table.steps_table(funnel, here, there, of)
    timed = funnel_table.with_times(table, walk, choice.users, choice.others)
    _steps(choice, funnel, timed, of)
    _all_segments(live, funnel, walk, of)
    _times(funnel, timed, choice)
    _instead(live, choice, funnel, walk)


def _called(funnel: Funnel, most: int = _CUT) -> list[str]:
    """Names of steps in charts: numbered, so that the same step twice is two."""
    cut = [step.title if len(step.title) <= most else f"{step.title[: most - 1]}…" for step in funnel.steps]
    return [f"{number}. {title}" for number, title in enumerate(cut, start=1)]


def _steps(choice: Choice, funnel: Funnel, table: pd.DataFrame, of: ShareOf) -> None:
    names = _called(funnel)
    own = table.assign(**{_STEP_NAME: names, _WHO: choice.title})
    drawn = [own[[_STEP_NAME, _WHO, Col.SHARE, Col.LOW, Col.HIGH, Col.USERS, Col.N]]]
    if choice.other is not None:
        rest = {Col.REST_SHARE: Col.SHARE, REST_LOW: Col.LOW, REST_HIGH: Col.HIGH, Col.REST_USERS: Col.USERS}
        others = table[[*rest, Col.REST_N]].rename(columns=rest | {Col.REST_N: Col.N})
        drawn.append(others.assign(**{_STEP_NAME: names, _WHO: choice.other_title}))
    beside = f", beside {choice.other_title.lower()} (grey)" if choice.other is not None else ""
    figure(
        f"{md_text(choice.title)}: {len(names)} steps, {funnel.meaning}",
        partial(_steps_chart, pd.concat(drawn, ignore_index=True), _TITLES[of]),
        table, key="funnel",
        n=md_text(f"{pluralise(int(choice.users.sum()), 'user')}{beside}. Lines: 95 % intervals."),
        alt_text=f"Share of users who take each step of the funnel, {choice.title}",
    )  # fmt: skip
    if choice.other is not None:
        differing = [name for name, differs in zip(names, table[Diff.DIFFERS], strict=True) if differs]
        told = f"Differs at {', '.join(differing)}. " if differing else "No step is shown to differ. "
        st.caption(md_text(told, 600) + " " + _DESCRIBED)


def _all_segments(live: LiveSegments, funnel: Funnel, walk: FunnelWalk, of: ShareOf) -> None:
    rows = live.profiles.rows
    table = tables.named(funnel_table.side_by_side(funnel, walk, rows, of), live.names)
    names = _called(funnel, _HEAD)
    cells = pd.DataFrame(
        {
            Col.LABEL: table[Col.LABEL], Col.METRIC: [names[step - 1] for step in table[STEP]],
            "text": [percent(share, n=n) for share, n in zip(table[Col.SHARE], table[Col.N], strict=True)],
            Col.DIFFERENCE: np.where(table[Diff.DIFFERS], table[Col.DIFFERENCE], 0.0),
        }
    )  # fmt: skip
    columns = [tables.axis_text(name, max(COLUMN, _HEADS // len(names)), lines=2) for name in names]
    cells[Col.METRIC] = cells[Col.METRIC].map(dict(zip(names, columns, strict=True)))
    figure(
        "All segments side by side",
        partial(charts.heat, cells, list(dict.fromkeys(cells[Col.LABEL])), columns),
        table, key="funnel-segments", min_width=120 + 58 * len(names),
        n=f"{_TITLES[of]}. Blue: more than among the other clustered users, orange: less; no colour: no "
        "difference is shown.",
        alt_text="Share of users who take each step, in every segment",
    )  # fmt: skip


def _times(funnel: Funnel, timed: pd.DataFrame, choice: Choice) -> None:
    if len(funnel.steps) == 1:
        return
    table = timed.iloc[1:]
    names = _called(funnel)
    shown = pd.DataFrame(
        {
            "From": names[:-1], "To": names[1:], "Users": table[Col.USERS].to_numpy(),
            "A quarter within": [duration(one) for one in table[funnel_table.SECONDS_P25]],
            "Half within": [duration(one) for one in table[funnel_table.SECONDS_MEDIAN]],
            "Three quarters within": [duration(one) for one in table[funnel_table.SECONDS_P75]],
        }
    )  # fmt: skip
    if choice.other is not None:
        shown["Others: half within"] = [duration(one) for one in table[funnel_table.REST_SECONDS]]
    with st.container(border=True, key="funnel-times", gap="xsmall"):
        st.markdown("**Time between steps**", help=_TIMES)
        st.caption("Of users who took both steps.")
        st.dataframe(shown, hide_index=True, key="funnel-times-table", alt="Time between the steps")


_TIMES: Final = (
    "Of each user one sequence is timed: the first that ends the furthest step they reach, begun as late as "
    "possible. The table behind the chart above has the seconds."
)


def _instead(live: LiveSegments, choice: Choice, funnel: Funnel, walk: FunnelWalk) -> None:
    sequences = live.sources.dataset.sequences
    table = funnel_table.alternatives(funnel, walk, choice.users, choice.places, sequences, _LISTED)
    if not len(table):
        return
    names = _called(funnel)
    lost = dict(zip(table[STEP].tolist(), table[Col.N].tolist(), strict=True))
    steps = list(lost)
    with st.container(border=True, key="figure-funnel-instead", gap="xsmall"):
        st.markdown("**What they did instead of the next step**")
        st.caption(md_text(choice.title))
        step = st.selectbox(
            "After", steps, steps.index(max(lost, key=lambda one: lost[one])),
            key=f"funnel-after-{len(steps)}",
            format_func=lambda one: f"{names[one - 1]}: {lost[one]:,} users went no further",
        )  # fmt: skip
        picture(
            partial(instead, table[table[STEP] == step].head(_NEXT), INSTEAD, "Share of those"),
            key="chart-funnel-instead",
            alt_text="What users did instead of the next step",
        )
        behind(table, key="funnel-instead")
