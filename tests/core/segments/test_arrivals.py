"""How users arrive, and rules on that in words."""

import numpy as np
import pandas as pd
import pytest

from core.base.schema import Users, View
from core.segments.arrivals import Condition, Trait, arrivals, folder, rule_name, simplified
from tests.core.profiles.toy import LOCATIONS, toy_tables

NAMES = {View.URL: list(LOCATIONS), View.TYPE: ["Home", "Category", "Unknown", "Cart"]}


def is_(field: Trait, value: str) -> Condition:
    return Condition(field=field, op="is", value=value)


def not_(field: Trait, value: str) -> Condition:
    return Condition(field=field, op="is not", value=value)


@pytest.fixture
def made() -> pd.DataFrame:
    users, _, _, sequences = toy_tables()
    return arrivals(users, sequences, NAMES, ["Unknown"])


def test_the_first_page_source_device_and_engagement_of_each_user(made: pd.DataFrame) -> None:
    assert made[Trait.PAGE].str.removeprefix("shop.example").tolist() == [
        "/", "/sale", "/sale", "/", "/blog", "/", "/blog", "/",
    ]  # fmt: skip
    assert made[Trait.TYPE].iloc[4] is np.nan  # a label that says nothing is absent
    assert made[Trait.THEME].isna().all()
    assert made[Trait.SOURCE].iloc[[0, 3]].tolist() == ["a / b", "c / d"]
    assert made[Trait.ENGAGED].tolist() == ["no"] * 8  # 4 seconds at most


def test_engagement_is_absent_where_the_file_has_none() -> None:
    users, _, _, sequences = toy_tables()
    silent = users.assign(**{Users.ENGAGEMENT_MSEC: pd.array([pd.NA] * 8, dtype="Int64")})
    assert arrivals(silent, sequences, NAMES, [])[Trait.ENGAGED].isna().all()
    long = users.assign(**{Users.ENGAGEMENT_MSEC: pd.array([10_000, 9_999, *[None] * 6], dtype="Int64")})
    assert arrivals(long, sequences, NAMES, [])[Trait.ENGAGED].tolist()[:3] == ["yes", "no", "no"]


def test_a_condition_of_what_is_absent_or_unknown(made: pd.DataFrame) -> None:
    assert is_(Trait.SOURCE, "a / b").holds(made).tolist() == [True, True, *[False] * 3, True, False, False]
    assert not_(Trait.SOURCE, "a / b").holds(made)[2]  # no source is another source than this
    assert not is_(Trait.SOURCE, "never seen").holds(made).any()
    assert not_(Trait.THEME, "never seen").holds(made).all()


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("https://a.example/blog/x", "/blog"), ("a.example/blog", "/blog"), ("a.example/", None),
        ("a.example/?q=/x", None), ("home", None), ("/shop/a#b", "/shop"), ("", None),
    ],
)  # fmt: skip
def test_the_first_folder(address: str, found: str | None) -> None:
    assert folder(address) == found


def test_a_rule_that_names_the_page_says_no_more_of_it() -> None:
    page, elsewhere = is_(Trait.PAGE, "/a"), not_(Trait.PAGE, "/b")
    assert simplified([not_(Trait.TYPE, "Cart"), elsewhere, is_(Trait.DEVICE, "mobile"), page]) == (
        page, is_(Trait.DEVICE, "mobile"),
    )  # fmt: skip
    assert simplified([not_(Trait.DEVICE, "tablet"), is_(Trait.DEVICE, "mobile")]) == (
        is_(Trait.DEVICE, "mobile"),
    )


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ([is_(Trait.FOLDER, "/blog"), is_(Trait.SOURCE, "google / cpc"), is_(Trait.DEVICE, "mobile")],
         "Land in /blog/…, from google / cpc, mobile"),
        ([is_(Trait.PAGE, "https://a.example/x")], "Land on /x"),
        ([is_(Trait.PAGE, "https://a.example/")], "Land on the homepage"),
        ([is_(Trait.TYPE, "Product"), not_(Trait.PAGE, "https://a.example/x")],
         "Land elsewhere on Product pages"),
        ([not_(Trait.PAGE, "https://a.example/x"), not_(Trait.FOLDER, "/y")],
         "Land elsewhere than on /x or in /y/…"),
        ([is_(Trait.ENGAGED, "yes")], "Engaged"),
        ([not_(Trait.SOURCE, "a"), not_(Trait.SOURCE, "b"), not_(Trait.DEVICE, "mobile")],
         "Not from a or b, not mobile"),
    ],
)  # fmt: skip
def test_rules_in_words(rule: list[Condition], name: str) -> None:
    assert rule_name(rule, ["https://a.example/x", "https://a.example/y/z"]) == name
