# ruff: noqa: E501 - a case is easier to read on one line
"""A small shop that can be checked by eye: segment 1 has 120 users and 12.4 %, segment 2 has 90 and 8.1 %."""

import re
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.words.corpora import (
    ANSWERS,
    HELD_OUT,
    MANNERS,
    MENDED,
    MORE_WRITERS,
    TUNED,
    WRITERS,
    Corpus,
)
from benchmarks.words.mutations import Score, added, score, slot_score
from core.facts.answer import Fact, Unit
from core.facts.fact_book import FactBook
from core.writing.prose.check import check_slots
from core.writing.prose.verify import Verified, Verifier, verify_numbers

SEGMENTS = {
    "segment:0": ("Segment 1", "Hunters"),
    "segment:1": ("Segment 2", "Readers"),
    "all": ("All users",),
}
KEYS = tuple(SEGMENTS)


def shop() -> tuple[Fact, ...]:
    book = FactBook()
    for key, users, rate, views in zip(
        KEYS, (120, 90, 1234), (0.1243, 0.0812, 0.0955), (5.3, 12.0, 4.1), strict=True
    ):
        book.add("users", "users", (key,), users, Unit.COUNT, n=users)
        book.add(
            "outcome_rate",
            "outcome rate",
            (key,),
            rate,
            Unit.SHARE,
            n=users,
            interval=(rate - 0.02, rate + 0.02),
        )
        book.add("page_views_mean", "page views a user", (key,), views, Unit.NUMBER, n=users)
    for pair, ratio in ((KEYS[:2], 120 / 90), (KEYS[1::-1], 90 / 120)):
        book.add("ratio:users", "ratio of users", pair, ratio, Unit.RATIO, comparison=True)
    points = 0.1243 - 0.0812
    book.add("difference:outcome_rate", "difference", KEYS[:2], points, Unit.POINTS, comparison=True)
    book.add("share:page", "share that saw it", ("segment:0",), 0.402, Unit.SHARE, item="/blog", n=120)
    book.add("share:page", "share that saw it", ("segment:0",), 0.251, Unit.SHARE, item="/cart", n=120)
    return book.all()


VERIFIER = Verifier(shop(), SEGMENTS)


def verified(text: str, question: str = "") -> Verified:
    return verify_numbers(text, shop(), segments=SEGMENTS, question=question)


