"""Charts of flows of sessions, as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from core.base import wording
from core.journeys.flow import COLUMN
from core.journeys.moves import END, FROM, OTHER_PLACES, SESSIONS, START, TO
from core.profiles.profile_columns import Col
from pages.ui.segments.charts import NEUTRAL
from pages.ui.segments.figure import EChart

FLOW_WIDTH: Final = 640
"""Pixels below which the picture scrolls sideways: its places need room."""
_FLOW_ROW: Final = 44
"""Pixels of a place in a column of the flows."""
_LETTERS: Final = 24
"""Letters of a place beside its node; the tooltip has all."""
_MARK: Final = "#5f6b80"
"""Colour of a place on both backgrounds; blue and orange mean more and fewer."""


def sankey(links: pd.DataFrame, folded: Sequence[int], forwards: bool) -> EChart:
    """Sankey chart of flows from column to column.

    Args:
        links: Links of a :class:`core.journeys.flow.Flow`.
        folded: For each column, the number of places in its “other places”.
        forwards: Whether sessions are followed from their start to their end.
    """
    gone, whole = END if forwards else START, (links[SESSIONS] / links[Col.SHARE]).max()
    left = links[COLUMN].astype(str) + "|" + links[FROM]
    right = (links[COLUMN] + 1).astype(str) + "|" + links[TO]
    size = _stops(links, gone)
    nodes = [
        _stop(column, place, sessions / whole, folded[column - 1], gone)
        for column, place, sessions in zip(size[COLUMN], size["place"], size[SESSIONS].tolist(), strict=True)
    ]
    flows = [
        {
            "source": a,
            "target": b,
            "value": n,
            "tooltip": {"formatter": f"{x} → {y}\n{n:,} sessions, {wording.percent(share)}"},
        }
        for a, b, n, x, y, share in zip(
            left, right, links[SESSIONS].tolist(), links[FROM], links[TO], links[Col.SHARE], strict=True
        )
    ]
    series = {
        "type": "sankey", "data": nodes, "links": flows, "draggable": False, "nodeAlign": "left",
        "emphasis": {"focus": "adjacency"}, "nodeGap": 10, "nodeWidth": 12, "layoutIterations": 0,
        "lineStyle": {"color": NEUTRAL, "opacity": 0.15, "curveness": 0.5},
        "left": 4, "right": 134, "top": 8, "bottom": 8,
    }  # fmt: skip
    return _still(series, 20 + _FLOW_ROW * int(size[COLUMN].value_counts().max()))


def _still(series: dict[str, Any], height: int) -> EChart:
    """Chart of a series with plain-text tooltips: an address is never read as HTML."""
    return EChart(
        {"tooltip": {"renderMode": "richText", "confine": True}, "animation": False, "series": [series]},
        height,
    )


def _stops(links: pd.DataFrame, gone: str) -> pd.DataFrame:
    """Column, place and sessions of each node, sorted within columns, what is no place below."""
    ends = [(links[COLUMN], FROM), (links[COLUMN] + 1, TO)]
    parts = [
        links.assign(**{COLUMN: column, "place": links[place]}).groupby([COLUMN, "place"])[SESSIONS].sum()
        for column, place in ends
    ]
    size = parts[0].combine(parts[1], max, fill_value=0).astype(int).reset_index()
    overall = size.groupby("place")[SESSIONS].transform("sum")
    below = size["place"].map({OTHER_PLACES: 1, gone: 2}).fillna(0)
    return size.assign(below=below, overall=-overall).sort_values([COLUMN, "below", "overall", "place"])


def _stop(column: int, place: str, share: float, others: int, gone: str) -> dict[str, Any]:
    called = f"({others:,} other places)" if place == OTHER_PLACES else place
    key, text = f"{column}|{place}", f"{_whole(share)} {called}"
    short = f"{_whole(share)} {wording.shortened(called, _LETTERS)}"
    return {
        "name": key, "depth": column - 1, "tooltip": {"formatter": text},
        "itemStyle": {"color": NEUTRAL if place in (OTHER_PLACES, gone) else _MARK},
        "label": {"formatter": short, "fontSize": 11, "width": 134, "overflow": "truncate"},
    }  # fmt: skip


def _whole(share: float) -> str:
    """A share in whole percent; ``<1%`` where it would round to 0."""
    text = wording.percent(share, 0)
    return "<1%" if share > 0 and text == "0%" else text
