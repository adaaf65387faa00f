"""The funnel to begin with: the way of those with the outcome."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from core.data.sequences import UserSequences
from core.journeys.funnel import Funnel
from core.journeys.funnel_start import usual_way
from core.journeys.patterns import FunnelSite
from core.journeys.places import Level
from core.profiles.outcomes import Happened

PAGES = ("/home", "/shoes", "/cart", "/thanks", "/blog")
TYPES = ("Home", "Product", "Cart", "Done", "Unknown")
WAYS = (
    [0, 1, 4, 2, 3],  # two who buy, by the same way …
    [0, 4, 1, 2, 3],
    [4, 4, 4],  # … and three who read
    [4, 0, 4],
    [4, 1],
)
SEQUENCES = UserSequences(
    user_id=pa.array([f"u{user}" for user in range(len(WAYS))]),
    offsets=np.concatenate([[0], np.cumsum([len(way) for way in WAYS])]),
    page=np.array([page for way in WAYS for page in way], dtype=np.int32),
    timestamp=np.array([second for way in WAYS for second in range(len(way))]),
    session=np.zeros(sum(map(len, WAYS)), dtype=np.int32),
)
BOUGHT = Happened(np.array([0, 1, 9]), np.ones(3), np.array([3, 3, 0]), {})  # 9 has no page view


def said(funnel: Funnel) -> list[tuple[str, str]]:
    return [(step.kind, step.title) for step in funnel.steps]


def test_it_goes_from_the_entry_by_what_most_see_to_the_outcome() -> None:
    site = FunnelSite({Level.PAGE: PAGES, Level.TYPE: TYPES}, ("purchase",))
    assert said(usual_way(site, SEQUENCES, "purchase", BOUGHT)) == [
        ("type", "Home"), ("type", "Product"), ("type", "Cart"), ("event", "purchase"),
    ]  # fmt: skip


def test_without_types_it_is_made_of_pages_and_an_outcome_may_be_one() -> None:
    found = usual_way(FunnelSite({Level.PAGE: PAGES}), SEQUENCES, "page:https://shop.example/cart", BOUGHT)
    assert said(found)[0] == ("page", "/home")
    assert said(found)[-1] == ("page", "/cart")


def test_without_an_outcome_it_is_the_way_of_everybody() -> None:
    assert said(usual_way(FunnelSite({Level.PAGE: PAGES}), SEQUENCES, None, None)) == [
        ("page", "/blog"), ("page", "/home"), ("page", "/shoes"),
    ]  # fmt: skip


def test_an_outcome_that_nobody_with_a_page_view_has_leaves_a_funnel_all_the_same() -> None:
    nobody = BOUGHT.only(BOUGHT.user == 9)
    assert said(usual_way(FunnelSite({Level.PAGE: PAGES}, ("x",)), SEQUENCES, "x", nobody))[-1] == (
        "event",
        "x",
    )


def test_one_page_alone_is_a_funnel_of_one_step() -> None:
    one = UserSequences(
        pa.array(["u"]), np.array([0, 1]), np.zeros(1, dtype=np.int32), np.zeros(1, dtype=np.int64),
        np.zeros(1, dtype=np.int32),
    )  # fmt: skip
    assert said(usual_way(FunnelSite({Level.PAGE: ("/home",)}), one, None, None)) == [("page", "/home")]


def test_an_event_whose_times_are_not_known_is_no_step() -> None:
    assert "event" not in dict(
        said(usual_way(FunnelSite({Level.PAGE: PAGES}), SEQUENCES, "purchase", BOUGHT))
    )
