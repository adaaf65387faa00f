"""Rules as data and in words."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from core.base.errors import SettingsError
from core.base.schema import CHANNEL, Users
from core.rules.conditions import RuleClause, RuleCondition, RuleField, SegmentRule
from tests.core.rules.toy import asks

SITE = "https://shop.example"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (asks(RuleField.PAGE, f"{SITE}/sale"), "viewed /sale"),
        (asks(RuleField.PAGE, f"{SITE}/sale", negated=True), "did not view /sale"),
        (asks(RuleField.PAGE, f"{SITE}/sale", 3), "viewed /sale at least 3 times"),
        (asks(RuleField.FOLDER, "/sale/", 3, negated=True), "viewed pages in /sale/ fewer than 3 times"),
        (asks(RuleField.THEME, "Tents"), "viewed a page about Tents"),
        (asks(RuleField.TYPE, "Cart", negated=True), "did not view a page of type Cart"),
        (asks(RuleField.ENTRY, f"{SITE}/"), "began a session on /"),
        (asks(RuleField.ENTRY, f"{SITE}/", negated=True), "never began a session on /"),
        (asks(Users.DEVICE, "mobile"), "are mostly on mobile"),
        (asks(CHANNEL, "Organic Search"), "mostly come by Organic Search"),
        (asks("plan", "pro", negated=True), "do not mostly have plan pro"),
        (asks(Users.SOURCE, "google / cpc", negated=True), "did not first come from google / cpc"),
        (asks(RuleField.PAGE_VIEWS, number=5), "had at least 5 page views"),
        (asks(RuleField.SESSIONS, number=2, negated=True), "had fewer than 2 sessions"),
        (asks(RuleField.LAST_DAYS, number=7), "were seen within the last 7 days of the data"),
    ],
)
def test_a_condition_in_words(rule: SegmentRule, words: str) -> None:
    assert rule.words(SITE) == f"Users who {words}"


def test_alternatives_stand_in_brackets_beside_other_clauses() -> None:
    sale, blog = (RuleCondition(field=RuleField.FOLDER, value=folder) for folder in ("/sale/", "/blog/"))
    device = RuleCondition(field=Users.DEVICE, value="mobile")
    either = RuleClause(any_of=(sale, blog))
    assert SegmentRule(clauses=(either,)).words() == (
        "Users who viewed a page in /sale/ or viewed a page in /blog/"
    )
    both = SegmentRule(clauses=(either, RuleClause(any_of=(device,), negated=True)))
    assert both.words() == (
        "Users who (viewed a page in /sale/ or viewed a page in /blog/), and are not mostly on mobile"
    )
    assert both.length == 3
    assert both.held_out
    assert not SegmentRule(clauses=(either,)).held_out


def test_a_rule_is_the_same_after_a_file() -> None:
    rule = asks(RuleField.PAGE, 'https://shop.example/it\'s "x"\n', 2, negated=True)
    assert SegmentRule.model_validate_json(rule.model_dump_json()) == rule


def test_a_rule_without_a_condition_is_refused_in_words() -> None:
    with pytest.raises(SettingsError, match="at least 1 of clauses is needed"):
        SegmentRule.checked(clauses=())
    with pytest.raises(SettingsError, match="at least 1 of any_of is needed"):
        RuleClause.checked(any_of=())


def test_a_condition_needs_a_value_or_none() -> None:
    with pytest.raises(ValidationError, match="page needs a value"):
        RuleCondition(field=RuleField.PAGE)
    with pytest.raises(ValidationError, match="sessions takes no value"):
        RuleCondition(field=RuleField.SESSIONS, value="3")
    with pytest.raises(SettingsError, match="number"):
        RuleCondition.checked(field=RuleField.SESSIONS, number=0)
