# ruff: noqa: E501 - a case is easier to read on one line

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.words.markup import loads_or_links, tokens
from core.outgoing.markdown import safe_markdown


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
        ("_www.a.example_ foo_www.a.example", "_`www.a.example_` foo_`www.a.example`"),
        ("It is :material/verified: at 12:30:45", "It is `:material/verified:` at 12:30:45"),
        ("# Big\n- ## Big", "\\# Big\n- \\#\\# Big"),
        ("Big\n===\nbig\n  --", "Big\n\\=\\=\\=\nbig\n  \\-\\-"),
        ("Item #1", "Item #1"),
        ("a <= b -> c", "a \u2060&lt;= b \u2060-&gt; c"),
    ],
)
def test_keeps_what_is_harmless_and_defuses_the_rest(text: str, safe: str) -> None:
    assert safe_markdown(text) == safe


@pytest.mark.parametrize("text", ["\\[x](http://a.example)", "\\\\[x](http://a.example)", "`[x](http://a.example)",
                                  "[x\n](http://a.example)", "[a]: http://a.example\n\n[a]", "&#91;x](http://a.example)",
                                  "&#104;ttps://a.example", "ht\u200btp://a.example", "<\u200bimg src=x>"])  # fmt: skip
def test_tricks_do_not_help(text: str) -> None:
    assert loads_or_links(safe_markdown(text)) == []


@pytest.mark.parametrize(
    "text",
    ["__www.a.example__", "*www.a.example*", "# a", "a\n==", "a\n-", "~~~\na\n~~~", "- ~~~\n  a", "- # a"],
)
def test_nothing_is_a_heading_a_fence_or_a_link(text: str) -> None:
    safe = safe_markdown(text)
    assert loads_or_links(safe) == []
    assert {one.type for one in tokens(safe)} & {"heading_open", "fence"} == set()


@given(st.text(alphabet="![]()<>&;#:/.@\\`'\"$*_~| \nahtpsw1", max_size=60))
def test_nothing_loads_or_links_whatever_is_written(text: str) -> None:
    assert loads_or_links(safe_markdown(text)) == []
