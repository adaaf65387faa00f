"""Working names: from the pages that set a segment apart, and never the same twice."""

from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.base.settings import AnalyzeSettings
from core.profiles.default_names import LONGEST, default_names, short_page
from core.profiles.metrics import Profiles, profile
from core.profiles.profile_columns import ROW, Col, PageRanking, RowKind
from tests.core.profiles.toy import LABELS, many, toy


def profiles(pages: dict[int, list[str]], ranking: PageRanking = PageRanking.OVER) -> Profiles:
    """Profiles with these pages listed a segment, and nothing else."""
    rows = [(f"segment:{s}", RowKind.SEGMENT.value, s, f"Segment {s + 1}") for s in pages]
    listed = [
        (*row, ranking.value, location)
        for row, own in zip(rows, pages.values(), strict=True)
        for location in own
    ]
    return replace(
        profile(toy(), LABELS, AnalyzeSettings()),
        segments=pd.DataFrame(rows, columns=list(ROW)),
        top_pages=pd.DataFrame(listed, columns=[*ROW, Col.RANKING, Col.PAGE_LOCATION]),
    )


def test_a_name_is_the_two_pages_that_set_it_apart_most() -> None:
    found = default_names(
        profiles({0: ["shop.example/apparel", "https://shop.example/blog", "shop.example/x"]})
    )
    assert found == {0: "/apparel · /blog"}


def test_names_that_would_be_the_same_take_more_pages() -> None:
    same = ["s.e/a", "s.e/b"]
    found = default_names(profiles({0: [*same, "s.e/c"], 1: [*same, "s.e/d"], 2: ["s.e/z"]}))
    assert found == {0: "/a · /b · /c", 1: "/a · /b · /d", 2: "/z"}


def test_names_that_stay_the_same_take_their_number() -> None:
    assert default_names(profiles({0: ["s.e/a"], 3: ["s.e/a"]})) == {0: "/a (1)", 3: "/a (4)"}


def test_without_a_page_that_sets_it_apart_the_most_viewed_ones_or_the_number_stand_in() -> None:
    assert default_names(profiles({1: ["s.e/a"]}, PageRanking.MOST_VIEWED)) == {1: "/a"}
    assert default_names(profiles({1: []})) == {1: "Segment 2"}


@pytest.mark.parametrize(
    ("location", "short"),
    [
        ("https://shop.example/a/b", "/a/b"),
        ("shop.example/search?q=hat", "/search?q=hat"),
        ("https://shop.example/", "home page"),
        ("https://shop.example/#/cart", "/#/cart"),
        ("shop.example", "shop.example"),
        ("checkout step 2", "checkout step 2"),
        ("/relative/path", "/relative/path"),
        ("", ""),
        ("s.e/<img src=x>\n\n**b**", "/<img src=x> **b**"),
    ],
)
def test_a_page_in_few_characters(location: str, short: str) -> None:
    assert short_page(location) == short


def test_a_long_page_keeps_its_end() -> None:
    assert short_page("s.e/" + "directory/" * 9 + "last") == "…/directory/directory/last"
    assert short_page("s.e/" + "x" * 50) == "…" + "x" * (LONGEST - 1)


@given(st.text(max_size=60))
def test_any_text_is_a_page(location: str) -> None:
    assert len(short_page(location)) <= LONGEST


PAGES = st.lists(st.sampled_from(["s.e/a", "s.e/b", "s.e/c"]), max_size=4)


@settings(deadline=None, max_examples=15)
@given(st.dictionaries(st.integers(0, 6), PAGES, min_size=1))
def test_names_differ_whatever_the_pages(pages: dict[int, list[str]]) -> None:
    made = profiles(pages)
    found = default_names(made)
    assert set(found) == set(pages)
    assert len(set(found.values())) == len(pages)
    assert found == default_names(made)


def test_real_profiles_have_a_name_a_segment() -> None:
    data, labels, _ = many(0)
    assert set(default_names(profile(data, labels, AnalyzeSettings()))) == {0, 1, 2, 3}
