"""Colours that stay apart, for every kind of sight and on both backgrounds."""

import itertools
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.base.palette import BACKGROUND, MUTED, PALETTE, Mode, colour
from core.base.schema import OUTSIDE
from core.runs.report import charts
from core.saved.controls import MAX_SEGMENTS
from pages.ui.segments.charts import ABOVE, BELOW
from pages.ui.segments.map_view import _GREYS

# Linear-light matrices of full deficiency: Machado, Oliveira and Fernandes (2009), table 1.
SIGHT = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_LMS = np.array(  # Ottosson, OKLab
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def config() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).resolve().parents[3] / ".streamlit" / "config.toml").read_text())


def linear(hex_colour: str) -> np.ndarray:
    srgb = np.array([int(hex_colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def oklab(rgb: np.ndarray) -> np.ndarray:
    return TO_LAB @ np.cbrt(TO_LMS @ rgb)


def contrast(one: str, two: str) -> float:
    light = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) + 0.05 for c in (one, two))
    return light[1] / light[0]


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize(("first", "apart"), [(12, 0.08), (20, 0.058)])
def test_every_pair_and_grey_stays_apart(mode: Mode, sight: str, first: int, apart: float) -> None:
    shown = (*PALETTE[mode][:first], MUTED)
    seen = {c: oklab(np.clip(SIGHT[sight] @ linear(c), 0, 1)) for c in shown}
    closest = min(float(np.linalg.norm(seen[a] - seen[b])) for a, b in itertools.combinations(seen, 2))
    assert len(seen) == first + 1
    assert closest > apart


def test_no_two_segments_that_the_screen_offers_share_a_colour() -> None:
    assert all(len({colour(segment, mode) for segment in range(MAX_SEGMENTS)}) == 20 for mode in Mode)


@pytest.mark.parametrize("mode", Mode)
def test_marks_have_a_contrast_of_3_and_texts_of_4_5_on_their_background(mode: Mode) -> None:
    report = [shades[mode] for name, shades in charts._FIXED.items() if name in ("left", "kept", "gone")]
    marks = [*PALETTE[mode], MUTED, *report, ABOVE, BELOW, *(grey for _, grey in _GREYS.values())]
    assert [mark for mark in marks if contrast(mark, BACKGROUND[mode]) < 3] == []
    texts = [charts._FIXED[name][mode] for name in ("ink", "faint")]
    theme = config()["theme"]
    for surface in (theme[mode], theme[mode]["sidebar"]):
        behind = surface["backgroundColor"], surface["secondaryBackgroundColor"]
        texts = [theme[mode]["textColor"], theme[mode]["linkColor"], *texts]
        assert [text for text in texts for back in behind if contrast(text, back) < 4.5] == []


def test_a_segment_keeps_its_place_and_outside_is_muted() -> None:
    assert [colour(0, mode) for mode in Mode] == [PALETTE[mode][0] for mode in Mode]
    assert colour(22) == colour(2)
    assert colour(OUTSIDE) == colour(OUTSIDE, Mode.DARK) == MUTED


def test_the_theme_has_the_same_colours() -> None:
    theme = config()["theme"]
    for mode in Mode:
        assert tuple(theme[mode]["chartCategoricalColors"]) == PALETTE[mode]
        assert theme[mode]["backgroundColor"] == BACKGROUND[mode]
