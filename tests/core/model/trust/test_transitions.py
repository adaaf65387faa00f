from __future__ import annotations

import numpy as np

from core.model.bag import BagOfPages
from core.model.inputs import Spans
from core.model.trust.case import TransitionVectors

RUNS = Spans(np.array([0, 3]), np.array([3, 3]))


def test_a_bag_does_not_know_the_order_and_transitions_do() -> None:
    pages = np.array([0, 1, 2, 2, 1, 0])
    bags = BagOfPages.fit(pages, 3, RUNS).embed(pages, RUNS)
    stepped = TransitionVectors.fit(pages, 3, RUNS).embed(pages, RUNS)
    assert np.array_equal(bags[0], bags[1])
    assert not np.allclose(stepped[0], stepped[1])


def test_the_same_steps_give_the_same_vector_whatever_their_length_of_stay() -> None:
    kinds = np.array([0, 1, 0, 1, 0, 1, 0])
    once, twice = Spans(np.array([0]), np.array([3])), Spans(np.array([0]), np.array([7]))
    model = TransitionVectors.fit(kinds, 2, once)
    assert np.allclose(model.embed(kinds, once), model.embed(kinds, twice))  # as many 0→1 as 1→0 in both


def test_a_run_of_one_page_has_no_steps() -> None:
    kinds = np.array([0, 1, 0, 2, 2, 1])
    model = TransitionVectors.fit(kinds, 3, RUNS)
    assert not model.embed(kinds, Spans(np.array([2]), np.array([1]))).any()
