"""How many segments: numbers beside chance, and what each would be before it is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

import pandas as pd
import streamlit as st

from core.profiles.profile_columns import Col
from core.segments.evidence import LEAST, KEvidence, KMeasure
from pages.ui.segments import background, charts, live_segments, session_segments
from pages.ui.segments.figure import behind, picture
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import job_panel, state, written_table
from pages.ui.shell.text import count

LOOKED_AT: Final = "looked_at_k"


@dataclass(frozen=True)
class _Shown:
    """A measure on the chart: its button, what it says, how it is computed."""

    button: str
    says: str
    how: str


MEASURES: Final = {
    KMeasure.SPLIT_HALF: _Shown(
        "Halves", "**How well another half of the users agrees**: higher is better",
        "Each half learns which pages go together and cuts everybody by it: adjusted Rand index.",
    ),
    KMeasure.SEEDS: _Shown(
        "Starts", "**How well another start of K-Means agrees**: higher is better",
        "Adjusted Rand index of K-Means from two seeds, on the vectors on screen.",
    ),
    KMeasure.SILHOUETTE: _Shown(
        "Silhouette", "**How far apart** the segments lie: higher is better",
        "Silhouette: how much nearer users are to their own segment than to the next one, from −1 to 1.",
    ),
    KMeasure.DAVIES_BOULDIN: _Shown(
        "Davies–Bouldin", "**How wide** segments are beside their distances: lower is better",
        "Davies and Bouldin (1979).",
    ),
}  # fmt: skip
BAND: Final = (
    " Grey band: what shuffled users show. Shaded: numbers that are nearly as good. Dotted: the least that "
    "halves must agree by."
)


def draw(live: LiveSegments) -> None:
    """The comparison, or how far it is."""
    with st.container(border=True, key="choose_k", gap="xsmall"):
        st.markdown("**How many segments?**", help="Each number of segments, with these weights.")
        if live.evidence is not None:
            _compared(live, live.evidence)
            return
        offer(live)


def offer(live: LiveSegments) -> None:
    """Compare numbers of segments, or watch it."""
    if job_panel.panels([background.CHOOSE_K], live.sources.embeddings):
        st.caption("It takes 1 to 2 minutes. The segments stay as they are until you choose.")
        return
    st.caption("Not compared yet for these weights. It runs in the background, in 1 to 2 minutes.")
    st.button(
        "Compare 2 to 15", key="compare_k", icon=":material/play_arrow:", on_click=background.start,
        args=(background.CHOOSE_K, live.sources, live.steering.weights),
    )  # fmt: skip


def _compared(live: LiveSegments, evidence: KEvidence) -> None:
    current, suggested = len(live.segmentation.as_cut.ids), evidence.suggested_k
    by_hand = f", changed by hand to {len(live.segments)}" if live.segmentation.cut else ""
    verdict = "" if suggested is None else f"{live.verdict} "  # else it is said first on the page
    st.caption(f"{verdict}You are at {current}{by_hand}.")
    if suggested is not None and suggested != current:
        _use(live, suggested, "use_suggested")
    if not evidence.rows:
        return
    chosen = st.segmented_control(
        "Measure", list(MEASURES), default=KMeasure.SPLIT_HALF, required=True, key="k_measure",
        format_func=lambda measure: MEASURES[measure].button, label_visibility="collapsed",
        persist_state="session",
    )  # fmt: skip
    shown, table = MEASURES[chosen], evidence.table()
    st.caption(shown.says, help=shown.how + BAND)
    picture(
        partial(
            charts.line_over_k, table, chosen.value, shown.button, current, suggested, evidence.near,
            LEAST if chosen is KMeasure.SPLIT_HALF else None,
        ),
        key="chart-k", alt_text=f"{shown.button} over the number of segments",
    )  # fmt: skip
    _look_at(live, evidence)
    behind(table, key="number_of_segments", columns={"k": "Segments"})


def _look_at(live: LiveSegments, evidence: KEvidence) -> None:
    """Names and sizes of another number of segments, before it is chosen."""
    numbers = [row.k for row in evidence.rows if row.k != len(live.segmentation.as_cut.ids)]
    k = st.pills(
        "Look at another number before you choose it", numbers, key=f"{LOOKED_AT}-{live.sources.model_key}"
    )
    if k is None:
        return
    other = live_segments.with_number(live, k)
    sizes = other.segmentation.partition.sizes
    table = pd.DataFrame(
        {Col.LABEL: other.names[segment], Col.USERS: users, Col.SHARE: users / live.sources.n_clustered}
        for segment, users in sizes.items()
    )
    of_all = st.column_config.ProgressColumn("Of the clustered users", format="percent", max_value=1.0)
    written_table.draw(
        table, key=f"looked-at-{k}", alt_text=f"Names and sizes of {k} segments", height="content",
        columns={Col.SHARE: of_all},
    )  # fmt: skip
    row = evidence.of(k)
    if row is not None:
        held = "These users support it" if row.supported else "These users do not support it"
        st.caption(f"{held}: halves agree by {row.halves.value:.2f}, by chance {row.halves.null:.2f}.")
    _use(live, k, "use_looked_at")


def _use(live: LiveSegments, k: int, key: str) -> None:
    st.button(
        f"Use {k}", key=key, icon=":material/check:", on_click=_choose, args=(live, k),
        help=f"{count(k, 'segment')} fitted from scratch; those that go on keep their number and name.",
    )  # fmt: skip


def _choose(live: LiveSegments, k: int) -> None:
    state.set_controls(live.sources.model_key, n_clusters=k)
    session_segments.refit()  # what was read is what comes
    st.session_state.pop(f"{LOOKED_AT}-{live.sources.model_key}", None)
