"""Where a figure comes from: its value, interval and count, and the chart of the Profiles page with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd
import streamlit as st

from core.profiles.columns import Col
from core.words.contract import Fact
from core.words.items import Dimension
from pages.ui.links import PROFILES, link

BY_ITEM: Final = {
    Dimension.PAGE: "Pages", Dimension.THEME: "Page themes", Dimension.TYPE: "Page types",
    Dimension.BROWSER: "Browser", Dimension.DEVICE: "Device", Dimension.COUNTRY: "Country",
    Dimension.SOURCE: "First-touch source",
}  # fmt: skip
"""Titles on the Profiles page."""
SIZES: Final = (Col.USERS, Col.SHARE, Col.SHARE_CLUSTERED)
CONVERSION: Final = (Col.OUTCOME_RATE, Col.OUTCOME_USERS)


def draw(facts: Sequence[Fact], key: str) -> None:
    """A list of figures behind a button."""
    with st.popover(f"{len(facts)} figures" if len(facts) > 1 else "1 figure", type="tertiary", key=key):
        table = pd.DataFrame(
            {
                "Figure": [f"{fact.label} {fact.item}".strip() for fact in facts],
                "Of": [" and ".join(map(_called, fact.segments)) for fact in facts],
                "Value": [fact.text for fact in facts],
                "95 % interval": [interval(fact) for fact in facts],
                "n": [fact.n for fact in facts],
                "Chart": [chart_of(fact) for fact in facts],
            }
        )
        st.dataframe(table, hide_index=True, placeholder="–", alt="The figures of the answer")
        st.caption("Computed by the functions that draw the Profiles page.")
        link(PROFILES, "Open the charts")


def chart_of(fact: Fact) -> str | None:
    """Title of the chart on the Profiles page that shows a figure; None where only words say it."""
    metric, _, dimension = fact.metric.partition(":")
    if dimension in BY_ITEM:
        return BY_ITEM[Dimension(dimension)]
    if dimension:
        return None
    if metric in SIZES:
        return "How large they are"
    return "How segments convert" if metric in CONVERSION else "How segments differ"


def interval(fact: Fact) -> str:
    """The 95 % interval; empty where there is none."""
    if fact.low is None or fact.high is None:
        return ""
    return f"[{fact.low:.4g}, {fact.high:.4g}]"


def _called(key: str) -> str:
    """What a row is called: segments are counted from 1 on the screen."""
    kind, _, name = key.partition(":")
    return f"Segment {int(name) + 1}" if kind == "segment" else (name or kind).replace("_", " ")
