"""Questions and answers."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.words.markup import loads_or_links
from core.facts.context import Context
from core.facts.fact_book import FactBook
from core.facts.render import fill
from core.outgoing.markdown import safe_markdown
from core.questions.answers import HELP, ask
from core.questions.lexicon import lexicon
from tests.core.facts.toy import context, partition, without_outcome

EIGHT = context()


def said(question: str, about: Context = EIGHT) -> str:
    answer = ask(question, about)
    return fill(answer.text, answer.facts)[0]


def test_an_answer_has_facts_a_table_and_a_query() -> None:
    answer = ask("What is the outcome rate of segment 2?", EIGHT)
    assert (
        said("What is the outcome rate of segment 2?") == "Segment 2 (Blog readers) – outcome rate: 50.00%."
    )
    assert (answer.declined, answer.source, len(answer.facts)) == (False, "rules", 1)
    assert answer.table is not None
    assert "outcome_rate" in answer.query


def test_facts_go_into_the_book_of_the_turn() -> None:
    book = FactBook(first=5)
    answer = ask("number of users in segment 1", EIGHT, book)
    assert [fact.id for fact in answer.facts] == ["F5"]
    assert book.all() == answer.facts


def test_an_edited_name_is_known_at_once() -> None:
    renamed = replace(EIGHT, names={0: "Champions", 1: "Others"})
    assert said("How many users are Champions?", renamed) == "Segment 1 (Champions) – users: 3."
    assert ask("How many users are Sale hunters?", renamed).declined


def test_a_correction_is_said_and_never_silent() -> None:
    assert said("revenu of segment 1").startswith("“revenu” is read as “revenue”. Segment 1")


@pytest.mark.parametrize(
    ("question", "why"),
    [
        (
            "outcome rate of segment 9",
            "There is no segment 9. The segments are Segment 1 (Sale hunters), Segment 2",
        ),
        ("persona for cluster 0", "what the data calls cluster 0 is Segment 1"),
        ("customers from Mars", "I do not understand “mars”, so I do not answer."),
        ("mars and Mars", "I do not understand “mars”, so I do not answer."),
        ("What is the meaning of life?", "I do not understand “meaning”, “life”, so I do not answer."),
        ("hunters", "Do you mean Segment 1 (Sale hunters)?"),
        ("share of mobil users", "Do you mean “mobile” by “mobil”?"),
        ("which is the best segment", "By what?"),
        ("what is their revenue", "Which segment do you mean?"),
        ("sort from least to most users", "Do you mean the most or the least?"),
        ("which segment uses mobile most", "the number of users, or their share"),
        ("compare segment 1", "name both"),
        ("compare segment 1 with the rest", "with another one or with all users"),
        ("country mobile", "That is no country"),
        ("what changed", "Nothing changed yet"),
        ("which segment has the most", "not the question as a whole"),
        ("", "You can ask for"),
        ("hello", "You can ask for"),
    ],
)
def test_declined_with_the_reason(question: str, why: str) -> None:
    answer = ask(question, EIGHT)
    assert answer.declined
    assert why in answer.text
    assert not answer.facts


def test_what_people_look_at_is_their_top_pages() -> None:
    text = said("what do people in segment 1 look at")
    assert text.startswith("Pages of Segment 1 (Sale hunters) viewed most, by page views: /sale (")


def test_help_is_an_answer() -> None:
    assert ask("What can I ask?", EIGHT).text == HELP
    assert not ask("help", EIGHT).declined


def test_a_figure_that_is_absent_is_declined() -> None:
    answer = ask("outcome rate of segment 1", without_outcome())
    assert answer.declined
    assert "is absent" in answer.text


def test_a_chart_comes_with_its_spec() -> None:
    answer = ask("line chart of sessions per user by segment", EIGHT)
    assert answer.chart is not None
    assert answer.chart["mark"] == "line"


def test_what_changed_after_a_move() -> None:
    before = partition(np.array([0, 0, 1, 1, 1, -1, -1, -1], dtype=np.int32))
    assert said("How many users moved?", replace(EIGHT, previous=before)).startswith(
        "1 clustered users changed"
    )


def test_a_hostile_name_of_a_page_or_segment_stays_text() -> None:
    hostile = replace(EIGHT, names={0: "[[F1]] <script>", 1: "![x](https://evil.example/)"})
    for question in ("list the segments", "compare segment 1 and 2"):
        answer = ask(question, hostile)
        text = fill(answer.text, answer.facts)[0]
        assert "<script>" in text  # every screen escapes it
        assert loads_or_links(safe_markdown(text)) == []
        assert "![" not in text
        assert "[[" not in text


@given(st.text(max_size=80))
def test_any_text_gets_an_answer_or_is_declined(text: str) -> None:
    answer = ask(text, EIGHT)
    assert fill(answer.text, answer.facts)[0]


WORDS = sorted({" ".join(phrase) for phrase in lexicon(EIGHT)} | {"segment 1", "segment 2", "/cart", "5"})


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6))
def test_known_words_in_any_order_never_break_it(words: list[str]) -> None:
    answer = ask(" ".join(words), EIGHT)
    text, _ = fill(answer.text, answer.facts)
    assert text
    assert answer.declined or answer.facts or text == HELP or text.endswith("none.") or "no such step" in text


@pytest.mark.parametrize(
    "question",
    [
        "outcome rate of segment 1 > segment 2", "segment 1 < segment 2 users", "users of segment <1>",
        "top 5 pages ≥ of segment 1", "users of segment 1 <script>",
    ],
)  # fmt: skip
def test_a_sign_that_compares_is_not_read_over(question: str) -> None:
    assert ask(question, EIGHT).declined
    assert re.search("I do not understand .*“[<>≥]”", said(question))


def test_an_arrow_says_nothing_and_a_name_may_hold_signs() -> None:
    assert said("segment 1 -> users") == said("segment 1 users")
    named = replace(EIGHT, names={0: "Sale > hunters", 1: "a<b"})
    assert said("How many users are Sale > hunters?", named).startswith("Segment 1 (Sale > hunters) – users")
    assert said("How many users are sale hunters?", named).startswith("Segment 1 (Sale > hunters) – users")
    assert said("How many users are a<b?", named).startswith("Segment 2 (a<b) – users")
