"""Where pages live for days, sections of the site are compared in their place."""

from dataclasses import replace

import numpy as np
import pytest

from core.periods.placed_users import are_short_lived, by_section, sections
from core.storage.sequences import UserSequences
from tests.core.periods.visits import visits


@pytest.mark.parametrize(
    ("page", "section"),
    [
        ("https://news.example/politics/2026/11/30/budget", "https://news.example/politics/"),
        ("https://news.example/2026/11/politics/budget?page=2", "https://news.example/politics/"),
        ("https://news.example/en/politics/budget", "https://news.example/politics/"),
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


def dated(n_sections: int = 2) -> tuple[UserSequences, list[str]]:
    """Twenty users who each view the article of the day in a section on eight days."""
    week = visits([[day + 0.5 for day in range(8)]] * 20)
    day, section = np.tile(np.arange(8), 20), np.repeat(np.arange(20) % n_sections, 8)
    names = [f"/{'abcdefghij'[section]}/story-{day}" for section in range(n_sections) for day in range(8)]
    return replace(week, page=(8 * section + day).astype(np.int32)), names


def test_pages_live_shortly_where_those_of_later_days_are_new() -> None:
    views, names = dated()
    assert are_short_lived(views, names)
    assert by_section(views, names)
    assert not are_short_lived(views, sections(names))
    lasting = replace(views, page=views.page % 4)  # four pages again and again
    assert not are_short_lived(lasting, names)
    one_day = replace(views, timestamp=views.timestamp % 86_400_000_000 + np.arange(len(views.page)))
    assert not are_short_lived(one_day, names)


def test_sections_are_compared_where_they_live_longer_than_their_pages() -> None:
    views, names = dated()
    assert not by_section(views, [f"/all{name[2:]}" for name in names])  # there is a single section
    months = [f"/{'january' if int(name[-1]) < 4 else 'february'}{name}" for name in names]
    assert not by_section(views, months)  # January has no page in February


def test_few_users_who_see_other_pages_are_no_sign_of_dated_ones() -> None:
    rng, found = np.random.default_rng(0), []
    for _ in range(20):  # of a thousand lasting pages each of thirty users sees four
        views = visits([np.sort(rng.random(4) * 8).tolist() for _ in range(30)])
        pages = rng.choice(1_000, len(views.page), p=(weights := 1 / np.arange(1, 1_001)) / weights.sum())
        views = replace(views, page=pages.astype(np.int32))
        found.append(are_short_lived(views, [f"/{'ab'[page % 2]}/{page}" for page in range(1_000)]))
    assert sum(found) <= 1
