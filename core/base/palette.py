"""Colours of segments: one for each, the same on every screen, light or dark, and in the report.

The first twelve colours were searched for in OKLab so that the closest pair stays apart for normal sight and
for protanopia, deuteranopia and tritanopia (simulated after Machado, Oliveira and Fernandes 2009): at
least 0.085, some four times a just noticeable difference, from each other and from both greys of users
outside clustering. All have a contrast of 2 with either background, so that a segment keeps its colour when
the theme changes. The eight after them, up to the most segments that the screen offers, were searched for
around these and keep 0.065. From the 21st segment on, which only the command line makes, the colours repeat,
and the number tells them apart.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from core.base.schema import OUTSIDE


class Mode(StrEnum):
    """Light or dark background of a chart."""

    LIGHT = "light"
    DARK = "dark"


PALETTE: Final = (
    "#3f66c2", "#ffa22f", "#0f9dab", "#67407e", "#af84f2", "#b05212",
    "#43cf84", "#895670", "#ff4ca9", "#885cfd", "#ba8f4d", "#4d1dc4",
    "#a30620", "#3500f6", "#daa1ef", "#15582d", "#c06c07", "#7a0098",
    "#72569b", "#a36767",
)  # fmt: skip

MUTED: Final[dict[Mode, str]] = {Mode.LIGHT: "#c7c9d4", Mode.DARK: "#3b414b"}
"""Grey of users outside clustering, and of "all users"."""

BACKGROUND: Final[dict[Mode, str]] = {Mode.LIGHT: "#ffffff", Mode.DARK: "#10141b"}
"""Page background of each theme, which the colours were checked against."""


def colour(segment: int, mode: Mode = Mode.LIGHT) -> str:
    """Return the colour of a segment (0-based) as ``#rrggbb``; the grey of the mode for a negative one."""
    if segment <= OUTSIDE:
        return MUTED[mode]
    return PALETTE[segment % len(PALETTE)]
