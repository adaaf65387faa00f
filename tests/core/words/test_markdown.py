# ruff: noqa: E501 - a case is easier to read on one line

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.words.markup import loads_or_links
from core.words.markdown import safe_markdown


def test_the_measure_can_fail() -> None:
    for text in (
        "![a](http://x)",
        "[a](http://x)",
        "<b>",
        "<https://x.example>",
        "see https://x.example",
        "a@b.example",
    ):
        assert loads_or_links(text), text


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("**Bold** and *thin*", "**Bold** and *thin*"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "| a | b |\n|---|---|\n| 1 | 2 |"),
        ("- 5 % of A & B", "- 5 % of A &amp; B"),
        ("~~12~~ (unverified)", "~~12~~ (unverified)"),
        ("![x](https://a.example/p.png)", "\\[x\\](`https://a.example/p.png`)"),
        ("at www.a.example now", "at `www.a.example` now"),
        ("$5 to $6", "\\$5 to \\$6"),
    ],
)
def test_keeps_what_is_harmless_and_defuses_the_rest(text: str, safe: str) -> None:
    assert safe_markdown(text) == safe


@pytest.mark.parametrize("text", ["\\[x](http://a.example)", "\\\\[x](http://a.example)", "`[x](http://a.example)",
                                  "[x\n](http://a.example)", "[a]: http://a.example\n\n[a]", "&#91;x](http://a.example)",
                                  "&#104;ttps://a.example", "ht\u200btp://a.example", "<\u200bimg src=x>"])  # fmt: skip
def test_tricks_do_not_help(text: str) -> None:
    assert loads_or_links(safe_markdown(text)) == []


@given(st.text(alphabet="![]()<>&;#:/.@\\`'\"$*_~| \nahtpsw1", max_size=60))
def test_nothing_loads_or_links_whatever_is_written(text: str) -> None:
    assert loads_or_links(safe_markdown(text)) == []
