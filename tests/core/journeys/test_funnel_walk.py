"""How far users come in a funnel: by hand, and beside every possible sequence of a brute force."""

from __future__ import annotations

from itertools import combinations, pairwise, takewhile

import numpy as np
import pyarrow as pa
import pytest

from core.journeys.funnel import MAX_STEPS, Funnel
from core.journeys.funnel_table import FunnelWalk, walk
from core.journeys.moves import Level
from core.journeys.patterns import FunnelSite
from core.storage.dataset import TimedEvents
from core.storage.sequences import UserSequences

MINUTE = 60_000_000
PAGES = ("/a", "/b", "/c", "/d")
EVENTS = ("buy", "like")

Happened = tuple[str, int, int]
"""What (a page or an event), at which minute, in which session."""


def made(users: list[list[Happened]]) -> tuple[UserSequences, TimedEvents]:
    """Tables of users who did things in the order given."""
    views = [(user, *one) for user, all_of in enumerate(users) for one in all_of if one[0] in PAGES]
    events = [
        (user, *one, sum(before[0] in PAGES for before in all_of[:place]))
        for user, all_of in enumerate(users)
        for place, one in enumerate(all_of)
        if one[0] in EVENTS
    ]
    lengths = [sum(one[0] in PAGES for one in all_of) for all_of in users]
    sequences = UserSequences(
        user_id=pa.array([f"u{user:03d}" for user in range(len(users))]),
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        page=np.array([PAGES.index(what) for _, what, _, _ in views], dtype=np.int32),
        timestamp=np.array([minute * MINUTE for _, _, minute, _ in views]),
        session=np.array([session for *_, session in views], dtype=np.int32),
    )
    columns = list(zip(*events, strict=True)) or [()] * 5
    timed = TimedEvents(
        user=np.array(columns[0], dtype=np.int32),
        name=np.array([EVENTS.index(what) for what in columns[1]], dtype=np.int32),
        timestamp=np.array(columns[2], dtype=np.int64) * MINUTE,
        session=np.array(columns[3], dtype=np.int32),
        after=np.array(columns[4], dtype=np.int32),
        names=EVENTS,
    )
    return sequences, timed


def followed(funnel: Funnel, users: list[list[Happened]]) -> FunnelWalk:
    sequences, events = made(users)
    site = FunnelSite({Level.PAGE: PAGES}, events.names)
    return walk(funnel, site.marks_of(funnel), sequences, events)


def funnel(*steps: str, order: str = "loose", within: str = "user") -> Funnel:
    """Steps as texts, several patterns apart by a bar."""
    made_of = [
        {"kind": "event" if step.split("|")[0] in EVENTS else "page", "any_of": tuple(step.split("|"))}
        for step in steps
    ]
    return Funnel.checked(steps=tuple(made_of), order=order, within=within)


def reference(asked: Funnel, all_of: list[Happened]) -> tuple[int, list[float], int]:
    """Depth, minutes between steps and the following view of one user, by trying every sequence."""
    order = range(len(all_of))
    if asked.within == "session":  # the sessions of a user one after the other
        order = sorted(order, key=lambda place: all_of[place][2])
    lines = [all_of[place] for place in order]
    is_view = [what in PAGES for what, *_ in lines]

    def allowed(chosen: tuple[int, ...]) -> bool:
        for step, place in zip(asked.steps, chosen, strict=False):
            if lines[place][0] not in step.any_of or (step.kind == "page") != is_view[place]:
                return False
        if asked.within == "session" and len({lines[place][2] for place in chosen}) > 1:
            return False
        if asked.limit_us is not None:
            taken = (lines[chosen[-1]][1] - lines[chosen[0]][1]) * MINUTE
            if taken > asked.limit_us:
                return False
        between = (range(a + 1, b) for a, b in pairwise(chosen))
        return asked.order == "loose" or not any(is_view[place] for part in between for place in part)

    for depth in range(len(asked.steps), 0, -1):
        ways = [chosen for chosen in combinations(range(len(lines)), depth) if allowed(chosen)]
        if ways:
            end = min(chosen[-1] for chosen in ways)
            best = max((w for w in ways if w[-1] == end), key=lambda way: (way[0], *reversed(way)))
            minutes = [lines[b][1] - lines[a][1] for a, b in pairwise(best)]
            at = order[end]
            own = asked.steps[depth - 1]
            same = own.any_of if own.kind == "page" else ()
            later = [place for place in range(at + 1, len(all_of)) if all_of[place][0] in PAGES]
            again = [all_of[place][0] in same and all_of[place][2] == all_of[at][2] for place in later]
            later = later[sum(takewhile(bool, again)) :]
            goes_on = bool(later) and all_of[later[0]][2] == all_of[at][2]
            view = sum(one[0] in PAGES for one in all_of[: later[0]]) if goes_on else -1
            return depth, minutes, view
    return 0, [], -1


