"""A site's own themes: on toy sites that can be checked by eye, and against an independent modularity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import networkx
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from core.base.schema import RESERVED
from core.labels.label_settings import LabelClass
from core.labels.page_terms import terms_of, theme_of
from core.labels.pages import LabelPages, read_pages
from core.labels.site_themes import MAX_THEMES, mine_themes, modularity, moves_between, neighbours
from core.storage.sequences import UserSequences

HOST = "https://a.example"
NO_EVENTS = pd.DataFrame({"page": [], "event_name": [], "events": []})


def site(rows: Sequence[tuple[str, str | None]], views: int = 10) -> LabelPages:
    frame = pd.DataFrame(
        {"page_location": [HOST + path for path, _ in rows], "page_title": [title for _, title in rows]}
    ).assign(views=views, users=views)
    return read_pages(frame, NO_EVENTS)


def walks(*users: Sequence[int]) -> UserSequences:
    pages = np.array([page for user in users for page in user], dtype=np.int32)
    offsets = np.cumsum([0, *map(len, users)], dtype=np.int64)
    ids = cast(pa.StringArray, pa.array([str(at) for at in range(len(users))], pa.string()))
    return UserSequences(ids, offsets, pages, np.arange(len(pages)), np.zeros(len(pages), np.int32))


def mined(pages: LabelPages, users: Sequence[Sequence[int]]) -> tuple[LabelClass, ...]:
    wanted = np.ones(len(pages), dtype=bool)
    return mine_themes(pages, wanted, moves_between(walks(*users), wanted))


def within(*groups: Sequence[int]) -> list[list[int]]:
    """Users who look at all pages of one group, there and back."""
    return [[*group, *reversed(group)] for group in groups for _ in range(3)]


FLAT = [
    *((f"/cool-{word}-topper", f"New cool {word} topper") for word in ("alp", "bay", "cap", "dune")),
    *((f"/cool-{word}-pillow", f"New cool {word} pillow") for word in ("alp", "bay", "cap", "dune")),
    *((f"/{word}-bed", f"New {word} bed") for word in ("elm", "fir", "gum", "hop")),
]
GROUPS = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]


def test_words_that_tell_what_is_seen_together_are_themes_and_words_that_are_everywhere_are_none() -> None:
    found = mined(site(FLAT), within(*GROUPS))
    assert {one.name for one in found} == {"Topper", "Pillow", "Bed"}


def test_a_word_that_only_begins_what_things_are_called_is_no_theme_by_itself() -> None:
    """Lamps and sofas are seen together: *view* tells these pages from the guides, and says nothing."""
    guides = [(f"/guides/{word}", word) for word in ("oak", "pine", "ash", "yew")]
    things = ["alp lamp", "bay lamp", "cap lamp", "elm sofa", "fir sofa", "gum sofa"]
    rows = [(f"/{n}", f"View {thing}") for n, thing in enumerate(things[:4])]
    rows += [(f"/{n}", f"Use of {thing}") for n, thing in enumerate(things[2:], start=4)]
    seen = within([0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11])
    assert not {"View", "Use"} & {one.name for one in mined(site([*rows, *guides]), seen)}
    lamps = [(f"/{n}", f"View {word} lamp") for n, word in enumerate(("alp", "bay", "cap", "dune"))]
    assert {"Lamp", "Guides"} <= {one.name for one in mined(site([*lamps, *rows[4:], *guides]), seen)}


def test_the_same_words_without_such_moves_are_no_themes() -> None:
    assert mined(site(FLAT), within([0, 4, 8], [1, 5, 9], [2, 6, 10], [3, 7, 11])) == ()


def test_a_plural_that_the_site_writes_names_the_theme() -> None:
    rows = [*FLAT, ("/pillows", "Pillows")]
    assert "Pillows" in {
        one.name for one in mined(site(rows), within(GROUPS[0], [*GROUPS[1], 12], GROUPS[2]))
    }


def test_folders_are_themes_wherever_they_stand_named_as_titles_write_them() -> None:
    rows = [(f"/shop/rain-jackets/{a}", f"Model {a}") for a in "abcd"] + [
        ("/sale/rain-jackets/e", "Rain Jackets")
    ]
    rows += [(f"/shop/tents/{a}", f"Model {a}") for a in "fghij"]
    found = mined(site(rows), within(range(5), range(5, 10)))
    assert {(one.name, one.folders) for one in found} == {
        ("Rain Jackets", ("rain-jackets",)), ("Tents", ("tents",))
    }  # fmt: skip


def test_a_new_page_gets_its_theme_without_mining_again() -> None:
    found = mined(site(FLAT), within(*GROUPS))
    theme = theme_of(terms_of([f"{HOST}/new-topper-mesa"], ["Topper Mesa"]), found)
    assert theme is not None
    assert theme[0].name == "Topper"


def test_words_that_only_pages_of_a_theme_have_tell_it_too() -> None:
    rows = [(f"/tents/{a}", f"Fly {a} canvas") for a in ("x", "y", "z")] + [("/guide", "Canvas and its care")]
    rows += [(f"/boots/{a}", f"Sole {a}") for a in ("x", "y", "z")]
    found = mined(site(rows), within([0, 1, 2], [4, 5, 6]))
    assert {one.name: set(one.words) for one in found} == {"Tents": {"tents", "canvas"}, "Boots": {"boots"}}


def test_a_word_whose_singular_pages_of_another_theme_have_tells_no_theme() -> None:
    rows = [(f"/tents/{a}", f"Fly {a} straps") for a in ("x", "y", "z")] + [("/guide", "Sewing straps")]
    rows += [(f"/boots/{a}", f"Sole {a} strap") for a in ("x", "y", "z")]
    found = mined(site(rows), within([0, 1, 2], [4, 5, 6]))
    assert {one.name: set(one.words) for one in found} == {"Tents": {"tents"}, "Boots": {"boots"}}


def test_titles_without_blanks_give_whole_words() -> None:
    rows = [(f"/{at}", f"{word}ラーメンの作り方") for at, word in enumerate(("醤油", "味噌", "塩", "豚骨"))]
    rows += [(f"/{at}", f"{word}カレーの作り方") for at, word in enumerate(("牛", "鶏", "豆", "魚"), 4)]
    found = mined(site(rows), within([0, 1, 2, 3], [4, 5, 6, 7]))
    assert {one.name for one in found} == {"ラーメン", "カレー"}


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [("/", None)],
        [(f"/{at:x}", None) for at in range(40)],  # one template, no words
        [(f"/{letter * 5}", f"ข้าว{letter}") for letter in "abcdefghij"],
    ],
    ids=["nothing", "one page", "no words", "no blanks"],
)
def test_where_nothing_tells_there_are_none(rows: list[tuple[str, str | None]]) -> None:
    pages, wanted = site(rows), np.ones(len(rows), dtype=bool)
    assert mine_themes(pages, wanted, neighbours(pages.urls, wanted)) == ()


def test_without_moves_the_tree_of_addresses_tells() -> None:
    pages = site([(f"/{folder}/{a}", None) for folder in ("alpha", "beta", "gamma") for a in "wxyz"])
    wanted = np.ones(12, dtype=bool)
    found = mine_themes(pages, wanted, neighbours(pages.urls, wanted))
    assert {one.name for one in found} == {"Alpha", "Beta", "Gamma"}


def test_moves_go_over_pages_that_are_not_wanted_and_never_from_user_to_user() -> None:
    wanted = np.array([True, False, True, True])
    moves = moves_between(walks([0, 1, 2, 2], [3, 0]), wanted).toarray()
    expected = np.zeros((4, 4))
    expected[0, 2] = expected[2, 0] = expected[3, 0] = expected[0, 3] = 1
    np.testing.assert_array_equal(moves, expected)


PAGE = st.integers(0, 7)
EDGES = st.lists(st.tuples(PAGE, PAGE).filter(lambda one: one[0] != one[1]), min_size=1)


@given(EDGES, st.lists(st.integers(0, 2), min_size=8, max_size=8))
def test_modularity_is_that_of_networkx(edges: list[tuple[int, int]], groups: list[int]) -> None:
    weights = np.zeros((8, 8))
    for first, second in edges:
        weights[first, second] += 1
        weights[second, first] += 1
    parts = [{page for page, own in enumerate(groups) if own == number} for number in range(3)]
    reference = networkx.community.modularity(networkx.from_numpy_array(weights), parts)
    assert modularity(np.array(groups), sparse.csr_array(weights)) == pytest.approx(reference)


WORD = st.text("abcdeé東ラ-_%{}:/ ", max_size=12)


@given(st.lists(st.tuples(WORD, st.none() | WORD), max_size=12))
def test_whatever_pages_are_called_themes_are_few_and_named_apart(rows: list[tuple[str, str | None]]) -> None:
    pages, wanted = site([(f"/{path}", title) for path, title in rows]), np.ones(len(rows), dtype=bool)
    found = mine_themes(pages, wanted, neighbours(pages.urls, wanted))
    names = [one.name.casefold() for one in found]
    assert len(names) == len(set(names)) <= MAX_THEMES
    assert set(names).isdisjoint(one.casefold() for one in RESERVED)
    assert mine_themes(pages, wanted, neighbours(pages.urls, wanted)) == found
