"""A data set made by a filter is what preparing only those records would have made."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.base.errors import SettingsError
from core.base.progress import silent
from core.base.schema import Group, Outcomes, Pages, Raw, SessionColumns, Users
from core.base.settings import IngestSettings
from core.ingest.sample.write_sample import write_sample
from core.periods.filter import CountFilter
from core.periods.filtering import NOT_BY_DAY
from core.runs import pipeline
from core.storage.dataset import Dataset
from core.storage.day_coverage import day_coverage
from core.storage.store import Store

FIRST, LAST = date(2025, 11, 20), date(2025, 12, 15)
MOBILE = CountFilter(device=("mobile",))
CLEANED = IngestSettings(mask_own=False)  # what is masked depends on who else is there
DAYS = CountFilter(first_day=FIRST, last_day=LAST)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    path = tmp_path_factory.mktemp("sample") / "shop.csv"
    write_sample(path, users=300, seed=3)
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    rows.loc[rows["event_name"] == "add_to_cart", Raw.PURCHASE_REVENUE] = "1.5"
    session = pd.to_numeric(rows["ga_session_id"]).fillna(0).astype(int)
    return rows.assign(**{Raw.SESSION_CHANNEL: np.array(["Email", "Direct", "", "Referral"])[session % 4]})


def prepared(folder: Path, records: pd.DataFrame) -> tuple[Store, Dataset]:
    folder.mkdir()
    path, store = folder / "shop.csv", Store(folder / "cache")
    records.to_csv(path, index=False)
    return store, pipeline.preprocess(store, [path], CLEANED, silent)


@pytest.fixture(scope="module")
def whole(export: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Dataset]:
    return prepared(tmp_path_factory.mktemp("whole") / "in", export)


def views(dataset: Dataset) -> pd.DataFrame:
    sequences = dataset.sequences
    ids = np.array(sequences.user_id.to_pylist(), dtype=object)
    return pd.DataFrame(
        {
            "user": ids[sequences.user],
            "page": dataset.pages[Pages.PAGE_LOCATION].to_numpy()[sequences.page],
            "at": sequences.timestamp,
            "session": sequences.session,
        }
    )


def events(dataset: Dataset) -> pd.DataFrame:
    found = dataset.events
    ids = np.array(dataset.sequences.user_id.to_pylist(), dtype=object)
    names = np.array(found.names, dtype=object)
    columns = {"user": ids[found.user], "name": names[found.name], "at": found.timestamp}
    own = pd.DataFrame(columns | {"session": found.session, "after": found.after})
    assert found.paid is not None
    assert len(found.paid) > 1
    return own.join(found.paid)


def channels(dataset: Dataset) -> pd.DataFrame:
    ids = np.array(dataset.sequences.user_id.to_pylist(), dtype=object)
    found = dataset.session_channels.astype({SessionColumns.CHANNEL: str})
    return found.assign(user=ids[found[SessionColumns.USER]])


def outcomes(dataset: Dataset) -> pd.DataFrame:
    own = dataset.outcomes[dataset.outcomes[Outcomes.USER] < len(dataset.users)]
    named = own.assign(user=dataset.users[Users.USER_ID].to_numpy()[own[Outcomes.USER]])
    return named.sort_values([Outcomes.USER, Outcomes.EVENT_NAME]).reset_index(drop=True)


def test_users_that_fit_are_prepared_as_if_there_were_no_others(
    whole: tuple[Store, Dataset], export: pd.DataFrame, tmp_path: Path
) -> None:
    store, dataset = whole
    found = pipeline.narrow(store, dataset, MOBILE)
    ids = set(dataset.users.loc[dataset.users[Users.DEVICE] == "mobile", Users.USER_ID])
    assert 0 < len(ids) < len(dataset.users)
    assert 0 < len(channels(found)) < len(channels(dataset))
    _, alone = prepared(tmp_path / "in", export[export["user_pseudo_id"].isin(ids)])
    pd.testing.assert_frame_equal(found.users, alone.users)
    pd.testing.assert_frame_equal(found.pages, alone.pages)
    pd.testing.assert_frame_equal(views(found), views(alone))
    pd.testing.assert_frame_equal(events(found), events(alone))
    pd.testing.assert_frame_equal(channels(found), channels(alone))
    pd.testing.assert_frame_equal(outcomes(found), outcomes(alone), check_dtype=False)
    assert found.receipt.page_views_used == alone.receipt.page_views_used
    assert found.receipt.users_by_group == alone.receipt.users_by_group
    assert found.receipt.engagement_share == alone.receipt.engagement_share


def test_days_that_fit_are_prepared_as_if_there_were_no_others(
    whole: tuple[Store, Dataset], export: pd.DataFrame, tmp_path: Path
) -> None:
    store, dataset = whole
    found = pipeline.narrow(store, dataset, DAYS)
    days = export["event_date"].between(f"{FIRST:%Y%m%d}", f"{LAST:%Y%m%d}")
    _, alone = prepared(tmp_path / "in", export[days])
    told = [Users.USER_ID, Users.GROUP, Users.PAGE_VIEWS, Users.SESSIONS, Users.FIRST_TS, Users.LAST_TS]
    same = (found.users[Users.GROUP] != Group.BOT_LIKE) & (alone.users[Users.GROUP] != Group.BOT_LIKE)
    pd.testing.assert_frame_equal(found.users.loc[same, told], alone.users.loc[same, told])
    pd.testing.assert_frame_equal(views(found), views(alone))
    pd.testing.assert_frame_equal(events(found), events(alone))
    pd.testing.assert_frame_equal(channels(found), channels(alone))
    counted = [Outcomes.USER, Outcomes.EVENT_NAME, Outcomes.SESSIONS, Outcomes.FIRST_TS]
    pd.testing.assert_frame_equal(outcomes(found)[counted], outcomes(alone)[counted], check_dtype=False)


def test_what_is_not_known_by_day_is_absent_and_said(whole: tuple[Store, Dataset]) -> None:
    found = pipeline.narrow(*whole, DAYS)
    assert found.outcomes[Outcomes.REVENUE].isna().all()
    assert found.users[Users.ENGAGEMENT_MSEC].isna().all()
    assert NOT_BY_DAY in found.receipt.warnings
    assert NOT_BY_DAY not in pipeline.narrow(*whole, MOBILE).receipt.warnings


def test_the_receipt_is_one_step_longer_and_says_what_was_left_out(whole: tuple[Store, Dataset]) -> None:
    store, dataset = whole
    found = pipeline.narrow(store, dataset, MOBILE)
    step = found.receipt.waterfall[-1]
    assert step.label == "Not counted: outside device mobile"
    assert step.users == len(dataset.users) - len(found.users)
    assert found.receipt.narrowed == "device mobile"
    again = pipeline.narrow(store, found, DAYS)
    assert again.receipt.narrowed == "device mobile; from 20 Nov 2025 to 15 Dec 2025"
    assert len(again.receipt.waterfall) == len(dataset.receipt.waterfall) + 2


def test_what_the_receipt_says_in_words_is_of_what_is_left(tmp_path: Path, export: pd.DataFrame) -> None:
    some = export[export["user_pseudo_id"].isin(export["user_pseudo_id"].unique()[:9])]
    bought = some.head(1).assign(
        user_pseudo_id="", event_name="purchase", purchase_revenue="5", transaction_id="n"
    )
    store, dataset = prepared(tmp_path / "in", pd.concat([some, bought]))
    assert any("every total" in text for text in dataset.receipt.warnings)
    for found in (dataset, pipeline.narrow(store, dataset, MOBILE)):
        assert found.receipt.days == day_coverage(found.receipt.page_views_by_day).sentence
        assert sum(found.receipt.page_views_by_day.values()) == found.receipt.page_views_used
    assert found.receipt.no_user_id == {}
    assert not any("every total" in text for text in found.receipt.warnings)


def test_the_same_filter_makes_the_same_data_set_once(whole: tuple[Store, Dataset]) -> None:
    assert pipeline.narrow(*whole, MOBILE).key == pipeline.narrow(*whole, MOBILE).key
    assert pipeline.narrow(*whole, MOBILE).key != whole[1].key


def test_nobody_left_is_refused(whole: tuple[Store, Dataset]) -> None:
    with pytest.raises(SettingsError, match="leaves nobody"):
        pipeline.narrow(*whole, CountFilter(country=("Atlantis",)))


def test_events_of_sessions_without_a_page_view_stay_behind_those_with_one(
    whole: tuple[Store, Dataset],
) -> None:
    found = pipeline.narrow(*whole, DAYS)
    made = found.events
    assert (made.after <= found.sequences.lengths[made.user]).all()
    assert (made.session >= 0).all()
