from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from core.base.errors import Cancelled, ResourceError
from core.base.progress import silent
from core.base.schema import View
from core.labels import cascade, embedding_classifier, nli_classifier
from core.labels.cascade import Cascade
from core.labels.label_settings import LabelMode, LabelSettings, default_taxonomy
from core.labels.label_types import Classifier, Label, Rung, Subject
from core.labels.override_classifier import OverrideClassifier
from core.labels.pages import LabelPages
from core.storage.json_cache import JsonCache


class Knows:
    """Decides the templates it knows, and remembers what it was asked."""

    def __init__(self, rung: Rung, *templates: str) -> None:
        self.rung, self.templates, self.asked = rung, templates, list[str]()

    def classify(self, subjects: Sequence[Subject], view: View) -> list[Label | None]:
        self.asked += [one.template for one in subjects]
        return [Label("Blog", self.rung) if one.template in self.templates else None for one in subjects]


SUBJECTS = [Subject(name, (name,)) for name in "abc"]


def test_each_rung_sees_only_what_is_open() -> None:
    first, second = Knows(Rung.RULES, "b"), Knows(Rung.EMBEDDING, "b", "c")
    labels = cascade.decide([first, second], SUBJECTS, View.TYPE, silent)
    assert [label and label.rung for label in labels] == [None, Rung.RULES, Rung.EMBEDDING]
    assert second.asked == ["a", "c"]


def test_progress_runs_over_all_rungs() -> None:
    seen: list[float] = []
    rungs = [Knows(Rung.RULES, "b"), Knows(Rung.EMBEDDING, "c")]
    cascade.decide(rungs, SUBJECTS, View.TYPE, lambda _, fraction, *__, **___: seen.append(fraction))
    assert seen == [0.5, 1.0]


def test_a_run_can_be_cancelled_between_batches() -> None:
    def stop(*_: object, **__: float) -> None:
        raise Cancelled()

    with pytest.raises(Cancelled):
        cascade.decide([Knows(Rung.RULES)], SUBJECTS, View.TYPE, stop)


def test_rules_need_no_model(kept: JsonCache) -> None:
    built = cascade.build(LabelSettings(mode=LabelMode.RULES), kept)
    assert [one.rung for one in built.sure] == [Rung.OVERRIDE, Rung.EVENTS, Rung.MARKUP, Rung.RULES]
    assert built.judging == ()
    assert built.notes == ()


def _missing(settings: LabelSettings, cache: JsonCache) -> Classifier:
    raise ResourceError("The weights are missing")


def test_without_embeddings_the_cascade_goes_on_and_says_so(
    monkeypatch: pytest.MonkeyPatch, kept: JsonCache
) -> None:
    monkeypatch.setattr(embedding_classifier, "load", _missing)
    built = cascade.build(LabelSettings(mode=LabelMode.AUTO), kept)
    assert built.judging == ()
    assert built.notes == ("Sentence embeddings left out: The weights are missing.",)


def test_embeddings_come_before_the_model_that_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, kept: JsonCache
) -> None:
    monkeypatch.setattr(embedding_classifier, "load", lambda settings, kept: Knows(Rung.EMBEDDING))
    monkeypatch.setattr(nli_classifier, "load", lambda settings, kept: Knows(Rung.NLI))
    built = cascade.build(LabelSettings(mode=LabelMode.NLI), kept)
    assert [one.rung for one in built.judging] == [Rung.EMBEDDING, Rung.NLI]


def test_a_model_that_was_asked_for_must_be_there(monkeypatch: pytest.MonkeyPatch, kept: JsonCache) -> None:
    monkeypatch.setattr(nli_classifier, "load", _missing)
    with pytest.raises(ResourceError, match="missing"):
        cascade.build(LabelSettings(mode=LabelMode.NLI), kept)


class Sees:
    """Says a theme of each title; None for the rest."""

    def __init__(self, rung: Rung, **themes: str) -> None:
        self.rung, self.themes = rung, themes

    def classify(self, subjects: Sequence[Subject], view: View) -> list[Label | None]:
        named = [self.themes.get(one.titles[0]) for one in subjects]
        return [Label(name, self.rung) if name else None for name in named]


def test_a_theme_with_words_is_not_said_by_the_embedding_alone() -> None:
    titles = ("Boots", "Walkers", "Lipstick", "Cup final")
    urls = tuple(f"https://a.example/{title}" for title in titles)
    pages = LabelPages(urls, titles, urls, *np.ones((2, 4), dtype=np.int64))
    rules = Sees(Rung.RULES, Boots="Footwear")
    embedding = Sees(Rung.EMBEDDING, Walkers="Footwear", Lipstick="Beauty", **{"Cup final": "Sport"})
    taxonomy = default_taxonomy()
    built = Cascade(
        (rules,), (embedding,), OverrideClassifier((), taxonomy), frozenset({"Footwear", "Beauty"})
    )
    themes = cascade.decide_themes(pages, [None] * 4, taxonomy, built, silent)
    # nothing on the site has a word of beauty; sport has no words, as in an analyst's own taxonomy
    assert [label and label.value for label in themes] == ["Footwear", "Footwear", None, "Sport"]
