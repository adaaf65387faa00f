"""Segments by hand: everybody is counted once whatever is done, the way back is exact, bad input is words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.base.errors import ArtifactError, InputError, SettingsError
from core.base.schema import OUTSIDE, SET_ASIDE
from core.base.settings import ClusterSettings
from core.segments import editing
from core.segments.certificate import certify
from core.segments.clustering import assign, fit
from core.segments.edits import Gather, Merge, SetAside, chosen_segments
from core.segments.membership import memberships
from core.segments.partition import LEARNED, Partition
from tests.core.segments.blobs import blobs

SIZES = (60, 50, 40, 30)


def cut(seed: int = 0, k: int = 4) -> tuple[np.ndarray, Partition]:
    """Four groups, and every tenth user outside clustering."""
    vectors, _ = blobs(SIZES, noise=0.15, seed=seed)
    inside = np.arange(len(vectors)) % 10 != 9
    return vectors, fit(vectors, inside, ClusterSettings(n_clusters=k))


def some_change(now: Partition, vectors: np.ndarray, random: np.random.Generator) -> Partition:
    """One that is drawn; the same partition where it is refused."""
    ids = now.ids.tolist()
    several = random.permutation(ids)[: random.integers(1, len(ids) + 1)].tolist()
    users = random.random(len(now.labels)) < random.choice([0.05, 0.4])
    changes: list[Callable[[], Partition]] = [
        lambda: editing.merge(now, vectors, several),
        lambda: editing.split(now, vectors, several[0], int(random.integers(2, 4))),
        lambda: editing.set_aside(now, vectors, several),
        lambda: editing.from_users(now, vectors, users, "drawn"),
        lambda: editing.regroup(now, vectors, random.integers(0, 3, len(users)), "How far they get"),
    ]
    try:
        return changes[random.integers(len(changes))]()
    except SettingsError:
        return now


def is_whole(now: Partition, first: Partition, vectors: np.ndarray) -> None:
    """Everybody is in one place, middles are those of the users, and nobody came in from outside."""
    none = int(np.isin(now.labels, (OUTSIDE, SET_ASIDE)).sum())
    assert sum(now.sizes.values()) + none == len(now.labels)
    assert min(now.sizes.values()) > 0
    assert ((now.labels == OUTSIDE) == (first.labels == OUTSIDE)).all()
    for segment, middle in zip(now.ids.tolist(), now.centroids, strict=True):
        np.testing.assert_allclose(middle, vectors[now.labels == segment].mean(axis=0), atol=1e-4)
    apart = vectors - now.centroids[np.searchsorted(now.ids, np.maximum(now.labels, now.ids[0]))]
    assert now.inertia == pytest.approx(float((apart[now.labels > OUTSIDE] ** 2).sum()), rel=1e-4)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_done_everybody_is_somewhere_once_and_each_step_back_is_exact(seed: int) -> None:
    random = np.random.default_rng(seed)
    vectors, first = cut(seed)
    history = [first]
    for _ in range(8):
        after = some_change(history[-1], vectors, random)
        is_whole(after, first, vectors)
        history += [after] if after is not history[-1] else []
    last = history[-1]
    for count, then in enumerate(history):
        back = editing.first_changes(first, last, vectors, count)
        assert back.labels.tobytes() == then.labels.tobytes()
        assert back.digest == then.digest
    assert len({then.digest for then in history}) == len(history)


@pytest.mark.parametrize("seed", range(6))
def test_an_id_never_stands_for_two_segments(seed: int) -> None:
    random, (vectors, now) = np.random.default_rng(seed), cut(seed)
    had = set(now.ids.tolist())
    for _ in range(8):
        after = some_change(now, vectors, random)
        made = set(after.ids.tolist()) - set(now.ids.tolist())
        assert not made & had
        had |= made
        now = after


def test_a_merged_segment_keeps_the_id_of_the_largest_and_leaves_the_others_alone() -> None:
    vectors, before = cut()
    after = editing.merge(before, vectors, [3, 1, 3])
    assert after.sizes == {0: before.sizes[0], 1: before.sizes[1] + before.sizes[3], 2: before.sizes[2]}
    assert after.edits == (Merge(segments=(1, 3), kept=1, users=after.sizes[1]),)
    assert after.edits[0].text == f"Merged 2 and 4 into 2: {after.sizes[1]} users"
    assert after.centroids[0].tobytes() == before.centroids[0].tobytes()
    assert after.digest != before.digest
    grown = editing.merge(after, vectors, [0, 1])  # 1 is larger than 0 by now
    assert grown.ids.tolist() == [1, 2]


def test_a_split_finds_the_two_groups_in_one_segment_and_merging_them_brings_it_back() -> None:
    vectors, truth = blobs((60, 40, 30), noise=0.05)
    whole = fit(vectors, np.ones(len(vectors), dtype=bool), ClusterSettings(n_clusters=2))
    segment = next(s for s in whole.ids.tolist() if len(np.unique(truth[whole.labels == s])) == 2)
    parted = editing.split(whole, vectors, segment)
    assert sorted(parted.sizes.values()) == [30, 40, 60]
    assert parted.sizes[segment] >= parted.sizes[2]
    assert all(len(np.unique(truth[parted.labels == s])) == 1 for s in parted.ids)
    back = editing.merge(parted, vectors, [segment, 2])
    assert back.labels.tobytes() == whole.labels.tobytes()


def test_users_of_a_segment_that_is_set_aside_stay_counted_and_can_come_back() -> None:
    vectors, before = cut()
    after = editing.set_aside(before, vectors, [2])
    assert (after.labels == SET_ASIDE).tolist() == (before.labels == 2).tolist()
    assert after.edits == (SetAside(segments=(2,), users=before.sizes[2]),)
    back = editing.from_users(after, vectors, after.labels == SET_ASIDE)
    assert not (back.labels == SET_ASIDE).any()
    assert back.sizes == {0: before.sizes[0], 1: before.sizes[1], 3: before.sizes[3], 4: before.sizes[2]}


def test_chosen_users_leave_their_segments_and_an_empty_one_is_gone() -> None:
    vectors, before = cut()
    users = (before.labels == 1) | (before.labels == OUTSIDE)
    users[np.flatnonzero(before.labels == 0)[:5]] = True
    after = editing.from_users(before, vectors, users, "saw /sale")
    assert after.ids.tolist() == [0, 2, 3, 4]
    assert after.sizes[4] == before.sizes[1] + 5
    assert after.edits == (Gather(made=4, why="saw /sale", users=after.sizes[4]),)
    assert after.edits[0].text == f"Made 5 of {after.sizes[4]} users: saw /sale"


def test_who_is_known_is_placed_where_they_are() -> None:
    vectors, first = cut()
    ids = first.ids.tolist()
    inside = first.labels != OUTSIDE
    now = editing.split(editing.merge(first, vectors, ids[:2]), vectors, ids[-1])
    now = editing.set_aside(now, vectors, [now.ids.tolist()[-1]])
    assert assign(vectors[inside], now).tolist() == now.labels[inside].tolist()
    assert {SET_ASIDE} < set(now.labels.tolist())


def test_others_join_chosen_users_where_these_are_nearer_than_the_segments() -> None:
    vectors, truth = blobs((60, 50, 40), noise=0.05)
    whole = fit(vectors, np.ones(len(vectors), dtype=bool), ClusterSettings(n_clusters=2))
    now = editing.from_users(whole, vectors, (truth == 2) & (np.arange(len(truth)) % 2 == 0))
    placed = assign(vectors, now)
    assert set(placed[truth == 2]) == {2}
    assert not (placed[truth != 2] == 2).any()


def test_changes_come_back_from_files(tmp_path: Path) -> None:
    vectors, first = cut()
    now = editing.from_users(editing.split(first, vectors, 0), vectors, first.labels == 1, "a rule")
    now.to_files(tmp_path)
    back = Partition.from_files(tmp_path)
    assert (back.edits, back.digest) == (now.edits, now.digest)
    assert editing.first_changes(first, back, vectors, 2).digest == now.digest
    assert [edit.text.split()[0] for edit in back.edits] == ["Split", "Made"]
    (tmp_path / LEARNED).write_bytes(b"PK\x03\x04 no zip")
    with pytest.raises(ArtifactError, match="holds no segments"):
        Partition.from_files(tmp_path)


def test_how_much_a_user_belongs_is_measured_from_the_middles_as_they_are_now() -> None:
    vectors, first = cut()
    now = editing.set_aside(editing.merge(first, vectors, [0, 1]), vectors, [2])
    found = memberships(vectors, now.labels, now)
    own = np.flatnonzero(now.labels == 0)
    middle = now.centroids[now.ids.tolist().index(0)]
    np.testing.assert_allclose(found.distance[own], np.linalg.norm(vectors[own] - middle, axis=1), rtol=1e-3)
    assert (found.share[now.labels == SET_ASIDE] == 0).all()
    assert ((found.share[own] > 0) & (found.share[own] <= 1)).all()


def test_how_sure_a_segment_is_does_not_change_where_nobody_touched_it() -> None:
    vectors, first = cut(k=5)
    before = certify(vectors, first, resamples=39)
    now = editing.merge(first, vectors, [3, 4])
    after = certify(vectors, now, resamples=39)
    assert list(after) == [0, 1, 2, 3]
    for segment in (0, 1, 2):
        assert after[segment].jaccard == pytest.approx(before[segment].jaccard, abs=0.02)


def test_halves_of_one_group_are_unsure_and_together_they_are_sure() -> None:
    vectors, truth = blobs((200, 100), noise=0.1)
    whole = fit(vectors, np.ones(len(vectors), dtype=bool), ClusterSettings(n_clusters=2))
    large = int(whole.labels[truth == 0][0])
    parted = editing.split(whole, vectors, large)
    unsure = certify(vectors, parted, resamples=39)
    assert max(unsure[large].jaccard, unsure[2].jaccard) < 0.75
    assert certify(vectors, editing.merge(parted, vectors, [large, 2]), resamples=39)[large].jaccard > 0.85
    assert unsure[1 - large].word == "highly stable"


def test_a_part_of_a_split_segment_is_found_again_as_the_same_part() -> None:
    truth = np.repeat([0, 1, 2], [50, 50, 60])  # 0 and 1 lie together; either can be the larger among others
    middles = np.array([[1, 0.4, 0], [0.4, 1, 0], [0, 0, 1]])
    vectors = (middles[truth] + 0.05 * np.random.default_rng(0).normal(size=(160, 3))).astype(np.float32)
    whole = fit(vectors, np.ones(len(vectors), dtype=bool), ClusterSettings(n_clusters=2))
    mixed = next(s for s in whole.ids.tolist() if len(np.unique(truth[whole.labels == s])) == 2)
    now = editing.merge(editing.split(whole, vectors, mixed), vectors, [1 - mixed, 2])
    assert {one.word for one in certify(vectors, now, resamples=39).values()} == {"highly stable"}


def test_there_is_nothing_to_be_sure_of_in_a_segment_of_chosen_users() -> None:
    vectors, first = cut()
    users = np.random.default_rng(0).random(len(vectors)) < 0.3
    now = editing.from_users(first, vectors, users)
    found = certify(vectors, now, resamples=39)
    assert list(found) == [0, 1, 2, 3]
    assert min(one.jaccard for one in found.values()) > 0.85  # they lost users to it, and still are found


def test_nor_in_a_part_of_one_or_in_a_segment_that_one_was_merged_into() -> None:
    vectors, first = cut()
    users = np.random.default_rng(0).random(len(vectors)) < 0.3
    parted = editing.split(editing.from_users(first, vectors, users), vectors, 4)
    assert list(certify(vectors, parted, resamples=39)) == [0, 1, 2, 3]
    part = min((4, 5), key=lambda segment: parted.sizes[segment])
    into = max(range(4), key=lambda segment: parted.sizes[segment])
    merged = editing.merge(editing.set_aside(parted, vectors, [9 - part]), vectors, [into, part])
    assert chosen_segments(merged.edits) == {4, 5, merged.edits[-1].kept}
    assert set(certify(vectors, merged, resamples=39)) == {0, 1, 2, 3} - chosen_segments(merged.edits)


def test_segments_beside_chosen_users_are_not_chosen() -> None:
    vectors, first = cut()
    users = np.random.default_rng(0).random(len(vectors)) < 0.3
    now = editing.split(editing.merge(editing.from_users(first, vectors, users), vectors, [0, 1]), vectors, 2)
    assert chosen_segments(now.edits) == {4}


def mask(users: Callable[[np.ndarray], np.ndarray]) -> Callable[[Partition, np.ndarray], Partition]:
    return lambda now, vectors: editing.from_users(now, vectors, users(now.labels))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda now, v: editing.merge(now, v, [1]), "Segment 2 alone cannot be merged"),
        (lambda now, v: editing.merge(now, v, []), "No segment is named"),
        (lambda now, v: editing.merge(now, v, [0, 1, 2, 3]), "This would leave 1 segment."),
        (lambda now, v: editing.merge(now, v, [0, 7]), "There is no segment 8"),
        (lambda now, v: editing.split(now, v, 9), "There is no segment 10"),
        (lambda now, v: editing.split(now, v, 0, 1), "cannot be split into 1 parts"),
        (lambda now, v: editing.split(now, v, 0, 99), "cannot be split into 99 parts"),
        (lambda now, v: editing.set_aside(now, v, [0, 1, 2]), "This would leave 1 segment."),
        (mask(lambda labels: labels == 77), "Of 0 chosen users, nobody takes part in clustering"),
        (mask(lambda labels: labels == OUTSIDE), "Of 18 chosen users, nobody takes part in clustering"),
        (mask(lambda labels: labels < 99), "This would leave 1 segment."),
    ],
)
def test_what_cannot_be_done_is_said(change: Callable[[Partition, np.ndarray], Partition], said: str) -> None:
    vectors, first = cut()
    with pytest.raises(SettingsError, match=said):
        change(first, vectors)


def test_users_who_are_alike_cannot_be_split() -> None:
    vectors = np.repeat(np.eye(3, dtype=np.float32), [20, 10, 1], axis=0)
    first = fit(vectors, np.ones(31, dtype=bool), ClusterSettings(n_clusters=3))
    with pytest.raises(SettingsError, match="into 2 parts: 20 users, of whom 1 differ"):
        editing.split(first, vectors, 0)
    with pytest.raises(SettingsError, match="into 2 parts: 1 user, of whom 1 differ"):
        editing.split(first, vectors, 2)


@pytest.mark.parametrize("wrong", [np.ones(3, dtype=bool), np.ones(180, dtype=np.int64)])
def test_a_choice_of_other_users_is_refused(wrong: np.ndarray) -> None:
    vectors, first = cut()
    with pytest.raises(InputError, match="is not one of 180 users"):
        editing.from_users(first, vectors, wrong)


def test_who_was_set_aside_stays_so_when_others_are_chosen_too() -> None:
    vectors, before = cut()
    now = editing.set_aside(before, vectors, [2])
    users = (now.labels == SET_ASIDE) | (now.labels == 1)
    after = editing.from_users(now, vectors, users, "drawn")
    assert (after.labels == SET_ASIDE).tolist() == (now.labels == SET_ASIDE).tolist()
    assert after.sizes[4] == before.sizes[1]
    labels = before.labels[:60].copy()  # others, who go the same way
    followed = editing.apply_edits(labels, vectors[:60], after)
    assert (followed[labels == 2] == SET_ASIDE).all()


def test_the_levels_of_a_facet_become_the_segments_and_one_step_back_brings_the_others() -> None:
    vectors, now = cut()
    level = np.arange(len(vectors)) % 3
    after = editing.regroup(now, vectors, level, "How often they come")
    inside = now.labels != OUTSIDE
    assert len(after.ids) == 3 and not set(after.ids.tolist()) & set(now.ids.tolist())
    for segment in after.ids.tolist():
        assert len(np.unique(level[after.labels == segment])) == 1
    assert ((after.labels == OUTSIDE) == ~inside).all()
    assert after.edits[0].text.startswith("Regrouped 162 users by a facet, How often they come: 5, 6 and 7")
    assert (editing.first_changes(now, after, vectors, 0).labels == now.labels).all()
    placed = editing.apply_edits(now.labels, vectors, after)  # users of a later export: by the nearest middle
    assert set(placed[inside].tolist()) <= set(after.ids.tolist())


def test_levels_of_other_users_or_one_level_are_refused() -> None:
    vectors, now = cut()
    with pytest.raises(InputError, match="Levels of 3 users"):
        editing.regroup(now, vectors, np.zeros(3, dtype=int), "")
    with pytest.raises(SettingsError, match="at least 2 segments"):
        editing.regroup(now, vectors, np.zeros(len(vectors), dtype=int), "")
