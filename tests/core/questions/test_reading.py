"""Questions as queries: every word that says something lands in the query, or the question is not read."""

from __future__ import annotations

from functools import cache

import pytest

from core.facts.context import Context
from core.query.in_words import parts, sentence
from core.query.query import Query
from core.questions.reading import NotRead, read
from tests.core.questions.true_site import site

READ = """
how many users saw /cart and did not buy | Users who saw /cart and did not do purchase, all days
how many people saw /cart but never bought | Users who saw /cart and did not do purchase, all days
users without a purchase who saw /sale | Users who did not do purchase and saw /sale, all days
what share of mobile users bought | Share of users who did purchase, of users who are mostly on mobile, all days
of users who saw /cart, what share bought | Share of users who did purchase, of users who saw /cart, all days
what share of mobile users who saw /cart bought | Share of users who did purchase, of users who are mostly on mobile and saw /cart, all days
what share bought without seeing /sale | Share of users who did purchase and did not see /sale, all days
what share of users not on mobile bought | Share of users who did purchase, of users who are not mostly on mobile, all days
share of buyers on desktop | Share of users who are mostly on desktop, of users who did purchase, all days
what is the share of segment 1 among buyers | Share of users who are in Segment 1, of users who did purchase, all days
mobile and tablet users | Users who are mostly on mobile or tablet, all days
how many users are on mobile or saw /sale | Users who are mostly on mobile or saw /sale, all days
conversion rate by device | Share of users who did purchase, by device, all days
which device has the highest conversion rate | Share of users who did purchase, by device, most first, all days
conversion rate per device of users who saw /cart | Share of users who did purchase, of users who saw /cart, by device, all days
purchase rate by device | Share of users who did purchase, by device, all days
do mobile users convert more than desktop users | Share of users who did purchase, of users who are mostly on mobile, beside users who are mostly on desktop, all days
conversion rate of users who saw /cart against those who did not | Share of users who did purchase, of users who saw /cart, beside all other users, all days
how many users have more than 3 page views | Users who have more than 3 page views, all days
users with at least 2 sessions | Users who have at least 2 sessions, all days
users with 5 or more page views on mobile | Users who have at least 5 page views and are mostly on mobile, all days
users with more than 2 minutes of engagement | Users who have more than 120 seconds of engagement, all days
how many users saw /cart at least twice | Users who saw /cart at least twice, all days
how many users saw /cart before buying | Users who saw /cart and then did purchase, all days
how many users bought after seeing /blog | Users who saw /blog and then did purchase, all days
how many users did not buy after seeing /cart | Users who saw /cart and did not see /cart and then do purchase, all days
how many users saw /cart and bought within 2 days | Users who saw /cart and then did purchase within 2 days, all days
how many users saw /cart and bought in the same session | Users who saw /cart and then did purchase in one session, all days
how many users landed on /sale | Users who began a session with /sale, all days
how many page views did /cart get | Page views of /cart, all days
how many purchases were there | Times of purchase, all days
purchases per week | Times of purchase, by week, all days
which hour has the most purchases | Times of purchase, by hour, most first, all days
what share of sessions included a purchase | Share of sessions with purchase, all days
average page views of buyers | Page views a user, of users who did purchase, all days
revenue per user by device | Gross revenue a user, by device, all days
average order value on mobile | Gross revenue a purchase, of users who are mostly on mobile, all days
how long does it take until the first purchase | Median time to purchase, all days
sessions by weekday | Sessions, by day of the week, all days
users who came on weekends | Users who came on Saturday or Sunday, all days
users on weekends | Users, on Saturday or Sunday
users on 1 November 2025 | Users, on 1 Nov 2025
users between 1 Nov 2025 and 3 Nov 2025 on mobile | Users who are mostly on mobile, from 1 Nov 2025 to 3 Nov 2025
page views in the morning | Page views, from 06:00 to 11:59
top 3 landing pages | Sessions, by first page of the session, most first, 3 of them, all days
top 5 pages of users who bought | Users who did purchase, by page, most first, 5 of them, all days
what comes after /cart | Share of the page views of /cart, by next page, all days
funnel from /sale to /cart to purchase | Users by step, /sale → /cart → purchase, all days
how many go from /cart to purchase in one session | Users by step, /cart → purchase, all days
devices with a conversion rate over 20 % | Share of users who did purchase, by device, only rows with more than 20 %, all days
"""
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
conversion rate of users who are not | belongs to
users within 2 days | Within which time of what?
how many new users | Who is new is not known
what is their revenue | Which users do you mean?
revenue by device by source | One dimension at a time
the lift of what | needs “of”
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
    assert said(read(question, shop())) == meant


@pytest.mark.parametrize(("question", "why"), lines(NOT_READ))
def test_what_does_not_fit_is_said(question: str, why: str) -> None:
    with pytest.raises(Exception, match=".") as caught:
        read(question, shop())
    assert why in str(caught.value)


def test_a_segment_that_does_not_exist_is_refused() -> None:
    with pytest.raises(Exception, match="There is no segment 9"):
        read("users of segment 9 who bought", shop())


@pytest.mark.parametrize(
    ("question", "meant"),
    [
        ("and on mobile?", "Users who saw /cart, and did not do purchase, and are mostly on mobile, all days"),
        ("by device", "Users who saw /cart and did not do purchase, by device, all days"),
        ("without those on mobile",
         "Users who saw /cart, and did not do purchase, and are not mostly on mobile, all days"),
        ("only on weekends", "Users who saw /cart and did not do purchase, on Saturday or Sunday"),
        ("what is their average number of page views",
         "Page views a user, of users who saw /cart and did not do purchase, all days"),
        ("how many users bought", "Users who did purchase, all days"),
    ],
)  # fmt: skip
def test_a_question_that_goes_on_changes_the_last_one(question: str, meant: str) -> None:
    last = read("how many users saw /cart and did not buy", shop())
    assert said(read(question, shop(), last)) == meant


def test_another_device_takes_the_place_of_the_one_before() -> None:
    last = read("users on mobile who saw /cart", shop())
    assert (
        said(read("and on desktop?", shop(), last))
        == "Users who saw /cart and are mostly on desktop, all days"
    )
    assert said(read("by device", shop(), last)) == "Users who saw /cart, by device, all days"


def test_each_part_can_be_taken_out() -> None:
    query = read("conversion rate per device of users who saw /cart on weekends", shop())
    assert [(part.text, said(part.without)) for part in parts(query, shop().title)] == [
        ("saw /cart", "Share of users who did purchase, by device, on Saturday or Sunday"),
        ("by device", "Share of users who did purchase, of users who saw /cart, on Saturday or Sunday"),
        ("on Saturday or Sunday",
         "Share of users who did purchase, of users who saw /cart, by device, all days"),
    ]  # fmt: skip


def test_a_query_reads_the_same_from_its_json() -> None:
    for question, _ in lines(READ):
        query = read(question, shop())
        assert Query.model_validate_json(query.model_dump_json()) == query


def test_what_is_not_read_is_an_error_an_analyst_can_act_on() -> None:
    with pytest.raises(NotRead, match="I do not understand “flurb”, so I do not answer"):
        read("how many flurb users", shop())