@pytest.mark.parametrize(
    "text",
    [
        "Segment 1 has 120 users.",
        "120 users are in Hunters and 90 in Readers.",
        "Segments 1 and 2 have 120 and 90 users.",
        "Segment 1 converts at 12 %.",
        "Segment 1 converts at 12.4 %, more than segment 2 (8.1 %).",
        "Segment 1 converts at 0.124.",
        "Segment 2 looks at twelve page views per user.",
        "There are 1,234 users in total, about 1.2k.",
        "Segment 1 has an outcome rate of 12.4 % (95 % interval 10.4–14.4 %).",
        "Segment 1 has 1.3× as many users as segment 2.",
        "Segment 2 has fewer users than segment 1.",
        "The outcome rate of segment 1 is 4.3 percentage points higher than that of segment 2.",
        "The outcome rate of segment 2 is 4.3 percentage points lower than that of segment 1.",
        "In segment 1, 40.2 % saw /blog and 25.1 % /cart.",
        "Readers convert at 8.1 %. They have 90 users.",
        "| Segment | Users | Outcome rate |\n|---|---|---|\n| Segment 1 | 120 | 12.4 % |",
        "Both segments are small.",
        "Offer more products and a better search.",
    ],
)
def test_what_is_right_is_verified(text: str) -> None:
    assert verified(text).unverified == ()


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("Segment 1 has 121 users.", "121"),
        ("Segment 1 has 90 users.", "90"),
        ("120 users are in Readers and 90 in segment 2.", "120"),
        ("Segments 1 and 2 have 90 and 120 users.", "90"),
        ("Segment 1 has 12 page views per user.", "12"),
        ("Segment 1 has 120 page views per user.", "120"),
        ("Segment 1 converts at 13 %.", "13 %"),
        ("Segment 1 converts at 12.5 %.", "12.5 %"),
        ("Half of segment 1 convert.", "Half"),
        ("Segment 1 has a dozen users.", "a dozen"),
        ("Together, segments 1 and 2 have 210 users.", "210"),
        ("Segment 2 has 1.3× as many users as segment 1.", "1.3×"),
        ("Segment 2 has more users than segment 1.", "more"),
        ("Segment 2 has the most users.", "most"),
        ("Segment 1 has twice as many users as segment 2.", "twice"),
        ("The outcome rate of segment 1 is 4.3 percentage points lower than that of segment 2.", "4.3 percentage points"),
        ("In segment 1, 25.1 % saw /blog.", "25.1 %"),
        ("Segment 3 has 120 users.", "120"),
        ("| # | Segment | Users |\n|---|---|---|\n| 7 | S1 | 120 |", "7"),
        ("| Segment | Users | Outcome rate |\n|---|---|---|\n| Segment 1 | 90 | 12.4 % |", "90"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_not(text: str, wrong: str) -> None:
    assert wrong in [text[one.start : one.end] for one in verified(text).unverified]


def test_a_short_answer_goes_on_about_the_question() -> None:
    assert verified("It is 120.", "How many users does segment 1 have?").ok
    assert not verified("It is 120.", "How many users does segment 2 have?").ok
    assert not verified("It is 120.").ok


def test_what_is_not_verified_is_struck_through() -> None:
    text = "Segment 1 has 121 users and an outcome rate of 12.4 %."

    assert verified(text).struck() == (
        "Segment 1 has ~~121~~ (unverified) users and an outcome rate of 12.4 %."
    )


def test_a_span_names_its_fact() -> None:
    (span,) = verified("Segment 2 has 90 users.").spans

    assert next(fact for fact in shop() if fact.id == span.fact).value == 90


@cache
def scored(corpus: Corpus) -> Score:
    return score(corpus)


@pytest.mark.parametrize(
    "corpus",
    [TUNED, MENDED, WRITERS[0], MORE_WRITERS[0], MANNERS[0], ANSWERS[0]],
    ids=lambda corpus: corpus.name,
)
def test_wrong_answers_are_noticed_and_right_ones_are_not_doubted(corpus: Corpus) -> None:
    """Of sentences that the weights were fitted on; what to expect of others is in ``docs/method.md``."""
    result = scored(corpus)

    assert result.recall >= 0.99
    assert result.false_alarms <= (0.04 if corpus is ANSWERS[0] else 0.02)  # 3.2 % measured


def test_so_it_is_nearly_with_sentences_that_the_weights_have_never_seen() -> None:
    """No weight was fitted on these; measured: 98.9 % noticed, 1.6 % doubted (slots: 99.5 and 2.9 %)."""
    numbers = added([scored(one) for one in HELD_OUT])
    slots = added([slot_score(one) for one in HELD_OUT])

    assert numbers.recall >= 0.98
    assert numbers.false_alarms <= 0.03
    assert slots.recall >= 0.985
    assert slots.false_alarms <= 0.045


@pytest.mark.parametrize(
    "text",
    [
        "S1: 120 users, 12.43% outcome rate.",
        "Among all 1,234 users, 120 are in segment 1.",
        "| | Segment 1 |\n|---|---|\n| Users | 120 |\n| Outcome rate | 12.4 % |",
        "| # | Segment | Users |\n|---|---|---|\n| 1 | S1 | 120 |\n| 2 | S2 | 90 |",
        "Users\n- Segment 1: 120\n- Segment 2: 90",
        "The answer: 12.4 %. That is the outcome rate of segment 1.",
        "Outcome rate: segment 1 12.4 % (9.55 % overall).",
        "Outcome rate: segment 1 12.4 %, segment 2 8.1 %, 9.55 % overall.",
    ],
)
def test_a_value_may_be_of_any_name_next_to_it(text: str) -> None:
    assert verified(text).unverified == ()


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("Segment 1 is well above average: it has more views (5.3 vs. 4.1).", []),
        ("Segment 1 is well above average: it has fewer views (5.3 vs. 4.1).", ["fewer"]),
        ("Short answer: the outcome rate is 12.4 %. Longer answer: segment 1 has 120 users.", []),
        ("Short answer: the outcome rate is 8.1 %. Longer answer: segment 1 has 120 users.", ["8.1 %"]),
        ("| | Segment 1 | Segment 2 |\n|---|---|---|\n| Outcome rate | 12.4 % | 8.1 % |\n\nThe sizes: 120 and 90 users.", []),
        ("| | Segment 1 | Segment 2 |\n|---|---|---|\n| Outcome rate | 12.4 % | 8.1 % |\n\nThe sizes: 90 and 120 users.", ["90", "120"]),
        ("Segment 1 has one and a half times as many users as segment 2.", ["one and a half times"]),
    ],
)  # fmt: skip
def test_so_are_values_and_words_beside_others(text: str, wrong: list[str]) -> None:
    assert [text[one.start : one.end] for one in verified(text).unverified] == wrong


