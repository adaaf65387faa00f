"""What is answered is true: counted again from the raw rows, on sites with users of every kind.

A question is answered right or declined, and never answered wrong.
"""

from __future__ import annotations

import re

import pytest

from core.facts.answer import Answer
from core.questions.answers import ask
from tests.core.questions.true_site import Site, site

SHOP = """
how many are in segment 1? | 1
how many users are in segment 2 | 2
how many people does segment 3 have | 3
how many users are there | all
how many one-page users are there | one
how many people saw only one page | one
what share of users saw only one page | one % all
what share of users are in segment 1 | 1 % all
what share of all users is segment 3 | 3 % all
how many buyers are there | buy
how many users bought | buy
how many buyers are in segment 1 | buy 1
how many of the buyers are in segment 2 | buy 2
how many one-page users bought | buy one
what share of segment 1 are buyers | buy % 1
what share of segment 3 bought | buy % 3
what share bought in segment 2? | buy % 2
what percentage of people convert in segment 2 | buy % 2
what share of one-page users are buyers | buy % one
what share of all users bought | buy % all
what is the outcome rate | buy % all
conversion rate of segment 2 | buy % 2
what share of buyers are in segment 1 | 1 % buy
what share of the buyers is in segment 3 | 3 % buy
- share of buyers in segment 2
what share of users who bought are in segment 1 | 1 % buy
what share of buyers are one-page users | one % buy
what share of buyers saw /cart | /cart % buy
what share of buyers are on mobile | mobile % buy
what percentage of converters used a desktop | desktop % buy
what share of those who saw /cart bought | buy % /cart
what share of mobile users bought | buy % mobile
what percentage of desktop users converted | buy % desktop
what share of all users saw /cart and bought | /cart buy % all
what share bought without seeing /sale | buy !/sale % all
what is the share of segment 1 among buyers | 1 % buy
- segment 1's share of buyers
what share of buyers among mobile users | buy % mobile
of users who saw /cart, what share is in segment 2 | 2 % /cart
of segment 2, what share saw /cart? | /cart % 2
what share of segment 1 saw /cart | /cart % 1
what share of segment 2 are on mobile | mobile % 2
share of mobile users in segment 2 | mobile % 2
what share of users who saw /cart are in segment 1 | 1 % /cart
what share of mobile users are in segment 2 | 2 % mobile
what share of users not on mobile are in segment 1 | 1 % !mobile
what share of segment 1 is in segment 2 | 1 2 % 1
how many of the users that saw /cart are in segment 1 | /cart 1 of 1
how many of the mobile users are in segment 1 | mobile 1 of 1
how many users saw /cart | /cart of all
how many mobile users bought | mobile buy of buy
who never bought? | !buy
how many never bought | !buy
how many users did not buy | !buy
how many users have not converted | !buy
how many users without a purchase | !buy
users without orders | !buy
how many non-buyers are there | !buy
how many users in segment 1 did not buy | 1 !buy
share of segment 2 that did not buy | !buy % 2
how many one-page users did not buy | one !buy
how many users without a purchase are in segment 3 | 3 !buy
how many users never saw /cart | !/cart of all
how many users of segment 1 did not see /cart | !/cart 1 of 1
what share of segment 3 never saw /sale | !/sale % 3
share of segment 1 without /cart | !/cart % 1
how many buyers did not see /cart | buy !/cart of buy
how many users bought but did not see /sale | buy !/sale of buy
how many of those who saw /cart never bought | /cart !buy
how many users saw /cart but did not buy | /cart !buy
how many users are not in segment 1 | !1
- how many users without a page view
how many users are not on mobile | !mobile of all
how many buyers are not on mobile | buy !mobile of buy
- which segments have no buyers
which segment has the most buyers | most buy
which segment has the most users who never bought | most !buy
which segment has the highest outcome rate | most buy %
which segment has the fewest mobile users | least mobile
what is the total revenue | revenue all
revenue of segment 1 | revenue 1
how much revenue do buyers bring | revenue buy
how many page views in total | views all
page views of segment 2 | views 2
how many sessions are there | sessions all
sessions of one-page users | sessions one
- what share of revenue comes from segment 1
- what share of page views is from segment 2
what share of segment 1 saw /cart > who never bought? | !buy
how many users saw /cart > who never bought? | !buy
how many users saw /cart > how many are in segment 1? | 1
how many users of segment 2 bought > how many are in segment 1? | 1
how many users of segment 2 bought > how many users are there | all
how many users of segment 2 bought > how many buyers are there | buy
top pages of segment 3 > how many buyers are there | buy
top pages of segment 3 > how many users saw /cart | /cart of all
top pages of segment 3 > how many sessions are there | sessions all
revenue of segment 3 > what is the outcome rate | buy % all
what share of segment 2 saw /cart > how many users bought | buy
what share of segment 2 saw /cart > what share of users saw only one page | one % all
what do buyers look at > how many users are there | all
how many users never bought > how many bought | buy
how many users bought > and in segment 2? | buy 2
outcome rate of segment 1 > and segment 3? | buy % 3
what share of segment 2 saw /cart > and /sale? | /sale % 2
how many users of segment 1 did not buy > and segment 2? | 2 !buy
how many users of segment 2 bought > how many users does it have | 2
"""
NEWS = """
how many converted users are in segment 1 | buy 1
what share of segment 2 converted | buy % 2
who never converted? | !buy
how many users did not convert | !buy
how many users of segment 3 did not convert | 3 !buy
what share of converted users are in segment 1 | 1 % buy
what share of mobile users converted | buy % mobile
what share of converted users are on mobile | mobile % buy
how many users saw /politics | /politics of all
how many users of segment 2 never saw /sport | !/sport 2 of 2
which segment has the most converted users | most buy
which segment has the lowest outcome rate | least buy %
how many users saw /politics > who never converted? | !buy
how many of segment 1 saw /sport > how many users are there | all
- who never bought?
- how many users bought
"""
ASKED = [
    (name, *(part.strip() for part in f"{line}|".split("|")[:2]))
    for name, lines in (("shop", SHOP), ("news", NEWS))
    for line in lines.strip().splitlines()
]
"""Site, questions one after the other (``-`` before what is declined), and what is true."""


