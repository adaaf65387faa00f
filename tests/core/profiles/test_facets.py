"""Facets of a shop small enough to check by eye."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.base.progress import silent
from core.base.settings import AnalyzeSettings, IngestSettings
from core.profiles.facet_definitions import FacetKind
from core.profiles.facets import Facets, ShareInterval, Stability, facet_records, find_facets
from core.profiles.outcomes import OutcomeIndex
from core.profiles.user_items import Family
from core.runs.pipeline import preprocess
from core.storage.dataset import Dataset
from core.storage.store import Store

Row = tuple[str, str, str, str]
"""User, time, event, path."""


def views(user: str, *visits: tuple[str, Sequence[str]]) -> Iterable[Row]:
    """A visit is its first hour, as ``2024-01-01 09``, and its pages, one a minute."""
    for begin, pages in visits:
        for minute, page in enumerate(pages):
            yield user, f"{begin}:{minute:02d}", "page_view", page


def dataset(folder: Path, rows: Iterable[Row]) -> Dataset:
    def micros(text: str) -> int:
        seconds = datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC).timestamp()
        return int(seconds * 1e6) + 1_234_567  # times that end in zeros would be taken for rounded

    table = pd.DataFrame(
        [(user, micros(time), event, f"https://shop.example{path}") for user, time, event, path in rows],
        columns=["user_pseudo_id", "event_timestamp", "event_name", "page_location"],
    )
    table.to_csv(folder / "export.csv", index=False)
    return preprocess(Store(folder / "store"), [folder / "export.csv"], IngestSettings(), silent)


@pytest.fixture
def found(tmp_path: Path) -> Callable[[Iterable[Row]], Facets]:
    def find(rows: Iterable[Row]) -> Facets:
        made = dataset(tmp_path, rows)
        return find_facets(made, None, OutcomeIndex.of(made, None).inside(AnalyzeSettings()))

    return find


def levels(found: Facets, kind: FacetKind) -> dict[str, int]:
    facet = found.facets[kind]
    return dict(zip((level.name for level in facet.levels), facet.users.tolist(), strict=True))


def shop() -> Iterable[Row]:
    """Of forty users, ten each view one page; two; an item; and buy it, in the evening."""
    for number in range(10):
        yield from views(f"a{number}", ("2024-01-01 09", ["/lamps/a"]))
        yield from views(f"b{number}", ("2024-01-02 10", ["/lamps/a", "/lamps/b"]))
        yield from views(f"c{number}", ("2024-01-06 11", ["/", "/sofas/a", "/sofas/b"]))
        yield f"c{number}", "2024-01-06 11:05", "view_item", "/sofas/b"
        yield from views(f"d{number}", ("2024-01-03 20", ["/", "/sofas/a"]), ("2024-01-04 20", ["/sofas/b"]))
        yield f"d{number}", "2024-01-04 20:05", "purchase", "/sofas/b"


def test_every_user_is_on_the_level_that_the_rule_says(found: Callable[[Iterable[Row]], Facets]) -> None:
    facets = found(shop())
    assert levels(facets, FacetKind.STAGE) == {
        "One page": 10, "Looked around": 10, "Looked at an item": 10, "Bought": 10,
    }  # fmt: skip
    assert levels(facets, FacetKind.INTEREST) == {"Lamps": 20, "Sofas": 20}
    assert levels(facets, FacetKind.LOYALTY) == {"One visit": 30, "2 to 3 visits": 10}
    assert levels(facets, FacetKind.ACTIVITY) == {
        "1 page view": 10,
        "2 page views": 10,
        "3 page views or more": 20,
    }
    assert levels(facets, FacetKind.RHYTHM) == {"Working hours": 20, "Weekday evenings": 10, "Weekends": 10}
    assert levels(facets, FacetKind.WAY) == {
        "Homepage first": 10, "Straight to a page": 20, "Several ways": 10,
    }  # fmt: skip
    called = {family: [set(people) for people in facet] for family, facet in facets.items().items()}
    assert called[Family.INTEREST] == [{"Lamps", "Sofas"}]
    assert {"one-time visitors", "homepage visitors"} < set.union(*called[Family.LEVEL])
    assert "weekend visitors" in called[Family.RHYTHM][0]
    rule = next(level.rule for level in facets.facets[FacetKind.INTEREST].levels if level.name == "Sofas")
    assert rule == "with more than half of their page views in sections in /sofas/"


def test_who_got_farther_on_the_way_got_as_far_as_a_stage(found: Callable[[Iterable[Row]], Facets]) -> None:
    """Ten see an item, five of them fill a cart, three of these buy; six begin a form, four send it."""
    did = [("view_item", 0, 10), ("add_to_cart", 0, 5), ("purchase", 0, 3)]
    did += [("form_start", 10, 16), ("form_submit", 10, 14)]
    rows = [row for user in range(20) for row in views(f"{user:02d}", ("2024-01-01 09", ["/", "/a"]))]
    for minute, (event, first, end) in enumerate(did, start=5):
        rows += [(f"{user:02d}", f"2024-01-01 09:{minute:02d}", event, "/a") for user in range(first, end)]
    items = found(rows).items()[Family.STAGE]
    users = {str(item): int((own == item).sum()) for own in items for item in set(own) - {""}}
    assert users == {"an item": 10, "a cart": 5, "a checkout": 3, "a form": 6}  # buying is an outcome


def test_recency_is_the_days_from_the_last_visit_to_the_end_of_the_data(
    found: Callable[[Iterable[Row]], Facets],
) -> None:
    """Of 64 days: ten users on the last, one on the seventh last, three on the eighth, four on the 30th."""
    days = [(10, "2024-03-04"), (1, "2024-02-27"), (3, "2024-02-26"), (4, "2024-02-04"), (30, "2024-01-01")]
    facets = found(
        row
        for users, day in days
        for number in range(users)
        for row in views(f"{day}-{number}", ("2024-01-01 09", ["/a"]), (f"{day} 10", ["/b", "/a"]))
    )
    assert levels(facets, FacetKind.RECENCY) == {
        "Last 7 days": 11,
        "7 to 29 days ago": 7,
        "30 days or more ago": 30,
    }
    recency = facets.facets[FacetKind.RECENCY]
    assert recency.levels[1].rule == "whose last visit was 7 to 29 days before the last day of the data"
    assert recency.comes_again and recency.comes_again.same.users == 48
    assert "came again if seen at its end, else not" in recency.sentence
    assert "cover 6 days, and 14 are needed" in found(shop()).left_out[FacetKind.RECENCY]


def test_whoever_came_at_the_end_of_the_first_half_should_come_in_the_second(
    found: Callable[[Iterable[Row]], Facets],
) -> None:
    """Of 60 users of the first half 30 came on its last day; all of these came again, of the others ten."""
    early = [(f"a{number}", ("2024-01-20 09", ["/a"]), ("2024-02-09 09", ["/b"])) for number in range(30)]
    early += [(f"b{number}", ("2024-01-01 09", ["/a"]), ("2024-02-09 09", ["/b"])) for number in range(10)]
    once = [(f"c{number}", ("2024-01-01 09", ["/a"])) for number in range(20)]
    facets = found(row for user, *visits in [*early, *once] for row in views(user, *visits))
    again = facets.facets[FacetKind.RECENCY].comes_again
    assert again and again.same.users == 60 and again.same.value == pytest.approx(50 / 60)
    assert again.is_kept_to


def test_the_mean_order_is_held_against_the_median_of_those_who_pay(tmp_path: Path) -> None:
    """Ten users pay 10 twice, ten 20 and ten 40 once; ten nothing, for want of an order or of a price."""
    rows = [(f"{kind}{number}", 0, "page_view", None) for kind in "abcd" for number in range(10)]
    rows += [(f"a{number}", minute, "purchase", 10.0) for number in range(10) for minute in (1, 2)]
    rows += [(f"b{number}", 1, "purchase", 20.0) for number in range(10)]
    rows += [(f"c{number}", 1, "purchase", 40.0) for number in range(10)] + [("d0", 1, "purchase", 0.0)]
    columns = ["user_pseudo_id", "event_timestamp", "event_name", "purchase_revenue"]
    table = pd.DataFrame(rows, columns=columns).assign(page_location="https://shop.example/", currency="EUR")
    table["event_timestamp"] = 1_700_000_001_234_567 + 60_000_000 * table["event_timestamp"]

    def money(table: pd.DataFrame, folder: Path) -> Facets:
        folder.mkdir()
        table.to_csv(folder / "export.csv", index=False)
        made = preprocess(Store(folder / "store"), [folder / "export.csv"], IngestSettings(), silent)
        return find_facets(made, None, OutcomeIndex.of(made, None).inside(AnalyzeSettings()))

    facets = money(table, tmp_path / "one")
    counted = levels(facets, FacetKind.MONEY)
    assert counted == {"No paid order": 10, "Under 20.00 EUR": 10, "20.00 EUR or more": 20}
    facet = facets.facets[FacetKind.MONEY]
    assert facet.sentence == "Each user counts by the mean of all orders, before refunds."
    assert facet.comes_again is None and facet.tells_outcome is None  # it is made of the purchase
    abroad = table.assign(currency=np.where(table["user_pseudo_id"] == "b0", "USD", "EUR"))
    assert "several currencies" in money(abroad, tmp_path / "two").left_out[FacetKind.MONEY]


def test_contributing_is_a_stage_where_there_is_no_shop(found: Callable[[Iterable[Row]], Facets]) -> None:
    rows = [row for user in range(20) for row in views(f"{user:02d}", ("2024-01-01 09", ["/", "/a"]))]
    rows += [row for user in range(6) for row in views(f"{user:02d}", ("2024-01-01 10", ["/b", "/c", "/d"]))]
    comments = [(f"{user:02d}", "2024-01-01 09:05", "comment_created", "/a") for user in range(4)]
    stages = found([*rows, *comments]).facets[FacetKind.STAGE]
    assert dict(zip([level.name for level in stages.levels], stages.users.tolist(), strict=True)) == {
        "Looked around": 14, "Went deep": 2, "Contributed": 4,
    }  # fmt: skip
    assert stages.levels[-1].rule == "who went as far as comment_created"
    items = [(f"{user:02d}", "2024-01-01 09:06", "view_item", "/a") for user in range(10)]
    assert "Contributed" not in levels(found([*rows, *comments, *items]), FacetKind.STAGE)


def test_the_outcome_is_counted_on_users_held_out(found: Callable[[Iterable[Row]], Facets]) -> None:
    few = found(shop()).facets[FacetKind.LOYALTY].outcome
    assert few[1] is None  # of ten users with two visits, fewer than ten are held out
    twice = [(f"{half}{user}", *rest) for half in "xyz" for user, *rest in shop()]
    facets = found(twice)
    assert facets.outcome == "purchase"
    rates = facets.facets[FacetKind.LOYALTY].outcome
    assert [rate and rate.value for rate in rates] == [0, 1]
    assert all(rate and rate.users < 60 for rate in rates)
    assert facets.facets[FacetKind.STAGE].outcome == (None,) * 4  # the last stage is the outcome


def test_what_is_made_of_the_outcome_does_not_tell_it(tmp_path: Path) -> None:
    twice = [(half + user, time, event, page) for half in "xyz" for user, time, event, page in shop()]
    searches = [(user, time, "search", page) for user, time, event, page in twice if event == "view_item"]
    made = dataset(tmp_path, [*twice, *searches])
    outcomes = OutcomeIndex.of(made, None).inside(AnalyzeSettings.checked(outcome=("search",)))
    told = {kind for kind, facet in find_facets(made, None, outcomes).facets.items() if facet.tells_outcome}
    assert told == {
        FacetKind.INTEREST,
        FacetKind.ACTIVITY,
        FacetKind.DEPTH,
        FacetKind.LOYALTY,
        FacetKind.RHYTHM,
    }
    away = find_facets(made, None, outcomes, given_away=True).facets.items()
    assert {kind for kind, facet in away if facet.tells_outcome} == {FacetKind.LOYALTY, FacetKind.RHYTHM}


def test_what_the_data_do_not_tell_is_left_out_with_the_reason(
    found: Callable[[Iterable[Row]], Facets],
) -> None:
    facets = found(row for number in range(8) for row in views(f"u{number}", ("2024-01-01 09", ["/", "/a"])))
    assert facets.facets == {}
    assert "themes nor folders" in facets.left_out[FacetKind.INTEREST]
    assert facets.left_out[FacetKind.LOYALTY].endswith("alike in this: one visit.")
    assert {row["kind"]: row["levels"] for row in facet_records(facets)} == {kind: [] for kind in FacetKind}


@pytest.mark.parametrize("users", [1, 2])
def test_one_or_two_users_have_facets_or_a_reason(
    users: int, found: Callable[[Iterable[Row]], Facets]
) -> None:
    facets = found(
        row for number in range(users) for row in views(f"u{number}", ("2024-01-01 09", ["/a", "/b"]))
    )
    assert {*facets.facets, *facets.left_out} <= set(FacetKind)


def test_an_interest_that_users_keep_comes_again_and_one_by_chance_does_not(
    found: Callable[[Iterable[Row]], Facets],
) -> None:
    rng = np.random.default_rng(0)

    def user(number: int, *, keeps: bool) -> Iterable[Row]:
        first, second = rng.choice(["/lamps/a", "/sofas/a"], 2)
        second = first if keeps else second
        hours = rng.integers(0, 24, 2)
        return views(
            f"{number}", (f"2024-01-01 {hours[0]:02d}", [first]), (f"2024-01-08 {hours[1]:02d}", [second])
        )

    again = found(row for number in range(200) for row in user(number, keeps=True))
    interest = again.facets[FacetKind.INTEREST].comes_again
    rhythm = again.facets[FacetKind.RHYTHM].comes_again
    assert interest and interest.same.value == 1 and interest.beyond_chance
    assert interest.chance == pytest.approx(0.5, abs=0.05)
    assert rhythm and not rhythm.beyond_chance
    by_chance = found(row for number in range(200) for row in user(number, keeps=False))
    same = by_chance.facets[FacetKind.INTEREST].comes_again
    assert same and not same.beyond_chance


def test_the_interval_of_what_comes_again_holds_the_truth() -> None:
    rng = np.random.default_rng(0)
    shares = [ShareInterval.of(int(part), 300) for part in rng.binomial(300, 0.6, 500)]
    assert np.mean([share.low <= 0.6 <= share.high for share in shares]) >= 0.93


def test_whoever_looks_automated_is_on_no_level(found: Callable[[Iterable[Row]], Facets]) -> None:
    at_once = [("robot", "2024-01-01 00:00", "page_view", f"/lamps/{number}") for number in range(400)]
    facets = found([*shop(), *at_once])
    assert sum(levels(facets, FacetKind.LOYALTY).values()) == 40


def test_next_to_nothing_beyond_chance_is_not_kept_to() -> None:
    little, much = (Stability(ShareInterval.of(same, 10_000), 0.58) for same in (6_000, 7_000))
    assert little.beyond_chance and not little.is_kept_to
    assert much.beyond_chance and much.is_kept_to


def test_attributes_are_those_of_all_visits_and_nothing_is_said_of_whether_they_stay(tmp_path: Path) -> None:
    plans = [f"plan {number % 9}" for number in range(30)] + [""] * 2
    table = pd.DataFrame(
        {
            "user_pseudo_id": f"u{number}", "event_timestamp": 1_700_000_000_000_000 + 60_000_000 * at,
            "event_name": "page_view", "page_location": f"https://shop.example/{at}",
            "device_category": ["mobile", "mobile", "desktop"][number % 3] if plan else "", "plan": plan,
            "collected_traffic_source_manual_source": "google" if number < 8 else "",
        }
        for number, plan in enumerate(plans)
        for at in range(2)
    )  # fmt: skip
    table.to_csv(tmp_path / "export.csv", index=False)
    settings = IngestSettings(dimensions=("plan",))
    made = preprocess(Store(tmp_path / "store"), [tmp_path / "export.csv"], settings, silent)
    facets = find_facets(made)
    assert levels(facets, FacetKind.DEVICE) == {"mobile": 20, "desktop": 10}
    assert levels(facets, "channel") == {"Direct": 24, "Organic Search": 8}
    plan = facets.facets["plan"]
    counted = levels(facets, "plan")
    assert len(counted) == 9 and counted.pop("Another plan") == 3 and {*counted.values()} == {3, 4}
    assert [level.rule for level in plan.levels][-2:] == [
        f"mostly with plan {[*counted][-1]}",
        "with another plan",
    ]
    assert plan.question == "Main plan" and plan.not_known == facets.facets[FacetKind.DEVICE].not_known == 2
    said = {kind: facet.sentence for kind, facet in facets.facets.items() if facet.comes_again is None}
    assert said[FacetKind.DEVICE] == "Each user counts by the main device of all visits."
    assert said["channel"] == "Each user counts by the channel of most visits."
    assert said["plan"] == "Each user counts by the value of most events."
    assert [row["kind"] for row in facet_records(facets)][-3:] == ["channel", "first_channel", "plan"]
