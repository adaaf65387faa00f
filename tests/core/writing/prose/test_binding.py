"""The toy has segments 1 and 2, users and an outcome rate, and the pages /blog and /cart."""

from functools import partial

import pytest

from core.facts.answer import Fact, Unit
from core.writing.prose.binding import best, other_of, scores
from core.writing.prose.claims import numerals_of, units_of
from core.writing.prose.mentions import Kind, Lexicon
from core.writing.prose.sentence import About, Place, Sentence

LEXICON = Lexicon(
    [
        Fact("F1", "share:page", "share that saw it", ("segment:0",), 0.4, Unit.SHARE, "40%", item=page)
        for page in ("/blog", "/cart")
    ],
    {"segment:0": ("Segment 1", "Hunters"), "segment:1": ("Segment 2", "Readers"), "all": ("All users",)},
)


def sentence_of(text: str, before: About = About()) -> Sentence:  # noqa: B008 - frozen
    mentions = LEXICON.mentions(text)
    values = [Place(one.start, one.end) for one in numerals_of(text, mentions)]
    return Sentence(text, mentions, values, before)


def read(text: str, kind: Kind, before: About = About()) -> list[str]:  # noqa: B008 - frozen
    """What each value of a text is most likely of."""
    sentence = sentence_of(text, before)
    found = []
    for one, place in zip(numerals_of(text, sentence.mentions), sentence.values, strict=True):
        fits = partial(LEXICON.is_written, units=units_of(one)) if kind is Kind.METRIC else lambda _: True
        named = scores(sentence, place, kind, fits)
        found.append(max(named, key=lambda key: named[key], default=""))
    return found


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("Segment 1 has 120 users.", ["segment:0"]),
        ("120 users are in Hunters and 90 in Readers.", ["segment:0", "segment:1"]),
        ("Unlike Readers, Hunters have 120 users.", ["segment:0"]),
        ("Hunters convert at 12.4 %, compared with 8.1 % in Readers.", ["segment:0", "segment:1"]),
        ("segment 1 12.4 %, segment 2 8.1 %, 9.55 % overall", ["segment:0", "segment:1", "all"]),
        ("Hunters (120 users) and Readers (90 users)", ["segment:0", "segment:1"]),
        ("Of all 1,234 users, 120 are in Hunters.", ["all", "segment:0"]),
        ("It is 120.", ["all"]),
    ],
)
def test_ranks_segments(text: str, keys: list[str]) -> None:
    assert read(text, Kind.SEGMENT) == keys


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("Hunters have 120 users who convert at 12.4 %.", ["users", "outcome_rate"]),
        ("12.4 % of users in Hunters convert.", ["outcome_rate"]),
        ("Hunters are 12.4 % of all users.", ["share"]),
        ("Users: 120; sessions: 300; buyers: 15", ["users", "sessions", "outcome_users"]),
        ("3.5 sessions in Hunters", ["sessions_mean"]),
        ("Per session, they open 5.7 pages.", ["pages_per_session"]),
        ("a bounce rate of 12.4 %", ["other"]),
    ],
)
def test_ranks_measures(text: str, keys: list[str]) -> None:
    assert read(text, Kind.METRIC) == keys


def test_ranks_pages() -> None:
    assert read("40 % saw /blog and 25 % saw /cart.", Kind.ITEM) == ["/blog", "/cart"]


def test_goes_on_about_what_was_said_before() -> None:
    before = About(("segment:1",), ("users",))

    assert read("That is 90.", Kind.SEGMENT, before) == ["segment:1"]
    assert read("That is 90.", Kind.METRIC, before) == ["users"]
    assert read("Hunters have 120.", Kind.SEGMENT, before) == ["segment:0"]


def test_what_reads_best_scores_nought() -> None:
    sentence = sentence_of("Hunters have 120 users, Readers 90.")

    for place in sentence.values:
        assert max(scores(sentence, place, Kind.SEGMENT).values()) == 0


def test_says_what_is_compared_with_what() -> None:
    sentence = sentence_of("Compared with Readers, Hunters have more users.")
    more = Place(sentence.text.index("more"), sentence.text.index("more") + 4)

    assert best(sentence, more, Kind.SEGMENT, "compared") == ("segment:0",)
    assert other_of(sentence, more, ("segment:0",)) == ("segment:1",)
