"""Routes: small walks by hand, and random ones against a loop."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import groupby

import numpy as np
import pytest
from scipy.stats import binomtest

from core.journeys.flow import ROUTE, SESSION_SHARE, RouteOrder, Routes
from core.journeys.moves import SESSIONS, SESSIONS_N, Places
from core.profiles.differences import Diff
from core.profiles.profile_columns import Col
from core.storage.sequences import UserSequences
from tests.core.journeys.toy import had, pages_of, random_walks, walks
from tests.random_cases import cases

A, B, C = 0, 1, 2
NOBODY = np.zeros(3, dtype=bool)


def test_a_repeated_page_is_part_of_the_route_and_how_often_is_not() -> None:
    sequences = walks([[[A, B, B]], [[A, B, B, B, B]], [[A, B]]])
    routes = Routes.of(sequences, pages_of(sequences), 3)
    found = routes.listed(~NOBODY, NOBODY, None, 9)
    assert found[ROUTE].tolist() == ["A → B ×2+", "A → B"]
    assert found[SESSIONS].tolist() == [2, 1]


def test_the_routes_of_most_users_lead_and_of_equally_many_those_of_most_sessions() -> None:
    sequences = walks([[[A], [A], [A]], [[B], [C], [C]], [[B]]])
    found = Routes.of(sequences, pages_of(sequences), 3).listed(~NOBODY, NOBODY, None, 2)
    assert found[ROUTE].tolist() == ["B", "A"]


def test_sessions_that_go_on_are_one_route_and_no_other() -> None:
    sequences = walks([[[A, B, C]], [[A, B, A, C]], [[A, B]]])
    found = Routes.of(sequences, pages_of(sequences), 2).listed(~NOBODY, NOBODY, None, 9)
    assert dict(zip(found[ROUTE], found[SESSIONS], strict=True)) == {"A → B → …": 2, "A → B": 1}


def test_users_and_their_outcome_are_counted_once_beside_the_others() -> None:
    sequences = walks([[[A], [A], [B]], [[A]], [[B]]])
    routes = Routes.of(sequences, pages_of(sequences), 4)
    first = routes.listed(np.array([1, 1, 0]) > 0, np.array([0, 0, 1]) > 0, had({0: 5}), 9).iloc[0]
    assert first[ROUTE] == "A"
    assert (first[SESSIONS], first[SESSIONS_N], first[SESSION_SHARE]) == (3, 4, 0.75)
    assert (first[Col.USERS], first[Col.N], first[Col.SHARE]) == (2, 2, 1.0)
    assert (first[Col.REST_USERS], first[Col.REST_N], first[Col.DIFFERENCE]) == (0, 1, 1.0)
    assert (first[Col.OUTCOME_USERS], first[Col.OUTCOME_RATE]) == (1, 0.5)


def test_what_sets_apart_leads_and_what_does_not_differ_is_left_out() -> None:
    sequences = walks([[[A], [B]]] * 40 + [[[A], [C]]] * 40)
    here = np.arange(80) < 40
    routes = Routes.of(sequences, pages_of(sequences), 4)
    most = routes.listed(here, ~here, None, 9)
    apart = routes.listed(here, ~here, None, 9, RouteOrder.APART)
    assert most[ROUTE].tolist() == ["A", "B"]
    assert most[Diff.DIFFERS].tolist() == [False, True]
    assert apart[[ROUTE, Col.SHARE, Col.REST_SHARE]].to_numpy().tolist() == [["B", 1, 0], ["C", 0, 1]]


def test_a_session_of_two_thousand_views_is_a_route_like_any_other() -> None:
    sequences = walks([[[A, B] * 1_000], [[A]]])
    found = Routes.of(sequences, pages_of(sequences), 3).listed(~NOBODY[:2], NOBODY[:2], None, 9)
    assert sorted(found[ROUTE]) == ["A", "A → B → A → …"]


def test_nobody_takes_no_route_and_one_user_is_a_row() -> None:
    sequences = walks([[[A, B]], [[A]], [[C]]])
    routes = Routes.of(sequences, pages_of(sequences), 3)
    assert len(routes.listed(NOBODY, ~NOBODY, had({}), 9)) == 0
    one = routes.listed(np.array([True, False, False]), NOBODY, had({}), 9).iloc[0]
    assert (one[Col.USERS], one[Col.SHARE], one[Col.OUTCOME_RATE]) == (1, 1.0, 0.0)
    assert np.isnan(one[Col.REST_SHARE])
    assert not one[Diff.DIFFERS]


def by_hand(
    sequences: UserSequences, places: Places, users: np.ndarray, most: int
) -> tuple[dict[str, int], dict[str, set[int]]]:
    """Sessions and users of each route, one page view after the other."""
    sessions: Counter[str] = Counter()
    takers: defaultdict[str, set[int]] = defaultdict(set)
    for user in np.flatnonzero(users).tolist():
        own = slice(sequences.offsets[user], sequences.offsets[user + 1])
        views = zip(sequences.session[own].tolist(), sequences.page[own].tolist(), strict=True)
        for _, session in groupby(views, key=lambda view: view[0]):
            names = [places.names[places.of_page[page]] for _, page in session]
            stops = [name + (" ×2+" if len(list(again)) > 1 else "") for name, again in groupby(names)]
            said = " → ".join(stops[:most] + (["…"] if len(stops) > most else []))
            sessions[said] += 1
            takers[said].add(user)
    return sessions, takers


@pytest.mark.parametrize("case", cases(250))
def test_random_walks_are_counted_as_by_a_loop(case: int) -> None:
    random = np.random.default_rng(case)
    sequences = random_walks(random)
    places, most = pages_of(sequences), int(random.integers(1, 6))
    who = random.integers(0, 3, sequences.n_users)
    bought = {user: 1.0 for user in range(sequences.n_users) if random.random() < 0.5}
    found = Routes.of(sequences, places, most).listed(who == 0, who == 1, had(bought), 10**6)
    sessions, takers = by_hand(sequences, places, who == 0, most)
    _, others = by_hand(sequences, places, who == 1, most)
    assert dict(zip(found[ROUTE], found[SESSIONS], strict=True)) == sessions
    for row in found.to_dict("records"):
        here, n = takers[row[ROUTE]], int((who == 0).sum())
        converted = len(here & bought.keys())
        assert (row[Col.USERS], row[Col.N], row[SESSIONS_N]) == (len(here), n, sum(sessions.values()))
        assert row[Col.REST_USERS] == len(others.get(row[ROUTE], ()))
        assert row[Col.OUTCOME_USERS] == converted
        ends = binomtest(converted, len(here)).proportion_ci(method="wilson")
        assert (row[Col.OUTCOME_LOW], row[Col.OUTCOME_HIGH]) == pytest.approx((ends.low, ends.high))
        ends = binomtest(len(here), n).proportion_ci(method="wilson")
        assert (row["low"], row["high"]) == pytest.approx((ends.low, ends.high))
