from __future__ import annotations

import numpy as np
from scipy import sparse

from core.labels.label_settings import default_taxonomy
from core.labels.labelling import split_templates
from core.labels.pages import LabelPages

TAXONOMY = default_taxonomy()
VIEW_ITEM = {"view_item": 18}


def split(
    paths: list[str],
    views: int,
    events: dict[int, dict[str, int]],
    steps: list[tuple[int, int, int]] | None = None,
) -> list[str]:
    """Template of each page, all of ``/:slug`` before."""
    counted = None
    if steps:
        rows, columns, counts = zip(*steps, strict=True)
        counted = sparse.coo_array((counts, (rows, columns)), (len(paths), len(paths))).tocsr()
    seen = np.full((2, len(paths)), views, dtype=np.int64)
    urls = tuple(f"https://a.example{path}" for path in paths)
    pages = LabelPages(urls, ("",) * len(urls), ("/:slug",) * len(urls), *seen, events, steps=counted)
    return list(split_templates(pages, TAXONOMY).templates)


def test_pages_of_one_kind_keep_their_template() -> None:
    assert split(["/a", "/b", "/c"], 20, dict.fromkeys(range(3), VIEW_ITEM)) == ["/:slug"] * 3
    assert split(["/a", "/b", "/c"], 20, {}) == ["/:slug"] * 3


def test_a_page_without_the_event_of_the_others_is_set_apart() -> None:
    assert split(["/a", "/b", "/compare"], 20, {0: VIEW_ITEM, 1: VIEW_ITEM}) == [
        "/:slug",
        "/:slug",
        "/:slug (other)",
    ]


def test_a_page_that_few_saw_stays_with_the_others() -> None:
    events = {0: {"view_item": 8}, 1: {"view_item": 8}}
    assert split(["/a", "/b", "/new"], 9, events) == ["/:slug"] * 3


def test_a_page_whose_words_say_what_it_is_for_is_set_apart() -> None:
    assert split(["/a", "/b", "/warenkorb"], 1, {}) == ["/:slug", "/:slug", "/:slug (Cart & checkout)"]


def test_a_list_is_known_by_where_it_leads() -> None:
    items = dict.fromkeys(range(4), VIEW_ITEM)
    found = split(["/a", "/b", "/c", "/d", "/tents"], 20, items, [(4, item, 5) for item in range(4)])
    assert found == ["/:slug"] * 4 + ["/:slug (Category)"]
