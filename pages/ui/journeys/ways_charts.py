"""Charts of routes, of sequences and of time to the outcome."""

from __future__ import annotations

from typing import Final

import altair as alt
import pandas as pd

from core.differences.table import Diff
from core.journeys.carpet import BEGIN, PLACE, STOP, STRIP
from core.journeys.moves import END
from core.journeys.places import OTHER_PLACES
from core.journeys.routes import ROUTE
from core.journeys.survival import HAVE_HAD
from core.profiles.profile_columns import Col
from pages.ui.segments.charts import AXIS, INK, NEUTRAL, Chart, sized, tips

ROUTE_ROW: Final = 46
"""Pixels of a route: its text, and its bar below."""
SAID_ROOM: Final = 170
"""Pixels beside the longest bar for what is said of it."""
SAID: Final = "said"
COLOURED: Final = "coloured"
"""What a cell of the carpet is coloured as."""
TALLEST: Final = 600
"""Pixels of all strips, about."""
LEGEND_ITEM: Final = 165
END_WIDTH: Final = 0.4
"""Of a cell, for the end of a session."""
LEGEND_ROW: Final = 25
"""Pixels of two places of the legend, which share a row on a phone."""
SURE, UNSURE = 0.85, 0.3
"""Opacity of a bar, and of one that is not shown to differ."""
MOMENT, ROW_TITLE = "moment", "row"


def routes(table: pd.DataFrame, here: str, there: str) -> Chart:
    """A bar a route: the share of users who took it, the route above it, a grey tick below at the others'.

    Args:
        table: Of :meth:`core.journeys.routes.Routes.listed`, and ``said``, what stands beside the bar.
        here: Whose bars they are.
        there: Whose ticks; empty where there are none.
    """
    told = {ROUTE: ("Route", ""), Col.SHARE: (here, ".1%"), Col.REST_SHARE: (there or "Others", ".1%")}
    told |= {
        Col.OUTCOME_RATE: ("Converted", ".1%"), Col.OUTCOME_LOW: ("From", ".1%"),
        Col.OUTCOME_HIGH: ("To", ".1%"),
    }  # fmt: skip
    widest = float(table[[Col.SHARE, Col.REST_SHARE]].max().max())
    base = alt.Chart(table).encode(
        y=alt.Y(f"{Col.RANK}:O", axis=None, scale=alt.Scale(padding=0)), tooltip=tips(told)
    )
    room = alt.Scale(domain=[0, widest], range=[0, alt.expr(f"max(60, width - {SAID_ROOM})")], nice=False)
    x = alt.X(f"{Col.SHARE}:Q", scale=room, axis=None)
    text = base.mark_text(align="left", dy=-8, color=INK, fontSize=13, limit=alt.expr("width")).encode(
        x=alt.value(0), text=alt.Text(f"{ROUTE}:N")
    )
    sure = f"datum.{Diff.DIFFERS} || !isValid(datum.{Col.REST_SHARE})"
    bars = base.mark_bar(height=10, yOffset=9, cornerRadiusEnd=2, color=INK).encode(
        x=x, opacity=alt.condition(sure, alt.value(SURE), alt.value(UNSURE))
    )
    said = base.mark_text(align="left", dx=8, dy=9, color=INK, opacity=0.75).encode(
        x=x, text=alt.Text(f"{SAID}:N")
    )
    others = base.transform_filter(f"isValid(datum.{Col.REST_SHARE})").mark_tick(
        thickness=3, height=9, yOffset=19, color=NEUTRAL  # below what is said of the bar
    ).encode(x=alt.X(f"{Col.REST_SHARE}:Q", scale=room, axis=None))  # fmt: skip
    return sized(bars + others + text + said, ROUTE_ROW * len(table) + 8)


