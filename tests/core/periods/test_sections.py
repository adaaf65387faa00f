"""Where pages live for days, sections of the site are compared in their place."""

from dataclasses import replace

import numpy as np
import pytest

from core.periods.sections import live_shortly, sections
from tests.core.periods.visits import visits


@pytest.mark.parametrize(
    ("page", "section"),
    [
        ("https://news.example/politics/2026/11/30/budget", "https://news.example/politics/"),
        ("https://news.example/2026/11/politics/budget?page=2", "https://news.example/politics/"),
        ("https://news.example/about", "https://news.example/"),
        ("https://news.example/", "https://news.example/"),
        ("https://news.example", "https://news.example/"),
        ("/sport/a/b", "/sport/"),
        ("(pages of very few users)", "(pages of very few users)"),
    ],
)
def test_the_section_of_a_page(page: str, section: str) -> None:
    assert sections([page]) == [section]
    assert sections([section]) == [section]


def test_pages_live_shortly_where_those_of_later_days_are_new() -> None:
    week = visits([[day + 0.5 for day in range(8)]] * 3)
    dated = replace(week, page=np.tile(np.arange(8, dtype=np.int32), 3))  # another page every day
    names = [f"/news/{day}" for day in range(8)]
    assert live_shortly(dated, names)
    assert not live_shortly(dated, sections(names))
    lasting = replace(week, page=np.tile(np.arange(8, dtype=np.int32) % 4, 3))  # four pages again and again
    assert not live_shortly(lasting, names)
    one_day = replace(dated, timestamp=np.sort(dated.timestamp % 86_400_000_000 + np.tile(np.arange(8), 3)))
    assert not live_shortly(one_day, names)
