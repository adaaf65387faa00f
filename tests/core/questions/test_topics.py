"""What is asked that no query counts."""

from dataclasses import replace

import numpy as np
import pytest

from core.facts.answer import Answer, Contrast, Note
from core.facts.context import PASTED
from core.facts.fact_maker import Figures
from core.facts.other_tools import ALL_COUNTED
from core.people.look_alikes import LookAlikes
from core.questions.answers import ask
from core.questions.terms import terms_of
from core.questions.topics import HELP, HOW_SURE, TESTED, TOPICS, TRUST, TopicKind, read_topic
from core.segments.certificate import Certificate
from tests.core.facts.shop import shop
from tests.core.facts.toy import context, rule_figures

EIGHT = context()
FIRST, SECOND, BOTH = ("segment:0",), ("segment:1",), ("segment:0", "segment:1")


def noted(answer: Answer) -> list[str]:
    return [block.text for block in answer.blocks if isinstance(block, Note)]


@pytest.mark.parametrize(
    ("question", "topic", "rows"),
    [
        ("help", TopicKind.HELP, ()),
        ("Describe segment 1", TopicKind.DESCRIBE, FIRST),
        ("tell me about the blog readers", TopicKind.DESCRIBE, SECOND),
        ("What are users of segment 2 like?", TopicKind.DESCRIBE, SECOND),
        ("segment 2", TopicKind.DESCRIBE, SECOND),
        ("describe all users", TopicKind.DESCRIBE, ("all",)),
        ("Build a buyer persona for segment 1", TopicKind.PERSONA, FIRST),
        ("What sets segment 2 apart?", TopicKind.WHY, SECOND),
        ("Why does segment 1 convert less?", TopicKind.WHY, FIRST),
        ("How does segment 1 differ from the others?", TopicKind.DIFFER, FIRST),
        ("compare segment 1 and 2", TopicKind.DIFFER, BOTH),
        ("segment 1 vs all users", TopicKind.DIFFER, ("segment:0", "all")),
        ("How do the segments differ?", TopicKind.DIFFER, ()),
        ("how do buyers differ", TopicKind.DIFFER, ("outcome:with",)),
        ("How do I reach segment 1?", TopicKind.RULE, FIRST),
        ("Are these segments real?", TopicKind.SURE, ()),
        ("How sure is segment 2?", TopicKind.SURE, SECOND),
        ("which segments are like segment 1", TopicKind.NEAREST, FIRST),
        ("Which two segments are most alike?", TopicKind.NEAREST, ()),
        ("how many users are like segment 1?", TopicKind.LOOK_ALIKES, FIRST),
        ("What changed?", TopicKind.CHANGED, ()),
        ("Is this only a sample?", TopicKind.SAMPLE, ()),
        ("How many segments are there?", TopicKind.SEGMENTS, ()),
        ("typical path of segment 2", TopicKind.STEPS, SECOND),
        ("how do users of segment 1 move differently", TopicKind.MOVES, FIRST),
        ("routes of segment 1", TopicKind.ROUTES, FIRST),
        ("funnel of segment 2", TopicKind.FUNNEL, SECOND),
    ],
)
def test_topics_by_their_phrases(question: str, topic: TopicKind, rows: tuple[str, ...]) -> None:
    asked = read_topic(terms_of(question, EIGHT), EIGHT, None)
    assert asked is not None
    assert (asked.topic, asked.rows) == (topic, rows)


@pytest.mark.parametrize(
    "question",
    [
        "describe segment 1 on mobile", "compare segment 1 and 2 by sessions", "what changed in segment 2",
        "why do users leave /cart", "path of users who saw /cart", "users of segment 1", "rule for jazz",
    ],
)  # fmt: skip
def test_a_topic_with_anything_beside_it_is_none(question: str) -> None:
    assert read_topic(terms_of(question, EIGHT), EIGHT, None) is None


def test_a_number_that_a_topic_has_no_use_for_is_not_passed_over() -> None:
    assert "The number 3 has no place" in noted(ask("describe the 3 users of segment 1", EIGHT))[0]
    assert "The number 9 has no place" in noted(ask("top 5 of 9 steps of segment 1", EIGHT))[0]
    assert not ask("top 3 steps of segment 1", shop().context).declined


def test_every_topic_is_answered_by_something() -> None:
    assert set(TOPICS) == set(TopicKind)


