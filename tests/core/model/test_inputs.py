from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.model.inputs import N_GAPS, NO_GAP, Spans, gap_buckets, latest_views, padded_batch, token_streams
from core.model.vocabulary import (
    FIRST_VIEW,
    PADDING,
    UNKNOWN,
    Vocabulary,
    build_label_vocabulary,
    build_vocabulary,
)
from tests.core.model.toys import SHOP_URLS, sequences_of, streams_of

HALF_YEAR_S = 182 * 86_400


def test_gaps_double_from_bucket_to_bucket() -> None:
    seconds = np.cumsum([0, 0, 0.5, 1, 3, 7, 3600, HALF_YEAR_S, 10 * HALF_YEAR_S])
    buckets = gap_buckets((seconds * 1e6).astype(np.int64), np.array([0]))
    assert buckets.tolist() == [NO_GAP, 1, 1, 2, 3, 4, 12, N_GAPS - 1, N_GAPS - 1]


def test_gaps_do_not_reach_across_users() -> None:
    buckets = gap_buckets(np.array([0, 10**9, 5, 6]), np.array([0, 2]))
    assert buckets[2] == NO_GAP
    assert buckets.tolist()[0] == NO_GAP


@given(st.lists(st.integers(0, 2**50), min_size=1, max_size=30))
def test_every_gap_has_a_bucket(times: list[int]) -> None:
    buckets = gap_buckets(np.sort(np.array(times)), np.array([0]))
    assert buckets.dtype == np.uint8
    assert buckets.max() < N_GAPS
    assert (buckets[1:] > NO_GAP).all()


def test_latest_views_are_kept() -> None:
    spans = latest_views(sequences_of({"a": [0, 1, 2], "b": [3]}), max_length=2)
    assert spans.begin.tolist() == [1, 3]
    assert spans.length.tolist() == [2, 1]


def test_token_streams_mark_later_sessions_only() -> None:
    sequences = sequences_of({"a": [0, 1, 2], "b": [3, 4]}, sessions={"a": [0, 0, 1], "b": [0, 1]})
    vocabulary = build_vocabulary(SHOP_URLS, sequences.page, sequences.offsets[:-1], min_count=1)
    streams = token_streams(sequences, SHOP_URLS, vocabulary)
    assert streams.session_starts.tolist() == [0, 0, 1, 0, 1]
    assert streams.transitions[[0, 3]].tolist() == [FIRST_VIEW, FIRST_VIEW]
    assert len(set(streams.items.tolist())) == 5


def test_a_view_of_labels_covers_runs_with_a_label() -> None:
    names = ["Shoes", "Unknown", "Books"]
    sequences = sequences_of({"a": [1, 0, 1, 2], "b": [1, 1], "c": [2, 0, 1, 1], "d": [1]})
    vocabulary = build_label_vocabulary(names, sequences.page, sequences.offsets[:-1], 1)
    streams = token_streams(sequences, names, vocabulary)
    assert streams.items[:4].tolist() == [UNKNOWN, 3, UNKNOWN, 2]
    assert streams.covers(latest_views(sequences, 4)).tolist() == [True, False, True, False]
    assert streams.covers(latest_views(sequences, 2)).tolist() == [True, False, False, False]
    assert streams.labelled_share == 4 / 11


def test_the_view_of_pages_covers_every_run() -> None:
    sequences = sequences_of({"a": [0, 1], "b": [2]})
    streams = token_streams(sequences, SHOP_URLS, Vocabulary((), (), (), ()))
    assert streams.items.tolist() == [UNKNOWN] * 3
    assert streams.covers(latest_views(sequences, 2)).all()
    assert streams.labelled_share == 1


def test_padded_batch_lays_runs_side_by_side() -> None:
    batch = padded_batch(streams_of([2, 3, 4, 5, 6, 7]), Spans(np.array([1, 4]), np.array([3, 1])))
    assert batch.items.tolist() == [[3, 4, 5], [6, PADDING, PADDING]]
    assert batch.mask.tolist() == [[True, True, True], [True, False, False]]


def test_first_view_of_a_run_keeps_nothing_of_what_came_before() -> None:
    streams = streams_of([2, 3, 4], gaps=[0, 5, 6])
    streams.session_starts[1:] = 1
    batch = padded_batch(streams, Spans(np.array([1]), np.array([2])))
    assert batch.gaps.tolist() == [[NO_GAP, 6]]
    assert batch.transitions.tolist() == [[FIRST_VIEW, 1]]
    assert batch.session_starts.tolist() == [[0, 1]]


def test_a_run_at_the_end_of_the_data_does_not_read_beyond_it() -> None:
    batch = padded_batch(streams_of([2, 3, 4]), Spans(np.array([0, 2]), np.array([3, 1])))
    assert batch.items.tolist() == [[2, 3, 4], [4, 0, 0]]
