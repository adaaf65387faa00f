import pytest

from core.ingest.clean.grouping import (
    ACCIDENT_VIEWS,
    RARE_VIEWS,
    SIBLINGS,
    collapse,
    template,
    with_templates,
)
from tests.core.ingest.clean.audience import audience

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
