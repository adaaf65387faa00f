"""Users found by what they saw and did: eight users that can be counted by eye, and random ones."""

from __future__ import annotations

import numpy as np
import pytest

from core.base.errors import SettingsError
from core.base.schema import Users
from core.people.search import NOBODY_SAID, Wanted, search
from core.profiles.rows import Rows, make_rows
from tests.core.profiles.toy import LABELS, many, toy

SALE, CART = "page:shop.example/sale", "page:shop.example/cart"


@pytest.fixture
def rows() -> Rows:
    return make_rows(toy(), LABELS)


@pytest.mark.parametrize(
    ("wanted", "users"),
    [
        (Wanted(), list(range(8))),
        (Wanted(saw=(CART,)), [0, 1, 7]),
        (Wanted(saw=(CART, SALE)), [0, 1, 2, 7]),
        (Wanted(did=("purchase",)), [0, 3]),
        (Wanted(saw=(SALE,), did=("purchase",)), [0]),
        (Wanted(attributes={Users.DEVICE: ("mobile",)}), [0, 1, 5, 6]),
        (Wanted(attributes={Users.SOURCE: (NOBODY_SAID, "a / b")}), [0, 1, 2, 5, 7]),
        (Wanted(attributes={Users.DEVICE: ("mobile",), Users.SOURCE: ("c / d",)}), [6]),
        (Wanted(rows=("segment:1",)), [3, 4]),
        (Wanted(rows=("segment:0", "group:bot_like"), saw=(CART,)), [0, 1, 7]),
        (Wanted(rows=("segment:1",), saw=(CART,)), []),
    ],
)
def test_users_fit_one_value_of_every_field(wanted: Wanted, users: list[int], rows: Rows) -> None:
    assert search(wanted, toy(), rows).tolist() == users


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(saw=("page:shop.example/gone",)),
        Wanted(did=("sign_up",)),
        Wanted(rows=("segment:9",)),
        Wanted(attributes={Users.COUNTRY: ("Atlantis",)}),
    ],
)
def test_what_is_not_there_is_said(wanted: Wanted, rows: Rows) -> None:
    with pytest.raises(SettingsError, match="is not in the data"):
        search(wanted, toy(), rows)


def test_random_users_are_found_as_a_loop_finds_them() -> None:
    for seed in range(40):
        data, labels, _ = many(seed)
        random = np.random.default_rng(seed)
        pages = random.choice(9, 2, replace=False)
        segment = int(random.choice(labels[labels >= 0]))
        wanted = Wanted(
            saw=tuple(f"page:{data.page_location[page]}" for page in pages), rows=(f"segment:{segment}",)
        )
        saw = {
            user for user, page in zip(data.seen.user.tolist(), data.seen.page.tolist(), strict=True)
            if page in pages
        }  # fmt: skip
        expected = [user for user in sorted(saw) if labels[user] == segment]
        assert search(wanted, data, make_rows(data, labels)).tolist() == expected