def answer_of(made: Site, questions: str) -> Answer:
    """The answer to the last of them."""
    answer = Answer(())
    for question in questions.removeprefix("- ").split(" > "):
        answer = ask(question, made.context, answer.reading)
    return answer


def is_true(made: Site, answer: Answer, truth: str) -> bool:
    """Whether the asked figure is told, and no other: users, a share of some, a sum, or the first segment.

    A number is told of what it is a part of, too, where that is named: ``/cart of all`` is 125, or 44.6 %.
    """
    told = {round(fact.value, 9) for fact in answer.facts}
    first, _, rest = truth.partition(" ")
    if first in ("most", "least"):
        parts = [f"{one} {rest}".partition(" %") for one in "123"]
        values = [
            len(made.users(part)) / (len(made.users(part[0])) if share else 1) for part, share, _ in parts
        ]
        in_order = sorted((round(value, 9) for value in values), reverse=first == "most")
        return [round(fact.value, 9) for fact in answer.facts] == in_order
    if first in ("revenue", "views", "sessions"):
        rows = made.rows[made.rows["user_pseudo_id"].isin(made.users(rest))]
        seen = rows[rows["event_name"] == "page_view"]
        sums = {"revenue": rows["purchase_revenue"].sum(), "views": len(seen),
                "sessions": len(seen.drop_duplicates(["user_pseudo_id", "ga_session_id"]))}  # fmt: skip
        return told == {sums[first]}
    part, kind, whole = re.split("( % | of |$)", truth, maxsplit=1)
    count, of = len(made.users(f"{part} {whole}")), len(made.users(whole))
    share = round(count / of, 9)
    return (share if kind == " % " else count) in told and told <= {count, *([share] if whole else [])}


@pytest.mark.parametrize(("name", "questions", "truth"), ASKED)
def test_a_question_is_answered_right_or_declined(name: str, questions: str, truth: str) -> None:
    made = site(name)
    answer = answer_of(made, questions)
    assert answer.declined == questions.startswith("- ")
    assert answer.declined or is_true(made, answer, truth)


def test_an_answer_with_figures_says_of_which_users_they_are() -> None:
    bought = ask("how many users bought", site("shop").context).population
    assert bought.startswith("Of 280 users with a page view, 49 are asked about; 19 who did it without")
    described = ask("describe segment 1", site("shop").context).population
    assert described.startswith("Of 280 users with a page view, 200 are in a segment")
    assert ask("what can I ask?", site("shop").context).population == ""
