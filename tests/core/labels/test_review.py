from __future__ import annotations

import pandas as pd
import pytest

from core.base.schema import PageLabels as P
from core.base.schema import Pages, View
from core.labels.label_types import Rung
from core.labels.review import BY_TYPE, SEVERAL, Review, by_template, coverage, decided_by, mosaic

# four pages: two products of one template, a cart, and one that nobody could tell
PAGES = pd.DataFrame(
    {
        Pages.PAGE_LOCATION: ["/p/tent", "/p/boot", "/cart", "/x"],
        Pages.PAGE_TITLE: ["Tent", "Boot", None, "X"],
        Pages.VIEWS: [60, 20, 10, 10],
    }
)
LABELS = pd.DataFrame(
    {
        P.PAGE: [0, 1, 2, 3],
        P.TEMPLATE: ["/p/:slug", "/p/:slug", "/cart", "/x"],
        P.THEME: ["Sports", "Shoes", "No theme", "Unknown"],
        P.THEME_RUNG: [Rung.RULES, Rung.EMBEDDING, Rung.RULES, None],
        P.THEME_SCORE: [1.0, 0.4, 1.0, None],
        P.THEME_MARGIN: [1.0, 0.1, 1.0, None],
        P.THEME_EVIDENCE: ["tent", "like boots", "a cart", ""],
        P.TYPE: ["Product", "Product", "Cart", "Unknown"],
        P.TYPE_RUNG: [Rung.EVENTS, Rung.EVENTS, Rung.RULES, None],
        P.TYPE_SCORE: [1.0, 1.0, 1.0, None],
        P.TYPE_MARGIN: [1.0, 1.0, 1.0, None],
        P.TYPE_EVIDENCE: ["view_item", "view_item", "a cart", ""],
    }
)


def test_coverage_counts_pages_and_page_views_by_who_decided() -> None:
    rows = coverage(LABELS, PAGES).to_dict("records")
    found = [tuple(row[name] for name in ("view", "rung", "pages", "page_views", "share")) for row in rows]
    assert found == [
        ("theme", "rules", 1, 60, 0.6),
        ("theme", "embedding", 1, 20, 0.2),
        ("theme", BY_TYPE, 1, 10, 0.1),
        ("theme", "Unknown", 1, 10, 0.1),
        ("type", "events", 2, 80, 0.8),
        ("type", "rules", 1, 10, 0.1),
        ("type", "Unknown", 1, 10, 0.1),
    ]


def test_who_says_that_a_page_has_no_theme_is_its_type_or_the_analyst() -> None:
    def said(rung: Rung) -> str:
        return str(decided_by(LABELS.assign(**{P.THEME_RUNG: rung}), View.THEME).iloc[2])

    assert (said(Rung.EVENTS), said(Rung.OVERRIDE), said(Rung.FROZEN)) == (BY_TYPE, "override", "frozen")
    assert decided_by(LABELS, View.TYPE).tolist()[:3] == ["events", "events", "rules"]


def test_templates_come_by_how_much_they_deserve_a_look() -> None:
    table = by_template(LABELS, PAGES)
    assert table[P.TEMPLATE].tolist() == ["/x", "/p/:slug", "/cart"]
    assert table[Review.ATTENTION].tolist() == pytest.approx([10.0, 20 * 0.6 / 2, 0.0])
    product = table.iloc[1]
    assert (product[P.TYPE], product[P.THEME]) == ("Product", SEVERAL)
    assert (product[Review.PAGES], product[Review.PAGE_VIEWS]) == (2, 80)
    assert product[Review.TITLES] == "Tent · Boot"


def test_the_mosaic_is_the_whole_square_and_areas_are_page_views() -> None:
    table = mosaic(LABELS, PAGES)
    area = (table["x1"] - table["x0"]) * (table["y1"] - table["y0"])
    assert area.tolist() == pytest.approx(table[Review.SHARE].tolist())
    assert area.sum() == pytest.approx(1.0)
    assert table[P.THEME].tolist() == ["Sports", "Shoes", "No theme", "Unknown"]
    assert table["x1"].tolist() == pytest.approx([0.6, 0.8, 0.9, 1.0])
