"""Names without a model."""

from dataclasses import replace

import numpy as np
import pytest

from core.facts import naming
from core.facts.answer import Unit
from core.facts.evidence import Evidence
from core.facts.fact_maker import Figures
from core.facts.items import Dimension
from tests.core.facts.shop import shop, shop_figures
from tests.core.facts.toy import context, figures


def test_names_say_what_sets_segments_apart() -> None:
    names = naming.names(shop_figures())
    apart = {segment: name.casefold() for segment, name in names.items()}
    assert "checkout" in " ".join(apart.values())
    assert "blog" in " ".join(apart.values())


def test_names_differ_and_are_short() -> None:
    names = naming.names(shop_figures())
    assert set(names) == set(range(6))
    assert len({name.casefold() for name in names.values()}) == 6
    assert all(1 <= len(name.split()) <= naming.LONGEST for name in names.values())


def test_the_same_segments_get_the_same_names() -> None:
    assert naming.names(shop_figures()) == naming.names(shop_figures())


def test_a_suggestion_is_never_the_name_of_another_segment() -> None:
    free = naming.names(Figures(replace(shop().context, names={})))
    given = {5: free[0].upper()}  # as after a move of the slider, when segment 6 keeps the name it had
    names = naming.names(Figures(replace(shop().context, names=given)))
    assert names[0].casefold() != free[0].casefold()
    assert len({name.casefold() for name in names.values()}) == 6


def test_a_segment_may_be_offered_the_name_it_has() -> None:
    free = naming.names(Figures(replace(shop().context, names={})))
    assert naming.names(Figures(replace(shop().context, names=free))) == free


def test_pages_name_a_segment_where_there_are_no_labels() -> None:
    made = shop().context
    basis = replace(made.tables.basis, labels=None)
    bare = replace(made, tables=replace(made.tables, basis=basis))
    names = naming.names(Figures(bare))
    assert len(set(names.values())) == 6
    assert any("Cart" in name or "Address" in name for name in names.values())


def test_segments_that_nothing_sets_apart_are_typical_then_called_by_number() -> None:
    made = context()
    heatmap = made.tables.profiles.heatmap.assign(z=0.0)
    top = made.tables.profiles.top_pages
    profiles = replace(made.tables.profiles, heatmap=heatmap, top_pages=top[top["ranking"] == "most_viewed"])
    alike = replace(made, tables=replace(made.tables, profiles=profiles))
    assert naming.names(Figures(alike)) == {0: "Typical visitors", 1: "Segment 2"}


def test_a_habit_names_a_segment_that_shares_its_pages() -> None:
    made = figures().context
    heatmap = made.tables.profiles.heatmap.copy()
    is_rate = (heatmap["metric"] == "outcome_rate").to_numpy()
    heatmap["z"] = np.where(is_rate & (heatmap["key"] == "segment:0"), 1.0, 0.0)
    profiles = replace(made.tables.profiles, heatmap=heatmap)
    names = naming.names(Figures(replace(made, tables=replace(made.tables, profiles=profiles))))
    assert names[0] == "Converting visitors"


@pytest.mark.parametrize(
    ("addresses", "said"),
    [
        (["/"], ["Home page"]),
        (["/shop/sleeping-bags"], ["Sleeping bags"]),
        (["/blouses/c17"], []),
        (["/blouses/c17", "/blouses/c5", "/sale/p1"], ["Blouses"]),
        (["/a1", "/p/12345"], []),
        (["/c17", "/c5"], []),
    ],
)
def test_a_code_names_no_segment_but_a_folder_of_two_does(addresses: list[str], said: list[str]) -> None:
    assert naming._pages(addresses) == said


def test_a_small_share_or_a_small_lift_names_no_segment(monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = Evidence(shop_figures(), "segment:4", fewest=1)
    said = {fact.item: fact.text for fact in evidence.lifts_of(Dimension.TYPE) if fact.unit is Unit.SHARE}
    assert said == {"Service": "31.1%", "Account": "12.3%"}
    monkeypatch.setattr(naming, "SHARE", 0.2)
    assert naming._material(evidence, Dimension.TYPE) == ["Service"]
    monkeypatch.setattr(naming, "LIFT", 11)  # Service has 10×
    assert naming._material(evidence, Dimension.TYPE) == []
