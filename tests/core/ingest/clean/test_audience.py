import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ingest.clean.audience import MIN_PUBLIC, PUBLIC, Tail, merged, public_from
from tests.core.ingest.clean.audience import PUBLIC_TAIL, audience

USERS = st.lists(st.integers(0, 63), min_size=1, max_size=9)


@given(st.lists(USERS, min_size=1, max_size=5))
def test_audiences_merge_into_the_audience_of_all(parts: list[list[int]]) -> None:
    whole = audience(*(user for part in parts for user in part))
    assert merged(audience(*part) for part in parts) == whole
    assert whole.users == len({user for part in parts for user in part})
    assert whole.alone == (whole.users == 1)


def test_the_tail_is_that_of_folders_with_shared_pages() -> None:
    public = [audience(1, 2), audience(3, 4), audience(5, 6), *(audience(user) for user in range(10, 19))]
    personal = [audience(user) for user in range(20, 60)]
    assert Tail.of([public, personal]).owned == pytest.approx((9 + 0.75 * 4) / (12 + 4))
    assert Tail.of([[audience(1, 2)], personal]).owned == pytest.approx(0.75)  # nothing known
    assert Tail.of([personal]).owned is None  # nobody shares anything


def test_how_often_a_user_loads_a_public_page_again_is_counted() -> None:
    pages = [audience(user, user + 1, views=4) for user in range(10)]  # every second view is one again
    assert Tail.of([pages]).again == pytest.approx((40 - 20 + 20 * 0.2) / (40 + 20))


def test_many_owners_and_hardly_anything_shared_is_personal() -> None:
    assert PUBLIC_TAIL.differs([audience(user) for user in range(10)])
    assert not PUBLIC_TAIL.differs([audience(user) for user in range(3)])  # may be chance
    assert not PUBLIC_TAIL.differs([audience(user) for user in range(10)] + [audience(1, 2)] * 5)


def test_a_value_seen_again_by_its_one_user_tells_more() -> None:
    once = math.log((8 * 9 * 10) / (9 * 10 * 11)) - math.log((5 * 6 * 7) / (10 * 11 * 12))
    again = 3 * math.log((1 - 0.575) / (1 - 0.15) * 0.575 / 0.15)
    assert PUBLIC_TAIL.log_odds([audience(user) for user in range(3)]) == pytest.approx(once)
    assert PUBLIC_TAIL.log_odds([audience(user, views=2) for user in range(3)]) == pytest.approx(once + again)


def test_two_owners_are_too_few_for_any_odds() -> None:
    assert PUBLIC_TAIL.log_odds([audience(1, views=9), audience(2, views=9)]) == -math.inf


def test_staff_that_sees_those_of_many_does_not_share_them() -> None:
    orders = [*(audience(user) for user in range(6)), *(audience(user, 50) for user in range(6, 12))]
    assert PUBLIC_TAIL.differs(orders)
    assert not PUBLIC_TAIL.differs([*orders[:6], *(audience(user, user + 30) for user in range(6, 12))])


def test_one_crawler_in_an_archive_makes_nothing_personal() -> None:
    archive = [audience(1) for _ in range(3_000)] + [audience(user) for user in range(2, 9)]
    assert not PUBLIC_TAIL.differs([*archive, *(audience(1, user) for user in range(2, 20))])


def test_rare_pages_beside_popular_ones_stay() -> None:
    popular = [audience(*range(30))] * 10
    assert not PUBLIC_TAIL.differs([*(audience(user) for user in range(25)), *popular])


def test_in_an_export_where_nothing_is_shared_nothing_can_be_told() -> None:
    assert not Tail(None).differs([audience(user, views=3) for user in range(60)])


def test_a_text_is_public_from_a_share_of_the_users_on() -> None:
    assert [public_from(users) for users in (5, 1_000, 10**6)] == [MIN_PUBLIC, 5, PUBLIC]
