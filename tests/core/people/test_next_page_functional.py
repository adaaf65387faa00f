"""Pages that nobody needs to be pointed to."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.base.schema import NO_THEME, PageLabels, Pages
from core.people.next_page_tables import functional_pages
from core.storage.page_labels import LABELS, SCHEMA, LabelledPages

SITE = "https://shop.example"
PAGES = {
    f"{SITE}/cart": True,
    f"{SITE}/login": True,
    f"{SITE}/checkout": True,
    f"{SITE}/search": True,
    f"{SITE}/shoes/red-boots": False,
    f"{SITE}/blog/how-we-handle-errors": False,
    f"{SITE}/404": True,
    f"{SITE}/error.html": True,
    f"{SITE}/rooms/404b": False,
}


def pages_of(addresses: list[str], titles: list[str | None] | None = None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            Pages.PAGE_LOCATION: addresses,
            Pages.PAGE_TITLE: titles or [None] * len(addresses),
        }
    )


def test_without_labels_addresses_tell() -> None:
    assert functional_pages(pages_of(list(PAGES)), None).tolist() == list(PAGES.values())


@pytest.mark.parametrize(
    ("title", "expected"), [("404 – Shop", True), ("Page not found", True), ("Room 404", False)]
)
def test_an_error_says_so_in_its_title(title: str, expected: bool) -> None:
    assert functional_pages(pages_of([f"{SITE}/x"], [title]), None).tolist() == [expected]


def test_labels_decide_where_there_are_some(tmp_path: Path) -> None:
    themes = [NO_THEME, "Shoes", "Unknown", "Shoes"]
    columns = {name: pa.nulls(4, SCHEMA.field(name).type) for name in SCHEMA.names}
    columns |= {PageLabels.PAGE: pa.array(range(4), pa.int32()), PageLabels.THEME: pa.array(themes)}
    pq.write_table(pa.table(columns).select(SCHEMA.names), tmp_path / LABELS)
    addresses = [f"{SITE}/my-things", f"{SITE}/cart", f"{SITE}/x", f"{SITE}/404"]
    found = functional_pages(pages_of(addresses), LabelledPages(tmp_path, ""))
    assert found.tolist() == [True, False, False, True]  # an analyst may call the cart no function
