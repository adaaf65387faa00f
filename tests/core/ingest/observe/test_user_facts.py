from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from core.base.errors import InputError
from core.base.schema import DIMENSION_FIELDS, Raw, dimensions_in
from core.base.settings import IngestSettings
from core.ingest.in_memory import LiveUsers, read_people
from core.storage.receipt import count_user_bases, describe_bases
from tests.core.ingest.shop import Row, event, made_of, raw_read, shop

SOURCE, MEDIUM = Raw.TRAFFIC_SOURCE, Raw.TRAFFIC_MEDIUM


def column(folder: Path, name: str, *rows: Row) -> list[object]:
    found = shop(folder, *rows).users[name]
    return [None if pd.isna(value) else value for value in found]


def test_engagement_is_summed_over_all_events_and_null_is_not_zero(tmp_path: Path) -> None:
    rows = [
        event("u", 0),
        event("u", 1, name="scroll", engagement_time_msec="100"),
        event("u", 2, engagement_time_msec="20.0"),
        event("u", 3, name="user_engagement", page="(not set)", engagement_time_msec="3"),
        event("u", 4, name="user_engagement", engagement_time_msec="1000", traffic_type="internal"),
        event("v", 0),
        event("w", 0, engagement_time_msec="0"),
    ]
    dataset = shop(tmp_path, *rows)
    assert [None if pd.isna(value) else value for value in dataset.users["engagement_msec"]] == [123, None, 0]
    assert dataset.receipt.engagement_share == 2 / 3
    assert "all events" in dataset.receipt.engagement_rule


def test_without_any_value_engagement_is_not_computable(tmp_path: Path) -> None:
    receipt = shop(tmp_path, event("u", 0), event("u", 1)).receipt
    assert receipt.engagement_share is None
    assert receipt.engagement_rule.startswith("Not computable from this file")


def test_labels_are_the_most_frequent_over_all_events(tmp_path: Path) -> None:
    browsers = ["Safari", "Chrome", "Chrome", "<Other>", "<Other>", "<Other>", ""]
    rows = [
        event("u", second, name="page_view" if second < 2 else "scroll", device_browser=name)
        for second, name in enumerate(browsers)
    ]
    assert column(tmp_path, "browser", *rows) == ["Chrome"]


def test_labels_of_records_that_are_left_out_do_not_count(tmp_path: Path) -> None:
    rows = [event("u", second, device_browser="Safari", traffic_type="internal") for second in (1, 2)]
    assert column(tmp_path, "browser", event("u", 0, device_browser="Chrome"), *rows) == ["Chrome"]


def test_equally_frequent_labels_go_by_the_alphabet(tmp_path: Path) -> None:
    rows = [
        event("u", 0, geo_country="Spain"),
        event("u", 1, geo_country="Italy"),
        event("v", 0, geo_country="(direct)"),
    ]
    assert column(tmp_path, "country", *rows) == ["Italy", None]


@pytest.mark.parametrize("host", ["a.example", "1und1.example", "www.averyverylong.example"])
def test_the_site_itself_is_no_source(tmp_path: Path, host: str) -> None:
    page = f"https://{host}/"
    rows = [event("u", 0, page, **{SOURCE: host}), event("u", 1, page, **{SOURCE: "google"})]
    assert column(tmp_path, "source", *rows) == ["google"]
    people, _ = read_people(rows, IngestSettings(), 2**62)
    live = LiveUsers.of(people, IngestSettings(), frozenset(), {host})
    assert live.users["source"].tolist() == ["google"]


def test_the_source_is_the_first_touch(tmp_path: Path) -> None:
    rows = [
        event("u", 3, **{SOURCE: "google", MEDIUM: "organic"}),
        event("u", 1, **{SOURCE: "(not set)", MEDIUM: "cpc"}),
        event("u", 2, name="session_start", **{SOURCE: "(direct)", MEDIUM: "(none)"}),
        event("v", 0, **{SOURCE: "news", MEDIUM: ""}),
        event("w", 0),
    ]
    assert column(tmp_path, "source", *rows) == ["(direct) / (none)", "news", None]


def test_the_source_is_the_earliest_of_the_best_basis(tmp_path: Path) -> None:
    tag = {Raw.EVENT_SOURCE: "google", Raw.EVENT_MEDIUM: "cpc"}
    rows = [
        event("u", 0, **tag), event("u", 1, **{Raw.TAGGED_SOURCE: "mail"}),
        event("u", 2, **{SOURCE: "(direct)", MEDIUM: "(none)"}),
        event("v", 0, **tag), event("v", 1, **{Raw.TAGGED_SOURCE: "mail", Raw.TAGGED_MEDIUM: "email"}),
        event("w", 0, **{SOURCE: "(not set)", MEDIUM: "email"}, **tag), event("w", 1),
        event("x", 0),
    ]  # fmt: skip
    dataset = shop(tmp_path, *rows)
    assert dataset.users["source"].dropna().tolist() == ["(direct) / (none)", "mail / email", "google / cpc"]
    assert dataset.receipt.source_basis == count_user_bases(dataset.users)
    assert describe_bases(dataset.receipt.source_basis) == (
        "A source is the user's first touch (1 user), else the last click of the first session that has one "
        "(1 user), else what came with the first event that has one (1 user); 1 without one."
    )
    people, _ = read_people(rows, IngestSettings(), 2**62)
    live = LiveUsers.of(people, IngestSettings(), frozenset(), ())
    assert live.users["source"].tolist() == [*dataset.users["source"].dropna(), None]


