"""Every committed question on a small shop, held against an oracle that shares no code with the app."""

from collections import Counter

from benchmarks.words.checking import problems
from benchmarks.words.questions import oracle_of, read, score
from core.questions.answers import ask
from tests.core.facts.shop import shop

MISSED = 0.1
"""Largest share of the questions that can be answered, and are declined."""


def test_every_question_is_answered_exactly_or_declined() -> None:
    found = score(shop())
    assert found.wrong == {}
    assert len(found.missed) <= MISSED * (sum(found.asked.values()) - found.asked["declined"])


def test_there_are_enough_questions_of_every_kind() -> None:
    counts = Counter(one["intent"] for one in read())
    declined = counts.pop("declined")
    assert sum(counts.values()) >= 350
    assert declined >= 45
    assert min(counts.values()) >= 12


def test_no_question_is_asked_twice() -> None:
    questions = [(*one.get("after", ()), one["question"]) for one in read()]
    assert len(questions) == len(set(questions))


def test_the_check_can_fail() -> None:
    """The right value of another segment, and another figure of the right one, are wrong."""
    made = shop()
    oracle = oracle_of(made)
    answer = ask("outcome rate of segment 4", made.context)
    asked = {"kind": "metric", "rows": ["segment:3"], "metrics": ["outcome_rate"]}
    assert problems(answer, asked, oracle) == []
    assert problems(answer, {**asked, "rows": ["segment:2"]}, oracle)
    assert problems(answer, {**asked, "metrics": ["users"]}, oracle)
    assert problems(ask("nonsense", made.context), asked, oracle) == ["declined"]
