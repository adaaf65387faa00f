"""The made-up sites are what they are said to be, with the truth of every page and user."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pandas as pd
import pytest

from benchmarks.sites import DEV, HELD, SiteFiles, write_site
from benchmarks.sites.plan import read_plan


@pytest.fixture(scope="module", params=DEV + HELD)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SiteFiles:
    return write_site(request.param, tmp_path_factory.mktemp("sites"), users=300, seed=3)


def test_every_page_has_truth_from_the_list_of_its_site(site: SiteFiles) -> None:
    events, truth = pd.read_csv(site.csv, dtype=str), pd.read_csv(site.pages, keep_default_na=False)
    locations = events.page_location.dropna()

    assert {unquote(urlsplit(x).path).rstrip("/") or "/" for x in locations} <= set(truth.path)
    assert truth.path.is_unique
    assert (truth.path == truth.path.str.lower()).all()
    assert set(truth.type) == set(read_plan(site.csv.stem)[1]["types"])
    assert 120 <= len(truth) <= 600


def test_users_are_those_of_the_truth_and_many_see_one_page(site: SiteFiles) -> None:
    events, truth = pd.read_csv(site.csv, dtype=str), pd.read_csv(site.users, dtype=str)
    views = events[events.event_name == "page_view"].groupby("user_pseudo_id").size()
    one_page = truth[truth.kind.str.startswith("one page: ")].user_pseudo_id

    assert truth.user_pseudo_id.is_unique
    assert set(events.user_pseudo_id) == set(truth.user_pseudo_id)
    assert set(views.index[views == 1]) == set(one_page)
    assert 0.3 <= len(one_page) / len(truth) <= 0.6


@pytest.mark.parametrize("name", [DEV[0], HELD[2]])
def test_the_same_seed_writes_the_same_bytes(name: str, tmp_path: Path) -> None:
    first, again, other = (
        write_site(name, tmp_path / f"{i}", users=40, seed=seed) for i, seed in enumerate((1, 1, 2))
    )

    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in again]
    assert first.csv.read_bytes() != other.csv.read_bytes()
    assert first.pages.read_bytes() == other.pages.read_bytes()


def test_some_buyers_have_no_page_view_and_pay_in_two_currencies(tmp_path: Path) -> None:
    files = write_site("mattress", tmp_path, users=1000)
    events = pd.read_csv(files.csv, dtype=str)
    kinds = pd.read_csv(files.users, dtype=str).set_index("user_pseudo_id").kind
    sales = events[events.event_name == "purchase"]
    unseen = set(sales.user_pseudo_id) - set(events[events.event_name == "page_view"].user_pseudo_id)

    assert unseen == set(kinds.index[kinds == "bought without a page view"]) != set()
    assert set(sales.currency) == {"GBP", "EUR"}
    assert sales.purchase_revenue.astype(float).gt(0).all()
    assert events[events.event_name != "purchase"].currency.isna().all()


@pytest.mark.parametrize(("name", "events"), [("merch", {"page_view"}), ("paper", {"page_view", "scroll"})])
def test_sites_without_events_record_none(name: str, events: set[str], tmp_path: Path) -> None:
    assert set(pd.read_csv(write_site(name, tmp_path, users=100).csv).event_name) == events
