"""Pages that give an outcome away, on toy visits that can be counted by eye."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.data.leaks import leaking_pages

HOME, CART, THANKS = range(3)
SECOND = 1_000_000
Visit = list[tuple[int, float]]  # page and second

BUYS: Visit = [(HOME, 0), (CART, 60), (THANKS, 118), (HOME, 300)]  # the event is sent at 120
LOOKS: Visit = [(HOME, 0)]
ABANDONS: Visit = [(HOME, 0), (CART, 60)]
ARRIVES: Visit = [(THANKS, 0)]  # by the link of an e-mail, say


def leaks(*visits: tuple[Visit, int], bought_at: float = 120) -> list[int]:
    """Leaking pages of so many users with each visit; those with the first one have bought."""
    each = [visit for visit, times in visits for _ in range(times)]
    views = [(user, page, second) for user, visit in enumerate(each) for page, second in visit]
    user, page, second = (np.array(column) for column in zip(*views, strict=True))
    bought = np.arange(visits[0][1])
    first = np.full(len(bought), bought_at * SECOND, dtype=np.int64)
    return leaking_pages(user, page, (second * SECOND).astype(np.int64), 3, bought, first).tolist()


def test_a_page_of_buyers_alone() -> None:
    assert leaks((BUYS, 20), (ABANDONS, 40), (LOOKS, 200)) == [THANKS]


def test_a_confirmation_that_as_many_others_see() -> None:
    """Precision 49 %: 50 buyers and 52 others see it, of 1,000 users."""
    assert leaks((BUYS, 50), (ARRIVES, 52), (ABANDONS, 60), (LOOKS, 838)) == [THANKS]


def test_the_way_to_the_outcome_is_no_leak() -> None:
    """Every buyer sees the cart, and a third of its visitors buy, but before they buy."""
    assert CART not in leaks((BUYS, 30), (ABANDONS, 60), (LOOKS, 900))


def test_what_everybody_sees_is_no_leak_even_if_it_is_seen_late() -> None:
    late: Visit = [(CART, 0), (HOME, 130)]
    assert leaks((late, 50), (LOOKS, 500)) == [CART]  # of buyers alone
    assert leaks((late, 50), (ABANDONS, 500)) == []


def test_a_page_that_fewer_than_half_of_the_buyers_see_at_it() -> None:
    assert leaks(([*BUYS[:2], (HOME, 300)], 60), (LOOKS, 100), (ARRIVES, 30)) == [CART]
    assert leaks(([(HOME, 0)], 60), (LOOKS, 100)) == []


def test_just_half_of_the_buyers_seeing_it_once_is_enough() -> None:
    user = np.arange(240)
    page = np.where(user < 20, THANKS, HOME)
    bought, when = np.arange(40), np.zeros(40, np.int64)
    assert leaking_pages(user, page, np.zeros(240, np.int64), 3, bought, when).tolist() == [THANKS]


def test_few_visitors_say_nothing() -> None:
    assert leaks((BUYS, 19), (LOOKS, 200)) == []


def test_nobody_with_the_outcome_has_a_page_view() -> None:
    empty = np.zeros(0, np.int64)
    views = np.zeros(30, np.int64)
    assert leaking_pages(np.arange(30), views, views, 1, empty, empty).tolist() == []
    assert leaking_pages(np.arange(30), views, views, 1, np.array([99]), np.array([0])).tolist() == []


@given(st.integers(0, 10_000))
def test_an_outcome_at_random_is_given_away_by_nothing(seed: int) -> None:
    random = np.random.default_rng(seed)
    user = np.repeat(np.arange(300), 5)
    page = random.integers(0, 8, len(user))
    time = np.tile(np.arange(5), 300) * 60 * SECOND
    bought = np.flatnonzero(random.random(300) < 0.3)
    assert not len(leaking_pages(user, page, time, 8, bought, random.integers(0, 240 * SECOND, len(bought))))