def carpet(runs: pd.DataFrame, places: tuple[str, ...], strips: int, title: str) -> Chart:
    """One strip below the other, in cells of the colour of their place.

    Args:
        runs: ``strip``, ``begin``, ``stop``, ``place`` and ``coloured``.
        places: Those that have a colour of their own, in order; every other is grey.
        strips: How many there are.
        title: What a cell is.
    """
    told = {PLACE: ("", ""), STRIP: ("Strip", ","), BEGIN: ("After page views and ends", ",")}
    whole = alt.expr(f"floor(height / {strips}) * {strips}")  # whole pixels: no seams between strips
    cells = alt.Axis(format="d", tickMinStep=1, grid=False, orient="top")
    base = alt.Chart(runs).encode(
        x=alt.X(f"{BEGIN}:Q", title=title, axis=cells),
        x2=alt.X2(f"{STOP}:Q"),
        y=alt.Y("top:Q", axis=None, scale=alt.Scale(domain=[0, strips], range=[0, whole], nice=False)),
        y2=alt.Y2(f"{STRIP}:Q"),
        tooltip=tips(told),
    ).transform_calculate(top=f"datum.{STRIP} - 1")  # fmt: skip
    legend = alt.Legend(
        title=None, orient="top", columns=alt.expr(f"max(1, floor(width / {LEGEND_ITEM}))"),
        labelLimit=LEGEND_ITEM - 27, symbolType="square",
    )  # fmt: skip
    own = base.transform_filter(alt.FieldOneOfPredicate(COLOURED, list(places))).mark_rect()
    other = base.transform_filter(alt.datum[COLOURED] == OTHER_PLACES).mark_rect(color=NEUTRAL, opacity=0.45)
    ended = base.transform_filter(alt.datum[COLOURED] == END).transform_calculate(
        slim=f"datum.{BEGIN} + {END_WIDTH}", top=f"datum.{STRIP} - 1"
    )
    ends = ended.mark_rect(color=INK, opacity=0.7).encode(x2=alt.X2("slim:Q"))
    coloured = own.encode(
        color=alt.Color(f"{COLOURED}:N", scale=alt.Scale(domain=list(places)), legend=legend)
    )
    height = strips * max(2, min(14, TALLEST // max(strips, 1)))
    return sized(other + coloured + ends, height + AXIS + LEGEND_ROW * -(-len(places) // 2))


def curves(table: pd.DataFrame, titles: tuple[str, ...], unit: str) -> Chart:
    """Who have had the outcome by a moment, with the interval as a band.

    Args:
        table: ``row`` (a title), ``moment`` in units, ``have_had``, ``low`` and ``high``.
        titles: The rows, the first one and, in grey, the other.
        unit: What a moment is counted in.
    """
    drawn = [
        _curve(table[table[ROW_TITLE] == title], colour, unit)
        for title, colour in zip(titles, (INK, NEUTRAL), strict=False)
    ]
    return sized(drawn[1] + drawn[0] if len(drawn) > 1 else drawn[0], 280)


def _curve(table: pd.DataFrame, colour: str, unit: str) -> alt.LayerChart:
    percent = alt.Axis(format="%", tickCount=5)
    told = {ROW_TITLE: ("", ""), MOMENT: (unit, ",.2f"), HAVE_HAD: ("Have had it", ".2%")}
    told |= {Col.LOW: ("From", ".2%"), Col.HIGH: ("To", ".2%")}
    base = alt.Chart(table).encode(
        x=alt.X(f"{MOMENT}:Q", title=f"{unit} since the first page view", scale=alt.Scale(nice=False)),
        tooltip=tips(told), color=alt.value(colour),
    )  # fmt: skip
    band = base.mark_area(interpolate="step-after", opacity=0.13).encode(
        y=alt.Y(f"{Col.LOW}:Q", title=None, axis=percent), y2=alt.Y2(f"{Col.HIGH}:Q")
    )
    line = base.mark_line(interpolate="step-after", strokeWidth=2.5).encode(y=alt.Y(f"{HAVE_HAD}:Q"))
    both: alt.LayerChart = band + line
    return both
