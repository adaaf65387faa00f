from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.errors import ArtifactError
from core.model.vocabulary import (
    FIRST_VIEW,
    OTHER_TRANSITION,
    PADDING,
    UNKNOWN,
    Vocabulary,
    build_vocabulary,
    prefixes,
)

HOME, RED, BLUE, OLD = (
    "https://a.example",
    "https://a.example/shoes/red",
    "https://a.example/shoes/blue",
    "https://a.example/shoes/old",
)
URLS = [HOME, RED, BLUE, OLD]
VIEWS = np.array([0, 1, 0, 1, 0, 2, 0, 2, 0, 1, 3])  # home 5, red 3, blue 2, old 1
STARTS = np.array([0, 6])  # two users


@pytest.fixture
def vocabulary() -> Vocabulary:
    return build_vocabulary(URLS, VIEWS, STARTS, min_count=2)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example", []),
        ("https://a.example/x", ["https://a.example/"]),
        ("https://a.example/x/y", ["https://a.example/", "https://a.example/x/"]),
        ("/x/y", ["/", "/x/"]),
        (
            "https://a.example/s?q=1&p=2",
            ["https://a.example/", "https://a.example/s?", "https://a.example/s?q=1&"],
        ),
        ("https://a.example/#/x", ["https://a.example/", "https://a.example/#/"]),
        ("Home", []),
        ("", []),
    ],
)
def test_prefixes_are_the_directories_above_a_page(url: str, expected: list[str]) -> None:
    assert prefixes(url) == expected


@given(st.text())
def test_prefixes_are_shorter_starts_of_the_url_nearest_last(url: str) -> None:
    found = prefixes(url)
    assert all(url.startswith(prefix) and prefix != url for prefix in found)
    assert found == sorted(found, key=len)


def test_pages_are_ranked_by_views_and_rare_ones_have_no_id(vocabulary: Vocabulary) -> None:
    assert vocabulary.pages == (HOME, RED, BLUE)
    assert vocabulary.directories == ("https://a.example/", "https://a.example/shoes/")
    assert vocabulary.n_items == 2 + 2 + 3


def test_rare_and_new_pages_share_the_id_of_their_nearest_known_directory(vocabulary: Vocabulary) -> None:
    new = [
        OLD,
        "https://a.example/shoes/never-seen",
        "https://a.example/hats/1",
        "https://b.example/x",
        "Home",
    ]
    shoes, site = 3, 2
    assert vocabulary.item_ids(new).tolist() == [shoes, shoes, site, UNKNOWN, UNKNOWN]


def test_ids_follow_the_urls_wherever_they_stand(vocabulary: Vocabulary) -> None:
    assert vocabulary.item_ids([BLUE, HOME]).tolist() == [6, 4]
    assert vocabulary.item_ids([]).tolist() == []


def test_no_page_has_the_padding_id(vocabulary: Vocabulary) -> None:
    assert PADDING not in vocabulary.item_ids([*URLS, "new"]).tolist()


def test_coarse_ids_name_the_directory_of_each_page_and_keep_all_else(vocabulary: Vocabulary) -> None:
    assert vocabulary.coarse_ids().tolist() == [PADDING, UNKNOWN, 2, 3, UNKNOWN, 3, 3]


def test_ties_in_views_are_ordered_by_text() -> None:
    vocabulary = build_vocabulary(["/b", "/a"], np.array([0, 1]), np.array([0]), min_count=1)
    assert vocabulary.pages == ("/a", "/b")


def test_group_is_the_longest_prefix_that_is_one(vocabulary: Vocabulary) -> None:
    groups = dict(zip(URLS, vocabulary.group_ids(URLS).tolist(), strict=True))
    assert groups[RED] != groups[BLUE] != groups[HOME]
    assert vocabulary.groups[groups[OLD] - 1] == "https://a.example/shoes/"
    assert vocabulary.group_ids(["https://b.example/x"]).tolist() == [0]


def test_transitions_start_anew_with_each_user(vocabulary: Vocabulary) -> None:
    groups = vocabulary.group_ids(URLS)[VIEWS]
    ids = vocabulary.transition_ids(groups, STARTS)
    assert ids[STARTS].tolist() == [FIRST_VIEW, FIRST_VIEW]
    assert ids[1] == ids[3] == ids[9] > OTHER_TRANSITION  # home -> red, three times
    assert ids[10] == OTHER_TRANSITION  # red -> old, once
    assert ids[2] != ids[1]  # red -> home is not home -> red


def test_json_round_trip_keeps_every_id(vocabulary: Vocabulary) -> None:
    again = Vocabulary.from_json(json.loads(json.dumps(vocabulary.to_json())))
    assert again == vocabulary
    assert again.item_ids(URLS).tolist() == vocabulary.item_ids(URLS).tolist()


@pytest.mark.parametrize(
    "change",
    [
        {"pages": [HOME, HOME]},
        {"pages": [1]},
        {"pages": None},
        {"transitions": [[0, 99]]},
        {"transitions": [[0]]},
        {"transitions": [["x", "y"]]},
        {"more": []},
    ],
)
def test_damaged_json_is_refused(vocabulary: Vocabulary, change: dict[str, Any]) -> None:
    with pytest.raises(ArtifactError, match="Train again"):
        Vocabulary.from_json(vocabulary.to_json() | change)
