"""One colour a segment, the same on every screen and in the report.

The twelve colours were searched for in OKLCH so that the closest pair stays apart for normal sight and
for protanopia, deuteranopia and tritanopia (simulated after Machado, Oliveira and Fernandes 2009): at
least 0.10 in OKLab, some five times a just noticeable difference. Each has a twin for dark backgrounds
of nearly the same hue. From the 13th segment on the colours repeat, and the number tells them apart.
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
        "#3862c4", "#ffa332", "#279ea2", "#761e5c", "#ae84f2", "#b05315",
        "#23d091", "#554704", "#a7bbe2", "#7d5c7a", "#b78d49", "#482f97",
    ),
    Mode.DARK: (
        "#4f84fe", "#fa9d6b", "#83c6bc", "#a13b85", "#b99ffa", "#be260b",
        "#a7fea6", "#facc08", "#878aa5", "#f3dafe", "#b97f12", "#6f49ca",
    ),
}  # fmt: skip
"""blue, orange, teal, plum, violet, rust, mint, olive, pale blue, mauve, tan, indigo"""

MUTED: Final[dict[Mode, str]] = {Mode.LIGHT: "#a3abb8", Mode.DARK: "#4d5665"}
"""Users outside clustering, and "all users"."""

BACKGROUND: Final[dict[Mode, str]] = {Mode.LIGHT: "#ffffff", Mode.DARK: "#10141b"}
"""What the colours were checked against; the theme's page background."""


def colour(segment: int, mode: Mode = Mode.LIGHT) -> str:
    """The colour of a segment: ``#rrggbb``, stable for an id; muted for users outside clustering."""
    if segment <= OUTSIDE:
        return MUTED[mode]
    return PALETTE[mode][segment % len(PALETTE[mode])]
