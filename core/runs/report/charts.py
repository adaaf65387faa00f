"""The report's figures as plain Plotly dictionaries.

Colours are tokens (``token:ink``, ``token:seg-3``), so that one figure serves light and dark: the page
puts the colours in when it draws (``core/runs/report/templates/report.js``).

Plotly reads a few HTML tags in texts. Names and addresses are written by strangers, so every text of a
figure goes through :func:`plain`.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from core.base.palette import BACKGROUND, MUTED, PALETTE, Mode
from core.base.schema import OUTSIDE, SET_ASIDE, Group
from core.profiles.rows import GROUP_LABELS

Figure = dict[str, Any]

_TOKEN: Final = "token:"
_INK, _FAINT, _LINE, _BASE = (f"{_TOKEN}{name}" for name in ("ink", "faint", "line", "base"))
_LEFT, _KEPT, _GONE = (f"{_TOKEN}{name}" for name in ("left", "kept", "gone"))
_FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_LEGEND: Final[Figure] = {
    "orientation": "h", "yanchor": "top", "x": 0, "itemsizing": "constant",
    "font": {"color": _INK, "size": 13}, "itemclick": "toggle", "itemdoubleclick": "toggleothers",
}  # fmt: skip
MAP_POINTS: Final = 5_000
"""Most users drawn on the map; more would be heavy, and slow to colour anew after a move."""

_FIXED: Final[dict[str, dict[Mode, str]]] = {
    "ink": {Mode.LIGHT: "#1a2333", Mode.DARK: "#e4e8f0"},
    "faint": {Mode.LIGHT: "#5b6678", Mode.DARK: "#9aa5b8"},
    "line": {Mode.LIGHT: "#e3e7ee", Mode.DARK: "#2b3444"},
    "left": {Mode.LIGHT: "#2f4fa3", Mode.DARK: "#7f9bf0"},
    "kept": {Mode.LIGHT: "#6685d4", Mode.DARK: "#4c70bc"},
    "gone": {Mode.LIGHT: "#c56f22", Mode.DARK: "#d07a2d"},
    "base": BACKGROUND,
    "outside": dict.fromkeys(Mode, MUTED),
}


@dataclass(frozen=True)
class RatePoint:
    """A segment's rate with its interval, for the forest plot."""

    segment: int
    name: str
    rate: float
    low: float
    high: float
    users: int
    rest: float
    """The rate of the other clustered users."""


@dataclass(frozen=True)
class Curve:
    """Share of a segment's users (0 to 1) with the outcome by each day since their first page view."""

    segment: int
    name: str
    days: list[float]
    shares: list[float]


def tokens() -> dict[str, dict[str, str]]:
    """Colours of all tokens by mode: ``{"light": {"token:ink": "#…"}, "dark": {…}}``."""
    return {
        mode.value: {
            **{f"{_TOKEN}{name}": shades[mode] for name, shades in _FIXED.items()},
            **{f"{_TOKEN}seg-{number}": shade for number, shade in enumerate(PALETTE[mode])},
        }
        for mode in Mode
    }


def token(segment: int) -> str:
    """The colour token of a segment, by its id: ``token:seg-3``."""
    return f"{_TOKEN}outside" if segment <= OUTSIDE else f"{_TOKEN}seg-{segment % len(PALETTE[Mode.LIGHT])}"


def plain(text: object, limit: int = 60) -> str:
    """Text that is safe in a figure: one line, cut to a length, without tags."""
    flat = " ".join(str(text).split())
    cut = flat if len(flat) <= limit else f"{flat[: limit - 1]}…"
    # A token would become a colour; a word joiner in front keeps it a text.
    return html.escape(cut, quote=False) if not cut.startswith(_TOKEN) else f"\u2060{cut}"


def waterfall(start: int, steps: Sequence[tuple[str, int, int]], used: int) -> Figure:
    """Waterfall chart of the records in the files, those left out at each step, and the page views used.

    Args:
        start: Records in the files.
        steps: ``(label, records that leave, records left)``.
        used: Page views used.
    """
    labels = ["Records in the files", *(plain(label) for label, _, _ in steps), "Page views used"]
    kept = [start, *(left for _, _, left in steps), used]
    gone = [0, *(leaves for _, leaves, _ in steps), 0]
    shown = [f"{start:,}", *(f"−{leaves:,}" if leaves else "0" for _, leaves, _ in steps), f"{used:,}"]
    bars = {"type": "bar", "orientation": "h", "y": labels, "hoverinfo": "skip", "cliponaxis": False}
    data = [
        {**bars, "x": kept, "marker": {"color": [_LEFT, *[_KEPT] * len(steps), _LEFT]}, "name": "left"},
        {
            **bars, "x": gone, "marker": {"color": _GONE}, "name": "leaves", "text": shown,
            "textposition": "outside", "textfont": {"color": _INK},
        },
    ]  # fmt: skip
    layout = _layout(height=70 + 30 * len(labels), left=175)
    layout["barmode"] = "stack"
    layout["xaxis"] |= {"showticklabels": False, "showgrid": False, "range": [0, start * 1.12 or 1]}
    layout["yaxis"] |= {"autorange": "reversed", "showgrid": False}
    return {"data": data, "layout": layout}


