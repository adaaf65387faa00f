"""Sections of a site: folders that are seen, in words, without containers, locales and what is taken."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.schema import PageLabels, Pages
from core.labels.label_settings import NO_THEME, LabelClass
from core.labels.sections import MOST, Section, site_sections

SITE = "https://shop.example"


def pages(*paths: str, views: int = 10) -> pd.DataFrame:
    return pd.DataFrame({Pages.PAGE_LOCATION: [SITE + path for path in paths], Pages.VIEWS: views})


def folder(path: str, n_pages: int) -> list[str]:
    """``/tents`` and 3 → ``/tents/a``, ``/tents/b``, ``/tents/c``."""
    return [f"{path}/{letter}" for letter in "abcdefghijkl"[:n_pages]]


def test_the_most_viewed_folders_come_first_in_words_with_their_share() -> None:
    shop = pages("/", "/contact", *folder("/rain-jackets", 3), *folder("/tents", 5))
    assert site_sections(shop, None) == [Section("Tents", 0.5), Section("Rain jackets", 0.3)]


def test_the_page_of_a_folder_counts_with_it() -> None:
    shop = pages("/", "/tents", *folder("/tents", 3), *folder("/boots", 5))
    assert site_sections(shop, None) == [Section("Boots", 0.5), Section("Tents", 0.4)]


def test_a_folder_that_holds_most_gives_way_to_those_in_it() -> None:
    shop = pages(*folder("/shop/tents", 4), *folder("/shop/boots", 4), *folder("/sale", 3))
    assert {one.name for one in site_sections(shop, None)} == {"Tents", "Boots", "Sale"}


def test_a_folder_that_holds_most_stays_where_there_are_no_folders_in_it() -> None:
    assert [one.name for one in site_sections(pages(*folder("/tents", 5)), None)] == ["Tents"]


def test_a_folder_stays_where_little_of_it_lies_in_further_folders() -> None:
    blog = pages(*folder("/blog", 12), *folder("/blog/tag", 3), *folder("/blog/author", 3))
    assert site_sections(blog, None) == [Section("Blog", 1.0)]


def test_a_language_in_front_is_no_section_and_parts_none() -> None:
    shop = pages(*folder("/de/tents", 3), *folder("/en/tents", 3))
    assert site_sections(shop, None) == [Section("Tents", 1.0)]


def test_pages_that_serve_a_function_are_left_out() -> None:
    shop = pages(*folder("/account", 3), *folder("/tents", 3))
    labels = pd.DataFrame({PageLabels.THEME: [NO_THEME] * 3 + ["Unknown"] * 3})
    assert site_sections(shop, labels) == [Section("Tents", 0.5)]


def test_a_name_that_is_taken_is_not_suggested() -> None:
    shop = pages(*folder("/tents", 3), *folder("/blog", 3))
    assert [one.name for one in site_sections(shop, None, ["TENTS"])] == ["Blog"]


@pytest.mark.parametrize(
    "paths",
    [
        folder("/tents", 2),  # too few pages
        folder("/123", 5),  # a number is no name
        folder("/%E2%80%8B", 5),  # nor are signs that nobody sees
        folder("/(several)", 5),  # this one says something else
        ["/"],
        [],
    ],
)
def test_no_section_is_made_up(paths: list[str]) -> None:
    assert site_sections(pages(*paths), None) == []


def test_escaped_letters_become_words_again() -> None:
    shop = pages(*folder("/%C3%BCber_uns", 3))
    assert [one.name for one in site_sections(shop, None)] == ["Über uns"]


@given(st.lists(st.text(max_size=30), max_size=40))
def test_whatever_the_addresses_names_can_be_themes(paths: list[str]) -> None:
    found = site_sections(pages(*(f"/{path}/{page}" for path in paths for page in "abc")), None)
    assert len(found) <= MOST
    assert all(0 < one.share <= 1 for one in found)
    assert all(LabelClass.checked(name=one.name, descriptions=(one.name.lower(),)) for one in found)
