"""Where figures come from, in words."""

from __future__ import annotations

import pytest

from core.words.contract import Fact, Unit
from pages.ui.fact_sources import BY_ITEM, chart_of, interval
from tests.pages.conftest import ROOT


def fact(metric: str, low: float | None = None, high: float | None = None) -> Fact:
    return Fact("F1", metric, "", ("segment:0",), 1.0, Unit.NUMBER, "1.0", low=low, high=high)


@pytest.mark.parametrize(
    ("metric", "chart"),
    [
        ("users", "How large they are"),
        ("outcome_rate", "How segments convert"),
        ("sessions_mean", "How segments differ"),
        ("lift:page", "Pages"),
        ("share:device", "Device"),
        ("share:entry", None),
    ],
)
def test_the_chart_of_a_figure_is_named(metric: str, chart: str | None) -> None:
    assert chart_of(fact(metric)) == chart


def test_every_chart_that_is_named_is_on_the_profiles_page() -> None:
    page = (ROOT / "pages" / "segments" / "profiles.py").read_text()
    titles = {*BY_ITEM.values(), "How large they are", "How segments convert", "How segments differ"}
    assert [title for title in titles if f'"{title}' not in page] == []


def test_an_interval_needs_both_ends() -> None:
    assert interval(fact("users", 0.25, 0.5)) == "[0.25, 0.5]"
    assert interval(fact("users")) == ""