def test_but_not_where_another_value_of_the_sentence_is_that_fact() -> None:
    (wrong,) = verified("Segment 1 has 90 users; segment 2 has 90 users.").unverified

    assert (wrong.start, wrong.end) == (14, 16)


def test_the_corpus_is_large_enough() -> None:
    assert scored(TUNED).wrong.total() >= 300
    assert scored(TUNED).right >= 150
    assert min(scored(TUNED).wrong.values()) >= 8


def test_slots_in_the_corpus_are_told_apart() -> None:
    result = slot_score(TUNED)

    assert result.recall >= 0.99
    assert result.false_alarms <= 0.02


@given(st.sampled_from(shop()), st.integers(0, 5_000))
def test_a_count_is_verified_only_if_it_is_the_segments_own(fact: Fact, number: int) -> None:
    name = SEGMENTS[fact.segments[0]][0]
    users = next(one.value for one in shop() if one.metric == "users" and one.segments == fact.segments[:1])

    (span,) = VERIFIER.verify(f"{name} has {number:,} users.").spans

    assert span.ok == (number == users)


@given(st.text(max_size=200))
def test_any_text_is_read_to_its_end(text: str) -> None:
    verified = VERIFIER.verify(text)

    assert all(0 <= one.start < one.end <= len(text) for one in verified.spans)
    assert len(verified.struck()) == len(text) + 17 * len(verified.unverified)


@pytest.mark.parametrize(
    "text",
    [
        "Segment 1, unlike segment 2, has 907 users.",
        "Unlike segment 2, segment 1 has 907 users.",
        "Segment 2, compared with segment 1, has 1,234 users.",
        "Segment 1, in contrast to segment 2, has 907 users.",
    ],
)
def test_a_segment_set_aside_has_no_value(text: str) -> None:
    facts = [
        Fact(f"F{n}", "users", "users", (f"segment:{n - 1}",), value, Unit.COUNT, f"{value:,}")
        for n, value in ((1, 1234), (2, 907))
    ]
    segments = {"segment:0": ("Segment 1",), "segment:1": ("Segment 2",)}
    assert not verify_numbers(text, facts, segments=segments).ok
    said = re.sub(r"[\d,]{3,6}(?= users)", lambda one: "[[F2]]" if one[0] == "907" else "[[F1]]", text)
    assert "[[F" in said
    assert not check_slots(said, facts, segments=segments).ok


def test_a_loop_of_a_small_model_is_not_read() -> None:
    facts = [Fact("F1", "users", "users", ("segment:0",), 1234, Unit.COUNT, "1,234")]
    segments = {"segment:0": ("Segment 1",)}
    numbers = verify_numbers("Segment 1, users: 1,234, " * 80, facts, segments=segments)
    assert {one.reason for one in numbers.spans} == {"too many numbers in one sentence"}
    slots = check_slots("Segment 1, users: [[F1]], " * 80, facts, segments=segments)
    assert "too many values in one sentence" in slots.complaint()
