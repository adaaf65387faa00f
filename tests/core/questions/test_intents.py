"""From what a question says to what is asked."""

import pytest

from core.questions.grammar import parse
from core.questions.intents import INTENTS, Intent, choose, choose_all
from core.questions.resolve import combine_words
from tests.core.facts.toy import context


def intent_of(question: str) -> str | None:
    intent = choose(combine_words(parse(question, context()), context()))
    return intent.name if intent else None


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("outcome rate of segment 1", "metric"), ("How many users are in segment 2", "size"),
        ("which segment converts most", "rank"), ("biggest segment", "rank"),
        ("compare segment 1 and 2", "compare"), ("how do the segments differ", "compare_all"),
        ("top pages of segment 1", "top"), ("which pages set segment 1 apart", "top"),
        ("what sets segment 1 apart", "apart"), ("share of mobile users in segment 1", "share"),
        ("which segment has the highest share of mobile users", "rank_item"), ("landing pages", "entry"),
        ("exit pages of segment 1", "exit"), ("what comes after /cart", "step"),
        ("what comes before /cart in segment 1", "step"), ("typical path of segment 1", "path"),
        ("what are the most common routes of segment 1", "route"), ("routes by type", "route"),
        ("give me a rule for segment 1", "rule"), ("how do I reach segment 1?", "rule"),
        ("rule of segment 1", "rule"), ("what is the best rule for segment 1", "rule"),
        ("segment 1 as conditions", "rule"), ("who reaches /cart", "saw"),
        ("how do users of segment 1 move", "moves"), ("how do users move", "changed"),
        ("which steps do users of segment 1 take more than others", "moves"),
        ("how do users of segment 1 move through the site", "path"),
        ("how many of segment 1 go from category to cart", "funnel"), ("segment 1 from / to /sale", "funnel"),
        ("/, then /sale, then /cart for segment 1", "funnel"), ("/sale and then /cart", "funnel"),
        ("where do users of segment 1 drop off in the funnel", "funnel"), ("funnel", "funnel"),
        ("how many users go from /s* to buying", "funnel"), ("from mobile to desktop", None),
        ("where do users of segment 1 drop off", "exit"), ("who saw /sale and /cart", "either"),
        ("how many users are like segment 1", "look_alikes"), ("segments like segment 1", "similar"),
        ("how many users are as near to segment 1", "look_alikes"), ("what is segment 1 like", "describe"),
        ("look-alikes of segment 1", "look_alikes"), ("lookalikes of the list", "look_alikes"),
        ("which segments do the look-alikes of my pasted list lie in", "look_alikes"),
        ("persona of segment 1", "persona"), ("why does segment 1 convert less", "why"),
        ("describe segment 1", "describe"), ("segment 1", "describe"), ("similar to segment 1", "similar"),
        ("what changed", "changed"), ("list the segments", "list"), ("plot revenue by segment", "chart"),
        ("outcome rate of segment 1 on mobile", None), ("top 3 segments", None),
        ("top 3 segments by revenue", "rank"),
        ("top pages of segment 1 and 2", None), ("what does segment 1 use", None),
        ("median page views of mobile users", None),
    ],
)  # fmt: skip
def test_the_intent_uses_every_word(question: str, name: str | None) -> None:
    assert intent_of(question) == name


def test_an_intent_refuses_what_it_does_not_use() -> None:
    intent = Intent("x", INTENTS[0].run, rows=(1, 1))
    assert intent.fits(parse("segment 1", context()))
    assert not intent.fits(parse("segment 1 revenue", context()))
    assert not intent.fits(parse("segment 1 mobile", context()))
    assert not intent.fits(parse("segment 1 and 2", context()))
    assert not intent.fits(parse("describe segment 1", context()))
    assert not intent.fits(parse("3 segment 1", context()))


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("top pages of segment 1 and 2", ["top", "top"]),
        ("top pages and devices of segment 1", ["top", "top"]),
        ("describe segment 1 and 2", ["describe", "describe"]),
        ("which pages set segment 1 apart from segment 2", []),
        ("persona of segment 1 and why segment 2", []),
        ("outcome rate of segment 1", ["metric"]),
    ],
)
def test_a_list_is_asked_of_each_row_and_kind(question: str, names: list[str]) -> None:
    chosen = choose_all(combine_words(parse(question, context()), context()))
    assert [intent.name for intent, _ in chosen] == names
