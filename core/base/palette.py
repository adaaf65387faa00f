"""Colours of segments: one for each, the same on every screen and in the report, with a shade a theme.

The first twelve colours of each theme were searched for in OKLab so that the closest pair stays apart for
normal sight and for protanopia, deuteranopia and tritanopia (simulated after Machado, Oliveira and Fernandes
2009): at least 0.08, some four times a just noticeable difference, from each other and from the grey of users
outside clustering. The eight after them, up to the most segments that the screen offers, keep 0.058. All have
a contrast of 3 with the background of their theme (WCAG 2.2, 1.4.11); a segment keeps about its hue when the
theme changes. From the 21st segment on, which only the command line makes, the colours repeat, and the
number tells them apart.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from core.base.schema import OUTSIDE


class Mode(StrEnum):
    """Light or dark background of a chart."""

    LIGHT = "light"
    DARK = "dark"


PALETTE: Final[dict[Mode, tuple[str, ...]]] = {
    Mode.LIGHT: (
        "#3354ae", "#ce8111", "#66161c", "#708afd", "#40590c", "#8625ee", "#76425a",
        "#50235f", "#507c96", "#9a5657", "#252890", "#a77958", "#1c977b", "#b40201",
        "#fc1cf2", "#d14a04", "#695286", "#5308cd", "#986fcf", "#672d4a",
    ),
    Mode.DARK: (
        "#5579d4", "#fec68b", "#d65f61", "#a1b6fd", "#bbfd2a", "#8e1dfe", "#8c516c",
        "#f3d7fe", "#05a2e0", "#c70e36", "#4b5bba", "#fe8d21", "#73efcc", "#fa261a",
        "#d8a2d2", "#f8a486", "#725993", "#7b78ae", "#d4c3ee", "#b26187",
    ),
}  # fmt: skip
MUTED: Final = "#8b94a5"
"""Grey of users outside clustering, of "all users" and of references, on both backgrounds."""

BACKGROUND: Final[dict[Mode, str]] = {Mode.LIGHT: "#ffffff", Mode.DARK: "#10141b"}
"""Page background of each theme, which the colours were checked against."""


def colour(segment: int, mode: Mode = Mode.LIGHT) -> str:
    """Return the colour of a segment (0-based) as ``#rrggbb``; the grey of the mode for a negative one."""
    return MUTED if segment <= OUTSIDE else PALETTE[mode][segment % len(PALETTE[mode])]
