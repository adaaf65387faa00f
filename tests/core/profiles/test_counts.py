"""What is counted of parts of the users adds up to what is counted of all."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.base.progress import silent
from core.base.schema import Users
from core.base.settings import AnalyzeSettings, IngestSettings, OutcomeCount
from core.ingest.decisions import decide
from core.ingest.ingest import transform
from core.profiles.counts import Counts, NamedCounts, _named, count, sum_counts
from core.profiles.data import MAX_PAGES, ProfileData
from core.profiles.metrics import Profiles, drop_empty_rows, profile, profile_counts, with_any_of
from core.profiles.outcomes import OutcomeIndex
from core.profiles.rows import all_rows
from core.scoring.parts import split_by_user
from core.storage.dataset import Dataset
from tests.core.ingest.crowd import crowd
from tests.core.ingest.shop import event, made_of, raw_read

PAGE = "page:https://shop.example/p/b"
Sets = tuple[Dataset, list[Dataset]]


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Sets:
    """A data set, and the same users in two."""
    folder = tmp_path_factory.mktemp("joined")
    raw = raw_read(folder / "raw", [[*crowd(80, 1), *(event("7.7", at, "/imprint") for at in (0, 9))]])
    (folder / "decided").mkdir()
    decided = decide(raw, IngestSettings(), folder / "decided", silent)
    parts = []
    for number, part in enumerate(split_by_user(raw, 2, folder / "parts")):
        (out := folder / str(number)).mkdir()
        transform(part, IngestSettings(), out, silent, folder, decided=decided)
        parts.append(Dataset(out, ""))
    return made_of(folder / "whole", raw), parts


def labels_of(dataset: Dataset) -> np.ndarray:
    """A segment of each user, whatever data set it is in."""
    inside = (dataset.users[Users.GROUP] == "segment").to_numpy()
    number = dataset.users[Users.USER_ID].str.partition(".")[0].str.len().to_numpy()
    return np.where(inside, number, -1).astype(np.int32)


def counted(part: Dataset, whole: OutcomeIndex, settings: AnalyzeSettings) -> Counts:
    data, labels = ProfileData.from_dataset(part), labels_of(part)
    conversions = data.outcomes.part_of(whole, settings.outcome or ()).parts(settings)
    rows = all_rows(data, labels, range(40), None)  # of which many are nobody's
    return count(data, rows, with_any_of(conversions))


def told(counts: Counts, whole: OutcomeIndex, settings: AnalyzeSettings) -> Profiles:
    return drop_empty_rows(profile_counts(counts.in_order(MAX_PAGES), whole, settings))


@pytest.mark.parametrize(
    ("outcome", "counts"),
    [
        (("purchase",), OutcomeCount.ANY),
        (("purchase", PAGE), OutcomeCount.ANY),
        ((PAGE, "purchase"), OutcomeCount.FIRST),
        ((), OutcomeCount.ANY),
    ],
)
def test_the_profile_of_parts_is_that_of_the_whole(
    sets: Sets, outcome: tuple[str, ...], counts: OutcomeCount
) -> None:
    whole, parts = sets
    data = ProfileData.from_dataset(whole)
    settings = AnalyzeSettings(outcome=outcome, outcome_counts=counts)
    expected = profile(data, labels_of(whole), settings)
    one, two = (counted(part, data.outcomes, settings) for part in parts)
    found = told(sum_counts([one, two]), data.outcomes, settings)
    alone = told(sum_counts([counted(whole, data.outcomes, settings)]), data.outcomes, settings)
    by_steps = told(sum_counts([sum_counts([two]), one]), data.outcomes, settings)
    assert alone.to_json() == found.to_json() == by_steps.to_json()
    assert found.n_users == expected.n_users == len(whole.users)
    assert len(expected.segments) > 3
    for name in ("segments", "top_pages", "shares", "heatmap", "outcomes", "fields"):
        pd.testing.assert_frame_equal(getattr(found, name), getattr(expected, name), obj=name)
    assert found.notes == expected.notes
    assert found.rows.segments == expected.rows.segments


def test_what_is_added_up_takes_the_room_of_what_was_seen() -> None:
    rows, parts, pages = 14, 20, 1_000
    made: list[NamedCounts] = []
    for part in range(parts):  # an address a visit: no page of a part is in another one
        names = tuple(f"/{part}/{page:04d}" for page in range(pages))
        seen = np.zeros((rows, pages))
        seen[np.arange(pages) % rows, np.arange(pages)] = 1 + part
        made = [_named([*made, NamedCounts(names, seen, seen, names)])]
    [named] = made
    assert named.users.nnz == parts * pages  # and no cell for whom did not see it
    first = named.first(3)
    assert first.names == first.titles == ("/19/0000", "/19/0001", "/19/0002")
    np.testing.assert_array_equal(first.times, 20 * np.eye(rows, 3))


@pytest.mark.parametrize("counts", OutcomeCount)
def test_a_page_that_nobody_of_a_part_saw_is_an_outcome_that_nobody_of_it_has(
    sets: Sets, counts: OutcomeCount
) -> None:
    whole, parts = sets
    data = ProfileData.from_dataset(whole)
    seen = [set(ProfileData.from_dataset(part).page_location) for part in parts]
    alone, other = next(
        (min(page - without), part)
        for page in seen
        for without, part in zip(seen, parts, strict=True)
        if page - without
    )
    settings = AnalyzeSettings(outcome=("purchase", f"page:{alone}"), outcome_counts=counts)
    there = ProfileData.from_dataset(other).outcomes.part_of(data.outcomes, settings.outcome or ())
    assert len(there.parts(settings)[f"page:{alone}"].user) == 0
    assert there.parts(settings)["purchase"].user.tolist() == there["purchase"].user.tolist()
    found = sum_counts([counted(part, data.outcomes, settings) for part in parts]).outcomes
    expected = with_any_of(data.outcomes.parts(settings))
    for name, had in expected.items():
        assert found[name].users.sum() == len(had.user)
    assert found[f"page:{alone}"].users.sum() > 0
