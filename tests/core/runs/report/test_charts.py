"""Figures: seeded, SVG only, and texts that are never tags."""

import re

import numpy as np
import pytest

from core.runs.report import charts


def test_map_is_a_seeded_sample_with_everybodys_colour() -> None:
    xy = np.random.default_rng(0).random((30_000, 2))
    labels = np.arange(30_000) % 3 - 1
    users = charts.drawn_users(labels)
    assert np.array_equal(users, charts.drawn_users(labels))
    figure = charts.user_map(xy, labels, {0: "a", 1: "b"}, users)
    assert np.concatenate([trace["x"] for trace in figure["data"]]).tolist() == xy[users, 0].round(3).tolist()
    assert sum(len(trace["x"]) for trace in figure["data"]) == charts.MAP_POINTS <= 20_000
    assert [trace["marker"]["color"] for trace in figure["data"]] == [
        "token:outside",
        "token:seg-0",
        "token:seg-1",
    ]
    assert {trace["type"] for trace in figure["data"]} == {"scatter"}  # SVG


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<b>x</b>", "&lt;b&gt;x&lt;/b&gt;"),
        ("a\n b", "a b"),
        ("x" * 80, "x" * 59 + "…"),
        ("token:ink", "\u2060token:ink"),
    ],
)
def test_texts_of_figures_are_plain(text: str, shown: str) -> None:
    assert charts.plain(text) == shown


def test_every_token_has_a_colour_in_both_modes() -> None:
    light, dark = (charts.tokens()[mode] for mode in ("light", "dark"))
    assert set(light) == set(dark)
    assert all(re.fullmatch("#[0-9a-f]{6}", shade) for shade in [*light.values(), *dark.values()])
    assert charts.token(21) == "token:seg-1"
