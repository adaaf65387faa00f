"""Numbers and times in words."""

import pytest

from core.base import wording
from core.profiles import profile_columns
from core.profiles.profile_columns import FIELDS, Col


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (125, "2 min 5 s"),
        (12_000, "3 h 20 min"),
        (21_600, "6 h"),
        (86_400, "1 day"),
        (4 * 86_400, "4 days"),
        (None, "–"),
        (float("nan"), "–"),
    ],
)
def test_durations_in_words(seconds: float | None, said: str) -> None:
    assert wording.duration(seconds) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.13 / 7.98, "0.016×"), (0.0999, "0.1×"), (0.1, "0.1×"), (0.00042, "0.00042×"), (0.0, "0.0×"),
        (3.21, "3.2×"), (1_234.0, "1,234×"), (float("inf"), "only here"), (float("nan"), "–"),
    ],
)  # fmt: skip
def test_a_small_ratio_is_never_written_as_none(value: float, said: str) -> None:
    assert wording.lift(value) == said


@pytest.mark.parametrize(
    ("share", "n", "said"),
    [(1, 41, "100%"), (1 / 3, 99, "33%"), (1 / 3, 100, "33.3%"), (0.0575, 1_252, "5.75%"), (1, 0, "100.00%")],
)
def test_a_share_of_few_has_few_digits(share: float, n: int, said: str) -> None:
    assert wording.percent(share, 2, n) == said


def test_addresses_lose_only_what_all_share() -> None:
    assert wording.common_origin(["https://a.example/x", "https://a.example/y?z"]) == "https://a.example"
    assert wording.common_origin(["https://a.example/x", "https://b.example/x"]) == ""
    assert wording.common_origin(["/x", "/y"]) == ""
    assert wording.short_address("https://a.example", "https://a.example") == "https://a.example"


def test_titles_lose_the_ending_that_most_share() -> None:
    assert wording.common_suffix(["A | Shop", "B | Shop", "C - other"]) == " | Shop"
    assert wording.common_suffix(["A | Shop", "B - other", "C"]) == ""
    assert wording.common_suffix([]) == ""


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        (Col.OUTCOME_RATE, 0.00471, "0.47%"), (Col.SHARE, 0.16881, "16.9%"),
        (Col.SESSIONS_MEAN, 1.418, "1.42"), (Col.PAGE_VIEWS_MEAN, 5.26, "5.3"),
        (Col.PAGE_VIEWS_MEDIAN, 5.0, "5"), (Col.PAGE_VIEWS_MEDIAN, 5.5, "5.5"), (Col.USERS, 1204.0, "1,204"),
        (Col.ENGAGEMENT_MEAN, 125.0, "2 min 5 s"), (Col.REVENUE, 12.5, "12.50"),
        (Col.REVENUE_PER_USER, float("nan"), "–"),
    ],
)  # fmt: skip
def test_a_figure_is_written_in_one_way(field: str, value: float, said: str) -> None:
    assert profile_columns.figure(field, value) == said


@pytest.mark.parametrize("field", [one.field for one in FIELDS])
def test_every_column_can_be_written_and_be_absent(field: str) -> None:
    assert profile_columns.figure(field, None) == wording.ABSENT != profile_columns.figure(field, 0.5)


def test_nothing_acts_on_a_terminal() -> None:
    assert wording.printable("day\x1b[2J\r\u202e3.csv") == r"day\x1b[2J\r\u202e3.csv"
    assert wording.printable("Über 5 % – ja") == "Über 5 % – ja"


def test_a_long_address_loses_what_stands_left() -> None:
    address = "https://a.example/shop/tents/vela-2"
    assert wording.shortened(address, len(address)) == address
    assert wording.shortened(address, 18) == "…/tents/vela-2"
    assert wording.shortened(address, 5) == "…la-2"
    assert wording.shortened("/shop/tents/", 8) == "…/tents/"
