"""The funnel to begin with: the way of those with the outcome."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pyarrow as pa

from core.journeys.funnel import MAX_PATTERNS, Funnel
from core.journeys.funnel_start import usual_funnel, usual_way
from core.journeys.moves import Level
from core.journeys.patterns import FunnelSite
from core.profiles.outcomes import OutcomeIndex, OutcomeRecord
from core.storage.sequences import UserSequences

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


def of_ways(ways: list[list[int]]) -> UserSequences:
    return UserSequences(
        pa.array([f"u{user}" for user in range(len(ways))]), np.cumsum([0, *map(len, ways)]),
        np.concatenate(ways).astype(np.int32), np.concatenate([np.arange(len(way)) for way in ways]),
        np.zeros(sum(map(len, ways)), dtype=np.int32),
    )  # fmt: skip


BOUGHT = OutcomeRecord(np.array([0, 1, 9]), np.ones(3), np.array([3, 3, 0]), {})  # 9 has no page view


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


def test_without_an_outcome_it_is_what_most_do_in_order() -> None:
    found = said(usual_way(FunnelSite({Level.PAGE: PAGES}), SEQUENCES, None, None))
    assert found[:2] == [("page", "/home"), ("page", "/blog")]  # three of five, in this order
    assert len(found) == 3  # two of these three go on


def test_a_page_that_is_as_good_as_the_outcome_is_in_no_step_before_it() -> None:
    types = ("Home", "Product", "Cart & checkout", "Cart & checkout", "Unknown")
    site = FunnelSite({Level.PAGE: PAGES, Level.TYPE: types}, ("purchase",))
    away = np.array([False, False, False, True, False])
    assert said(usual_way(site, SEQUENCES, "purchase", BOUGHT))[2] == ("type", "Cart & checkout")
    assert said(usual_way(site, SEQUENCES, "purchase", BOUGHT, away))[2] == ("page", "/cart")
    by_page = said(usual_way(site, SEQUENCES, "page:/thanks", BOUGHT))  # the outcome itself
    assert by_page[2:] == [("page", "/cart"), ("page", "/thanks")]


def test_a_step_of_more_pages_than_it_can_name_leaves_none_out() -> None:
    pages = ("/home", "/thanks", *(f"/item/{number}" for number in range(120)))
    types = ("Home", "Item", *["Item"] * 120)
    sequences = of_ways([[0, 2 + user, 1] for user in range(120)])
    bought = OutcomeRecord(np.arange(120), np.ones(120), np.full(120, 2), {})
    site = FunnelSite({Level.PAGE: pages, Level.TYPE: (*types[:-1], "Rest")}, ("purchase",))
    found = usual_way(site, sequences, "purchase", bought, np.arange(122) == 1).steps
    items = site.marks(found[1])
    assert items.pages.tolist() == [False, False, *[True] * 119, False]
    assert len(found[1].any_of) <= MAX_PATTERNS


def test_a_step_that_no_few_beginnings_tell_is_the_place_as_a_whole() -> None:
    pages = tuple(f"/{number:03d}{letter}" for number in range(120) for letter in "ab")
    types = ("Item", "Other") * 120
    sequences = of_ways([[2 * user, 2 * user + 1] for user in range(120)])
    bought = OutcomeRecord(np.arange(120), np.ones(120), np.full(120, 2), {})
    site = FunnelSite({Level.PAGE: pages, Level.TYPE: ("Rest", *types[1:])}, ("purchase",))
    found = usual_way(site, sequences, "purchase", bought, np.arange(240) == 2)
    assert said(found)[0] == ("type", "Item")


def test_of_several_outcomes_it_goes_to_the_first_past_the_pages_that_give_it_away() -> None:
    index = OutcomeIndex(5, {"purchase": BOUGHT, "sign_up": BOUGHT}, SEQUENCES, PAGES, ())
    site = FunnelSite({Level.PAGE: PAGES}, ("purchase", "sign_up"))
    found = usual_funnel(site, index, ("purchase", "sign_up"))
    assert said(found)[-1] == ("event", "purchase")
    away = np.isin(PAGES, index.leaks(("purchase",)))
    assert found == usual_way(site, SEQUENCES, "purchase", BOUGHT, away)
    assert usual_funnel(site, index, ()) == usual_way(site, SEQUENCES, None, None)


def test_steps_that_half_of_those_with_the_outcome_do_not_take_are_left_out() -> None:
    ways = [[0, 3], [1, 3], [1, 3], [2, 3], [2, 3], [2, 3], [2, 3]]
    sequences = UserSequences(
        pa.array([f"u{user}" for user in range(7)]), np.arange(0, 15, 2),
        np.array(ways, dtype=np.int32).ravel(), np.tile([0, 1], 7), np.zeros(14, dtype=np.int32),
    )  # fmt: skip
    bought = OutcomeRecord(np.arange(7), np.ones(7), np.ones(7, dtype=np.int64), {})
    site = FunnelSite({Level.PAGE: PAGES}, ("purchase",))
    found = usual_way(site, sequences, "purchase", bought, np.arange(5) == 3)
    assert said(found) == [("page", "/cart"), ("event", "purchase")]


def test_the_way_is_the_one_that_a_loop_over_all_orders_finds() -> None:
    random = np.random.default_rng(7)
    for _ in range(60):
        ways = [random.integers(0, 4, random.integers(1, 7)) for _ in range(12)]
        sequences = UserSequences(
            pa.array([f"u{user}" for user in range(12)]), np.concatenate([[0], np.cumsum([*map(len, ways)])]),
            np.concatenate(ways).astype(np.int32), np.concatenate([np.arange(len(way)) for way in ways]),
            np.zeros(sum(map(len, ways)), dtype=np.int32),
        )  # fmt: skip

        def takers(order: tuple[int, ...], ways: list[np.ndarray] = ways) -> int:
            return sum(_is_in(order, way.tolist()) for way in ways)

        best = {n: max(map(takers, permutations(range(4), n))) for n in (2, 3)}
        found = [int(step.any_of[0]) for step in usual_way(NUMBERED, sequences, None, None).steps]
        n = 3 if best[3] >= best[2] / 2 and best[3] else 2
        assert len(found) == n
        assert takers(tuple(found)) == best[n]


NUMBERED = FunnelSite({Level.PAGE: tuple("0123")})


def _is_in(order: tuple[int, ...], way: list[int]) -> bool:
    rest = iter(way)
    return all(place in rest for place in order)


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
