"""The labelled sets are what they are said to be, and the evaluation counts right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.labels import speed
from benchmarks.labels.evaluate import by_class, by_rung, evaluate, report, summary, up_to_each_rung
from benchmarks.labels.markup import SYSTEMS, with_markup
from benchmarks.labels.sets import (
    COLUMNS,
    FOLDER,
    SETS,
    LabelledSet,
    from_table,
    load,
    read_table,
    taxonomy_of,
)
from benchmarks.labels.sites import site_row
from core.base.schema import NO_THEME, UNKNOWN, View
from core.labels.cascade import Cascade
from core.labels.label_settings import LabelClass, Taxonomy, default_taxonomy
from core.labels.label_types import Label, Rung, Subject
from core.labels.override_classifier import OverrideClassifier
from core.labels.pages import LabelPages

FEWEST = {"merch": 66, "news": 40, "shops": 160}


@pytest.mark.parametrize("name", SETS)
class TestSets:
    def test_has_the_columns_and_enough_pages(self, name: str) -> None:
        table = read_table(FOLDER / f"{name}.csv")

        assert tuple(table.columns) == COLUMNS
        assert len(table) >= FEWEST[name]

    def test_no_page_is_there_twice(self, name: str) -> None:
        urls = read_table(FOLDER / f"{name}.csv")["url"]

        assert urls[urls.duplicated()].tolist() == []

    def test_pages_are_of_invented_sites(self, name: str) -> None:
        urls = read_table(FOLDER / f"{name}.csv")["url"]

        assert urls.str.fullmatch(r"https://[a-z0-9.-]+\.example/\S*").all()

    def test_every_label_is_in_the_taxonomy(self, name: str) -> None:
        labelled = load(name)
        themes = {one.name for one in labelled.taxonomy.themes}

        assert set(labelled.types) <= {one.name for one in labelled.taxonomy.types}
        assert set(labelled.themes) <= themes | {NO_THEME, UNKNOWN}

    def test_pages_of_a_functional_type_and_only_they_have_no_theme(self, name: str) -> None:
        labelled = load(name)
        functional = {one.name for one in labelled.taxonomy.types if one.functional}

        assert [theme == NO_THEME for theme in labelled.themes] == [
            kind in functional for kind in labelled.types
        ]

    def test_few_themes_cannot_be_told(self, name: str) -> None:
        assert load(name).themes.count(UNKNOWN) <= 0.06 * len(load(name).themes)

    def test_every_language_is_two_letters(self, name: str) -> None:
        assert read_table(FOLDER / f"{name}.csv")["language"].str.fullmatch("[a-z]{2}").all()


def test_the_shops_speak_several_languages_and_are_many() -> None:
    table = read_table(FOLDER / "shops.csv")

    assert {"en", "de", "fr", "es"} <= set(table["language"])
    assert table["url"].str.extract(r"https://([^/]+)/")[0].nunique() >= 8


def test_the_shops_have_every_theme_and_type() -> None:
    shops = load("shops")

    assert {one.name for one in shops.taxonomy.themes} <= set(shops.themes)
    assert {one.name for one in shops.taxonomy.types} == set(shops.types)


def test_the_default_taxonomy_is_the_shops() -> None:
    assert taxonomy_of("shops") == default_taxonomy()
    assert len(default_taxonomy().themes) == 19
    assert {one.name for one in default_taxonomy().types if not one.functional} == {
        "Category",
        "Product",
        "Blog",
    }


def test_a_page_is_seen_as_the_cascade_sees_it() -> None:
    table = pd.DataFrame(
        [("https://S.example/Hats/?utm_source=x", "", "Hats", "List", "view_item:120;add_to_cart:7", "en")],
        columns=list(COLUMNS),
    )

    pages = from_table("toy", table, TOY).pages

    assert (pages.urls, pages.titles, pages.templates) == (("https://s.example/hats",), ("",), pages.urls)
    assert pages.events == {0: {"view_item": 120, "add_to_cart": 7}}


def _one(name: str, functional: bool = False) -> LabelClass:
    return LabelClass(name=name, descriptions=(name,), functional=functional)


TOY = Taxonomy(
    themes=(_one("Hats"), _one("Mugs")), types=(_one("Item"), _one("List"), _one("Cart", functional=True))
)


class Fixed:
    """Says what it was told to, by template; None for the rest."""

    def __init__(self, rung: Rung, says: Mapping[tuple[str, View], str]) -> None:
        self.rung = rung
        self.says = says
        self.asked: list[str] = []

    def classify(self, subjects: Sequence[Subject], view: View) -> Sequence[Label | None]:
        self.asked += [f"{view}:{subject.template}" for subject in subjects]
        said = [self.says.get((subject.template, view)) for subject in subjects]
        return [None if value is None else Label(value, self.rung) for value in said]


@pytest.fixture
def toy() -> LabelledSet:
    """a, b: items; c: a list; d: a cart; e: an item whose theme nobody can tell."""
    return LabelledSet(
        name="toy",
        taxonomy=TOY,
        pages=LabelPages(tuple("abcde"), ("",) * 5, tuple("abcde"), *(np.ones((2, 5), dtype=np.int64))),
        themes=("Hats", "Mugs", "Mugs", NO_THEME, UNKNOWN),
        types=("Item", "Item", "List", "Cart", "Item"),
    )


@pytest.fixture
def cascade() -> Cascade:
    """Types: a right, b taken for a cart, c left open, d and e right. Themes: a and e Hats, c wrong."""
    first = {("a", View.TYPE): "Item", ("b", View.TYPE): "Cart", ("a", View.THEME): "Hats"}
    second = {
        ("a", View.TYPE): "List",  # too late
        ("d", View.TYPE): "Cart",
        ("e", View.TYPE): "Item",
        ("c", View.THEME): "Hats",
        ("e", View.THEME): "Hats",
    }
    return _cascade(Fixed(Rung.RULES, first), Fixed(Rung.EMBEDDING, second))


def _cascade(*rungs: Fixed) -> Cascade:
    return Cascade(rungs[:1], rungs[1:], OverrideClassifier((), TOY))


class TestEvaluation:
    def test_types(self, toy: LabelledSet, cascade: Cascade) -> None:
        types = evaluate(toy, cascade)[View.TYPE]

        assert summary(types) == {
            "pages": "5",
            "coverage": "80.0 %",
            "precision on decided": "75.0 % (30 to 95)",
            "accuracy": "60.0 % (23 to 88)",
        }

    def test_types_by_class_and_rung(self, toy: LabelledSet, cascade: Cascade) -> None:
        types = evaluate(toy, cascade)[View.TYPE]

        # F1 of Cart: precision 1/2, recall 1; of Item: precision 1, recall 2/3; List is never said
        assert by_class(types).loc["Item"].tolist() == pytest.approx([3, 1, 1, 4 / 5])
        assert by_class(types).loc["Cart"].tolist() == pytest.approx([1, 1, 1 / 2, 2 / 3])
        assert by_class(types).loc["List"].tolist() == pytest.approx([1, 0, float("nan"), 0], nan_ok=True)
        assert by_rung(types).loc["rules"].tolist() == pytest.approx([2, 1 / 2])
        assert by_rung(types).loc["embedding"].tolist() == pytest.approx([2, 1])

    def test_themes_are_of_pages_that_have_one(self, toy: LabelledSet, cascade: Cascade) -> None:
        themes = evaluate(toy, cascade)[View.THEME]

        # a right, b without a theme as a cart, c wrong
        assert themes["said"].tolist() == ["Hats", NO_THEME, "Hats"]
        assert (themes["said"] == themes["gold"]).sum() == 1

    def test_a_model_is_asked_only_for_what_is_left(self, toy: LabelledSet, cascade: Cascade) -> None:
        evaluate(toy, cascade)
        model = cascade.judging[0]

        assert isinstance(model, Fixed)
        assert model.asked == ["type:c", "type:d", "type:e", "theme:c", "theme:e"]

    def test_classes_up_to_each_rung(self, toy: LabelledSet, cascade: Cascade) -> None:
        up_to_rung = up_to_each_rung(evaluate(toy, cascade)[View.TYPE])

        assert list(up_to_rung) == [Rung.RULES, Rung.EMBEDDING]
        # rules: of three items a is right, b a cart, e open
        assert up_to_rung[Rung.RULES].loc["Item"].tolist() == pytest.approx([3, 2 / 3, 1, 1 / 2])
        assert up_to_rung[Rung.EMBEDDING].loc["Item"].tolist() == pytest.approx([3, 1, 1, 4 / 5])

    def test_a_cascade_without_rungs_decides_nothing(self, toy: LabelledSet) -> None:
        text = report(toy, evaluate(toy, _cascade()))

        assert "| type | 5 | 0.0 % | - | 0.0 % (0 to 43) |" in text

    def test_the_report_shows_every_figure(self, toy: LabelledSet, cascade: Cascade) -> None:
        text = report(toy, evaluate(toy, cascade))

        assert "### toy: 5 pages" in text
        assert "| type | 5 | 80.0 % | 75.0 % (30 to 95) | 60.0 % (23 to 88) |" in text
        assert "| type | n | up to rules | up to embedding |" in text
        assert "| Item | 3 | 67 · 100 · 50 | 100 · 100 · 80 |" in text
        assert "| rules | 2 | 50.0 % |" in text


@pytest.mark.parametrize("name", [name for name in speed.RUNGS if name != "sentence embedding"])
def test_the_speed_of_a_rung_is_measured(name: str) -> None:
    found = speed.speed_of(name, most=3)

    assert (found["rung"], found["pages"]) == (name, "3")
    assert f"| {name} | 3 |" in speed.report([found])


def test_markup_of_a_shop_system_is_read_as_a_fetched_page(toy: LabelledSet) -> None:
    urls = ("https://s.example/tea/kyusu", "https://s.example/tea")
    shop = replace(
        toy, pages=replace(toy.pages, urls=urls, titles=("Kyusu", "")), types=("Product", "Category")
    )

    found = {system: with_markup(shop, system).pages.documents for system in SYSTEMS}

    assert [documents[0].og_type for documents in found.values()] == ["product", "article", "product"]
    prestashop = found["PrestaShop, theme Classic"]
    assert prestashop[0].json_ld_types[:2] == ("WebPage", "Product")
    assert prestashop[0].breadcrumbs == ("Home", "Tea", "Kyusu")
    assert "ItemList" in prestashop[1].json_ld_types


def test_a_site_is_measured_with_and_without_structure(tmp_path: Path) -> None:
    items = [f"https://s.example/shop/{name}" for name in ("heron", "merlin", "kestrel", "osprey")]
    urls = ("https://s.example/cart", "https://s.example/shop/", *items, "https://s.example/other")
    pages = LabelPages(urls, ("",) * 7, ("/cart", *["/:slug"] * 6), *np.ones((2, 7), dtype=np.int64))
    gold = ("Cart & checkout", "Category", *["Product"] * 3, "Blog", "Blog")
    site = LabelledSet("toy", default_taxonomy(), pages, (UNKNOWN,) * 7, gold)

    row = site_row(site, tmp_path)

    # rules: the cart and the shop's start page; structure: three items of four, and one article
    assert (row["coverage without structure"], row["with"]) == ("28.6 %", "85.7 %")
    assert row["precision"].startswith("83.3 %")
    assert row["right by structure"] == "3 of 4"
    # by address nothing is lumped but the six; 3 of these are products
    assert row["split"] == "57.1 %"
