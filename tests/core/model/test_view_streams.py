from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.base.errors import ArtifactError
from core.base.schema import View
from core.base.settings import ViewWeights
from core.model.embedding import embed
from core.model.inputs import FACTORS, build_vocabularies, view_factors, view_streams
from core.model.model_files import load_model
from core.model.training import train
from core.segments.combination import combine
from tests.core.model.toys import SHOP_URLS, TINY, sequences_of, shop

THEMES = ["Shoes"] * 8 + ["Books"] * 8
TYPES = ["Category", *["Product"] * 7] * 2
NAMES = {View.URL: SHOP_URLS, View.THEME: THEMES, View.TYPE: TYPES}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made, users = tmp_path_factory.mktemp("model"), shop(80)
    seconds = np.cumsum(np.random.default_rng(0).integers(1, 4000, users.n_views))  # or nobody has a tempo
    train(replace(users, timestamp=seconds * 1_000_000), NAMES, TINY, made)
    return made


def test_a_labelled_export_has_three_views(folder: Path) -> None:
    vectors = embed(folder, shop(30), NAMES)
    assert list(vectors) == [View.URL, View.THEME, View.TYPE]
    for array in vectors.values():
        np.testing.assert_allclose(np.linalg.norm(array, axis=1), 1, atol=1e-5)


def test_the_theme_vector_knows_themes_only(folder: Path) -> None:
    """Other pages of the same themes, in another order, at another pace, leave it as it is: exactly."""
    here = embed(folder, sequences_of({"a": [1, 9, 2]}), NAMES)
    there = embed(folder, sequences_of({"a": [12, 0, 7]}, seconds={"a": [0, 500, 501]}), NAMES)
    np.testing.assert_array_equal(here[View.THEME], there[View.THEME])
    assert np.abs(here[View.URL] - there[View.URL]).max() > 1e-4


def test_the_type_vector_knows_types_order_and_pace_but_no_pages(folder: Path) -> None:
    here, other, turned, slow = (
        embed(folder, sequences_of({"a": pages}, seconds={"a": times}), NAMES)[View.TYPE]
        for pages, times in (
            ([0, 9, 2], [0, 10, 20]),
            ([8, 1, 15], [0, 10, 20]),
            ([9, 0, 2], [0, 10, 20]),
            ([0, 9, 2], [0, 3000, 6000]),
        )
    )
    np.testing.assert_array_equal(here, other)
    assert np.abs(here - turned).max() > 1e-4
    assert np.abs(here - slow).max() > 1e-4


def test_each_weight_moves_users(folder: Path) -> None:
    views = embed(folder, shop(30), NAMES)
    base = combine(views, ViewWeights()).vectors
    for change in ({"url": 0.0}, {"theme": 0.0}, {"type": 0.0}):
        moved = combine(views, ViewWeights(**change)).vectors
        assert np.abs(base - moved).max() > 0.05, change


def test_a_view_in_which_every_page_is_the_same_is_left_out() -> None:
    names = {View.URL: SHOP_URLS, View.THEME: ["Shoes"] * 16, View.TYPE: ["Unknown"] * 16}
    assert list(build_vocabularies(shop(20), names, 1)) == [View.URL]


def test_names_must_be_there_for_every_view(folder: Path) -> None:
    sequences, vocabularies = shop(20), load_model(folder).vocabularies
    with pytest.raises(ArtifactError, match="theme view needs a name for each of 16 pages, and 0 have one"):
        view_streams(sequences, {View.URL: SHOP_URLS}, vocabularies)


@pytest.mark.parametrize("label", ["Never seen", "Unknown"])
def test_who_saw_no_label_has_no_vector_in_that_view(folder: Path, label: str) -> None:
    views = embed(folder, shop(10), NAMES | {View.THEME: [label] * 8 + ["Books"] * 8})
    looks_at_books = np.arange(10) % 2 == 1
    np.testing.assert_array_equal(views[View.THEME].any(axis=1), looks_at_books)
    everything = combine(views, ViewWeights()).vectors
    np.testing.assert_allclose(np.linalg.norm(everything, axis=1), 1, atol=1e-5)
    assert not embed(folder, shop(10), NAMES | {View.THEME: [label] * 16})[View.THEME].any()


def test_coverage_is_the_share_of_page_views_with_a_label(folder: Path) -> None:
    names = NAMES | {View.THEME: ["Unknown"] * 8 + ["Books"] * 8}
    sequences = sequences_of({"a": [0, 1, 8], "b": [9]})
    found = view_factors(view_streams(sequences, names, load_model(folder).vocabularies))
    assert found == {View.URL: 1.0, View.THEME: 0.5 * FACTORS[View.THEME], View.TYPE: FACTORS[View.TYPE]}
