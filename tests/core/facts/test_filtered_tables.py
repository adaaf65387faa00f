"""Segments of a part of the users are counted as in a data set of that part alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from core.base.errors import SettingsError
from core.base.progress import silent
from core.base.schema import OUTSIDE, Users
from core.base.settings import AnalyzeSettings, ClusterSettings, IngestSettings
from core.facts.context import Basis, Tables
from core.facts.filtered_tables import filtered_tables
from core.ingest.sample.write_sample import write_sample
from core.periods.dataset_part import DatasetPart
from core.periods.filter import CountFilter
from core.profiles.metrics import profile
from core.profiles.outcomes import OutcomeIndex
from core.profiles.profile_columns import Col
from core.runs import pipeline
from core.segments.one_page import OnePageSegments
from core.segments.partition import Partition
from core.storage.dataset import Dataset, is_clustered
from core.storage.store import Store

K = 3
FILTERS = {
    "mobile": CountFilter(device=("mobile",)),
    "days": CountFilter(first_day=date(2025, 11, 20), last_day=date(2025, 12, 15)),
    "both": CountFilter(device=("mobile", "desktop"), first_day=date(2025, 12, 1)),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Dataset, Tables]:
    folder = tmp_path_factory.mktemp("shop")
    write_sample(folder / "shop.csv", users=250, seed=3)
    store = Store(folder / "cache")
    dataset = pipeline.preprocess(store, [folder / "shop.csv"], IngestSettings(), silent)
    labels = np.full(len(dataset.users), OUTSIDE, dtype=np.int32)
    inside = np.flatnonzero(is_clustered(dataset.users))
    labels[inside] = np.arange(len(inside)) % K
    cut = ClusterSettings(n_clusters=K)
    ids = np.arange(K, dtype=np.int32)
    partition = Partition(labels, np.zeros((K, 2), np.float32), ids, 0, 1, False, cut)
    basis = Basis.from_dataset(dataset)
    settings = AnalyzeSettings(outcome=("purchase",))
    one_page = pipeline.one_page_segments(dataset, None)
    return store, dataset, Tables(basis, profile(basis.data, labels, settings, one_page), partition)


@pytest.mark.parametrize("name", FILTERS)
def test_it_counts_what_a_data_set_of_the_part_counts(made: tuple[Store, Dataset, Tables], name: str) -> None:
    store, dataset, whole = made
    part = DatasetPart.of(dataset, FILTERS[name])
    alone = pipeline.narrow(store, dataset, FILTERS[name])
    found = filtered_tables(whole, part, None)
    kept = dataset.users[Users.USER_ID].isin(alone.users[Users.USER_ID]).to_numpy()
    assert 0 < kept.sum() < len(kept)
    basis = Basis.from_dataset(alone)
    one_page = whole.profiles.one_page
    assert one_page is not None
    expected = profile(
        basis.data, whole.partition.labels[kept], whole.profiles.settings,
        replace(one_page, codes=one_page.codes[kept]),
    )  # fmt: skip
    pd.testing.assert_frame_equal(found.profiles.segments, expected.segments)
    pd.testing.assert_frame_equal(found.profiles.shares, expected.shares)
    same = [Col.KEY, Col.RANKING, Col.PAGE_LOCATION]  # of pages alike, others may be the last ones
    both = found.profiles.top_pages.merge(expected.top_pages, on=same)
    assert len(both) > len(expected.top_pages) / 2
    assert (both[f"{Col.USERS}_x"] == both[f"{Col.USERS}_y"]).all()
    first_day = pd.Timestamp(FILTERS[name].first_day or "1970-01-01").value // 1000
    assert part.came_before.tolist() == (dataset.users[Users.FIRST_TS][kept] < first_day).tolist()
    timed = np.array(part.events.names, dtype=object)[part.events.name], part.events.timestamp
    assert timed[0].tolist() == np.array(alone.events.names, dtype=object)[alone.events.name].tolist()
    assert (timed[1] == alone.events.timestamp).all() and (part.events.after == alone.events.after).all()


def test_an_outcome_that_nobody_of_the_part_has_is_none_of_them(
    made: tuple[Store, Dataset, Tables],
) -> None:
    _, dataset, whole = made
    had = whole.profiles.conversions
    assert had is not None
    ids = dataset.users[Users.COUNTRY]
    without = next(value for value in ids.dropna().unique() if not (ids.iloc[had.user] == value).any())
    found = filtered_tables(whole, DatasetPart.of(dataset, CountFilter(country=(without,))), None)
    assert found.profiles.segments[Col.OUTCOME_USERS].eq(0).all()
    assert found.profiles.outcome == whole.profiles.outcome


def test_what_the_model_has_read_is_asked_of_the_whole(
    made: tuple[Store, Dataset, Tables], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, dataset, whole = made
    part = DatasetPart.of(dataset, FILTERS["mobile"])
    asked: list[int] = []
    monkeypatch.setattr(OutcomeIndex, "_leaking", lambda index, _: asked.append(index.n_users) or ("page",))
    whole.basis.data.outcomes._leaks.clear()
    found = filtered_tables(whole, part, None)
    assert found.basis.data.outcomes.leaks(("purchase",)) == ("page",)
    assert set(asked) == {len(dataset.users)}
    whole.basis.data.outcomes._leaks.clear()


def test_a_filter_that_leaves_nobody_of_a_segment_is_told(made: tuple[Store, Dataset, Tables]) -> None:
    _, dataset, whole = made
    outside = whole.partition.labels == OUTSIDE
    alone = replace(whole.partition, labels=np.where(outside, 0, OUTSIDE).astype(np.int32))
    mobile = (dataset.users[Users.DEVICE] == "mobile").to_numpy() & outside
    nobody = replace(alone, labels=np.where(mobile, OUTSIDE, alone.labels).astype(np.int32))
    with pytest.raises(SettingsError, match=r"nobody in a segment: .* fit device mobile are in none.*Clear"):
        filtered_tables(
            replace(whole, partition=replace(nobody, labels=np.full(len(outside), OUTSIDE, np.int32))),
            DatasetPart.of(dataset, FILTERS["mobile"]), None,
        )  # fmt: skip


def test_rows_without_anybody_are_told_as_empty(made: tuple[Store, Dataset, Tables]) -> None:
    """A segment that is left with nobody has no row; a rule of one-page users without any has one of 0."""
    _, dataset, whole = made
    place = int(np.flatnonzero(whole.partition.labels == 1)[0])
    only = CountFilter(country=(str(dataset.users[Users.COUNTRY].iloc[place]),), device=("tablet",))
    found = filtered_tables(whole, DatasetPart.of(dataset, only), None)
    users = found.profiles.segments.set_index(Col.KEY)[Col.USERS]
    assert users["all"] == found.basis.data.n_users
    assert len(found.differences) and isinstance(found.profiles.one_page, OnePageSegments)
