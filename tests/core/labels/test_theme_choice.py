"""Whether a site's own themes are used, on sites where rules, users or only addresses tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pandas as pd
import pytest

from core.labels.label_settings import LabelClass, LabelSettings, Taxonomy, ThemeSource, default_taxonomy
from core.labels.label_types import Label, Rung
from core.labels.pages import LabelPages
from core.labels.theme_choice import ThemeChoice, choose_themes, merged
from core.storage.dataset import Dataset
from tests.core.labels.test_site_themes import site, walks, within

ROPES = [(f"/ropes-and-boots/{a}", f"Boot {a}") for a in "abcd"] + [
    (f"/stones/{a}", f"Boot {a}") for a in "efgh"
]
"""All are shoes by rule, and users stay in one of two folders."""
UNHEARD_OF = [(f"/{folder}/{a}", None) for folder in ("alpha", "beta", "gamma") for a in "wxyz"]


def chosen(
    pages: LabelPages,
    users: Sequence[Sequence[int]] = (),
    types: Sequence[Label | None] = (),
    **settings: object,
) -> ThemeChoice:
    dataset = cast(Dataset, SimpleNamespace(sequences=walks(*users), pages=pd.DataFrame()))
    return choose_themes(dataset, pages, types or [None] * len(pages), LabelSettings.checked(**settings))


def names(choice: ThemeChoice) -> set[str]:
    return {one.name for one in choice.taxonomy.themes}


def test_where_users_stay_within_the_sites_own_themes_these_are_used() -> None:
    choice = chosen(site(ROPES), within(range(4), range(4, 8)) * 50)
    assert (choice.mined, names(choice)) == (True, {"Ropes and boots", "Stones"})
    assert [one.share for one in choice.own] == [0.5, 0.5]
    assert choice.taxonomy.types == default_taxonomy().types


def test_where_hardly_anybody_moved_the_shop_themes_stay_if_rules_decide_most_views() -> None:
    choice = chosen(site(ROPES), within(range(4), range(4, 8)))
    assert (choice.mined, choice.taxonomy, len(choice.own)) == (False, default_taxonomy(), 2)
    assert chosen(site(UNHEARD_OF)).mined


@pytest.mark.parametrize(("themes", "mined"), [(ThemeSource.MINED, True), (ThemeSource.TAXONOMY, False)])
def test_the_analyst_decides(themes: ThemeSource, mined: bool) -> None:
    choice = chosen(site(UNHEARD_OF), themes=themes)
    assert (choice.mined, len(choice.own)) == (mined, 3)


def test_a_taxonomy_of_the_analysts_own_stays() -> None:
    mine = Taxonomy(themes=default_taxonomy().themes[:2], types=default_taxonomy().types)
    assert chosen(site(UNHEARD_OF), taxonomy=mine).taxonomy == mine


def test_the_shops_categories_are_its_themes_before_rules_and_words() -> None:
    items = {page: {"item_category:Apparel" if page < 3 else "item_category:Gear": 9} for page in range(6)}
    pages = replace(site(UNHEARD_OF), events=items)
    choice = chosen(pages)
    assert (choice.mined, [one.theme.name for one in choice.own]) == (True, ["Apparel", "Gear"])
    assert [one.share for one in choice.own] == [pytest.approx(3 / 12)] * 2
    assert chosen(pages, themes=ThemeSource.TAXONOMY).taxonomy == default_taxonomy()
    few = replace(pages, events={0: items[0], 3: items[3]})
    assert names(chosen(few)) == {"Alpha", "Beta", "Gamma"}, "two of twelve pages are no catalogue"
    alike = replace(pages, events={page: {"item_category:Stuff": 9} for page in range(6)})
    assert names(chosen(alike)) == {"Alpha", "Beta", "Gamma"}, "a single category tells nothing apart"


def test_pages_that_serve_a_function_make_no_theme() -> None:
    types = [Label("Account", Rung.RULES) if path.startswith("/alpha") else None for path, _ in UNHEARD_OF]
    choice = chosen(site(UNHEARD_OF), types=types)
    assert {one.theme.name for one in choice.own} == {"Beta", "Gamma"}
    assert sum(one.share for one in choice.own) == pytest.approx(2 / 3)


def test_a_site_without_pages_keeps_the_taxonomy() -> None:
    assert chosen(site([])) == ThemeChoice(own=(), taxonomy=default_taxonomy(), mined=False)


def test_themes_of_one_name_become_one() -> None:
    first = LabelClass(name="Beds", descriptions=("beds",), folders=("beds",), words=("bed",))
    other = LabelClass(name="Toppers", descriptions=("toppers",), words=("topper",))
    again = LabelClass(name="beds", descriptions=("cots",), folders=("cots", "beds"), words=("cot",))
    assert merged([first, other, again]) == (
        LabelClass(name="Beds", descriptions=("beds",), folders=("beds", "cots"), words=("bed", "cot")), other
    )  # fmt: skip
