"""Sessions dealt into two halves."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from core.periods import training_period
from core.periods.training_period import halves_of
from core.storage.sequences import UserSequences
from tests.core.periods.two_exports import sequences


def runs(source: object, row: int) -> list[tuple[int, int, int]]:
    start, stop = source.offsets[row : row + 2]
    parts = (source.session, source.timestamp, source.page)
    return list(zip(*(part[start:stop].tolist() for part in parts), strict=True))


@pytest.mark.parametrize("seed", range(20))
def test_every_session_of_who_has_several_is_in_one_half_whole(seed: int) -> None:
    source = sequences(np.random.default_rng(seed), np.arange(30))
    may = np.random.default_rng(seed).random(30) < 0.8
    users, halves = halves_of(source, may, seed=seed)
    several = [u for u in range(30) if may[u] and len({s for s, _, _ in runs(source, u)}) > 1]
    assert users.tolist() == several
    assert halves.n_users == 2 * len(users)
    for row, user in enumerate(users):
        one, other = runs(halves, row), runs(halves, row + len(users))
        assert sorted(one + other) == runs(source, user)
        assert one == sorted(one)
        assert other == sorted(other)
        sessions = [{session for session, _, _ in half} for half in (one, other)]
        assert not sessions[0] & sessions[1]
        assert abs(len(sessions[0]) - len(sessions[1])) <= 1


def test_halves_are_random_and_the_same_again() -> None:
    source = sequences(np.random.default_rng(3), np.arange(200))
    everybody = np.ones(200, dtype=bool)
    (_, one), (_, same), (_, other) = (halves_of(source, everybody, seed=seed) for seed in (0, 0, 1))
    assert one.page.tolist() == same.page.tolist()
    assert one.page.tolist() != other.page.tolist()


def test_parts_are_as_unequal_as_is_asked_for() -> None:
    """Twelve sessions of one page view, dealt 3 to 1 or 1 to 2; nobody's part is empty."""
    n = 300
    ids = pa.array([str(user) for user in range(n)])
    session = np.tile(np.arange(12, dtype=np.int32), n)
    source = UserSequences(ids, 12 * np.arange(n + 1), np.zeros(12 * n, np.int32), 10 * session, session)
    _, parts = halves_of(source, np.ones(n, dtype=bool), np.array([0.75, 1 / 3]))
    first, second = parts.lengths.reshape(2, -1)
    assert (first + second == 12).all()
    assert set(first.tolist()) <= {9, 4, 3}  # 4 of 12, less what floating point takes
    assert 100 < (first == 9).sum() < 200
    _, parts = halves_of(source, np.ones(n, dtype=bool), np.array([0.99]))
    assert parts.lengths.min() == 1


def test_of_many_users_some_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_period, "MAX_USERS", 5)
    source = sequences(np.random.default_rng(3), np.arange(50))
    users, halves = halves_of(source, np.ones(50, dtype=bool))
    assert len(users) == 5
    assert halves.n_users == 10


def test_where_everybody_came_once_there_are_no_halves() -> None:
    source = sequences(np.random.default_rng(3), np.arange(50))
    users, halves = halves_of(source, np.zeros(50, dtype=bool))
    assert len(users) == 0
    assert halves.n_users == 0
