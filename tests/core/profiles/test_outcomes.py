"""What can be the outcome and who did it, on the eight users of the toy."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.errors import SettingsError
from core.base.schema import Group
from core.base.settings import AnalyzeSettings, OutcomeCount
from core.profiles.counts import count
from core.profiles.data import ProfileData
from core.profiles.metrics import profile
from core.profiles.outcomes import OutcomeIndex, OutcomeRecord, any_of, label_of, path_of
from core.profiles.rows import make_rows
from tests.core.profiles.toy import CART, LABELS, SALE, many, outcomes, tables, toy, toy_tables

INDEX = toy().outcomes
TEMPLATES = ("shop.example/", "shop.example/:slug", "shop.example/:slug", "shop.example/cart")


def index(*rows: tuple[int, str, int, int, float | None], first: tuple[int, ...] = ()) -> OutcomeIndex:
    _, pages, _, sequences = toy_tables()
    made = outcomes(list(rows))
    return OutcomeIndex.from_tables(made.assign(first_ts=list(first)) if first else made, pages, sequences)


def test_an_event_by_eye() -> None:
    assert list(INDEX) == ["add_to_cart", "purchase"]
    bought = INDEX["purchase"]
    assert (bought.user.tolist(), bought.sessions.tolist()) == ([0, 3], [1, 1])
    np.testing.assert_array_equal(bought.revenue, [30, np.nan])


@pytest.mark.parametrize("outcome", ["page:/cart", "page:shop.example/cart"])
def test_a_page_by_path_or_whole_address(outcome: str) -> None:
    saw = INDEX[outcome]
    assert saw.user.tolist() == [0, 1, 7]
    assert saw.sessions.tolist() == [1, 1, 1]
    minute = 60_000_000
    assert saw.first_ts.tolist() == [1443 * minute, minute, 3 * minute]
    assert np.isnan(saw.revenue).all()


def test_a_template_is_any_of_its_pages() -> None:
    labelled = replace(INDEX, templates=TEMPLATES)
    assert labelled["template:/:slug"].user.tolist() == [0, 1, 2, 3, 4, 6, 7]
    assert labelled["template:/:slug"].sessions.tolist() == [2, 1, 1, 1, 2, 1, 1]
    assert labelled["template:/cart"].user.tolist() == INDEX["page:/cart"].user.tolist()


def test_a_page_that_was_left_out_is_an_event_of_the_data() -> None:
    """Its views are gone, so the model cannot have seen it."""
    name = "page:https://shop.example/thanks"
    found = index((0, name, 2, 1, None))
    assert found[name].user.tolist() == [0]
    assert found.pages_of(name) == ()
    assert label_of([name]) == "a view of /thanks"


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("purchse", "'purchse' is not an event.*Allowed: purchase"),
        ("page:/card", "'page:/card' is not a page.*Allowed: page:/cart"),
        ("page:", "is not a page"),
        ("", "'' is not an event"),
        ("template:/:slug", "no labels, so no templates.*name a page"),
    ],
)
def test_what_is_not_there_is_refused_with_the_nearest_that_are(outcome: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        INDEX.chosen(AnalyzeSettings(outcome=outcome))
    with pytest.raises(KeyError):
        INDEX[outcome]


def test_three_at_most_are_offered() -> None:
    with pytest.raises(SettingsError) as refused:
        replace(INDEX, templates=TEMPLATES).chosen(AnalyzeSettings(outcome="template:/products/:slug"))
    assert refused.value.allowed.count("template:") == 3


def test_offered_are_events_then_templates_of_several_pages_then_pages_most_users_first() -> None:
    """User 5 saw the home page alone; a template of one page is that page."""
    labelled = replace(INDEX, templates=TEMPLATES)
    every = "template:shop.example/:slug"
    assert list(labelled.offered(2).items()) == [
        ("add_to_cart", 2), ("purchase", 2), (every, 7),
        ("page:shop.example/", 4), ("page:shop.example/sale", 4),
    ]  # fmt: skip
    assert list(labelled.offered(1)) == ["add_to_cart", every, "page:shop.example/"]
    assert list(INDEX.offered(1)) == ["add_to_cart", "page:shop.example/"]


@pytest.mark.parametrize(
    ("events", "usual"),
    [
        (("back", "purchase", "sign_up"), ("purchase",)),
        (("back", "sign_up", "generate_lead"), ("generate_lead",)),
        (("back", "scroll"), ()),  # nobody knows whether these are wanted
        ((), ()),
    ],
)
def test_nothing_chosen_is_a_known_conversion_or_none(
    events: tuple[str, ...], usual: tuple[str, ...]
) -> None:
    made = replace(INDEX, events=dict.fromkeys(events, INDEX["purchase"]))
    assert made.chosen(AnalyzeSettings()) == usual
    assert made.chosen(AnalyzeSettings(outcome=())) == ()


def test_what_few_did_once_and_not_as_they_came_in_may_be_the_outcome() -> None:
    users, pages, sequences = tables([[[SALE, CART]]] * 100, [Group.SEGMENT] * 100, 4)
    kinds = [  # users, sessions of each, when
        ("apply", 21, 1, 5), ("welcome", 21, 1, 0), ("click", 21, 2, 5), ("rare", 19, 1, 5),
        ("scroll", 26, 1, 5),
    ]  # fmt: skip
    rows: list[tuple[int, str, int, int, float | None]]
    rows = [(user, name, n, n, None) for name, most, n, _ in kinds for user in range(most)]
    first = [ts for _, most, _, ts in kinds for _ in range(most)]
    data = ProfileData.from_tables(users, pages, outcomes(rows).assign(first_ts=first), sequences)
    made, labels = data.outcomes, np.zeros(100, dtype=np.int32)
    assert made.likely == {"apply": 21}
    assert made.unset == "The outcome is not set: apply (21% of users) may be it"
    said = [profile(data, labels, AnalyzeSettings(outcome=outcome)).notes for outcome in (None, ())]
    assert said == [(f"{made.unset}. Choose it: --outcome apply",), ()]
    assert replace(made, events={**made.events, "sign_up": made["apply"]}).unset == ""


def test_any_of_several_is_everybody_who_did_one() -> None:
    both = any_of([INDEX["purchase"], INDEX["add_to_cart"]])
    assert both.user.tolist() == [0, 1, 3]
    assert np.isnan(both.sessions).all()  # one session may hold both
    apart = any_of([INDEX["purchase"], INDEX["add_to_cart"].only(np.array([False, True]))])
    assert apart.sessions.tolist() == [1, 1, 1]
    np.testing.assert_array_equal(both.revenue, [30, np.nan, np.nan])


def test_the_first_of_several_counts_each_user_once() -> None:
    found = index(
        (0, "sign_up", 1, 1, None), (0, "purchase", 3, 2, 50.0), (1, "purchase", 1, 1, 20.0),
        (1, "sign_up", 1, 1, None), (2, "sign_up", 1, 1, None), (2, "purchase", 1, 1, 7.0),
        first=(1, 2, 5, 9, 4, 4),
    )  # fmt: skip
    settings = AnalyzeSettings(outcome=("purchase", "sign_up"), outcome_counts=OutcomeCount.FIRST)
    parts = found.parts(settings)
    assert parts["purchase"].user.tolist() == [1, 2]  # at the same moment, the one that was chosen first
    assert parts["sign_up"].user.tolist() == [0]
    assert np.nansum(any_of(list(parts.values())).revenue) == 27


@given(st.integers(0, 500))
def test_first_and_any_agree_on_who_converted(seed: int) -> None:
    random = np.random.default_rng(seed)
    names = ["a", "b", "c"]
    drawn = [(u, n) for u in range(8) for n in names if random.random() < 0.4] or [(0, "a")]
    found = index(
        *((u, n, 1, 1, 1.0) for u, n in drawn), first=tuple(random.integers(0, 4, len(drawn)).tolist())
    )
    chosen = tuple(dict.fromkeys(n for _, n in drawn))
    first, each = (
        found.parts(AnalyzeSettings(outcome=chosen, outcome_counts=count)) for count in reversed(OutcomeCount)
    )
    assert any_of(list(first.values())).user.tolist() == any_of(list(each.values())).user.tolist()
    assert sum(len(part.user) for part in first.values()) == len({u for u, _ in drawn})
    assert set(any_of(list(each.values())).user.tolist()) == {u for u, _ in drawn}


@given(st.integers(0, 500))
def test_who_saw_a_page_is_that_of_pandas(seed: int) -> None:
    data, _, views = many(seed)
    saw = data.outcomes["page:/cart"]
    assert saw.user.tolist() == sorted(views.loc[views["page"] == CART, "user"].unique())
    seen = data.outcomes.sequences
    sessions = pd.DataFrame({"user": seen.user, "page": seen.page, "session": seen.session})
    expected = sessions[sessions["page"] == CART].groupby("user")["session"].nunique()
    assert saw.sessions.tolist() == expected.tolist()


def notes(found: OutcomeIndex, *chosen: str) -> str:
    data, had = replace(toy(), outcomes=found), any_of([found[outcome] for outcome in chosen])
    counts = count(data, make_rows(data, LABELS), {"": had}).outcomes[""]
    return " ".join(found.notes(chosen, data.n_users, *counts.for_notes))


def test_what_to_know_before_reading_an_outcome() -> None:
    assert notes(INDEX, "purchase") == notes(INDEX, "page:/cart") == ""
    nobody = index((8, "purchase", 1, 1, 5.0))
    assert "Nobody with a page view has purchase, only 1 user without one" in notes(nobody, "purchase")
    filtered = index((1, "visit", 1, 1, None)).part_of(INDEX)  # those with a purchase are left out
    assert notes(filtered, "purchase") == "Nobody with a page view has purchase. Choose another outcome"
    everybody = index(*((user, "visit", 1, 1, None) for user in range(8)))
    assert "All 8 users have visit" in notes(everybody, "visit")
    assert "4 of the 4 users with a view of / came in on it" in notes(INDEX, "page:/")


def test_a_page_that_is_the_outcome_gives_nothing_else_away() -> None:
    """Thirty users go from the cart to the thanks page, thirty only look."""
    visits = [[[0, CART, 4]]] * 30 + [[[0]]] * 30
    users, pages, sequences = tables(visits, [Group.SEGMENT] * 60, 5)
    found = OutcomeIndex.from_tables(outcomes([]), pages, sequences)
    assert len(users) == 60
    assert found.leaks(["page:/cart"]) == ("shop.example/p/4",)
    assert found.leaks(["page:/cart", "page:/p/4"]) == ()
    assert found.leaks([]) == ()


def test_a_model_that_reads_the_thanks_page_knows_who_bought() -> None:
    """Thirty users go by the cart and the thanks page and buy, thirty look; of both some fill in a form."""
    visits = [[[0, CART, 4]]] * 30 + [[[0]]] * 30
    _, pages, sequences = tables(visits, [Group.SEGMENT] * 60, 5)
    bought = [(user, "purchase", 1, 1, None) for user in range(30)]
    filled = [(user, "generate_lead", 1, 1, None) for user in range(25, 35)]
    found = OutcomeIndex.from_tables(outcomes([*bought, *filled]), pages, sequences)
    assert found.leaks(["purchase"]) == ("shop.example/cart", "shop.example/p/4")
    assert found.is_read(["purchase"]) and found.is_read(["purchase", "generate_lead"])
    assert not found.is_read(["generate_lead"]) and not found.is_read(["no outcome"])
    assert found.is_read(["page:/cart"])


def test_paths() -> None:
    assert path_of("https://shop.example/a?b=1") == "/a?b=1"
    assert path_of("https://shop.example") == path_of("shop.example/") == "/"
    assert path_of("/a") == "/a"


def test_happened_of_nobody() -> None:
    empty = np.zeros(0, np.int64)
    assert OutcomeRecord(empty, empty.astype(float), empty, {}).revenue.tolist() == []


def test_a_template_of_many_pages_is_found_at_once() -> None:
    """Each page was added to a copy of all before it: 100,000 pages took half a minute."""
    n = 100_000
    pages = tuple(f"https://shop.example/p/{page}" for page in range(n))
    made = replace(INDEX, pages=pages, templates=("/p/:slug",) * n)
    began = time.process_time()
    assert made.pages_of("template:/p/:slug") == tuple(range(n))
    assert time.process_time() - began < 5


def test_money_of_one_currency_alone() -> None:
    paid = {"GBP": np.array([30.0, np.nan]), "EUR": np.array([np.nan, 20.0])}
    conversions = OutcomeRecord(np.array([0, 3]), np.ones(2), np.zeros(2, dtype=np.int64), paid)
    np.testing.assert_array_equal(conversions.paid_in("EUR").revenue, [np.nan, 20.0])
