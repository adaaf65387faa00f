"""What rules can ask, counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from core.base.errors import InputError
from core.base.schema import Pages, Users
from core.rules.conditions import DAY_US, RuleClause, RuleCondition, RuleFeatures, RuleField, SegmentRule
from core.storage.sequences import UserSequences
from tests.core.rules.toy import asks

SITE = "https://shop.example"
ADDRESSES = tuple(f"{SITE}{path}" for path in ("/", "/sale/shoes", "/sale/hats", "/blog/a"))


def toy() -> RuleFeatures:
    """Four users: a reader, a buyer in two sessions, somebody of one page, and one who came last."""
    pages = [[3, 3], [0, 1, 1, 2], [3], [0, 3]]
    sessions = [[0, 0], [0, 0, 1, 1], [0], [0, 0]]
    days = [[0, 0], [0, 0, 5, 5], [1], [9, 10]]
    lengths = [len(one) for one in pages]
    flat = [np.concatenate(parts).astype(np.int64) for parts in (pages, sessions, days)]
    sequences = UserSequences(
        pa.array(["a", "b", "c", "d"]), np.concatenate([[0], np.cumsum(lengths)]), flat[0].astype(np.int32),
        flat[2] * DAY_US, flat[1].astype(np.int32),
    )  # fmt: skip
    users = pd.DataFrame(
        {
            Users.GROUP: ["segment", "segment", "one_page", "segment"],
            Users.PAGE_VIEWS: lengths, Users.SESSIONS: [1, 2, 1, 1],
            Users.DEVICE: ["mobile", "desktop", "mobile", None], Users.BROWSER: ["X", "X", "Y", "X"],
            "plan": ["pro", "free", None, None], Users.COUNTRY: [None] * 4,
            Users.SOURCE: ["google / cpc", None, None, "google / cpc"],
        }
    )  # fmt: skip
    table = pd.DataFrame({Pages.PAGE_LOCATION: ADDRESSES})
    labels = {"theme": ["Unknown", "Shoes", "Hats", "Shoes"], "type": ["Home", "Product", "Product", "Blog"]}
    return RuleFeatures.from_tables(users, table, sequences, labels)


@pytest.mark.parametrize(
    ("rule", "users"),
    [
        (asks(RuleField.PAGE, f"{SITE}/sale/shoes"), "b"),
        (asks(RuleField.PAGE, f"{SITE}/sale/shoes", 2), "b"),
        (asks(RuleField.PAGE, f"{SITE}/sale/shoes", 3), ""),
        (asks(RuleField.FOLDER, "/sale/", 3), "b"),
        (asks(RuleField.FOLDER, "/blog/"), "ad"),
        (asks(RuleField.FOLDER, "/blog/", 2, negated=True), "bd"),
        (asks(RuleField.THEME, "Shoes", 2), "ab"),
        (asks(RuleField.TYPE, "Product"), "b"),
        (asks(RuleField.ENTRY, f"{SITE}/"), "bd"),
        (asks(RuleField.ENTRY, f"{SITE}/sale/shoes"), "b"),
        (asks(Users.DEVICE, "mobile"), "a"),
        (asks(Users.DEVICE, "mobile", negated=True), "bd"),
        (asks(Users.SOURCE, "google / cpc"), "ad"),
        (asks("plan", "pro"), "a"),
        (asks("plan", "pro", negated=True), "bd"),
        (asks(RuleField.PAGE_VIEWS, number=3), "b"),
        (asks(RuleField.SESSIONS, number=1), "abd"),
        (asks(RuleField.LAST_DAYS, number=6), "bd"),
        (asks(RuleField.LAST_DAYS, number=5), "d"),
    ],
)
def test_who_meets_a_rule_of_one_condition(rule: SegmentRule, users: str) -> None:
    matching = toy().matches(rule)
    assert "".join(np.array(list("abcd"))[matching]) == users


def test_every_clause_must_hold_and_one_condition_of_each() -> None:
    shoes, blog = (
        RuleCondition(field=RuleField.THEME, value="Shoes", number=2),
        RuleCondition(field=RuleField.FOLDER, value="/blog/"),
    )
    browser = RuleCondition(field=Users.DEVICE, value="desktop")
    rule = SegmentRule(
        clauses=(RuleClause(any_of=(shoes, blog)), RuleClause(any_of=(browser,), negated=True))
    )
    assert toy().matches(rule).tolist() == [True, False, False, True]


def test_labels_that_say_nothing_are_no_items() -> None:
    found = toy().viewed
    assert found[RuleField.THEME].names == ("Shoes", "Hats")
    assert RuleField.TEMPLATE not in found


@pytest.mark.parametrize(
    "rule",
    [
        asks(RuleField.PAGE, f"{SITE}/nowhere"), asks(RuleField.TEMPLATE, "/x"),
        asks(Users.COUNTRY, "Italy"),
    ],
)  # fmt: skip
def test_what_the_data_do_not_have_is_said(rule: SegmentRule) -> None:
    with pytest.raises(InputError, match="is not among those of this data set"):
        toy().matches(rule)


def test_an_attribute_that_users_do_not_have_is_refused_with_those_there_are() -> None:
    with pytest.raises(InputError, match=r"no tariff. Allowed: device, browser, country, source, plan\."):
        toy().matches(asks("tariff", "pro"))
