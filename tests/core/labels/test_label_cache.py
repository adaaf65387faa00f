import os
import sqlite3
import stat
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import diskcache
import pytest

from core.base.errors import ResourceError
from core.base.schema import View
from core.labels.label_cache import SIZE_LIMIT, CachedClassifier
from core.labels.label_settings import Taxonomy
from core.labels.label_types import Classifier, Document, Label, Rung, Subject
from core.labels.texts import subject_text
from core.storage.json_cache import JsonCache
from tests.core.labels.shop import TAXONOMY, subject

BOOTS, NOISE = subject("Hiking boots"), subject("xyz")
SHOES = Label("Shoes", Rung.EMBEDDING, 0.5, 0.25, "closest to 'Shoes'")


class Counting:
    """Says Shoes of titles with boots in them, and counts what it is asked."""

    rung = Rung.EMBEDDING

    def __init__(self, fail_on: str = "nothing") -> None:
        self.asked: list[str] = []
        self.fail_on = fail_on

    def classify(self, subjects: Sequence[Subject], view: View) -> list[Label | None]:
        titles = [one.titles[0] for one in subjects]
        self.asked += titles
        if self.fail_on in titles:
            raise ResourceError("no answer")
        return [SHOES if "boots" in title else None for title in titles]


def wrap(
    inner: Classifier, cache: JsonCache, identity: str = "model 1", taxonomy: Taxonomy = TAXONOMY
) -> CachedClassifier:
    return CachedClassifier(inner, identity, taxonomy, cache, subject_text)


@pytest.fixture
def cache(tmp_path: Path) -> JsonCache:
    return JsonCache(tmp_path / "labels", SIZE_LIMIT)


def test_decisions_and_abstentions_are_asked_for_once(cache: JsonCache) -> None:
    inner = Counting()
    classifier = wrap(inner, cache)
    assert classifier.rung is Rung.EMBEDDING
    for _ in range(2):
        assert classifier.classify([BOOTS, NOISE, BOOTS], View.THEME) == [SHOES, None, SHOES]
    assert inner.asked == ["Hiking boots", "xyz"]


def test_a_new_process_finds_them(tmp_path: Path) -> None:
    with JsonCache(tmp_path, SIZE_LIMIT) as cache:
        wrap(Counting(), cache).classify([BOOTS, NOISE], View.THEME)
    inner = Counting()
    with JsonCache(tmp_path, SIZE_LIMIT) as cache:
        assert wrap(inner, cache).classify([NOISE, BOOTS], View.THEME) == [None, SHOES]
    assert inner.asked == []


def described(name: str, text: str) -> Taxonomy:
    """The taxonomy with another first description of a theme or type."""

    def changed(view: View) -> tuple[object, ...]:
        return tuple(
            one.model_copy(update={"descriptions": (text,)}) if one.name == name else one
            for one in TAXONOMY.classes(view)
        )

    return TAXONOMY.model_copy(update={"themes": changed(View.THEME), "types": changed(View.TYPE)})


@pytest.mark.parametrize(
    ("identity", "taxonomy", "view", "asks_again"),
    [
        ("model 1", TAXONOMY, View.THEME, False),
        ("model 1", described("Shoes", "boots"), View.THEME, True),
        ("model 1", described("Product", "a thing"), View.THEME, False),  # of the other view
        ("model 1", described("Product", "a thing"), View.TYPE, True),
        ("model 1", TAXONOMY, View.TYPE, True),
        ("model 2", TAXONOMY, View.THEME, True),
    ],
)
def test_what_a_decision_rests_on_decides_anew(
    cache: JsonCache, identity: str, taxonomy: Taxonomy, view: View, asks_again: bool
) -> None:
    wrap(Counting(), cache).classify([BOOTS], View.THEME)
    inner = Counting()
    wrap(inner, cache, identity, taxonomy).classify([BOOTS], view)
    assert bool(inner.asked) is asks_again


