import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.labels.fetching.page_reader import NAME_CHARS, TEXT_CHARS, clean, decoded, read
from core.labels.label_types import Document

WORDS = "Green tea is a drink that many people like to have in the morning, with or without sugar. "


def page(*scripts: object, head: str = "", body: str = "") -> bytes:
    json_ld = "".join(
        f'<script type="application/ld+json">{one if isinstance(one, str) else json.dumps(one)}</script>'
        for one in scripts
    )
    return f"<html><head>{head}{json_ld}</head><body>{body}</body></html>".encode()


def types(*scripts: object) -> tuple[str, ...]:
    return read(page(*scripts)).json_ld_types


def test_a_shop_page() -> None:
    crumbs = {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": 2, "item": {"@id": "/tea", "name": "Tea"}},
            {"@type": "ListItem", "position": "1", "name": " Home\n"},
        ],
    }
    found = read(
        page(
            {"@context": "https://schema.org", "@type": "Product", "offers": {"@type": "Offer"}},
            crumbs,
            head='<meta property="og:type" content="product">',
            body=f"<nav>Menu</nav><main><h1>Sencha</h1><p>{WORDS * 3}</p></main>",
        )
    )
    assert found.json_ld_types == ("Product", "BreadcrumbList")
    assert found.og_type == "product"
    assert found.breadcrumbs == ("Home", "Tea")
    assert "Green tea is a drink" in found.text


def test_types_are_found_where_the_page_is_described() -> None:
    assert types({"@graph": [{"@type": ["WebPage", "ItemPage"]}, [{"@graph": [{"@type": "Product"}]}]]}) == (
        "WebPage",
        "ItemPage",
        "Product",
    )
    assert types({"@type": "WebPage", "mainEntity": {"@type": "FAQPage", "author": {"@type": "Person"}}}) == (
        "WebPage",
        "FAQPage",
    )


def test_types_lose_their_vocabulary() -> None:
    assert types(
        {"@type": ["https://schema.org/Product", "schema:Offer", "https://schema.org/Article/"]}
    ) == (
        "Product",
        "Offer",
        "Article",
    )


def test_breadcrumbs_in_a_page_or_in_microdata() -> None:
    nested = {
        "@type": "WebPage",
        "breadcrumb": {"@type": "BreadcrumbList", "itemListElement": [{"name": "Home"}]},
    }
    assert read(page(nested)).breadcrumbs == ("Home",)
    marked = '<ol itemtype="https://schema.org/BreadcrumbList"><li><b itemprop="name">Home</b></ol>'
    assert read(page(body=marked)).breadcrumbs == ("Home",)


@pytest.mark.parametrize(
    "html", [b"", b"\0" * 100, b"<", b"<html", b"\xff\xfe\xfd", b"%PDF-1.7", b"<!--", b"{}"]
)
def test_what_says_nothing_is_an_empty_document(html: bytes) -> None:
    found = read(html)
    assert (found.json_ld_types, found.og_type, found.breadcrumbs) == ((), "", ())


HOSTILE = {
    "deep": "[" * 200_000,
    "deep objects": '{"@graph":' * 100_000 + "1" + "}" * 100_000,
    "deep but complete": "[" * 900 + '{"@type":"Deep"}' + "]" * 900,
    "wide": {"@graph": [{"@type": f"T{number}"} for number in range(50_000)]},
    "long name": {"@type": "x" * 100_000},
    "numbers": {"@type": 7, "@graph": 8, "itemListElement": 9},
    "big number": '{"@type": "A", "x": ' + "9" * 100_000 + "}",
    "odd steps": '{"@type": "BreadcrumbList", "itemListElement": [{"position": NaN}, 7, {"item": []}]}',
    "not json": "{'@type': 'Product'}",
    "null": "null",
}


@pytest.mark.parametrize("script", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_json_ld_costs_nothing_but_itself(script: object) -> None:
    found = read(page(script, {"@type": "Product"}))
    assert len(found.json_ld_types) <= 20
    assert all(len(name) <= NAME_CHARS for name in (*found.json_ld_types, *found.breadcrumbs))
    if script != HOSTILE["wide"]:
        assert "Product" in found.json_ld_types


def test_long_scripts_are_not_parsed() -> None:
    assert types('{"@type": "Big", "x": "' + "x" * 600_000 + '"}', {"@type": "Product"}) == ("Product",)


def test_text_is_cut() -> None:
    text = read(
        page(body=f"<article>{''.join(f'<p>{number} {WORDS}</p>' for number in range(200))}</article>")
    ).text
    assert TEXT_CHARS - 200 < len(text) <= TEXT_CHARS


def test_marks_that_hide_or_turn_text_are_dropped() -> None:
    assert clean("a\u202eb\u200bc\x00d\n\te\U000e0041f", 100) == "abcd ef"
    assert clean("  a  b  ", 3) == "a b"


@given(st.text(), st.integers(1, 50))
def test_clean_is_short_and_one_line(text: str, limit: int) -> None:
    cleaned = clean(text, limit)
    assert len(cleaned) <= limit
    assert cleaned.split() == cleaned.split(" ") or cleaned == ""
    assert clean(cleaned, limit) == cleaned


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        ("Tée".encode("latin-1"), "iso-8859-1", "Tée"),
        ("Tée".encode(), "", "Tée"),
        ("Tée".encode(), "no-such-charset", "Tée"),
        ("Tée".encode(), "ascii", "Tée"),
        (b"tea", "zlib", "tea"),
        (b"tea", "a\0b", "tea"),
    ],
)
def test_bytes_become_text_whatever_the_server_says(data: bytes, charset: str, text: str) -> None:
    assert decoded(data, charset) == text


@given(st.binary(max_size=300))
def test_any_bytes_are_read(data: bytes) -> None:
    assert isinstance(read(data), Document)
