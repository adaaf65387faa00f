"""Phrases as patterns."""

import re

from core.facts.measures import BY_KEY
from core.writing.prose.phrases import METRIC_WORDS
from core.writing.prose.spelling import flexible, metric_phrases, parts, plain


def test_a_phrase_may_be_plural_but_a_letter_may_not() -> None:
    assert re.search(flexible("buyer"), "two buyers")
    assert not re.search(flexible("u"), "tells us")


def test_white_space_and_case_do_not_matter() -> None:
    assert plain("  Page\n views ") == "page views"
    assert re.search(flexible("page views"), "page  views")


def test_a_metric_is_also_its_parts() -> None:
    assert parts("lift:page") == {"lift:page", "lift", "page"}


def test_each_measure_is_found_by_its_label() -> None:
    phrases = metric_phrases((), METRIC_WORDS)
    assert all(key in phrases[plain(measure.label)] for key, measure in BY_KEY.items())