@pytest.mark.parametrize(
    ("questions", "topic", "rows"),
    [
        (("describe segment 1", "and segment 2?"), TopicKind.DESCRIBE, SECOND),
        (("outcome rate of segment 1", "why?"), TopicKind.WHY, FIRST),
        (("which segment has the most users", "describe it"), TopicKind.DESCRIBE, FIRST),
        (("describe segment 1", "compare it with segment 2"), TopicKind.DIFFER, BOTH),
        (("compare segment 1 and 2", "and with all users?"), TopicKind.DIFFER, None),
    ],
)
def test_topics_go_on(questions: tuple[str, str], topic: TopicKind, rows: tuple[str, ...] | None) -> None:
    last = ask(questions[0], EIGHT).reading
    asked = read_topic(terms_of(questions[1], EIGHT), EIGHT, last)
    assert (asked and (asked.topic, asked.rows)) == ((topic, rows) if rows else None)


def test_help_is_an_answer() -> None:
    answer = ask("What can I ask?", EIGHT)
    assert (noted(answer), answer.declined, answer.population) == ([HELP], False, "")


@pytest.mark.parametrize(
    "question", ["Are these segments real?", "can I trust these segments", "How sure is segment 2?"]
)
def test_whether_segments_are_real_is_said_where_it_was_measured(question: str) -> None:
    assert noted(ask(question, EIGHT)) == [TRUST, TESTED]
    told = ask(question, replace(EIGHT, verdict="No stable segments here."))
    assert noted(told) == ["No stable segments here.", HOW_SURE, TESTED]
    made = Certificate(1, 9, jaccard=0.8, low=0.7, high=0.9, halves=0.75, seeds=1.0, rival=None, moves=0.0)
    sure = ask("How sure is segment 2?", replace(EIGHT, certificates={1: made})).facts[0]
    assert (sure.measure, sure.row, sure.text) == ("jaccard", "segment:1", "80%")


def test_whether_all_users_are_counted_is_said_as_above_the_pages() -> None:
    part = "a sample of 700 of 2,800 users"
    basis = replace(EIGHT.tables.basis, narrowed=lambda: part)
    sampled = replace(EIGHT, tables=replace(EIGHT.tables, basis=basis))
    assert noted(ask("Is this a sample?", sampled)) == [f"Counted on these pages: {part}."]
    assert noted(ask("Is this a sample?", EIGHT)) == [ALL_COUNTED]


def test_a_figure_is_explained_beside_what_sets_the_segment_apart() -> None:
    answer = ask("why does segment 4 convert so well", shop().context)
    first = answer.blocks[0]
    assert isinstance(first, Contrast)
    assert (first.first.measure, first.first.row, first.second.row) == ("outcome_rate", "segment:3", "others")


def test_how_buyers_differ_is_told_of_them_and_not_of_segments() -> None:
    answer = ask("How do buyers differ?", shop().context)
    contrasts = [block for block in answer.blocks if isinstance(block, Contrast)]
    assert noted(answer)[0].startswith("Converted users are the clustered ones with purchase")
    assert contrasts
    assert {block.first.row for block in contrasts} == {"outcome:with"}
    assert not [block for block in contrasts if block.first.measure == "outcome_rate"]


def test_the_two_segments_that_are_most_alike() -> None:
    about = shop().context
    (fact,) = ask("Which two segments are most alike?", about).facts
    apart = [each.value for key in about.segment_keys for each in Figures(about).nearest(key, 9)]
    assert (fact.measure, fact.value) == ("distance", min(apart))


def test_a_rule_for_a_segment_and_for_the_next_one() -> None:
    about = rule_figures().context
    first = ask("How do I reach segment 1?", about)
    following = ask("and segment 2?", about, first.reading)
    assert [fact.row for fact in first.facts] == ["segment:0"] * 3
    assert [fact.row for fact in following.facts] == ["segment:1"] * 3


def test_look_alikes_are_counted_of_a_segment_and_of_the_list() -> None:
    asked: list[str] = []

    def like(key: str) -> LookAlikes:
        asked.append(key)
        return LookAlikes(np.array([3]), np.array([0.9]), np.array([0]), np.array([], dtype=np.int64))

    about = replace(EIGHT, like=like)
    assert ask("how many users are like segment 1?", about).facts[0].text == "1"
    assert ask("how many look alikes are there", about).facts[0].row == PASTED
    assert asked == ["segment:0", PASTED]
