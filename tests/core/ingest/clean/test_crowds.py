import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ingest.clean.crowds import FEWEST_PUBLIC, PUBLIC, Tail, merged, public_from
from tests.core.ingest.clean.crowd import PUBLIC_TAIL, crowd

USERS = st.lists(st.integers(0, 63), min_size=1, max_size=9)


@given(st.lists(USERS, min_size=1, max_size=5))
def test_crowds_merge_into_the_crowd_of_all(parts: list[list[int]]) -> None:
    whole = crowd(*(user for part in parts for user in part))
    assert merged(crowd(*part) for part in parts) == whole
    assert whole.users == len({user for part in parts for user in part})
    assert whole.alone == (whole.users == 1)


def test_the_tail_is_that_of_folders_with_shared_pages() -> None:
    public = [crowd(1, 2), crowd(3, 4), crowd(5, 6), *(crowd(user) for user in range(10, 19))]
    personal = [crowd(user) for user in range(20, 60)]
    assert Tail.of([public, personal]).owned == pytest.approx((9 + 0.9 * 4) / (12 + 4))
    assert Tail.of([[crowd(1, 2)], personal]).owned == pytest.approx(0.9)  # nothing known
    assert Tail.of([personal]).owned is None  # nobody shares anything


def test_many_owners_and_hardly_anything_shared_is_personal() -> None:
    assert PUBLIC_TAIL.differs([crowd(user) for user in range(20)])
    assert not PUBLIC_TAIL.differs([crowd(user) for user in range(10)])  # may be chance
    assert not PUBLIC_TAIL.differs([crowd(user) for user in range(20)] + [crowd(1, 2)] * 10)


def test_a_value_seen_again_by_its_one_user_tells_more() -> None:
    assert PUBLIC_TAIL.differs([crowd(user, views=2) for user in range(6)])
    assert not PUBLIC_TAIL.differs([crowd(user) for user in range(6)])


def test_one_crawler_in_an_archive_makes_nothing_personal() -> None:
    archive = [crowd(1) for _ in range(3_000)] + [crowd(user) for user in range(2, 9)]
    assert not PUBLIC_TAIL.differs([*archive, *(crowd(1, user) for user in range(2, 20))])


def test_rare_pages_beside_popular_ones_stay() -> None:
    popular = [crowd(*range(30))] * 10
    assert not PUBLIC_TAIL.differs([*(crowd(user) for user in range(25)), *popular])


def test_in_an_export_where_nothing_is_shared_nothing_can_be_told() -> None:
    assert not Tail(None).differs([crowd(user, views=3) for user in range(60)])


def test_a_text_is_public_from_a_share_of_the_users_on() -> None:
    assert [public_from(users) for users in (5, 1_000, 10**6)] == [FEWEST_PUBLIC, 5, PUBLIC]
