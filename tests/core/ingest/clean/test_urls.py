"""Canonical pages, and ids that shatter them."""

from __future__ import annotations

import ada_url
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.base.errors import SettingsError
from core.base.settings import UrlRule, UrlSettings
from core.ingest.clean import urls
from core.ingest.clean.urls import (
    ACCIDENT_VIEWS,
    RARE_VIEWS,
    SIBLINGS,
    canonicalise,
    collapse,
    dropped_by_name,
    is_tracking,
    template,
    with_templates,
)
from tests.core.ingest.clean.audience import audience

DEFAULT = UrlSettings()


def page(url: str, **settings: object) -> str:
    return canonicalise([url], UrlSettings.checked(**settings)).pages[0]


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ("HTTPS://Shop.Example/a", "https://shop.example/a"),
        ("https://shop.example:443/a", "https://shop.example/a"),
        ("https://shop.example:8443/a", "https://shop.example:8443/a"),
        ("https://shop.example", "https://shop.example/"),
        ("https://shop.example/", "https://shop.example/"),
        ("https://shop.example/a/", "https://shop.example/a"),
        ("https://shop.example/a?", "https://shop.example/a"),
        ("https://shop.example/a/index.html", "https://shop.example/a"),
        ("https://shop.example/a/index.php/", "https://shop.example/a"),
        ("https://shop.example/Google+Redesign/Apparel", "https://shop.example/google+redesign/apparel"),
        ("https://shop.example/google%2Bredesign/apparel", "https://shop.example/google+redesign/apparel"),
        ("https://shop.example/Google%20Redesign/Apparel", "https://shop.example/google+redesign/apparel"),
        ("https://shop.example/caf%C3%A9", "https://shop.example/café"),
        ("https://shop.example/CAFÉ", "https://shop.example/café"),
        ("https://shop.example/a%2Fb%3Fc%23d%25", "https://shop.example/a%2Fb%3Fc%23d%25"),
        ("https://shop.example/a%ffb", "https://shop.example/a%FFb"),
        ("https://shop.example/../a/./b", "https://shop.example/a/b"),
        ("https://shop.example/a;jsessionid=12AB", "https://shop.example/a"),
        ("https://shop.example/.;sid=1", "https://shop.example/"),
        ("https://shop.example/a#reviews", "https://shop.example/a"),
        ("https://shop.example/#/Product/1?utm_source=x&q=y", "https://shop.example/#/product/1?q=y"),
        ("https://shop.example/#/", "https://shop.example/"),
        (
            "https://shop.example/a?utm_source=x&gclid=1&fbclid=2&_gl=3&mc_eid=4&_kx=5",
            "https://shop.example/a",
        ),
        ("https://shop.example/a?variant=7&ref=x", "https://shop.example/a"),
        ("https://shop.example/s?q=Red+shoes&category=b", "https://shop.example/s?category=b&q=Red+shoes"),
        ("https://shop.example/s?Category=b&Q=Red%20shoes", "https://shop.example/s?category=b&q=Red+shoes"),
        ("https://shop.example/s?q=", "https://shop.example/s"),
        ("https://jane:secret@shop.example/a", "https://shop.example/a"),
        ("https://shop.example/hi/jane%40x.com?q=jane@x.com", "https://shop.example/hi/{email}?q={email}"),
        ("  https://shop.example/a\n", "https://shop.example/a"),
        ("/basket", "/basket"),
        ("basket/", "/basket"),
        ("//shop.example/a", "https://shop.example/a"),
        ("/", "/"),
        ("", "/"),
        ("about:blank", "about:blank"),
        ("mailto:jane@x.com", "mailto:{email}"),
        ("http://not a host/a?b", "http://not a host/a"),
        ("android-app://com.shop/A", "android-app://com.shop/a"),
        ("https://shop.example/ b ? d # e ", "https://shop.example/+b+"),
        ("https://shop.example/%20b%20?%20d%20#%20e", "https://shop.example/+b+"),
        ("file:///C%7C/", "file:///c:"),
        ("file:///C|/Users", "file:///c:/users"),
        ("https://shop.example/C%7C/", "https://shop.example/c|"),
    ],
)
def test_each_rule(raw: str, canonical: str) -> None:
    assert page(raw) == canonical


def test_hosts_are_merged_only_when_asked_to() -> None:
    assert page("https://www.shop.example/a") == "https://www.shop.example/a"
    assert page("https://www.shop.example/a", merge_hosts=True) == "https://shop.example/a"
    assert page("https://www.shop.site.example/a", merge_hosts=True) == "https://site.example/a"
    assert page("https://shop.example/a", merge_hosts=True) == "https://shop.example/a"
    assert page("https://shop.co.uk/a", merge_hosts=True) == "https://shop.co.uk/a"


def test_case_and_fragments_stay_when_asked_to() -> None:
    assert page("https://x.example/Ab%C3%89", lower_path=False) == "https://x.example/AbÉ"
    assert (
        page("https://x.example/a#Reviews", keep_fragment=True, lower_path=False)
        == "https://x.example/a#Reviews"
    )


