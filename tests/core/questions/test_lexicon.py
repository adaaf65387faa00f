"""Words and what they can mean."""

from dataclasses import replace

import pytest

from core.base.settings import AnalyzeSettings
from core.facts.answer import BY_KEY, MEASURES
from core.profiles.metrics import profile
from core.questions.answers import ask
from core.questions.lexicon import (
    NO_PURCHASE,
    Meaning,
    Sort,
    expand_chat_spelling,
    lexicon,
    stemmed,
    tokens,
    vocabulary,
)
from tests.core.facts.toy import context, without_outcome
from tests.core.profiles.toy import LABELS, toy


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("What's the outcome_rate of segment 2?", ["what", "the", "outcome", "rate", "of", "segment", "2"]),
        ("segment 4’s one-page users", ["segment", "4", "s", "one", "page", "users"]),
        ("after /Cart?q=a.", ["after", "/cart?q=a"]),
        ("google / organic", ["google", "/", "organic"]),
        ("segments 2-4, -1 and 1.5", ["segments", "2-4", "-1", "and", "1.5"]),
        ("users, sessions, and views, 2", ["users", "and", "sessions", "and", "views", "2"]),
        ("don’t", ["don't"]),
        ("#2 & s3", ["#2", "s3"]),
        ("ＲＥＶＥＮＵＥ", ["revenue"]),
        ("", []),
    ],
)
def test_tokens(text: str, found: list[str]) -> None:
    assert tokens(text) == found


def test_names_values_and_measures_are_phrases() -> None:
    known = lexicon(context())
    assert known["blog", "readers"][0].value == "segment:1"
    assert known["cart", "checkout"][0].value == "Cart & checkout"
    assert known["one", "page", "users"][0].value == "group:one_page"
    assert known["conversion", "rate"][0].value == "outcome_rate"
    assert known["all", "users"][0].value == "all"


def test_a_name_that_is_also_a_measure_has_both_meanings() -> None:
    meanings = lexicon(context({0: "Revenue"}))["revenue",]
    assert {meaning.sort for meaning in meanings} == {Sort.ROW, Sort.MEASURE}


def test_words_about_buying_need_purchases() -> None:
    assert ("buyers",) in lexicon(context())
    assert lexicon(without_outcome())["buyers",] == (Meaning(Sort.CUE, NO_PURCHASE),)
    assert ("outcome", "rate") in lexicon(without_outcome())


def test_who_did_one_of_several_things_did_not_surely_buy() -> None:
    either = profile(toy(), LABELS, AnalyzeSettings(outcome=("purchase", "add_to_cart")))
    several = replace(context(), tables=replace(context().tables, profiles=either))
    assert lexicon(several)["buyers",] == (Meaning(Sort.CUE, NO_PURCHASE),)
    assert ask("how many buyers", several).declined  # 3 users did either, 2 bought
    assert [fact.value for fact in ask("how many converted users", several).facts] == [3]


@pytest.mark.parametrize("parts", [("cues", "dimensions"), ("measures",)])
def test_no_phrase_of_the_vocabulary_has_two_meanings(parts: tuple[str, ...]) -> None:
    texts = [text for part in parts for text in vocabulary()[part].values()]
    labels = [measure.label for measure in MEASURES] if "measures" in parts else []
    phrases = [*labels, *(phrase.strip() for text in texts for phrase in text.split("|"))]
    assert len(phrases) == len(set(phrases))


def test_every_measure_is_called_something() -> None:
    assert set(vocabulary()["measures"]) == set(BY_KEY)


def test_the_spellings_of_chats_are_words() -> None:
    assert (
        expand_chat_spelling("How many ppl, pls? /ppl and pplx") == "How many people, please? /ppl and pplx"
    )
    assert expand_chat_spelling("Whats the avg") == "what is the average"


def test_the_outcome_is_called_by_its_event() -> None:
    liked = replace(context().tables.profiles, outcome="like", chosen=("like",))
    known = lexicon(replace(context(), tables=replace(context().tables, profiles=liked)))
    assert known["like", "rate"][0].value == "outcome_rate"
    assert known["likers",][0].value == "outcome_users"
    assert known["bought",] == (Meaning(Sort.CUE, NO_PURCHASE),)


def test_a_stem_has_the_meaning_of_all_its_forms_or_none() -> None:
    viewed, sessions = Meaning(Sort.CUE, "viewed"), Meaning(Sort.MEASURE, "sessions")
    known = {("visited",): (viewed,), ("viewed",): (viewed,), ("view",): (viewed,), ("visits",): (sessions,)}
    assert stemmed(known) == {("view",): (viewed,)}
