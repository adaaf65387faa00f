"""Certificates: Hennig's index against scikit-learn's, words, rivals, and data in which nothing is sure."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from sklearn.metrics import jaccard_score

from core.base.errors import Cancelled
from core.base.settings import ClusterSettings
from core.segments.certificate import (
    NAMES_WITHHELD,
    UNSUPPORTED,
    Certificate,
    certify,
    coarser_that_holds,
    jaccard,
    marked_names,
    mostly_doubtful,
    pair_sentence,
    same_pairs,
    table,
    unions,
    verdict_text,
    with_verdict,
)
from core.segments.clustering import fit
from core.segments.editing import from_users
from core.segments.levels import NOT_COMPARED
from core.segments.partition import Partition
from tests.core.segments.blobs import blobs
from tests.core.segments.made_levels import supported


def cut(vectors: np.ndarray, k: int) -> Partition:
    return fit(vectors, np.ones(len(vectors), dtype=bool), ClusterSettings(n_clusters=k))


def test_the_index_is_users_in_both_by_users_in_either() -> None:
    one, other = np.random.default_rng(0).integers(0, 3, size=(2, 60))
    shared = np.array([[np.sum((one == a) & (other == b)) for b in range(3)] for a in range(3)])
    expected = [[jaccard_score(one == a, other == b) for b in range(3)] for a in range(3)]
    assert jaccard(shared) == pytest.approx(np.array(expected))


def test_two_taken_as_one_are_found_again_as_one_or_as_two() -> None:
    """Segments of 8, 4 and 9 users; others are cut into 6, 6 and 9, and of the first two each has a half."""
    shared = np.array([[4, 4, 0, 0], [2, 2, 0, 0], [0, 0, 9, 0], [0, 0, 0, 0]])
    first_two, all_but_second, all_but_first = 12 / 12, (4 + 9) / (8 + 9 + 2), 9 / (4 + 9)
    expected = [[0, first_two, all_but_second], [0, 0, all_but_first], [0, 0, 0]]
    assert unions(shared) == pytest.approx(np.array(expected))


def test_groups_that_are_there_are_highly_stable() -> None:
    vectors, _ = blobs((60, 50, 40), noise=0.05)
    found = certify(vectors, cut(vectors, 3), resamples=39)
    assert {one.word for one in found.values()} == {"highly stable"}
    assert [one.users for one in found.values()] == [60, 50, 40]
    assert all(one.rival is None and one.seeds == 1.0 for one in found.values())
    assert same_pairs(found) == []


def test_a_group_cut_in_two_is_unsure_and_its_rival_is_the_other_half() -> None:
    vectors, truth = blobs((200, 100), noise=0.1)
    partition = cut(vectors, 3)
    found = certify(vectors, partition, resamples=39)
    large = {int(one) for one in np.unique(partition.labels[truth == 0])}
    sure = [one for segment, one in found.items() if segment not in large]
    assert [one.word for one in sure] == ["highly stable"]
    for segment in large:
        assert found[segment].jaccard < 0.75
        assert found[segment].rival in large - {segment}
        assert found[segment].low <= found[segment].jaccard <= found[segment].high
        assert "moves to The rest." in found[segment].sentence({found[segment].rival: "The rest"})
    ((one, other),) = same_pairs(found)
    assert {one.segment, other.segment} == large
    assert (one.same_as, other.same_as) == (other.segment, one.segment)
    assert one.together == other.together == 1.0
    assert pair_sentence(one, other, {one.segment: "A", other.segment: "B"}).startswith(
        "A and B are really one: together their stability is 1.00, alone ."
    )


@pytest.mark.parametrize("k", [2, 6])
def test_no_two_parts_of_a_continuum_are_really_one(k: int) -> None:
    """Of two, together they are everybody; of more, borders with the others move as well."""
    vectors = np.random.default_rng(1).normal(size=(400, 5)).astype(np.float32)
    found = certify(vectors, cut(vectors, k), resamples=39)
    assert min(one.jaccard for one in found.values()) < 0.75
    assert same_pairs(found) == []


@pytest.mark.parametrize(
    ("index", "word"),
    [
        (0.59, "doubtful"),
        (0.6, "patterned"),
        (0.75, "stable"),
        (0.85, "highly stable"),
        (1.0, "highly stable"),
    ],
)
def test_words_are_hennigs(index: float, word: str) -> None:
    made = Certificate(0, 10, index, index, index, index, index, None, 0.0)
    assert made.word == word
    assert made.sentence({}).startswith(word.capitalize())


def test_it_is_told_in_a_line_with_the_rival_by_name() -> None:
    made = Certificate(0, 10, 0.824, 0.74, 1.0, 0.8, 1.0, rival=2, moves=0.1)
    assert (
        made.line({2: "3 · Readers"})
        == "Stability .82 [.74–1.00], given these vectors: stable · nearest: 3 · Readers"
    )
    assert replace(made, rival=None).line({}) == "Stability .82 [.74–1.00], given these vectors: stable"


def test_no_segment_is_called_stable_where_no_number_of_them_is_supported() -> None:
    sure = Certificate(0, 10, 0.9, 0.85, 1.0, 0.8, 1.0, None, 0.0)
    both = {0: sure, 1: replace(sure, segment=1, jaccard=0.5)}
    assert with_verdict(both, None) is both
    found = with_verdict(both, supported())
    assert [one.to_dict()["word"] for one in found.values()] == [UNSUPPORTED, "doubtful"]
    assert found[0].line({}) == "Stability .90 [.85–1.00], given these vectors"
    assert found[0].sentence({}).startswith("Given these vectors, it overlaps by 90%")
    assert {one.to_dict()["condition"] for one in both.values()} == {"given these vectors"}


@pytest.mark.parametrize(("doubtful", "is_said"), [(6, True), (5, False), (0, False)])
def test_where_most_segments_are_doubtful_the_verdict_says_so(doubtful: int, is_said: bool) -> None:
    """Ten segments; the users support them, or not, or nobody compared: it is said all the same."""
    sure = Certificate(0, 10, 0.9, 0.85, 1.0, 0.8, 1.0, None, 0.0)
    made = {place: replace(sure, jaccard=0.5 if place < doubtful else 0.9) for place in range(10)}
    for levels in (None, supported()):
        said = verdict_text(levels, with_verdict(made, levels))
        assert said.startswith(levels.sentence if levels else NOT_COMPARED)
        assert (f" {doubtful} of these 10 segments are doubtful" in said) == is_said
        assert ("given these vectors" in said) == is_said
        assert verdict_text(levels, made, kept_back=True) == f"{said} {NAMES_WITHHELD}"


def test_where_users_support_these_segments_doubt_comes_first_and_a_coarser_level_that_holds() -> None:
    """Three groups, cut into eight: the halves of a group change places, and three groups come again."""
    vectors, _ = blobs((120, 120, 120), noise=0.1)
    found = certify(vectors, cut(vectors, 8), resamples=39)
    levels = supported(2, 3, 8)
    doubt = mostly_doubtful(found)
    assert doubt and verdict_text(levels, found) == f"{doubt} {levels.sentence}"
    assert coarser_that_holds(levels, 8, partial(cut, vectors), vectors) == 3
    assert coarser_that_holds(supported(8), 8, partial(cut, vectors), vectors) is None


def test_a_doubtful_segment_says_so_beside_its_name_and_a_sure_one_does_not() -> None:
    sure = Certificate(0, 10, 0.6, 0.5, 0.7, 0.6, 1.0, None, 0.0)
    names = {0: "1 · Readers", 1: "Segment 2", 2: "Segment 3"}
    found = marked_names(names, {0: sure, 1: replace(sure, segment=1, jaccard=0.59)})
    assert found == {0: "1 · Readers", 1: "Segment 2 (doubtful)", 2: "Segment 3"}


def test_identical_users_and_users_outside_are_no_trouble() -> None:
    vectors = np.repeat(np.eye(2, 4, dtype=np.float32), 20, axis=0)
    inside = np.arange(40) % 4 != 0
    partition = fit(vectors, inside, ClusterSettings(n_clusters=2))
    found = table(certify(vectors, partition, resamples=39))
    assert found["users"].sum() == inside.sum()
    assert not found.drop(columns=["rival", "same_as", "together"]).isna().any(axis=None)
    assert (found["jaccard"] == 1.0).all()


def test_the_same_again_and_stopped_when_asked() -> None:
    vectors, _ = blobs(noise=0.4)
    partition = cut(vectors, 3)
    assert certify(vectors, partition, resamples=39) == certify(vectors, partition, resamples=39)

    def stop(stage: str, fraction: float, message: str = "", **figures: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        certify(vectors, partition, stop, resamples=39)


def test_two_segments_beside_chosen_users_are_not_called_one() -> None:
    vectors = np.random.default_rng(3).normal(size=(300, 2)).astype(np.float32)
    chosen = np.arange(300) < 20
    partition = from_users(cut(vectors, 2), vectors, chosen)
    found = certify(vectors, partition, resamples=39)
    assert len(found) == 2 and same_pairs(found) == []  # together they are all that are clustered
