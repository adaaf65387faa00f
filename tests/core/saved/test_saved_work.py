"""What an analyst did with the segments outlives the session."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.base.settings import ClusterSettings, ViewWeights
from core.profiles.name_candidates import NameEvidence
from core.profiles.names import SegmentName
from core.saved import saved_work
from core.saved.saved_work import Segmentation
from core.segments import editing
from core.segments.partition import Partition
from core.storage.store import Store

LABELS = np.array([0, 0, 3, -1], dtype=np.int32)
KEPT = Segmentation(
    "e1",
    ViewWeights(url=0.7),
    Partition(
        LABELS,
        np.eye(2, dtype=np.float32),
        np.array([0, 3], dtype=np.int32),
        1.5,
        4,
        True,
        ClusterSettings(n_clusters=2),
    ),
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_segments_come_back_as_they_were(store: Store) -> None:
    saved_work.save_segments(store, "e1", KEPT)
    found = saved_work.load_segments(store, "e1", len(LABELS))
    assert found is not None
    assert found.weights == KEPT.weights
    assert found.partition.settings == KEPT.partition.settings
    assert found.partition.labels.tolist() == LABELS.tolist()
    assert found.partition.ids.tolist() == [0, 3]


def test_the_latest_segments_replace_the_earlier_ones(store: Store) -> None:
    saved_work.save_segments(store, "e1", KEPT)
    saved_work.save_segments(store, "e1", Segmentation("e1", ViewWeights(url=0.1), KEPT.partition))
    found = saved_work.load_segments(store, "e1", len(LABELS))
    assert found is not None
    assert found.weights == ViewWeights(url=0.1)


def test_how_they_continue_the_model_before_comes_back_with_them(store: Store) -> None:
    for same in ({3: 0.8}, {}, None):
        saved_work.save_segments(store, "e1", replace(KEPT, continues=same))
        found = saved_work.load_segments(store, "e1", len(LABELS))
        assert found is not None and found.continues == same


def test_a_name_survives_a_training_where_its_segment_does(store: Store) -> None:
    rested_on = (NameEvidence("page", "/sale", 0.6, 3.0, 2.0),)
    saved_work.rename(store, "old", {0: "Hunters", 1: "Readers", 2: "Doubtful"}, {0: rested_on})
    saved_work.carry_over_names(store, "new", "old", {0: 0.9, 2: 0.6})
    assert saved_work.given_names(store, "new") == {0: SegmentName("Hunters", rested_on)}
    saved_work.rename(store, "new", {0: "Mine"})
    saved_work.carry_over_names(store, "new", "old", {0: 0.9})
    assert saved_work.names(store, "new") == {0: "Mine"}


def test_there_is_nothing_before_the_first_segments(store: Store) -> None:
    assert saved_work.load_segments(store, "e1", len(LABELS)) is None


def test_segments_of_other_users_are_not_taken(store: Store) -> None:
    saved_work.save_segments(store, "e1", KEPT)
    assert saved_work.load_segments(store, "e1", len(LABELS) + 1) is None


def test_a_damaged_file_is_noticed(store: Store) -> None:
    saved_work.save_segments(store, "e1", KEPT)
    (store.root / saved_work.STAGE / "e1" / "labels.npy").write_bytes(b"broken")
    assert saved_work.load_segments(store, "e1", len(LABELS)) is None


def test_names_are_kept_tidied_and_taken_away(store: Store) -> None:
    assert saved_work.rename(store, "e1", {0: "  Bargain \n hunters ", 3: "Leser"}) == {
        0: "Bargain hunters",
        3: "Leser",
    }
    assert saved_work.rename(store, "e1", {3: ""}) == {0: "Bargain hunters"}
    assert saved_work.names(store, "e1") == {0: "Bargain hunters"}
    assert saved_work.names(store, "e2") == {}


def test_a_name_is_kept_with_what_it_rested_on_and_a_text_of_an_earlier_release_is_read(store: Store) -> None:
    evidence = (NameEvidence("word", "sale", 0.6, 4.0, 3.0),)
    saved_work.rename(store, "e1", {0: "Hunters", 1: "Readers"}, {0: evidence})
    assert saved_work.given_names(store, "e1") == {
        0: SegmentName("Hunters", evidence),
        1: SegmentName("Readers"),
    }
    (store.root / saved_work.STAGE / "e1.names.json").write_text('{"2": "Old"}')
    assert saved_work.given_names(store, "e1") == {2: SegmentName("Old")}
    assert saved_work.rename(store, "e1", {0: "New"}) == {0: "New", 2: "Old"}
    assert saved_work.undo_names(store, "e1") == {2: "Old"}


def test_a_name_has_an_end(store: Store) -> None:
    assert len(saved_work.rename(store, "e1", {0: "x" * 500})[0]) == saved_work.MAX_NAME_LENGTH


def test_a_broken_file_of_names_is_no_names(store: Store) -> None:
    saved_work.rename(store, "e1", {0: "a"})
    (store.root / saved_work.STAGE / "e1.names.json").write_text("[1,")
    assert saved_work.names(store, "e1") == {}


def test_names_that_two_sessions_give_at_once_are_all_kept(store: Store) -> None:
    def give(segments: range) -> None:
        for segment in segments:
            saved_work.rename(store, "e1", {segment: f"Name {segment}"})

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(give, (range(20), range(20, 40))))
    assert saved_work.names(store, "e1") == {segment: f"Name {segment}" for segment in range(40)}
    assert len(saved_work.earlier_names(store, "e1")) == 40


def test_of_first_segments_that_two_sessions_make_at_once_both_get_the_same(store: Store) -> None:
    def keep(weight: float) -> Segmentation:
        return saved_work.save_first(store, "m", replace(KEPT, weights=ViewWeights(url=weight)))

    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(keep, (0.1 * number for number in range(1, 9))))
    found = saved_work.load_first(store, "m", len(LABELS))
    assert found is not None
    assert {one.weights for one in kept} == {found.weights}


def test_segments_that_another_session_replaces_meanwhile_are_read_of_one_moment(store: Store) -> None:
    """Labels and centroids of one file set each: never the ones of one and the others of another."""

    def numbered(number: int) -> Segmentation:
        partition = replace(
            KEPT.partition,
            labels=np.full(4, number, dtype=np.int32),
            ids=np.array([number, 100], dtype=np.int32),
            centroids=np.full((2, 2), number, dtype=np.float32),
        )
        return Segmentation("e1", KEPT.weights, partition)

    def keep() -> None:
        for number in range(60):
            saved_work.save_segments(store, "e1", numbered(number))

    saved_work.save_segments(store, "e1", numbered(0))
    with ThreadPoolExecutor(1) as pool:
        writer = pool.submit(keep)
        read = []
        while not writer.done() or not read:
            read.append(saved_work.load_segments(store, "e1", 4))
    writer.result()
    assert [one for one in read if one is None] == []
    assert all(one.partition.labels[0] == one.partition.centroids[0, 0] for one in read if one)


def changed() -> Segmentation:
    vectors = np.eye(4, dtype=np.float32)
    cut = Partition(
        np.array([0, 1, 2, -1], dtype=np.int32), vectors[:3], np.arange(3, dtype=np.int32), 0.0, 1, False,
        ClusterSettings(n_clusters=3),
    )  # fmt: skip
    return Segmentation("e1", ViewWeights(), editing.merge(cut, vectors, [1, 2]), cut=cut)


def test_changes_by_hand_come_back_with_what_they_began_from(store: Store) -> None:
    saved_work.save_segments(store, "e1", changed())
    found = saved_work.load_segments(store, "e1", 4)
    assert found is not None and found.cut is not None
    assert found.partition.digest == changed().partition.digest
    assert found.partition.edits == changed().partition.edits
    assert found.as_cut.digest == changed().as_cut.digest
    back = editing.first_changes(found.cut, found.partition, np.eye(4, dtype=np.float32), 0)
    assert back.digest == changed().as_cut.digest


def test_changes_by_hand_are_kept_when_others_are_on_screen_and_until_they_are_taken_back(
    store: Store,
) -> None:
    assert saved_work.load_edited(store, "e1", 4) is None
    saved_work.save_edited(store, "e1", changed())
    saved_work.save_segments(store, "e1", KEPT)
    found = saved_work.load_edited(store, "e1", 4)
    assert found is not None and found.partition.digest == changed().partition.digest
    assert saved_work.load_edited(store, "e1", 5) is None
    saved_work.save_edited(store, "e1", replace(changed(), partition=changed().as_cut, cut=None))
    assert saved_work.load_edited(store, "e1", 4) is None
