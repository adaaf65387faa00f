"""Who is like some users, on groups of vectors that can be told apart."""

from __future__ import annotations

import numpy as np
import pytest

from core.base.errors import InputError
from core.people import look_alikes as module
from core.people.look_alikes import BY_CHANCE, FOUND, REACH, SCORE, LookAlikes, look_alikes
from core.profiles.profile_columns import Col
from tests.core.segments.blobs import blobs

VECTORS, TRUTH = blobs((300, 200, 100))
EVERYBODY = np.ones(len(VECTORS), dtype=bool)


@pytest.mark.parametrize("n_seeds", [1, 5, 50])
def test_the_others_of_the_group_come_first(n_seeds: int) -> None:
    group = np.flatnonzero(TRUTH == 1)
    found = look_alikes(VECTORS, EVERYBODY, group[:n_seeds])
    first = found.users[: len(group) - n_seeds]
    assert (TRUTH[first] == 1).mean() > 0.98
    assert np.all(np.diff(found.score) <= 0)
    assert 0 <= found.score.min() <= found.score.max() <= 1


def test_seeds_of_two_groups_find_both() -> None:
    seeds = np.concatenate([np.flatnonzero(one == TRUTH)[:50] for one in (1, 2)])
    first = look_alikes(VECTORS, EVERYBODY, seeds).users[:200]
    assert set(TRUTH[first]) == {1, 2}


def test_no_seed_and_nobody_outside_clustering_is_listed() -> None:
    inside = np.arange(len(VECTORS)) % 2 == 0
    seeds = np.array([0, 1, 2, 2, 4])
    found = look_alikes(VECTORS, inside, seeds)
    assert found.seeds.tolist() == [0, 2, 4]
    assert sorted(found.users.tolist()) == np.setdiff1d(np.flatnonzero(inside), found.seeds).tolist()


def test_everybody_leaves_nobody_to_find() -> None:
    with pytest.raises(InputError, match="Every clustered user is on the list"):
        look_alikes(VECTORS, EVERYBODY, np.arange(len(VECTORS)))


def test_seeds_outside_clustering_are_like_nobody() -> None:
    with pytest.raises(InputError, match="None of 2 users to be like is clustered"):
        look_alikes(VECTORS, TRUTH == 0, np.flatnonzero(TRUTH == 1)[:2])


def test_few_seeds_are_not_hidden() -> None:
    found = look_alikes(VECTORS, EVERYBODY, np.arange(9))
    curve = found.curve(found.usual_reach)
    assert len(found.ranks) == 0
    assert found.usual_reach == (found.score >= 0.5).sum()
    assert curve[FOUND].isna().all()
    assert curve[SCORE].notna().all()


def test_seeds_that_are_not_to_be_hidden_are_not() -> None:
    assert len(look_alikes(VECTORS, EVERYBODY, np.arange(50), hide=False).ranks) == 0


def test_hidden_seeds_of_a_clear_group_are_found_where_the_group_ends() -> None:
    group = np.flatnonzero(TRUTH == 1)
    found = look_alikes(VECTORS, EVERYBODY, group[:100])
    assert 80 <= found.usual_reach <= 130  # 100 of the group are left
    assert found.found(found.usual_reach) >= 95


def test_seeds_drawn_at_random_are_found_as_by_chance() -> None:
    seeds = np.random.default_rng(1).permutation(len(VECTORS))[:200]
    curve = look_alikes(VECTORS, EVERYBODY, seeds).curve(200)
    at = curve[curve[REACH] == 200].iloc[0]
    assert at[Col.LOW] < 0.5 < at[Col.HIGH]


def test_of_users_who_did_the_very_same_half_count_as_before_a_hidden_seed() -> None:
    vectors = np.repeat(np.eye(2, dtype=np.float32), (50, 50), axis=0)
    found = look_alikes(vectors, np.ones(100, dtype=bool), np.arange(10))
    assert found.ranks.tolist() == [20] * 10  # 40 others are exactly as they are


def test_a_hidden_seed_is_ranked_by_a_model_that_has_not_seen_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[int]] = []
    plain = module._scores

    def recorded(vectors: np.ndarray, seeds: np.ndarray, *rest: object) -> np.ndarray:
        seen.append(set(seeds.tolist()))
        return plain(vectors, seeds, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_scores", recorded)
    look_alikes(VECTORS, EVERYBODY, np.arange(50))
    whole, *parts = seen
    assert whole == set(range(50))
    assert [len(part) for part in parts] == [40] * 5
    assert set.union(*(whole - part for part in parts)) == whole


def made(ranks: list[int], others: int) -> LookAlikes:
    score = np.linspace(1, 0, others)
    return LookAlikes(np.arange(others), score, np.arange(len(ranks)), np.array(ranks))


def test_a_curve_counts_the_hidden_seeds_within_each_reach() -> None:
    found = made([0, 0, 2, 7], others=10)
    curve = found.curve(3).set_index(REACH)
    assert curve.loc[1, FOUND] == 0.5
    assert curve.loc[2, FOUND] == 0.5
    assert curve.loc[3, FOUND] == 0.75
    assert curve.loc[10, FOUND] == 1
    assert curve.loc[3, BY_CHANCE] == 0.3
    assert found.found(3) == 3
    assert found.usual_reach == 3  # .75 − .2 is the most: of seeds before it, against others before it
    assert curve.index[0] == 1
    assert curve.index[-1] == 10


def test_a_curve_is_that_of_a_loop_over_its_points() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        others = int(random.integers(1, 400))
        ranks = np.sort(random.integers(0, others + 1, random.integers(10, 60)))
        found = made(ranks.tolist(), others)
        for row in found.curve(found.usual_reach).itertuples():
            assert row.found == np.mean([rank < row.reach for rank in ranks])
            assert row.low <= row.found <= row.high
        gaps = [np.mean(ranks <= at) - at / others for at in ranks]
        assert gaps[ranks.tolist().index(found.usual_reach - 1)] == pytest.approx(max(gaps))


def test_the_same_seeds_give_the_same_list() -> None:
    one, again = (look_alikes(VECTORS, EVERYBODY, np.arange(30)) for _ in range(2))
    assert one.users.tobytes() == again.users.tobytes()
    assert one.score.tobytes() == again.score.tobytes()