@pytest.mark.parametrize(
    ("change", "asks_again"),
    [
        ({"titles": ("Hiking boots 2",)}, True),
        ({"urls": ("https://shop.example/p/other",)}, True),
        ({"template": "https://shop.example/q/:slug"}, False),  # not shown to the model
        ({"urls": ("https://shop.example/p/zebra", "https://shop.example/p/:slug")}, False),
        ({"documents": (Document(text="Warm boots"),)}, True),
        ({"views": 12345}, False),
        ({"events": {"purchase": 3}}, False),
    ],
)
def test_another_text_decides_anew_and_more_traffic_does_not(
    cache: JsonCache, change: dict[str, object], asks_again: bool
) -> None:
    wrap(Counting(), cache).classify([BOOTS], View.THEME)
    inner = Counting()
    wrap(inner, cache).classify([replace(BOOTS, **change)], View.THEME)
    assert bool(inner.asked) is asks_again


def test_errors_are_not_kept_and_what_was_decided_before_is(cache: JsonCache) -> None:
    pages = [subject("boots one"), subject("boots two"), subject("boots three")]
    failing = wrap(Counting(fail_on="boots two"), cache)
    failing.classify(pages[:1], View.THEME)
    with pytest.raises(ResourceError):
        failing.classify(pages[1:], View.THEME)
    inner = Counting()
    assert wrap(inner, cache).classify(pages, View.THEME) == [SHOES] * 3
    assert inner.asked == ["boots two", "boots three"]


def test_another_order_of_traffic_asks_nothing(cache: JsonCache) -> None:
    """The most viewed of a subject's pages changes with each export; what the model is shown does not."""
    urls = tuple(f"https://shop.example/p/{name}" for name in ("oak", "ash", "elm"))
    page = replace(BOOTS, urls=urls)
    wrap(Counting(), cache).classify([page], View.THEME)
    inner = Counting()
    wrap(inner, cache).classify([replace(page, urls=urls[::-1])], View.THEME)
    assert inner.asked == []


def test_nothing_is_pickled_and_the_folder_is_private(tmp_path: Path) -> None:
    folder = tmp_path / "labels"
    with JsonCache(folder, SIZE_LIMIT) as cache:
        wrap(Counting(), cache).classify([BOOTS, NOISE, subject("boots " + "x" * 100_000)], View.THEME)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    rows = sqlite3.connect(folder / "cache.db").execute("SELECT mode, raw FROM Cache").fetchall()
    assert len(rows) == 3
    assert all(mode != diskcache.core.MODE_PICKLE and raw == 1 for mode, raw in rows)


class Trap:
    """What runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(Trap.target),)

    target: Path


@pytest.mark.parametrize("value", ["a trap", "text", b"bytes", 7, None, {"value": 3}, {"score": "x"}])
def test_what_something_else_put_there_is_never_run_and_counts_as_nothing(
    tmp_path: Path, value: object
) -> None:
    folder, Trap.target = tmp_path / "labels", tmp_path / "sprung"
    with JsonCache(folder, SIZE_LIMIT) as cache:
        wrap(Counting(), cache).classify([BOOTS], View.THEME)
    planted = diskcache.Disk(str(folder)).store(Trap() if value == "a trap" else value, read=False)
    with sqlite3.connect(folder / "cache.db") as connection:
        size, mode, filename, data = planted
        connection.execute(
            "UPDATE Cache SET size = ?, mode = ?, filename = ?, value = ?", (size, mode, filename, data)
        )
    inner = Counting()
    with JsonCache(folder, SIZE_LIMIT) as cache:
        assert wrap(inner, cache).classify([BOOTS], View.THEME) == [SHOES]
    assert inner.asked == ["Hiking boots"]
    assert not Trap.target.exists()


def test_a_damaged_file_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "cache.db").write_bytes(b"this is no database" * 1000)
    with JsonCache(tmp_path, SIZE_LIMIT) as kept:
        kept.put({"key": {"value": "Shoes"}})
        assert kept.get("key") == {"value": "Shoes"}


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="cannot be used"):
        JsonCache(tmp_path / "file" / "labels", SIZE_LIMIT)
