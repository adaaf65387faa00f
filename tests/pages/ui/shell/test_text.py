"""Text of a file never becomes Markdown."""

import pytest
from hypothesis import given
from hypothesis import strategies as texts

from benchmarks.words.markup import loads_or_links, tokens
from pages.ui.shell.text import WORD_JOINER, clock, count, md_text, share, size, time_range

HOSTILE = (
    "<img src=x onerror=alert(1)> **b** $x^2$ :red[r] [c](javascript:x) ![t](https://a.invalid/p.gif) `c`"
)

PLAIN = {"paragraph_open", "paragraph_close", "inline", "text", "text_special"}


def test_a_strangers_text_neither_loads_nor_links() -> None:
    assert loads_or_links(HOSTILE)  # the measure can fail
    assert loads_or_links(md_text(HOSTILE)) == []


def test_icons_and_emoji_codes_are_broken_up() -> None:
    for code in (":material/delete:", ":smile:", ":+1:"):
        assert WORD_JOINER in md_text(code)
    assert md_text("at 12:30") == "at 12\\:30"


def test_entities_and_signs_stay_as_they_were_typed() -> None:
    assert md_text("a &lt; b & c") == "a \\&lt; b \\& c"
    for sign in ("<=", ">=", "<-", "->", "<->", "--", "~="):  # Streamlit makes one character of each
        assert f" {WORD_JOINER}" in md_text(f"a {sign} b")
        assert md_text(sign).startswith(WORD_JOINER)
    assert WORD_JOINER not in md_text("a<=b - c > d")


def test_addresses_do_not_become_links() -> None:
    for address in ("https://a.invalid/x", "www.a.invalid", "WWW.a.invalid", "ann@a.invalid"):
        assert WORD_JOINER in md_text(address)


def test_long_text_and_line_breaks_are_cut() -> None:
    assert md_text("a\n\n# b") == "a \\# b"
    assert md_text("x" * 50, limit=10) == "x" * 9 + "…"


@pytest.mark.parametrize(
    "text",
    [
        "\\[x](http://a.x)", "\\\\[x](http://a.x)", "`[x](http://a.x)`", "__www.a.example__",
        "[x\n](http://a.x)", "[a]: http://a.x\n\n[a]", "&#91;x](http://a.x)", "<\u200bimg src=x>",
    ],
)  # fmt: skip
def test_tricks_do_not_help(text: str) -> None:
    assert loads_or_links(md_text(text)) == []


@given(texts.one_of(texts.text(), texts.text(alphabet="![]()<>&;#:/.@\\`'\"$*_~| \nahtpsw1", max_size=60)))
def test_nothing_is_more_than_text_whatever_is_written(text: str) -> None:
    made = tokens(f"x {md_text(text, len(text) + 1)}")
    assert {one.type for one in made} <= {
        "paragraph_open",
        "paragraph_close",
        "inline",
        "text",
        "text_special",
    }
    assert loads_or_links(md_text(text)) == []


def test_numbers_in_words() -> None:
    assert count(1, "user") == "1 user"
    assert count(1204, "user") == "1,204 users"
    assert count(2, "entry", "entries") == "2 entries"
    assert size(1_500_000) == "1.5 MB"
    assert share(1, 4) == "25.0%"
    assert share(1, 0) == "–"


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (1, 9, "a few seconds"), (3, 44, "up to 40 seconds"), (21, 52, "20 to 50 seconds"),
        (38, 43, "about 40 seconds"), (47, 139, "50 seconds to 2 minutes"),
        (70, 190, "70 seconds to 3 minutes"), (58, 240, "1 to 4 minutes"),
        (100, 200, "2 to 3 minutes"), (170, 190, "about 3 minutes"), (3000, 7200, "50 minutes to 2.0 hours"),
    ],
)  # fmt: skip
def test_ranges_of_time_in_words(low: float, high: float, words: str) -> None:
    assert time_range(low, high) == words


def test_durations_on_a_clock() -> None:
    assert [clock(s) for s in (0, 45.9, 723, 3723)] == ["0:00", "0:45", "12:03", "1:02:03"]
