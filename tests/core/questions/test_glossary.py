"""What words mean here."""

import pytest

from core.query.in_words import MEANINGS
from core.query.query import Quantity
from core.questions.answers import ask
from core.questions.glossary import meaning
from core.questions.languages import in_english
from tests.core.facts.toy import context

EIGHT = context()


@pytest.mark.parametrize(
    ("question", "begins"),
    [
        ("What is a session?", "A session is GA4's"),
        ("What does lift mean?", "Lift is the share"),
        ("how is a session counted", "A session is"),
        ("define conversion rate", "The conversion rate is"),
        ("What is the definition of a segment?", "A segment is a group"),
        ("what are facets?", "A facet is one way"),
        ("what do you mean by precision", "Of the users whom a rule finds"),
        ("How is the bounce rate calculated?", MEANINGS[Quantity.BOUNCE_RATE]),
        ("What is a bounce rate?", MEANINGS[Quantity.BOUNCE_RATE]),
        ("how do you measure engagement time", MEANINGS[Quantity.ENGAGEMENT]),
        ("Wie wird die Absprungrate berechnet?", MEANINGS[Quantity.BOUNCE_RATE]),
        ("Was bedeutet die Absprungrate?", MEANINGS[Quantity.BOUNCE_RATE]),
        ("Was ist eine Sitzung?", "A session is GA4's"),
        ("¿Qué es una sesión?", "A session is GA4's"),
        ("Qu'est-ce qu'une session ?", "A session is GA4's"),
    ],
)
def test_a_word_is_explained(question: str, begins: str) -> None:
    assert meaning(in_english(question), EIGHT).startswith(begins)


@pytest.mark.parametrize(
    "question",
    ["What is the bounce rate?", "What is the conversion rate of segment 2?", "define segment 2",
     "what are the top pages", "what are users doing", "explain segment 1", "what is it"],
)  # fmt: skip
def test_a_figure_is_not_taken_for_a_word(question: str) -> None:
    assert meaning(question, EIGHT) == ""


def test_the_chat_explains_a_word_without_a_figure() -> None:
    answer = ask("What is a funnel?", EIGHT)
    assert not answer.declined and not answer.facts
