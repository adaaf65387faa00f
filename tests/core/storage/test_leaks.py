"""Pages that give an outcome away, on toy visits that can be counted by eye."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from core.storage.leaks import _at_least, leaking_pages

HOME, CART, THANKS = range(3)
PAGES = ("/", "/cart", "/thanks")
SECOND = 1_000_000
Visit = list[tuple[int, float]]  # page and second

BUYS: Visit = [(HOME, 0), (CART, 60), (THANKS, 118), (HOME, 300)]  # the event is sent at 120
LOOKS: Visit = [(HOME, 0)]
ABANDONS: Visit = [(HOME, 0), (CART, 60)]
ARRIVES: Visit = [(THANKS, 0)]  # by the link of an e-mail, say


def leaks(
    *visits: tuple[Visit, int], bought_at: float = 120, buys: int = 1, pages: tuple[str, ...] = PAGES
) -> list[int]:
    """Leaking pages of so many users with each visit; those with the first ``buys`` ones have bought."""
    each = [visit for visit, times in visits for _ in range(times)]
    views = [(user, page, second) for user, visit in enumerate(each) for page, second in visit]
    user, page, second = (np.array(column) for column in zip(*views, strict=True))
    bought = np.arange(sum(times for _, times in visits[:buys]))
    first = np.full(len(bought), bought_at * SECOND, dtype=np.int64)
    return leaking_pages(user, page, (second * SECOND).astype(np.int64), pages, bought, first).tolist()


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
    assert leaking_pages(user, page, np.zeros(240, np.int64), PAGES, bought, when).tolist() == [THANKS]


def test_few_visitors_say_something_where_it_is_at_the_outcome_that_they_come() -> None:
    assert leaks((BUYS, 5), (LOOKS, 200)) == [THANKS]
    assert leaks((BUYS, 1), (LOOKS, 200)) == []
    assert leaks((BUYS, 5), (LOOKS, 200), bought_at=60) == [CART]  # seen at it; the confirmation an age later


def test_a_confirmation_under_several_addresses_is_found_at_each() -> None:
    """One that most buyers see, one in another language, one a kind of order that two buyers saw."""
    pages = (*PAGES, "/fr/merci", "/thanks/{…}/order", "/thanks/{id}/order")
    buys = [([*BUYS[:2], (page, 118)], times) for page, times in ((2, 100), (3, 6), (4, 8), (5, 2))]
    others = (([(4, 0)], 9), ([(5, 0)], 1), (ABANDONS, 300), (LOOKS, 900))
    assert leaks(*buys, *others, buys=4, pages=pages) == [THANKS, 3, 4, 5]


def test_what_the_template_makes_one_place_is_judged_as_one() -> None:
    user, when = np.arange(200), np.zeros(200, np.int64)
    page = np.where(user < 40, 1 + user // 4, 0)  # ten pages of four buyers and five others each
    page[40:90] = 1 + (user[40:90] - 40) // 5
    pages = ["/", *(f"/done/{name}" for name in "abcdefghij")]
    args = (user, page, when, pages, np.arange(40), when[:40])
    assert leaking_pages(*args).tolist() == []
    assert leaking_pages(*args, ["/", *["/done/:slug"] * 10]).tolist() == [*range(1, 11)]


def test_nobody_with_the_outcome_has_a_page_view() -> None:
    empty = np.zeros(0, np.int64)
    views = np.zeros(30, np.int64)
    assert leaking_pages(np.arange(30), views, views, PAGES, empty, empty).tolist() == []
    assert leaking_pages(np.arange(30), views, views, PAGES, np.array([99]), np.array([0])).tolist() == []


@given(st.integers(0, 10_000))
def test_an_outcome_at_random_is_given_away_by_nothing(seed: int) -> None:
    random = np.random.default_rng(seed)
    user, pages = np.repeat(np.arange(300), 5), [f"/{name}" for name in "abcdefgh"]
    page = random.integers(0, 8, len(user))
    time = np.tile(np.arange(5), 300) * 60 * SECOND
    bought = np.flatnonzero(random.random(300) < 0.3)
    assert not len(
        leaking_pages(user, page, time, pages, bought, random.integers(0, 240 * SECOND, len(bought)))
    )


@given(st.integers(1, 50), st.data(), st.floats(0.001, 0.999))
def test_the_chance_of_so_many_at_the_outcome_is_never_put_too_low(
    draws: int, data: st.DataObject, chance: float
) -> None:
    hits = data.draw(st.integers(0, draws))
    [bound] = _at_least(np.array([hits]), np.array([draws]), chance)
    assert binom.sf(hits - 1, draws, chance) <= bound * (1 + 1e-9) <= 1 + 1e-9
    [all_of_them] = _at_least(np.array([draws]), np.array([draws]), chance)
    np.testing.assert_allclose(all_of_them, chance**draws, rtol=1e-9)
