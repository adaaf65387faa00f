import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.labels.override_classifier import Templates
from core.labels.templates import MAX_DEPTH, SIBLINGS, SIBLINGS_AT_ROOT, is_locale, mine

HOST = "https://shop.example"


def mined(*paths: str, literal: frozenset[str] = frozenset()) -> list[str]:
    pages = [HOST + path for path in paths]
    return [template.removeprefix(HOST) for template in mine(pages, literal)]


def test_many_siblings_under_one_parent_are_one_template() -> None:
    few = [f"/products/name{'abcdefgh'[i]}" for i in range(SIBLINGS)]
    assert mined(*few) == few
    assert set(mined(*few, "/products/other")) == {"/products/:slug"}


def test_names_directly_under_the_host_mean_something() -> None:
    sections = [f"/section{'abcdefghijklmnop'[i]}" for i in range(SIBLINGS_AT_ROOT)]
    assert mined(*sections) == sections
    assert set(mined(*sections, "/other")) == {"/:slug"}


def test_pages_and_sections_are_counted_apart() -> None:
    pages = [f"/red-shoe-no-{i}" for i in range(20)]
    found = mined(*pages, "/magazine/a", "/stores/b")
    assert set(found[:20]) == {"/:slug"}
    assert found[20:] == ["/magazine/a", "/stores/b"]


def test_four_made_names_are_a_pattern() -> None:
    assert set(mined("/x/a-b-c", "/x/d-e-f", "/x/g-h-i", "/x/j1")) == {"/x/:slug"}
    assert mined("/x/a-b-c", "/x/d-e-f", "/x/g-h-i") == ["/x/a-b-c", "/x/d-e-f", "/x/g-h-i"]


def test_what_a_page_is_for_is_never_hidden() -> None:
    pages = [f"/page-number-{i}" for i in range(20)]
    assert mined(*pages, "/About_us.html", literal=frozenset({"about-us"}))[-1] == "/About_us.html"


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/order/123", "/order/:id"),
        ("/order/123.html", "/order/:id.html"),
        ("/order/{id}", "/order/:id"),
        ("/order/{uuid}", "/order/:id"),
        ("/o/0190a5b2-c3d4-e5f6-0190-a5b2c3d4e5f6", "/o/:id"),
        ("/n/2026/05/31/headline", "/n/:date/headline"),
        ("/n/2026/5/headline", "/n/:date/headline"),
        ("/n/2026-05-31", "/n/:date"),
        ("/n/{date}", "/n/:date"),
        ("/search?q=red", "/search?q=:value"),
        ("/search?q=7", "/search?q=:id"),
        ("/s?b=x&a=y", "/s?a=:value&b=:value"),
        (
            "/index.php?product_id=7&route=product/product",
            "/index.php?route=product/product&product_id=:id",
        ),
        ("/?controller=cart", "/?controller=cart"),
        ("/#/product/7", "/#/product/:id"),
        ("/", "/"),
        ("/en/a", "/en/a"),
    ],
)
def test_what_needs_no_comparison(path: str, template: str) -> None:
    assert mined(path) == [template]


def test_numbers_in_front_of_names_are_kept_apart_from_names() -> None:
    assert set(mined(*(f"/{i}-shirt.html" for i in range(4)))) == {"/:id-:slug.html"}


def test_a_site_with_several_locales_has_a_place_for_them() -> None:
    assert mined("/en/cart", "/de-at/cart") == ["/:locale/cart", "/:locale/cart"]
    assert not is_locale("tv")
    assert is_locale("en_CA")
    assert is_locale("uk")


def test_hosts_do_not_mix() -> None:
    pages = [f"https://{'abcdefghijklmnopq'[i]}.example/x" for i in range(17)]
    assert mine(pages) == pages


def test_deep_paths_are_cut() -> None:
    template = mined("/a" * 100_000)[0]
    assert template == "/a" * MAX_DEPTH + "/:rest"


@pytest.mark.parametrize(
    "page", ["", "/basket", "about:blank", "mailto:{email}", "no url at all", "?a=b", "//"]
)
def test_what_is_no_url_has_a_template_too(page: str) -> None:
    (template,) = mine([page])
    assert Templates([template]).of(page) == [template]


def test_other_scripts_are_names_like_any() -> None:
    pages = [f"/товары/куртка-{'абвгде'[i]}" for i in range(6)]
    assert set(mined(*pages)) == {"/товары/:slug"}
    assert set(mined(*(f"/%E5%95%86/{'abcdef'[i]}" for i in range(6)))) == {"/%E5%95%86/:slug"}


SEGMENTS = st.sampled_from(
    [
        "",
        "a",
        "b",
        "cart",
        "en",
        "de-at",
        "12",
        "2026",
        "05",
        ":slug",
        ":id",
        "{id}",
        "a-b-c",
        "x1",
        "1-a.html",
        "b.PHP",
        "#",
        "é",
        "%E5",
        "a:",
        "a?x=1",
        "b?route=a/b&q=2",
        *"cdefghijklmnop",
    ]
)
PAGES = st.lists(
    st.builds(
        lambda host, parts: host + "/".join(parts),
        st.sampled_from(["https://a.example/", "https://b.example/", "/", ""]),
        st.lists(SEGMENTS, min_size=1, max_size=5),
    ),
    max_size=60,
)


@given(PAGES)
def test_every_page_has_one_template_which_matches_it(pages: list[str]) -> None:
    templates = mine(pages, frozenset({"cart"}))
    assert len(templates) == len(pages)
    every = Templates(templates, frozenset({"cart"}))
    assert all(template in every.of(page) for template, page in zip(templates, pages, strict=True))


@given(PAGES, st.randoms(use_true_random=False))
def test_the_order_does_not_matter(pages: list[str], random: object) -> None:
    shuffled = list(pages)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert dict(zip(shuffled, mine(shuffled), strict=True)) == dict(zip(pages, mine(pages), strict=True))


@given(PAGES)
def test_the_template_of_a_template_is_itself(pages: list[str]) -> None:
    templates = mine(pages)
    assert mine(templates) == templates
