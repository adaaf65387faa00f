"""Pages in parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ingest.clean.page_text import KnownGaps, folder_of, parts_of
from tests.core.ingest.clean.test_urls import LIKE_URLS


@given(st.one_of(LIKE_URLS, st.text(max_size=60)))
def test_the_parts_of_a_page_are_the_page(page: str) -> None:
    assert "".join(slot + value for slot, value in parts_of(page)) == page


def test_values_are_parted_from_what_leads_to_them() -> None:
    assert parts_of("https://a.example/u/jo?q=x&k=y#/z") == [
        ("", "https://a.example"), ("/", "u"), ("/", "jo"), ("?q=", "x"), ("&k=", "y"), ("#", ""), ("/", "z"),
    ]  # fmt: skip
    assert folder_of("https://a.example/u/jo") == "https://a.example/u/"


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("/account/jo/orders", "/account/{…}/orders"),
        ("/account/help", "/account/help"),
        ("/profile-jo", "/profile-{…}"),
        ("/new/jo", "/new/jo"),
    ],
)
def test_a_new_page_takes_the_gaps_of_known_ones(page: str, name: str) -> None:
    assert KnownGaps(["/account/{…}/orders", "/account/help", "/profile-{…}", "/a"]).of(page) == name
