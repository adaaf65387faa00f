import pytest

from core.writing.prose.numerals import Written, find_numerals


def found(text: str) -> list[tuple[str, float, Written]]:
    return [(text[one.start : one.end], one.value, one.written) for one in find_numerals(text)]


@pytest.mark.parametrize(
    ("text", "value", "written"),
    [
        ("1,234", 1234, Written.PLAIN),
        ("1 234", 1234, Written.PLAIN),
        ("1.2k", 1200, Written.PLAIN),
        ("1.2 million", 1_200_000, Written.PLAIN),
        ("12.4 %", 12.4, Written.PERCENT),
        ("12.4%", 12.4, Written.PERCENT),
        ("twelve percent", 12, Written.PERCENT),
        ("twelve point four per cent", 12.4, Written.PERCENT),
        ("half", 50, Written.PERCENT),
        ("three quarters", 75, Written.PERCENT),
        ("nine out of ten", 90, Written.PERCENT),
        ("3.2 percentage points", 3.2, Written.POINTS),
        ("1.8×", 1.8, Written.TIMES),
        ("three times", 3, Written.TIMES),
        ("twice", 2, Written.TIMES),
        ("2.4 times", 2.4, Written.TIMES),
        ("one and a half times", 1.5, Written.TIMES),
        ("doubled", 2, Written.TIMES),
        ("2 min 5 s", 125, Written.SECONDS),
        ("3 h 20 min", 12_000, Written.SECONDS),
        ("$45.30", 45.3, Written.MONEY),
        ("12 euros", 12, Written.MONEY),
        ("a dozen", 12, Written.PLAIN),
        ("two hundred and five", 205, Written.PLAIN),
        ("forty-two thousand", 42_000, Written.PLAIN),
        ("3rd", 3, Written.ORDINAL),
        ("second", 2, Written.ORDINAL),
        ("⑫", 12, Written.PLAIN),
        ("１２", 12, Written.PLAIN),
    ],
)
def test_reads_one_number(text: str, value: float, written: Written) -> None:
    assert found(text) == [(text, pytest.approx(value), written)]


@pytest.mark.parametrize(
    "text",
    [
        "1. Segments", "2) Paths\n3) Pages", "the one that converts", "one of the segments",
        "First, look at it.", "third-party cookies", "a second chance", "F12 and P17", "one-stop shop",
        "At first it is small", "Priority one is reach",
    ],
)  # fmt: skip
def test_some_words_and_list_marks_are_no_numbers(text: str) -> None:
    assert found(text) == []


def test_a_range_shares_its_unit() -> None:
    assert [one[2] for one in found("10.1–14.9 %")] == [Written.PERCENT, Written.PERCENT]
    assert [one[2] for one in found("between 10 and 14.9 %")] == [Written.PERCENT, Written.PERCENT]


def test_says_how_exact_a_number_is() -> None:
    exact, rounded, short = find_numerals("1,234 and 1,200 and 1.2k")

    assert (exact.step, exact.zeros) == (1, 1)
    assert (rounded.step, rounded.zeros) == (1, 100)
    assert short.step == 100


def test_a_minus_is_a_sign_only_where_no_range_is() -> None:
    assert [one.negative for one in find_numerals("−3.2 points")] == [True]
    assert [one.negative for one in find_numerals("12.6%–15.7%")] == [False, False]


def test_hidden_spans_are_skipped() -> None:
    assert found("Segment 2") == [("2", 2, Written.PLAIN)]
    assert find_numerals("Segment 2", [(0, 9)]) == []