def forest(points: Sequence[RatePoint], title: str) -> Figure:
    """Forest plot: each segment's rate with its interval, beside the rate of the other clustered users.

    Args:
        points: Points of the segments, from top to bottom.
        title: Title of the axis.
    """
    names = [plain(point.name, 34) for point in points]
    others = {
        "type": "scatter", "mode": "markers", "x": [point.rest for point in points], "y": names,
        "marker": {"symbol": "line-ns-open", "size": 16, "color": _FAINT, "line": {"width": 2}},
        "hovertemplate": "the others: %{x:.2%}<extra></extra>",
    }  # fmt: skip
    rates = [
        {
            "type": "scatter", "mode": "markers", "x": [point.rate], "y": [name],
            "marker": {"size": 11, "color": token(point.segment)}, "cliponaxis": False,
            "error_x": {
                "type": "data", "symmetric": False, "array": [point.high - point.rate],
                "arrayminus": [point.rate - point.low], "color": token(point.segment),
                "thickness": 2.5, "width": 5,
            },
            "hovertemplate": f"{point.rate:.2%} ({point.low:.2%} to {point.high:.2%}), {point.users:,} users"
            "<extra></extra>",
        }
        for name, point in zip(names, points, strict=True)
    ]  # fmt: skip
    layout = _layout(height=90 + 32 * len(points), left=200)
    layout["xaxis"] |= {"tickformat": ".1%", "rangemode": "tozero", "title": {"text": plain(title)}}
    layout["yaxis"] |= {"autorange": "reversed", "showgrid": False}
    return {"data": [others, *rates], "layout": layout}


def time_curves(curves: Sequence[Curve]) -> Figure:
    """Step lines, one a segment: share of users who have had the outcome by each day."""
    lines = [
        {
            "type": "scatter", "mode": "lines", "x": curve.days, "y": curve.shares,
            "name": plain(curve.name, 34),
            "line": {"shape": "hv", "width": 2.5, "color": token(curve.segment)},
            "hovertemplate": "%{y:.2%} by day %{x:.1f}",
        }
        for curve in curves
    ]  # fmt: skip
    layout = _layout(height=320 + 12 * len(curves), left=60)
    layout["xaxis"] |= {"rangemode": "tozero", "ticksuffix": " d"}
    layout["yaxis"] |= {"tickformat": ".1%", "rangemode": "tozero"}
    layout |= {"showlegend": True, "legend": _LEGEND | {"y": -0.1}}
    return {"data": lines, "layout": layout}


def drawn_users(labels: np.ndarray, seed: int = 0) -> np.ndarray:
    """Users on the map by segment, those in none first; a seeded sample where there are many."""
    chosen = np.arange(len(labels))
    if len(chosen) > MAP_POINTS:
        chosen = np.sort(np.random.default_rng(seed).choice(len(chosen), MAP_POINTS, replace=False))
    by_segment: np.ndarray = chosen[np.argsort(labels[chosen], kind="stable")]
    return by_segment


def user_map(xy: np.ndarray, labels: np.ndarray, names: dict[int, str], chosen: np.ndarray) -> Figure:
    """Scatter plot with a dot a user, coloured by segment.

    Args:
        xy: float of shape (n_users, 2).
        labels: int of shape (n_users,); users in no segment are drawn first, in grey.
        names: Segment → name.
        chosen: The users that are drawn (:func:`drawn_users`).
    """
    names = {SET_ASIDE: GROUP_LABELS[Group.SET_ASIDE], OUTSIDE: "Outside clustering"} | names
    xy, labels = np.round(xy[chosen].astype(float), 3), labels[chosen]
    data = [
        {
            "type": "scatter", "mode": "markers", "x": xy[labels == label, 0].tolist(),
            "y": xy[labels == label, 1].tolist(), "hoverinfo": "name",
            "name": plain(names[label], 34),
            "marker": {"size": 4.5, "color": token(label), "opacity": 0.7 if label > OUTSIDE else 0.35},
        }
        for label in np.unique(labels).tolist()
    ]  # fmt: skip
    layout = _layout(height=560, left=10)
    hidden = {"visible": False, "fixedrange": False}
    layout |= {"xaxis": hidden, "yaxis": {**hidden, "scaleanchor": "x"}, "showlegend": True}
    layout["legend"] = _LEGEND | {"y": -0.02}
    return {"data": data, "layout": layout}


def _layout(height: int, left: int) -> Figure:
    axis = {
        "gridcolor": _LINE, "zerolinecolor": _LINE, "linecolor": _LINE,
        "tickfont": {"color": _INK, "size": 13}, "automargin": True, "fixedrange": True,
    }  # fmt: skip
    return {
        "height": height, "margin": {"l": left, "r": 20, "t": 24, "b": 36},
        "font": {"family": _FONT, "color": _INK},
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "showlegend": False,
        "xaxis": dict(axis), "yaxis": dict(axis),
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": _FAINT, "activecolor": _INK},
        "hoverlabel": {"bgcolor": _BASE, "font": {"color": _INK}},
    }  # fmt: skip
