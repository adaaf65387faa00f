"""The steps of a row are those that the page Journeys counts."""

import pytest

from core.base.schema import View
from core.facts.steps import most_steps, step_view
from core.journeys.step_table import step_table
from core.profiles.profile_columns import Col
from tests.core.facts.shop import shop
from tests.core.facts.toy import context


def test_starts_ends_and_reloads_are_steps_and_all_add_up() -> None:
    table = most_steps(context(), "segment:0", View.URL, 9)
    assert table[["from", "to", "steps", "users"]].to_numpy().tolist() == [
        ["(start)", "/sale", 3, 3], ["/sale", "/sale", 2, 1], ["/sale", "/cart", 2, 2],
        ["/sale", "(end of session)", 2, 2], ["/cart", "(end of session)", 2, 2], ["/", "/sale", 1, 1],
        ["(start)", "/", 1, 1],
    ]  # fmt: skip
    assert set(table[Col.N]) == {13}  # nine page views in four sessions
    assert table[Col.SHARE].sum() == pytest.approx(1)


def test_only_steps_from_place_to_place_are_listed_but_all_are_counted() -> None:
    table = most_steps(context(), "segment:0", View.URL, 9, between=True)
    assert table["to"].tolist() == ["/sale", "/cart", "/sale"]
    assert set(table[Col.N]) == {13}


def test_the_chat_and_the_page_count_the_same() -> None:
    about = shop().context
    view, key = step_view(about), "segment:1"
    moves, here = about.tables.basis.moves(view), about.tables.taken(key, view)
    page = step_table(moves, here).set_index(["from", "to"])
    for code, name in enumerate(moves.places.names[:5]):
        told = most_steps(about, key, view, 5, origin=code)
        for step in told.to_dict("records"):
            row = page.loc[(name, step["to"])]
            assert (step["steps"], step["users"]) == (row["steps"], row["users"])
            assert step["share"] == pytest.approx(row["step_share"])
