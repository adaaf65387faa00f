"""Questions by the channel of a session, which is not that of most sessions of its user."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from core.base.schema import CHANNEL, Raw
from core.facts.context import Context
from core.facts.sentences import plain
from core.query.query import By
from core.questions.answers import ask
from tests.core.query.made_site import made_site


@pytest.mark.parametrize(
    ("question", "measure", "by"),
    [
        ("sessions by channel", "sessions", By.SESSION_CHANNEL),
        ("bounce rate per channel", "bounce_rate", By.SESSION_CHANNEL),
        ("page views per session by channel", "views_per_session", By.SESSION_CHANNEL),
        ("page views by channel", "views", By.SESSION_CHANNEL),
        ("purchases by channel", "events", By.SESSION_CHANNEL),
        ("revenue by channel", "revenue", By.SESSION_CHANNEL),
        ("items bought by channel", "items", By.SESSION_CHANNEL),
        ("net revenue by channel", "net_revenue", CHANNEL),
        ("revenue by user's main channel", "revenue", CHANNEL),
        ("sessions by the channel of the user", "sessions", CHANNEL),
        ("purchases by session channel", "events", By.SESSION_CHANNEL),
        ("users by channel of the session", "users", By.SESSION_CHANNEL),
        ("users by channel", "users", CHANNEL),
    ],
)
def test_sessions_count_by_their_own_channel_and_users_by_their_main_one(
    question: str, measure: str, by: str
) -> None:
    query = json.loads(ask(question, Context(made_site().tables)).query)
    assert (query["measure"], query["by"]) == (measure, by)


@pytest.mark.parametrize(
    ("first", "then", "by"),
    [
        ("revenue", "by channel", By.SESSION_CHANNEL),
        ("users by channel", "revenue", By.SESSION_CHANNEL),
        ("revenue by channel", "net revenue", CHANNEL),
        ("revenue by channel", "conversion rate", CHANNEL),
        ("revenue by main channel", "items bought", CHANNEL),
        ("users by session channel", "on mobile", By.SESSION_CHANNEL),
    ],
)
def test_a_question_that_goes_on_counts_by_the_channel_that_fits_its_measure(
    first: str, then: str, by: str
) -> None:
    context = Context(made_site().tables)
    query = json.loads(ask(then, context, ask(first, context).reading).query)
    assert query["by"] == by


def test_what_no_channel_of_a_session_holds_is_said() -> None:
    context = Context(made_site().tables)
    said = "in sessions without a page view, are in no row"
    assert said in plain(ask("revenue by channel", context).blocks, {})
    assert said not in plain(ask("revenue by main channel", context).blocks, {})


def test_events_are_counted_by_the_channel_of_their_session() -> None:
    rows = made_site().rows
    rows = rows[rows["event_name"] == "search"]
    viewers = {*made_site().tables.basis.sequences.user_id.to_pylist()}
    views = made_site().rows.query("event_name == 'page_view'")
    seen = rows["ga_session_id"].isin(views["ga_session_id"]) & rows["user_pseudo_id"].isin(viewers)
    expected = rows[seen].groupby(Raw.SESSION_CHANNEL).size()
    facts = ask("searches by session channel", Context(made_site().tables)).facts
    pd.testing.assert_series_equal(
        pd.Series({fact.item: int(fact.value) for fact in facts}).sort_index(), expected.sort_index(),
        check_names=False,
    )  # fmt: skip
