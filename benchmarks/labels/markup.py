"""What the markup of fetched pages adds, on pages that a person labelled.

Each page of the shops is written as HTML three times, with the markup that a common shop system puts on a
page of its kind, and read by what reads fetched pages. What a system says of a page is what its documentation
and its default theme say; the words of the breadcrumbs are those of the address, so they tell no theme that
the address does not.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from benchmarks.labels.sets import LabelledSet
from core.labels.fetching.page_reader import read
from core.labels.page_address import read_address

Kinds = Mapping[str, tuple[str, ...]]
SYSTEMS: Final[Mapping[str, tuple[Kinds, Kinds, str, bool]]] = {
    "Shopify, theme Dawn": (
        {"Product": ("Product",), "Blog": ("Article",), "Homepage": ("Organization", "WebSite")},
        {"Product": ("product",), "Blog": ("article",)},
        "website",
        False,
    ),
    "WooCommerce with Yoast": (
        {
            "Product": ("WebPage", "Product"),
            "Category": ("CollectionPage",),
            "Blog": ("WebPage", "Article"),
            "Search": ("CollectionPage", "SearchResultsPage"),
            "Homepage": ("WebPage", "WebSite"),
        },
        {"Homepage": ("website",)},
        "article",
        True,
    ),
    "PrestaShop, theme Classic": (
        {"Product": ("WebPage", "Product"), "Category": ("WebPage", "ItemList")},
        {"Product": ("product",)},
        "website",
        True,
    ),
}
"""Shop system → JSON-LD types by type of page, ``og:type`` by type of page, ``og:type`` of all others, and
whether there are breadcrumbs.
"""


def with_markup(labelled: LabelledSet, system: str) -> LabelledSet:
    """The set as if all its pages had been fetched from shops of a system, a key of :data:`SYSTEMS`."""
    documents = {
        page: read(_page(url, title, kind, system).encode(), "utf-8")
        for page, (url, title, kind) in enumerate(
            zip(labelled.pages.urls, labelled.pages.titles, labelled.types, strict=True)
        )
    }
    return replace(labelled, name=system, pages=replace(labelled.pages, documents=documents))


def _page(url: str, title: str, kind: str, system: str) -> str:
    types, og_types, og_else, crumbs = SYSTEMS[system]
    graph: list[dict[str, Any]] = [{"@type": name, "name": title} for name in types.get(kind, ())]
    if crumbs:
        names = ["Home", *(stem.replace("-", " ").title() for stem in read_address(url).stems)]
        items = [{"@type": "ListItem", "position": at, "name": name} for at, name in enumerate(names, 1)]
        graph.append({"@type": "BreadcrumbList", "itemListElement": items})
    og = og_types.get(kind, (og_else,))[0]
    return (
        f"<!doctype html><html><head><title>{html.escape(title)}</title>"
        f'<meta property="og:type" content="{og}">'
        f'<script type="application/ld+json">{json.dumps({"@graph": graph})}</script>'
        f"</head><body><main><h1>{html.escape(title)}</h1></main></body></html>"
    )
