"""Questions about a dimension that the analyst chose, against counts of the raw rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from core.base.errors import InputError
from core.base.schema import RESERVED_KEYS, dimensions_in
from core.base.settings import IngestSettings
from core.facts.items import values
from core.profiles.user_items import Family
from core.query.execute import execute
from core.query.query import By, Is, Query
from core.questions.answers import ask
from core.questions.terms import terms_of
from core.questions.words import Kind
from core.rules.conditions import RuleField
from tests.core.questions.true_site import site


def plans() -> pd.Series:
    """Plan of each user with a page view."""
    rows = site("shop").rows
    return rows[rows["event_name"] == "page_view"].groupby("user_pseudo_id")["plan_type"].first()


@pytest.mark.parametrize("question", ["users by plan type", "how many users per plan type?"])
def test_users_are_counted_by_it(question: str) -> None:
    facts = ask(question, site("shop").context).facts
    assert sorted(fact.value for fact in facts) == sorted(plans().value_counts())


def test_users_by_it_after_a_rate_are_a_question_of_their_own() -> None:
    context = site("shop").context
    rate = ask("bounce rate by plan type", context)
    after = ask("users by plan type", context, rate.reading)
    assert sorted(fact.value for fact in after.facts) == sorted(plans().value_counts())


@pytest.mark.parametrize(
    ("question", "users"),
    [
        ("How many users are pro yearly?", lambda plan: plan == "pro yearly"),
        ("users with plan type free trial", lambda plan: plan == "free trial"),
        ("how many users are not on free trial", lambda plan: plan != "free trial"),
        ("how many users have plan type pro yearly", lambda plan: plan == "pro yearly"),
    ],
)
def test_its_values_are_words_of_a_question(question: str, users: Callable[[pd.Series], pd.Series]) -> None:
    (fact,) = ask(question, site("shop").context).facts[:1]
    assert fact.value == int(users(plans()).sum())


def test_it_is_an_item_in_which_segments_differ() -> None:
    context = site("shop").context
    table = context.tables.differences
    own = table[(table["family"] == "plan_type") & (table["key"] == "segment:0")].set_index("item")
    assert {*own.index} == {"pro yearly", "free trial"} == {*values(context, "plan_type")}
    assert set(own["role"]) == {"held out"} and own["p_value"].notna().all()


def test_a_dimension_that_nobody_chose_is_refused_with_those_there_are() -> None:
    found = execute(Query(where=Is(dimension="plan_type", any_of=("pro*",))), site("shop").context.tables)
    assert found.rows[0].value == int((plans() == "pro yearly").sum())
    with pytest.raises(InputError, match=r"has no tariff.*plan_type"):
        execute(Query(by="tariff"), site("shop").context.tables)


def test_no_dimension_has_the_key_of_what_is_counted_otherwise() -> None:
    named = {*By, *Family, *RuleField}
    assert not {*dimensions_in(named)} - RESERVED_KEYS
    keys = [*IngestSettings(dimensions=tuple(f"a.{name}" for name in sorted(named)[:10])).dimension_keys]
    assert not {*keys} & named and len({*keys}) == 10


def test_a_value_after_the_name_of_its_dimension_is_that_value_whatever_else_it_means(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "core.questions.names.items.values",
        lambda context, dimension: {"plan_type": ("plus",)}.get(dimension, ()),
    )
    context = replace(site("shop").context, tables=replace(site("shop").context.tables))  # not in memory yet
    kinds = [term.kind for term in terms_of("users who saw /cart plus have plan type plus", context)]
    assert kinds.count(Kind.AND) == 1
    assert kinds[-2:] == [Kind.DIMENSION, Kind.ATTRIBUTE]