def test_personal_data_in_a_label_is_masked(tmp_path: Path) -> None:
    assert column(tmp_path, "source", event("u", 0, **{SOURCE: "jane@x.com", MEDIUM: "email"})) == [
        "{email} / email"
    ]


def test_users_are_ordered_by_the_bytes_of_their_ids_and_span_their_views(tmp_path: Path) -> None:
    users = shop(
        tmp_path, event("b", 5), event("é", 0), event("B", 1), event("a10", 2), event("a9", 3), event("b", 2)
    ).users
    assert users["user_id"].tolist() == ["B", "a10", "a9", "b", "é"]
    assert users["page_views"].tolist() == [1, 1, 1, 2, 1]
    assert (users["last_ts"] - users["first_ts"]).tolist() == [0, 0, 0, 3_000_000, 0]


def test_many_browsers_behind_many_ids_are_a_warning(tmp_path: Path) -> None:
    browsers = ("Chrome", "Safari", "Edge", "Opera", "Firefox")
    rows = [
        event(f"u{user}", second, device_browser=browser)
        for user in range(20)
        for second, browser in enumerate(browsers)
    ]
    assert any("20 of 20 ids" in text for text in shop(tmp_path / "many", *rows).receipt.warnings)
    assert not shop(tmp_path / "few", *rows[5:]).receipt.warnings


def test_ids_that_are_addresses_are_kept_and_said_to_be(tmp_path: Path) -> None:
    dataset = shop(tmp_path, event("jane@x.com", 0), event("jim@x.com", 0))
    assert dataset.users["user_id"].tolist() == ["jane@x.com", "jim@x.com"]
    assert dataset.receipt.id_kind == "email address"
    assert any("email addresses" in text for text in dataset.receipt.warnings)


def test_a_dimension_is_the_most_frequent_value_of_each_user(tmp_path: Path) -> None:
    first, second = DIMENSION_FIELDS[:2]
    rows = [
        event("u", 0, **{first: "free"}),
        event("u", 1, **{first: "pro", second: "(not set)"}),
        event("u", 2, name="scroll", **{first: "pro"}),
        event("v", 0),
    ]
    settings = IngestSettings(dimensions=("user_properties.plan", "event_params.source"))
    dataset = shop(tmp_path, *rows, dimensions=settings.dimensions)
    assert dataset.users["plan"].tolist()[:1] == ["pro"]
    assert dataset.users["plan"].isna().tolist() == [False, True]
    assert dataset.users["event_params_source"].isna().all(), "the key `source` is taken by a column of users"
    plan, source = dataset.receipt.dimensions
    assert (plan.key, plan.column, plan.users, plan.values) == ("plan", "user_properties.plan", 1, 1)
    assert (source.users, source.values) == (0, 0)
    assert dimensions_in(dataset.users.columns) == ("plan", "event_params_source")


def test_a_dimension_that_names_users_is_refused(tmp_path: Path) -> None:
    rows = [event(f"u{n}", n, **{DIMENSION_FIELDS[0]: f"name {n}"}) for n in range(20)]
    with pytest.raises(InputError, match="crm_name has 20 values, and 20 of the 20 users"):
        shop(tmp_path / "all", *rows, dimensions=("crm_name",))
    for row in rows[:10]:
        row[DIMENSION_FIELDS[0]] = "member"
    dataset = shop(tmp_path / "half", *rows, dimensions=("crm_name",))
    assert (dataset.users["crm_name"] == "member").sum() == 10


def test_a_dimension_of_too_many_values_is_refused(tmp_path: Path) -> None:
    rows = [event(f"u{n}", n % 60, **{DIMENSION_FIELDS[0]: f"city {n // 2}"}) for n in range(20_004)]
    with pytest.raises(InputError, match=r"city has 10,002 values. Allowed: at most 10,000. Leave it out"):
        shop(tmp_path / "all", *rows, dimensions=("geo.city",))
    assert shop(tmp_path / "less", *rows[4:], dimensions=("geo.city",)).receipt.dimensions[0].values == 10_000


def test_every_dimension_has_a_key_of_its_own() -> None:
    names = ("x.b_plan", "a.plan", "b.plan", "source", "geo.country")
    keys = IngestSettings(dimensions=names).dimension_keys
    assert list(keys.values()) == list(DIMENSION_FIELDS[:5])
    assert list(keys) == ["b_plan", "plan", "b_plan_dimension_2", "source_dimension_3", "geo_country"]


def test_a_dimension_that_a_file_of_new_users_lacks_is_absent(tmp_path: Path) -> None:
    raw = replace(
        raw_read(tmp_path / "raw", [[event("u", 0), event("v", 0)]]), present=frozenset(event("u", 0))
    )
    dataset = made_of(tmp_path, raw, IngestSettings(dimensions=("plan",)))
    assert dataset.users["plan"].isna().all()
    assert dataset.receipt.dimensions[0].users == 0
