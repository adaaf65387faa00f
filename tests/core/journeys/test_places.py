"""Places of a level on a site of three pages."""

from types import SimpleNamespace
from typing import cast

import numpy as np
import pandas as pd
import pyarrow as pa

from core.journeys.moves import Level, Places, levels, levels_of, most_readable_level
from core.storage.page_labels import LabelledPages
from core.storage.sequences import UserSequences

SEQUENCES = UserSequences(
    user_id=pa.array(["a", "b"]),
    offsets=np.array([0, 3, 5]),
    page=np.array([0, 1, 1, 2, 1], dtype=np.int32),
    timestamp=np.arange(5) * 1_000_000,
    session=np.zeros(5, dtype=np.int32),
)


def test_places_come_by_page_views_and_equal_ones_by_name() -> None:
    made = Places.from_names(Level.PAGE, ["/home", "/cart", "/about"], SEQUENCES)
    assert made.names == ("/cart", "/about", "/home")
    assert made.of_page.tolist() == [2, 0, 1]
    assert made.of_views(SEQUENCES).tolist() == [2, 0, 0, 1, 0]


def test_pages_of_one_label_are_one_place() -> None:
    made = Places.from_names(Level.THEME, ["Unknown", "Shop", "Unknown"], SEQUENCES)
    assert made.names == ("Shop", "Unknown")
    assert made.of_page.tolist() == [1, 0, 1]


def test_only_the_levels_that_pages_are_labelled_by_are_there() -> None:
    assert list(levels(["/"], {})) == [Level.PAGE]
    assert list(levels(["/", "/a"], {"type": ["home", "a"], "template": ["/", "/:a"]})) == [
        Level.PAGE, Level.TEMPLATE, Level.TYPE,
    ]  # fmt: skip


def test_addresses_lose_the_host_that_all_share() -> None:
    pages = pd.DataFrame({"page_location": ["https://shop.example/", "https://shop.example/cart"]})
    assert levels_of(pages, None) == {Level.PAGE: ["/", "/cart"]}


def test_a_level_at_which_all_pages_are_one_place_is_none() -> None:
    pages = pd.DataFrame({"page_location": ["https://shop.example/a/1", "https://shop.example/a/2"]})
    table = pd.DataFrame(
        {
            "template": ["https://shop.example/a/:id"] * 2,
            "theme": ["Tents", "Unknown"],
            "type": ["product"] * 2,
        }
    )
    labels = cast(LabelledPages, SimpleNamespace(table=table))
    assert levels_of(pages, labels) == {Level.PAGE: ["/a/1", "/a/2"], Level.THEME: ["Tents", "Unknown"]}


def test_pages_are_told_apart_where_a_few_have_most_views_and_else_by_what_has_the_most() -> None:
    views = np.arange(60, dtype=np.int32)
    each = UserSequences(pa.array(["a"]), np.array([0, 60]), views, views.astype(np.int64), np.zeros(60, int))
    pages = Places.from_names(Level.PAGE, [f"/{page}" for page in range(60)], each)
    themes = Places.from_names(Level.THEME, [f"t{page % 20}" for page in range(60)], each)
    assert most_readable_level([pages, themes], each) is Level.THEME  # 12 of 20 have 60 %
    assert most_readable_level([pages], each) is Level.PAGE
    for types, level in (
        (9 * ["Unknown"], Level.TYPE),
        (10 * ["Unknown"], Level.THEME),
        (40 * ["Article"], Level.THEME),
    ):
        named = [*types, *("Product", "Category", "Cart", "Service") * 15][:60]
        assert most_readable_level([pages, themes, Places.from_names(Level.TYPE, named, each)], each) is level
    alone = Places.from_names(Level.TEMPLATE, ["/", "/about"] + 58 * ["/:slug"], each)
    assert (
        most_readable_level([pages, alone, themes], each) is Level.THEME
    )  # a level of one place tells nothing
    assert (
        most_readable_level([pages, alone], each) is Level.PAGE
    )  # 12 places and the others beat a single one
    few = Places.from_names(Level.PAGE, ["/cart", "/", "/about"], SEQUENCES)
    assert most_readable_level([few], SEQUENCES) is Level.PAGE