def test_the_analyst_chooses_the_parameters_but_tracking_always_goes() -> None:
    kept = {"keep_params": ("size", "utm_source")}
    assert page("https://x.example/a?q=1&size=2&utm_source=3", **kept) == "https://x.example/a?size=2"


def test_own_rules_come_last_and_see_the_canonical_page() -> None:
    rules = (
        UrlRule(pattern=r"/(\w+)-\d+$", replacement=r"/\1"),
        UrlRule(pattern="^.*/admin.*$", replacement=""),
    )
    raw = ["https://x.example/Shirt-12/", "https://x.example/admin/a", "https://x.example/b"]
    made = canonicalise(raw, UrlSettings(rules=rules), [3, 5, 7])
    assert made.pages == ["https://x.example/shirt", "/", "https://x.example/b"]
    assert made.by_rule[r"rule /(\w+)-\d+$"] == 3
    assert made.by_rule["rule ^.*/admin.*$"] == 5


def test_a_rule_that_refers_to_a_missing_group_is_named() -> None:
    settings = UrlSettings(rules=(UrlRule(pattern="a", replacement=r"\7"),))
    with pytest.raises(SettingsError, match="cannot be applied"):
        canonicalise(["/a"], settings)


def test_rules_are_counted_in_page_views() -> None:
    raw = {
        "https://x.example/a": 100,
        "HTTPS://x.example/a": 1,
        "https://x.example/A": 2,
        "https://x.example/a/": 4,
        "https://x.example/a/index.html": 8,
        "https://x.example/a?gclid=1": 16,
        "https://x.example/a?variant=1&gclid=2": 32,
        "https://x.example/a#top": 64,
        "https://x.example/a?": 128,
        "https://x.example/s?q=jane@x.com": 256,
    }
    counts = canonicalise(list(raw), DEFAULT, list(raw.values())).by_rule
    assert counts == {
        urls.HOST: 1,
        urls.PATH: 2,
        urls.SLASH: 4,
        urls.INDEX: 8,
        urls.TRACKED: 16 + 32,
        urls.PARAMS: 32,
        urls.FRAGMENT: 64,
        urls.QUESTION: 128,
        urls.MASKED: 256,
    }


def test_ids_collapse_where_they_shatter_a_page() -> None:
    raw = [f"https://x.example/order/{number}" for number in range(30)]
    made = canonicalise(raw, DEFAULT)
    assert set(made.pages) == {"https://x.example/order/{id}"}
    assert made.by_rule == {urls.COLLAPSED: 30}
    assert canonicalise(raw, UrlSettings(collapse_ids=False)).pages == raw


@pytest.mark.parametrize(
    "name", ["utm_source", "UTM_x", "gclid", "_ga", "_gl", "mc_cid", "_kx", "PHPSESSID", "msclkid"]
)
def test_tracking_names(name: str) -> None:
    assert is_tracking(name)


@pytest.mark.parametrize("name", ["q", "page_id", "p", "ga", "gclid2", "utm", "mcid"])
def test_other_names(name: str) -> None:
    assert not is_tracking(name)


def test_dropped_names_alone_tell_which_rules_apply() -> None:
    assert dropped_by_name("q=v&gclid=v", DEFAULT) == [urls.TRACKED]
    assert dropped_by_name("variant=v", DEFAULT) == [urls.PARAMS]
    assert dropped_by_name("", DEFAULT) == [urls.QUESTION]
    assert dropped_by_name(None, DEFAULT) == []


SCHEMES = st.sampled_from(
    ["https://", "http://", "HTTP://", "//", "/", "", "ftp://", "file:///", "foo:", "mailto:"]
)
HOSTS = st.sampled_from(
    [
        "x.example",
        "WWW.X.example",
        "shop.x.example:443",
        "u:p@x.example",
        "127.1",
        "[::1]",
        "é.example",
        "a b",
        "",
    ]
)
STEPS = (
    "/",
    "a",
    "B",
    "é",
    "İ",
    "12",
    "%20",
    "+",
    "%2F",
    "%2f",
    "%ff",
    "%",
    "%25",
    "%3B",
    ";",
    ".",
    "..",
    "%2e",
)
ENDS = ("index.html", "index.php", ";jsessionid=1", "?", "&", "=", "#", "#/", "#!/", "q=", "utm_source=")
ODD = ("jane@x.com", "{", "\\", "\t", " ", "|", ":")
PIECES = st.sampled_from((*STEPS, *ENDS, *ODD))
LIKE_URLS = st.builds(
    lambda scheme, host, parts: scheme + host + "".join(parts), SCHEMES, HOSTS, st.lists(PIECES, max_size=10)
)
SETTINGS = st.builds(
    UrlSettings,
    merge_hosts=st.booleans(),
    lower_path=st.booleans(),
    keep_fragment=st.booleans(),
    collapse_ids=st.booleans(),
)


