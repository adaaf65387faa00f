from __future__ import annotations

from pathlib import Path

import numpy as np

from core.pipeline import open_dataset
from core.scorecard.counts import bag, normalised, positions, steps
from core.scorecard.simple import FAST_DIM, BagOfPages, Transitions, bag_vectors, components
from core.store import Store
from tests.pages.fixtures_segments import write_run

PAGES = np.array([0, 1, 0, 2, 2, 1])
BEGIN, LENGTH = np.array([0, 3]), np.array([3, 3])  # pages 0 1 0, and 2 2 1


def test_positions_of_two_runs() -> None:
    rows, where, place = positions(np.array([4, 0]), np.array([2, 1]))
    assert rows.tolist() == [0, 0, 1]
    assert where.tolist() == [4, 5, 0]
    assert place.tolist() == [0, 1, 0]


def test_a_bag_counts_pages_and_steps_count_what_follows_what() -> None:
    assert bag(PAGES, 3, BEGIN, LENGTH).toarray().tolist() == [[2, 1, 0], [0, 1, 2]]
    counted = steps(PAGES, 3, BEGIN, LENGTH).toarray().reshape(2, 3, 3)
    assert counted[0].tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]
    assert counted[1].tolist() == [[0, 0, 0], [0, 0, 0], [0, 1, 1]]


def test_no_step_leads_from_one_user_to_the_next() -> None:
    assert steps(PAGES, 3, BEGIN, LENGTH).sum() == 4


def test_a_page_that_everybody_sees_weighs_least() -> None:
    idf = BagOfPages.fit(PAGES, 3, BEGIN, LENGTH).idf
    assert idf[1] == 1.0  # ln(3 / 3) + 1
    assert np.allclose(idf[[0, 2]], np.log(3 / 2) + 1)


def test_a_bag_does_not_know_the_order_and_transitions_do() -> None:
    pages = np.array([0, 1, 2, 2, 1, 0])
    bags = BagOfPages.fit(pages, 3, BEGIN, LENGTH).embed(BEGIN, LENGTH)
    stepped = Transitions.fit(pages, 3, BEGIN, LENGTH).embed(BEGIN, LENGTH)
    assert np.array_equal(bags[0], bags[1])
    assert not np.allclose(stepped[0], stepped[1])


def test_a_run_of_one_page_has_no_steps() -> None:
    model = Transitions.fit(PAGES, 3, BEGIN, LENGTH)
    assert not model.embed(np.array([2]), np.array([1])).any()


def test_few_pages_are_not_reduced_and_many_are() -> None:
    few = bag(PAGES, 3, BEGIN, LENGTH)
    assert components(few, 3).tolist() == np.eye(3).tolist()
    many = bag(np.arange(40), 40, np.arange(0, 40, 4), np.full(10, 4))
    assert components(many, 5).shape == (40, 5)
    assert np.array_equal(components(many, 5), components(many, 5))


def test_rows_are_of_length_one_and_nothing_stays_nothing() -> None:
    assert normalised(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist() == [
        [np.float32(0.6), np.float32(0.8)],
        [0, 0],
    ]


def test_the_fast_mode_gives_a_view_of_the_usual_width(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    dataset = open_dataset(Store(tmp_path), run.dataset)
    vectors = bag_vectors(dataset)
    assert vectors.shape == (dataset.sequences.n_users, FAST_DIM)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    kinds = np.array(
        [user.split("_")[1] for user in dataset.sequences.user_id.to_pylist() if "user_" in user]
    )
    people = np.array(["user_" in user for user in dataset.sequences.user_id.to_pylist()])
    alike = vectors[people] @ vectors[people].T
    assert alike[kinds[:, None] == kinds].min() > alike[kinds[:, None] != kinds].max()
