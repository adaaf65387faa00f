from __future__ import annotations

from core.runs.frozen import KnownPages


def align(pages: list[str], known: set[str]) -> list[str]:
    return list(map(KnownPages(known).align, pages))


def test_what_is_ones_own_takes_the_place_the_model_knows() -> None:
    known = {"https://a.example/account/{…}/orders", "https://a.example/account/help"}
    new = [
        "https://a.example/account/jo/orders",
        "https://a.example/account/help",
        "https://a.example/account/jo",
    ]
    assert align(new, known) == [
        "https://a.example/account/{…}/orders",
        "https://a.example/account/help",
        "https://a.example/account/jo",  # no such page is known
    ]


def test_new_pages_take_the_names_the_model_knows() -> None:
    known = {"https://a.example/order/{id}", "https://a.example/item/7", "https://a.example/"}
    new = ["https://a.example/order/12", "https://a.example/item/7", "https://a.example/item/8"]
    assert align(new, known) == [
        "https://a.example/order/{id}",  # the template is known
        "https://a.example/item/7",  # the page itself is known
        "https://a.example/item/8",  # neither: stays as it is
    ]
