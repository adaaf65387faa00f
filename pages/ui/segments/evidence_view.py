"""Whether segments are there, on the screen: numbers of them beside chance, and how sure each one is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

import altair as alt
import pandas as pd
import streamlit as st

from core.segments import certificate
from core.segments.certificate import Certificate
from core.segments.evidence import LEAST, KEvidence
from pages.ui.segments import charts
from pages.ui.segments.charts import Chart
from pages.ui.segments.figure import Columns, download_csv, figure
from pages.ui.shell.text import count

GIVEN: Final = (
    "The vectors are the same each time, so that groups come back here also where, as with these users, no "
    "number of segments is supported."
)


def numbers(evidence: KEvidence, current: int) -> None:
    """How well halves agree on each number of segments, beside shuffled users.

    Args:
        evidence: Of at least one number.
        current: The number on screen.
    """
    table = evidence.table()
    with st.container(border=True, height="stretch", key="numbers", gap="small"):
        figure(
            "Which numbers of segments do the users support?", partial(over_k, table, current),
            table[list(_NUMBERS)],
            n=f"{count(evidence.users, 'user')} in halves that learn for themselves. Lines: one standard "
            f"deviation of the splits. Band: all {evidence.draws} draws of shuffled users. "
            f"Dashed: {LEAST}, the least. Filled: supported. Diamond: yours.",
            key="numbers", border=False, columns=_titled(_NUMBERS),
            alt_text="Agreement of halves over the number of segments, beside shuffled users",
            help_text="Each half of the users learns from its own visits which pages go together and cuts "
            "everybody by it. Drawn: the adjusted Rand index of the two cuts.",
        )  # fmt: skip


def over_k(table: pd.DataFrame, current: int) -> Chart:
    """Agreement over the number of segments, the band of chance, and the analyst's own number.

    Args:
        table: From :meth:`KEvidence.table`.
        current: The number on screen.
    """
    table = table.assign(
        low=(table["split_half"] - table["split_half_spread"]).clip(lower=0),
        high=(table["split_half"] + table["split_half_spread"]).clip(upper=1),
    )
    told = {
        "k": ("Segments", ""), "split_half": ("Agreement", ".2f"), "split_half_null": ("By chance", ".2f"),
        "split_half_null_high": ("By chance at most", ".2f"), "supported": ("Supported", ""),
    }  # fmt: skip
    across = alt.X("k:O", title="Segments", axis=alt.Axis(labelAngle=0))
    base = alt.Chart(table).encode(x=across, tooltip=charts.tips(told), color=alt.value(charts.ABOVE))
    up = partial(alt.Y, title="Agreement (1 is the same)")
    scale = alt.Scale(domain=[min(0.0, float(table["split_half_null_low"].min())), 1])
    band = base.mark_area(opacity=0.25).encode(
        y=up("split_half_null_low:Q", scale=scale), y2="split_half_null_high:Q",
        color=alt.value(charts.NEUTRAL),
    )  # fmt: skip
    span = base.mark_rule(strokeWidth=3, opacity=0.5).encode(y=up("low:Q"), y2="high:Q")
    point = base.mark_point(size=70, opacity=1).encode(
        y=up("split_half:Q"),
        fillOpacity=alt.condition("datum.supported", alt.value(1), alt.value(0)),
        fill=alt.value(charts.ABOVE),
        shape=alt.condition(alt.datum.k == current, alt.value("diamond"), alt.value("circle")),
        size=alt.condition(alt.datum.k == current, alt.value(190), alt.value(60)),
    )
    line = alt.Chart(pd.DataFrame({"value": [LEAST]})).mark_rule(strokeDash=[4, 4], color=charts.NEUTRAL)
    return charts.sized(band + line.encode(y="value:Q") + span + point, 220)


def certificates(titles: Mapping[int, str], found: Mapping[int, Certificate], *, none: bool) -> None:
    """A row a segment: how much of it comes back, and to whom the others go.

    Args:
        titles: Segment → what it is called.
        found: Segment → how sure it is.
        none: Whether no number of segments is supported.
    """
    table = certificate.table(found)
    table["segment"] = table["segment"].map(titles)
    table["rival"] = table["rival"].map(titles)
    with st.container(border=True, key="certificates", gap="xsmall"):
        st.markdown(
            "**How sure is each segment?**",
            help="The share of users in both by users in either, of the segment and the one most like it "
            "among segments of other users (Jaccard index, Hennig 2007).",
        )
        st.caption(
            "What comes back of each segment with another sample of users (from–to: in 95 of 100 cases), "
            "with halves of them, and from other starts of K-Means; 1 is all of it."
        )
        if none:
            st.caption(f":material/warning: {GIVEN}")
        shown = table[list(_CERTIFIED)]
        st.dataframe(
            shown, hide_index=True, column_config=_titled(_CERTIFIED), key="table-certificates",
            placeholder="–", alt="How sure each segment is",
        )  # fmt: skip
        download_csv(shown, "certificates")


_CERTIFIED: Final = {
    "segment": "Segment", "word": "So", "jaccard": "Comes back", "low": "From", "high": "To",
    "halves": "Halves", "seeds": "Other starts", "rival": "Nearest rival", "moves": "Move there",
    "users": "Users",
}  # fmt: skip
"""Column of a certificate → its heading, in the order shown."""


_SHARES: Final = ("jaccard", "low", "high", "halves", "seeds", "moves")

_NUMBERS: Final = {
    "k": "Segments", "supported": "Supported", "split_half": "Agreement", "split_half_spread": "± (splits)",
    "split_half_null": "By chance", "split_half_null_low": "From", "split_half_null_high": "To",
    "silhouette": "How far apart", "silhouette_null_high": "By chance at most",
}  # fmt: skip
"""Column of the evidence → its heading, in the order shown."""


def _titled(headings: Mapping[str, str]) -> Columns:
    return {
        name: st.column_config.NumberColumn(title, format="%.2f")
        if name in _SHARES
        else st.column_config.Column(title)
        for name, title in headings.items()
    }