def random_users(rng: np.random.Generator) -> list[list[Happened]]:
    users = []
    for _ in range(int(rng.integers(1, 5))):
        n = int(rng.integers(1, 9))
        what = [str(one) for one in rng.choice([*PAGES[:3], *EVENTS], n, p=[0.3, 0.25, 0.15, 0.2, 0.1])]
        what[int(rng.integers(n))] = "/a"  # everybody has a page view
        minutes = np.cumsum(rng.integers(0, 4, n)).tolist()
        views = np.cumsum(rng.random(n) < 0.25).tolist()  # sessions of page views ascend …
        numbers = list(dict.fromkeys(s for w, s in zip(what, views, strict=True) if w in PAGES))
        sessions = [numbers.index(s) if w in PAGES else 0 for w, s in zip(what, views, strict=True)]
        for place, one in enumerate(what):
            if one in EVENTS:  # … those of events may be any, also one without a page view
                sessions[place] = int(rng.integers(0, len(numbers) + 2))
        users.append(list(zip(what, minutes, sessions, strict=True)))
    return users


@pytest.mark.parametrize("order", ["loose", "strict"])
@pytest.mark.parametrize("within", ["session", "user", "3 minutes"])
def test_it_is_what_trying_every_sequence_gives(order: str, within: str) -> None:
    rng = np.random.default_rng(7)
    deep = 0
    for _ in range(150):
        steps = [str(one) for one in rng.choice(["/a", "/b", "/a|/b", "/c", "buy", "like|buy"], 3)]
        asked = funnel(*steps[: int(rng.integers(1, 4))], order=order, within=within)
        users = random_users(rng)
        found = followed(asked, users)
        sequences, _ = made(users)
        for user, all_of in enumerate(users):
            depth, minutes, view = reference(asked, all_of)
            assert found.depth[user] == depth
            assert (found.seconds[user, 1:depth] / 60).tolist() == minutes
            assert np.isnan(found.seconds[user, depth:]).all()
            assert np.isnan(found.seconds[user, 0])
            assert found.following[user] == (view if view < 0 else sequences.offsets[user] + view)
            deep += depth > 1
    assert deep > 50  # the cases are not empty


def depths(asked: Funnel, *users: list[Happened]) -> list[int]:
    return followed(asked, list(users)).depth.tolist()


def test_a_later_first_step_may_be_in_time_where_the_first_is_not() -> None:
    slow = [("/a", 0, 0), ("/a", 50, 0), ("/b", 60, 0)]
    assert depths(funnel("/a", "/b", within="30 minutes"), slow) == [2]
    assert depths(funnel("/a", "/b", within="5 minutes"), slow) == [1]


def test_the_same_step_twice_is_two_visits() -> None:
    assert depths(funnel("/a", "/a"), [("/a", 0, 0)], [("/a", 0, 0), ("/b", 1, 0), ("/a", 2, 0)]) == [1, 2]


def test_strict_is_the_next_page_view_and_loose_any_later_one() -> None:
    user = [("/a", 0, 0), ("like", 1, 0), ("/c", 2, 0), ("buy", 2, 0), ("/b", 3, 0)]
    assert depths(funnel("/a", "/b", order="loose"), user) == [2]
    assert depths(funnel("/a", "/b", order="strict"), user) == [1]
    assert depths(funnel("/a", "/c", "buy", order="strict"), user) == [3]  # events are no page views between
    assert depths(funnel("/a", "buy", order="strict"), user) == [1]  # not before the next page view


def test_a_session_ends_a_funnel_within_sessions_alone() -> None:
    user = [("/a", 0, 0), ("/b", 600, 1)]
    assert depths(funnel("/a", "/b", within="session"), user) == [1]
    assert depths(funnel("/a", "/b", within="user"), user) == [2]


def test_nobody_does_a_step_that_is_not_there() -> None:
    assert depths(funnel("/nowhere", "/a"), [("/a", 0, 0)], [("/b", 0, 0)]) == [0, 0]
    assert depths(funnel("/a", "/nowhere"), [("/a", 0, 0)], [("/b", 0, 0)]) == [1, 0]


def test_what_comes_instead_is_the_next_page_of_the_session_or_its_end() -> None:
    users = [
        [("/a", 0, 0), ("/c", 1, 0)],
        [("/a", 0, 0), ("/c", 600, 1)],
        [("/a", 0, 0)],
        [("/b", 0, 0)],
    ]
    assert followed(funnel("/a", "/b"), users).following.tolist() == [1, -1, -1, -1]


def test_the_step_again_is_nothing_else() -> None:
    users = [
        [("/a", 0, 0), ("/a", 1, 0), ("/c", 2, 0)],
        [("/a", 0, 0), ("/a", 1, 0)],
        [("/a", 0, 0), ("/a", 1, 0), ("/c", 600, 1)],
    ]
    assert followed(funnel("/a", "/b"), users).following.tolist() == [2, -1, -1]


def test_time_is_that_of_one_sequence_as_close_together_as_it_can_be() -> None:
    user = [("/a", 0, 0), ("/a", 5, 0), ("/b", 6, 0), ("/b", 8, 0), ("/c", 10, 0)]
    assert (followed(funnel("/a", "/b", "/c"), [user]).seconds[0, 1:] / 60).tolist() == [3, 2]


def test_a_user_with_very_many_page_views_and_the_most_steps_is_followed() -> None:
    user = [("/a", minute, 0) for minute in range(50_000)]
    assert depths(funnel(*["/a"] * MAX_STEPS), user) == [MAX_STEPS]
