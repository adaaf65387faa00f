"""Questions in German, Spanish and French are put into English, phrase by phrase."""

import re

import pytest

from core.query.in_words import sentence
from core.questions.languages import LANGUAGES, in_english, language_of
from core.questions.reading import read
from tests.core.questions.true_site import site


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Wie viele Nutzer haben gekauft?", "de"), ("Umsatz pro Woche", "de"),
        ("¿Cuántos usuarios compraron?", "es"), ("ingresos por dispositivo", "es"),
        ("Combien d'utilisateurs ont acheté ?", "fr"), ("pages de sortie", "fr"),
        ("how many users bought", ""), ("sessions by device", ""), ("top 5 landing pages", ""), ("", ""),
        ("/die/der/das", ""),
    ],
)  # fmt: skip
def test_the_language_is_known_by_its_words(question: str, language: str) -> None:
    assert language_of(question) == language


@pytest.mark.parametrize(
    ("question", "english"),
    [
        ("how many users bought in May?", "how many users bought in May?"),
        ("Besucher aus Kanada im Mai", "users from Canada in May"),
        ("Leser der Preisseite", "users of Preis page"),
        ("usuarios que no compraron", "users who not bought"),
        ("Combien de visiteurs viennent d’Irlande ?", "how many users came of Ireland ?"),
        ("Wie viele sahen /die/der?", "how many saw /die/der?"),
    ],
)
def test_phrases_are_replaced_and_addresses_stay(question: str, english: str) -> None:
    assert in_english(question) == english


@pytest.mark.parametrize(
    ("question", "meant"),
    [
        ("Wie viele Nutzer haben /cart gesehen und nicht gekauft?",
         "Users who saw /cart and did not do purchase, all days"),
        ("Wie viel Prozent der mobilen Nutzer haben gekauft?",
         "Share of users who did purchase, of users who are mostly on mobile, all days"),
        ("Konversionsrate nach Gerät", "Share of users who did purchase, by user's main device, all days"),
        ("¿Cuántos usuarios vieron /cart y no compraron?",
         "Users who saw /cart and did not do purchase, all days"),
        ("tasa de conversión por dispositivo",
         "Share of users who did purchase, by user's main device, all days"),
        ("usuarios con más de 3 páginas vistas", "Users who have more than 3 page views, all days"),
        ("Combien d'utilisateurs ont vu /cart et puis acheté ?",
         "Users who saw /cart and then did purchase, all days"),
        ("Taux de conversion par appareil",
         "Share of users who did purchase, by user's main device, all days"),
        ("les 3 pages d'entrée les plus fréquentes",
         "Sessions, by first page of the session, most first, 3 of them, all days"),
    ],
)  # fmt: skip
def test_a_question_is_read_as_in_english(question: str, meant: str) -> None:
    shop = site("shop").context
    assert sentence(read(question, shop).queries[0], shop.title) == meant


def test_no_meaning_stands_twice_in_a_language() -> None:
    """Of two, YAML would keep the last without a word."""
    for language in re.split(r"(?m)^\w\w:$", LANGUAGES.read_text(encoding="utf-8"))[1:]:
        meanings = re.findall(r'(?m)^    "?([^":]+)"?: ', language)
        assert len(meanings) == len(set(meanings))
