from __future__ import annotations

from dataclasses import replace

import pytest

from core.model.trust.result import Call, Method, Question, Topic
from core.model.trust.verdict import Action, Advice, against, chance, sentences, verdict
from core.segments.certificate import Certificate
from core.segments.levels import NOT_COMPARED, SegmentLevels
from tests.core.model.trust import toy
from tests.core.segments.made_levels import TOO_FEW, supported


@pytest.mark.parametrize(
    ("questions", "advice", "title"),
    [
        (
            (toy.retrieval(), toy.outcome()),
            Advice.LEARNED,
            "the order of pages is a part of it",
        ),
        ((toy.retrieval(shuffled=Call.EQUAL),), Advice.LEARNED, "the order of pages hardly counts"),
        ((toy.retrieval(shuffled=Call.UNCLEAR),), Advice.LEARNED, "better than a bag of pages"),
        ((toy.retrieval(shuffled=Call.WORSE),), Advice.LEARNED, "the order of pages misleads them"),
        ((toy.retrieval(Call.EQUAL), toy.outcome(Call.EQUAL)), Advice.FAST, "a bag of pages is as good"),
        ((toy.retrieval(Call.EQUAL), toy.outcome(Call.WORSE)), Advice.FAST, "a bag of pages does better"),
        ((toy.retrieval(), toy.outcome(Call.WORSE)), Advice.MIXED, "It depends"),
        ((toy.retrieval(Call.UNCLEAR), toy.outcome(Call.UNCLEAR)), Advice.OPEN, "do not show"),
        ((toy.retrieval(Call.EQUAL), toy.outcome(Call.UNCLEAR)), Advice.OPEN, "do not show"),
        ((), Advice.OPEN, "do not show"),
    ],
)
def test_the_answer_follows_the_intervals(
    questions: tuple[Question, ...], advice: Advice, title: str
) -> None:
    found = verdict(toy.scorecard(*questions), 4)
    assert found.advice is advice
    assert title in found.title
    assert found.text
    assert (advice is Advice.FAST) == ("without a training" in found.title)


def test_until_users_are_compared_nobody_says_that_there_are_segments() -> None:
    found = verdict(toy.scorecard(toy.retrieval()), 4)
    assert (found.action, found.why) == (Action.COMPARE, NOT_COMPARED)
    assert found.todo == "Find out first whether there are segments, and how many"


def test_too_few_users_to_compare_any_number_are_too_few_to_tell() -> None:
    found = verdict(toy.scorecard(), 4, TOO_FEW)
    assert (found.action, found.why) == (Action.OPEN, TOO_FEW.sentence)


@pytest.mark.parametrize(
    ("levels", "action", "n_clusters"),
    [
        (supported(), Action.DESCRIBE, 4),
        (supported(2, 4), Action.KEEP, 4),
        (supported(4, 5), Action.KEEP, 4),  # a coarser level is as sure
        (supported(2, 3), Action.USE, 3),
    ],
)
def test_supported_numbers_decide_where_they_are_known(
    levels: SegmentLevels, action: Action, n_clusters: int
) -> None:
    found = verdict(toy.scorecard(toy.retrieval()), 4, levels)
    assert (found.action, found.n_clusters) == (action, n_clusters)
    assert found.why == levels.sentence


@pytest.mark.parametrize(
    ("doubtful", "coarser", "todo"),
    [
        (1, None, "Keep these 4 segments"),
        (3, 2, "Use 2 segments instead"),
        (3, None, "Read these segments as a description"),
    ],
)
def test_segments_of_which_most_are_doubtful_are_not_to_be_kept(
    doubtful: int, coarser: int | None, todo: str
) -> None:
    sure = Certificate(0, 10, 0.9, 0.85, 1.0, 0.8, 1.0, None, 0.0)
    made = {place: replace(sure, jaccard=0.5 if place < doubtful else 0.9) for place in range(4)}
    found = verdict(toy.scorecard(toy.retrieval()), 4, supported(2, 4), made, coarser)
    assert found.todo.startswith(todo)
    assert found.why.startswith("3 of these 4 segments are doubtful") == (doubtful == 3)


def test_vectors_come_before_the_number_of_segments() -> None:
    found = verdict(toy.scorecard(toy.retrieval(Call.EQUAL)), 4)
    assert (found.action, found.todo) == (Action.BAG, "Use a bag of pages here")


def test_segments_of_a_bag_are_judged_by_their_number() -> None:
    found = verdict(toy.scorecard(own=Method.BAG), 4, supported(2, 4))
    assert (found.action, found.todo) == (Action.KEEP, "Keep these 4 segments")


def test_noise_is_not_compared_with_noise() -> None:
    at_chance = toy.outcome(Call.BETTER, level=0.51)
    found = verdict(toy.scorecard(at_chance), 4)
    assert found.advice is Advice.OPEN
    assert "do not tell who will convert" in " ".join(found.text)


def test_sentences_carry_factor_and_interval() -> None:
    first, second, training, third = sentences(toy.retrieval(), "types")
    assert (
        first
        == "The learned vectors find users again 2.0 times as well as a bag of pages (1.50 to 2.50 times)."
    )
    assert "counting steps between page types" in second
    assert third.startswith("The order is read")
    assert "never saw in training" in third
    assert training == (
        "Training helped to find users again: before it, the same network would find users again less well "
        "(now 0.70 to 1.70 times)."
    )


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (Call.BETTER, "tell who will convert better than a bag of pages (-0.010 to +0.010 of the area)"),
        (Call.WORSE, "tell less well who will convert than a bag of pages"),
        (Call.EQUAL, "as well as a bag of pages, but for what would not matter (-0.010"),
        (Call.UNCLEAR, "cannot be told from so few users (-0.010 to +0.010)"),
    ],
)
def test_each_call_has_its_words(call: Call, said: str) -> None:
    assert said in against(toy.outcome(call), Method.BAG, "types")


def test_length_that_can_be_read_is_a_warning() -> None:
    assert "can mostly be read from a vector" in sentences(toy.length(0.9), "types")[0]
    assert "only in part (20% of its spread, 18% to 22%)" in sentences(toy.length(0.2), "types")[0]


@pytest.mark.parametrize(
    ("call", "said"),
    [(Call.BETTER, "helped to"), (Call.EQUAL, "hardly helped"), (Call.WORSE, "made them"),
     (Call.UNCLEAR, "cannot be told from so few users")],
)  # fmt: skip
def test_what_training_bought_is_said_here_and_in_the_verdict(call: Call, said: str) -> None:
    asked = toy.retrieval(untrained=call)
    assert said in against(asked, Method.UNTRAINED, "types")
    assert said in " ".join(verdict(toy.scorecard(asked), 4).text)


@pytest.mark.parametrize(
    ("call", "said"),
    [(Call.BETTER, "add to it (+0.010 to +0.050 of the area)"), (Call.EQUAL, "add nothing to it"),
     (Call.WORSE, "only disturb"), (Call.UNCLEAR, "cannot be told")],
)  # fmt: skip
def test_what_vectors_add_to_counted_pages_is_said(call: Call, said: str) -> None:
    assert said in sentences(toy.outcome(added=call), "types")[-1]


def test_what_was_not_measured_says_why() -> None:
    assert sentences(toy.absent(Topic.OUTCOME, "No events."), "types") == ("No events.",)


def test_chance_among_two_is_three_quarters() -> None:
    assert chance(toy.retrieval(candidates=2)) == 0.75
    assert chance(toy.outcome()) == 0.5
    assert chance(toy.length()) is None
