from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.base.schema import Raw
from core.ingest.observe.page_views import PageViews, number_sessions
from tests.core.ingest.shop import Row, event, sessions_of, shop

MINUTE = 60


def visit(user: str, minute: float, session: str | None, name: str = "page_view") -> Row:
    return {**event(user, minute * MINUTE, name=name), Raw.GA_SESSION_ID: session}


def test_a_session_id_belongs_to_its_user(tmp_path: Path) -> None:
    dataset = shop(tmp_path, visit("u", 0, "7"), visit("v", 1, "7"), visit("u", 90, "7"), visit("u", 99, "8"))
    assert sessions_of(dataset) == {"u": [0, 0, 1], "v": [0]}
    assert dataset.users["sessions"].tolist() == [2, 1]
    assert (dataset.receipt.sessions, dataset.receipt.sessions_by_gap) == (3, 0)


def test_without_ids_inactivity_ends_a_session(tmp_path: Path) -> None:
    rows = [visit("u", minute, None) for minute in (0, 30, 61, 62)] + [visit("v", 0, "(not set)")]
    dataset = shop(tmp_path, *rows)
    assert sessions_of(dataset) == {"u": [0, 0, 1, 1], "v": [0]}
    assert (dataset.receipt.sessions, dataset.receipt.sessions_by_gap) == (3, 3)


def test_the_gap_is_a_setting_and_other_events_bridge_it(tmp_path: Path) -> None:
    rows = [visit("u", 0, None), visit("u", 8, None, "scroll"), visit("u", 15, None), visit("u", 26, None)]
    assert sessions_of(shop(tmp_path, *rows, session_gap_minutes=10)) == {"u": [0, 0, 1]}


def test_ids_and_gaps_side_by_side(tmp_path: Path) -> None:
    rows = [
        visit("u", 0, "1"),
        visit("u", 1, None),
        visit("u", 2, "1"),
        visit("u", 3, None),
        visit("u", 99, None),
    ]
    dataset = shop(tmp_path, *rows)
    assert sessions_of(dataset) == {
        "u": [0, 1, 1, 1, 2]
    }  # a later view of session 0 counts to the latest begun
    assert (dataset.receipt.sessions, dataset.receipt.sessions_by_gap) == (3, 2)


def test_sessions_without_a_page_view_do_not_count(tmp_path: Path) -> None:
    dataset = shop(tmp_path, visit("u", 0, "1"), visit("u", 60, "2", "scroll"), visit("u", 120, "3"))
    assert sessions_of(dataset) == {"u": [0, 1]}
    assert dataset.users["sessions"].tolist() == [2]


VISITS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), min_size=1, max_size=60)


@given(VISITS)
def test_numbers_ascend_without_holes_and_count_the_sessions(visits: list[tuple[int, int]]) -> None:
    visits = sorted(visits, key=lambda visit: visit[0])
    user = np.array([user for user, _ in visits], np.int32)
    session = np.array([user * 100 + session for user, session in visits], np.int64)
    n = len(visits)
    views = PageViews(user, np.zeros(n, np.int32), np.arange(n), session, session % 2 == 0, np.arange(n))
    found = number_sessions(views)
    for one in set(user.tolist()):
        numbers, own = found.number[user == one], session[user == one]
        assert numbers[0] == 0
        assert set(np.diff(numbers).tolist()) <= {0, 1}
        assert numbers[-1] + 1 == len(set(own.tolist()))
    assert found.total == len(set(session.tolist()))
    assert found.by_gap == len(set(session[session % 2 == 0].tolist()))
