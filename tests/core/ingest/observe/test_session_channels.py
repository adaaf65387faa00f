"""Channels of sessions and users, of records by hand, and beside a count of DuckDB's own."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from core.base.errors import InputError
from core.base.progress import silent
from core.base.schema import CHANNEL, FIRST_CHANNEL, Raw
from core.base.settings import IngestSettings
from core.ingest.decisions import decide
from core.ingest.ingest import transform
from core.ingest.observe.channel_codes import MAX_CHANNELS
from core.scoring.parts import split_by_user
from core.scoring.sampled import add_up
from core.storage.dataset import Dataset
from core.storage.receipt import describe_channels
from tests.core.ingest.raw import write
from tests.core.ingest.shop import Row, event, made_of, raw_read, shop
from tests.core.ingest.test_ingest import dataset_of

EXPORTED = Raw.SESSION_CHANNEL
LAST = {Raw.SESSION_SOURCE: "news.example", Raw.SESSION_MEDIUM: "referral"}
TAG = {Raw.EVENT_SOURCE: "google", Raw.EVENT_MEDIUM: "organic"}
MAIL = {Raw.COLLECTED_SOURCE: "letter", Raw.COLLECTED_MEDIUM: "email"}
PAID = {Raw.COLLECTED_SOURCE: "google", Raw.COLLECTED_MEDIUM: "cpc", Raw.COLLECTED_CAMPAIGN: "my shop"}


def visit(user: str, session: int, *events: dict[str, str]) -> list[Row]:
    """A session of page views a second apart, an hour after the one before."""
    return [
        event(user, 3600 * session + second, **{Raw.GA_SESSION_ID: str(session), **fields})
        for second, fields in enumerate(events)
    ]


def channels_of(dataset: Dataset) -> dict[str, tuple[object, object]]:
    """User → main channel and first channel."""
    users = dataset.users.reindex(columns=["user_id", CHANNEL, FIRST_CHANNEL]).astype(object)
    users = users.where(users.notna(), None)
    return {row[0]: (row[1], row[2]) for row in users.itertuples(index=False)}


def test_a_session_has_the_exported_channel_else_the_last_click_else_what_was_collected(
    tmp_path: Path,
) -> None:
    dataset = shop(
        tmp_path,
        *visit("a", 1, MAIL, LAST | MAIL, {EXPORTED: "Paid Video"} | LAST),
        *visit("b", 1, TAG, LAST | MAIL, MAIL),
        *visit("c", 1, {}, TAG, MAIL),
        *visit("d", 1, {Raw.ADS_CLICK: "Cj0"}, TAG),
        *visit("e", 1, {Raw.EVENT_MEDIUM: "email"}),
        *visit("f", 1, {}),
    )
    assert {user: first for user, (first, _) in channels_of(dataset).items()} == {
        "a": "Paid Video", "b": "Referral", "c": "Organic Search", "d": "Paid Search", "e": "Email",
        "f": "Direct",
    }  # fmt: skip
    receipt = dataset.receipt
    assert receipt.channel_basis == {
        "exported": 1, "session_last_click": 1, "collected": 3, "nothing_collected": 1,
    }  # fmt: skip
    assert receipt.sessions_by_channel == dict.fromkeys(
        ("Direct", "Email", "Organic Search", "Paid Search", "Paid Video", "Referral"), 1
    )
    assert describe_channels(receipt.sessions_by_channel, receipt.channel_basis) == (
        "Direct 1, Email 1, Organic Search 1, Paid Search 1, Paid Video 1, Referral 1. The channel of a "
        "session is what GA4 exports of its last click (1 session), else GA4's default channel of the last "
        "click's source and medium (1 session), else GA4's default channel of the first source or ads click "
        "that came with an event (3 sessions), else Direct, where none is said (1 session)."
    )


def test_users_have_the_channel_of_most_sessions_and_of_the_first(tmp_path: Path) -> None:
    dataset = shop(
        tmp_path,
        *visit("a", 1, MAIL), *visit("a", 2, PAID), *visit("a", 3, PAID, MAIL), *visit("a", 4, {}),
        *visit("b", 1, TAG), *visit("b", 2, MAIL),  # as often: the first by name
    )  # fmt: skip
    assert channels_of(dataset) == {"a": ("Paid Shopping", "Email"), "b": ("Email", "Organic Search")}
    rows = dataset.session_channels.astype({"channel": str}).to_numpy().tolist()
    assert rows == [
        [0, 0, "Email"], [0, 1, "Paid Shopping"], [0, 2, "Paid Shopping"], [0, 3, "Direct"],
        [1, 0, "Organic Search"], [1, 1, "Email"],
    ]  # fmt: skip


def test_a_channel_counts_only_with_a_page_view_and_may_come_with_any_event(tmp_path: Path) -> None:
    dataset = shop(
        tmp_path,
        event("a", 0, name="session_start", **MAIL), event("a", 1),
        event("a", 5000, name="session_start", **PAID, ga_session_id="2"),
    )  # fmt: skip
    assert channels_of(dataset) == {"a": ("Email", "Email")}
    assert dataset.receipt.sessions_by_channel == {"Email": 1}


def test_sessions_without_an_id_have_their_own_channels(tmp_path: Path) -> None:
    none = {Raw.GA_SESSION_ID: ""}
    rows = [event("a", 0, **MAIL | none), event("a", 60, **TAG | none), event("a", 9000, **PAID | none)]
    assert shop(tmp_path, *rows).receipt.sessions_by_channel == {"Email": 1, "Paid Shopping": 1}


@pytest.mark.parametrize("written", ["(not set)", "null", " ", "-"])
def test_a_placeholder_is_no_ads_click(written: str, tmp_path: Path) -> None:
    clicks = visit("a", 1, {Raw.ADS_CLICK: written}), visit("b", 1, {Raw.ADS_CLICK: "Cj0"})
    dataset = shop(tmp_path, *(row for rows in clicks for row in rows), *visit("c", 1, MAIL))
    assert {user: first for user, (first, _) in channels_of(dataset).items()} == {
        "a": "Direct", "b": "Paid Search", "c": "Email",
    }  # fmt: skip


def test_a_placeholder_of_a_better_place_does_not_hide_what_was_collected(tmp_path: Path) -> None:
    unset = {Raw.TAGGED_CAMPAIGN: "(not set)", Raw.SESSION_SOURCE: "(not set)"}
    assert channels_of(shop(tmp_path, *visit("a", 1, unset | MAIL))) == {"a": ("Email", "Email")}


@pytest.mark.parametrize("touch", [{}, {Raw.TRAFFIC_SOURCE: "letter", Raw.TRAFFIC_MEDIUM: "email"}])
def test_files_that_only_have_ads_clicks_have_the_channel_of_those(
    tmp_path: Path, touch: dict[str, str]
) -> None:
    dataset = shop(tmp_path, *visit("a", 1, {Raw.ADS_CLICK: "Cj0"} | touch), *visit("b", 1, touch))
    expected = {"a": (None, "Email"), "b": (None, "Email")}  # sources of all users rather than of a few
    assert channels_of(dataset) == (expected if touch else {"a": ("Paid Search",) * 2, "b": (None, None)})


def test_the_site_itself_is_no_source_of_a_session(tmp_path: Path) -> None:
    own = {Raw.EVENT_SOURCE: "Shop.Example", Raw.EVENT_MEDIUM: "referral"}
    dataset = shop(tmp_path, *visit("a", 1, own), *visit("b", 1, own, MAIL))
    assert channels_of(dataset) == {"a": ("Direct", "Direct"), "b": ("Email", "Email")}


@pytest.mark.parametrize("fields", [{}, {Raw.EVENT_SOURCE: "", Raw.EVENT_MEDIUM: " "}])
def test_files_without_any_source_have_no_channel(tmp_path: Path, fields: dict[str, str]) -> None:
    dataset = shop(tmp_path, *visit("a", 1, fields))
    assert CHANNEL not in dataset.users and FIRST_CHANNEL not in dataset.users
    receipt = dataset.receipt
    assert (receipt.sessions_by_channel, receipt.channel_basis) == ({}, {})
    assert describe_channels({}, {}) == ""


def test_sessions_of_a_file_without_sources_are_not_direct(tmp_path: Path) -> None:
    raw = raw_read(tmp_path / "raw", [visit("a", 1, MAIL), [*visit("a", 2, {}), *visit("b", 1, {})]])
    dataset = made_of(tmp_path, raw)
    assert channels_of(dataset) == {"a": ("Email", "Email"), "b": (None, None)}
    assert dataset.receipt.sessions_by_channel == {"none": 2, "Email": 1}
    assert dataset.receipt.channel_basis == {"collected": 1, "none": 2}


def test_the_first_touch_gives_the_first_channel_alone(tmp_path: Path) -> None:
    touch = {Raw.TRAFFIC_SOURCE: "google", Raw.TRAFFIC_MEDIUM: "organic"}
    dataset = shop(tmp_path, *visit("a", 1, touch), *visit("a", 2, touch), *visit("b", 1, {}))
    assert CHANNEL not in dataset.users
    assert channels_of(dataset) == {"a": (None, "Organic Search"), "b": (None, None)}
    assert dataset.receipt.sessions_by_channel == {}
    assert describe_channels({}, dataset.receipt.channel_basis).startswith(
        "None of sessions; the first channel"
    )


def test_a_column_of_other_texts_is_refused_in_a_line(tmp_path: Path) -> None:
    rows = [row for n in range(MAX_CHANNELS + 1) for row in visit(f"u{n}", 1, {EXPORTED: f"jane{n}"})]
    with pytest.raises(InputError, match="holds 101 channels, and at most 100 are possible") as refused:
        shop(tmp_path, *rows)
    assert "\n" not in str(refused.value)


def test_personal_data_in_an_exported_channel_is_masked(tmp_path: Path) -> None:
    dataset = shop(tmp_path, *visit("a", 1, {EXPORTED: "jane@x.com"}))
    assert channels_of(dataset) == {"a": ("{email}", "{email}")}


def made_up(n_users: int = 300) -> list[Row]:
    """Sessions with any mixture of sources, exported channels and clicks."""
    rng = np.random.default_rng(5)
    rows: list[Row] = []
    for user in range(n_users):
        for session in range(1 + rng.integers(3)):
            events = []
            for _ in range(1 + rng.integers(3)):
                fields: dict[str, str] = {}
                for chance, some in ((0.2, MAIL), (0.2, PAID), (0.2, TAG), (0.15, LAST)):
                    fields |= some if rng.random() < chance else {}
                fields |= {EXPORTED: ("Email", "Affiliates")[user % 2]} if rng.random() < 0.1 else {}
                fields |= {Raw.ADS_CLICK: f"Cj{user}"} if rng.random() < 0.1 else {}
                events.append(fields)
            rows += visit(f"u{user}", session, *events)
    return rows


_SQL = """
    WITH e AS (SELECT *, CASE
            WHEN {exported} IS NOT NULL THEN {{'rank': 1, 'channel': {exported}}}
            WHEN {last} IS NOT NULL THEN {{'rank': 2, 'channel': 'Referral'}}
            WHEN {collected} IS NOT NULL AND {click} IS NOT NULL THEN {{'rank': 3, 'channel':
                CASE WHEN {campaign} = 'my shop' THEN 'Paid Shopping' ELSE 'Paid Search' END}}
            WHEN {collected} = 'letter' THEN {{'rank': 3, 'channel': CASE WHEN {campaign} = 'my shop'
                THEN 'Organic Shopping' ELSE 'Email' END}}
            WHEN {collected} = 'google' THEN {{'rank': 3, 'channel': 'Paid Shopping'}}
            WHEN {click} IS NOT NULL THEN {{'rank': 3, 'channel': 'Paid Search'}}
            WHEN {tag} = 'google' THEN {{'rank': 3, 'channel': 'Organic Search'}}
            ELSE {{'rank': 4, 'channel': 'Direct'}} END AS v
        FROM rows),
    s AS (SELECT user_key, ga_session_id, v.channel AS channel FROM e
        QUALIFY row_number() OVER (PARTITION BY user_key, ga_session_id ORDER BY v.rank, event_timestamp) = 1)
    SELECT channel, count(*) AS sessions FROM s GROUP BY 1
