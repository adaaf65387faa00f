"""Users of several data sets are counted as those of one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.base.progress import silent
from core.base.schema import Users
from core.base.settings import AnalyzeSettings, IngestSettings, OutcomeCount
from core.data.dataset import Dataset
from core.engines.parts import split
from core.ingest.decisions import decide
from core.ingest.ingest import transform
from core.profiles.data import ProfileData
from core.profiles.joined import JoinedUsers
from core.profiles.metrics import profile
from tests.core.ingest.crowd import crowd
from tests.core.ingest.shop import made_of, raw_read

PAGE = "page:https://shop.example/p/b"
Sets = tuple[Dataset, list[Dataset]]


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Sets:
    """A data set, and the same users in two."""
    folder = tmp_path_factory.mktemp("joined")
    raw = raw_read(folder / "raw", [crowd(80, 1)])
    (folder / "decided").mkdir()
    decided = decide(raw, IngestSettings(), folder / "decided", silent)
    parts = []
    for number, part in enumerate(split(raw, 2, folder / "parts")):
        (out := folder / str(number)).mkdir()
        transform(part, IngestSettings(), out, silent, folder, decided=decided)
        parts.append(Dataset(out, ""))
    return made_of(folder / "whole", raw), parts


def labels_of(dataset: Dataset) -> np.ndarray:
    """A segment of each user, whatever data set it is in."""
    inside = (dataset.users[Users.GROUP] == "segment").to_numpy()
    number = dataset.users[Users.USER_ID].str.partition(".")[0].str.len().to_numpy()
    return np.where(inside, number, -1).astype(np.int32)


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
    users = JoinedUsers(data.outcomes, expected.chosen)
    for part in parts:
        users.add(ProfileData.from_dataset(part))
    found = profile(users.data(), np.concatenate([labels_of(part) for part in parts]), settings)
    assert found.n_users == expected.n_users == len(whole.users)
    assert len(expected.segments) > 3
    for name in ("segments", "top_pages", "shares", "heatmap"):
        pd.testing.assert_frame_equal(getattr(found, name), getattr(expected, name), obj=name)
    for name, by in (("outcomes", ["outcome", "currency", "key"]), ("fields", ["field"])):
        one, other = (  # currencies come in the order of users
            getattr(each, name).drop(columns="definition", errors="ignore").sort_values(by, ignore_index=True)
            for each in (found, expected)
        )
        pd.testing.assert_frame_equal(one, other, obj=name)
    assert found.notes == expected.notes


@pytest.mark.parametrize("counts", OutcomeCount)
def test_a_page_that_nobody_of_a_part_saw_is_an_outcome_that_nobody_of_it_has(
    sets: Sets, counts: OutcomeCount
) -> None:
    whole, parts = sets
    data = ProfileData.from_dataset(whole)
    seen = [set(ProfileData.from_dataset(part).page_location) for part in parts]
    (alone, *_), other = sorted(seen[0] - seen[1]), parts[1]
    settings = AnalyzeSettings(outcome=("purchase", f"page:{alone}"), outcome_counts=counts)
    there = ProfileData.from_dataset(other).outcomes.part_of(data.outcomes, settings.outcome or ())
    assert len(there.parts(settings)[f"page:{alone}"].user) == 0
    assert there.parts(settings)["purchase"].user.tolist() == there["purchase"].user.tolist()
    users = JoinedUsers(data.outcomes, settings.outcome or ())
    for part in parts:
        users.add(ProfileData.from_dataset(part))
    found = users.data().outcomes.parts(settings)
    expected = data.outcomes.parts(settings)
    assert [len(had.user) for had in found.values()] == [len(had.user) for had in expected.values()]
    assert len(found[f"page:{alone}"].user) > 0