@given(st.one_of(LIKE_URLS, st.text()), SETTINGS)
@example("/.//x", DEFAULT)
@example("https://x.example/index.php/index.html//", DEFAULT)
@example("https://x.example/%252541", DEFAULT)
def test_any_text_has_a_page_which_is_its_own_page(text: str, settings: UrlSettings) -> None:
    once = canonicalise([text], settings).pages
    assert canonicalise(once, settings).pages == once
    assert once[0]


@given(st.lists(st.integers(0, 60), max_size=80))
def test_collapsed_pages_are_their_own_pages(orders: list[int]) -> None:
    once = canonicalise([f"https://x.example/order/{number}" for number in orders], DEFAULT).pages
    assert canonicalise(once, DEFAULT).pages == once


@given(LIKE_URLS)
def test_plain_locations_are_read_as_the_parser_reads_them(text: str) -> None:
    """The short cut for plain locations gives what the WHATWG parser gives."""
    base = text.partition("#")[0].partition("?")[0]
    plain = urls._PLAIN.fullmatch(base)
    if plain and "/." not in plain[2] and ada_url.check_url(base):
        parsed = ada_url.URL(base)
        assert parsed.pathname == (plain[2] or "/")


SITE = "https://shop.example"
UUID = "123e4567-e89b-12d3-a456-426614174000"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/order/83467", "/order/{id}"),
        ("/order/83467/print", "/order/{id}/print"),
        (f"/cart/{UUID}", "/cart/{uuid}"),
        ("/2021/01/31/news", "/{date}/news"),
        ("/archive/2021-01-31", "/archive/{date}"),
        ("/archive/20210131", "/archive/{date}"),
        ("/s/9f8a7d6e5c4b3a2918aa", "/s/{key}"),
        ("/s/a1b2c3d4e5f6g7h8i9j0k1l2", "/s/{key}"),
        ("/12345.html", "/{id}.html"),
        ("/order/1?q=5", "/order/{id}?q=5"),
        ("/#/product/7", "/#/product/{id}"),
    ],
)
def test_ids_and_dates_become_placeholders(path: str, expected: str) -> None:
    assert template(path) == expected
    assert template(SITE + path) == SITE + expected


@pytest.mark.parametrize(
    "page",
    [
        "/",
        "/trousers/a13",
        "/blue-shirt-2021-summer-sale",
        "/product-123",
        "/a/b",
        "about:blank",
        SITE,
        "/feedfacefeedface",
    ],
)
def test_names_are_no_ids(page: str) -> None:
    assert template(page) == page


def pages(prefix: str, count: int) -> list[str]:
    return [f"{SITE}/{prefix}/{number}" for number in range(1000, 1000 + count)]


def test_pages_are_named_by_their_template_where_all_of_it_are_meant() -> None:
    site = ["/thanks/1", "/thanks/2", "/p/3", "/p/4", "/danke"]
    assert with_templates(["/thanks/1", "/thanks/2", "/p/3", "/danke"], site) == (
        "/thanks/{id}",
        "/p/3",
        "/danke",
    )


def test_rare_siblings_collapse_when_they_are_many() -> None:
    orders = pages("order", SIBLINGS)
    assert set(collapse(orders, [1] * SIBLINGS)) == {f"{SITE}/order/{{id}}"}


def test_a_few_siblings_stay() -> None:
    orders = pages("order", SIBLINGS - 1)
    assert collapse(orders, [1] * len(orders)) == orders


def test_a_shop_of_numbered_products_stays_whatever_their_number() -> None:
    products = pages("product", 217)
    assert collapse(products, [760] * 217) == products


def test_popular_articles_stay_when_the_rest_collapses() -> None:
    articles = pages("news", 100)
    views = [1000] * 20 + [1] * 80
    assert collapse(articles, views) == articles[:20] + [f"{SITE}/news/{{id}}"] * 80


def test_a_page_reloaded_often_collapses_with_its_siblings_but_a_popular_one_does_not() -> None:
    orders = pages("order", 100)
    views = [ACCIDENT_VIEWS, ACCIDENT_VIEWS - 1, RARE_VIEWS] + [1] * 97
    assert collapse(orders, views) == [orders[0], *[f"{SITE}/order/{{id}}"] * 99]


def test_the_same_page_several_times_counts_together() -> None:
    products = pages("product", SIBLINGS) * RARE_VIEWS
    assert collapse(products, [1] * len(products)) == products


def test_families_are_judged_on_their_own() -> None:
    orders, products = pages("order", 50), pages("product", 50)
    made = collapse(orders + products, [1] * 50 + [100] * 50)
    assert made == [f"{SITE}/order/{{id}}"] * 50 + products


def test_a_page_that_many_saw_is_no_visit() -> None:
    orders = pages("record", 100)
    audiences = [audience(*range(10)), *(audience(number) for number in range(99))]
    made = collapse(orders, [10] + [1] * 99, audiences)
    assert made == [orders[0], *[f"{SITE}/record/{{id}}"] * 99]