"""


def test_counts_equal_those_of_sql_and_parts_those_of_the_whole(tmp_path: Path) -> None:
    rows = made_up()
    names = dict(
        exported=EXPORTED, last=Raw.SESSION_SOURCE, collected=Raw.COLLECTED_SOURCE, click=Raw.ADS_CLICK,
        campaign=Raw.COLLECTED_CAMPAIGN, tag=Raw.EVENT_SOURCE,
    )  # fmt: skip
    connection = duckdb.connect()
    connection.register("rows", pd.DataFrame(rows))
    expected = dict(connection.sql(_SQL.format(**names)).fetchall())
    raw = raw_read(tmp_path / "raw", [rows])
    whole = made_of(tmp_path / "whole", raw)
    assert whole.receipt.sessions_by_channel == expected and len(expected) > 6
    (tmp_path / "decided").mkdir()
    decided = decide(raw, IngestSettings(), tmp_path / "decided", silent)
    found, receipts = {}, []
    for number, part in enumerate(split_by_user(raw, 2, tmp_path / "parts")):
        out = tmp_path / f"part{number}"
        out.mkdir()
        receipts.append(transform(part, IngestSettings(), out, silent, tmp_path, decided=decided))
        found |= channels_of(Dataset(out, ""))
    assert found == channels_of(whole)
    together = add_up(raw, decided, receipts, receipts[0])
    assert together.sessions_by_channel == expected
    assert together.channel_basis == whole.receipt.channel_basis


def test_a_column_of_sources_that_is_empty_in_one_file_is_read_in_the_other(tmp_path: Path) -> None:
    head = "event_name,event_timestamp,user_pseudo_id,page_location,ga_session_id,source,medium\n"
    row = "page_view,161121000000{}000,1.1,https://x.example/,{},{}\n"
    first = write(tmp_path / "in" / "a.csv", head + row.format(1, 1, ","))
    second = write(tmp_path / "in" / "b.csv", head + row.format(2, 2, "letter,email"))
    assert dataset_of(tmp_path, first, second).receipt.sessions_by_channel == {"Direct": 1, "Email": 1}
