"""The made-up sites are what they are said to be, with the truth of every page and user."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
import pandas as pd
import pytest

from benchmarks.sites import DEV, HELD, SiteFiles, write_site
from benchmarks.sites.plan import Page, read_plan
from benchmarks.sites.twins import auc, counts
from benchmarks.sites.write import in_order

TWINS = ("nordleden", "gazette", "tracewell", "jobharbour", "mediatheque")


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


def test_the_parameters_of_a_query_stay_apart() -> None:
    search = read_plan("jobharbour")[0]["search"]

    assert all(set(parse_qs(urlsplit(page.location).query)) == {"q", "l", "sort"} for page in search)
    assert {page.path for page in search} == {"/jobs"}


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

    assert [file.read_bytes() for file in first[:3]] == [file.read_bytes() for file in again[:3]]
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


@pytest.mark.parametrize("name", TWINS)
def test_the_plans_of_twins_differ_in_order_or_tempo_alone(name: str) -> None:
    site = read_plan(name)[1]
    differ = {
        twins: {key for key in {**kinds[0], **kinds[1]} if kinds[0].get(key) != kinds[1].get(key)}
        for twins, pair in site["twins"].items()
        if (kinds := [site["kinds"][kind] for kind in pair])
    }

    assert differ["order"] in ({"order"}, {"turns"})
    assert differ["tempo"] == {"dwell"}


@pytest.mark.parametrize(("turns", "walked"), [(False, "aabbc"), (True, "abcab")])
def test_an_order_is_walked_once_or_in_turns(turns: bool, walked: str) -> None:
    walk = [Page(group, f"/{at}", "", "", "", "", frozenset(), 1) for at, group in enumerate("cbaab")]
    kind = {"order": ["a", "b", "c"], "turns": turns, "strays": 0}
    got = in_order(walk, kind, np.random.default_rng(1))

    assert "".join(page.group for page in got) == walked
    assert sorted(got) == sorted(walk)
    assert sorted(in_order(walk, kind | {"order": ["a"]}, np.random.default_rng(1))) == sorted(walk)


@pytest.mark.parametrize("name", TWINS)
def test_twins_walk_at_another_tempo(name: str, tmp_path: Path) -> None:
    files = write_site(name, tmp_path, users=200)
    kinds = pd.read_csv(files.users, dtype=str).set_index("user_pseudo_id").kind
    gaps = counts(files)["gaps"].groupby(kinds).sum()
    hurried, slow = (gaps.mul(gaps.columns).sum(axis=1) / gaps.sum(axis=1))[files.twins["tempo"]]

    assert slow - hurried > 1.5  # in powers of 1.6: twice as long


def test_who_reads_up_first_goes_from_document_to_document(tmp_path: Path) -> None:
    files = write_site("tracewell", tmp_path, users=200)
    kinds = pd.read_csv(files.users, dtype=str).set_index("user_pseudo_id").kind
    steps = counts(files)["steps"].groupby(kinds).sum()
    first, in_turns = (steps["Documentation > Documentation"] / steps.sum(axis=1))[files.twins["order"]]

    assert first > 1.3 * in_turns


def test_in_the_null_twin_every_view_is_anybodys(tmp_path: Path) -> None:
    real, null = (write_site("nordleden", tmp_path / f"{x}", users=200, null=x) for x in (False, True))
    events, nobody = (pd.read_csv(files.csv, dtype=str) for files in (real, null))
    views, anybody = (x[x.event_name == "page_view"] for x in (events, nobody))
    session, page = ["user_pseudo_id", "ga_session_id"], ["page_title", "place"]
    views, anybody = (x.assign(place=x.page_location.str.split("?").str[0]) for x in (views, anybody))

    assert views.groupby(session).size().equals(anybody.groupby(session).size())
    assert views.groupby(page).size().equals(anybody.groupby(page).size())
    assert events.groupby("event_name").size().equals(nobody.groupby("event_name").size())
    assert nobody.groupby("transaction_id").user_pseudo_id.nunique().max() == 1
    assert set(pd.read_csv(null.users).kind) == {"nobody"}
    assert null.twins == {}
    same = views.groupby("user_pseudo_id").place.agg(set) == anybody.groupby("user_pseudo_id").place.agg(set)
    assert same.mean() < 0.05


def test_twins_are_told_apart_by_what_differs_only() -> None:
    """Forty users, half of whom did it once and half of whom never; and a count that all of them share."""
    users = [f"u{at}" for at in range(40)]
    kinds = pd.Series(["a", "b"] * 20, index=users)

    assert auc(pd.DataFrame({"did": [1, 0] * 20}, index=users), kinds) == 1
    assert auc(pd.DataFrame({"all": np.ones(40)}, index=users), kinds) == 0.5
