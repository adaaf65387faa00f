"""Blocks of three short runs that can be counted by eye."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.model.feature_blocks import BLOCKS, FeatureBlock, features
from core.model.inputs import Spans, TokenStreams
from core.model.vocabulary import UNKNOWN
from tests.core.model.toys import streams_of

A, B = 2, 3
STREAMS = replace(
    streams_of([A, B, A, A, B, B, UNKNOWN], gaps=[0, 3, 3, 5, 0, 4, 4]),
    transitions=np.array([0, 2, 3, 1, 0, 4, 1], np.int32),
    session_starts=np.array([0, 0, 0, 1, 0, 0, 0], np.uint8),
)
RUNS = Spans(np.array([0, 4, 6]), np.array([4, 2, 1]))
HALF, THIRD = np.sqrt(1 / 2), np.sqrt(1 / 3)


def counted(block: FeatureBlock, width: int = 6, streams: TokenStreams = STREAMS) -> np.ndarray:
    found: np.ndarray = features(block, streams, RUNS, width).toarray()
    return found


def test_pages_are_shares_of_the_views() -> None:
    np.testing.assert_allclose(
        counted(FeatureBlock.PAGES, 4), [[0, 0, 3 / 4, 1 / 4], [0, 0, 0, 1], [0, 1, 0, 0]]
    )


def test_rare_pages_are_logarithms_in_a_row_of_length_one() -> None:
    three, one = 1 + np.log(3), 1.0
    expected = np.array([three, one]) / np.hypot(three, one)
    np.testing.assert_allclose(counted(FeatureBlock.RARE, 4)[0], [0, 0, *expected], rtol=1e-6)


def test_a_label_that_is_not_known_is_no_label() -> None:
    np.testing.assert_allclose(
        counted(FeatureBlock.SHARES, 4)[:2], [[0, 0, np.sqrt(3) / 2, 1 / 2], [0, 0, 0, 1]], rtol=1e-6
    )
    assert not counted(FeatureBlock.SHARES, 4)[2].any()


def test_a_step_into_a_new_session_and_the_first_view_are_no_steps() -> None:
    np.testing.assert_allclose(
        counted(FeatureBlock.STEPS, 5), [[0, 0, HALF, HALF, 0], [0, 0, 0, 0, 1], [0] * 5], rtol=1e-6
    )


def test_the_gap_before_a_session_counts_as_tempo() -> None:
    np.testing.assert_allclose(counted(FeatureBlock.TEMPO)[0, [3, 5]], [np.sqrt(2 / 3), THIRD], rtol=1e-6)
    assert not counted(FeatureBlock.TEMPO)[2].any()


def test_a_place_is_early_or_late_in_the_session_as_the_run_holds_it() -> None:
    """The first run is A B A | A: A stands at −1, 1 and, alone in its session, 0; B at 0."""
    np.testing.assert_allclose(counted(FeatureBlock.PLACE, 4)[0], [0, 0, 0, 0], atol=1e-7)
    np.testing.assert_allclose(counted(FeatureBlock.PLACE, 4)[1], [0, 0, 0, 0], atol=1e-7)  # B B: −1 and 1
    early = replace(STREAMS, groups=np.array([A, B, B, A, A, B, A], np.int32))
    # A at −1 and 0, B at 0 and 1, both twice, of four views; then A at −1 and B at 1, once, of two
    np.testing.assert_allclose(
        counted(FeatureBlock.PLACE, 4, early)[:2],
        [[0, 0, -HALF / 2, HALF / 2], [0, 0, -HALF, HALF]],
        rtol=1e-6,
    )


@pytest.mark.parametrize("block", [block for block in FeatureBlock if block is not FeatureBlock.NETWORK])
def test_a_run_is_counted_the_same_whatever_stands_beside_it(block: FeatureBlock) -> None:
    alone = features(block, STREAMS, RUNS[slice(0, 1)], 6).toarray()
    np.testing.assert_array_equal(alone[0], counted(block)[0])


def test_themes_know_no_order_and_no_tempo() -> None:
    themes = next(blocks for view, blocks in BLOCKS.items() if view == "theme")
    assert set(themes) == {FeatureBlock.SHARES}
