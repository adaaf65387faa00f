"""Users found by what they saw and did: eight users that can be counted by eye, and random ones."""

from __future__ import annotations

import numpy as np
import pytest

from core.base.errors import SettingsError
from core.base.schema import Users
from core.people.search import UNKNOWN_VALUE, UserSearch, search
from core.profiles.rows import Rows, make_rows
from tests.core.profiles.toy import LABELS, many, toy

SALE, CART = "page:shop.example/sale", "page:shop.example/cart"


@pytest.fixture
def rows() -> Rows:
    return make_rows(toy(), LABELS)


@pytest.mark.parametrize(
    ("wanted", "users"),
    [
        (UserSearch(), list(range(8))),
        (UserSearch(saw=(CART,)), [0, 1, 7]),
        (UserSearch(saw=(CART, SALE)), [0, 1, 2, 7]),
        (UserSearch(did=("purchase",)), [0, 3]),
        (UserSearch(saw=(SALE,), did=("purchase",)), [0]),
        (UserSearch(attributes={Users.DEVICE: ("mobile",)}), [0, 1, 5, 6]),
        (UserSearch(attributes={Users.SOURCE: (UNKNOWN_VALUE, "a / b")}), [0, 1, 2, 5, 7]),
        (UserSearch(attributes={Users.DEVICE: ("mobile",), Users.SOURCE: ("c / d",)}), [6]),
        (UserSearch(rows=("segment:1",)), [3, 4]),
        (UserSearch(rows=("segment:0", "group:bot_like"), saw=(CART,)), [0, 1, 7]),
        (UserSearch(rows=("segment:1",), saw=(CART,)), []),
    ],
)
def test_users_fit_one_value_of_every_field(wanted: UserSearch, users: list[int], rows: Rows) -> None:
    assert search(wanted, toy(), rows).tolist() == users


@pytest.mark.parametrize(
    "wanted",
    [
        UserSearch(saw=("page:shop.example/gone",)),
        UserSearch(did=("sign_up",)),
        UserSearch(rows=("segment:9",)),
        UserSearch(attributes={Users.COUNTRY: ("Atlantis",)}),
    ],
)
def test_what_is_not_there_is_said(wanted: UserSearch, rows: Rows) -> None:
    with pytest.raises(SettingsError, match="is not in the data"):
        search(wanted, toy(), rows)


def test_random_users_are_found_as_a_loop_finds_them() -> None:
    for seed in range(40):
        data, labels, _ = many(seed)
        random = np.random.default_rng(seed)
        pages = random.choice(9, 2, replace=False)
        segment = int(random.choice(labels[labels >= 0]))
        wanted = UserSearch(
            saw=tuple(f"page:{data.page_location[page]}" for page in pages), rows=(f"segment:{segment}",)
        )
        saw = {
            user for user, page in zip(data.seen.user.tolist(), data.seen.page.tolist(), strict=True)
            if page in pages
        }  # fmt: skip
        expected = [user for user in sorted(saw) if labels[user] == segment]
        assert search(wanted, data, make_rows(data, labels)).tolist() == expected
