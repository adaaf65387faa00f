"""Questions as queries: every word that says something lands in the query, or the question is not read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.errors import Beha2VecError
from core.facts.context import Context
from core.query.in_words import sentence
from core.query.query import Query
from core.questions.reading import NotRead, read
from tests.core.facts.shop import shop as labelled
from tests.core.questions.true_site import site

READ = (Path(__file__).parent / "read_questions.txt").read_text(encoding="utf-8")
"""A question a line, and the query that it is read as."""
NOT_READ = """
why do users leave | “why”
how many customers are women | “women”
what will revenue be next month | “will”
what percentage of purchases came from mobile | The share of purchases is not counted
share of buyers in segment 2 | Of whom is the share?
segment 1's share of buyers | Say whose share of whom
which users only saw /cart | “only”
which segment has the most | By what?
how many users of segment 1 are the cart | Users are no page
which segments have no buyers | Ask how many there are of each
which pages never convert | Ask how many there are of each
which segments never buy and never come back | Ask how many there are of each
conversion rate of users who are not | belongs to
users within 2 days | Within which time of what?
how many new users | Who is new is not known
what is their revenue | Which users do you mean?
revenue by device by source | One dimension at a time
the lift of what | needs “of”
which email addresses are in segment 3 | I do not understand
average number of users per segment | The average of what
which segment has the shortest sessions | Only engagement and times
which pages do segment 2 and segment 3 share | The share of what
median of segment 2 | “median”
where are users of segment 1 from | Where? Name a dimension
what is the top of segment 1 | The top of what?
top 5 most purchases | Most of what?
users who did not see /cart or /sale | how far “not” reaches
how many bounces | Bounces are told as a rate
purchases in week 2 | Which week is meant?
median time between /cart and the purchase | Times are counted from
sessions with at least 3 page views | Sessions are counted by user
mobile users who bought on at least 2 days | On how many days
users on 1 November 2025 and on 3 November 2025 | about one period
engagement time per visit by device | A session has page views
how many users saw /cart and their time on site | One figure at a time
what share of users who saw /cart saw /cart | All of these users did that
users with 5 or 10 sessions | “5” has no place
top 5 to 10 pages | Rows are listed from the first one on
users who bought 2 times or 3 times | “2” has no place
users with more than 2 and more than 5 sessions | Do you mean more than 2
users in week 2 to 4 | Which week is meant?
how many users saw /cart three times and then bought | Of steps in a row
how many users landed on /sale and then bought | Of steps in a row
how many users saw /cart and then left on /sale | Of steps in a row
of users who saw /cart three times, what share went on to buy | Of steps in a row
"""


@cache
def shop() -> Context:
    return site("shop").context


def lines(text: str) -> list[tuple[str, ...]]:
    return [tuple(part.strip() for part in line.split("|")) for line in text.strip().splitlines()]


def said(query: Query) -> str:
    return sentence(query, shop().title)


@pytest.mark.parametrize(("question", "meant"), lines(READ))
def test_a_question_is_read_in_full(question: str, meant: str) -> None:
    assert said(read(question, shop()).queries[0]) == meant


@pytest.mark.parametrize(("question", "why"), lines(NOT_READ))
def test_what_does_not_fit_is_said(question: str, why: str) -> None:
    with pytest.raises(Beha2VecError) as caught:
        read(question, shop())
    assert why in str(caught.value)


def test_a_segment_that_does_not_exist_is_refused() -> None:
    with pytest.raises(Beha2VecError, match="no segment 9"):
        read("users of segment 9 who bought", shop())


@pytest.mark.parametrize(
    ("question", "meant"),
    [
        ("no product page", "Users who did not see the page type Product, all days"),
        ("how many users saw a product page", "Users who saw the page type Product, all days"),
        ("users who never saw a product page", "Users who did not see the page type Product, all days"),
        ("how many users saw a product", "Users who did view_item, all days"),
        ("users who saw the product safety page", "Users who saw /support/product-safety, all days"),
    ],
)
def test_a_noun_for_pages_says_that_a_page_is_meant_and_of_what_kind(question: str, meant: str) -> None:
    made = labelled().context
    assert sentence(read(question, made).queries[0], made.title) == meant


@pytest.mark.parametrize(
    "question", [
        "products bought", "how many items were added to the cart", "how many products did segment 1 buy",
        "which items were sold most",
    ],
)  # fmt: skip
def test_what_was_bought_is_not_who_saw_it_and_bought(question: str) -> None:
    with pytest.raises(NotRead, match="What was bought"):
        read(question, labelled().context)


@pytest.mark.parametrize(
    ("question", "meant"),
    [
        ("and on mobile?",
         "Users who saw /cart, and did not do purchase, and are mostly on mobile, all days"),
        ("by device", "Users who saw /cart and did not do purchase, by user's main device, all days"),
        ("without those on mobile",
         "Users who saw /cart, and did not do purchase, and are not mostly on mobile, all days"),
        ("only on weekends", "Users who saw /cart and did not do purchase, on Saturday or Sunday"),
        ("what is their average number of page views",
         "Page views a user, of users who saw /cart and did not do purchase, all days"),
        ("how many users bought", "Users who did purchase, all days"),
        ("bounce rate by device", "Bounce rate, by user's main device, all days"),
        ("what share of sessions start on /sale", "Share of sessions that began with /sale, all days"),
        ("what share of visits start on /sale", "Share of sessions that began with /sale, all days"),
        ("revenue of users on mobile", "Gross revenue, of users who are mostly on mobile, all days"),
        ("revenue?", "Gross revenue, of users who saw /cart and did not do purchase, all days"),
    ],
)  # fmt: skip
def test_a_question_that_goes_on_changes_the_last_one(question: str, meant: str) -> None:
    last = read("how many users saw /cart and did not buy", shop()).queries[0]
    assert said(read(question, shop(), last).queries[0]) == meant


def test_another_device_takes_the_place_of_the_one_before() -> None:
    last = read("users on mobile who saw /cart", shop()).queries[0]
    assert (
        said(read("and on desktop?", shop(), last).queries[0])
        == "Users who saw /cart and are mostly on desktop, all days"
    )
    assert (
        said(read("by device", shop(), last).queries[0])
        == "Users who saw /cart, by user's main device, all days"
    )


def test_a_query_reads_the_same_from_its_json() -> None:
    for question, _ in lines(READ):
        query = read(question, shop()).queries[0]
        assert Query.model_validate_json(query.model_dump_json()) == query


def test_what_is_not_read_is_an_error_an_analyst_can_act_on() -> None:
    with pytest.raises(NotRead, match="I do not understand “flurb”"):
        read("how many flurb users", shop())


@pytest.mark.parametrize(
    "question", ["how many users first bought", "how many users just saw /cart", "users who only bought"]
)
def test_a_word_that_narrows_is_not_passed_over(question: str) -> None:
    with pytest.raises(NotRead):
        read(question, shop())


_WORDS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_SAID = (
    "{} sessions", "at least {} sessions", "{} to {} page views", "{}-{} visits", "{} or {} days",
    "more than {} and at most {} sessions", "between {} and {} page views", "saw /cart {} times",
    "saw /cart {} or {} times", "bought at least {} times", "saw /cart and bought within {} days",
    "saw /cart {} times and then bought", "did not buy {} times", "over {} minutes of engagement",
    "fewer than {} days", "saw {} pages",
)  # fmt: skip
_WHOLE = ("how many users who {}", "users with {}", "top {} pages of users who {}", "users by device who {}",
          "what share of users with {} bought", "top {} to {} pages", "top {} devices", "{}")  # fmt: skip
_JOINED = (" and ", " or ", ", ", " but not ", " and then ", " ")


@st.composite
def _numbered(draw: st.DrawFn) -> tuple[str, list[int]]:
    """A question with numbers, of which no two are alike, and these."""
    parts = [draw(st.sampled_from(_SAID)) for _ in range(draw(st.integers(1, 3)))]
    whole = draw(st.sampled_from(_WHOLE))
    ends = whole.rpartition("{}")
    joined = "".join(one + draw(st.sampled_from(_JOINED)) for one in parts[:-1]) + parts[-1]
    text = f"{ends[0]}{joined}{ends[2]}"
    count = text.count("{}")
    said = draw(st.lists(st.integers(2, 40), min_size=count, max_size=count, unique=True))
    shown = [_WORDS[n - 2] if n <= 10 and draw(st.booleans()) else str(n) for n in said]
    return text.format(*shown), said


def _numbers(part: object) -> Iterator[float]:
    """The numbers in the JSON of a query, also those in its limits of time."""
    if isinstance(part, dict | list):
        for inner in part.values() if isinstance(part, dict) else part:
            yield from _numbers(inner)
    elif isinstance(part, int | float):
        yield float(part)
    elif isinstance(part, str):
        yield from (float(word) for word in part.split() if word.isdecimal())


@given(_numbered())
def test_every_number_of_a_question_is_in_the_query_or_it_is_not_read(asked: tuple[str, list[int]]) -> None:
    question, said = asked
    try:
        queries = read(question, shop()).queries
    except Beha2VecError:
        return
    for query in queries:
        held = Counter(_numbers(query.model_dump(mode="json")))
        assert all(held[number] or held[60 * number] for number in said), question
