"""One colour a segment, the same on every screen and in the report.

The first twelve colours were searched for in OKLCH so that the closest pair stays apart for normal sight and
for protanopia, deuteranopia and tritanopia (simulated after Machado, Oliveira and Fernandes 2009): at
least 0.085 in OKLab, some four times a just noticeable difference, from each other and from the grey of
users outside clustering. Most have a twin of nearly the same hue for dark backgrounds. The eight after them,
up to the most segments that the screen offers, were searched for around these and keep 0.065. From the 21st
segment on, which only the command line makes, the colours repeat, and the number tells them apart.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from core.base.schema import OUTSIDE


class Mode(StrEnum):
    """The background that the colours lie on."""

    LIGHT = "light"
    DARK = "dark"


PALETTE: Final[dict[Mode, tuple[str, ...]]] = {
    Mode.LIGHT: (
        "#3862c4", "#ffa332", "#4b9494", "#761e5c", "#ae84f2", "#b05315",
        "#23d091", "#89527a", "#fd4fbb", "#885cfd", "#b78d49", "#482f97",
        "#a21e3f", "#3408e4", "#d9a2ef", "#554a08", "#977660", "#4a0876",
        "#6b4a97", "#552913",
    ),
    Mode.DARK: (
        "#4f84fe", "#fa9d6b", "#268968", "#77e1e7", "#b99ffa", "#be260b",
        "#a7fea6", "#facc08", "#335883", "#44bcae", "#b97f12", "#6f49ca",
        "#fa3476", "#8c8cb8", "#b8d9ad", "#ef13ef", "#812913", "#9760ad",
        "#6b603f", "#6b08ad",
    ),
}  # fmt: skip

MUTED: Final[dict[Mode, str]] = {Mode.LIGHT: "#c7c9d4", Mode.DARK: "#3b414b"}
"""Users outside clustering, and "all users"."""

BACKGROUND: Final[dict[Mode, str]] = {Mode.LIGHT: "#ffffff", Mode.DARK: "#10141b"}
"""What the colours were checked against; the theme's page background."""


def colour(segment: int, mode: Mode = Mode.LIGHT) -> str:
    """The colour of a segment: ``#rrggbb``, stable for an id; muted for users outside clustering."""
    if segment <= OUTSIDE:
        return MUTED[mode]
    return PALETTE[mode][segment % len(PALETTE[mode])]
