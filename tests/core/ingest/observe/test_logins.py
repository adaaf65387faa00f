"""Cookies of signed-in users, joined where the export shows one user; beside the truth of a made log."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from core.base.errors import SettingsError
from core.base.progress import silent
from core.base.schema import Raw
from core.base.settings import IngestSettings
from core.ingest.observe.logins import join_logins
from core.runs.pipeline import RunSettings
from core.scoring.bounds import Bounds
from core.scoring.on_spark import run_on_spark
from core.storage.dataset import Dataset
from core.storage.receipt import LoginCounts
from tests.core.ingest.raw import csv_of, read_text, write
from tests.core.ingest.shop import START, Row, event, made_of, paths_of, raw_read, sessions_of
from tests.core.ingest.test_ingest import dataset_of

JOIN = IngestSettings(join_logins=True)
HEADER = "event_name,event_timestamp,user_pseudo_id,user_id,page_location,ga_session_id"


def view(cookie: str, second: int, login: str = "", page: str = "/", session: str = "1") -> Row:
    return event(cookie, second, page, **{Raw.LOGIN: login, Raw.GA_SESSION_ID: session})


def joined(folder: Path, *files: Sequence[Row]) -> Dataset:
    raw = join_logins(raw_read(folder / "raw", files), JOIN, folder / "joined")
    return made_of(folder, raw, JOIN)


def counts_of(dataset: Dataset) -> LoginCounts:
    counts = dataset.receipt.logins
    assert counts is not None
    return counts


def test_a_cookie_with_one_user_becomes_the_user_also_before_the_login(tmp_path: Path) -> None:
    rows = [
        view("phone", 0, page="/a"), view("phone", 9, "ann", "/b"), view("desk", 5, "ann", "/c"),
        view("shared", 0, "ann", "/d"), view("shared", 1, "bob", "/e"), view("nobody", 0, "(not set)", "/f"),
    ]  # fmt: skip
    rows = [row | {Raw.ENGAGEMENT_TIME_MSEC: "9000"} for row in rows]  # all are active to GA4
    dataset = joined(tmp_path, rows)
    assert paths_of(dataset) == {"ann": ["/a", "/c", "/b"], "shared": ["/d", "/e"], "nobody": ["/f"]}
    assert sessions_of(dataset)["ann"] == [0, 1, 1]  # each cookie has sessions of its own
    assert dataset.receipt.sessions == 4
    assert counts_of(dataset) == LoginCounts(
        cookies=4, ids=3, users=2, signed_in=3, conflicts=1, page_views=3, cross_device=1, most_users=2,
        most_cookies=2,
    )  # fmt: skip
    beside = dataset.receipt.as_ga4
    assert beside is not None
    [users] = [figure for figure in beside.figures if figure.name == "users"]
    assert (users.ours, users.unexplained) == (3, 0)
    assert [cause.change for cause in users.causes if cause.cause == "devices"] == [-1]  # GA4 counts cookies
    assert counts_of(dataset).in_words() == (
        "4 cookies became 3 ids: 2 with one signed-in user joined to that user (3 page views), 1 with "
        "several kept. 2 users signed in, 1 of them with several cookies."
    )
    assert dataset.receipt.user_key == "user_key or user_id"
    kinds = dataset.users.set_index("user_id")["id_kind"].to_dict()
    assert kinds == {"ann": "login", "shared": "cookie", "nobody": "cookie"}
    assert "1 cookie with several users, up to 2 a cookie: each stays a cookie" in dataset.receipt.warnings


def test_a_cookie_of_forty_users_and_a_user_of_a_thousand_cookies_are_a_line_each(tmp_path: Path) -> None:
    kiosk = [view("kiosk", second, f"m{second}") for second in range(40)]
    shared = [view(f"c{number}", number, "school") for number in range(1000)]
    dataset = joined(tmp_path, kiosk, shared)
    assert {user: len(pages) for user, pages in paths_of(dataset).items()} == {"kiosk": 40, "school": 1000}
    warnings = [text for text in dataset.receipt.warnings if "cookie" in text]
    assert warnings == [
        "1 cookie with several users, up to 40 a cookie: each stays a cookie",
        "A user has 1,000 cookies, which are joined: does one person sign in there?",
    ]


def test_the_user_is_read_only_where_logins_are_joined(tmp_path: Path) -> None:
    text = csv_of("page_view,1611210000000000,1.1,ann@x.example,https://x.example/,1", header=HEADER)
    plain, asked = read_text(text, tmp_path / "a"), read_text(text, tmp_path / "b", join_logins=True)
    assert plain.column(Raw.LOGIN) == [None] and Raw.LOGIN not in plain.raw.present
    assert asked.column(Raw.LOGIN) == ["ann@x.example"]
    assert join_logins(plain.raw, IngestSettings(), tmp_path) is plain.raw
    rewritten = join_logins(asked.raw, JOIN, tmp_path / "joined")
    [row] = pq.read_table(rewritten.parts[0][1]).to_pylist()
    assert (row[Raw.USER_KEY], row[Raw.LOGIN]) == ("ann@x.example", None)
    assert asked.column(Raw.USER_KEY) == ["1.1"]  # what was read stays as it is


def test_files_without_users_say_so(tmp_path: Path) -> None:
    dataset = joined(tmp_path, [event("a", 0)])
    assert dataset.receipt.logins is None
    assert "No file names signed-in users: no logins are joined" in dataset.receipt.warnings


def test_users_of_one_file_join_cookies_of_another(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / "in" / name, csv_of(row, header=HEADER))
        for name, row in {
            "1.csv": "page_view,1611210000000000,1.10,,https://x.example/a,7.0",
            "2.csv": "page_view,1611210001000000,1.10,0042,https://x.example/b,7",
        }.items()
    ]
    dataset = dataset_of(tmp_path, *paths, join_logins=True)
    assert paths_of(dataset) == {"0042": ["https://x.example/a", "https://x.example/b"]}
    assert dataset.receipt.sessions == 1
    assert dataset.receipt.user_key == "user_pseudo_id or user_id"


def test_impossible_choices_are_refused_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="which is the user key already"):
        IngestSettings.checked(join_logins=True, user_key="user_id")
    with pytest.raises(SettingsError, match="Spark does not join the cookies of signed-in users"):
        run_on_spark(tmp_path, [tmp_path], RunSettings(ingest=JOIN), silent, "local[1]", Bounds(2**30))


def log_of(people: int = 1000) -> pd.DataFrame:
    """People who sign in on one to three cookies, some of which they share: rows with the ``person``.

    One cookie in thirty is also a second person's, who signs in, one in two hundred a guest's, who does not.
    """
    rng = np.random.default_rng(11)
    rows = []
    for person in range(people):
        for cookie in range(1 + int(rng.random() < 0.3) + int(rng.random() < 0.1)):
            name, n_views = f"{person}.{cookie}", 2 + int(rng.integers(6))
            login = rng.integers(n_views)
            views = [(name, f"m{person}", place >= login) for place in range(n_views)]
            if rng.random() < 1 / 30:
                views += [(name, f"m{(person + 1) % people}", place > 0) for place in range(2)]
            elif rng.random() < 1 / 200:
                views += [(name, "guest", False)] * 2
            rows += views
        rows += [(f"{person}.never", f"m{person}", False)] * int(rng.integers(2))
    table = pd.DataFrame(rows, columns=["cookie", "person", "is_signed_in"])
    return table.assign(second=range(len(table)))


def test_views_go_to_the_person_in_a_made_log_of_a_thousand_logins(tmp_path: Path) -> None:
    log = log_of()
    rows = [view(row.cookie, row.second, row.person if row.is_signed_in else "") for row in log.itertuples()]
    dataset = joined(tmp_path, rows)
    found = dataset.sequences
    users = np.array(found.user_id.to_pylist())[found.user]
    assigned = pd.Series(users, index=found.timestamp // 1_000_000 - START)[log["second"]].reset_index(
        drop=True
    )
    moved = assigned.str.startswith("m")
    signed_in = log[log["is_signed_in"]].groupby("cookie")["person"].agg(set)
    could = np.array([row.person in signed_in.get(row.cookie, ()) for row in log.itertuples()])
    right = assigned == log["person"]
    assert (right & moved).sum() / moved.sum() >= 0.99
    assert (right & could).sum() / could.sum() >= 0.95
    connection = duckdb.connect()
    connection.register("log", log)
    expected = connection.sql("""
        WITH c AS (SELECT cookie, count(*) AS views, count(DISTINCT person) FILTER (is_signed_in) AS users,
                min(person) FILTER (is_signed_in) AS person FROM log GROUP BY 1),
            u AS (SELECT person, count(*) AS cookies FROM c WHERE users = 1 GROUP BY 1)
        SELECT count(*) AS cookies, count(DISTINCT CASE WHEN users = 1 THEN person ELSE cookie END) AS ids,
            (SELECT count(DISTINCT person) FROM log WHERE is_signed_in) AS users,
            count(*) FILTER (users > 0) AS signed_in, count(*) FILTER (users > 1) AS conflicts,
            sum(views) FILTER (users = 1) AS page_views,
            (SELECT count(*) FROM u WHERE cookies > 1) AS cross_device, max(users) AS most_users,
            (SELECT max(cookies) FROM u) AS most_cookies
        FROM c
    """).df()  # fmt: skip
    assert counts_of(dataset).model_dump() == expected.iloc[0].astype(int).to_dict()
    assert len(dataset.users) == counts_of(dataset).ids
