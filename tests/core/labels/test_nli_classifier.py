"""The real pipeline on a tiny random network: that everything fits together, not that answers are right."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from transformers import BertModel

from benchmarks.labels.tiny_nli import save_entailment_model
from core.base.errors import ResourceError
from core.base.schema import View
from core.labels import embedding_classifier, nli_classifier
from core.labels.label_types import Label, Rung, Subject
from core.storage.json_cache import JsonCache
from tests.core.labels.shop import PAGES, SETTINGS, TAXONOMY, subject

BOOTS = subject("Hiking boots")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_entailment_model(tmp_path_factory.mktemp("tiny"), PAGES)


class First:
    """A ranker to whom the first themes of the taxonomy are always the nearest."""

    def nearest(self, subjects: Sequence[Subject], view: View, count: int) -> list[tuple[str, ...]]:
        return [tuple(one.name for one in TAXONOMY.classes(view)[:count])] * len(subjects)


def without_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nli_classifier, "MIN_SCORE", 0.0)
    monkeypatch.setattr(nli_classifier, "MIN_MARGIN", 0.0)


def test_the_real_pipeline_gives_labels_of_the_taxonomy(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_limits(monkeypatch)
    classifier = nli_classifier.NliClassifier(TAXONOMY, tiny)
    pages = [subject(title, path) for title, (path, _) in PAGES.items()][:6]
    for view in (View.THEME, View.TYPE):
        labels = classifier.classify([*pages, subject("", "/")], view)
        decided = [label for label in labels if label]
        assert labels[-1] is None  # says nothing
        assert len(decided) == len(pages)
        assert {label.value for label in decided} <= {one.name for one in TAXONOMY.classes(view)}
        assert all(label.rung is Rung.NLI and 0 <= label.margin <= label.score <= 1 for label in decided)


def test_a_network_that_knows_nothing_decides_nothing(tiny: Path) -> None:
    assert nli_classifier.NliClassifier(TAXONOMY, tiny).classify([BOOTS], View.THEME) == [None]


def test_the_embedding_narrows_themes_down_and_leaves_types(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_limits(monkeypatch)
    classifier = nli_classifier.NliClassifier(TAXONOMY, tiny, First())
    asked = []
    pipeline = classifier._pipeline

    def spy(texts: list[str], candidate_labels: list[str], **more: object) -> object:
        asked.append(len(candidate_labels))
        return pipeline(texts, candidate_labels=candidate_labels, **more)

    classifier.__dict__["_pipeline"] = spy
    label = classifier.classify([BOOTS], View.THEME)[0]
    assert label is not None
    assert label.value in {one.name for one in TAXONOMY.themes[: nli_classifier.CANDIDATES]}
    classifier.classify([BOOTS], View.TYPE)
    assert asked == [nli_classifier.CANDIDATES, len(TAXONOMY.types)]


@pytest.mark.parametrize("has_embedding", [True, False])
def test_a_second_run_loads_no_model(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, has_embedding: bool, kept: JsonCache
) -> None:
    without_limits(monkeypatch)

    def ranker(_: object) -> First:
        if not has_embedding:
            raise ResourceError("no weights")
        return First()

    monkeypatch.setattr(embedding_classifier, "ranker", ranker)
    settings, cache = SETTINGS.model_copy(update={"nli_model": str(tiny)}), kept
    first = nli_classifier.load(settings, cache).classify([BOOTS], View.THEME)
    monkeypatch.setattr(BertModel, "__init__", lambda *_: pytest.fail("loaded"))
    assert nli_classifier.load(settings, cache).classify([BOOTS], View.THEME) == first
    assert isinstance(first[0], Label)


def test_a_model_that_is_not_there_is_an_error_that_names_it(
    monkeypatch: pytest.MonkeyPatch, kept: JsonCache
) -> None:
    def offline(model: str, **_: object) -> str:
        raise OSError("no connection")

    monkeypatch.setattr("huggingface_hub.snapshot_download", offline)
    with pytest.raises(ResourceError) as caught:
        nli_classifier.load(SETTINGS, kept)
    assert "'facebook/bart-large-mnli' cannot be loaded: no connection" in str(caught.value)
    assert "set its folder" in str(caught.value)


def test_a_model_without_entailment_is_refused(tmp_path: Path, kept: JsonCache) -> None:
    save_entailment_model(tmp_path, PAGES, {0: "good", 1: "bad"})
    with pytest.raises(ResourceError, match="its labels are good, bad"):
        nli_classifier.load(SETTINGS.model_copy(update={"nli_model": str(tmp_path)}), kept)


@pytest.mark.parametrize("config", ["{", "[]", '{"model_type": "bert"}', None])
def test_a_folder_without_a_model_is_an_error(tmp_path: Path, config: str | None, kept: JsonCache) -> None:
    if config is not None:
        (tmp_path / "config.json").write_text(config)
    with pytest.raises(ResourceError, match="entailment"):
        nli_classifier.load(SETTINGS.model_copy(update={"nli_model": str(tmp_path)}), kept)


def test_weights_that_are_not_safetensors_are_never_opened(
    tiny: Path, tmp_path: Path, kept: JsonCache
) -> None:
    for path in tiny.glob("*.json"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"would be unpickled")
    classifier = nli_classifier.load(SETTINGS.model_copy(update={"nli_model": str(tmp_path)}), kept)
    with pytest.raises(ResourceError, match="cannot be loaded"):
        classifier.classify([BOOTS], View.TYPE)
