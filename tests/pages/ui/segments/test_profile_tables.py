"""Profile tables in the form that charts take."""

import pandas as pd
import pytest

from core.base.settings import AnalyzeSettings
from core.profiles.metrics import ProfileData, Profiles, profile
from core.profiles.profile_columns import Col
from core.runs import artifacts
from core.storage.dataset import is_clustered
from core.storage.store import Store
from pages.ui.segments import profile_tables as tables
from tests.core.profiles.toy import LABELS, outcomes, toy_tables
from tests.pages.fixtures_segments import FinishedRun

NAMES = {0: "1 · Everybody"}


@pytest.fixture
def profiles(finished_run: FinishedRun) -> Profiles:
    """Two segments: the users whose id starts with ``user_0``, and the others."""
    data = artifacts.open_dataset(Store(finished_run.root), finished_run.dataset)
    labels = (~data.users["user_id"].str.startswith("user_0")).to_numpy().astype("int32")
    labels[~is_clustered(data.users)] = -1
    return profile(ProfileData.from_dataset(data), labels, AnalyzeSettings())


def test_segments_take_the_analysts_name_and_groups_keep_theirs(profiles: Profiles) -> None:
    named = tables.named(profiles.segments, NAMES)
    assert named[Col.LABEL].tolist() == [
        "1 · Everybody",
        "Segment 2",
        "One-page users",
        "Bot-like users",
        "All users",
    ]
    assert profiles.segments[Col.LABEL].iloc[0] == "Segment 1"


def test_heat_cells_compare_within_minus_one_and_one(profiles: Profiles) -> None:
    cells = tables.heat_cells(profiles, NAMES)
    assert cells[Col.DIFFERENCE].between(-1, 1).all()
    assert cells["text"].notna().all()
    assert "1 · Everybody" in set(cells[Col.LABEL])


def test_rates_are_of_segments_only(profiles: Profiles) -> None:
    rates = tables.rates(profiles, NAMES)
    assert rates[Col.LABEL].tolist() == ["1 · Everybody", "Segment 2"]
    assert rates["converted"].tolist() == [24, 1]
    assert rates[Col.REST_SHARE].tolist() == rates["rate"].tolist()[::-1]  # of two, the other is the rest
    assert ((rates["low"] <= rates["rate"]) & (rates["rate"] <= rates["high"])).all()


def test_each_outcome_keeps_its_numbers_so_that_they_sort(profiles: Profiles) -> None:
    found = tables.each_outcome(profiles, NAMES)
    assert found[found["Segment"] == "1 · Everybody"]["Users with it"].tolist() == [24]
    assert found["Rate"].dtype == float


def test_why_no_page_view_of_a_buyer_is_used_is_said_apart() -> None:
    """User 0 bought and has page views, 9 bought and has none, 8 bought and saw a left-out page only."""
    done = outcomes(
        [(user, "purchase", 1, 1, None) for user in (0, 8, 9)] + [(8, "page:/thanks", 1, 1, None)]
    )
    users, pages, _, sequences = toy_tables()
    data = ProfileData.from_tables(users, pages, done, sequences)
    made = profile(data, LABELS, AnalyzeSettings())
    assert tables.without_page_view(made, data.outcomes) == (
        ", and 1 without a page view, 1 who viewed left-out pages only"
    )


def test_shares_of_chosen_rows_stand_beside_those_of_the_others(profiles: Profiles) -> None:
    found = tables.shares_of(profiles, NAMES, "device", ["segment:0"])
    assert set(found[Col.LABEL]) == {"1 · Everybody"}
    assert found[[Col.SHARE, Col.REST_SHARE]].sum().tolist() == pytest.approx([1.0, 1.0])


def test_pages_of_one_ranking_come_in_order(profiles: Profiles) -> None:
    found = tables.pages_of(profiles, "segment:0", "over", first=2)
    assert found[Col.RANK].tolist() == [1, 2]


def test_every_field_is_defined_with_its_evidence(profiles: Profiles) -> None:
    meaning = tables.definitions(profiles)
    assert set(meaning) == set(profiles.fields[Col.FIELD])
    assert meaning[Col.ENGAGEMENT_MEAN].endswith("a difference is a finding.")
    assert meaning[Col.OUTCOME_RATE].endswith("a page that gives it away.")  # the cart, which every buyer saw


def test_an_axis_label_breaks_into_short_lines() -> None:
    assert (
        max(map(len, tables.axis_text("Engagement time of the middle user").split("\n"))) <= tables.AXIS_WIDTH
    )


def test_the_row_of_everybody_counts_everybody(profiles: Profiles) -> None:
    everybody = tables.everybody(profiles)
    assert isinstance(everybody, pd.Series)
    assert everybody[Col.USERS] == profiles.n_users
